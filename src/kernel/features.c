/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "kernel/features.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/perf_event.h>
#include <linux/version.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "util/array.h"
#include "util/buf.h"

/* The locked memory that the maps may need if RLIMIT_MEMLOCK applies, in bytes. */
#define MEMLOCK_ENOUGH (64UL << 20)

/* The locked memory that the smallest map needs. */
#define MEMLOCK_SMALL  (64UL << 10)

/* return 0; */
static const struct bpf_insn do_nothing[] = {
	{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0},
	{.code = BPF_JMP | BPF_EXIT},
};

/* ctx->args[3]; return 0; */
static const struct bpf_insn read_4th_arg[] = {
	{.code = BPF_LDX | BPF_MEM | BPF_DW, .dst_reg = BPF_REG_0, .src_reg = BPF_REG_1, .off = 24},
	{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0},
	{.code = BPF_JMP | BPF_EXIT},
};

/* ctx->args[1]; return 0; */
static const struct bpf_insn read_2nd_arg[] = {
	{.code = BPF_LDX | BPF_MEM | BPF_DW, .dst_reg = BPF_REG_0, .src_reg = BPF_REG_1, .off = 8},
	{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0},
	{.code = BPF_JMP | BPF_EXIT},
};

/* bpf_probe_read_kernel(fp - 8, 8, ctx); return 0; */
static const struct bpf_insn read_kernel[] = {
	{.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = BPF_REG_3, .src_reg = BPF_REG_1},
	{.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = BPF_REG_1, .src_reg = BPF_REG_10},
	{.code = BPF_ALU64 | BPF_ADD, .dst_reg = BPF_REG_1, .imm = -8},
	{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_2, .imm = 8},
	{.code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_probe_read_kernel},
	{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0},
	{.code = BPF_JMP | BPF_EXIT},
};

/* bpf_get_current_cgroup_id(); return 0; */
static const struct bpf_insn call_cgroup_id[] = {
	{.code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_get_current_cgroup_id},
	{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0},
	{.code = BPF_JMP | BPF_EXIT},
};

/* Loads a raw tracepoint program. Returns a file descriptor or a negative errno. */
static int load(const struct bpf_insn *insns, size_t count)
{
	libbpf_print_fn_t print = libbpf_set_print(NULL);
	int fd = bpf_prog_load(BPF_PROG_TYPE_RAW_TRACEPOINT, NULL, "GPL", insns, count, NULL);

	libbpf_set_print(print);
	return fd;
}

/* Closes what a trial opened, which then worked. EINVAL means that the kernel cannot do it. */
static int answer(int fd)
{
	if (fd == -EINVAL)
		return 0;
	if (fd < 0)
		return fd;
	close(fd);
	return 1;
}

/* Loads a program and attaches it to a raw tracepoint, for an instant. */
static int attach(const char *event, const struct bpf_insn *insns, size_t count)
{
	int prog = load(insns, count), err;

	if (prog < 0)
		return prog;
	err = answer(bpf_raw_tracepoint_open(event, prog));
	close(prog);
	return err;
}

static int create_map(enum bpf_map_type type, __u32 key, __u32 value, __u32 entries, __u32 flags)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = flags);
	libbpf_print_fn_t print = libbpf_set_print(NULL);
	int fd = bpf_map_create(type, NULL, key, value, entries, &opts);

	libbpf_set_print(print);
	return fd;
}

int feature_tracing(void)
{
	int fd = load(do_nothing, ARRAY_SIZE(do_nothing));

	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

int feature_raw_tracepoint(void)
{
	return attach("sched_switch", do_nothing, ARRAY_SIZE(do_nothing));
}

int feature_prev_state(void)
{
	return attach("sched_switch", read_4th_arg, ARRAY_SIZE(read_4th_arg));
}

int feature_block_queue(void)
{
	return attach("block_rq_issue", read_2nd_arg, ARRAY_SIZE(read_2nd_arg));
}

int feature_io_cgroups(const char *procfs)
{
	char path[PATH_MAX], *row;
	unsigned int hierarchy = 1;
	struct buf text;
	int err;

	if ((size_t)snprintf(path, sizeof(path), "%s/cgroups", procfs) >= sizeof(path))
		return -ENAMETOOLONG;
	err = buf_read_file(&text, path, 4096);
	if (err)
		return err == -ENOENT ? 1 : err;
	row = strstr(text.data, "\nblkio\t");
	if (row)
		hierarchy = (unsigned int)strtoul(row + strlen("\nblkio\t"), NULL, 10);
	buf_free(&text);
	return hierarchy == 0;
}

int feature_cgroup_id(void)
{
	return answer(load(call_cgroup_id, ARRAY_SIZE(call_cgroup_id)));
}

int feature_reads_kernel(void)
{
	int err = feature_tracing();

	return err ? err : answer(load(read_kernel, ARRAY_SIZE(read_kernel)));
}

int feature_ancestor_cgroup_id(void)
{
	libbpf_print_fn_t print = libbpf_set_print(NULL);
	int found = libbpf_probe_bpf_helper(BPF_PROG_TYPE_RAW_TRACEPOINT,
					    BPF_FUNC_get_current_ancestor_cgroup_id, NULL);

	libbpf_set_print(print);
	return found;
}

int feature_ringbuf(void)
{
	return answer(create_map(BPF_MAP_TYPE_RINGBUF, 0, 0, (__u32)sysconf(_SC_PAGESIZE), 0));
}

int feature_mmapable(void)
{
	return answer(create_map(BPF_MAP_TYPE_ARRAY, 4, 8, 1, BPF_F_MMAPABLE));
}

/* The kernel's own ENOTSUPP, which no libc knows: the kernel cannot make trampolines. */
#define KERNEL_ENOTSUPP 524

/* Hooks, for an instant, a function that only the kernel's tests call. */
int feature_fentry(void)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_TRACE_FENTRY);
	libbpf_print_fn_t print = libbpf_set_print(NULL);
	int id = libbpf_find_vmlinux_btf_id("bpf_fentry_test1", BPF_TRACE_FENTRY);
	int prog = -EINVAL, link;

	if (id > 0) {
		opts.attach_btf_id = (__u32)id;
		prog = bpf_prog_load(BPF_PROG_TYPE_TRACING, NULL, "GPL", do_nothing,
				     ARRAY_SIZE(do_nothing), &opts);
	}
	libbpf_set_print(print);
	/* libbpf does not say why it cannot load a BTF that is there. Mostly it is the memory. */
	if (id == -ENOMEM || (id == -ESRCH && access("/sys/kernel/btf/vmlinux", R_OK) == 0))
		return -ENOMEM;
	if (prog < 0)
		return answer(prog);
	link = bpf_raw_tracepoint_open(NULL, prog);
	close(prog);
	return link == -KERNEL_ENOTSUPP || link == -EOPNOTSUPP ? 0 : answer(link);
}

