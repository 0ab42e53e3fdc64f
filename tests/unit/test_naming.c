/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * How cgroups get their owners, and what looking for their names costs. Directories stand for logs.
 * Time is what the tests say, from when the last cgroup became known.
 */
#include "metrics/naming.h"
#include "tree.h"
#include "util/clock.h"
#include "util/log.h"

#define UID	  "8a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"
#define POD	  "/kubepods/pod" UID
#define ID	  "3f4b1c2d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7f809"
#define LOGS	  "logs/shop_web-0_" UID
#define MANY	  3000
#define ROUND_MAX 1024 /* names that a round looks for at most */
#define READS_MAX 66   /* directories that it reads at most */
#define MS	  UINT64_C(1000000)

static struct members members;
static struct owners owners;
static struct naming naming;
static struct wall wall;
static char log_dir[128];
static uint64_t start_ns;

static int setup(void **state)
{
	struct kube_options options = {.source = KUBE_LOGS, .log_dir = log_dir};

	(void)state;
	log_setup(LOG_ERROR, LOG_LOGFMT);
	if (tree_make())
		return -1;
	snprintf(log_dir, sizeof(log_dir), "%s/logs", tree_root);
	tree_put("logs/none", "");
	members_open(&members, "/sys/fs/cgroup", "/proc");
	owners = (struct owners){0};
	wall = (struct wall){.count = 0};
	wall_look(&wall);
	naming = (struct naming){.members = &members, .owners = &owners, .wall = &wall};
	start_ns = clock_monotonic_ns();
	return kube_names_open(&options, &naming.names);
}

static int teardown(void **state)
{
	(void)state;
	members_free(&members);
	owners_free(&owners);
	kube_names_close(naming.names);
	return tree_remove("");
}

/* A cgroup of which something was counted. */
static struct member *add(uint64_t id, const char *path)
{
	struct member *member = members_add(&members, id, path, 0);

	assert_non_null(member);
	naming_own(&naming, member);
	assert_non_null(member->owner);
	start_ns = member->cgroup.seen_ns = clock_monotonic_ns();
	return member;
}

static void run_at(uint64_t after_ns)
{
	naming_run(&naming, start_ns + after_ns);
}

static void a_unit_has_its_name_at_once(void **state)
{
	const struct member *unit = add(1, "/system.slice/ssh.service");

	(void)state;
	assert_false(unit->owner->held);
	assert_string_equal(unit->owner->labels.unit, "ssh.service");
	assert_int_equal(unit->owner->cgroups, 1);
	assert_int_equal(naming_due_ns(&naming), UINT64_MAX);
	naming_run(&naming, start_ns + NS_PER_S);
	assert_int_equal(naming.looks, 0);
}

/* It is looked for again after pauses. For so long its owner is held back. */
static void a_pods_name_is_waited_for(void **state)
{
	const struct member *pod = add(1, POD);

	(void)state;
	run_at(0);
	assert_false(pod->kin->named);
	assert_true(pod->owner->held);
	assert_string_equal(pod->owner->labels.pod, UID);
	tree_put(LOGS "/web/0.log", "");
	run_at(NS_PER_S / 4);
	assert_false(pod->kin->named);
	assert_int_equal(naming.looks, 1);
	run_at(NS_PER_S);
	assert_true(pod->kin->named);
	assert_false(pod->owner->held);
	assert_string_equal(pod->owner->labels.name_space, "shop");
	assert_string_equal(pod->owner->labels.pod, "web-0");
	assert_int_equal(naming_due_ns(&naming), UINT64_MAX);
}

/* An answer that is being made does not wait for the pause. */
static void a_reader_has_names_that_came_meanwhile(void **state)
{
	const struct member *pod = add(1, POD);

	(void)state;
	run_at(0);
	assert_false(pod->kin->named);
	tree_put(LOGS "/web/0.log", "");
	naming_run_for_reader(&naming, start_ns + MS);
	assert_true(pod->kin->named);
	assert_int_equal(naming.looks, 2);
	assert_false(pod->owner->held);
}

