/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The programs of fsync and memory. */
#include <pthread.h>
#include <signal.h>

#include "probe/maps.h"
#include "probe/stalls.h"
#include "probe/victims.h"
#include "test_run.h"
#include "util/array.h"

#define SEND_SIG_PRIV 1

/* Addresses of tasks: any numbers. */
#define A	      0x1001ULL
#define B	      0x1002ULL

static struct stall_cell *stall_cells;

static void signal_to(uint64_t task, int number, uint64_t info)
{
	run(bpf->progs.memory_signal, (uint64_t)number, info, task, 1);
}

static void kill_by_kernel(uint64_t task)
{
	signal_to(task, SIGKILL, SEND_SIG_PRIV);
}

static void mark(void)
{
	run(bpf->progs.memory_mark, 0);
}

/* The current task is at that address. */
static void exit_of(uint64_t task)
{
	run(bpf->progs.memory_exit, task);
}

static int open_object(void)
{
	struct bpf_program *program;
	int err = open_bpf();

	if (err)
		return err;
	bpf_object__for_each_program(program, bpf->obj) {
		const char *name = bpf_program__name(program);

		if (!strncmp(name, "fsync_", 6) || !strncmp(name, "memory_", 7))
			bpf_program__set_autoload(program, true);
	}
	err = bpf_map__set_max_entries(bpf->maps.fsync_cells, slots);
	err = err ?: bpf_map__set_max_entries(bpf->maps.memory_cells, slots);
	err = err
		      ?: bpf_map__set_max_entries(bpf->maps.last_kills,
						  (unsigned int)libbpf_num_possible_cpus());
	err = err ?: load_object();
	stall_cells = err ? NULL : map_array(bpf->maps.stall_cells);
	return err ?: stall_cells ? 0 : -ENOMEM;
}

static struct bpf_program *harmless_program(void)
{
	return bpf->progs.fsync_ext4_begin;
}

static struct fsync_cell fsync_cell(void)
{
	uint32_t slot = slot_of(own_id);
	struct fsync_cell cell;

	assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(bpf->maps.fsync_cells), &slot, &cell), 0);
	return cell;
}

static struct memory_cell memory_cell(void)
{
	uint32_t slot = slot_of(own_id);
	struct memory_cell cell;

	assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(bpf->maps.memory_cells), &slot, &cell), 0);
	return cell;
}

static uint64_t fsyncs(void)
{
	struct fsync_cell cell = fsync_cell();

	return count_of(&cell.fsync);
}

static void test_fsync(void **state)
{
	uint64_t before = clock_monotonic_ns(), between;
	struct fsync_cell cell;

	(void)state;
	need_kernel();
	run(bpf->progs.fsync_ext4_begin, 0);
	usleep(3000);
	run(bpf->progs.fsync_ext4_end, 0);
	between = clock_monotonic_ns() - before;
	cell = fsync_cell();
	assert_int_not_equal(slot_of(own_id), SLOT_OVERFLOW);
	assert_int_equal(count_of(&cell.fsync), 1);
	assert_in_range(cell.fsync.sum_ns, 3 * MS, between);
	assert_int_equal(cell.fsync.bucket[hist_bucket(cell.fsync.sum_ns)], 1);
	assert_int_equal(bpf->bss->fsync_events, 1);
	assert_int_equal(bpf->bss->fsync_lost[STALL_LOST_NO_BEGINNING], 0);
}

/* All file systems count in the same cell. */
static void test_file_systems(void **state)
{
	(void)state;
	need_kernel();
	run(bpf->progs.fsync_ext4_begin, 0);
	run(bpf->progs.fsync_ext4_end, 0);
	run(bpf->progs.fsync_f2fs_begin, 0);
	run(bpf->progs.fsync_f2fs_end, 0);
	run(bpf->progs.fsync_btrfs_begin, 0);
	run(bpf->progs.fsync_btrfs_end, 0);
	assert_int_equal(fsyncs(), 3);
}

