/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* How many tasks a cgroup has, since when, and where their time goes. The sched programs see it. */
#include "sched_events.h"
#include "util/array.h"

#define BLOCKED_STATE 0x0002 /* TASK_UNINTERRUPTIBLE */
#define DEAD_STATE    0x0080

static struct sched_cell *cells;
static struct blocked_cell *blocked;

static int open_object(void)
{
	int err = open_bpf();

	if (err)
		return err;
	bpf->rodata->blocked_on = true;
	bpf_program__set_autoload(bpf->progs.fsync_ext4_begin, true);
	bpf_program__set_autoload(bpf->progs.fsync_ext4_end, true);
	bpf_program__set_autoload(bpf->progs.memory_direct_begin, true);
	bpf_program__set_autoload(bpf->progs.memory_direct_end, true);
	err = bpf_map__set_max_entries(bpf->maps.blocked_cells, slots);
	err = err ?: bpf_map__set_max_entries(bpf->maps.fsync_cells, slots);
	err = err ?: bpf_map__set_max_entries(bpf->maps.memory_cells, slots);
	err = err ?: load_sched_object();
	if (err)
		return err;
	cells = map_array(bpf->maps.sched_cells);
	blocked = map_array(bpf->maps.blocked_cells);
	return cells && blocked ? 0 : -ENOMEM;
}

static struct bpf_program *harmless_program(void)
{
	return bpf->progs.sched_wakeup;
}

static struct sched_cell *cell_of(uint64_t id)
{
	return &cells[cpu * slots + slot_of(id)];
}

static int64_t tasks_of(uint64_t id)
{
	const struct lives *lives = &cell_of(id)->lives;

	assert_int_equal(lives->begun, lives->done);
	return (int64_t)lives->tasks;
}

/* How long all tasks of a cgroup have been there. */
static uint64_t lived_ns(uint64_t id, uint64_t now_ns)
{
	return cell_of(id)->lives.tasks * now_ns - cell_of(id)->lives.at_ns;
}

/* next takes the CPU from prev, which exits. */
static void exit_and_switch(uint64_t prev, uint64_t next)
{
	run(bpf->progs.sched_switch, false, prev, next, DEAD_STATE);
}

static void block_and_switch(uint64_t prev, uint64_t next)
{
	run(bpf->progs.sched_switch, false, prev, next, BLOCKED_STATE);
}

/* From its creation to its last switch. */
static void test_life(void **state)
{
	uint64_t from_ns, to_ns;

	(void)state;
	need_kernel();
	from_ns = clock_monotonic_ns();
	wakeup_new(A);
	assert_int_equal(tasks_of(own_id), 1);
	usleep(3000);
	to_ns = clock_monotonic_ns();
	assert_in_range(lived_ns(own_id, to_ns), 3 * MS, to_ns - from_ns);
	sleep_and_switch(B, A);
	sleep_and_switch(A, B);
	assert_int_equal(tasks_of(own_id), 1);
	wakeup(A);
	sleep_and_switch(B, A);
	exit_and_switch(A, B);
	to_ns = clock_monotonic_ns();
	assert_int_equal(tasks_of(own_id), 0);
	assert_in_range(lived_ns(own_id, to_ns), 3 * MS, to_ns - from_ns);
	usleep(2000); /* it is over */
	assert_int_equal(lived_ns(own_id, to_ns), lived_ns(own_id, clock_monotonic_ns()));
}

/* A task is created in another cgroup than that of its parent. It belongs there from the beginning.
 */
static void test_born_elsewhere(void **state)
{
	uint64_t from_ns, now_ns;

	(void)state;
	need_kernel();
	from_ns = clock_monotonic_ns();
	wakeup_new(A);
	assert_true(own_join("/b"));
	usleep(3000);
	sleep_and_switch(B, A);
	sleep_and_switch(A, B);
	now_ns = clock_monotonic_ns();
	assert_int_equal(tasks_of(own_id), 0);
	assert_int_equal(tasks_of(other_id), 1);
	assert_int_equal(lived_ns(own_id, now_ns), 0);
	assert_in_range(lived_ns(other_id, now_ns), 3 * MS, now_ns - from_ns);
}

