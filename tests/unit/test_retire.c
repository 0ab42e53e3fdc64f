/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What is forgotten when, and that nothing that was counted gets lost. */
#include "metrics/retire.h"
#include "counts.h"
#include "metrics/unread.h"
#include "scraper.h"
#include "tree.h"
#include "util/clock.h"
#include "util/log.h"

#define RETAIN_NS (300 * NS_PER_S)
#define POD	  "/kubepods/pod8a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"
#define ID	  "3f4b1c2d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7f809"

static struct members members;
static struct owners owners;
static struct naming naming;
static struct usage usage;
static struct wall wall;
static struct retire retire;
static uint64_t with_slot; /* the cgroup that has a slot in the kernel */
static uint64_t asked;	   /* how often the kernel was asked for one */

static bool has_slot(const void *context, uint64_t cgroup)
{
	(void)context;
	asked++;
	return cgroup == with_slot;
}

static int setup(void **state)
{
	const struct kube_options options = {.source = KUBE_NONE};

	(void)state;
	log_setup(LOG_ERROR, LOG_LOGFMT);
	members_open(&members, "/nowhere", "/proc");
	usage_open(&usage, "/nowhere");
	owners = (struct owners){0};
	naming = (struct naming){.members = &members, .owners = &owners, .wall = &wall};
	retire = (struct retire){.members = &members,
				 .owners = &owners,
				 .naming = &naming,
				 .usage = &usage,
				 .has_slot = has_slot,
				 .retain_ns = RETAIN_NS};
	with_slot = asked = 0;
	return kube_names_open(&options, &naming.names);
}

static int teardown(void **state)
{
	(void)state;
	usage_close(&usage, &members);
	members_free(&members);
	owners_free(&owners);
	kube_names_close(naming.names);
	return 0;
}

static struct member *add(uint64_t id, const char *path)
{
	struct member *member = members_add(&members, id, path, 0);

	assert_non_null(member);
	return member;
}

/* Counts some switches for a cgroup. */
static struct owner *count(struct member *member, uint64_t switches)
{
	const struct sched_cell cell = {.switches = {switches}};

	naming_own(&naming, member);
	assert_non_null(member->owner);
	assert_true(owner_add(member->owner, SOURCE_OF_PROBE(PROBE_SCHED), NULL, &cell, NULL) >= 0);
	return member->owner;
}

static uint64_t counted(struct owner *owner)
{
	union ledger_word *account =
		ledger_find(&owner->ledger, SOURCE_OF_PROBE(PROBE_SCHED), NULL);

	return account ? *account_number(account, &families[FAMILY_CPU_SWITCHES], 0) : 0;
}

static void what_counted_nothing_is_forgotten_at_once(void **state)
{
	struct member *pod = add(2, POD);

	(void)state;
	add(1, "/x");
	naming_own(&naming, pod); /* as at its birth */
	members_end(&members, members_find(&members, 1), NS_PER_S);
	members_end(&members, pod, NS_PER_S);
	/* Its last task may still have its last switch. */
	retire_removed(&retire, NS_PER_S);
	assert_int_equal(members_count(&members), 2);
	assert_in_range(retire_due_ns(&retire), NS_PER_S + 1, 2 * NS_PER_S);
	retire_removed(&retire, retire_due_ns(&retire));
	assert_int_equal(members_count(&members), 0);
	assert_null(members.kins);
	assert_null(owners.table);
	assert_int_equal(retire_due_ns(&retire), UINT64_MAX);
}

static void what_has_a_slot_is_kept(void **state)
{
	struct member *member = add(1, "/x");

	(void)state;
	with_slot = 1;
	members_end(&members, member, NS_PER_S);
	retire_removed(&retire, 2 * NS_PER_S);
	assert_ptr_equal(members.kept, member);
	retire_removed(&retire, 3 * NS_PER_S);
	assert_int_equal(asked, 1);
	retire_kept(&retire, 3 * NS_PER_S); /* before an update */
	assert_ptr_equal(members.kept, member);
	member->slot = 5; /* the next update knows it */
	owners_mark_read(&owners, 2000 * NS_PER_S);
	retire_kept(&retire, 2000 * NS_PER_S);
	assert_ptr_equal(members.kept, member);
}

