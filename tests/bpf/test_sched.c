/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The sched programs. */
#include "sched_events.h"
#include "util/array.h"

static struct sched_cell *cells;

static int open_object(void)
{
	int err = open_bpf() ?: load_sched_object();

	cells = err ? NULL : map_array(bpf->maps.sched_cells);
	return err ?: cells ? 0 : -ENOMEM;
}

static struct bpf_program *harmless_program(void)
{
	return bpf->progs.sched_wakeup;
}

static int setup_one_slot(void **state)
{
	slots = 2;
	return setup(state);
}

static int teardown_one_slot(void **state)
{
	slots = SLOTS;
	return teardown(state);
}

/* What was counted for a cgroup. */
static struct sched_cell *cell_of(uint64_t id)
{
	unsigned int slot = slot_of(id);

	assert_int_not_equal(slot, SLOT_OVERFLOW);
	return &cells[cpu * slots + slot];
}

static uint64_t wait_count(const struct sched_cell *cell)
{
	return count_of(&cell->wait);
}

static void check_nothing_lost(void)
{
	int i;

	for (i = 0; i < SCHED_LOST_REASONS; i++)
		assert_int_equal(lost((enum sched_lost)i), 0);
}

static int64_t pair_ns(unsigned int victim, unsigned int cause)
{
	struct wait_pair pair = {.victim = (__u16)victim, .cause = (__u16)cause};
	uint64_t ns;

	if (bpf_map_lookup_elem(bpf_map__fd(bpf->maps.wait_pairs), &pair, &ns))
		return -1;
	return (int64_t)ns;
}

/* Pretends that the running task A waited from start to end, in ms. Then A leaves the CPU. */
static void waited(unsigned int start, unsigned int end)
{
	sched_cpus[cpu].in_ns = end * MS;
	sched_cpus[cpu].wait_ns = (end - start) * MS;
	sleep_and_switch(A, B);
	sleep_and_switch(B, A);
}

/* Tasks of one cgroup wait. For how long did at least one of them wait, in ms? */
static void test_at_least_one_waited(void **state)
{
	const struct sched_cell *cell;

	(void)state;
	need_kernel();
	sleep_and_switch(B, A);
	waited(1000, 1010);
	cell = cell_of(own_id);
	/* B is in this cgroup, too. Its waits are unknown, which makes no difference here. */
	assert_int_equal(cell->waiting.covered_ns, 10 * MS);
	waited(1020, 1025); /* after a gap */
	assert_int_equal(cell->waiting.covered_ns, 15 * MS);
	waited(1022, 1030); /* overlaps the last one */
	assert_int_equal(cell->waiting.covered_ns, 20 * MS);
	waited(1020, 1031); /* began with the last ones */
	assert_int_equal(cell->waiting.covered_ns, 21 * MS);
	waited(1031, 1031);
	assert_int_equal(cell->waiting.covered_ns, 21 * MS);
}

/* A task waits long while others wait and run. The gaps between their waits count, too. */
static void test_one_waited_long(void **state)
{
	const struct sched_cell *cell;
	unsigned int i;

	(void)state;
	need_kernel();
	sleep_and_switch(B, A);
	for (i = 0; i < 10; i++)
		waited(1000 + 10 * i, 1005 + 10 * i);
	cell = cell_of(own_id);
	assert_int_equal(cell->waiting.covered_ns, 50 * MS);
	/* Nothing is known of the gaps the first time. */
	waited(1000, 1100);
	assert_int_equal(cell->waiting.covered_ns, 55 * MS);
	for (i = 0; i < 20; i++)
		waited(1100 + 10 * i, 1105 + 10 * i);
	assert_int_equal(cell->waiting.covered_ns, 155 * MS);
	/* Since 1200, that is 50 ms in gaps of 5 ms. The time covered since 1100 says how many.
	 */
	waited(1200, 1300);
	assert_in_range(cell->waiting.covered_ns, 203 * MS, 207 * MS);
}

