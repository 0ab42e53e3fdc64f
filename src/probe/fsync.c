/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The file systems whose fsyncs are measured. Each may come as a module, after
 * the probe was started: it is attached to when it is there.
 */
#include <errno.h>
#include <string.h>

#include "obstacle/obstacle.h"
#include "probe/features.h"
#include "probe/internal.h"
#include "util/log.h"

#include "bramble.skel.h"

/*
 * event: one that is there as long as the file system is, and can be measured in this way.
 * prefix: of its programs' names.
 */
static const struct file_system {
	const char *name;
	const char *event;
	const char *prefix;
	bool hooks_functions;
} file_systems[FILE_SYSTEMS] = {
	{"ext4", "ext4/ext4_sync_file_enter", "fsync_ext4_", false},
	{"f2fs", "f2fs/f2fs_sync_file_enter", "fsync_f2fs_", false},
	{"btrfs", "btrfs/btrfs_sync_file_exit", "fsync_btrfs_", false},
	{"btrfs", "btrfs/btrfs_sync_file", "function_btrfs_", true},
	{"xfs", "xfs/xfs_file_fsync", "function_xfs_", true},
};

static void attach_to(struct probe *probe, const struct file_system *fs)
{
	int err = 0;

	if (fs->hooks_functions) {
		err = probe_hook_functions(probe, PROBE_FSYNC, fs->prefix,
					   &probe->beside[fs - file_systems]);
		if (err)
			obstacle_report(LOG_INFO, &probe->place, OBSTACLE_FUNCTION, err,
					"fsyncs on %s are not measured", fs->name);
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

void probe_attach_fsync(struct probe *probe)
{
	size_t i;

	for (i = 0; i < FILE_SYSTEMS; i++) {
		if (probe->tried[i] || feature_event(probe->tracefs, file_systems[i].event) != 1)
			continue;
		probe->tried[i] = true;
		attach_to(probe, &file_systems[i]);
	}
}

void probe_close_fsync(struct probe *probe)
{
	size_t i;

	for (i = 0; i < FILE_SYSTEMS; i++)
		bramble_bpf__destroy(probe->beside[i]);
}
