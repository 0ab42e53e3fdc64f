/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The block programs, run by the kernel on made-up events, as on a kernel without BTF. There, no
 * pointer to a request is followed, so any number will do for a request. The test itself writes
 * the record that the program of a classic tracepoint would keep.
 */
#include <sys/syscall.h>

#include "test_run.h"

/* Requests: any numbers that are not addresses. */
#define A   0x1001ULL
#define B   0x1002ULL

#define SDA (8U << BLOCK_MINOR_BITS)
#define SDB (8U << BLOCK_MINOR_BITS | 16)

static struct block_cpu *cpus;
static unsigned int requests = BLOCK_REQUESTS_MAX; /* places for them */

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
	run(bpf->progs.block_io_start, rq);
}

static void issue(uint64_t rq, uint32_t dev, enum block_op op, uint32_t bytes)
{
	put_record(dev, op, bytes, false);
	run(bpf->progs.block_rq_issue, rq);
}

static void requeue(uint64_t rq)
{
	run(bpf->progs.block_rq_requeue, rq);
}

static void complete(uint64_t rq, int error, uint32_t bytes)
{
	run(bpf->progs.block_rq_complete, rq, (uint64_t)error, bytes);
}

static int open_object(void)
{
	unsigned int cpu_count = (unsigned int)libbpf_num_possible_cpus();
	int err = open_bpf();

	if (err)
		return err;
	bpf->rodata->block_btf = false;
	bpf_program__set_autoload(bpf->progs.block_io_start, true);
	bpf_program__set_autoload(bpf->progs.block_rq_insert, true);
	bpf_program__set_autoload(bpf->progs.block_rq_merge, true);
	bpf_program__set_autoload(bpf->progs.block_rq_issue, true);
	bpf_program__set_autoload(bpf->progs.block_rq_requeue, true);
	bpf_program__set_autoload(bpf->progs.block_rq_complete, true);
	err = bpf_map__set_max_entries(bpf->maps.block_cpus, cpu_count);
	err = err ?: bpf_map__set_max_entries(bpf->maps.block_requests, requests);
	err = err ?: load_object();
	cpus = err ? NULL : map_array(bpf->maps.block_cpus);
	return err ?: cpus ? 0 : -ENOMEM;
}

static struct bpf_program *harmless_program(void)
{
	return bpf->progs.block_io_start;
}

static int setup_one_request(void **state)
{
	requests = 1;
	return setup(state);
}

