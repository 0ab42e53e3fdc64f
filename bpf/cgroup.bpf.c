/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Reports to user space each cgroup that is made or removed, with its path. So a cgroup that is
 * already gone still has a name.
 */
#include <stdbool.h>

#include "vmlinux.h"
#include <bpf/bpf_core_read.h>

#include "hist.bpf.h"
#include "slots.bpf.h"

#define RING_SIZE    (256 * 1024)

/* The id of the default hierarchy, cgroup v2 (cgroup_init() makes it first). */
#define DEFAULT_ROOT 0

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, RING_SIZE); /* a multiple of every page size */
} cgroup_events SEC(".maps");

/* An event is put together here, because it is too large for the stack. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct cgroup_event);
} cgroup_event_scratch SEC(".maps");

/*
 * The reader takes many events at a time. It is woken for the first one, by default, and again when
 * the ring fills up.
 */
static __always_inline __u64 wake_flags(void)
{
	__u64 waiting = bpf_ringbuf_query(&cgroup_events, BPF_RB_AVAIL_DATA);

	return waiting >= RING_SIZE / 2 ? BPF_RB_FORCE_WAKEUP : 0;
}

static __always_inline int send(struct trace_event_raw_cgroup *ctx, enum cgroup_event_kind kind)
{
	struct cgroup_event *event;
	__u32 zero = 0;
	long len = 0;

	if (ctx->root != DEFAULT_ROOT)
		return 0;
	event = bpf_map_lookup_elem(&cgroup_event_scratch, &zero);
	if (!event)
		return 0;
	event->id = ctx->id;
	event->time_ns = bpf_ktime_get_ns();
	event->kind = kind;
	if (kind == CGROUP_REMOVED) {
		bpf_map_delete_elem(&slot_roots, &event->id);
		bpf_map_delete_elem(&slot_aliases, &event->id);
	}
	/* A __data_loc field: the offset in the record, the length above it. */
	if (kind == CGROUP_MADE)
		len = bpf_probe_read_kernel_str(event->path, sizeof(event->path),
						(void *)ctx + (ctx->__data_loc_path & 0xffff));
	if (len <= 0 || len > CGROUP_PATH_MAX)
		len = 0;
	event->path_len = len ? len - 1 : 0;
	if (bpf_ringbuf_output(&cgroup_events, event, offsetof(struct cgroup_event, path) + len,
			       wake_flags()))
		shared_add(&cgroup_lost[CGROUP_LOST_RING_FULL], 1);
	return 0;
}

SEC("?tp/cgroup/cgroup_mkdir")
int cgroup_mkdir(struct trace_event_raw_cgroup *ctx)
{
	return send(ctx, CGROUP_MADE);
}

SEC("?tp/cgroup/cgroup_rmdir")
int cgroup_rmdir(struct trace_event_raw_cgroup *ctx)
{
	return send(ctx, CGROUP_REMOVED);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
