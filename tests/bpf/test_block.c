/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The block programs, run by the kernel on made-up events, as on a kernel
 * without BTF: no request is ever followed, so any number will do for one. What
 * the record of a classic tracepoint would say is put where its program puts it.
 */
#include <linux/types.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bramble/cells.h"
#include "own_cgroup.h"
#include "util/clock.h"

#include "bramble.skel.h"

/* Requests: any numbers that are no address. */
#define A     0x1001ULL
#define B     0x1002ULL

#define SDA   (8U << BLOCK_MINOR_BITS)
#define SDB   (8U << BLOCK_MINOR_BITS | 16)

#define SLOTS 8
#define MS    1000000ULL

static const char *skip_reason;
static unsigned int cpu;
static uint64_t own_id;

static struct bramble_bpf *bpf;
static uint64_t *slot_cgroups;
static struct block_cpu *cpus;

static int on_libbpf_message(enum libbpf_print_level level, const char *format, va_list args)
{
	(void)level;
	(void)format;
	(void)args;
	return 0;
}

static int try_run(const struct bpf_program *program, const uint64_t args[3])
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = args, .ctx_size_in = 3 * sizeof(args[0]),
		    .cpu = cpu, .flags = BPF_F_TEST_RUN_ON_CPU);

	return bpf_prog_test_run_opts(bpf_program__fd(program), &opts) ? -errno : 0;
}

static void run(const struct bpf_program *program, uint64_t a, uint64_t b, uint64_t c)
{
	const uint64_t args[3] = {a, b, c};

	assert_int_equal(try_run(program, args), 0);
}

static void put_record(uint32_t dev, enum block_op op, uint32_t bytes, bool foreign)
{
	/* A raw tracepoint's test run is in this task. */
	uint64_t task = (uint64_t)getpid() << 32 | (uint32_t)syscall(SYS_gettid);

	cpus[cpu].record = (struct block_record){
		.task = task + 1, .dev = dev, .bytes = bytes, .op = (__u8)op, .foreign = foreign};
}

static void start(uint64_t rq, uint32_t dev, enum block_op op, uint32_t bytes)
{
	put_record(dev, op, bytes, false);
	run(bpf->progs.block_io_start, rq, 0, 0);
}

static void issue(uint64_t rq, uint32_t dev, enum block_op op, uint32_t bytes)
{
	put_record(dev, op, bytes, false);
	run(bpf->progs.block_rq_issue, rq, 0, 0);
}

static void requeue(uint64_t rq)
{
	run(bpf->progs.block_rq_requeue, rq, 0, 0);
}

static void complete(uint64_t rq, int error, uint32_t bytes)
{
	run(bpf->progs.block_rq_complete, rq, (uint64_t)error, bytes);
}

static void *map_array(const struct bpf_map *map)
{
	size_t size = (size_t)bpf_map__value_size(map) * bpf_map__max_entries(map);
	void *data = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(map), 0);

	return data == MAP_FAILED ? NULL : data;
}

static void close_object(void)
{
	if (!bpf)
		return;
	if (slot_cgroups)
		munmap(slot_cgroups, SLOTS * sizeof(*slot_cgroups));
	if (cpus)
		munmap(cpus, bpf_map__max_entries(bpf->maps.block_cpus) * sizeof(*cpus));
	slot_cgroups = NULL;
	cpus = NULL;
	bramble_bpf__destroy(bpf);
	bpf = NULL;
}

static int size_and_load(unsigned int requests)
{
	int err;

	err = bpf_map__set_max_entries(bpf->maps.slot_cgroups, SLOTS);
	err = err ?: bpf_map__set_max_entries(bpf->maps.slot_by_cgroup, SLOTS);
	err = err ?: bpf_map__set_max_entries(bpf->maps.slot_free, SLOTS);
	err = err
		      ?: bpf_map__set_max_entries(bpf->maps.block_cpus,
						  (unsigned int)libbpf_num_possible_cpus());
	err = err ?: bpf_map__set_max_entries(bpf->maps.block_requests, requests);
	bpf->rodata->block_btf = false;
	bpf_program__set_autoload(bpf->progs.block_io_start, true);
	bpf_program__set_autoload(bpf->progs.block_rq_insert, true);
	bpf_program__set_autoload(bpf->progs.block_rq_merge, true);
	bpf_program__set_autoload(bpf->progs.block_rq_issue, true);
	bpf_program__set_autoload(bpf->progs.block_rq_requeue, true);
	bpf_program__set_autoload(bpf->progs.block_rq_complete, true);
	return err ?: bramble_bpf__load(bpf);
}