/* The task that waits long was preempted. What the others waited since then is known. */
static void test_preempted_waited_long(void **state)
{
	struct sched_cell *cell;

	(void)state;
	need_kernel();
	sleep_and_switch(B, A);
	waited(1000, 1010);
	cell = cell_of(own_id);
	cell->preempted.covered_ns = cell->waiting.covered_ns;
	cell->preempted.until_ns = 1050 * MS;
	waited(1040, 1060); /* since before that */
	waited(1070, 1072);
	waited(1099, 1100);
	assert_int_equal(cell->waiting.covered_ns, 33 * MS);
	waited(1050, 1110);
	assert_int_equal(cell->waiting.covered_ns, 10 * MS + 70 * MS);
	/* Another task that has waited since then, too. */
	waited(1105, 1115);
	waited(1120, 1121);
	waited(1108, 1130);
	assert_int_equal(cell->waiting.covered_ns, 10 * MS + 90 * MS);
}

/* A clock that steps back by some nanoseconds may leave states that do not fit together. */
static void test_waited_in_any_state(void **state)
{
	const uint64_t times[] = {0, 900 * MS, 1000 * MS, 1010 * MS, 2000 * MS};
	const size_t count = ARRAY_SIZE(times);
	struct sched_cell *cell;
	uint64_t covered_ns;
	size_t i;

	(void)state;
	need_kernel();
	sleep_and_switch(B, A);
	waited(1, 2);
	cell = cell_of(own_id);
	for (i = 0; i < count * count * count * count; i++) {
		cell->waiting.covered_ns = 500 * MS;
		cell->waiting.until_ns = 1000 * MS;
		cell->waiting_from_ns = times[i % count];
		cell->preempted.covered_ns = times[i / count % count];
		cell->preempted.until_ns = times[i / count / count % count];
		cell->added.covered_ns = 100 * MS;
		cell->added.until_ns = times[i / count / count / count];
		covered_ns = cell->waiting.covered_ns;
		waited(950, 1010);
		assert_in_range(cell->waiting.covered_ns, covered_ns, covered_ns + 60 * MS);
	}
	/* A wait ends before the previous wait. What follows is added only once. */
	cell->waiting_from_ns = 1000 * MS;
	covered_ns = cell->waiting.covered_ns;
	cell->waiting.until_ns = 1010 * MS;
	waited(1005, 1009);
	waited(1006, 1015);
	assert_int_equal(cell->waiting.covered_ns, covered_ns + 5 * MS);
}

/* The time that tasks ran counts when they leave the CPU. Preempted tasks wait again. */
static void test_ran(void **state)
{
	const struct sched_cell *cell;
	uint64_t ran_ns, now_ns;

	(void)state;
	need_kernel();
	sleep_and_switch(B, A);
	sched_cpus[cpu].in_ns = clock_monotonic_ns() - 20 * MS;
	sched_cpus[cpu].wait_ns = 30 * MS;
	preempt_and_switch(A, B);
	now_ns = clock_monotonic_ns();
	cell = cell_of(own_id);
	ran_ns = cell->ran_ns;
	assert_in_range(ran_ns, 20 * MS, 20 * MS + NS_PER_S);
	assert_int_equal(cell->waiting.covered_ns, 30 * MS);
	assert_int_equal(cell->preempted.covered_ns, 30 * MS);
	assert_in_range(cell->preempted.until_ns, now_ns - NS_PER_S, now_ns);
}

/* A wait is counted for the current cgroup when its task is switched out, and not before. */
static void test_wait(void **state)
{
	const struct sched_cell *cell;
	uint64_t before, between;

	(void)state;
	need_kernel();
	before = clock_monotonic_ns();
	wakeup(A);
	usleep(3000);
	sleep_and_switch(B, A);
	between = clock_monotonic_ns();
	cell = cell_of(own_id);
	assert_int_equal(wait_count(cell), 0);
	assert_int_equal(sched_cpus[cpu].running, A);
	assert_in_range(sched_cpus[cpu].wait_ns, 3 * MS, between - before);
	usleep(1000); /* A runs, which is not a wait */
	sleep_and_switch(A, C);
	assert_int_equal(wait_count(cell), 1);
	assert_in_range(cell->wait.sum_ns, 3 * MS, between - before);
	assert_int_equal(cell->wait.bucket[hist_bucket(cell->wait.sum_ns)], 1);
	assert_int_equal(sched_cpus[cpu].events, 2);
	check_nothing_lost();
}