/* An end without a beginning is lost; a beginning without an end is forgotten at the next one. */
static void test_unfinished(void **state)
{
	struct fsync_cell cell;

	(void)state;
	need_kernel();
	run(bpf->progs.fsync_ext4_end, 0);
	assert_int_equal(bpf->bss->fsync_lost[STALL_LOST_NO_BEGINNING], 1);
	assert_int_equal(fsyncs(), 0);
	run(bpf->progs.fsync_ext4_begin, 0);
	usleep(20000);
	run(bpf->progs.fsync_ext4_begin, 0);
	run(bpf->progs.fsync_ext4_end, 0);
	cell = fsync_cell();
	assert_int_equal(count_of(&cell.fsync), 1);
	assert_true(cell.fsync.sum_ns < 20 * MS);
	run(bpf->progs.fsync_ext4_end, 0);
	assert_int_equal(bpf->bss->fsync_lost[STALL_LOST_NO_BEGINNING], 2);
	assert_int_equal(fsyncs(), 1);
}

/* Finds this thread among those in a stall, and sets since when it is. */
static void set_since(const struct bpf_map *stalls, uint64_t since_ns)
{
	uint64_t thread = (uint64_t)getpid() << 32 | (uint32_t)gettid();
	struct stall_set *sets = probe_map_array(stalls);
	int i, way, found = 0;

	assert_non_null(sets);
	for (i = 0; i < STALL_SETS; i++)
		for (way = 0; way < STALL_WAYS; way++)
			if (sets[i].thread[way] == thread) {
				sets[i].since_ns[way] = since_ns;
				found++;
			}
	assert_int_equal(found, 1);
	probe_unmap_array(stalls, sets);
}

static void test_clock(void **state)
{
	(void)state;
	need_kernel();
	run(bpf->progs.fsync_ext4_begin, 0);
	set_since(bpf->maps.fsync_stalls, clock_monotonic_ns() + 1000 * NS_PER_S);
	run(bpf->progs.fsync_ext4_end, 0);
	assert_int_equal(bpf->bss->fsync_lost[STALL_LOST_CLOCK], 1);
	assert_int_equal(fsyncs(), 0);
}

static void *begin_in_thread(void *unused)
{
	(void)unused;
	run(bpf->progs.fsync_ext4_begin, 0);
	return NULL;
}

/* Threads of one process are kept apart. */
static void test_threads(void **state)
{
	pthread_t thread;

	(void)state;
	need_kernel();
	assert_int_equal(pthread_create(&thread, NULL, begin_in_thread, NULL), 0);
	pthread_join(thread, NULL);
	run(bpf->progs.fsync_ext4_end, 0);
	assert_int_equal(bpf->bss->fsync_lost[STALL_LOST_NO_BEGINNING], 1);
}

static void *fsync_in_thread(void *unused)
{
	(void)unused;
	run(bpf->progs.fsync_ext4_begin, 0);
	run(bpf->progs.fsync_ext4_end, 0);
	return NULL;
}

static void in_a_thread(void *(*what)(void *))
{
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, what, NULL), 0);
	pthread_join(thread, NULL);
}

/* However many threads have done an fsync meanwhile, they take no place from who is in one. */
static void test_many_threads(void **state)
{
	int i, count = STALL_SETS * STALL_WAYS + 1000;

	(void)state;
	need_kernel();
	run(bpf->progs.fsync_ext4_begin, 0);
	for (i = 0; i < count; i++)
		in_a_thread(fsync_in_thread);
	run(bpf->progs.fsync_ext4_end, 0);
	assert_int_equal(fsyncs(), count + 1);
	assert_int_equal(bpf->bss->fsync_lost[STALL_LOST_NO_BEGINNING], 0);
	assert_int_equal(bpf->bss->fsync_counts.all, 0);
}

/* The group with which this process counts. */
static uint32_t own_group(void)
{
	uint32_t slot = slot_of(own_id);
	uint64_t id;

	assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(bpf->maps.slot_groups), &slot, &id), 0);
	return pair_group(id);
}

