/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Which programs are loaded on this kernel, and with whose types. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "obstacle/obstacle.h"
#include "probe/features.h"
#include "probe/internal.h"
#include "probe/tracefs_btf.h"
#include "util/array.h"
#include "util/log.h"

#include "bramble.skel.h"

/* What must be true for a program to be the right one. */
enum need {
	NEED_PREV_STATE = 1 << 0, /* the raw tracepoint sched_switch passes prev_state */
	NEED_NO_PREV_STATE = 1 << 1,
	NEED_RECORDS = 1 << 2,	/* what a request is comes from the records of tracepoints */
	NEED_EVENT = 1 << 3,	/* left out where tracefs does not have the event */
	NEED_IO_START = 1 << 4, /* there is block_io_start, since 6.5 */
	NEED_NO_IO_START = 1 << 5,
	NEED_QUEUE = 1 << 6, /* the raw tracepoints of block requests pass the queue first */
	NEED_NO_QUEUE = 1 << 7,
	NEED_TYPED =
		1 << 8, /* the kernel itself has BTF, and so types for a tracepoint's arguments */
	NEED_UNTYPED = 1 << 9,
};

/*
 * Every BPF program, and whose it is. Those of a probe are attached in this order. What hooks
 * functions of the kernel is not here, but in fsync.c.
 */
static const struct {
	const char *name;
	enum probe_id probe;
	unsigned int needs;
	const char *event; /* NEED_EVENT of a raw tracepoint: the classic one that is with it */
} programs[] = {
	{"cgroup_mkdir", PROBE_CGROUP, 0, NULL},
	{"cgroup_rmdir", PROBE_CGROUP, 0, NULL},
	{"sched_cgroup_attach", PROBE_SCHED, 0, NULL},
	{"sched_wakeup", PROBE_SCHED, NEED_PREV_STATE, NULL},
	{"sched_wakeup_new", PROBE_SCHED, NEED_PREV_STATE, NULL},
	{"sched_switch", PROBE_SCHED, NEED_PREV_STATE, NULL},
	{"sched_wakeup_classic", PROBE_SCHED, NEED_NO_PREV_STATE, NULL},
	{"sched_wakeup_new_classic", PROBE_SCHED, NEED_NO_PREV_STATE, NULL},
	{"sched_switch_classic", PROBE_SCHED, NEED_NO_PREV_STATE, NULL},
	{"fsync_ext4_end", PROBE_FSYNC, 0, NULL},
	{"fsync_ext4_begin", PROBE_FSYNC, 0, NULL},
	{"fsync_f2fs_end", PROBE_FSYNC, 0, NULL},
	{"fsync_f2fs_begin", PROBE_FSYNC, 0, NULL},
	{"fsync_btrfs_end", PROBE_FSYNC, 0, NULL},
	{"fsync_btrfs_begin", PROBE_FSYNC, 0, NULL},
	{"memory_direct_begin", PROBE_MEMORY, 0, NULL},
	{"memory_direct_end", PROBE_MEMORY, 0, NULL},
	{"memory_memcg_begin", PROBE_MEMORY, NEED_EVENT, "vmscan/mm_vmscan_memcg_reclaim_begin"},
	{"memory_memcg_end", PROBE_MEMORY, NEED_EVENT, "vmscan/mm_vmscan_memcg_reclaim_end"},
	{"memory_exit", PROBE_MEMORY, 0, NULL},
	{"memory_mark", PROBE_MEMORY, 0, NULL},
	{"memory_signal", PROBE_MEMORY, 0, NULL},
	{"tcp_destroy", PROBE_TCP, 0, NULL},
	{"tcp_set_state", PROBE_TCP, 0, NULL},
	{"tcp_retransmit", PROBE_TCP, 0, NULL},
	{"tcp_retransmit_synack", PROBE_TCP, 0, NULL},
	{"tcp_reset_sent", PROBE_TCP, 0, NULL},
	{"tcp_reset_received", PROBE_TCP, 0, NULL},
	{"tcp_data_ready", PROBE_TCP, NEED_EVENT, "sock/sk_data_ready"},
	{"tcp_sock_recv", PROBE_TCP, NEED_EVENT, "sock/sock_recv_length"},
	{"tcp_sock_send", PROBE_TCP, NEED_EVENT, "sock/sock_send_length"},
	/* Those that keep records go first: see take_record() in bpf/block.bpf.c. */
	{"block_io_start_record", PROBE_BLOCK, NEED_RECORDS | NEED_IO_START, NULL},
	{"block_rq_issue_record", PROBE_BLOCK, NEED_RECORDS, NULL},
	{"block_io_start", PROBE_BLOCK, NEED_IO_START, NULL},
	{"block_rq_insert", PROBE_BLOCK, NEED_NO_IO_START | NEED_NO_QUEUE, NULL},
	{"block_rq_insert_q", PROBE_BLOCK, NEED_NO_IO_START | NEED_QUEUE, NULL},
	{"block_rq_merge", PROBE_BLOCK, NEED_NO_IO_START | NEED_NO_QUEUE, NULL},
	{"block_rq_merge_q", PROBE_BLOCK, NEED_NO_IO_START | NEED_QUEUE, NULL},
	{"block_rq_issue_typed", PROBE_BLOCK, NEED_TYPED | NEED_NO_QUEUE, NULL},
	{"block_rq_issue", PROBE_BLOCK, NEED_UNTYPED | NEED_NO_QUEUE, NULL},
	{"block_rq_issue_q", PROBE_BLOCK, NEED_QUEUE, NULL},
	{"block_rq_requeue", PROBE_BLOCK, NEED_NO_QUEUE, NULL},
	{"block_rq_requeue_q", PROBE_BLOCK, NEED_QUEUE, NULL},
	{"block_rq_complete", PROBE_BLOCK, 0, NULL},
};

