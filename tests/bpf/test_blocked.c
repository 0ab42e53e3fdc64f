/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Blocked time, which the sched programs see. */
#include "sched_events.h"
#include "util/array.h"

#define BLOCKED_STATE  0x0002 /* TASK_UNINTERRUPTIBLE */
#define KILLABLE_STATE 0x0102
#define IDLE_STATE     0x0402

static struct blocked_cell *cells;
static bool off; /* the probe is turned off */

static int open_object(void)
{
	int err = open_bpf();

	if (err)
		return err;
	bpf->rodata->blocked_on = !off;
	err = bpf_map__set_max_entries(bpf->maps.blocked_cells, slots);
	err = err ?: load_sched_object();
	cells = err ? NULL : map_array(bpf->maps.blocked_cells);
	return err ?: cells ? 0 : -ENOMEM;
}

static struct bpf_program *harmless_program(void)
{
	return bpf->progs.sched_wakeup;
}

static int setup_off(void **state)
{
	off = true;
	return setup(state);
}

static int teardown_off(void **state)
{
	off = false;
	return teardown(state);
}

/* next takes the CPU from prev, which is blocked from now on. */
static void block_and_switch(uint64_t prev, uint64_t next)
{
	run(bpf->progs.sched_switch, false, prev, next, BLOCKED_STATE);
}

static const struct hist *blocked_of(uint64_t id)
{
	return &cells[slot_of(id)].blocked;
}

static uint64_t blocked_lost(enum blocked_lost reason)
{
	return bpf->bss->blocked_lost[reason];
}

static void check_no_blocked_lost(void)
{
	int i;

	for (i = 0; i < BLOCKED_LOST_REASONS; i++)
		assert_int_equal(blocked_lost((enum blocked_lost)i), 0);
}

/* From the switch out to the wakeup, and not to when it runs again. That is a wait for a CPU. */
static void test_blocked(void **state)
{
	uint64_t before, between;

	(void)state;
	need_kernel();
	wakeup(A);
	sleep_and_switch(B, A);
	before = clock_monotonic_ns();
	block_and_switch(A, B);
	usleep(3000);
	assert_int_equal(count_of(blocked_of(own_id)), 0);
	wakeup(A);
	between = clock_monotonic_ns();
	assert_int_equal(count_of(blocked_of(own_id)), 1);
	assert_in_range(blocked_of(own_id)->sum_ns, 3 * MS, between - before);
	assert_in_range(since(A), before, between);
	usleep(2000);
	sleep_and_switch(B, A);
	assert_in_range(sched_cpus[cpu].wait_ns, 2 * MS, clock_monotonic_ns() - before);
	sleep_and_switch(A, B);
	assert_int_equal(count_of(blocked_of(own_id)), 1);
	assert_int_equal(bpf->bss->blocked_events, 1);
	check_no_blocked_lost();
	assert_int_equal(lost(SCHED_LOST_NO_WAKEUP), 1); /* B's */
	assert_int_equal(lost(SCHED_LOST_CLOCK), 0);
}

/* The one that wakes is in another cgroup. */
static void test_cgroup_of_the_sleeper(void **state)
{
	(void)state;
	need_kernel();
	block_and_switch(A, B);
	wakeup(A); /* puts A into the table of tasks */
	sleep_and_switch(B, A);
	block_and_switch(A, B); /* from here on its slot is known */
	assert_true(own_join("/b"));
	sleep_and_switch(B, C);
	wakeup(A);
	assert_int_equal(count_of(blocked_of(own_id)), 2);
	assert_int_equal(count_of(blocked_of(other_id)), 0);
	check_no_blocked_lost();
}

/* A task has moved, so the slot of the sleeper may be another one. It is found when the task leaves
 * the CPU. */