/* The sysctl exists only in the first network namespace. So ask a program itself. */
int feature_jit(void)
{
	struct bpf_prog_info info = {0};
	__u32 size = sizeof(info);
	int fd = load(do_nothing, ARRAY_SIZE(do_nothing)), err;

	if (fd < 0)
		return fd;
	err = bpf_obj_get_info_by_fd(fd, &info, &size);
	close(fd);
	return err ? err : info.jited_prog_len > 0;
}

static bool have_cap(cap_value_t cap)
{
	cap_t caps = cap_get_proc();
	cap_flag_value_t value = CAP_CLEAR;

	if (!caps)
		return false;
	if (cap_get_flag(caps, cap, CAP_EFFECTIVE, &value))
		value = CAP_CLEAR;
	cap_free(caps);
	return value == CAP_SET;
}

/*
 * If no locked memory is allowed, a map can be made only if RLIMIT_MEMLOCK does not apply. This
 * makes the system call itself, because libbpf would first raise the limit.
 */
static int memlock_ignored(void)
{
	union bpf_attr attr = {
		.map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 8, .max_entries = 1};
	struct rlimit old, none;
	long fd;

	if (getrlimit(RLIMIT_MEMLOCK, &old))
		return -errno;
	/* If it is refused even with the present limit, there is another reason. */
	if (old.rlim_cur >= MEMLOCK_SMALL) {
		fd = syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof(attr));
		if (fd < 0)
			return -errno;
		close((int)fd);
	}
	none = (struct rlimit){.rlim_cur = 0, .rlim_max = old.rlim_max};
	if (setrlimit(RLIMIT_MEMLOCK, &none))
		return -errno;
	fd = syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof(attr));
	if (fd < 0)
		fd = -errno;
	if (setrlimit(RLIMIT_MEMLOCK, &old) && fd >= 0) {
		close((int)fd);
		return -errno;
	}
	return fd == -EPERM ? 0 : answer((int)fd);
}

int feature_memlock(void)
{
	struct rlimit limit;

	if (have_cap(CAP_SYS_RESOURCE))
		return 1;
	if (getrlimit(RLIMIT_MEMLOCK, &limit))
		return -errno;
	if (limit.rlim_max >= MEMLOCK_ENOUGH)
		return 1;
	if (!have_cap(CAP_BPF) && !have_cap(CAP_SYS_ADMIN))
		return -EPERM;
	return memlock_ignored();
}

/* Any event for all tasks needs the same rights as a tracepoint. This one needs no tracefs. */
int feature_perf_events(void)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_SW_DUMMY,
	};
	long fd = syscall(SYS_perf_event_open, &attr, -1, sched_getcpu(), -1, PERF_FLAG_FD_CLOEXEC);

	if (fd >= 0)
		close((int)fd);
	else if (errno != ENOSYS && errno != ENOENT)
		return -errno;
	return fd >= 0;
}

/*
 * A command that no kernel knows. EINVAL comes from the kernel itself. Before 5.19 the kernel first
 * checks the capabilities, so without them the answer says nothing.
 */
int feature_bpf_filtered(void)
{
	union bpf_attr attr = {0};

	return syscall(SYS_bpf, -1, &attr, sizeof(attr)) < 0 && errno != EINVAL;
}