#define PROGRAMS ARRAY_SIZE(programs)

static int on_libbpf_message(enum libbpf_print_level level, const char *format, va_list args)
{
	char *text, *line, *rest;

	if (level == LIBBPF_DEBUG || !log_enabled(LOG_DEBUG) || vasprintf(&text, format, args) < 0)
		return 0;
	/* What the verifier says is one message of many lines, the last of which matter. */
	for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		log_debug("%s", line);
	free(text);
	return 0;
}

/* event: NULL for that of the section, "tp/group/name". */
static bool has_event(const struct bpf_program *program, const char *event, const char *tracefs)
{
	return feature_event(tracefs, event ? event : bpf_program__section_name(program) + 3) != 0;
}

int probe_add_program(struct probe *probe, enum probe_id id, struct bpf_program *program)
{
	if (probe->programs == PROGRAMS_MAX)
		return -E2BIG;
	probe->program[probe->programs++] = (struct probe_program){id, program, NULL};
	return 0;
}

/* What the kernel's block layer has; nothing of it is needed where the probe is off. */
static unsigned int what_holds_of_blocks(const struct probe *probe,
					 const struct probe_options *options)
{
	bool typed = strcmp(options->btf, "auto") == 0 && probe->block_btf;

	if (!probe->enabled[PROBE_BLOCK])
		return 0;
	return (feature_event(options->tracefs, "block/block_io_start") > 0 ? NEED_IO_START
									    : NEED_NO_IO_START) |
	       (feature_block_queue() > 0 ? NEED_QUEUE : NEED_NO_QUEUE) |
	       (typed ? NEED_TYPED : NEED_UNTYPED) | (probe->block_btf ? 0 : NEED_RECORDS);
}

static unsigned int what_holds(const struct probe *probe, const struct probe_options *options)
{
	return (probe->hooks == SCHED_HOOKS_RAW ? NEED_PREV_STATE : NEED_NO_PREV_STATE) |
	       NEED_EVENT | what_holds_of_blocks(probe, options);
}