/* The cgroup is the one the task has when it leaves the CPU. */
static void test_wait_is_of_the_current_cgroup(void **state)
{
	(void)state;
	need_kernel();
	wakeup(A);
	sleep_and_switch(B, A); /* counts B's switch for /a */
	assert_true(own_join("/b"));
	sleep_and_switch(A, B);
	assert_int_equal(wait_count(cell_of(own_id)), 0);
	assert_int_equal(cell_of(own_id)->switches[SWITCH_VOLUNTARY], 1);
	assert_int_equal(wait_count(cell_of(other_id)), 1);
	assert_int_equal(cell_of(other_id)->switches[SWITCH_VOLUNTARY], 1);
	assert_int_not_equal(slot_of(own_id), slot_of(other_id));
}

static void test_kinds(void **state)
{
	const struct {
		uint64_t preempt, state;
		enum switch_kind kind;
	} rows[] = {
		{0, 1, SWITCH_VOLUNTARY},	     /* TASK_INTERRUPTIBLE */
		{0, 2, SWITCH_VOLUNTARY},	     /* TASK_UNINTERRUPTIBLE */
		{0, 0x80, SWITCH_VOLUNTARY},	     /* TASK_DEAD */
		{0, 0x402, SWITCH_VOLUNTARY},	     /* TASK_IDLE */
		{0, 0, SWITCH_INVOLUNTARY},	     /* yielded */
		{1, 0, SWITCH_INVOLUNTARY},	     /* preempted */
		{1, 1, SWITCH_INVOLUNTARY},	     /* preempted on its way to sleep */
		{0, 1ULL << 32, SWITCH_INVOLUNTARY}, /* the state has 32 bits */
	};
	uint64_t count[SWITCH_KINDS] = {0};
	size_t i;

	(void)state;
	need_kernel();
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		run(bpf->progs.sched_switch, rows[i].preempt, A, B, rows[i].state);
		count[rows[i].kind]++;
		assert_memory_equal(cell_of(own_id)->switches, count, sizeof(count));
		assert_int_equal(since(A) != 0, rows[i].kind == SWITCH_INVOLUNTARY);
		sleep_and_switch(C, A); /* takes A's wait */
		count[SWITCH_VOLUNTARY]++;
	}
}

/* A preempted task waits again at once. Nobody wakes it. */
static void test_preempted_waits_again(void **state)
{
	const struct sched_cell *cell;

	(void)state;
	need_kernel();
	wakeup(A);
	sleep_and_switch(B, A);
	preempt_and_switch(A, B); /* B was not woken */
	usleep(2000);
	sleep_and_switch(B, A);
	sleep_and_switch(A, B);
	cell = cell_of(own_id);
	assert_int_equal(wait_count(cell), 2);
	assert_true(cell->wait.sum_ns >= 2 * MS);
	assert_int_equal(lost(SCHED_LOST_NO_WAKEUP), 1); /* B's */
}

static void test_no_wakeup(void **state)
{
	(void)state;
	need_kernel();
	sleep_and_switch(A, B); /* A ran before we began: its wait is unknown rather than lost */
	assert_int_equal(lost(SCHED_LOST_NO_WAKEUP), 0);
	sleep_and_switch(B, A);
	assert_int_equal(lost(SCHED_LOST_NO_WAKEUP), 1);
	sleep_and_switch(A, B);
	assert_int_equal(lost(SCHED_LOST_NO_WAKEUP), 2);
	assert_int_equal(wait_count(cell_of(own_id)), 0);
	assert_int_equal(cell_of(own_id)->switches[SWITCH_VOLUNTARY], 3);
}

/* A switch was missed. The wait of the task that should run is not given to another one. */
static void test_missed_switch(void **state)
{
	(void)state;
	need_kernel();
	wakeup(A);
	sleep_and_switch(B, A);
	sleep_and_switch(C, B); /* C, not A, leaves */
	assert_int_equal(wait_count(cell_of(own_id)), 0);
	assert_int_equal(cell_of(own_id)->switches[SWITCH_VOLUNTARY], 2);
	assert_int_equal(lost(SCHED_LOST_NO_WAKEUP), 0);
	assert_int_equal(lost(SCHED_LOST_NO_SWITCH), 1);
}