static void test_unknown_slot(void **state)
{
	(void)state;
	need_kernel();
	wakeup(A);
	sleep_and_switch(B, A);
	block_and_switch(A, B);
	run(bpf->progs.sched_cgroup_attach, 0);
	usleep(2000);
	wakeup(A);
	assert_int_equal(count_of(blocked_of(own_id)), 0);
	sleep_and_switch(B, A);
	assert_true(own_join("/b"));
	assert_int_equal(count_of(blocked_of(own_id)), 0);
	sleep_and_switch(A, B);
	assert_int_equal(count_of(blocked_of(own_id)), 0);
	assert_int_equal(count_of(blocked_of(other_id)), 1);
	assert_true(blocked_of(other_id)->sum_ns >= 2 * MS);
	/* It is counted once. */
	run(bpf->progs.sched_cgroup_attach, 0);
	wakeup(A);
	sleep_and_switch(B, A);
	sleep_and_switch(A, B);
	assert_int_equal(count_of(blocked_of(other_id)), 1);
	check_no_blocked_lost();
}

/* A task was first seen as it went to sleep: nothing is known of it, and it has no place yet. */
static void test_first_seen_blocked(void **state)
{
	(void)state;
	need_kernel();
	block_and_switch(A, B);
	usleep(2000);
	wakeup(A);
	sleep_and_switch(B, A);
	sleep_and_switch(A, B);
	assert_int_equal(count_of(blocked_of(own_id)), 1);
	assert_true(blocked_of(own_id)->sum_ns >= 2 * MS);
	check_no_blocked_lost();
}

/* Whether a task that leaves the CPU like this is blocked. */
static void check_state(uint64_t preempt, uint64_t state, bool blocked)
{
	uint64_t count = count_of(blocked_of(own_id));

	run(bpf->progs.sched_switch, preempt, A, B, state);
	assert_int_equal((since(A) & SINCE_BLOCKED) != 0, blocked);
	wakeup(A);
	assert_int_equal(count_of(blocked_of(own_id)), count + blocked);
	sleep_and_switch(B, A);
}

static void test_states(void **state)
{
	static const struct {
		uint64_t preempt, state;
		bool blocked;
	} rows[] = {
		{0, BLOCKED_STATE, true},
		{0, KILLABLE_STATE, true},
		{0, 0x2102, true}, /* killable and freezable: the parent in vfork(), since 6.1 */
		{0, IDLE_STATE, false},
		{0, 0x2402, false},	   /* idle and freezable */
		{0, 1, false},		   /* TASK_INTERRUPTIBLE */
		{0, 0x2001, false},	   /* the same, freezable */
		{0, 0x0104, false},	   /* stopped */
		{0, 0x0108, false},	   /* traced */
		{0, 0x80, false},	   /* TASK_DEAD */
		{0, 0x8000, false},	   /* TASK_FROZEN, since 6.1 */
		{0, 0, false},		   /* yielded */
		{1, 0, false},		   /* preempted */
		{1, BLOCKED_STATE, false}, /* preempted on its way to sleep */
		{0, 2ULL << 32, false},	   /* the state has 32 bits */
	};
	size_t i;

	(void)state;
	need_kernel();
	wakeup(A);
	sleep_and_switch(B, A);
	sleep_and_switch(A, B); /* its slot is known from here on */
	wakeup(A);
	sleep_and_switch(B, A);
	for (i = 0; i < ARRAY_SIZE(rows); i++)
		check_state(rows[i].preempt, rows[i].state, rows[i].blocked);
	check_no_blocked_lost();
}

/* Its wakeup was missed: then neither is known how long it was blocked, nor how long it waited. */
static void test_no_wakeup(void **state)
{
	(void)state;
	need_kernel();
	wakeup(A);
	sleep_and_switch(B, A);
	block_and_switch(A, B);
	sleep_and_switch(B, A);
	sleep_and_switch(A, B);
	assert_int_equal(count_of(blocked_of(own_id)), 0);
	assert_int_equal(blocked_lost(BLOCKED_LOST_NO_WAKEUP), 1);
	assert_int_equal(lost(SCHED_LOST_NO_WAKEUP), 2); /* B's, too */
	assert_int_equal(lost(SCHED_LOST_CLOCK), 0);
	/* What follows is counted as ever. */
	wakeup(A);
	sleep_and_switch(B, A);
	block_and_switch(A, B);
	wakeup(A);
	assert_int_equal(count_of(blocked_of(own_id)), 1);
}