/* When half of the places are in use, a pod or unit has a quota of the others. */
static void test_quota(void **state)
{
	struct stall_counts *counts;

	(void)state;
	need_kernel();
	counts = &bpf->bss->fsync_counts;
	fsync_in_thread(NULL);
	assert_int_equal(fsyncs(), 1);
	counts->all = STALLS_SHARED - 1;
	counts->of_group[own_group()] = STALLS_QUOTA;
	fsync_in_thread(NULL);
	assert_int_equal(fsyncs(), 2);
	counts->all = STALLS_SHARED;
	fsync_in_thread(NULL);
	assert_int_equal(fsyncs(), 2);
	assert_int_equal(bpf->bss->fsync_lost[STALL_LOST_NO_BEGINNING], 1);
	counts->of_group[own_group()]--;
	fsync_in_thread(NULL);
	assert_int_equal(fsyncs(), 3);
	counts->of_group[own_group()] = (__u32)-1; /* counted anew, and then one ended */
	counts->all = (__u32)-1;
	fsync_in_thread(NULL);
	assert_int_equal(fsyncs(), 4);
}

/* User space counts those that are stalled, and frees the places of threads that never ended. */
static void test_tidy(void **state)
{
	struct stall_counts *counts;

	(void)state;
	need_kernel();
	counts = &bpf->bss->fsync_counts;
	in_a_thread(begin_in_thread);
	run(bpf->progs.fsync_ext4_begin, 0);
	memset(counts, 0xee, sizeof(*counts));
	assert_int_equal(stalls_tidy(bpf->maps.fsync_stalls, counts, clock_monotonic_ns()), 0);
	assert_int_equal(counts->all, 2);
	assert_int_equal(counts->of_group[own_group()], 2);
	set_since(bpf->maps.fsync_stalls, clock_monotonic_ns() + 3601 * NS_PER_S);
	assert_int_equal(
		stalls_tidy(bpf->maps.fsync_stalls, counts, clock_monotonic_ns() + 3602 * NS_PER_S),
		0);
	assert_int_equal(counts->all, 1); /* that of the thread that is gone is free */
	assert_int_equal(counts->of_group[own_group()], 1);
}

/* Memory is reclaimed during an fsync. Each is counted in full. */
static void test_stall_in_fsync(void **state)
{
	struct memory_cell cell;

	(void)state;
	need_kernel();
	run(bpf->progs.fsync_ext4_begin, 0);
	run(bpf->progs.memory_direct_begin, 0);
	usleep(2000);
	run(bpf->progs.memory_direct_end, 0);
	run(bpf->progs.memory_memcg_begin, 0);
	run(bpf->progs.memory_memcg_end, 0);
	run(bpf->progs.fsync_ext4_end, 0);
	cell = memory_cell();
	assert_int_equal(count_of(&cell.stall), 2);
	assert_true(cell.stall.sum_ns >= 2 * MS);
	assert_true(fsync_cell().fsync.sum_ns >= cell.stall.sum_ns);
	assert_int_equal(cell.oom_kills, 0);
	assert_int_equal(bpf->bss->memory_events, 2);
}

static void test_oom_kill(void **state)
{
	(void)state;
	need_kernel();
	kill_by_kernel(A);
	mark();
	assert_int_equal(memory_cell().oom_kills, 0); /* it is not dead yet */
	exit_of(B);
	assert_int_equal(memory_cell().oom_kills, 0);
	exit_of(A);
	assert_int_equal(memory_cell().oom_kills, 1);
	exit_of(A);
	assert_int_equal(memory_cell().oom_kills, 1);
	assert_int_equal(bpf->bss->killed_running, 0);
	assert_int_equal(bpf->bss->memory_events, 1);
}

/* Since 6.16 the victim may exit before it is marked. */
static void test_exit_before_mark(void **state)
{
	(void)state;
	need_kernel();
	kill_by_kernel(A);
	exit_of(A);
	assert_int_equal(memory_cell().oom_kills, 0);
	mark();
	assert_int_equal(memory_cell().oom_kills, 1);
	mark();
	assert_int_equal(memory_cell().oom_kills, 1);
}

