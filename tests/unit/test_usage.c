/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Directories stand for cgroups. */
#include "counts.h"
#include "metrics/usage.h"
#include "tree.h"
#include "util/clock.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde"

static struct members members;
static struct owners owners;
static struct usage usage;

static int setup(void **state)
{
	(void)state;
	members_open(&members, tree_root, "/proc");
	owners = (struct owners){0};
	if (tree_make())
		return -1;
	usage_open(&usage, tree_root);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	usage_close(&usage, &members);
	members_free(&members);
	owners_free(&owners);
	return usage.reader.fds ? -1 : tree_remove("");
}

/* All cgroups of a test are of one container, as if it had been restarted. */
static void name(void *context, struct member *member)
{
	struct labels labels = {.pod = "web-0"};

	(void)context;
	member->owner = owners_get(&owners, &labels);
}

static void put(const char *path, const char *file, const char *text)
{
	char full[192];

	snprintf(full, sizeof(full), "%s/%s", path + 1, file);
	tree_put(full, text);
}

static const struct owner *update(uint64_t now_ns)
{
	struct labels labels = {.pod = "web-0"};

	usage_update(&usage, &members, &owners, now_ns, name, NULL);
	return owners_find(&owners, &labels);
}

static void is(const struct owner *owner, enum cgroup_value which, uint64_t value)
{
	uint64_t found;

	assert_true(find_file(owner, which, &found));
	assert_int_equal(found, value);
}

static void is_unknown(const struct owner *owner, enum cgroup_value which)
{
	uint64_t found = 0;

	assert_false(find_file(owner, which, &found));
	assert_int_equal(found, 0);
}

/* The counter is what cpu.stat says, from the first reading on. */
static void test_equals(void **state)
{
	const struct owner *owner;

	(void)state;
	members_add(&members, 1, "/" ID "1", 0);
	put("/" ID "1", "cpu.stat", "usage_usec 1000\n");
	put("/" ID "1", "memory.max", "4096\n");
	owner = update(1);
	is(owner, CGROUP_CPU_USAGE, 1000000);
	is(owner, CGROUP_MEMORY_LIMIT, 4096);
	put("/" ID "1", "cpu.stat", "usage_usec 1234\n");
	put("/" ID "1", "memory.max", "max\n");
	owner = update(2);
	is(owner, CGROUP_CPU_USAGE, 1234000);
	is_unknown(owner, CGROUP_MEMORY_LIMIT);
}

/* A restarted container counts on; its limit is that of the one that is there. */
static void test_restart(void **state)
{
	const struct owner *owner;

	(void)state;
	members_add(&members, 1, "/" ID "1", 0);
	put("/" ID "1", "cpu.stat", "usage_usec 1000\n");
	put("/" ID "1", "memory.max", "4096\n");
	update(1);
	members_find(&members, 1)->cgroup.removed_ns = 2;
	assert_int_equal(tree_remove(ID "1"), 0);
	members_add(&members, 2, "/" ID "2", clock_boottime_ns());
	put("/" ID "2", "cpu.stat", "usage_usec 7\n");
	put("/" ID "2", "memory.max", "8192\n");
	owner = update(3);
	is(owner, CGROUP_CPU_USAGE, 1007000);
	is(owner, CGROUP_MEMORY_LIMIT, 8192);
	usage_forget(&usage, members_find(&members, 1));
	members_remove(&members, members_find(&members, 1));
	owner = update(4);
	is(owner, CGROUP_CPU_USAGE, 1007000);
	assert_int_equal(usage.reader.fds, 2);

	members_find(&members, 2)->cgroup.removed_ns = 5;
	owner = update(5);
	is(owner, CGROUP_CPU_USAGE, 1007000);
	is_unknown(owner, CGROUP_MEMORY_LIMIT);
	assert_int_equal(usage.reader.fds, 0);
}

/* A counter that is lower than before adds nothing, and grows from there on. */
static void test_step_back(void **state)
{
	const struct owner *owner;

	(void)state;
	members_add(&members, 1, "/" ID "1", 0);
	put("/" ID "1", "cpu.stat", "usage_usec 1000\nthrottled_usec 500\n");
	update(1);
	put("/" ID "1", "cpu.stat", "usage_usec 999\nthrottled_usec 700\n");
	owner = update(2);
	is(owner, CGROUP_CPU_USAGE, 1000000);
	is(owner, CGROUP_CPU_THROTTLED, 700000);
	assert_int_equal(usage.stepped_back, 1);
	put("/" ID "1", "cpu.stat", "usage_usec 1001\nthrottled_usec 700\n");
	owner = update(3);
	is(owner, CGROUP_CPU_USAGE, 1002000);
	assert_int_equal(usage.stepped_back, 1);
}

/* A value that could not be read for a while counts once when it is there again. */
static void test_away(void **state)
{
	const struct owner *owner;

	(void)state;
	members_add(&members, 1, "/" ID "1", 0);
	put("/" ID "1", "cpu.stat", "usage_usec 1000\n");
	put("/" ID "1", "memory.events", "oom_kill 5\n");
	update(1);
	put("/" ID "1", "memory.events", "");
	update(2);
	put("/" ID "1", "memory.events", "oom_kill 6\n");
	owner = update(61 * NS_PER_S); /* it is looked for again after a minute */
	is(owner, CGROUP_MEMORY_EVENTS_OOM_KILL, 6);
}