static int choose_programs(struct probe *probe, const struct probe_options *options)
{
	unsigned int holds;
	size_t i;

	probe->hooks = options->hooks;
	if (probe->hooks == SCHED_HOOKS_AUTO)
		probe->hooks = feature_prev_state() > 0 ? SCHED_HOOKS_RAW : SCHED_HOOKS_CLASSIC;
	holds = what_holds(probe, options);
	for (i = 0; i < PROGRAMS; i++) {
		struct bpf_program *program;
		int err;

		if (!probe->enabled[programs[i].probe] || (programs[i].needs & ~holds))
			continue;
		program = bpf_object__find_program_by_name(probe->bpf->obj, programs[i].name);
		if (!program)
			return -ENOENT;
		if (programs[i].needs & NEED_EVENT &&
		    !has_event(program, programs[i].event, options->tracefs)) {
			log_info(
				"the probe %s runs without %s, which this kernel has not; `bramble "
				"check` says what is missing then",
				probe_names[programs[i].probe], bpf_program__section_name(program));
			continue;
		}
		bpf_program__set_autoload(program, true);
		err = probe_add_program(probe, programs[i].probe, program);
		if (err)
			return err;
	}
	return 0;
}

/*
 * The kernel keeps 128 free places of an LRU map for each CPU (LOCAL_FREE_TARGET in
 * kernel/bpf/bpf_lru_list.c): with fewer, it takes places that are in use.
 */
static int size_lru(struct bpf_map *map, unsigned int cpus)
{
	return bpf_map__set_max_entries(map, STALLS_MAX + 128 * cpus);
}

static int size_maps(struct probe *probe)
{
	struct bramble_bpf *bpf = probe->bpf;
	int err;

	err = bpf_map__set_max_entries(bpf->maps.slot_cgroups, probe->slots);
	err = err ?: bpf_map__set_max_entries(bpf->maps.slot_by_cgroup, probe->slots);
	err = err ?: bpf_map__set_max_entries(bpf->maps.slot_free, probe->slots);
	err = err ?: bpf_map__set_max_entries(bpf->maps.sched_cpus, probe->cpus);
	err = err ?: bpf_map__set_max_entries(bpf->maps.tcp_cpus, probe->cpus);
	if (probe->enabled[PROBE_TCP])
		err = err ?: bpf_map__set_max_entries(bpf->maps.tcp_sockets, SOCKET_SETS);
	err = err ?: size_lru(bpf->maps.fsync_stalls, probe->cpus);
	err = err ?: size_lru(bpf->maps.memory_stalls, probe->cpus);
	err = err ?: size_lru(bpf->maps.killed_tasks, probe->cpus);
	err = err ?: size_lru(bpf->maps.counted_processes, probe->cpus);
	err = err ?: bpf_map__set_max_entries(bpf->maps.last_kills, probe->cpus);
	err = err ?: size_lru(bpf->maps.throttled_bios, probe->cpus);
	err = err ?: bpf_map__set_max_entries(bpf->maps.block_cpus, probe->cpus);
	bpf->rodata->pressure_slots = probe->slots;
	bpf->rodata->block_btf = probe->block_btf;
	bpf->rodata->block_bio_cgroups = probe->bio_cgroups;
	return err ?: probe_size_cells(probe);
}

static int open_object(struct probe *probe, const struct probe_options *options, int btf_fd)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts);
	char path[TRACEFS_BTF_PATH_SIZE];

	if (btf_fd >= 0) {
		tracefs_btf_path(path, btf_fd);
		opts.btf_custom_path = path;
	} else if (strcmp(options->btf, "auto") != 0) {
		opts.btf_custom_path = options->btf;
	}
	probe->bpf = bramble_bpf__open_opts(&opts);
	return probe->bpf ? 0 : -errno;
}

/* Whether the kernel's types are known, or the layouts of records have to come from tracefs. */
static bool has_btf(const char *btf)
{
	return strcmp(btf, "none") != 0 &&
	       (strcmp(btf, "auto") != 0 || feature_kernel_btf("/sys") > 0);
}

