/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * BPF programs, run by the kernel on made-up events: BPF_PROG_TEST_RUN on one
 * CPU, with this process as the current task, in a cgroup of its own. They are
 * loaded and not attached, so no real event gets in between.
 *
 * Each test runs twice: with the kernel's own BTF, and without, as on a kernel that has none.
 * TEST(test_x) stands for both: test_x_with_btf and test_x_without_btf.
 */
#ifndef BRAMBLE_TEST_RUN_H
#define BRAMBLE_TEST_RUN_H

#include <linux/types.h>
#include <sched.h>
#include <sys/mman.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bramble/cells.h"
#include "kernel/features.h"
#include "own_cgroup.h"
#include "probe/records.h"
#include "probe/tracefs_btf.h"
#include "util/clock.h"

#include "bramble.skel.h"

#define SLOTS 8
#define MS    1000000ULL

static const bool without_and_with[] = {false, true};
static bool with_btf;		   /* which way the running test takes */
static const char *skip_reason[2]; /* for each way. NULL: the kernel can do it */
static unsigned int cpu;	   /* the CPU that the programs run on */
static uint64_t own_id, other_id;  /* ids of the cgroups "/a", with this process, and "/b" */
static struct bramble_bpf *bpf;
static unsigned int slots = SLOTS;

/* Mapped by load_object(). */
static uint64_t *slot_cgroups;
static struct sched_cpu *sched_cpus;

/*
 * Each test program defines this. It calls open_bpf(), chooses programs, sizes the maps that only
 * they need, and ends with load_object(). Returns 0 or a negative errno.
 */
static int open_object(void);

/* Each test program defines this: a program that may be run with all arguments zero. */
static struct bpf_program *harmless_program(void);

/* What close_object() unmaps. */
static struct {
	void *data;
	size_t size;
} mapped[16];
static size_t mapped_count;

static int tracefs_btf_fd = -1; /* libbpf reads it as it loads */

static inline void *map_array(const struct bpf_map *map)
{
	size_t size = (size_t)bpf_map__value_size(map) * bpf_map__max_entries(map);
	void *data = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(map), 0);

	if (data == MAP_FAILED)
		return NULL;
	mapped[mapped_count].data = data;
	mapped[mapped_count++].size = size;
	return data;
}

static inline void close_object(void)
{
	while (mapped_count) {
		mapped_count--;
		munmap(mapped[mapped_count].data, mapped[mapped_count].size);
	}
	bramble_bpf__destroy(bpf);
	bpf = NULL;
	if (tracefs_btf_fd >= 0)
		close(tracefs_btf_fd);
	tracefs_btf_fd = -1;
}

/* Opens the object as bpf, in the running test's way. Returns 0 or a negative errno. */
static inline int open_bpf(void)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts);
	char path[TRACEFS_BTF_PATH_SIZE];
	int err;

	if (!with_btf) {
		err = own_mounts.tracefs_err;
		tracefs_btf_fd = err ?: probe_build_records(own_mounts.tracefs);
		if (tracefs_btf_fd < 0)
			return tracefs_btf_fd;
		tracefs_btf_path(path, tracefs_btf_fd);
		opts.btf_custom_path = path;
	}
	bpf = bramble_bpf__open_opts(&opts);
	return bpf ? 0 : -errno;
}

/* Loads the opened object with this number of slots, all of them free. */
static inline int load_object(void)
{
	unsigned int cpus = (unsigned int)libbpf_num_possible_cpus(), slot;
	int err;

	err = bpf_map__set_max_entries(bpf->maps.slot_cgroups, slots);
	err = err ?: bpf_map__set_max_entries(bpf->maps.slot_groups, slots);
	err = err ?: bpf_map__set_max_entries(bpf->maps.slot_by_cgroup, slots);
	err = err ?: bpf_map__set_max_entries(bpf->maps.slot_free, slots);
	err = err ?: bpf_map__set_max_entries(bpf->maps.sched_cpus, cpus);
	err = err ?: bpf_map__set_max_entries(bpf->maps.stall_cells, cpus * slots);
	bpf->rodata->pressure_slots = slots;
	err = err ?: bramble_bpf__load(bpf);
	if (err)
		return err;
	slot_cgroups = map_array(bpf->maps.slot_cgroups);
	sched_cpus = map_array(bpf->maps.sched_cpus);
	if (!slot_cgroups || !sched_cpus)
		return -ENOMEM;
	sched_cpus[cpu].first_cell = cpu * slots;
	for (slot = SLOT_OVERFLOW + 1; slot < slots; slot++)
		if (bpf_map_update_elem(bpf_map__fd(bpf->maps.slot_free), NULL, &slot, BPF_ANY))
			return -errno;
	return 0;
}