/* Not counted: signals from others, other signals, and marks of tasks that are dying anyway. */
static void test_no_oom_kill(void **state)
{
	(void)state;
	need_kernel();
	mark();
	exit_of(A);
	signal_to(A, SIGKILL, 0); /* a user's, SEND_SIG_NOINFO */
	mark();
	exit_of(A);
	signal_to(A, SIGTERM, SEND_SIG_PRIV);
	mark();
	exit_of(A);
	kill_by_kernel(A); /* the end of a PID namespace */
	exit_of(A);
	assert_int_equal(memory_cell().oom_kills, 0);
	assert_int_equal(bpf->bss->killed_running, 0);
}

/* A thread that once killed a task marks another one that was already dying and got no signal.
 */
static void test_late_mark(void **state)
{
	(void)state;
	need_kernel();
	kill_by_kernel(A);
	exit_of(A);
	usleep(1100 * 1000);
	mark();
	assert_int_equal(memory_cell().oom_kills, 0);
	kill_by_kernel(B);
	mark();
	exit_of(B);
	assert_int_equal(memory_cell().oom_kills, 1);
}

/* The kernel sends its SIGKILL again, for another reason, before the victim is dead. */
static void test_killed_twice(void **state)
{
	(void)state;
	need_kernel();
	kill_by_kernel(A);
	mark();
	kill_by_kernel(A);
	exit_of(A);
	assert_int_equal(memory_cell().oom_kills, 1);
	assert_int_equal(bpf->bss->killed_running, 0);
}

/* Two threads of one process (this one) are marked: it is one kill. */
static void test_two_threads(void **state)
{
	(void)state;
	need_kernel();
	kill_by_kernel(A);
	mark();
	kill_by_kernel(B);
	mark();
	exit_of(A);
	exit_of(B);
	assert_int_equal(memory_cell().oom_kills, 1);
}

/* Begins a stall, and pretends that it began this long ago, in ms. */
static void begin_before(const struct bpf_map *stalls, uint64_t ms)
{
	run(stalls == bpf->maps.fsync_stalls ? bpf->progs.fsync_ext4_begin
					     : bpf->progs.memory_direct_begin,
	    0);
	set_since(stalls, clock_monotonic_ns() - ms * MS);
}

/* The time in which at least one task was stalled counts once, whichever task began first. */
static void test_pressure(void **state)
{
	const struct stall_cell *cell;
	uint64_t begin = clock_monotonic_ns(), late;

	(void)state;
	need_kernel();
	begin_before(bpf->maps.fsync_stalls, 20);
	run(bpf->progs.fsync_ext4_end, 0);
	cell = &stall_cells[cpu * slots + slot_of(own_id)];
	late = clock_monotonic_ns() - begin;
	assert_in_range(cell->io.time.covered_ns, 20 * MS, 20 * MS + late);
	begin_before(bpf->maps.fsync_stalls, 10); /* within the first one */
	run(bpf->progs.fsync_ext4_end, 0);
	begin_before(bpf->maps.fsync_stalls, 50); /* before it */
	run(bpf->progs.fsync_ext4_end, 0);
	late = clock_monotonic_ns() - begin;
	assert_in_range(cell->io.time.covered_ns, 50 * MS, 50 * MS + late);
	begin_before(bpf->maps.fsync_stalls, 60); /* and before all of them: 10 more */
	run(bpf->progs.fsync_ext4_end, 0);
	late = clock_monotonic_ns() - begin;
	assert_in_range(cell->io.time.covered_ns, 50 * MS, 60 * MS + late);
	assert_int_equal(cell->memory.time.covered_ns, 0);
	usleep(30000);
	begin_before(bpf->maps.memory_stalls, 10);
	run(bpf->progs.memory_direct_end, 0);
	late = clock_monotonic_ns() - begin;
	assert_in_range(cell->memory.time.covered_ns, 10 * MS, 10 * MS + late);
}