/* It moves while it sleeps, and counts where it is as soon as it has run again. Once. */
static void test_move(void **state)
{
	(void)state;
	need_kernel();
	wakeup_new(A);
	sleep_and_switch(B, A);
	sleep_and_switch(A, B);
	assert_true(own_join("/b"));
	run(bpf->progs.sched_cgroup_attach, 0);
	wakeup(A);
	sleep_and_switch(B, A);
	assert_int_equal(tasks_of(own_id), 1);
	sleep_and_switch(A, B);
	assert_int_equal(tasks_of(own_id), 0);
	assert_int_equal(tasks_of(other_id), 1);
	run(bpf->progs.sched_cgroup_attach, 0); /* others move */
	wakeup(A);
	sleep_and_switch(B, A);
	exit_and_switch(A, B);
	assert_int_equal(tasks_of(own_id), 0);
	assert_int_equal(tasks_of(other_id), 0);
}

/* The slot of a sleeping cgroup is taken back. Its tasks have not moved when they get another one.
 */
static void test_slot_taken_back(void **state)
{
	unsigned int slot;

	(void)state;
	need_kernel();
	wakeup_new(A);
	sleep_and_switch(B, A);
	sleep_and_switch(A, B);
	slot = slot_of(own_id);
	slot_cgroups[slot] = 0;
	assert_int_equal(bpf_map_delete_elem(bpf_map__fd(bpf->maps.slot_by_cgroup), &own_id), 0);
	run(bpf->progs.sched_cgroup_attach, 0); /* all slots are looked up again */
	wakeup(A);
	sleep_and_switch(B, A);
	sleep_and_switch(A, B);
	assert_int_not_equal(slot_of(own_id), slot);
	assert_int_equal(tasks_of(own_id), 0);
	assert_int_equal(cells[cpu * slots + slot].lives.tasks, 1);
}

/* A task that was there before is not counted as it runs, but as it exits. */
static void test_was_there(void **state)
{
	(void)state;
	need_kernel();
	wakeup(A);
	sleep_and_switch(B, A);
	sleep_and_switch(A, B);
	assert_int_equal(tasks_of(own_id), 0);
	wakeup(A);
	sleep_and_switch(B, A);
	exit_and_switch(A, B);
	assert_int_equal(tasks_of(own_id), -1);
}

/* A CPU goes idle while a task could still run: it is throttled until it runs again. */
static void test_throttled(void **state)
{
	const struct sched_cell *cell;

	(void)state;
	need_kernel();
	sched_cpus[cpu].idle = IDLE;
	sleep_and_switch(B, A);
	preempt_and_switch(A, IDLE);
	assert_true(since(A) & SINCE_THROTTLED);
	usleep(3000);
	sleep_and_switch(IDLE, A);
	preempt_and_switch(A, B);
	cell = cell_of(own_id);
	assert_int_equal(count_of(&cell->wait), 1);
	assert_in_range(cell->throttled_ns, 3 * MS, NS_PER_S);
	assert_int_equal(cell->throttled_ns, cell->wait.sum_ns);
	/* It waits for another task, which is no limit. */
	assert_false(since(A) & SINCE_THROTTLED);
	usleep(2000);
	sleep_and_switch(B, A);
	sleep_and_switch(A, IDLE); /* sleeps */
	assert_int_equal(since(A), 0);
	assert_int_equal(count_of(&cell->wait), 2);
	assert_true(cell->throttled_ns + 2 * MS <= cell->wait.sum_ns);
	assert_int_equal(lost(SCHED_LOST_CLOCK), 0);
}

/* A throttled task whose wait ended before it began, by the clock. */
static void test_throttled_clock(void **state)
{
	(void)state;
	need_kernel();
	sched_cpus[cpu].idle = IDLE;
	sleep_and_switch(B, A);
	preempt_and_switch(A, IDLE);
	set_since(A, (clock_monotonic_ns() + NS_PER_S) | SINCE_THROTTLED);
	sleep_and_switch(IDLE, A);
	sleep_and_switch(A, B);
	assert_int_equal(cell_of(own_id)->throttled_ns, 0);
	assert_int_equal(lost(SCHED_LOST_CLOCK), 1);
}

/* A blocks and wakes. All of that time must be of this cause. */
static void check_cause(enum blocked_cause cause)
{
	const struct blocked_cell *cell = &blocked[slot_of(own_id)];
	uint64_t before = cell->cause_ns[cause], all = cell->blocked.sum_ns;

	block_and_switch(A, B);
	usleep(1000);
	wakeup(A);
	sleep_and_switch(B, A);
	assert_true(cell->blocked.sum_ns >= all + MS);
	assert_int_equal(cell->cause_ns[cause] - before, cell->blocked.sum_ns - all);
}