/* Clocks of CPUs may differ a little. A wait that begins after its end is not 580 years long. */
static void test_clock_backwards(void **state)
{
	static const uint64_t ahead[] = {1, MS, 1000000 * MS};
	size_t i;

	(void)state;
	need_kernel();
	for (i = 0; i < ARRAY_SIZE(ahead); i++) {
		wakeup(A);
		set_since(A, clock_monotonic_ns() + 1000 * MS + ahead[i]);
		sleep_and_switch(B, A);
		sleep_and_switch(A, B);
	}
	assert_int_equal(wait_count(cell_of(own_id)), 0);
	assert_int_equal(cell_of(own_id)->wait.sum_ns, 0);
	assert_int_equal(lost(SCHED_LOST_CLOCK), 3);
	assert_int_equal(lost(SCHED_LOST_NO_WAKEUP), 2); /* B's; A's are counted once */
}

/* Waits of every length land in their bucket, and their sum is exact. */
static void test_buckets(void **state)
{
	static const uint64_t waits[] = {MS,	    7 * MS,	 50 * MS,     900 * MS,
					 5000 * MS, 127999 * MS, 128001 * MS, 1000000 * MS};
	uint64_t sum = 0, before, wait;
	const struct sched_cell *cell;
	size_t i;

	(void)state;
	need_kernel();
	for (i = 0; i < ARRAY_SIZE(waits); i++) {
		wakeup(A);
		before = clock_monotonic_ns();
		if (waits[i] >= before)
			break; /* the machine was started only just now */
		set_since(A, before - waits[i]);
		sleep_and_switch(B, A);
		wait = sched_cpus[cpu].wait_ns;
		assert_in_range(wait, waits[i], waits[i] + 900 * MS);
		sleep_and_switch(A, B);
		sum += wait;
		cell = cell_of(own_id);
		assert_int_equal(cell->wait.sum_ns, sum);
		assert_true(cell->wait.bucket[hist_bucket(wait)] > 0);
		assert_int_equal(wait_count(cell), i + 1);
	}
}

static void test_set_is_full(void **state)
{
	uint64_t keys[TASK_WAYS + 1];
	size_t i;

	(void)state;
	need_kernel();
	find_colliding(keys, TASK_WAYS + 1);
	for (i = 0; i < TASK_WAYS; i++)
		wakeup(keys[i]);
	assert_int_equal(lost(SCHED_LOST_COLLISION), 0);
	wakeup(keys[TASK_WAYS]);
	assert_int_equal(lost(SCHED_LOST_COLLISION), 1);
	assert_int_equal(since(keys[0]), 0); /* it had waited longest */
	for (i = 1; i <= TASK_WAYS; i++)
		assert_true(since(keys[i]) > 0);
	/* The waits of the others are right. */
	sleep_and_switch(A, keys[1]);
	for (i = 1; i < TASK_WAYS; i++)
		sleep_and_switch(keys[i], keys[i + 1]);
	sleep_and_switch(keys[TASK_WAYS], A);
	assert_int_equal(wait_count(cell_of(own_id)), TASK_WAYS);
	assert_int_equal(lost(SCHED_LOST_NO_WAKEUP), 0);
}

/* The way of a task that does not wait is given away first, and nothing is lost. */
static void test_set_with_a_task_that_does_not_wait(void **state)
{
	uint64_t keys[TASK_WAYS + 1];
	size_t i;

	(void)state;
	need_kernel();
	find_colliding(keys, TASK_WAYS + 1);
	for (i = 0; i < TASK_WAYS; i++)
		wakeup(keys[i]);
	sleep_and_switch(A, keys[1]); /* it runs */
	wakeup(keys[TASK_WAYS]);
	assert_int_equal(lost(SCHED_LOST_COLLISION), 0);
	assert_true(since(keys[0]) > 0);
	assert_true(since(keys[2]) > 0);
	assert_true(since(keys[TASK_WAYS]) > 0);
	sleep_and_switch(keys[1], A); /* its way is gone, its wait is not */
	assert_int_equal(wait_count(cell_of(own_id)), 1);
	check_nothing_lost();
}

