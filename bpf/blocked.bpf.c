/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What is counted of blocked tasks. All CPUs share the cells: a task is blocked on none of them. */
#include "blocked.bpf.h"
#include "bramble/growth.h"
#include "slots.bpf.h"
#include "stall.bpf.h"

/* The threads that are in an fsync, or reclaim memory. */
extern struct stalls_map fsync_stalls SEC(".maps");
extern struct stalls_map memory_stalls SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1); /* as many as there are slots, set by the loader */
	__type(key, __u32);
	__type(value, struct blocked_cell);
} blocked_cells SEC(".maps");

/* What was put aside: by a hash of the task's key, one of a set of tasks. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, TASK_SETS);
	__type(key, __u32);
	__type(value, struct blocked_aside);
} blocked_asides SEC(".maps");

/*
 * The thread on each CPU that is about to pause because it has written too much. The kernel says so
 * right before.
 */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} blocked_pausing SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1 << BLOCKED_ASKER_BITS);
	__type(key, __u32);
	__type(value, struct blocked_asker);
} blocked_askers SEC(".maps");

__u64 blocked_lost[BLOCKED_LOST_REASONS];
__u64 blocked_events;

static __always_inline struct blocked_aside *aside_of(__u64 key)
{
	__u32 index = hash_u64(key, TASK_SET_BITS);

	return bpf_map_lookup_elem(&blocked_asides, &index);
}

static __always_inline void count(__u32 slot, __u64 ns, __u32 cause)
{
	struct blocked_cell *cell = bpf_map_lookup_elem(&blocked_cells, &slot);

	if (!cell)
		return;
	hist_add_shared(&cell->blocked, ns);
	barrier_var(cause);
	if (cause < BLOCKED_CAUSES)
		shared_add(&cell->cause_ns[cause], ns);
}

static __always_inline void put_aside(__u64 key, __u64 ns, __u32 cause)
{
	struct blocked_aside *aside = aside_of(key);

	if (!aside)
		return;
	if (aside->key)
		blocked_count_lost(BLOCKED_LOST_COLLISION);
	aside->ns = ns;
	aside->cause = cause;
	aside->key = key;
}

/* Whether a thread is in a stall. */
static __always_inline bool is_stalled(void *stalls, __u64 thread)
{
	struct stall_set *set;
	__u32 way = stall_find(stalls, thread, &set);

	return way < STALL_WAYS && set && set->since_ns[way];
}

static __always_inline struct blocked_asker *asker_of(__u64 thread)
{
	__u32 index = hash_u64(thread, BLOCKED_ASKER_BITS);

	return bpf_map_lookup_elem(&blocked_askers, &index);
}

/* Whether a thread has asked a disk for something, and may wait for it. Once for each request. */
static __always_inline bool has_asked(__u64 thread)
{
	struct blocked_asker *asker = asker_of(thread);

	if (!asker || asker->thread != thread || !asker->asked ||
	    grown(bpf_ktime_get_ns(), asker->asked_ns) > BLOCKED_ASKED_NS)
		return false;
	asker->asked--;
	return true;
}

/*
 * Whether the current task waits for I/O. With the kernel's types it is the task's own word:
 * io_schedule(). Without, blocked_bio() has seen that it asked for some.
 */
static __always_inline bool waits_for_io(__u64 thread)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	if (bpf_core_field_exists(struct task_struct, in_iowait))
		return BPF_CORE_READ_BITFIELD_PROBED(task, in_iowait);
	return has_asked(thread);
}

/* Whether a thread is about to pause. Forgets that of any other. */
static __always_inline bool takes_pause(__u64 thread)
{
	__u32 zero = 0;
	__u64 *pausing = bpf_map_lookup_elem(&blocked_pausing, &zero);
	bool pauses = pausing && *pausing == thread;

	if (pausing)
		*pausing = 0;
	return pauses;
}

/* Memory may be reclaimed in an fsync, and not the other way round. */
int blocked_cause(void)
{
	__u64 thread = bpf_get_current_pid_tgid();
	bool pauses = takes_pause(thread);

	if (is_stalled(&memory_stalls, thread))
		return BLOCKED_MEMORY;
	if (pauses)
		return BLOCKED_DIRTY;
	if (is_stalled(&fsync_stalls, thread))
		return BLOCKED_FSYNC;
	return waits_for_io(thread) ? BLOCKED_DISK : BLOCKED_OTHER;
}

int blocked_end(__u64 key, __u64 ns, __u32 slot, __u32 cause)
{
	shared_add(&blocked_events, 1);
	if ((__s64)ns < 0)
		blocked_count_lost(BLOCKED_LOST_CLOCK);
	else if (slot == SLOT_OVERFLOW)
		put_aside(key, ns, cause);
	else
		count(slot, ns, cause);
	return 0;
}

int blocked_take(__u64 key, __u32 slot)
{
	struct blocked_aside *aside = aside_of(key);

	if (aside && aside->key == key) {
		aside->key = 0;
		count(slot, aside->ns, aside->cause);
	}
	return 0;
}

int blocked_forget(__u64 key)
{
	struct blocked_aside *aside = aside_of(key);

	if (aside && aside->key == key) {
		aside->key = 0;
		blocked_count_lost(BLOCKED_LOST_NO_SWITCH);
	}
	return 0;
}

/* The current task is about to pause. A negative pause, or none: it goes on without one. */
SEC("?tp/writeback/balance_dirty_pages")
int blocked_dirty(struct trace_event_raw_balance_dirty_pages *ctx)
{
	__u32 zero = 0;
	__u64 *pausing = bpf_map_lookup_elem(&blocked_pausing, &zero);

	if (pausing && ctx->pause > 0)
		*pausing = bpf_get_current_pid_tgid();
	return 0;
}

/*
 * The current task asks a disk for something that a task waits for: a read, or a synchronous write.
 * Only where the kernel's types are not known. Nobody may wait for what is read ahead. So what is
 * remembered is little, and for a short time.
 */
SEC("?tp/block/block_bio_queue")
int blocked_bio(struct trace_event_raw_block_bio *ctx)
{
	__u64 thread = bpf_get_current_pid_tgid();
	struct blocked_asker *asker = asker_of(thread);

	if (!asker || (ctx->rwbs[0] != 'R' && ctx->rwbs[1] != 'S'))
		return 0;
	if (asker->thread != thread)
		asker->asked = 0;
	asker->thread = thread;
	asker->asked_ns = bpf_ktime_get_ns();
	if (asker->asked < BLOCKED_ASKED_MAX)
		asker->asked++;
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
