/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The file systems whose fsyncs are measured. Each may come as a module, after
 * the probe was started: it is attached to when it is there.
 *
 * Programs that hook functions (fentry, fexit) are not loaded with the others,
 * as the kernel wants to see the function when it loads them, and may not be
 * able to: they come in an object of their own that shares the maps.
 */
#include <errno.h>
#include <string.h>

#include "probe/attach.h"
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

static bool is_of(const struct bpf_program *program, const struct file_system *fs)
{
	return strncmp(bpf_program__name(program), fs->prefix, strlen(fs->prefix)) == 0;
}

/* The second object uses the maps of the first one, global variables included. */
static int share_maps(const struct bramble_bpf *from, struct bramble_bpf *to)
{
	struct bpf_map *map = NULL, *twin = NULL;
	int err = 0;

	while (!err && (map = bpf_object__next_map(from->obj, map))) {
		twin = bpf_object__next_map(to->obj, twin);
		err = twin ? bpf_map__reuse_fd(twin, bpf_map__fd(map)) : -ENOENT;
	}
	return err;
}

/* Loads the programs of a file system that hook functions. */
static int load_beside(struct probe *probe, const struct file_system *fs)
{
	struct bramble_bpf **beside = &probe->beside[fs - file_systems];
	struct bpf_program *program;
	int err;

	*beside = bramble_bpf__open();
	if (!*beside)
		return -errno;
	err = share_maps(probe->bpf, *beside);
	bpf_object__for_each_program(program, (*beside)->obj)
	{
		if (!is_of(program, fs))
			continue;
		bpf_program__set_autoload(program, true);
		err = err ?: probe_add_program(probe, PROBE_FSYNC, program);
	}
	return err ?: bramble_bpf__load(*beside);
}

/* Attaches the programs of a file system, all or none. */
static int attach_all(struct probe *probe, const struct file_system *fs)
{
	struct probe_program *program, *end = probe->program + probe->programs;
	int err = 0;

	for (program = probe->program; program < end && !err; program++)
		if (program->probe == PROBE_FSYNC && is_of(program->program, fs))
			program->link = attach_program(program->program, probe->tracefs, &err);
	if (!err) {
		probe->up[PROBE_FSYNC] = true;
		return 0;
	}
	for (program = probe->program; program < end; program++) {
		if (program->probe != PROBE_FSYNC || !is_of(program->program, fs))
			continue;
		bpf_link__destroy(program->link);
		program->link = NULL;
	}
	return err;
}

/* Forgets the programs that were added for an object, which is the last one that was opened. */
static void drop_beside(struct probe *probe, const struct file_system *fs)
{
	struct bramble_bpf **beside = &probe->beside[fs - file_systems];

	while (probe->programs && is_of(probe->program[probe->programs - 1].program, fs))
		probe->programs--;
	bramble_bpf__destroy(*beside);
	*beside = NULL;
}

static void attach_to(struct probe *probe, const struct file_system *fs)
{
	int err = 0;

	if (fs->hooks_functions) {
		err = probe->btf ? load_beside(probe, fs) : -EOPNOTSUPP;
		err = err ?: attach_all(probe, fs);
		if (err && probe->beside[fs - file_systems])
			drop_beside(probe, fs);
		if (err)
			log_info("fsyncs on %s are not measured: its functions cannot be hooked "
				 "(%s); that takes a kernel with BTF and fentry (arm64: 6.4 and "
				 "later)",
				 fs->name, strerror(-err));
	} else {
		err = attach_all(probe, fs);
		if (err)
			log_warn("fsyncs on %s are not measured: its tracepoints cannot be "
				 "attached to",
				 fs->name);
	}
	if (!err)
		log_debug("fsyncs on %s are measured", fs->name);
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
