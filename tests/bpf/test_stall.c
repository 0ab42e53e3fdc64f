/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The programs of fsync and memory, run by the kernel on made-up events:
 * BPF_PROG_TEST_RUN on this CPU, with this process as the current task. They are
 * loaded and not attached, so no real event gets in between.
 */
#include <linux/types.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bramble/cells.h"
#include "own_cgroup.h"
#include "util/clock.h"

#include "bramble.skel.h"

#define SLOTS	      8
#define MS	      1000000ULL
#define SEND_SIG_PRIV 1

/* Addresses of tasks: any numbers. */
#define A	      0x1001ULL
#define B	      0x1002ULL

static const char *skip_reason;
static unsigned int cpu;
static uint64_t own_id;
static struct bramble_bpf *bpf;

static int on_libbpf_message(enum libbpf_print_level level, const char *format, va_list args)
{
	(void)level;
	(void)format;
	(void)args;
	return 0;
}

static int try_run(const struct bpf_program *program, const uint64_t args[5])
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = args, .ctx_size_in = 5 * sizeof(args[0]),
		    .cpu = cpu, .flags = BPF_F_TEST_RUN_ON_CPU);

	return bpf_prog_test_run_opts(bpf_program__fd(program), &opts) ? -errno : 0;
}

static void run(const struct bpf_program *program)
{
	const uint64_t args[5] = {0};

	assert_int_equal(try_run(program, args), 0);
}

static void signal_to(uint64_t task, int number, uint64_t info)
{
	const uint64_t args[5] = {(uint64_t)number, info, task, 1, 0};

	assert_int_equal(try_run(bpf->progs.memory_signal, args), 0);
}

static void kill_by_kernel(uint64_t task)
{
	signal_to(task, SIGKILL, SEND_SIG_PRIV);
}

static void mark(void)
{
	run(bpf->progs.memory_mark);
}

/* The current task is at that address. */
static void exit_of(uint64_t task)
{
	const uint64_t args[5] = {task};

	assert_int_equal(try_run(bpf->progs.memory_exit, args), 0);
}

static int load_object(void)
{
	struct bpf_program *program;
	unsigned int slot;
	int err = 0;

	bpf = bramble_bpf__open();
	if (!bpf)
		return -errno;
	bpf_object__for_each_program(program, bpf->obj)
	{
		const char *name = bpf_program__name(program);

		if (!strncmp(name, "fsync_", 6) || !strncmp(name, "memory_", 7))
			bpf_program__set_autoload(program, true);
	}
	err = bpf_map__set_max_entries(bpf->maps.slot_cgroups, SLOTS);
	err = err ?: bpf_map__set_max_entries(bpf->maps.slot_by_cgroup, SLOTS);
	err = err ?: bpf_map__set_max_entries(bpf->maps.slot_free, SLOTS);
	err = err ?: bpf_map__set_max_entries(bpf->maps.fsync_cells, SLOTS);
	err = err ?: bpf_map__set_max_entries(bpf->maps.memory_cells, SLOTS);
	err = err ?: bramble_bpf__load(bpf);
	for (slot = SLOT_OVERFLOW + 1; slot < SLOTS && !err; slot++)
		err = bpf_map_update_elem(bpf_map__fd(bpf->maps.slot_free), NULL, &slot, BPF_ANY);
	return err;
}

static int group_setup(void **state)
{
	const uint64_t args[5] = {0};
	cpu_set_t set;
	int err;

	(void)state;
	libbpf_set_print(on_libbpf_message);
	skip_reason = own_setup();
	if (skip_reason)
		return 0;
	cpu = (unsigned int)sched_getcpu();
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		return -1;
	own_id = own_make("/a");
	err = load_object();
	if (err == -EPERM)
		skip_reason = "the kernel loads no BPF programs for this process";
	else if (!err && try_run(bpf->progs.fsync_ext4_begin, args))
		skip_reason = "the kernel has no test runs for raw tracepoints (5.10)";
	bramble_bpf__destroy(bpf);
	bpf = NULL;
	return skip_reason ? 0 : err;
}

static int group_teardown(void **state)
{
	(void)state;
	if (!own_id)
		return 0;
	return own_go_home() && own_remove("/a") && own_remove("") ? 0 : -1;
}

static int setup(void **state)
{
	(void)state;
	if (skip_reason)
		return 0;
	return own_join("/a") ? load_object() : -1;
}

static int teardown(void **state)
{
	(void)state;
	bramble_bpf__destroy(bpf);
	bpf = NULL;
	return 0;
}

static void need_kernel(void)
{
	if (!skip_reason)
		return;
	print_message("%s\n", skip_reason);
	skip();
}