static void add_cgroup(uint64_t id, uint64_t born_ns, const char *cpu_stat)
{
	char path[80];

	snprintf(path, sizeof(path), "/" ID "%u", (unsigned int)id);
	members_add(&members, id, path, born_ns);
	put(path, "cpu.stat", cpu_stat);
}

/* Two clocks are read one after the other. */
static void since_is(uint64_t boottime_ns)
{
	const struct labels labels = {.pod = "web-0"};
	uint64_t ns = boottime_ns - clock_suspended_ns();

	assert_in_range(owners_find(&owners, &labels)->since_ns, ns - NS_PER_S / 2,
			ns + NS_PER_S / 2);
}

/* What a cgroup used before it was found does not count as used by its owner just now. */
static void test_found_late(void **state)
{
	uint64_t old_ns = clock_boottime_ns() - NS_PER_S;

	(void)state;
	/* With its first reading an owner counts since its cgroup was made. */
	add_cgroup(1, old_ns, "usage_usec 1000\n");
	is(update(clock_monotonic_ns()), CGROUP_CPU_USAGE, 1000000);
	since_is(old_ns);

	add_cgroup(2, old_ns, "usage_usec 5000\n");
	is(update(clock_monotonic_ns()), CGROUP_CPU_USAGE, 1000000);
	put("/" ID "2", "cpu.stat", "usage_usec 5007\n");
	is(update(clock_monotonic_ns()), CGROUP_CPU_USAGE, 1007000);

	add_cgroup(3, 0, "usage_usec 9000\n"); /* since when is not known */
	is(update(clock_monotonic_ns()), CGROUP_CPU_USAGE, 1007000);

	add_cgroup(4, clock_boottime_ns(), "usage_usec 3\n"); /* a restart, since the last update */
	is(update(clock_monotonic_ns()), CGROUP_CPU_USAGE, 1010000);
	since_is(old_ns);
}

/* Since when it counts is not known: it is as if it had always been there. */
static void test_unknown_birth(void **state)
{
	const struct labels labels = {.pod = "web-0"};

	(void)state;
	add_cgroup(1, 0, "usage_usec 1000\n");
	is(update(clock_monotonic_ns()), CGROUP_CPU_USAGE, 1000000);
	assert_int_equal(owners_find(&owners, &labels)->since_ns, 0);
}

/* It went, and nobody has told yet. */
static void test_gone(void **state)
{
	const struct owner *owner;

	(void)state;
	members_add(&members, 1, "/" ID "1", 0);
	assert_true(ledger_is_empty(&update(1)->ledger));
	put("/" ID "1", "cpu.stat", "usage_usec 1000\n");
	owner = update(2);
	is(owner, CGROUP_CPU_USAGE, 1000000);
}

/* Gives each cgroup an owner of its own. */
static void name_apart(void *context, struct member *member)
{
	struct labels labels = {.unit = ""};

	(void)context;
	snprintf(labels.container, sizeof(labels.container), "%.60s",
		 member->cgroup.name.container_id);
	member->owner = owners_get(&owners, &labels);
}

/* Made up containers in which nothing runs come after the pods that are made later. */
static void test_pods_go_first(void **state)
{
	static const char pod[] = "/kubepods/pod8a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9/" ID "1";
	char path[128];
	unsigned int i;

	(void)state;
	usage.max = 16;
	for (i = 1; i <= 100; i++) {
		snprintf(path, sizeof(path), "/stranger/%064x", i);
		members_add(&members, i, path, 0);
		put(path, "cpu.stat", "usage_usec 1\n");
	}
	members_add(&members, 1000, pod, 0);
	put(pod, "cpu.stat", "usage_usec 1000\n");
	usage_update(&usage, &members, &owners, 1, name_apart, NULL);
	assert_int_equal(usage.count, 1 + 16 / 8);
	assert_non_null(members_find(&members, 1000)->owner);
	is(members_find(&members, 1000)->owner, CGROUP_CPU_USAGE, 1000000);
}

/* Two owners that turn out to be one. */
static void test_merged(void **state)
{
	struct labels known = {.pod = "web-0"}, unknown = {.pod = "11111111-2222"};
	struct owner *from = owners_get(&owners, &unknown), *to = owners_get(&owners, &known);

	(void)state;
	add_file(from, CGROUP_CPU_USAGE, 5);
	add_file(to, CGROUP_CPU_USAGE, 7);
	assert_ptr_equal(owners_rename(&owners, from, &known), to);
	is(to, CGROUP_CPU_USAGE, 12);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_equals), TEST(test_restart),	     TEST(test_step_back),
		TEST(test_away),   TEST(test_found_late),    TEST(test_unknown_birth),
		TEST(test_gone),   TEST(test_pods_go_first), TEST(test_merged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