/* What was counted stays for --retain and until it was read; unread, for twelve times that. */
static void what_was_counted_stays_until_it_was_read(void **state)
{
	(void)state;
	count(add(1, "/x"), 7);
	members_end(&members, members_find(&members, 1), NS_PER_S);
	retire_removed(&retire, 2 * NS_PER_S);
	retire_kept(&retire, 2 * NS_PER_S + RETAIN_NS);
	assert_int_equal(members_count(&members), 1);
	owners_mark_read(&owners, 3 * NS_PER_S);
	retire_kept(&retire, NS_PER_S + RETAIN_NS);
	assert_int_equal(members_count(&members), 1);
	retire_kept(&retire, 2 * NS_PER_S + RETAIN_NS);
	assert_int_equal(members_count(&members), 0);
	assert_null(owners.table);

	owners.read_ns = 0;
	count(add(2, "/x"), 7);
	members_end(&members, members_find(&members, 2), NS_PER_S);
	retire_removed(&retire, 2 * NS_PER_S);
	retire_kept(&retire, NS_PER_S + 12 * RETAIN_NS);
	assert_int_equal(members_count(&members), 1);
	retire_kept(&retire, 2 * NS_PER_S + 12 * RETAIN_NS);
	assert_int_equal(members_count(&members), 0);
}

/* Nested cgroups that come and go leave nothing behind: their container has what they counted. */
static void what_others_have_is_forgotten_at_once(void **state)
{
	struct owner *owner = count(add(1, POD "/" ID), 1);

	(void)state;
	assert_ptr_equal(count(add(2, POD "/" ID "/nested"), 2), owner);
	members_end(&members, members_find(&members, 2), NS_PER_S);
	retire_removed(&retire, 2 * NS_PER_S);
	assert_int_equal(members_count(&members), 1);
	assert_int_equal(counted(owner), 3);
}

#define MAX 1000

/* The oldest go first, and first those that were read. What was not read counts elsewhere. */
static void what_is_kept_is_bounded(void **state)
{
	struct labels overflow = {.unit = "overflow"};
	uint64_t total = 0;
	struct owner *owner;
	char path[160];
	uint64_t i;

	(void)state;
	members.max = 100 * MAX;
	owners.max = MAX;
	owners.refuge = owners_get(&owners, &overflow);
	owners.refuge->cgroups++;
	for (i = 1; i <= 10 * MAX; i++) {
		/* Every other one is of a pod. */
		snprintf(path, sizeof(path),
			 i % 2 ? "/x%x.service"
			       : "/kubepods/pod%08x-1111-2222-3333-444444444444/" ID,
			 (unsigned int)i);
		count(add(i, path), 1);
		members_end(&members, members_find(&members, i), i);
		if (i % 50 == 0)
			retire_removed(&retire, i + NS_PER_S);
		if (i % 50 == 0)
			retire_kept(&retire, i + NS_PER_S);
		assert_in_range(HASH_COUNT(owners.table), 1, MAX);
	}
	retire_kept(&retire, 10 * MAX + NS_PER_S);
	owners_sweep(&owners);
	for (owner = owners.table; owner; owner = owner->hh.next)
		total += counted(owner);
	assert_int_equal(total, 10 * MAX);
	assert_true(counted(owners.refuge) > 0);
	assert_in_range(members_count(&members), 1, MAX);
	assert_true(retire.unread > 0);
	assert_int_equal(owners.refused, 0);
	assert_true(members_find(&members, 10 * MAX) != NULL);
}

/* Half of the owners may be of no pod, so that units leave room for pods. */
static void units_leave_room_for_pods(void **state)
{
	struct labels overflow = {.unit = "overflow"};
	struct member *pod, *last = NULL;
	char path[32];
	uint64_t i;

	(void)state;
	owners.max = MAX;
	owners.refuge = owners_get(&owners, &overflow);
	owners.refuge->cgroups++;
	for (i = 1; i <= MAX; i++) {
		snprintf(path, sizeof(path), "/x%u.service", (unsigned int)i);
		last = add(i, path);
		count(last, 1);
	}
	assert_int_equal(HASH_COUNT(owners.table), MAX / 2);
	assert_ptr_equal(last->owner, owners.refuge);
	assert_int_equal(owners.refused, MAX / 2 + 1);
	assert_int_equal(counted(owners.refuge), MAX / 2 + 1);
	pod = add(MAX + 1, POD "/" ID);
	assert_ptr_not_equal(count(pod, 1), owners.refuge);
	naming_forget(&naming, last);
	assert_string_equal(owners.refuge->labels.unit, "overflow");
}