/* A stall that lasted all the time fills the gaps between the others. */
static void test_pressure_with_gaps(void **state)
{
	const struct stall_cell *cell;
	uint64_t begin = clock_monotonic_ns();
	int i;

	(void)state;
	need_kernel();
	for (i = 0; i < 5; i++) {
		usleep(10000);
		begin_before(bpf->maps.fsync_stalls, 2);
		run(bpf->progs.fsync_ext4_end, 0);
	}
	cell = &stall_cells[cpu * slots + slot_of(own_id)];
	assert_in_range(cell->io.time.covered_ns, 10 * MS, (clock_monotonic_ns() - begin) / 2);
	usleep(10000);
	begin_before(bpf->maps.fsync_stalls, (clock_monotonic_ns() - begin) / MS);
	run(bpf->progs.fsync_ext4_end, 0);
	assert_in_range(cell->io.time.covered_ns, clock_monotonic_ns() - begin - 2 * MS,
			clock_monotonic_ns() - begin + MS);
}

/* Numbers that two CPUs wrote at once may not fit together, and a clock may be ahead. */
static void test_pressure_of_anything(void **state)
{
	const uint64_t now = clock_monotonic_ns();
	const uint64_t times[] = {0, now - 5000 * MS, now - 5 * MS, now, now + 1000 * MS};
	const size_t count = ARRAY_SIZE(times);
	struct stalled *io;
	uint64_t begin, most;
	size_t i;

	(void)state;
	need_kernel();
	begin_before(bpf->maps.fsync_stalls, 1);
	run(bpf->progs.fsync_ext4_end, 0);
	io = &stall_cells[cpu * slots + slot_of(own_id)].io;
	for (i = 0; i < count * count * count * 3; i++) {
		const uint64_t covered[] = {0, 7 * MS, 9000 * MS};

		*io = (struct stalled){
			.time = {.covered_ns = 8000 * MS, .until_ns = times[i % count]},
			.from_ns = times[i / count % count],
			.added = {.covered_ns = covered[i / count / count / count],
				  .until_ns = times[i / count / count % count]},
		};
		begin = clock_monotonic_ns();
		begin_before(bpf->maps.fsync_stalls, 10);
		run(bpf->progs.fsync_ext4_end, 0);
		most = 11 * MS + clock_monotonic_ns() - begin;
		assert_in_range(io->time.covered_ns, 8000 * MS, 8000 * MS + most);
	}
}

/* A task was killed for another reason, and its address has a new task. */
static void test_address_used_again(void **state)
{
	(void)state;
	need_kernel();
	kill_by_kernel(A);
	exit_of(A);
	kill_by_kernel(A);
	mark();
	assert_int_equal(memory_cell().oom_kills, 0);
	exit_of(A);
	assert_int_equal(memory_cell().oom_kills, 1);
	assert_int_equal(bpf->bss->killed_running, 0);
}

static size_t killed_tasks(void)
{
	int fd = bpf_map__fd(bpf->maps.killed_tasks);
	uint64_t task, *last = NULL;
	size_t count = 0;

	for (; !bpf_map_get_next_key(fd, last, &task); last = &task)
		count++;
	return count;
}

/* The kernel also kills the processes of a container that ends. Nothing is kept of them. */
static void test_killed_without_want(void **state)
{
	uint64_t task;

	(void)state;
	need_kernel();
	for (task = 1; task <= 100; task++)
		kill_by_kernel(task * 64);
	for (task = 1; task <= 100; task++)
		exit_of(task * 64);
	assert_int_equal(bpf->bss->killed_running, 0);
	assert_int_equal(killed_tasks(), 1); /* the last one may yet be marked */
	kill_by_kernel(A);
	kill_by_kernel(B);
	exit_of(A);
	exit_of(B);
	assert_int_equal(killed_tasks(), 2);
	assert_int_equal(memory_cell().oom_kills, 0);
}

static void tidy(struct victims *victims, uint64_t now_ns)
{
	uint64_t before = victims->total_before;

	assert_int_equal(victims_tidy(victims, now_ns), 0);
	if (before != victims->total_before) /* it waits for a time without a kill */
		assert_int_equal(victims_tidy(victims, now_ns), 0);
}