/* Clocks of CPUs may differ a little. */
static void test_clock_backwards(void **state)
{
	static const uint64_t ahead[] = {1, MS, 1000000 * MS};
	size_t i;

	(void)state;
	need_kernel();
	for (i = 0; i < ARRAY_SIZE(ahead); i++) {
		wakeup(A);
		sleep_and_switch(B, A);
		block_and_switch(A, B);
		set_since(A, (clock_monotonic_ns() + 1000 * MS + ahead[i]) | SINCE_BLOCKED);
		wakeup(A);
	}
	assert_int_equal(count_of(blocked_of(own_id)), 0);
	assert_int_equal(blocked_of(own_id)->sum_ns, 0);
	assert_int_equal(blocked_lost(BLOCKED_LOST_CLOCK), 3);
}

/* Times of every length land in their bucket, and their sum is exact. */
static void test_buckets(void **state)
{
	static const uint64_t times[] = {MS, 50 * MS, 5000 * MS, 127000 * MS};
	uint64_t sum = 0, now, grew;
	size_t i;

	(void)state;
	need_kernel();
	wakeup(A);
	sleep_and_switch(B, A);
	for (i = 0; i < ARRAY_SIZE(times); i++) {
		block_and_switch(A, B);
		now = clock_monotonic_ns();
		if (times[i] >= now)
			break; /* the machine was started only just now */
		set_since(A, (now - times[i]) | SINCE_BLOCKED);
		wakeup(A);
		grew = blocked_of(own_id)->sum_ns - sum;
		assert_in_range(grew, times[i], times[i] + 900 * MS);
		assert_true(blocked_of(own_id)->bucket[hist_bucket(grew)] > 0);
		assert_int_equal(count_of(blocked_of(own_id)), i + 1);
		sum += grew;
		sleep_and_switch(B, A);
	}
}

/* Fills a set with tasks that wait or are blocked, the first for the longest time. */
static void fill_set(const uint64_t keys[TASK_WAYS], const bool blocked[TASK_WAYS])
{
	size_t i;

	for (i = 0; i < TASK_WAYS; i++) {
		wakeup(keys[i]);
		if (!blocked[i])
			continue;
		sleep_and_switch(B, keys[i]);
		block_and_switch(keys[i], B);
	}
}

/* Places are given away in an order: of blocked tasks before waiting ones, the longest first. */
static void test_set_is_full(void **state)
{
	static const bool blocked[TASK_WAYS] = {false, true, true};
	uint64_t keys[TASK_WAYS + 4];

	(void)state;
	need_kernel();
	find_colliding(keys, ARRAY_SIZE(keys));
	fill_set(keys, blocked);
	wakeup(keys[3]);
	assert_int_equal(blocked_lost(BLOCKED_LOST_COLLISION), 1);
	assert_int_equal(since(keys[1]), 0);
	wakeup(keys[4]);
	assert_int_equal(blocked_lost(BLOCKED_LOST_COLLISION), 2);
	assert_int_equal(since(keys[2]), 0);
	assert_int_equal(lost(SCHED_LOST_COLLISION), 0);
	/* All of them wait. A blocked task takes the place of none. */
	block_and_switch(keys[5], B);
	assert_int_equal(blocked_lost(BLOCKED_LOST_COLLISION), 3);
	assert_int_equal(since(keys[5]), 0);
	assert_int_equal(lost(SCHED_LOST_COLLISION), 0);
	assert_true(since(keys[0]) && since(keys[3]) && since(keys[4]));
	wakeup(keys[6]);
	assert_int_equal(lost(SCHED_LOST_COLLISION), 1);
	assert_int_equal(since(keys[0]), 0);
}