/* Who keeps as many cgroups as there may be does not drive out what a pod has counted. */
static void strangers_drive_out_no_pod(void **state)
{
	struct labels overflow = {.unit = "overflow"};
	struct member *pod;
	char path[32];
	uint64_t i;

	(void)state;
	members.max = MAX;
	owners.refuge = owners_get(&owners, &overflow);
	owners.refuge->cgroups++;
	for (i = 1; i <= MAX; i++) {
		snprintf(path, sizeof(path), "/stranger/x%u", (unsigned int)i);
		members_add(&members, MAX + i, path, 0);
	}
	assert_true(members.refused > 0);
	pod = add(1, POD "/" ID);
	count(pod, 5);
	members_end(&members, pod, NS_PER_S);
	retire_removed(&retire, 2 * NS_PER_S);
	retire_kept(&retire, 2 * NS_PER_S);
	assert_ptr_equal(members_find(&members, 1), pod);
	assert_int_equal(counted(pod->owner), 5);
	assert_int_equal(retire.unread, 0);
}

/* Beyond --metrics.max-containers counts stay in one sum, and are not the refuge's as well. */
static void what_is_summed_counts_once(void **state)
{
	struct labels overflow = {.unit = "overflow"};
	struct member *member;
	struct owner *sum;
	char path[160];
	uint64_t i;

	(void)state;
	owners.max_containers = 1;
	owners.refuge = owners_get(&owners, &overflow);
	owners.refuge->cgroups++;
	for (i = 1; i <= 10; i++) {
		snprintf(path, sizeof(path), "/kubepods/pod%08x-1111-2222-3333-444444444444/" ID,
			 (unsigned int)i);
		member = add(i, path);
		count(member, 1);
		if (i > 1)
			members_end(&members, member, i);
	}
	retire_removed(&retire, NS_PER_S);
	owners.max = 4;
	retire_kept(&retire, NS_PER_S);
	assert_in_range(HASH_COUNT(owners.table), 2, 4);
	sum = owners_sum(&owners);
	assert_non_null(sum);
	assert_int_equal(counted(sum), 9);
	assert_int_equal(counted(owners.refuge), 0);
	owners_free_sum(sum);
}

/* ---------------------------------------------------------------- what a scraper adds up */

#define RECENT 300
static uint64_t added; /* of step(): names are not used again, as a series would go on */
static struct scraper scraper;
static uint64_t done, waited_ns; /* what was counted */

static void give_refuge(size_t max)
{
	struct labels overflow = {.unit = "overflow"};

	owners.max = max;
	owners.refuge = owners_get(&owners, &overflow);
	owners.refuge->cgroups++;
	scraper = (struct scraper){.scrapes = 0};
	done = waited_ns = 0;
}

static void scrape(uint64_t now_ns)
{
	scraper_read(&scraper, &owners);
	owners_mark_read(&owners, now_ns);
}

static void tidy(uint64_t now_ns)
{
	retire_removed(&retire, now_ns);
	retire_kept(&retire, now_ns);
	owners_sweep(&owners);
}

static struct member *add_nth(uint64_t i)
{
	char path[160];

	snprintf(path, sizeof(path),
		 i % 3 ? "/kubepods/pod%08x-1111-2222-3333-444444444444/" ID : "/x%x.service",
		 (unsigned int)i);
	return add(i + 1, path);
}

/*
 * Owners that readers have seen a part of end, grow on, and have to go before the next reading: the
 * part that was seen stays where it was, and only the rest is the refuge's.
 */