static int open_object(unsigned int requests)
{
	unsigned int slot;
	int err;

	bpf = bramble_bpf__open();
	if (!bpf)
		return -errno;
	err = size_and_load(requests);
	if (err)
		return err;
	slot_cgroups = map_array(bpf->maps.slot_cgroups);
	cpus = map_array(bpf->maps.block_cpus);
	if (!slot_cgroups || !cpus)
		return -ENOMEM;
	for (slot = SLOT_OVERFLOW + 1; slot < SLOTS; slot++)
		if (bpf_map_update_elem(bpf_map__fd(bpf->maps.slot_free), NULL, &slot, BPF_ANY))
			return -errno;
	return 0;
}

static int group_setup(void **state)
{
	const uint64_t args[3] = {0};
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
	err = open_object(BLOCK_REQUESTS_MAX);
	if (err == -EPERM)
		skip_reason = "the kernel loads no BPF programs for this process";
	else if (!err && try_run(bpf->progs.block_io_start, args))
		skip_reason = "the kernel has no test runs for raw tracepoints (5.10)";
	close_object();
	return skip_reason ? 0 : err;
}

static int group_teardown(void **state)
{
	(void)state;
	return !own_id || (own_go_home() && own_remove("/a") && own_remove("")) ? 0 : -1;
}

static int setup(void **state)
{
	(void)state;
	if (skip_reason)
		return 0;
	return own_join("/a") ? open_object(BLOCK_REQUESTS_MAX) : -1;
}

static int setup_one_request(void **state)
{
	(void)state;
	if (skip_reason)
		return 0;
	return own_join("/a") ? open_object(1) : -1;
}

static int teardown(void **state)
{
	(void)state;
	close_object();
	return 0;
}

static void need_kernel(void)
{
	if (!skip_reason)
		return;
	print_message("%s\n", skip_reason);
	skip();
}

static uint64_t lost(enum block_lost reason)
{
	return cpus[cpu].lost[reason];
}

static void check_nothing_lost(void)
{
	int i;

	for (i = 0; i < BLOCK_LOST_REASONS; i++)
		assert_int_equal(lost((enum block_lost)i), 0);
}

static uint64_t count_of(const struct hist *hist)
{
	uint64_t count = 0;
	size_t i;

	for (i = 0; i < HIST_BUCKETS; i++)
		count += hist->bucket[i];
	return count;
}

/* The cell of this test's cgroup; all zeros if there is none. */
static struct block_cell cell_of(uint32_t dev, enum block_op op)
{
	struct block_key key = {.dev = dev, .op = (__u16)op};
	struct block_cell cell;

	for (key.slot = SLOT_OVERFLOW + 1; key.slot < SLOTS; key.slot++)
		if (slot_cgroups[key.slot] == own_id)
			break;
	if (bpf_map_lookup_elem(bpf_map__fd(bpf->maps.block_cells), &key, &cell))
		memset(&cell, 0, sizeof(cell));
	return cell;
}

static struct block_request request_of(uint64_t rq)
{
	struct block_request request;

	assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(bpf->maps.block_requests), &rq, &request),
			 0);
	return request;
}

static void test_request(void **state)
{
	struct block_cell cell;
	uint64_t begin = clock_monotonic_ns(), end;

	(void)state;
	need_kernel();
	start(A, SDA, BLOCK_WRITE, 4096);
	usleep(2000);
	issue(A, SDA, BLOCK_WRITE, 8192); /* a bio was merged into it meanwhile */
	usleep(5000);
	complete(A, 0, 8192);
	end = clock_monotonic_ns();
	cell = cell_of(SDA, BLOCK_WRITE);
	assert_int_equal(count_of(&cell.io), 1);
	assert_in_range(cell.io.sum_ns, 5 * MS, end - begin);
	assert_int_equal(cell.io.bucket[hist_bucket(cell.io.sum_ns)], 1);
	assert_int_equal(count_of(&cell.queue), 1);
	assert_in_range(cell.queue.sum_ns, 2 * MS, end - begin - 5 * MS);
	assert_int_equal(cell.bytes, 8192);
	assert_int_equal(cell.errors, 0);
	assert_int_equal(cpus[cpu].events, 1);
	check_nothing_lost();
}