/* The container's own cgroup has no process, so when it began is known from the nested one alone.
 */
static void processes_may_all_be_nested(void **state)
{
	struct member *own = members_add(&members, 1, POD "/" ID, 0);
	struct member *nested = members_add(&members, 2, POD "/" ID "/init", clock_boottime_ns());

	(void)state;
	tree_put(LOGS "/web/0.log", "");
	naming_own(&naming, nested);
	start_ns = own->cgroup.seen_ns = clock_monotonic_ns();
	run_at(0);
	assert_true(own->kin->named);
	assert_string_equal(nested->owner->labels.container, "web");
}

/* The clock is an hour ahead since from_ns, so that logs are an hour older than what is made now.
 */
static void age_logs(uint64_t from_ns)
{
	wall = (struct wall){.count = 0};
	wall_look_at(&wall, 1, clock_realtime_ns() - clock_boottime_ns());
	wall_look_at(&wall, from_ns,
		     clock_realtime_ns() - clock_boottime_ns() + from_ns + 3600 * NS_PER_S);
}

static bool is_named_at_once(struct member *member)
{
	naming_own(&naming, member);
	start_ns = clock_monotonic_ns();
	run_at(0);
	return member->kin->named;
}

static void a_sandbox_that_is_made_again_is_told(void **state)
{
	struct member *made;

	(void)state;
	tree_put(LOGS "/web/0.log", "");
	age_logs(clock_boottime_ns() - 100 * NS_PER_S);
	made = members_add(&members, 1, POD "/" ID, clock_boottime_ns());
	assert_true(is_named_at_once(made));
	assert_string_equal(made->owner->labels.container, KUBE_SANDBOX);
}

/* The container was there before. What was made in it now says nothing of its own start. */
static void what_is_made_in_a_container_is_no_sandbox(void **state)
{
	(void)state;
	tree_put(LOGS "/web/0.log", "");
	age_logs(clock_boottime_ns() - 100 * NS_PER_S);
	assert_false(is_named_at_once(
		members_add(&members, 2, POD "/" ID "/nested", clock_boottime_ns())));
}

/* The log may have been made just before, by the clock as it was. */
static void what_is_made_as_the_clock_is_set_is_no_sandbox(void **state)
{
	(void)state;
	tree_put(LOGS "/web/0.log", "");
	age_logs(clock_boottime_ns() - 10 * NS_PER_S);
	assert_false(is_named_at_once(members_add(&members, 1, POD "/" ID, clock_boottime_ns())));
}

/* Nothing need have been counted: the log directory may be gone by then. */
static void what_was_made_is_named_before_it_counts(void **state)
{
	struct member *pod = members_add(&members, 1, POD, 0);
	struct member *unit = members_add(&members, 2, "/ssh.service", 0);

	(void)state;
	tree_put(LOGS "/web/0.log", "");
	naming_expect(&naming, pod);
	naming_expect(&naming, unit);
	start_ns = clock_monotonic_ns();
	run_at(0);
	assert_string_equal(pod->owner->labels.pod, "web-0");
	assert_int_equal(pod->owner->cgroups, 1);
	assert_null(unit->owner);
	naming_own(&naming, pod);
	assert_int_equal(pod->owner->cgroups, 1);
}

static void what_has_waited_too_long_is_shown_by_its_ids(void **state)
{
	const struct member *pod = add(1, POD);
	uint64_t after_ns, looks;

	(void)state;
	for (after_ns = 0; after_ns < NAMING_WAIT_NS - NS_PER_S; after_ns += NS_PER_S / 4)
		run_at(after_ns);
	assert_true(pod->owner->held);
	run_at(NAMING_WAIT_NS);
	assert_false(pod->owner->held);
	assert_false(pod->kin->named);
	assert_string_equal(pod->owner->labels.pod, UID);
	/* From now on rarely. */
	assert_in_range(naming.looks, 5, 15);
	looks = naming.looks;
	for (; after_ns < 600 * NS_PER_S; after_ns += NS_PER_S)
		run_at(after_ns);
	assert_in_range(naming.looks - looks, 8, 12);
}

