/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "kube/log_match.h"

/* Tests count milliseconds from noon; NEVER is unknown or none. */
#define MS(ms)	  ((ms) == NEVER ? 0 : NOON_NS + (ms)*1000000LL)
#define NOON_NS	  1700000000000000000LL
#define NEVER	  INT64_MIN
#define LONG_AGO  (-86400000LL)
#define LATER	  3600000LL
#define AMBIGUOUS "(ambiguous)"

struct given_start {
	unsigned int attempt;
	int64_t at;
};

/* The list of starts ends at the first with time 0. */
struct given {
	const char *name;
	int64_t made;
	struct given_start starts[LOG_STARTS_MAX];
	int64_t lost_after, lost_before;
	bool linked;
};

#define NOT_LOST NEVER, NEVER, false

static struct log_container container_of_given(const struct given *given)
{
	struct log_container container = {
		.made_ns = MS(given->made),
		.lost_after_ns = MS(given->lost_after),
		.lost_before_ns = MS(given->lost_before),
		.linked = given->linked,
	};

	memcpy(container.name, given->name, strlen(given->name) + 1);
	for (size_t i = 0; i < LOG_STARTS_MAX && given->starts[i].at; i++) {
		container.starts[i].attempt = given->starts[i].attempt;
		container.starts[i].at_ns = MS(given->starts[i].at);
		container.start_count++;
	}
	return container;
}

static const char *match(int64_t pod_made, const struct given *given, size_t count, int64_t born,
			 int64_t now, bool exact)
{
	static struct log_container containers[8];
	const struct log_container *found = NULL;
	const struct log_birth birth = {MS(born), (now - born) * 1000000LL, exact};
	struct log_pod pod = {MS(pod_made), containers, count};
	int err;

	for (size_t i = 0; i < count; i++)
		containers[i] = container_of_given(&given[i]);
	err = log_match(&pod, &birth, &found);
	if (err) {
		assert_int_equal(err, -EAGAIN);
		assert_null(found);
		return AMBIGUOUS;
	}
	return found ? found->name : KUBE_SANDBOX;
}

static const char *match_at(int64_t pod_made, const struct given *given, size_t count, int64_t born,
			    int64_t now)
{
	return match(pod_made, given, count, born, now, false);
}

/* Its making was seen. */
static const char *match_seen(int64_t pod_made, const struct given *given, size_t count,
			      int64_t born, int64_t now)
{
	return match(pod_made, given, count, born, now, true);
}

/* A pod of two containers as it starts: directory, log, cgroup; then the next. */
static void a_pod_starts(void **state)
{
	static const struct given pod[] = {
		{"init", 1000, {{0, 1000}, {0, 1300}}, NOT_LOST},
		{"app", 1700, {{0, 1700}, {0, 2000}}, NOT_LOST},
	};

	(void)state;
	assert_string_equal(match_at(100, pod, 0, 400, 500), KUBE_SANDBOX);
	assert_string_equal(match_at(100, pod, 1, 400, 1100), KUBE_SANDBOX);
	assert_string_equal(match_at(100, pod, 2, 400, LATER), KUBE_SANDBOX);
	assert_string_equal(match_at(100, pod, 1, 1350, 1400), "init");
	assert_string_equal(match_at(100, pod, 2, 1350, LATER), "init");
	assert_string_equal(match_at(100, pod, 2, 2040, LATER), "app");
	assert_string_equal(match_at(100, pod, 2, 11900, LATER), "app");
	/* The clock's ticks may show the log just after the cgroup. */
	assert_string_equal(match_at(100, pod, 2, 1985, LATER), "app");
	/* Too long after the start for it to be that one. */
	assert_string_equal(match_at(100, pod, 2, 12100, LATER), AMBIGUOUS);
	/* Before there was a pod: the clock was set. */
	assert_string_equal(match_at(100, pod, 2, LONG_AGO, LATER), AMBIGUOUS);
}

static void starts_too_close_are_ambiguous(void **state)
{
	static const struct given pod[] = {
		{"a", 1000, {{0, 1000}, {0, 1300}}, NOT_LOST},
		{"b", 1290, {{0, 1290}, {0, 1310}}, NOT_LOST},
	};

	(void)state;
	assert_string_equal(match_at(100, pod, 2, 1350, LATER), AMBIGUOUS);
	assert_string_equal(match_at(100, pod, 2, 1200, LATER), "a");
}