/* Devices and operations are apart, and requests that are under way at once. */
static void test_keys(void **state)
{
	struct block_cell cell;

	(void)state;
	need_kernel();
	start(A, SDA, BLOCK_READ, 512);
	start(B, SDB, BLOCK_DISCARD, 1024);
	issue(A, SDA, BLOCK_READ, 512);
	issue(B, SDB, BLOCK_DISCARD, 1024);
	complete(B, 0, 1024);
	complete(A, 0, 512);
	cell = cell_of(SDA, BLOCK_READ);
	assert_int_equal(cell.bytes, 512);
	assert_int_equal(count_of(&cell.io), 1);
	cell = cell_of(SDB, BLOCK_DISCARD);
	assert_int_equal(cell.bytes, 1024);
	assert_int_equal(count_of(&cell.io), 1);
	cell = cell_of(SDB, BLOCK_READ);
	assert_int_equal(count_of(&cell.io), 0);
	check_nothing_lost();
}

/* It is one request, though it ends in parts, and fails in one of them. */
static void test_parts(void **state)
{
	struct block_cell cell;

	(void)state;
	need_kernel();
	start(A, SDA, BLOCK_READ, 65536);
	issue(A, SDA, BLOCK_READ, 65536);
	complete(A, 0, 32768);
	requeue(A);
	issue(A, SDA, BLOCK_READ, 32768);
	cell = cell_of(SDA, BLOCK_READ);
	assert_int_equal(count_of(&cell.io), 0);
	complete(A, 10, 32768); /* BLK_STS_IOERR */
	cell = cell_of(SDA, BLOCK_READ);
	assert_int_equal(count_of(&cell.io), 1);
	assert_int_equal(cell.bytes, 65536);
	assert_int_equal(cell.errors, 1);
	check_nothing_lost();
}

/* What was given back waits again; when it was first made is not forgotten. */
static void test_requeue(void **state)
{
	struct block_cell cell;

	(void)state;
	need_kernel();
	run(bpf->progs.block_rq_insert, A, 0, 0);
	issue(A, SDA, BLOCK_READ, 512);
	usleep(2000);
	requeue(A);
	run(bpf->progs.block_rq_insert, A, 0, 0);
	issue(A, SDA, BLOCK_READ, 512);
	complete(A, 0, 512);
	cell = cell_of(SDA, BLOCK_READ);
	assert_int_equal(count_of(&cell.io), 1);
	assert_true(cell.queue.sum_ns >= 2 * MS);
	assert_true(cell.io.sum_ns < cell.queue.sum_ns);
	check_nothing_lost();
}

/* A write with a flush after it ends twice; a flush of its own ends without being issued. */
static void test_flushes(void **state)
{
	struct block_cell cell;

	(void)state;
	need_kernel();
	start(A, SDA, BLOCK_WRITE, 4096);
	issue(A, SDA, BLOCK_WRITE, 4096);
	complete(A, 0, 4096);
	issue(B, SDA, BLOCK_FLUSH, 0); /* the flush machinery's own request */
	complete(B, 0, 0);
	complete(A, 0, 0);
	cell = cell_of(SDA, BLOCK_WRITE);
	assert_int_equal(count_of(&cell.io), 1);
	assert_int_equal(cell.bytes, 4096);
	cell = cell_of(SDA, BLOCK_FLUSH);
	assert_int_equal(count_of(&cell.io), 1);
	assert_int_equal(count_of(&cell.queue), 0);

	start(A, SDA, BLOCK_WRITE, 0);
	complete(A, 0, 0);
	cell = cell_of(SDA, BLOCK_WRITE);
	assert_int_equal(count_of(&cell.io), 2); /* as /proc/diskstats has it */
	assert_int_equal(count_of(&cell.queue), 1);
	check_nothing_lost();
}

