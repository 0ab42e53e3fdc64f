/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Without privileges the probes must say that they cannot know; no one may say a wrong "no". */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/resource.h>
#include <unistd.h>
#include <cmocka.h>

#include "kernel/features.h"
#include "own_mounts.h"
#include "skip.h"

static void test_kernel(void **state)
{
	struct features f;

	(void)state;
	features_probe(&f);
	assert_true(f.version > 0);
	assert_int_equal(f.page_size, sysconf(_SC_PAGESIZE));
	assert_true(f.cpus_possible >= f.cpus_online && f.cpus_online > 0);
	if (f.missing_cap_count)
		skip_because("this process has no %s", f.missing_caps[0]);
	assert_int_equal(f.tracing, 0);
	assert_int_equal(f.raw_tracepoint, 1);
	assert_int_equal(f.cgroup_id, 1);
	assert_int_equal(f.ringbuf, 1);
	assert_int_equal(f.mmapable, 1);
	assert_int_equal(f.perf_events, 1);
	assert_in_range(f.prev_state, 0, 1);
	assert_in_range(f.jit, 0, 1);
}

/* Probing leaves no file descriptor open and RLIMIT_MEMLOCK as it was. */
static void test_leaves_nothing(void **state)
{
	struct rlimit before, after;
	struct features f;
	int next;

	(void)state;
	features_probe(&f); /* libbpf may raise the limit once, at its first load */
	next = dup(0);
	assert_true(next >= 0);
	close(next);
	getrlimit(RLIMIT_MEMLOCK, &before);
	features_probe(&f);
	getrlimit(RLIMIT_MEMLOCK, &after);
	assert_int_equal(before.rlim_cur, after.rlim_cur);
	assert_int_equal(before.rlim_max, after.rlim_max);
	assert_int_equal(dup(0), next);
	close(next);
}

static void test_paths(void **state)
{
	char path[PATH_MAX];
	struct mounts mounts;

	(void)state;
	assert_int_equal(feature_kernel_btf("/nonexistent"), 0);
	assert_int_equal(feature_tracefs("/nonexistent", NULL, path), -ENOENT);
	assert_int_equal(feature_tracefs("/sys", "/tmp", path), -ENOENT);
	assert_int_equal(feature_event("/nonexistent", "sched/sched_switch"), 0);
	own_mounts_find(&mounts);
	if (mounts.tracefs_err)
		skip_because("tracefs is not mounted, and cannot be, or this user may not read it");
	assert_int_equal(feature_event(mounts.tracefs, "sched/sched_switch"), 1);
	assert_int_equal(feature_event(mounts.tracefs, "sched/no_such_event"), 0);
	mounts_close(&mounts);
}

/* Last: this process cannot get its capabilities back. */
static void test_without_capabilities(void **state)
{
	const char *names[FEATURES_CAPS_MAX];
	struct features f;
	cap_t none = cap_init();
	size_t count;

	(void)state;
	assert_non_null(none);
	assert_int_equal(cap_set_proc(none), 0);
	cap_free(none);
	count = features_missing_caps(names);
	assert_true(count >= 2);
	assert_string_equal(names[0], "CAP_BPF");
	assert_string_equal(names[1], "CAP_PERFMON");
	features_probe(&f);
	assert_int_equal(f.missing_cap_count, count);
	assert_int_equal(f.tracing, -EPERM);
	assert_int_equal(f.prev_state, -EPERM);
	assert_int_equal(f.jit, -EPERM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kernel),
		cmocka_unit_test(test_leaves_nothing),
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_without_capabilities),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