/* A cgroup within a container's has its owner; all of them move when it gets its name. */
static void all_cgroups_of_a_container_have_one_owner(void **state)
{
	struct member *outer = add(1, POD "/" ID), *inner = add(2, POD "/" ID "/nested"), *last;
	const struct owner *by_ids = outer->owner;

	(void)state;
	assert_ptr_equal(inner->owner, by_ids);
	assert_int_equal(by_ids->cgroups, 2);
	tree_put(LOGS "/web/0.log", "");
	/* The pod is told, its container not: there is no time of birth. */
	run_at(0);
	assert_string_equal(outer->owner->labels.pod, "web-0");
	assert_string_equal(outer->owner->labels.container, "3f4b1c2d5e6f");
	assert_ptr_equal(inner->owner, outer->owner);
	last = add(3, POD "/" ID "/more");
	assert_ptr_equal(last->owner, outer->owner);
	assert_int_equal(outer->owner->cgroups, 3);

	naming_forget(&naming, outer);
	members_remove(&members, outer);
	naming_forget(&naming, inner);
	members_remove(&members, inner);
	assert_int_equal(HASH_COUNT(owners.table), 1);
	naming_forget(&naming, last);
	assert_null(last->owner);
	assert_null(owners.table);
	members_remove(&members, last);
	assert_int_equal(naming_due_ns(&naming), UINT64_MAX);
}

/* A container that was restarted has the labels of the one before, and joins its owner. */
static void the_owners_of_one_name_are_joined(void **state)
{
	struct labels labels = {.name_space = "shop", .pod = "web-0"};
	struct owner *first;
	struct member *pod, *conmon;

	(void)state;
	first = owners_get(&owners, &labels);
	first->cgroups++;
	pod = add(1, POD);
	conmon = add(2, POD "/crio-conmon-" ID ".scope");
	tree_put(LOGS "/web/0.log", "");
	assert_ptr_not_equal(pod->owner, first);
	run_at(0);
	assert_ptr_equal(pod->owner, first);
	assert_ptr_equal(conmon->owner, first);
	assert_ptr_equal(pod->kin->owner, first);
	assert_int_equal(first->cgroups, 3);
	naming_forget(&naming, pod);
	naming_forget(&naming, conmon);
	assert_null(first->members);
	assert_null(conmon->kin->owner);
	assert_int_equal(first->cgroups, 1);
}

/* It counts for others, too. */
static void the_refuge_keeps_its_name(void **state)
{
	struct labels overflow = {.unit = "overflow"};
	struct member *pod = members_add(&members, 1, POD, 0);

	(void)state;
	owners.refuge = owners_get(&owners, &overflow);
	owners.refuge->cgroups++;
	owners.max = 1;
	tree_put(LOGS "/web/0.log", "");
	/* It was made, then something was counted for it, and then comes the round. */
	naming_expect(&naming, pod);
	naming_own(&naming, pod);
	assert_ptr_equal(pod->owner, owners.refuge);
	start_ns = clock_monotonic_ns();
	run_at(0);
	assert_ptr_equal(pod->owner, owners.refuge);
	assert_string_equal(owners.refuge->labels.unit, "overflow");
	assert_string_equal(owners.refuge->labels.pod, "");
	assert_int_equal(naming_due_ns(&naming), UINT64_MAX);
}

#define ID_REST "f4b1c2d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7f809"