static void what_was_read_in_part_counts_once(void **state)
{
	struct owner *victim;
	uint64_t i, at_ns = NS_PER_S;

	(void)state;
	give_refuge(64);
	victim = count(add_nth(1000), 1);
	for (i = 0; i < 40; i++) {
		done += 5;
		waited_ns += 10;
		owner_add_caused(victim, count(add_nth(i), 5), 10);
	}
	done++;
	scrape(at_ns++);
	assert_int_equal(scraper.switches, done);
	/* All have counted once more when they end. More come than there are places. */
	for (i = 0; i < 40; i++) {
		done += 2;
		waited_ns += 3;
		owner_add_caused(victim, count(members_find(&members, i + 1), 2), 3);
		members_end(&members, members_find(&members, i + 1), at_ns);
	}
	for (i = 40; i < 60; i++)
		count(add_nth(i), 1);
	done += 20;
	tidy(at_ns + NS_PER_S);
	assert_true(retire.unread > 0);
	assert_true(counted(owners.refuge) > 0);
	scrape(at_ns + 2 * NS_PER_S);
	assert_int_equal(scraper.switches, done);
	assert_int_equal(scraper.waited_ns, waited_ns);
	assert_int_equal(scraper.fell, 0);
}

/* The end of a slot may be read after the reader came: then there is more to be read. */
static void what_ends_late_is_read_first(void **state)
{
	struct member *member = add_nth(1);

	(void)state;
	give_refuge(0);
	count(member, 5);
	members_end(&members, member, NS_PER_S);
	scrape(2 * NS_PER_S);
	count(member, 1);
	tidy(2 * NS_PER_S + RETAIN_NS);
	assert_non_null(members_find(&members, 2));
	scrape(3 * NS_PER_S + RETAIN_NS);
	tidy(4 * NS_PER_S + RETAIN_NS);
	assert_null(members_find(&members, 2));
	assert_int_equal(scraper.switches, 6);
}

static unsigned int seed;

static unsigned int pick(unsigned int count)
{
	seed = seed * 1103515245 + 12345;
	return seed / 65536 % count;
}

/* Who has something to count: what is there, or ended a moment ago. */
static struct member *pick_member(void)
{
	struct member *member = NULL;
	unsigned int tries;

	for (tries = 0; tries < 20 && !member; tries++)
		member = members_find(&members, added - pick(RECENT));
	return member;
}

static void step(uint64_t *at_ns)
{
	struct member *member = pick_member(), *cause = pick_member();
	struct labels labels = {.name_space = "n"};

	*at_ns += NS_PER_S / 10;
	if (!pick(4)) {
		member = add_nth(added++);
		naming_own(&naming, member);
		if (member->owner->cgroups == 1 && pick(2))
			owners_hold(member->owner);
	}
	if (!member || !member->owner)
		return;
	done += 7;
	count(member, 7);
	if (cause && cause->owner && owner_add_caused(member->owner, cause->owner, 11))
		waited_ns += 11;
	if (!pick(3) && !member->cgroup.removed_ns)
		members_end(&members, member, *at_ns);
	if (member->owner == owners.refuge || member->owner->labels.unit[0])
		return;
	if (!pick(4)) {
		snprintf(labels.pod, sizeof(labels.pod), "%llx", (unsigned long long)*at_ns);
		owners_rename(&owners, member->owner, &labels);
	}
	if (!pick(2))
		owners_show(member->owner);
}

/* Owners come, are held back, get names, end and are driven out, at random. */
static void whatever_happens_counts_once(void **state)
{
	uint64_t at_ns = NS_PER_S;
	struct owner *owner;
	int i;

	(void)state;
	seed = 1;
	added = 0;
	give_refuge(80);
	for (i = 0; i < 5000; i++) {
		step(&at_ns);
		if (!pick(20))
			tidy(at_ns);
		if (!pick(50))
			scrape(at_ns);
	}
	for (owner = owners.table; owner; owner = owner->hh.next)
		owners_show(owner);
	scrape(at_ns);
	assert_true(retire.unread > 100);
	assert_int_equal(owners.lost, 0);
	assert_int_equal(scraper.switches, done);
	assert_int_equal(scraper.waited_ns, waited_ns);
	assert_int_equal(scraper.fell, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_counted_nothing_is_forgotten_at_once),
		TEST(what_has_a_slot_is_kept),
		TEST(what_was_counted_stays_until_it_was_read),
		TEST(what_others_have_is_forgotten_at_once),
		TEST(what_is_kept_is_bounded),
		TEST(units_leave_room_for_pods),
		TEST(strangers_drive_out_no_pod),
		TEST(what_is_summed_counts_once),
		TEST(what_was_read_in_part_counts_once),
		TEST(what_ends_late_is_read_first),
		TEST(whatever_happens_counts_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
