/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Run-queue wait: how long a task was ready to run before it ran, and what ran
 * on the CPU in the meantime.
 *
 * Tasks are told apart by a key, the address of their task_struct, and no
 * field of it is read. The wait of a task is known when it is switched in, but
 * at that moment the current task, and with it the current cgroup, is still
 * the one before. So the wait stays in the CPU's sched_cpu until its task is
 * switched out, and is counted for its cgroup then.
 *
 * All hooks run with interrupts off, so nothing interrupts them on their CPU.
 */
#include "vmlinux.h"
#include <bpf/bpf_core_read.h>

#include "slots.bpf.h"

#define WAIT_SET_BITS 10
_Static_assert(WAIT_SETS == 1 << WAIT_SET_BITS, "the hash has WAIT_SET_BITS bits");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1); /* possible CPUs x slot_count, set by the loader */
	__type(key, __u32);
	__type(value, struct sched_cell);
} sched_cells SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1); /* possible CPUs, set by the loader */
	__type(key, __u32);
	__type(value, struct sched_cpu);
} sched_cpus SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, WAIT_SETS);
	__type(key, __u32);
	__type(value, struct wait_set);
} wait_sets SEC(".maps");

/* Nanoseconds waited, by pair. Bounded: what finds no place goes to caused_other_ns. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, struct wait_pair);
	__type(value, __u64);
} wait_pairs SEC(".maps");

static __always_inline struct sched_cpu *this_cpu(__u32 *cpu)
{
	*cpu = bpf_get_smp_processor_id();
	return bpf_map_lookup_elem(&sched_cpus, cpu);
}

static __noinline void count_lost(enum sched_lost reason)
{
	__u32 cpu;
	struct sched_cpu *c = this_cpu(&cpu);

	if (c && reason < SCHED_LOST_REASONS)
		c->lost[reason]++;
}

static __always_inline struct wait_set *wait_set_of(__u64 key)
{
	__u32 index = hash_u64(key, WAIT_SET_BITS);

	return bpf_map_lookup_elem(&wait_sets, &index);
}

/* No way of the set has this key: take one that does not wait, else the oldest. */
static __noinline int wait_begin_elsewhere(__u64 key, __u64 now)
{
	struct wait_set *set = wait_set_of(key);
	int way, oldest = 0;

	if (!set)
		return 0;
	for (way = 0; way < WAIT_WAYS; way++)
		if (set->since_ns[way] < set->since_ns[oldest & (WAIT_WAYS - 1)])
			oldest = way;
	oldest &= WAIT_WAYS - 1;
	if (set->since_ns[oldest])
		count_lost(SCHED_LOST_COLLISION);
	set->key[oldest] = key;
	set->since_ns[oldest] = now;
	return 0;
}

static __always_inline void wait_begin(__u64 key, __u64 now)
{
	struct wait_set *set = wait_set_of(key);

	if (!set)
		return;
	if (set->key[0] == key)
		set->since_ns[0] = now;
	else if (set->key[1] == key)
		set->since_ns[1] = now;
	else if (set->key[2] == key)
		set->since_ns[2] = now;
	else if (set->key[3] == key)
		set->since_ns[3] = now;
	else
		wait_begin_elsewhere(key, now);
}

/* Ends a wait. Returns since when it lasted, or 0 if that is not known. */
static __always_inline __u64 wait_end(__u64 key)
{
	struct wait_set *set = wait_set_of(key);
	__u64 *since;

	if (!set)
		return 0;
	if (set->key[0] == key)
		since = &set->since_ns[0];
	else if (set->key[1] == key)
		since = &set->since_ns[1];
	else if (set->key[2] == key)
		since = &set->since_ns[2];
	else if (set->key[3] == key)
		since = &set->since_ns[3];
	else
		return 0;

	__u64 since_ns = *since;
	*since = 0;
	return since_ns;
}