static void test_causes(void **state)
{
	unsigned int victim, cause;
	int64_t waited;

	(void)state;
	need_kernel();
	assert_true(own_join("/b"));
	wakeup(A);
	usleep(2000);
	sleep_and_switch(B, A); /* B, of /b, ran before A */
	assert_true(own_join("/a"));
	sleep_and_switch(A, B);
	victim = slot_of(own_id);
	cause = slot_of(other_id);
	waited = pair_ns(victim, cause);
	assert_int_equal(waited, cell_of(own_id)->wait.sum_ns);
	assert_true(waited >= (int64_t)(2 * MS));
	assert_int_equal(pair_ns(cause, victim), -1);
	assert_int_equal(pair_ns(victim, victim), -1);
}

/* A process in the root cgroup is told apart from the kernel threads there. */
static void test_root_cgroup(void **state)
{
	uint32_t way;
	struct task_set set;

	(void)state;
	need_kernel();
	assert_true(own_move(own_mount.path));
	wakeup(A);
	sleep_and_switch(B, A);
	sleep_and_switch(A, B);
	assert_int_equal(cell_of(ROOT_CGROUP_ID)->switches[SWITCH_VOLUNTARY], 2);
	assert_int_equal(slot_of(KERNEL_CGROUP_ID), SLOT_OVERFLOW);
	/* A task whose creation by this process was seen. */
	get_task(A, &set, &way);
	assert_int_equal(set.marks[way], 0);
	wakeup_new(A);
	get_task(A, &set, &way);
	assert_int_equal(set.marks[way], TASK_USER);
	/* Its place belongs to another task now, and nothing is known of that. */
	wakeup(C);
	get_task(C, &set, &way);
	assert_int_equal(set.marks[way], 0);
}

/* A wait of less than 1 ms has no cause. */
static void test_short_waits_have_no_cause(void **state)
{
	unsigned int slot;

	(void)state;
	need_kernel();
	wakeup(A);
	sleep_and_switch(B, A);
	if (sched_cpus[cpu].wait_ns >= WAIT_CAUSED_MIN_NS)
		skip_because("this machine was too busy to wait less than 1 ms");
	sleep_and_switch(A, B);
	slot = slot_of(own_id);
	assert_int_equal(wait_count(cell_of(own_id)), 1);
	assert_int_equal(pair_ns(slot, slot), -1);
	assert_int_equal(cell_of(own_id)->caused_other, 0);
}

/* Idle is not a cgroup. It is never a victim, nobody gets its switches, but it can be a cause. */
static void test_idle(void **state)
{
	(void)state;
	need_kernel();
	sched_cpus[cpu].idle = IDLE;
	wakeup(A);
	usleep(2000);
	sleep_and_switch(IDLE, A);
	assert_int_equal(slot_of(own_id), SLOT_OVERFLOW); /* nothing was counted yet */
	sleep_and_switch(A, IDLE);
	assert_int_equal(cell_of(own_id)->switches[SWITCH_VOLUNTARY], 1);
	assert_int_equal(pair_ns(slot_of(own_id), SLOT_IDLE), cell_of(own_id)->wait.sum_ns);
	preempt_and_switch(IDLE, A); /* prev_state is 0 for idle: it does not wait */
	assert_int_equal(since(IDLE), 0);
	assert_int_equal(cell_of(own_id)->switches[SWITCH_INVOLUNTARY], 0);
	assert_int_equal(sched_cpus[cpu].events, 3);
}

static void fill_pairs(void)
{
	unsigned int i, max = bpf_map__max_entries(bpf->maps.wait_pairs);
	uint64_t zero = 0;

	for (i = 0; i < max; i++) {
		struct wait_pair pair = {.victim = (__u16)(1000 + i), .cause = 1};

		assert_int_equal(bpf_map_update_elem(bpf_map__fd(bpf->maps.wait_pairs), &pair,
						     &zero, BPF_ANY),
				 0);
	}
}