/* The next container's directory is made 10 ms after this one's cgroup. */
static void what_starts_right_after_is_another(void **state)
{
	const struct given containers[] = {
		{"server", 100, {{0, 100}}, NOT_LOST},
		{"client", 200, {{0, 200}}, NOT_LOST},
	};

	(void)state;
	assert_string_equal(match_at(50, containers, 2, 190, 300), "server");
	assert_string_equal(match_at(50, containers, 2, 260, 300), "client");
}

static void a_restart_is_told(void **state)
{
	static const struct given pod[] = {
		{"a", 1000, {{3, 500000}, {4, 900000}}, NOT_LOST},
		{"b", 2000, {{0, 2000}, {0, 2100}}, NOT_LOST},
	};

	(void)state;
	assert_string_equal(match_at(100, pod, 2, 500200, LATER), "a");
	assert_string_equal(match_at(100, pod, 2, 900200, LATER), "a");
	assert_string_equal(match_at(100, pod, 2, 2200, LATER), "b");
	/* The first attempt's log is gone. */
	assert_string_equal(match_at(100, pod, 2, 1200, LATER), AMBIGUOUS);
}

/* After a reboot the sandbox is another, and every container starts once more. */
static void a_later_sandbox_is_told(void **state)
{
	static const struct given before[] = {
		{"a", LONG_AGO, {{0, LONG_AGO}, {0, LONG_AGO + 10}}, NOT_LOST},
	};
	static const struct given after[] = {
		{"a", LONG_AGO, {{0, LONG_AGO}, {0, LONG_AGO + 10}, {1, 2000}}, NOT_LOST},
		{"b", LONG_AGO, {{5, LONG_AGO + 900}, {6, 3000}}, NOT_LOST},
		{"debug", 4000, {{0, 4000}}, NOT_LOST},
	};
	static const struct given skipped[] = {
		{"a", LONG_AGO, {{0, LONG_AGO + 10}, {2, 2000}}, NOT_LOST},
	};
	static const struct given rotated[] = {
		{"a", LONG_AGO, {{0, LONG_AGO}, {1, 2000}}, LONG_AGO, 900000, false},
	};

	(void)state;
	assert_string_equal(match_at(LONG_AGO, before, 1, 1000, 1100), AMBIGUOUS);
	assert_string_equal(match_at(LONG_AGO, rotated, 1, 1000, 2100), AMBIGUOUS);
	assert_string_equal(match_at(LONG_AGO, after, 3, 1000, LATER), KUBE_SANDBOX);
	assert_string_equal(match_at(LONG_AGO, after, 3, 2100, LATER), "a");
	assert_string_equal(match_at(LONG_AGO, after, 3, 3100, LATER), "b");
	assert_string_equal(match_at(LONG_AGO, after, 3, 4100, LATER), "debug");
	assert_string_equal(match_at(LONG_AGO - 1000, before, 1, LONG_AGO - 500, LATER),
			    KUBE_SANDBOX);
	/* An attempt may have come and gone in between: the sandbox, or that one. */
	assert_string_equal(match_at(LONG_AGO, skipped, 1, 1000, 1100), AMBIGUOUS);
}

/* Logs of later attempts were rotated: when those started is lost. */
static void a_lost_start_casts_doubt(void **state)
{
	static const struct given pod[] = {
		{"a", 1000, {{0, 1200}}, 1000, 800000, false},
		{"b", 500000, {{0, 500000}}, NOT_LOST},
	};

	(void)state;
	assert_string_equal(match_at(100, pod, 2, 500200, LATER), AMBIGUOUS);
	assert_string_equal(match_at(100, pod, 2, 600000, LATER), AMBIGUOUS);
	assert_string_equal(match_at(100, pod, 2, 500, LATER), KUBE_SANDBOX);
	assert_string_equal(match_at(100, pod, 1, 1300, LATER), "a");
}

static void an_only_container_needs_no_start(void **state)
{
	static const struct given rotated[] = {{"a", 1000, {{0, 1000}}, 1000, 800000, false}};
	static const struct given linked[] = {{"a", 1000, {{0, 0}}, NEVER, NEVER, true}};

	(void)state;
	assert_string_equal(match_at(100, rotated, 1, 600000, LATER), "a");
	assert_string_equal(match_at(100, rotated, 1, 500, LATER), KUBE_SANDBOX);
	/* Its log may just be about to appear. */
	assert_string_equal(match_at(100, rotated, 1, 600000, 609000), AMBIGUOUS);
	assert_string_equal(match_at(100, linked, 1, 600000, LATER), AMBIGUOUS);
	assert_string_equal(match_at(100, linked, 1, 500, LATER), KUBE_SANDBOX);
	/* The clock was set forward by an hour after the start. */
	assert_string_equal(match_at(100, rotated, 1, LATER + 1500, 2 * LATER), "a");
}