/* A driver's command is no I/O. */
static void test_foreign(void **state)
{
	struct block_cell cell;

	(void)state;
	need_kernel();
	put_record(SDA, BLOCK_WRITE, 96, true);
	run(bpf->progs.block_rq_issue, A, 0, 0);
	complete(A, 0, 96);
	cell = cell_of(SDA, BLOCK_WRITE);
	assert_int_equal(count_of(&cell.io), 0);
	assert_int_equal(cpus[cpu].events, 0);
	check_nothing_lost();
}

/* One that became a part of another one does not leave its beginning to the next. */
static void test_merge(void **state)
{
	struct block_cell cell;

	(void)state;
	need_kernel();
	run(bpf->progs.block_rq_insert, A, 0, 0);
	run(bpf->progs.block_rq_merge, A, 0, 0);
	usleep(2000);
	issue(A, SDA, BLOCK_READ, 512); /* used again, and issued at once */
	complete(A, 0, 512);
	cell = cell_of(SDA, BLOCK_READ);
	assert_int_equal(count_of(&cell.io), 1);
	assert_int_equal(count_of(&cell.queue), 0);
	check_nothing_lost();
}

/* Whatever is missed of a request is counted, and the next one is not wrong for it. */
static void test_missed(void **state)
{
	struct block_cell cell;

	(void)state;
	need_kernel();
	complete(A, 0, 512); /* issued before the probe began */
	assert_int_equal(lost(BLOCK_LOST_NO_ISSUE), 1);
	start(A, SDA, BLOCK_READ, 512);
	issue(A, SDA, BLOCK_READ, 512);
	usleep(2000);
	start(A, SDA, BLOCK_READ, 512);
	assert_int_equal(lost(BLOCK_LOST_NO_COMPLETE), 1);
	issue(A, SDA, BLOCK_READ, 512);
	complete(A, 0, 512);
	cell = cell_of(SDA, BLOCK_READ);
	assert_int_equal(count_of(&cell.io), 1);
	assert_true(cell.io.sum_ns < 2 * MS);
}

/* Without its record a request has no device; no other request's record is taken for it. */
static void test_unpaired(void **state)
{
	struct block_cell cell;

	(void)state;
	need_kernel();
	start(A, SDA, BLOCK_READ, 512);
	run(bpf->progs.block_rq_issue, A, 0, 0);
	assert_int_equal(lost(BLOCK_LOST_UNPAIRED), 1);
	complete(A, 0, 512);
	cell = cell_of(SDA, BLOCK_READ); /* as it was when it was made */
	assert_int_equal(count_of(&cell.io), 1);
	put_record(SDA, BLOCK_READ, 512, false);
	cpus[cpu].record.task++; /* another task's */
	run(bpf->progs.block_rq_issue, B, 0, 0);
	assert_int_equal(lost(BLOCK_LOST_UNPAIRED), 2);
	complete(B, 0, 512);
	cell = cell_of(0, BLOCK_READ);
	assert_int_equal(count_of(&cell.io), 1);
}

/* One that never ends takes its one place, and no more, however often the kernel uses it. */
static void test_never_ends(void **state)
{
	int i;

	(void)state;
	need_kernel();
	for (i = 0; i < 100; i++) {
		start(A, SDA, BLOCK_READ, 512);
		issue(A, SDA, BLOCK_READ, 512);
	}
	assert_int_equal(request_of(A).state, BLOCK_REQUEST_ISSUED);
	assert_int_equal(lost(BLOCK_LOST_NO_COMPLETE), 99);
	start(B, SDA, BLOCK_READ, 512); /* there is one place */
	assert_int_equal(lost(BLOCK_LOST_REQUESTS_FULL), 1);
	complete(A, 0, 512);
	assert_int_equal(cpus[cpu].events, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_request),
		TEST(test_keys),
		TEST(test_parts),
		TEST(test_requeue),
		TEST(test_flushes),
		TEST(test_foreign),
		TEST(test_merge),
		TEST(test_missed),
		TEST(test_unpaired),
		cmocka_unit_test_setup_teardown(test_never_ends, setup_one_request, teardown),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