static void test_pairs_are_bounded(void **state)
{
	const struct sched_cell *cell;

	(void)state;
	need_kernel();
	fill_pairs();
	wakeup(A);
	usleep(2000);
	sleep_and_switch(B, A);
	sleep_and_switch(A, B);
	cell = cell_of(own_id);
	assert_int_equal(cell->caused_other, 1);
	assert_int_equal(cell->caused_other_ns, cell->wait.sum_ns);
}

static void wait_for_a_cause(void)
{
	wakeup(A);
	usleep(2000);
	sleep_and_switch(B, A);
	sleep_and_switch(A, B);
}

/* When half of the places are taken, the victims of one pod or unit have a quota of the others. */
static void test_pairs_have_a_quota(void **state)
{
	struct wait_pair pair;
	size_t i;

	(void)state;
	need_kernel();
	bpf->bss->pairs_used = WAIT_PAIRS_SHARED;
	for (i = 0; i < 1 << PAIR_GROUP_BITS; i++)
		bpf->bss->pairs_of_group[i] = WAIT_PAIRS_QUOTA;
	wait_for_a_cause();
	assert_int_equal(cell_of(own_id)->caused_other, 1);
	assert_int_equal(bpf->bss->pairs_used, WAIT_PAIRS_SHARED);

	/* There is a place less in use. */
	bpf->bss->pairs_of_group[pair_group(own_id)]--;
	wait_for_a_cause();
	assert_int_equal(cell_of(own_id)->caused_other, 1);
	assert_int_equal(bpf->bss->pairs_used, WAIT_PAIRS_SHARED + 1);
	assert_int_equal(bpf->bss->pairs_of_group[pair_group(own_id)], WAIT_PAIRS_QUOTA);
	wait_for_a_cause(); /* the pair that is there takes no place */
	assert_int_equal(bpf->bss->pairs_used, WAIT_PAIRS_SHARED + 1);

	/* While many places are free, it is larger. */
	pair = (struct wait_pair){.victim = (__u16)slot_of(own_id),
				  .cause = (__u16)slot_of(own_id)};
	bpf_map_delete_elem(bpf_map__fd(bpf->maps.wait_pairs), &pair);
	bpf->bss->pairs_used = WAIT_PAIRS_SHARED - 1;
	wait_for_a_cause();
	assert_int_equal(cell_of(own_id)->caused_other, 1);
	assert_int_equal(bpf->bss->pairs_used, WAIT_PAIRS_SHARED);

	/* But nobody has all of them. */
	bpf_map_delete_elem(bpf_map__fd(bpf->maps.wait_pairs), &pair);
	bpf->bss->pairs_used = WAIT_PAIRS_GROUP;
	bpf->bss->pairs_of_group[pair_group(own_id)] = WAIT_PAIRS_GROUP;
	wait_for_a_cause();
	assert_int_equal(cell_of(own_id)->caused_other, 2);
	assert_int_equal(bpf->bss->pairs_used, WAIT_PAIRS_GROUP);
}

/* With one slot, the second cgroup is counted in the overflow slot, each time. */
static void test_overflow(void **state)
{
	const struct sched_cell *overflow;
	int i;

	(void)state;
	need_kernel();
	sleep_and_switch(A, B);
	assert_int_equal(slot_of(own_id), 1);
	assert_true(own_join("/b"));
	for (i = 0; i < 5; i++) {
		wakeup(A);
		sleep_and_switch(B, A);
		sleep_and_switch(A, B);
	}
	overflow = &cells[cpu * slots + SLOT_OVERFLOW];
	assert_int_equal(slot_of(other_id), SLOT_OVERFLOW);
	assert_int_equal(slot_cgroups[SLOT_OVERFLOW], 0);
	assert_int_equal(overflow->switches[SWITCH_VOLUNTARY], 10);
	assert_int_equal(wait_count(overflow), 5);
	assert_int_equal(bpf->bss->cgroup_lost[CGROUP_LOST_NO_SLOT], 10);
	/* A cgroup with a slot is not affected. */
	assert_true(own_join("/a"));
	sleep_and_switch(A, B);
	run(bpf->progs.sched_cgroup_attach, 0);
	sleep_and_switch(C, B);
	assert_int_equal(cell_of(own_id)->switches[SWITCH_VOLUNTARY], 3);
	/* A slot becomes free, and the next sample takes it. */
	assert_int_equal(bpf_map_delete_elem(bpf_map__fd(bpf->maps.slot_by_cgroup), &own_id), 0);
	slot_cgroups[1] = 0;
	assert_int_equal(bpf_map_update_elem(bpf_map__fd(bpf->maps.slot_free), NULL,
					     &(unsigned int){1}, BPF_ANY),
			 0);
	assert_true(own_join("/b"));
	sleep_and_switch(C, B);
	assert_int_equal(slot_of(other_id), 1);
	assert_int_equal(bpf->bss->cgroup_lost[CGROUP_LOST_NO_SLOT], 10);
}