/* The kernel checks for unknown flags before anything else. */
int feature_perf_filtered(void)
{
	struct perf_event_attr attr = {.size = sizeof(attr)};

	return syscall(SYS_perf_event_open, &attr, -1, 0, -1, ~0UL) < 0 && errno != EINVAL;
}

static bool perf_refused(void)
{
	int answer = feature_perf_events();

	return (answer == -EPERM || answer == -EACCES) && !feature_perf_filtered();
}

size_t features_missing_caps(const char *names[FEATURES_CAPS_MAX])
{
	bool admin = have_cap(CAP_SYS_ADMIN);
	size_t count = 0;

	if (!admin && !have_cap(CAP_BPF))
		names[count++] = "CAP_BPF";
	if (!admin && !have_cap(CAP_PERFMON))
		names[count++] = "CAP_PERFMON";
	else if (!admin && perf_refused())
		names[count++] = "CAP_SYS_ADMIN";
	if (geteuid() != 0 && !have_cap(CAP_DAC_READ_SEARCH) && !have_cap(CAP_DAC_OVERRIDE))
		names[count++] = "CAP_DAC_READ_SEARCH";
	if (feature_memlock() == 0)
		names[count++] = "CAP_SYS_RESOURCE";
	return count;
}

/* Like access(), which does not help here: it ignores the capabilities of every user but root. */
static int can(const char *path, int mode)
{
	return faccessat(AT_FDCWD, path, mode, AT_EACCESS);
}

int feature_kernel_btf(const char *sysfs)
{
	char path[PATH_MAX];

	if ((size_t)snprintf(path, sizeof(path), "%s/kernel/btf/vmlinux", sysfs) >= sizeof(path))
		return -ENAMETOOLONG;
	if (can(path, R_OK) == 0)
		return 1;
	return errno == ENOENT ? 0 : -errno;
}

/* A tree that was recorded on another machine counts as tracefs. It has events/. */
static int try_tracefs(const char *path)
{
	char events[PATH_MAX];
	struct statfs fs;
	bool is_tracefs;

	if (statfs(path, &fs))
		return errno == ENOTDIR ? -ENOENT : -errno;
	is_tracefs = fs.f_type == TRACEFS_MAGIC;
	if ((size_t)snprintf(events, sizeof(events), "%s/events", path) >= sizeof(events))
		return -ENAMETOOLONG;
	if (can(events, R_OK | X_OK) == 0)
		return 0;
	if (!is_tracefs)
		return -ENOENT;
	return errno == ENOENT ? -EPERM : -errno;
}

int feature_tracefs(const char *sysfs, const char *wanted, char path[PATH_MAX])
{
	static const char *const places[] = {"kernel/tracing", "kernel/debug/tracing"};
	int err = -ENOENT;
	size_t i;

	if (wanted) {
		snprintf(path, PATH_MAX, "%s", wanted);
		return try_tracefs(path);
	}
	for (i = 0; i < ARRAY_SIZE(places) && err == -ENOENT; i++) {
		if (snprintf(path, PATH_MAX, "%s/%s", sysfs, places[i]) >= PATH_MAX)
			return -ENAMETOOLONG;
		err = try_tracefs(path);
	}
	return err;
}

int feature_event(const char *tracefs, const char *event)
{
	char path[PATH_MAX];

	if ((size_t)snprintf(path, sizeof(path), "%s/events/%s/format", tracefs, event) >=
	    sizeof(path))
		return -ENAMETOOLONG;
	if (can(path, R_OK) == 0)
		return 1;
	return errno == ENOENT ? 0 : -errno;
}

static unsigned parse_version(const char *release)
{
	unsigned major, minor, patch = 0;

	if (sscanf(release, "%u.%u.%u", &major, &minor, &patch) < 2) // NOLINT(cert-err34-c)
		return 0;
	return KERNEL_VERSION(major, minor, patch > 255 ? 255 : patch);
}

/* If no tracing program loads at all, nothing is known about what one could do. */
static void probe_tracing(struct features *features)
{
	int err = feature_tracing();

	features->tracing = err;
	features->raw_tracepoint = err ? err : feature_raw_tracepoint();
	features->prev_state = err ? err : feature_prev_state();
	features->cgroup_id = err ? err : feature_cgroup_id();
	features->reads_kernel = feature_reads_kernel();
	features->jit = err ? err : feature_jit();
	features->fentry = err ? err : feature_fentry();
}

void features_probe(struct features *features)
{
	struct utsname names;

	*features = (struct features){
		.page_size = sysconf(_SC_PAGESIZE),
		.cpus_possible = libbpf_num_possible_cpus(),
		.cpus_online = (int)sysconf(_SC_NPROCESSORS_ONLN),
		.uid = geteuid(),
		.ringbuf = feature_ringbuf(),
		.mmapable = feature_mmapable(),
		.perf_events = feature_perf_events(),
		.memlock = feature_memlock(),
		.bpf_filtered = feature_bpf_filtered(),
		.perf_filtered = feature_perf_filtered(),
	};
	probe_tracing(features);
	if (uname(&names) == 0)
		snprintf(features->release, sizeof(features->release), "%s", names.release);
	features->version = parse_version(features->release);
	features->missing_cap_count = features_missing_caps(features->missing_caps);
}