static int teardown_one_request(void **state)
{
	requests = BLOCK_REQUESTS_MAX;
	return teardown(state);
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

/* The cell of this test's cgroup; all zeros if there is none. */
static struct block_cell cell_of(uint32_t dev, enum block_op op)
{
	struct block_key key = {.dev = dev, .slot = (__u16)slot_of(own_id), .op = (__u16)op};
	struct block_cell cell;

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

/* Somebody waits for a read; a write may be the kernel's own idea. */
static void test_pressure(void **state)
{
	const struct stall_cell *cells, *cell;
	uint64_t begin = clock_monotonic_ns();

	(void)state;
	need_kernel();
	cells = map_array(bpf->maps.stall_cells);
	assert_non_null(cells);
	start(A, SDA, BLOCK_WRITE, 4096);
	issue(A, SDA, BLOCK_WRITE, 4096);
	complete(A, 0, 4096);
	cell = &cells[cpu * slots + slot_of(own_id)];
	assert_int_equal(cell->io.time.covered_ns, 0);
	start(A, SDA, BLOCK_READ, 4096);
	usleep(1000);
	start(B, SDA, BLOCK_READ, 4096);
	issue(A, SDA, BLOCK_READ, 4096);
	issue(B, SDA, BLOCK_READ, 4096);
	usleep(1000);
	complete(B, 0, 4096);
	usleep(1000);
	complete(A, 0, 4096);
	assert_in_range(cell->io.time.covered_ns, 3 * MS, clock_monotonic_ns() - begin);
}

/* Devices and operations are kept apart, and so are requests that are under way at once. */
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

/* A request that ends in parts, and fails in one of them, is one request. */
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

/* A request that the driver gave back waits again, and keeps its time of creation. */
static void test_requeue(void **state)
{
	struct block_cell cell;

	(void)state;
	need_kernel();
	run(bpf->progs.block_rq_insert, A);
	issue(A, SDA, BLOCK_READ, 512);
	usleep(2000);
	requeue(A);
	run(bpf->progs.block_rq_insert, A);
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
	run(bpf->progs.block_rq_issue, A);
	complete(A, 0, 96);
	cell = cell_of(SDA, BLOCK_WRITE);
	assert_int_equal(count_of(&cell.io), 0);
	assert_int_equal(cpus[cpu].events, 0);
	check_nothing_lost();
}

/* Before a request ends, its container is gone and the slot belongs to another one. */
static void test_slot_is_given_away(void **state)
{
	struct block_cell cell;
	unsigned int slot;

	(void)state;
	need_kernel();
	start(A, SDA, BLOCK_WRITE, 512);
	issue(A, SDA, BLOCK_WRITE, 512);
	slot = slot_of(own_id);
	assert_int_equal(bpf_map_delete_elem(bpf_map__fd(bpf->maps.slot_by_cgroup), &own_id), 0);
	slot_cgroups[slot] = other_id;
	assert_int_equal(bpf_map_update_elem(bpf_map__fd(bpf->maps.slot_by_cgroup), &other_id,
					     &slot, BPF_ANY),
			 0);
	complete(A, 0, 512);
	assert_int_equal(slot_of(other_id), slot);
	assert_int_not_equal(slot_of(own_id), slot);
	cell = cell_of(SDA, BLOCK_WRITE); /* in a slot of its own, which is free soon */
	assert_int_equal(count_of(&cell.io), 1);
	check_nothing_lost();
}

/* A request that was merged into another does not leave its beginning to the next one. */
static void test_merge(void **state)
{
	struct block_cell cell;

	(void)state;
	need_kernel();
	run(bpf->progs.block_rq_insert, A);
	run(bpf->progs.block_rq_merge, A);
	usleep(2000);
	issue(A, SDA, BLOCK_READ, 512); /* used again, and issued at once */
	complete(A, 0, 512);
	cell = cell_of(SDA, BLOCK_READ);
	assert_int_equal(count_of(&cell.io), 1);
	assert_int_equal(count_of(&cell.queue), 0);
	check_nothing_lost();
}

/* If an event of a request is missed, that is counted, and the next request is still right. */
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

/* Without its record a request has no device. It does not take another request's record. */
static void test_unpaired(void **state)
{
	struct block_cell cell;

	(void)state;
	need_kernel();
	start(A, SDA, BLOCK_READ, 512);
	run(bpf->progs.block_rq_issue, A);
	assert_int_equal(lost(BLOCK_LOST_UNPAIRED), 1);
	complete(A, 0, 512);
	cell = cell_of(SDA, BLOCK_READ); /* from the record of its creation */
	assert_int_equal(count_of(&cell.io), 1);
	put_record(SDA, BLOCK_READ, 512, false);
	cpus[cpu].record.task++; /* another task's */
	run(bpf->progs.block_rq_issue, B);
	assert_int_equal(lost(BLOCK_LOST_UNPAIRED), 2);
	complete(B, 0, 512);
	cell = cell_of(0, BLOCK_READ);
	assert_int_equal(count_of(&cell.io), 1);
}

/* A request that never ends takes one place only, however often the kernel reuses it. */
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
	run(bpf->progs.block_rq_insert, B);
	issue(B, SDA, BLOCK_READ, 512);
	assert_int_equal(lost(BLOCK_LOST_REQUESTS_FULL), 1); /* it is one request */
	complete(A, 0, 512);
	assert_int_equal(cpus[cpu].events, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_request),
		TEST(test_pressure),
		TEST(test_keys),
		TEST(test_parts),
		TEST(test_requeue),
		TEST(test_flushes),
		TEST(test_foreign),
		TEST(test_slot_is_given_away),
		TEST(test_merge),
		TEST(test_missed),
		TEST(test_unpaired),
		TEST_WITH(test_never_ends, setup_one_request, teardown_one_request),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
