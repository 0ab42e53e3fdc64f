/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What a pod's labels and its owner become. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "kube/label_keys.h"
#include "kube/workload.h"
#include "util/array.h"

static void label_keys_become_names(void **state)
{
	struct label_keys some;

	(void)state;
	assert_int_equal(label_keys_parse("app,app.kubernetes.io/name,a-b,a.b,A_1,a_b", &some), 0);
	assert_int_equal(some.count, 6);
	assert_string_equal(some.list[0].name, "label_app");
	assert_string_equal(some.list[1].name, "label_app_kubernetes_io_name");
	assert_string_equal(some.list[2].name, "label_a_b");
	assert_string_equal(some.list[3].name, "label_a_b_conflict1");
	assert_string_equal(some.list[4].name, "label_A_1");
	assert_string_equal(some.list[5].name, "label_a_b_conflict2");
	label_keys_free(&some);
	assert_int_equal(label_keys_parse("", &some), 0);
	assert_int_equal(some.count, 0);
}

static void what_is_no_key_is_refused(void **state)
{
	static const char *const texts[] = {
		",",	    "a,",
		",a",	    "a,,b",
		"a b",	    "a,a",
		"/a",	    "a/",
		"a/b/c",    "-a",
		"a-",	    "A/b",
		"a=b",	    "*",
		"\xc3\xa9", "0123456789012345678901234567890123456789012345678901234567890123",
	};
	struct label_keys some;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		assert_int_equal(label_keys_parse(texts[i], &some), -EINVAL);
		assert_null(some.list);
	}
	assert_int_equal(label_keys_parse("a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q", &some), -E2BIG);
}

static void assert_workload(const char *kind, const char *name, const char *hash, int64_t made_s,
			    const char *want_kind, const char *want_name)
{
	const struct pod_owner owner = {kind, name, hash, made_s};
	struct workload got = {.kind = ""};

	workload_of(&owner, &got);
	assert_string_equal(got.kind, want_kind);
	assert_string_equal(got.name, want_name);
}

static void workloads_are_told_from_owners(void **state)
{
	const int64_t made = 1714608000; /* minute 28576800 */

	(void)state;
	assert_workload("ReplicaSet", "web-7d4b9c6f5", "7d4b9c6f5", made, "Deployment", "web");
	assert_workload("ReplicaSet", "a-b-7d4b9", "7d4b9", made, "Deployment", "a-b");
	assert_workload("ReplicaSet", "web-7d4b9c6f5", "other", made, "ReplicaSet",
			"web-7d4b9c6f5");
	assert_workload("ReplicaSet", "web-7d4b9c6f5", "", made, "ReplicaSet", "web-7d4b9c6f5");
	assert_workload("ReplicaSet", "web", "web", made, "ReplicaSet", "web");
	assert_workload("Job", "backup-28576800", "", made, "CronJob", "backup");
	assert_workload("Job", "backup-1714608000", "", made, "CronJob", "backup");
	assert_workload("Job", "backup-28576000", "", made, "CronJob", "backup");
	assert_workload("Job", "backup-28576900", "", made, "Job", "backup-28576900");
	assert_workload("Job", "backup-20240501", "", made, "Job", "backup-20240501");
	assert_workload("Job", "backup-28576800", "", 0, "Job", "backup-28576800");
	assert_workload("Job", "backup-2857680", "", made, "Job", "backup-2857680");
	assert_workload("Job", "28576800", "", made, "Job", "28576800");
	assert_workload("Job", "backup-2857680x", "", made, "Job", "backup-2857680x");
	assert_workload("DaemonSet", "agent", "", made, "DaemonSet", "agent");
	assert_workload("", "", "", made, "", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(label_keys_become_names),
		cmocka_unit_test(what_is_no_key_is_refused),
		cmocka_unit_test(workloads_are_told_from_owners),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