/* A blocked task takes the place of one that was blocked longer, and of one that runs or sleeps. */
static void test_set_of_blocked_tasks(void **state)
{
	static const bool blocked[TASK_WAYS] = {true, true, true};
	uint64_t keys[TASK_WAYS + 2];

	(void)state;
	need_kernel();
	find_colliding(keys, ARRAY_SIZE(keys));
	fill_set(keys, blocked);
	block_and_switch(keys[3], B);
	assert_int_equal(blocked_lost(BLOCKED_LOST_COLLISION), 1);
	assert_int_equal(since(keys[0]), 0);
	wakeup(keys[1]);
	sleep_and_switch(B, keys[1]);
	block_and_switch(keys[4], B);
	assert_int_equal(blocked_lost(BLOCKED_LOST_COLLISION), 1);
	assert_true(since(keys[2]) && since(keys[3]) && since(keys[4]));
}

/* Two tasks of one set wait for their cgroup to be found: there is one place. */
static void test_aside_is_taken(void **state)
{
	uint64_t keys[2];

	(void)state;
	need_kernel();
	find_colliding(keys, 2);
	block_and_switch(keys[0], B);
	block_and_switch(keys[1], B);
	wakeup(keys[0]);
	wakeup(keys[1]);
	assert_int_equal(blocked_lost(BLOCKED_LOST_COLLISION), 1);
	sleep_and_switch(B, keys[0]);
	sleep_and_switch(keys[0], keys[1]);
	assert_int_equal(count_of(blocked_of(own_id)), 0);
	sleep_and_switch(keys[1], B);
	assert_int_equal(count_of(blocked_of(own_id)), 1);
}

/* A new task at the same address: the time of the previous one is not its own. */
static void test_new_task(void **state)
{
	(void)state;
	need_kernel();
	block_and_switch(A, B);
	wakeup(A);
	wakeup_new(A);
	sleep_and_switch(B, A);
	sleep_and_switch(A, B);
	assert_int_equal(count_of(blocked_of(own_id)), 0);
	assert_int_equal(blocked_lost(BLOCKED_LOST_NO_SWITCH), 1);
	block_and_switch(A, B);
	wakeup_new(A);
	assert_int_equal(count_of(blocked_of(own_id)), 0);
	assert_int_equal(blocked_lost(BLOCKED_LOST_NO_WAKEUP), 1);
}

/* If a place for a cgroup is missing, the overflow slot gets its times. */
static void test_overflow(void **state)
{
	unsigned int slot;

	(void)state;
	need_kernel();
	for (slot = SLOT_OVERFLOW + 1; slot < slots; slot++)
		assert_int_equal(bpf_map_lookup_and_delete_elem(bpf_map__fd(bpf->maps.slot_free),
								NULL, &(unsigned int){0}),
				 0);
	wakeup(A);
	sleep_and_switch(B, A);
	block_and_switch(A, B);
	wakeup(A);
	sleep_and_switch(B, A);
	sleep_and_switch(A, B);
	assert_int_equal(slot_of(own_id), SLOT_OVERFLOW);
	assert_int_equal(count_of(&cells[SLOT_OVERFLOW].blocked), 1);
	check_no_blocked_lost();
}

/* Without the probe, a blocked task is one that sleeps. */
static void test_off(void **state)
{
	(void)state;
	need_kernel();
	wakeup(A);
	sleep_and_switch(B, A);
	block_and_switch(A, B);
	assert_int_equal(since(A), 0);
	wakeup(A);
	sleep_and_switch(B, A);
	sleep_and_switch(A, B);
	assert_int_equal(count_of(blocked_of(own_id)), 0);
	assert_int_equal(bpf->bss->blocked_events, 0);
	assert_int_equal(lost(SCHED_LOST_NO_WAKEUP), 1); /* B's */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_blocked),	    TEST(test_cgroup_of_the_sleeper),
		TEST(test_unknown_slot),    TEST(test_first_seen_blocked),
		TEST(test_states),	    TEST(test_no_wakeup),
		TEST(test_clock_backwards), TEST(test_buckets),
		TEST(test_set_is_full),	    TEST(test_set_of_blocked_tasks),
		TEST(test_aside_is_taken),  TEST(test_new_task),
		TEST(test_overflow),	    TEST_WITH(test_off, setup_off, teardown_off),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