/* The slot of this process' cgroup; the overflow slot if it has none. */
static uint32_t own_slot(void)
{
	uint32_t slot = SLOT_OVERFLOW;

	bpf_map_lookup_elem(bpf_map__fd(bpf->maps.slot_by_cgroup), &own_id, &slot);
	return slot;
}

static struct fsync_cell fsync_cell(void)
{
	uint32_t slot = own_slot();
	struct fsync_cell cell;

	assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(bpf->maps.fsync_cells), &slot, &cell), 0);
	return cell;
}

static struct memory_cell memory_cell(void)
{
	uint32_t slot = own_slot();
	struct memory_cell cell;

	assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(bpf->maps.memory_cells), &slot, &cell), 0);
	return cell;
}

static uint64_t count_of(const struct hist *hist)
{
	uint64_t count = 0;
	size_t i;

	for (i = 0; i < HIST_BUCKETS; i++)
		count += hist->bucket[i];
	return count;
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
	run(bpf->progs.fsync_ext4_begin);
	usleep(3000);
	run(bpf->progs.fsync_ext4_end);
	between = clock_monotonic_ns() - before;
	cell = fsync_cell();
	assert_int_not_equal(own_slot(), SLOT_OVERFLOW);
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
	run(bpf->progs.fsync_ext4_begin);
	run(bpf->progs.fsync_ext4_end);
	run(bpf->progs.fsync_f2fs_begin);
	run(bpf->progs.fsync_f2fs_end);
	run(bpf->progs.fsync_btrfs_begin);
	run(bpf->progs.fsync_btrfs_end);
	assert_int_equal(fsyncs(), 3);
}

/* An end without a beginning is lost; a beginning without an end is forgotten at the next one. */
static void test_unfinished(void **state)
{
	struct fsync_cell cell;

	(void)state;
	need_kernel();
	run(bpf->progs.fsync_ext4_end);
	assert_int_equal(bpf->bss->fsync_lost[STALL_LOST_NO_BEGINNING], 1);
	assert_int_equal(fsyncs(), 0);
	run(bpf->progs.fsync_ext4_begin);
	usleep(20000);
	run(bpf->progs.fsync_ext4_begin);
	run(bpf->progs.fsync_ext4_end);
	cell = fsync_cell();
	assert_int_equal(count_of(&cell.fsync), 1);
	assert_true(cell.fsync.sum_ns < 20 * MS);
	run(bpf->progs.fsync_ext4_end);
	assert_int_equal(bpf->bss->fsync_lost[STALL_LOST_NO_BEGINNING], 2);
	assert_int_equal(fsyncs(), 1);
}

static void test_clock(void **state)
{
	uint64_t thread = (uint64_t)getpid() << 32 | (uint32_t)gettid();
	uint64_t later = clock_monotonic_ns() + 1000 * NS_PER_S;

	(void)state;
	need_kernel();
	assert_int_equal(
		bpf_map_update_elem(bpf_map__fd(bpf->maps.fsync_stalls), &thread, &later, BPF_ANY),
		0);
	run(bpf->progs.fsync_ext4_end);
	assert_int_equal(bpf->bss->fsync_lost[STALL_LOST_CLOCK], 1);
	assert_int_equal(fsyncs(), 0);
}

static void *begin_in_thread(void *unused)
{
	(void)unused;
	run(bpf->progs.fsync_ext4_begin);
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
	run(bpf->progs.fsync_ext4_end);
	assert_int_equal(bpf->bss->fsync_lost[STALL_LOST_NO_BEGINNING], 1);
}

/* Memory is reclaimed inside of an fsync: both are whole. */
static void test_stall_in_fsync(void **state)
{
	struct memory_cell cell;

	(void)state;
	need_kernel();
	run(bpf->progs.fsync_ext4_begin);
	run(bpf->progs.memory_direct_begin);
	usleep(2000);
	run(bpf->progs.memory_direct_end);
	run(bpf->progs.memory_memcg_begin);
	run(bpf->progs.memory_memcg_end);
	run(bpf->progs.fsync_ext4_end);
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

/* Since 6.16 the victim may be seen to exit first. */
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

/* Signals of others, other signals, and marks of tasks that die anyway. */
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

/* The kernel's SIGKILL comes again, from another end, before the victim is dead. */
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

/* The address of a task that was killed, but not for want of memory, has a new task. */
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

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_fsync),	 TEST(test_file_systems),     TEST(test_unfinished),
		TEST(test_clock),	 TEST(test_threads),	      TEST(test_stall_in_fsync),
		TEST(test_oom_kill),	 TEST(test_exit_before_mark), TEST(test_no_oom_kill),
		TEST(test_killed_twice), TEST(test_two_threads),      TEST(test_address_used_again),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