static struct victims open_victims(void)
{
	return (struct victims){
		.map_fd = bpf_map__fd(bpf->maps.killed_tasks),
		.map_size = bpf_map__max_entries(bpf->maps.killed_tasks),
		.running = (uint64_t *)&bpf->bss->killed_running,
		.total = (uint64_t *)&bpf->bss->killed_total,
	};
}

/* A task that had exited before it got the signal never exits again. */
static void test_never_exits(void **state)
{
	struct victims victims;
	uint64_t now_ns;

	(void)state;
	need_kernel();
	victims = open_victims();
	kill_by_kernel(A);
	kill_by_kernel(B);
	mark();
	now_ns = clock_monotonic_ns();
	tidy(&victims, now_ns);
	assert_int_equal(bpf->bss->killed_running, 2);
	tidy(&victims, now_ns + 100 * NS_PER_S);
	/* B takes long to exit. The OOM killer chose it. */
	assert_int_equal(bpf->bss->killed_running, 1);
	exit_of(B);
	assert_int_equal(memory_cell().oom_kills, 1);
	assert_int_equal(bpf->bss->killed_running, 0);
	assert_int_equal(killed_tasks(), 0);
	assert_int_equal(victims.forgotten, 0);
}

/* A task exits just as user space deletes it, and both subtract it. */
static void test_taken_off_twice(void **state)
{
	struct victims victims;

	(void)state;
	need_kernel();
	victims = open_victims();
	kill_by_kernel(A);
	bpf->bss->killed_running = (uint64_t)-1;
	tidy(&victims, clock_monotonic_ns());
	assert_int_equal(bpf->bss->killed_running, 0);
	assert_int_equal(victims.forgotten, 0);
}

/* More tasks are killed than are remembered. Those that are forgotten are reported. */
static void test_too_many_killed(void **state)
{
	const size_t count = 4 * KILLED_MAX;
	uint64_t now_ns = clock_monotonic_ns(), task;
	struct victims victims;
	size_t kept;

	(void)state;
	need_kernel();
	victims = open_victims();
	for (task = 1; task <= count; task++)
		kill_by_kernel(task * 64);
	assert_int_equal(bpf->bss->killed_running, count);
	kept = killed_tasks();
	assert_in_range(kept, 1, count - 1);
	tidy(&victims, now_ns);
	assert_int_equal(bpf->bss->killed_running, kept);
	assert_int_equal(victims.forgotten, count - kept);
	for (task = 1; task <= count; task++)
		exit_of(task * 64);
	assert_int_equal(bpf->bss->killed_running, 0);
	tidy(&victims, now_ns);
	assert_int_equal(victims.forgotten, count - kept);
}

/* The clock of another CPU is ahead, so its thread seems to exit a little later than now. */
static void test_counted_later(void **state)
{
	uint32_t tgid = (uint32_t)getpid();
	uint64_t later = clock_monotonic_ns() + NS_PER_S;

	(void)state;
	need_kernel();
	assert_int_equal(bpf_map_update_elem(bpf_map__fd(bpf->maps.counted_processes), &tgid,
					     &later, BPF_ANY),
			 0);
	kill_by_kernel(A);
	mark();
	exit_of(A);
	assert_int_equal(memory_cell().oom_kills, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_fsync),
		TEST(test_file_systems),
		TEST(test_unfinished),
		TEST(test_clock),
		TEST(test_threads),
		TEST(test_many_threads),
		TEST(test_quota),
		TEST(test_tidy),
		TEST(test_stall_in_fsync),
		TEST(test_oom_kill),
		TEST(test_exit_before_mark),
		TEST(test_late_mark),
		TEST(test_no_oom_kill),
		TEST(test_killed_twice),
		TEST(test_two_threads),
		TEST(test_address_used_again),
		TEST(test_pressure),
		TEST(test_pressure_with_gaps),
		TEST(test_pressure_of_anything),
		TEST(test_killed_without_want),
		TEST(test_never_exits),
		TEST(test_taken_off_twice),
		TEST(test_too_many_killed),
		TEST(test_counted_later),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
