/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Trees of files stand for procfs and the cgroup file system. */
#include <errno.h>

#include "net/overflows.h"
#include "tree.h"
#include "util/array.h"

#define NAMES	       "TcpExt: SyncookiesSent TCPFastOpenListenOverflow ListenOverflows ListenDrops\n"
#define NETSTAT(count) NAMES "TcpExt: 0 77 " count " 99\nIpExt: InNoRoutes\nIpExt: 0\n"

static struct overflows *overflows;
static char procfs[96], cgroupfs[96];

static int setup(void **state)
{
	(void)state;
	if (tree_make())
		return -1;
	snprintf(procfs, sizeof(procfs), "%s/proc", tree_root);
	snprintf(cgroupfs, sizeof(cgroupfs), "%s/cg", tree_root);
	tree_put("proc/1/net/netstat", NETSTAT("5"));
	return overflows_open(procfs, cgroupfs, &overflows);
}

static int teardown(void **state)
{
	(void)state;
	overflows_close(overflows);
	return tree_remove("");
}

static void test_parse(void **state)
{
	static const char *const bad[] = {
		"",
		"TcpExt:",
		"TcpExt: ListenOverflows\n",
		"TcpExt: ListenOverflows\nTcpExt:",
		"TcpExt: ListenOverflows\nIpExt: 3\n",
		"TcpExt: ListenOverflows\nTcpExt: x\n",
		"TcpExt: ListenOverflows\nTcpExt: -3\n",
		"TcpExt: ListenOverflows\nTcpExt: 3x\n",
		"TcpExt: ListenOverflows\nTcpExt: 99999999999999999999\n",
		"TcpExt: A ListenOverflows\nTcpExt: 3\n",
		"TcpExt: ListenOverflowsX\nTcpExt: 3\n",
		"IpExt: ListenOverflows\nIpExt: 3\n",
	};
	uint64_t count = 0;
	size_t i;

	(void)state;
	assert_int_equal(overflows_parse(NETSTAT("18446744073709551615"), &count), 0);
	assert_true(count == UINT64_MAX);
	assert_int_equal(overflows_parse("TcpExt: ListenOverflows\nTcpExt: 3", &count), 0);
	assert_int_equal(count, 3);
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(overflows_parse(bad[i], &count), -EINVAL);
}

/* Two processes of one namespace see the same file, as in procfs. */
static void share(const char *from, const char *to)
{
	char source[160], target[160];

	tree_put(to, "");
	assert_int_equal(tree_remove(to), 0);
	snprintf(source, sizeof(source), "%s/%s", tree_root, from);
	snprintf(target, sizeof(target), "%s/%s", tree_root, to);
	assert_int_equal(link(source, target), 0);
}

/* Writes into the file, which stays the same one. */
static void set(const char *path, const char *text)
{
	char full[160];
	FILE *file;

	snprintf(full, sizeof(full), "%s/%s", tree_root, path);
	file = fopen(full, "we");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void grows(const char *cgroup, bool is_new, uint64_t count, bool host)
{
	struct overflows_growth growth;

	assert_int_equal(overflows_read(overflows, cgroup, is_new, &growth), 0);
	assert_int_equal(growth.count, count);
	assert_int_equal(growth.host, host);
}

static void test_rounds(void **state)
{
	struct overflows_growth growth;

	(void)state;
	tree_put("cg/cgroup.procs", "1\n2\n");
	tree_put("cg/pod/a/cgroup.procs", "20\n");
	tree_put("cg/pod/b/cgroup.procs", "30\n31\n");
	tree_put("cg/empty/cgroup.procs", "");
	tree_put("proc/20/net/netstat", NETSTAT("7"));
	share("proc/20/net/netstat", "proc/30/net/netstat");

	grows("/", false, 0, true); /* what was there before does not count */
	grows("/pod/a", false, 0, false);
	assert_int_equal(overflows_read(overflows, "/pod/b", false, &growth), -EALREADY);
	assert_int_equal(overflows_read(overflows, "/empty", false, &growth), -ESRCH);
	assert_int_equal(overflows_read(overflows, "/gone", false, &growth), -ESRCH);

	overflows_next_round(overflows);
	set("proc/1/net/netstat", NETSTAT("6"));
	set("proc/20/net/netstat", NETSTAT("17"));
	grows("/pod/b", false, 10, false); /* whichever cgroup comes first */
	assert_int_equal(overflows_read(overflows, "/pod/a", false, &growth), -EALREADY);
	grows("/", false, 1, true);

	overflows_next_round(overflows);
	set("proc/20/net/netstat", NETSTAT("3")); /* lower than before */
	assert_int_equal(overflows_read(overflows, "/pod/a", false, &growth), 0);
	assert_int_equal(growth.count, 0);
	assert_true(growth.lower);
	overflows_next_round(overflows);
	set("proc/20/net/netstat", NETSTAT("5"));
	grows("/pod/a", false, 2, false);
}

/* A namespace that came after the program is counted from its beginning. */
static void test_new(void **state)
{
	(void)state;
	tree_put("cg/pod/cgroup.procs", "40\n");
	tree_put("proc/40/net/netstat", NETSTAT("12"));
	grows("/pod", true, 12, false);
	overflows_next_round(overflows);
	grows("/pod", true, 0, false);
}

static void test_damaged(void **state)
{
	struct overflows_growth growth;

	(void)state;
	tree_put("cg/pod/cgroup.procs", "40\n");
	tree_put("proc/40/net/netstat", "TcpExt: ListenOverflows\n");
	assert_int_equal(overflows_read(overflows, "/pod", false, &growth), -EINVAL);
	tree_put("cg/odd/cgroup.procs", "x\n");
	assert_int_equal(overflows_read(overflows, "/odd", false, &growth), -ESRCH);
	tree_put("cg/odd/cgroup.procs", "41\n"); /* ended meanwhile */
	assert_int_equal(overflows_read(overflows, "/odd", false, &growth), -ESRCH);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_parse),
		TEST(test_rounds),
		TEST(test_new),
		TEST(test_damaged),
	};

	return cmocka_run_group_tests_name("overflows", tests, NULL, NULL);
}