/* All hints may be wrong. Only the map of slots counts. */
static void test_wrong_hints(void **state)
{
	const size_t count = ARRAY_SIZE(bpf->bss->slot_hints);
	static const __u16 wrong[] = {0, 1, SLOTS - 1, SLOTS, 0xffff};
	unsigned int slot, other;
	size_t i, k;

	(void)state;
	need_kernel();
	sleep_and_switch(A, B);
	assert_true(own_join("/b"));
	sleep_and_switch(C, B);
	slot = slot_of(own_id);
	other = slot_of(other_id);
	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		for (k = 0; k < count; k++)
			bpf->bss->slot_hints[k] = wrong[i];
		sleep_and_switch(C, B);
		assert_int_equal(cell_of(other_id)->switches[SWITCH_VOLUNTARY], i + 2);
	}
	assert_int_equal(cell_of(own_id)->switches[SWITCH_VOLUNTARY], 1);
	assert_int_equal(slot_of(own_id), slot);
	assert_int_equal(slot_of(other_id), other);
	assert_int_equal(bpf->bss->cgroup_lost[CGROUP_LOST_NO_SLOT], 0);
}

/* A's slot is known and not looked up again, until a task has moved. */
static void make_known(void)
{
	wakeup(A);
	sleep_and_switch(B, A);
	sleep_and_switch(A, B); /* learns A's slot */
	wakeup(A);
	sleep_and_switch(C, A); /* knows it from now on */
}

static void test_known_slot(void **state)
{
	(void)state;
	need_kernel();
	make_known();
	assert_int_equal(sched_cpus[cpu].known_slot % SLOTS_MAX, slot_of(own_id));
	assert_true(own_join("/b")); /* the program that would see this is not attached */
	sleep_and_switch(A, B);
	assert_int_equal(wait_count(cell_of(own_id)), 2);
}

static void test_known_slot_after_a_move(void **state)
{
	(void)state;
	need_kernel();
	make_known();
	assert_true(own_join("/b"));
	run(bpf->progs.sched_cgroup_attach, 0);
	sleep_and_switch(A, B);
	assert_int_equal(wait_count(cell_of(own_id)), 1);
	assert_int_equal(wait_count(cell_of(other_id)), 1);
}

/* A task slept until its generation came again, because tasks moved so often. */
static void test_known_slot_after_all_generations(void **state)
{
	uint32_t generation;
	int i;

	(void)state;
	need_kernel();
	make_known();
	sleep_and_switch(A, C);
	generation = bpf->data->membership_generation;
	assert_true(own_join("/b"));
	for (i = 0; i < TASK_SETS; i++)
		run(bpf->progs.sched_cgroup_attach, 0);
	assert_int_not_equal(bpf->data->membership_generation, generation);
	bpf->data->membership_generation = generation;
	wakeup(A);
	sleep_and_switch(C, A);
	sleep_and_switch(A, B);
	assert_int_equal(wait_count(cell_of(other_id)), 1);
}

/* Another CPU writes the slot of a task whose place was given away just before. */
static void test_known_slot_of_another_task(void **state)
{
	uint64_t keys[2];
	struct task_set set;
	uint32_t way, index;

	(void)state;
	need_kernel();
	find_colliding(keys, 2);
	wakeup(keys[0]);
	sleep_and_switch(B, keys[0]);
	sleep_and_switch(keys[0], B); /* learns its slot */
	wakeup(keys[0]);
	get_task(keys[0], &set, &way);
	assert_true(way < TASK_WAYS);
	assert_int_not_equal(set.known_slot[way], 0);
	set.key[way] = keys[1];
	index = (uint32_t)((keys[1] * 0x9e3779b97f4a7c15ULL) >> (64 - TASK_SET_BITS));
	assert_int_equal(
		bpf_map_update_elem(bpf_map__fd(bpf->maps.task_sets), &index, &set, BPF_ANY), 0);
	assert_true(own_join("/b"));
	sleep_and_switch(C, keys[1]);
	sleep_and_switch(keys[1], B);
	assert_int_equal(wait_count(cell_of(other_id)), 1);
}