/* A static pod comes back under its uid, and its containers take long to be started again. */
static void a_sandbox_before_a_slow_start_is_told(void **state)
{
	static const struct given one[] = {{"api", LONG_AGO, {{0, LONG_AGO}}, NOT_LOST}};
	static const struct given two[] = {
		{"a", LONG_AGO, {{3, LONG_AGO + 900}}, NOT_LOST},
		{"b", LONG_AGO, {{0, LONG_AGO}, {1, LONG_AGO + 500}}, NOT_LOST},
	};
	static const struct given rotated[] = {
		{"api", LONG_AGO, {{0, LONG_AGO}}, LONG_AGO, -100000, false}};
	static const struct given just_rotated[] = {
		{"api", LONG_AGO, {{0, LONG_AGO}}, LONG_AGO, -50000, false}};
	static const struct given restarted[] = {
		{"api", LONG_AGO, {{0, LONG_AGO}, {1, -50000}}, NOT_LOST}};
	static const struct given started[] = {
		{"api", LONG_AGO, {{0, LONG_AGO}, {1, 13000}}, NOT_LOST}};
	static const struct given linked[] = {{"api", LONG_AGO, {{0, 0}}, NEVER, NEVER, true}};

	(void)state;
	assert_string_equal(match_seen(LONG_AGO, one, 1, 1000, 1100), KUBE_SANDBOX);
	assert_string_equal(match_seen(LONG_AGO, one, 1, 1000, 13000), KUBE_SANDBOX);
	assert_string_equal(match_seen(LONG_AGO, two, 2, 1000, 1100), KUBE_SANDBOX);
	assert_string_equal(match_seen(LONG_AGO, rotated, 1, 1000, 1100), KUBE_SANDBOX);
	assert_string_equal(match_seen(LONG_AGO, started, 1, 1000, 13100), KUBE_SANDBOX);
	assert_string_equal(match_seen(LONG_AGO, started, 1, 13050, 13100), "api");
	/* It may have been started a minute ago, on a busy disk. */
	assert_string_equal(match_seen(LONG_AGO, restarted, 1, 1000, 1100), AMBIGUOUS);
	assert_string_equal(match_seen(LONG_AGO, just_rotated, 1, 1000, 1100), AMBIGUOUS);
	assert_string_equal(match_seen(LONG_AGO, linked, 1, 1000, LATER), AMBIGUOUS);
	/* Not seen, and by a clock that may have been set: the rule for an only container. */
	assert_string_equal(match_at(LONG_AGO, one, 1, 1000, 1100), AMBIGUOUS);
	assert_string_equal(match_at(LONG_AGO, one, 1, 1000, 13000), "api");
}

/* Without births there is the directory's last change, and earlier ones may be lost. */
static void a_file_system_without_births(void **state)
{
	static const struct given pod[] = {
		{"a", NEVER, {{0, 1300}}, NEVER, 1300, false},
		{"b", NEVER, {{0, 2000}}, NEVER, 2000, false},
	};

	(void)state;
	assert_string_equal(match_at(NEVER, pod, 1, 1350, 1400), "a");
	assert_string_equal(match_at(NEVER, pod, 2, 2050, 2100), "b");
	assert_string_equal(match_at(NEVER, pod, 2, 1350, 2100), AMBIGUOUS);
	assert_string_equal(match_at(NEVER, pod, 2, 400, LATER), AMBIGUOUS);
	assert_string_equal(match_at(NEVER, pod, 1, 400, LATER), "a");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pod_starts),
		cmocka_unit_test(starts_too_close_are_ambiguous),
		cmocka_unit_test(what_starts_right_after_is_another),
		cmocka_unit_test(a_restart_is_told),
		cmocka_unit_test(a_later_sandbox_is_told),
		cmocka_unit_test(a_lost_start_casts_doubt),
		cmocka_unit_test(an_only_container_needs_no_start),
		cmocka_unit_test(a_sandbox_before_a_slow_start_is_told),
		cmocka_unit_test(a_file_system_without_births),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
