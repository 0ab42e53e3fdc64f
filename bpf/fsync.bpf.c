/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * How long the file system took for an fsync. fsync(), fdatasync(), msync(MS_SYNC), writes with
 * O_SYNC or O_DSYNC, and the kernel's own fsyncs all call the file system's fsync operation. On
 * overlayfs the operation of the file system below is called, once.
 *
 * ext4 and f2fs have a tracepoint at both ends. So has btrfs in kernels after 6.18. XFS, and btrfs
 * in older kernels, have one only at the beginning. There the functions themselves are hooked, if
 * the kernel can do that.
 */
#include <stdbool.h>

#include "stall.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1); /* as many as there are slots, set by the loader */
	__type(key, __u32);
	__type(value, struct fsync_cell);
} fsync_cells SEC(".maps");

struct stalls_map fsync_stalls SEC(".maps");

struct stall_counts fsync_counts;
__u64 fsync_events;
__u64 fsync_lost[STALL_LOST_REASONS];

static __always_inline int begin(void *ctx)
{
	stall_begin(ctx, &fsync_stalls, &fsync_counts);
	return 0;
}

static __always_inline int end(void *ctx)
{
	struct fsync_cell *cell;
	struct stall stall;
	__u32 slot;

	shared_add(&fsync_events, 1);
	if (!stall_end(&fsync_stalls, &fsync_counts, fsync_lost, &stall))
		return 0;
	slot = slot_of_current(ctx);
	cell = bpf_map_lookup_elem(&fsync_cells, &slot);
	if (cell)
		stall_count(&stall, PRESSURE_IO, slot, &cell->fsync);
	return 0;
}

SEC("?raw_tp/ext4_sync_file_enter")
int fsync_ext4_begin(void *ctx)
{
	return begin(ctx);
}

SEC("?raw_tp/ext4_sync_file_exit")
int fsync_ext4_end(void *ctx)
{
	return end(ctx);
}

SEC("?raw_tp/f2fs_sync_file_enter")
int fsync_f2fs_begin(void *ctx)
{
	return begin(ctx);
}

SEC("?raw_tp/f2fs_sync_file_exit")
int fsync_f2fs_end(void *ctx)
{
	return end(ctx);
}

SEC("?raw_tp/btrfs_sync_file_enter")
int fsync_btrfs_begin(void *ctx)
{
	return begin(ctx);
}

SEC("?raw_tp/btrfs_sync_file_exit")
int fsync_btrfs_end(void *ctx)
{
	return end(ctx);
}

SEC("?fentry/xfs_file_fsync")
int function_xfs_begin(void *ctx)
{
	return begin(ctx);
}

SEC("?fexit/xfs_file_fsync")
int function_xfs_end(void *ctx)
{
	return end(ctx);
}

SEC("?fentry/xfs_dir_fsync")
int function_xfs_dir_begin(void *ctx)
{
	return begin(ctx);
}

SEC("?fexit/xfs_dir_fsync")
int function_xfs_dir_end(void *ctx)
{
	return end(ctx);
}

SEC("?fentry/btrfs_sync_file")
int function_btrfs_begin(void *ctx)
{
	return begin(ctx);
}

SEC("?fexit/btrfs_sync_file")
int function_btrfs_end(void *ctx)
{
	return end(ctx);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