/* The counter of generations has wrapped. An unknown slot still does not look like a slot. */
static void test_generation_zero(void **state)
{
	(void)state;
	need_kernel();
	bpf->data->membership_generation = 0U - SLOTS_MAX;
	make_known();
	run(bpf->progs.sched_cgroup_attach, 0);
	assert_int_equal(bpf->data->membership_generation, 0);
	sleep_and_switch(A, B);
	sleep_and_switch(B, C);
	assert_int_equal(cells[cpu * slots + SLOT_OVERFLOW].switches[SWITCH_VOLUNTARY], 0);
	assert_int_equal(cell_of(own_id)->switches[SWITCH_VOLUNTARY], 5);
}

/* A new task at the same address: what was known of the previous one is forgotten. */
static void test_known_slot_of_a_new_task(void **state)
{
	(void)state;
	need_kernel();
	make_known();
	sleep_and_switch(A, B);
	assert_true(own_join("/b"));
	wakeup_new(A);
	sleep_and_switch(C, A);
	/* Its parent's is known, and is not taken for its own. */
	assert_int_not_equal(sched_cpus[cpu].known_slot - bpf->data->membership_generation,
			     slot_of(other_id));
	sleep_and_switch(A, B);
	assert_int_equal(wait_count(cell_of(own_id)), 2);
	assert_int_equal(wait_count(cell_of(other_id)), 1);
}

static void test_new_task(void **state)
{
	(void)state;
	need_kernel();
	wakeup_new(A);
	usleep(2000);
	sleep_and_switch(B, A);
	sleep_and_switch(A, B);
	assert_int_equal(wait_count(cell_of(own_id)), 1);
	assert_true(cell_of(own_id)->wait.sum_ns >= 2 * MS);
	check_nothing_lost();
}

/* A wait is counted once, even if its task goes on and off the CPU without a wakeup. */
static void test_wait_is_taken_once(void **state)
{
	(void)state;
	need_kernel();
	wakeup(A);
	sleep_and_switch(B, A);
	assert_int_equal(since(A), 0);
	sleep_and_switch(A, B);
	sleep_and_switch(B, A);
	sleep_and_switch(A, B);
	assert_int_equal(wait_count(cell_of(own_id)), 1);
	assert_int_equal(lost(SCHED_LOST_NO_WAKEUP), 2); /* B's and A's second */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_at_least_one_waited),
		TEST(test_one_waited_long),
		TEST(test_preempted_waited_long),
		TEST(test_waited_in_any_state),
		TEST(test_ran),
		TEST(test_wait),
		TEST(test_wait_is_of_the_current_cgroup),
		TEST(test_kinds),
		TEST(test_preempted_waits_again),
		TEST(test_no_wakeup),
		TEST(test_missed_switch),
		TEST(test_clock_backwards),
		TEST(test_buckets),
		TEST(test_set_is_full),
		TEST(test_set_with_a_task_that_does_not_wait),
		TEST(test_root_cgroup),
		TEST(test_causes),
		TEST(test_short_waits_have_no_cause),
		TEST(test_idle),
		TEST(test_pairs_are_bounded),
		TEST(test_pairs_have_a_quota),
		TEST_WITH(test_overflow, setup_one_slot, teardown_one_slot),
		TEST(test_wrong_hints),
		TEST(test_known_slot),
		TEST(test_known_slot_after_a_move),
		TEST(test_known_slot_after_all_generations),
		TEST(test_known_slot_of_another_task),
		TEST(test_generation_zero),
		TEST(test_known_slot_of_a_new_task),
		TEST(test_new_task),
		TEST(test_wait_is_taken_once),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