/* The kernel has said that a thread pauses, on all CPUs. */
static void say_pause(uint64_t thread)
{
	int i, cpus = libbpf_num_possible_cpus();
	uint64_t *all = calloc((size_t)cpus, sizeof(*all));
	uint32_t zero = 0;

	for (i = 0; all && i < cpus; i++)
		all[i] = thread;
	assert_int_equal(
		bpf_map_update_elem(bpf_map__fd(bpf->maps.blocked_pausing), &zero, all, BPF_ANY),
		0);
	free(all);
}

/* This thread's place is another one's if other is not 0. */
static void say_asked(uint64_t other, uint64_t times, uint64_t at_ns)
{
	uint64_t thread = (uint64_t)getpid() << 32 | (uint64_t)getpid();
	uint32_t index = (uint32_t)((thread * 0x9e3779b97f4a7c15ULL) >> (64 - BLOCKED_ASKER_BITS));
	struct blocked_asker asker = {thread + other, times, at_ns};

	assert_int_equal(
		bpf_map_update_elem(bpf_map__fd(bpf->maps.blocked_askers), &index, &asker, BPF_ANY),
		0);
}

static void test_causes(void **state)
{
	uint64_t thread = (uint64_t)getpid() << 32 | (uint64_t)getpid();

	(void)state;
	need_kernel();
	wakeup(A);
	sleep_and_switch(B, A);
	sleep_and_switch(A, B); /* its slot is known from here on */
	wakeup(A);
	sleep_and_switch(B, A);
	check_cause(BLOCKED_OTHER);
	run(bpf->progs.fsync_ext4_begin, 0);
	check_cause(BLOCKED_FSYNC);
	run(bpf->progs.memory_direct_begin, 0);
	check_cause(BLOCKED_MEMORY);
	run(bpf->progs.memory_direct_end, 0);
	check_cause(BLOCKED_FSYNC);
	say_pause(thread);
	check_cause(BLOCKED_DIRTY);
	check_cause(BLOCKED_FSYNC); /* a pause is one sleep */
	run(bpf->progs.fsync_ext4_end, 0);
	check_cause(BLOCKED_OTHER);
	say_pause(thread + 1); /* another thread's */
	check_cause(BLOCKED_OTHER);
}

/* Without the kernel's types, a thread that has asked a disk waits for it. With them, it says so.
 */
static void test_disk(void **state)
{
	enum blocked_cause disk = with_btf ? BLOCKED_OTHER : BLOCKED_DISK;

	(void)state;
	need_kernel();
	wakeup(A);
	sleep_and_switch(B, A);
	sleep_and_switch(A, B);
	wakeup(A);
	sleep_and_switch(B, A);
	say_asked(0, 2, clock_monotonic_ns());
	check_cause(disk);
	check_cause(disk);
	check_cause(BLOCKED_OTHER); /* it has waited for both */
	say_asked(1, 1, clock_monotonic_ns());
	check_cause(BLOCKED_OTHER);
	say_asked(0, 1, clock_monotonic_ns() - 2 * BLOCKED_ASKED_NS);
	check_cause(BLOCKED_OTHER);
}

/* The cause is known also if the time is put aside. */
static void test_cause_put_aside(void **state)
{
	(void)state;
	need_kernel();
	wakeup(A);
	sleep_and_switch(B, A);
	run(bpf->progs.fsync_ext4_begin, 0);
	block_and_switch(A, B);
	usleep(1000);
	run(bpf->progs.sched_cgroup_attach, 0);
	wakeup(A);
	sleep_and_switch(B, A);
	sleep_and_switch(A, B);
	assert_true(blocked[slot_of(own_id)].cause_ns[BLOCKED_FSYNC] >= MS);
	assert_int_equal(blocked[slot_of(own_id)].cause_ns[BLOCKED_OTHER], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_life),
		TEST(test_born_elsewhere),
		TEST(test_move),
		TEST(test_slot_taken_back),
		TEST(test_was_there),
		TEST(test_throttled),
		TEST(test_throttled_clock),
		TEST(test_causes),
		TEST(test_disk),
		TEST(test_cause_put_aside),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
