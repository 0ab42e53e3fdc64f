/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "kube/workload.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECONDS_DIGITS 10 /* from 2001 to 2286 */
#define MINUTES_DIGITS 8  /* from 1989 to 2160 */

#define CLOCK_SLACK_S  600 /* between the clocks of two machines */
#define LATE_MAX_S     (366LL * 24 * 3600)

/* The part of the name after its last '-'. NULL if there is nothing before or after it. */
static const char *suffix_of(const char *name)
{
	const char *dash = strrchr(name, '-');

	return dash && dash != name && dash[1] ? dash + 1 : NULL;
}

static void set(struct workload *out, const char *kind, const char *name, size_t name_len)
{
	(void)snprintf(out->kind, sizeof(out->kind), "%s", kind);
	(void)snprintf(out->name, sizeof(out->name), "%.*s", (int)name_len, name);
}

/* Whether the digits can be the due time of a job whose pod was made at that time. */
static bool is_due_time(const char *digits, int64_t pod_made_s)
{
	size_t len = strspn(digits, "0123456789");
	int64_t due_s;

	if (digits[len] || (len != MINUTES_DIGITS && len != SECONDS_DIGITS))
		return false;
	due_s = strtoll(digits, NULL, 10) * (len == MINUTES_DIGITS ? 60 : 1);
	return pod_made_s && due_s <= pod_made_s + CLOCK_SLACK_S &&
	       due_s >= pod_made_s - LATE_MAX_S;
}

void workload_of(const struct pod_owner *owner, struct workload *out)
{
	const char *suffix = suffix_of(owner->name);
	size_t stem_len = suffix ? (size_t)(suffix - owner->name - 1) : 0;

	if (strcmp(owner->kind, "ReplicaSet") == 0 && suffix &&
	    strcmp(suffix, owner->template_hash) == 0)
		set(out, "Deployment", owner->name, stem_len);
	else if (strcmp(owner->kind, "Job") == 0 && suffix &&
		 is_due_time(suffix, owner->pod_made_s))
		set(out, "CronJob", owner->name, stem_len);
	else
		set(out, owner->kind, owner->name, strlen(owner->name));
}