/* A file that cannot be BTF: libbpf says no more than EIO of a directory. */
static bool log_btf_error(const char *btf)
{
	struct stat st;
	int err = 0;

	if (stat(btf, &st) || access(btf, R_OK))
		err = errno;
	else if (S_ISDIR(st.st_mode))
		err = EISDIR;
	if (err)
		log_error("cannot read --btf=%s: %s", btf, strerror(err));
	return err;
}

static void log_load_error(const struct machine_place *place, int err, const char *btf)
{
	char reason[128];

	if (strcmp(btf, "auto") == 0 || strcmp(btf, "none") == 0) {
		obstacle_report(LOG_ERROR, place, OBSTACLE_PROGRAMS, err,
				"cannot load the BPF programs");
	} else if (!log_btf_error(btf)) {
		libbpf_strerror(err, reason, sizeof(reason));
		log_error("cannot load the BPF programs with --btf=%s: %s; is it the BTF of this "
			  "kernel?",
			  btf, reason);
	}
}

/* One try, with the probes that are enabled. On failure nothing of it is left. */
static int try_load(struct probe *probe, const struct probe_options *options, int btf_fd)
{
	int err = open_object(probe, options, btf_fd);

	probe->programs = 0;
	err = err ?: size_maps(probe);
	err = err ?: choose_programs(probe, options);
	err = err ?: bramble_bpf__load(probe->bpf);
	if (err) {
		bramble_bpf__destroy(probe->bpf);
		probe->bpf = NULL;
	}
	return err;
}

/*
 * The kernel takes all programs or none. If it refuses, the probes that are
 * not essential are added one by one, and those that cannot be are left out.
 */
static int load_what_can_be(struct probe *probe, const struct probe_options *options, int btf_fd)
{
	bool wanted[PROBES];
	int id, err = try_load(probe, options, btf_fd);

	memcpy(wanted, probe->enabled, sizeof(wanted));
	if (!err)
		return 0;
	for (id = 0; id < PROBES; id++)
		probe->enabled[id] = wanted[id] && probe_is_essential((enum probe_id)id);
	if (!memcmp(wanted, probe->enabled, sizeof(wanted)))
		return err;
	err = try_load(probe, options, btf_fd);
	for (id = 0; id < PROBES && !err; id++) {
		if (!wanted[id] || probe->enabled[id])
			continue;
		bramble_bpf__destroy(probe->bpf);
		probe->enabled[id] = true;
		err = try_load(probe, options, btf_fd);
		if (!err)
			continue;
		obstacle_report(LOG_WARN, &probe->place, OBSTACLE_PROGRAMS, err,
				"the probe %s is not running: its BPF programs cannot be loaded",
				probe_names[id]);
		probe->enabled[id] = false;
		err = try_load(probe, options, btf_fd);
	}
	return err;
}

int probe_load(struct probe *probe, const struct probe_options *options)
{
	int btf_fd = -1;
	int err;

	libbpf_set_print(on_libbpf_message);
	probe->btf = has_btf(options->btf);
	/* Where the kernel lacks the helper, its verifier does not take these programs either
	 * (5.10). */
	probe->block_btf =
		probe->enabled[PROBE_BLOCK] && probe->btf && feature_ancestor_cgroup_id() > 0;
	probe->bio_cgroups = probe->block_btf && feature_io_cgroups("/proc") > 0;
	if (!probe->btf) {
		btf_fd = tracefs_btf_build(options->tracefs);
		if (btf_fd < 0) {
			err = btf_fd;
			obstacle_report(LOG_ERROR, &probe->place, OBSTACLE_TRACEFS, err,
					"cannot read the tracepoints' formats under %s/events",
					options->tracefs);
			return err;
		}
	}
	err = load_what_can_be(probe, options, btf_fd);
	if (btf_fd >= 0)
		close(btf_fd);
	if (err)
		log_load_error(&probe->place, err, options->btf);
	return err;
}
