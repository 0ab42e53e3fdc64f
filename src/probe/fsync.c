/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The fsync probe. Each file system is measured in its own way. It may be a module that is loaded
 * after the probe was started. So the probe attaches to it when it is there.
 */
#include <errno.h>
#include <string.h>

#include "kernel/features.h"
#include "obstacle/obstacle.h"
#include "probe/descriptor.h"
#include "probe/maps.h"
#include "probe/programs.h"
#include "probe/stalls.h"
#include "util/array.h"
#include "util/clock.h"
#include "util/log.h"

#include "bramble.skel.h"

/*
 * event: it exists if the file system is there and can be measured in this way. prefix: of the
 * names of its programs.
 */
static const struct file_system {
	const char *name;
	const char *event;
	const char *prefix;
	bool hooks_functions;
} file_systems[] = {
	{"ext4", "ext4/ext4_sync_file_enter", "fsync_ext4_", false},
	{"f2fs", "f2fs/f2fs_sync_file_enter", "fsync_f2fs_", false},
	{"btrfs", "btrfs/btrfs_sync_file_exit", "fsync_btrfs_", false},
	{"btrfs", "btrfs/btrfs_sync_file", "function_btrfs_", true},
	{"xfs", "xfs/xfs_file_fsync", "function_xfs_", true},
};

#define FILE_SYSTEMS ARRAY_SIZE(file_systems)

struct fsync_probe {
	bool tried[FILE_SYSTEMS];		  /* to attach to it, with success or without */
	bool no_loads;				  /* programs cannot be loaded any more */
	struct bramble_bpf *beside[FILE_SYSTEMS]; /* the object with the functions' programs */
};

#define REMEDY_MODULE                                                                              \
	"none needed: it is looked for again, and appears with the first such file system"
#define REMEDY_BTRFS "none needed where fentry is present; else a kernel since 7.3"

/* Attach the ends first, so that no beginning is seen without its end. */
static const struct program_row programs[] = {
	{"fsync_ext4_end", .event = "ext4/ext4_sync_file_exit", .purpose = "fsyncs on ext4",
	 .remedy = REMEDY_MODULE},
	{"fsync_ext4_begin", .event = "ext4/ext4_sync_file_enter", .purpose = "fsyncs on ext4",
	 .remedy = REMEDY_MODULE},
	{"fsync_f2fs_end", .event = "f2fs/f2fs_sync_file_exit", .purpose = "fsyncs on f2fs",
	 .remedy = REMEDY_MODULE},
	{"fsync_f2fs_begin", .event = "f2fs/f2fs_sync_file_enter", .purpose = "fsyncs on f2fs",
	 .remedy = REMEDY_MODULE},
	{"fsync_btrfs_end", .event = "btrfs/btrfs_sync_file_exit", .purpose = "fsyncs on btrfs",
	 .remedy = REMEDY_BTRFS},
	{"fsync_btrfs_begin", .event = "btrfs/btrfs_sync_file_enter", .purpose = "fsyncs on btrfs",
	 .remedy = REMEDY_BTRFS},
	{"function_xfs_begin", .function = "xfs_file_fsync"},
	{"function_xfs_end", .function = "xfs_file_fsync"},
	{"function_xfs_dir_begin", .function = "xfs_dir_fsync"},
	{"function_xfs_dir_end", .function = "xfs_dir_fsync"},
	{"function_btrfs_begin", .function = "btrfs_sync_file"},
	{"function_btrfs_end", .function = "btrfs_sync_file"},
};

static const char *const losses[STALL_LOST_REASONS] = {
	[STALL_LOST_NO_BEGINNING] = "no_beginning",
	[STALL_LOST_CLOCK] = "clock",
};

static int tidy(struct probe *probe)
{
	if (!probe->up[PROBE_FSYNC])
		return 0;
	return stalls_tidy(probe->bpf->maps.fsync_stalls, &probe->bpf->bss->fsync_counts,
			   clock_monotonic_ns());
}