static __noinline int charge_cause(struct sched_cell *cell, __u32 victim, __u32 cause, __u64 wait_ns)
{
	struct wait_pair pair = {.victim = victim, .cause = cause};
	__u64 *sum, zero = 0;

	if (!cell)
		return 0;
	sum = bpf_map_lookup_elem(&wait_pairs, &pair);
	if (!sum) {
		bpf_map_update_elem(&wait_pairs, &pair, &zero, BPF_NOEXIST);
		sum = bpf_map_lookup_elem(&wait_pairs, &pair);
	}
	if (sum) {
		__sync_fetch_and_add(sum, wait_ns);
	} else {
		cell->caused_other_ns += wait_ns;
		cell->caused_other++;
	}
	return 0;
}

static __always_inline void hist_add(struct hist *hist, __u64 ns)
{
	__u32 bucket = hist_bucket(ns);

	hist->sum_ns += ns;
	barrier_var(bucket); /* the verifier wants to see the bound, which the compiler knows */
	if (bucket < HIST_BUCKETS)
		hist->bucket[bucket]++;
}

/* Counts the switch, and the wait that came before it, for the current task. */
static __always_inline void leave(struct sched_cpu *c, __u32 cpu, __u64 prev, __u32 slot,
				  enum switch_kind kind)
{
	__u32 index = cpu * slot_count + slot;
	struct sched_cell *cell = bpf_map_lookup_elem(&sched_cells, &index);
	__u64 wait_ns = c->wait_ns;

	if (!cell)
		return;
	cell->switches[kind]++;
	if (c->running != prev)
		return;
	if (wait_ns == WAIT_UNKNOWN) {
		c->lost[SCHED_LOST_NO_WAKEUP]++;
		return;
	}
	hist_add(&cell->wait, wait_ns);
	if (wait_ns >= WAIT_CAUSED_MIN_NS)
		charge_cause(cell, slot, c->cause, wait_ns);
}

static __always_inline void enter(struct sched_cpu *c, __u64 next, __u32 cause, __u64 now)
{
	__u64 since_ns = wait_end(next);

	c->running = next;
	c->cause = cause;
	c->wait_ns = WAIT_UNKNOWN;
	if (!since_ns)
		return;
	if (since_ns > now)
		c->lost[SCHED_LOST_CLOCK]++;
	else
		c->wait_ns = now - since_ns;
}

static __always_inline int is_idle(struct sched_cpu *c, __u64 key)
{
	if (key == c->idle)
		return 1;
	if (c->idle || (__u32)bpf_get_current_pid_tgid())
		return 0;
	c->idle = key;
	return 1;
}

static __always_inline void switch_tasks(__u64 prev, __u64 next, enum switch_kind kind)
{
	__u64 now = bpf_ktime_get_ns();
	__u32 cpu, slot = SLOT_IDLE;
	struct sched_cpu *c = this_cpu(&cpu);

	if (!c)
		return;
	c->events++;
	if (!is_idle(c, prev)) {
		slot = slot_of_current();
		leave(c, cpu, prev, slot, kind);
		if (kind == SWITCH_INVOLUNTARY)
			wait_begin(prev, now);
	}
	enter(c, next, slot, now);
}

/* TP_PROTO(struct task_struct *p), for both */
SEC("?raw_tp/sched_wakeup")
int sched_wakeup(struct bpf_raw_tracepoint_args *ctx)
{
	wait_begin(ctx->args[0], bpf_ktime_get_ns());
	return 0;
}

SEC("?raw_tp/sched_wakeup_new")
int sched_wakeup_new(struct bpf_raw_tracepoint_args *ctx)
{
	wait_begin(ctx->args[0], bpf_ktime_get_ns());
	return 0;
}

/*
 * TP_PROTO(bool preempt, struct task_struct *prev, struct task_struct *next,
 * unsigned int prev_state). The kernel counts a switch as voluntary by the
 * same rule (__schedule(): nvcsw, nivcsw).
 */
SEC("?raw_tp/sched_switch")
int sched_switch(struct bpf_raw_tracepoint_args *ctx)
{
	__u64 preempt = ctx->args[0];
	__u32 prev_state = ctx->args[3];

	switch_tasks(ctx->args[1], ctx->args[2],
		     preempt || !prev_state ? SWITCH_INVOLUNTARY : SWITCH_VOLUNTARY);
	return 0;
}
char LICENSE[] SEC("license") = "Dual BSD/GPL";