/* Arguments of a tracepoint: more than any of these programs looks at. */
#define ARGS 5

/* Runs a program with these arguments of its tracepoint. Returns 0 or a negative errno. */
static inline int try_run(const struct bpf_program *program, const uint64_t args[ARGS])
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = args, .ctx_size_in = ARGS * sizeof(args[0]),
		    .cpu = cpu, .flags = BPF_F_TEST_RUN_ON_CPU);

	return bpf_prog_test_run_opts(bpf_program__fd(program), &opts) ? -errno : 0;
}

/* run(program, argument...) */
#define run(program, ...) assert_int_equal(try_run(program, (const uint64_t[ARGS]){__VA_ARGS__}), 0)

static inline int on_libbpf_message(enum libbpf_print_level level, const char *format, va_list args)
{
	(void)level;
	(void)format;
	(void)args;
	return 0;
}

/* Why no test can run in this way, or NULL. *err gets errors that do not come from the kernel. */
static inline const char *reason_to_skip(int *err)
{
	const uint64_t none[ARGS] = {0};

	*err = 0;
	if (with_btf && feature_kernel_btf("/sys") != 1)
		return "this kernel has no BTF";
	*err = open_object();
	if (*err == -EPERM)
		return "the kernel loads no BPF programs for this process";
	if (*err == -ENOENT)
		return "tracefs is not mounted and cannot be";
	if (!*err && try_run(harmless_program(), none))
		return "the kernel has no test runs for raw tracepoints (5.10)";
	return NULL;
}

/* Runs once: picks a CPU, makes two cgroups, finds out whether the kernel can run programs. */
static inline int group_setup(void **state)
{
	cpu_set_t set;
	size_t way;
	int err;

	(void)state;
	libbpf_set_print(on_libbpf_message);
	skip_reason[0] = skip_reason[1] = own_setup();
	if (skip_reason[0])
		return 0;
	cpu = (unsigned int)sched_getcpu();
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		return -1;
	own_id = own_make("/a");
	other_id = own_make("/b");
	for (way = 0; way < 2; way++) {
		with_btf = without_and_with[way];
		skip_reason[way] = reason_to_skip(&err);
		close_object();
		if (err && !skip_reason[way])
			return err;
	}
	return 0;
}

static inline int group_teardown(void **state)
{
	(void)state;
	if (!own_id)
		return 0;
	return own_go_home() && own_remove("/a") && own_remove("/b") && own_remove("") ? 0 : -1;
}

static inline int setup(void **state)
{
	with_btf = *(const bool *)*state;
	if (skip_reason[with_btf])
		return 0;
	return own_join("/a") ? open_object() : -1;
}

static inline int teardown(void **state)
{
	(void)state;
	close_object();
	return 0;
}

/* One of the two ways of a test. The state that its setup gets says which. */
#define TEST_WAY(function, name, before, after, way)                                               \
	{                                                                                          \
		name, function, before, after, (void *)&without_and_with[way]                      \
	}

/* A test with a setup of its own, which calls setup(), and a teardown that calls teardown(). */
#define TEST_WITH(function, before, after)                                                         \
	TEST_WAY(function, #function "_with_btf", before, after, 1),                               \
		TEST_WAY(function, #function "_without_btf", before, after, 0)

#define TEST(function) TEST_WITH(function, setup, teardown)

/* Each test begins with one of these. */
static inline void need_kernel(void)
{
	if (skip_reason[with_btf])
		skip_because("%s", skip_reason[with_btf]);
}

/* For things that exist only with the kernel's BTF. */
static inline void need_btf(const char *why)
{
	need_kernel();
	if (!with_btf)
		skip_because("%s", why);
}

/* For things that work differently with BTF, and are tested with BTF elsewhere. */
static inline void need_no_btf(const char *why)
{
	need_kernel();
	if (with_btf)
		skip_because("%s", why);
}

/* The slot of a cgroup, SLOT_OVERFLOW if it has none. */
static inline unsigned int slot_of(uint64_t id)
{
	unsigned int slot;

	for (slot = SLOT_OVERFLOW + 1; slot < slots; slot++)
		if (slot_cgroups[slot] == id)
			return slot;
	return SLOT_OVERFLOW;
}

/* The number of values in a histogram. */
static inline uint64_t count_of(const struct hist *hist)
{
	uint64_t count = 0;
	size_t i;

	for (i = 0; i < HIST_BUCKETS; i++)
		count += hist->bucket[i];
	return count;
}

#endif