/* Hooks the functions of a file system. Returns 0, or a negative errno after it has logged it. */
static int hook(struct probe *probe, const struct file_system *fs)
{
	struct fsync_probe *state = probe->state[PROBE_FSYNC];
	int err;

	/* Then not even the reason may be tried out. */
	if (state->no_loads) {
		log_info("fsyncs on %s are not measured: here this takes fentry; `bramble check` "
			 "says "
			 "why it cannot be had",
			 fs->name);
		return -EOPNOTSUPP;
	}
	err = probe_hook_functions(probe, PROBE_FSYNC, fs->prefix,
				   &state->beside[fs - file_systems]);
	if (err)
		obstacle_report(LOG_INFO, &probe->place, OBSTACLE_FUNCTION, err,
				"fsyncs on %s are not measured", fs->name);
	return err;
}

static void attach_to(struct probe *probe, const struct file_system *fs)
{
	int err;

	if (fs->hooks_functions) {
		err = hook(probe, fs);
	} else {
		err = probe_attach_some(probe, PROBE_FSYNC, fs->prefix);
		if (err)
			log_warn("fsyncs on %s are not measured: its tracepoints cannot be "
				 "attached to",
				 fs->name);
	}
	if (!err) {
		probe->up[PROBE_FSYNC] = true;
		log_debug("fsyncs on %s are measured", fs->name);
	}
}

/* A failure is logged, and everything else still runs. */
static void look_again(struct probe *probe)
{
	struct fsync_probe *state = probe->state[PROBE_FSYNC];
	size_t i;

	for (i = 0; i < FILE_SYSTEMS; i++) {
		if (state->tried[i] || feature_event(probe->tracefs, file_systems[i].event) != 1)
			continue;
		state->tried[i] = true;
		attach_to(probe, &file_systems[i]);
	}
}

/* Whether the functions of a file system may have to be hooked, once its module is there. */
static bool may_load(const struct probe *probe)
{
	const struct fsync_probe *state = probe->state[PROBE_FSYNC];
	bool may = false;
	size_t i;

	for (i = 0; i < FILE_SYSTEMS; i++)
		may |= file_systems[i].hooks_functions && !state->tried[i];
	return may && probe->btf && feature_fentry() > 0;
}

static void divide(struct probe *probe, enum late_part part)
{
	struct fsync_probe *state = probe->state[PROBE_FSYNC];
	size_t i;

	state->no_loads = part == LATE_NO_LOADS;
	/* What the other process does is done, as far as this one is concerned. */
	for (i = 0; i < FILE_SYSTEMS; i++)
		if (file_systems[i].hooks_functions ? part == LATE_REST : part == LATE_LOADS)
			state->tried[i] = true;
}

static int attach(struct probe *probe)
{
	look_again(probe);
	return 0;
}

static void close_state(struct probe *probe)
{
	struct fsync_probe *state = probe->state[PROBE_FSYNC];
	size_t i;

	for (i = 0; i < FILE_SYSTEMS; i++)
		bramble_bpf__destroy(state->beside[i]);
}

static uint64_t lost(const struct probe *probe, size_t loss)
{
	return probe->bpf->bss->fsync_lost[loss];
}

static uint64_t events(const struct probe *probe)
{
	return probe->bpf->bss->fsync_events;
}

const struct probe_descriptor probe_fsync = {
	.flag_help = "Measure how long fsyncs take.",
	.flag_rank = 3,
	.programs = programs,
	.program_count = ARRAY_SIZE(programs),
	.cells = {PROBE_CELLS(fsync_cell)},
	.maps = {"fsync_stalls"},
	.losses = losses,
	.loss_count = ARRAY_SIZE(losses),
	.lost = lost,
	.events = events,
	.state_size = sizeof(struct fsync_probe),
	.attach = attach,
	.look_again = look_again,
	.may_load = may_load,
	.divide = divide,
	.tidy = tidy,
	.close = close_state,
};