/* Who makes up containers cannot keep the probe busy with looking for their names. */
static void looking_outside_of_pods_is_bounded(void **state)
{
	const struct member *first = add(1, "/docker/3" ID_REST), *second, *third;

	(void)state;
	assert_int_equal(naming.looks, 1);
	assert_string_equal(first->owner->labels.container, "3f4b1c2d5e6f");
	assert_in_range(naming.outside_left_ns, 1, 2 * NS_PER_S - 1);
	naming.outside_left_ns = -(int64_t)NS_PER_S; /* the files were large */
	second = add(2, "/docker/4" ID_REST);
	assert_int_equal(naming.looks, 1);
	assert_string_equal(second->owner->labels.container, "4f4b1c2d5e6f");
	naming.outside_at_ns -= 60 * NS_PER_S;
	third = add(3, "/docker/5" ID_REST);
	assert_int_equal(naming.looks, 2);
	assert_string_equal(third->owner->labels.container, "5f4b1c2d5e6f");
	assert_in_range(naming.outside_left_ns, 1, NS_PER_S / 4);
}

static void add_many_pods(unsigned int count)
{
	char path[128];
	unsigned int i;

	for (i = 0; i < count; i++) {
		snprintf(path, sizeof(path), "/kubepods/pod%08x-1111-2222-3333-444444444444/" ID,
			 i);
		add(1000 + i, path);
	}
}

/* However many names are missing, a round does a bounded amount, and all have their turn. */
static void a_round_is_bounded(void **state)
{
	uint64_t now_ns, looks = 0, reads = 0;
	unsigned int rounds;

	(void)state;
	add_many_pods(MANY);
	now_ns = clock_monotonic_ns(); /* all are due */
	for (rounds = 0; naming.looks < MANY; rounds++) {
		now_ns += 50 * MS;
		naming_run(&naming, now_ns);
		assert_in_range(naming.looks - looks, 1, ROUND_MAX);
		assert_in_range(kube_names_reads(naming.names) - reads, 1, 1);
		looks = naming.looks;
		reads = kube_names_reads(naming.names);
		/* The next round is not at once, whoever asks for it. */
		naming_run(&naming, now_ns + 10 * MS);
		assert_int_equal(naming.looks, looks);
	}
	assert_in_range(rounds, 3, 5);
}

/* Where each name takes a directory, a round looks for fewer. */
static void a_round_reads_few_directories(void **state)
{
	uint64_t now_ns, reads = 0;
	char path[128];
	unsigned int i, rounds = 0;

	(void)state;
	for (i = 0; i < 200; i++) {
		snprintf(path, sizeof(path),
			 "logs/shop_web-%u_%08x-1111-2222-3333-444444444444/web/0.log", i, i);
		tree_put(path, "");
	}
	add_many_pods(200);
	now_ns = clock_monotonic_ns();
	for (; naming.looks < 200; rounds++) {
		now_ns += 50 * MS;
		naming_run(&naming, now_ns);
		assert_in_range(kube_names_reads(naming.names) - reads, 1, READS_MAX);
		reads = kube_names_reads(naming.names);
	}
	assert_in_range(rounds, 3, 5);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_unit_has_its_name_at_once),
		TEST(a_pods_name_is_waited_for),
		TEST(a_reader_has_names_that_came_meanwhile),
		TEST(processes_may_all_be_nested),
		TEST(a_sandbox_that_is_made_again_is_told),
		TEST(what_is_made_in_a_container_is_no_sandbox),
		TEST(what_is_made_as_the_clock_is_set_is_no_sandbox),
		TEST(what_was_made_is_named_before_it_counts),
		TEST(what_has_waited_too_long_is_shown_by_its_ids),
		TEST(all_cgroups_of_a_container_have_one_owner),
		TEST(the_owners_of_one_name_are_joined),
		TEST(the_refuge_keeps_its_name),
		TEST(looking_outside_of_pods_is_bounded),
		TEST(a_round_is_bounded),
		TEST(a_round_reads_few_directories),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
