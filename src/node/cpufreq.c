/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "node/cpufreq.h"

#include <linux/limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "node/folder.h"
#include "util/livefile.h"

#define HERTZ_PER_KHZ 1000

/* Writes "0 1 2 3" as "0-3". Ignores what is not such a list. */
static void format_cpus(const char *list, char *out, size_t size)
{
	unsigned long first, last, cpu;
	size_t len = 0;
	char *end;

	out[0] = '\0';
	while (len < size) {
		first = last = strtoul(list, &end, 10);
		if (end == list)
			return;
		for (list = end; (cpu = strtoul(list, &end, 10)) == last + 1 && end != list;
		     list = end)
			last = cpu;
		len += (size_t)snprintf(out + len, size - len, "%s%lu", len ? "," : "", first);
		if (last != first && len < size)
			len += (size_t)snprintf(out + len, size - len, "-%lu", last);
	}
}

/* Names a policy by its CPUs, or by its folder if the list is too long or already used. */
static void name_policy(const struct cpufreq *cpufreq, const char *list, const char *name,
			struct cpufreq_policy *policy)
{
	size_t i, size = sizeof(policy->cpus);
	char whole[sizeof(policy->cpus) + 1]; /* one more byte shows that it is too long */
	bool taken;

	format_cpus(list, whole, sizeof(whole));
	taken = !whole[0] || strlen(whole) >= size;
	for (i = 0; i < cpufreq->count; i++)
		taken = taken || strcmp(cpufreq->policies[i].cpus, whole) == 0;
	snprintf(policy->cpus, size, "%.*s", (int)size - 1, taken ? name : whole);
}

static void open_policy(void *context, const char *dir, const char *name)
{
	struct cpufreq *cpufreq = context;
	struct cpufreq_policy *policy = &cpufreq->policies[cpufreq->count];
	char list[1024];
	int64_t khz;

	if (cpufreq->count == CPUFREQ_POLICIES_MAX ||
	    live_read_once(dir, "related_cpus", list, sizeof(list)) <= 0 ||
	    live_read_number_once(dir, "cpuinfo_max_freq", &khz))
		return;
	*policy = (struct cpufreq_policy){.max = (uint64_t)khz * HERTZ_PER_KHZ};
	name_policy(cpufreq, list, name, policy);
	policy->fd = live_open(dir, "scaling_cur_freq");
	policy->limit_fd = live_open(dir, "scaling_max_freq");
	cpufreq->count++;
}

void cpufreq_open(struct cpufreq *cpufreq, const char *sysfs)
{
	char dir[PATH_MAX];

	cpufreq->count = 0;
	snprintf(dir, sizeof(dir), "%s/devices/system/cpu/cpufreq", sysfs);
	folder_each(dir, "policy", open_policy, cpufreq);
}

static bool read_khz(int fd, uint64_t *hertz)
{
	int64_t khz;

	if (fd < 0 || live_read_number(fd, &khz) || khz < 0)
		return false;
	*hertz = (uint64_t)khz * HERTZ_PER_KHZ;
	return true;
}

void cpufreq_read(struct cpufreq *cpufreq)
{
	struct cpufreq_policy *policy;

	for (policy = cpufreq->policies; policy < cpufreq->policies + cpufreq->count; policy++) {
		policy->known = read_khz(policy->fd, &policy->hertz);
		policy->limit_known = read_khz(policy->limit_fd, &policy->limit);
	}
}

bool cpufreq_limited(const struct cpufreq *cpufreq, bool *limited)
{
	bool known = false;
	size_t i;

	*limited = false;
	for (i = 0; i < cpufreq->count; i++) {
		known = known || cpufreq->policies[i].limit_known;
		if (cpufreq->policies[i].limit_known &&
		    cpufreq->policies[i].limit < cpufreq->policies[i].max)
			*limited = true;
	}
	return known;
}

void cpufreq_close(struct cpufreq *cpufreq)
{
	size_t i;

	for (i = 0; i < cpufreq->count; i++) {
		if (cpufreq->policies[i].fd >= 0)
			close(cpufreq->policies[i].fd);
		if (cpufreq->policies[i].limit_fd >= 0)
			close(cpufreq->policies[i].limit_fd);
	}
	cpufreq->count = 0;
}
