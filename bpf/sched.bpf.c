/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Run-queue wait: how long a task was ready to run before it ran, and what ran on the CPU in the
 * meantime.
 *
 * Tasks are told apart by a key, the address of their task_struct. No field of it is read. The wait
 * of a task is known when the task is switched in. At that moment the current task, and with it the
 * current cgroup, is still the previous one. So the wait stays in the CPU's sched_cpu until its
 * task is switched out, and is then counted for the task's cgroup.
 *
 * The hooks run with interrupts off, so nothing interrupts them on their CPU. There is one
 * exception: a task that wakes itself does so with interrupts on (try_to_wake_up()), and another
 * wakeup may interrupt it. Both then write only to sets, where any CPU may write, and to the counts
 * of lost samples.
 */
#include <stdbool.h>

#include "vmlinux.h"
#include <bpf/bpf_core_read.h>

#include "hist.bpf.h"
#include "sched.bpf.h"
#include "sched_tasks.bpf.h"
#include "span.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1); /* possible CPUs x slots, set by the loader */
	__type(key, __u32);
	__type(value, struct sched_cell);
} sched_cells SEC(".maps");

struct sched_cpus_map sched_cpus SEC(".maps");

/* Nanoseconds waited, by pair. Bounded: a pair without a place goes to caused_other_ns. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, WAIT_PAIRS_MAX);
	__type(key, struct wait_pair);
	__type(value, __u64);
} wait_pairs SEC(".maps");

/*
 * How many pairs there are, and how many of a pod's or unit's victims, by a hash of its cgroup's
 * id. User space counts them anew when it deletes pairs.
 */
__u32 pairs_used;
__u32 pairs_of_group[1 << PAIR_GROUP_BITS];

__u32 membership_generation = SLOTS_MAX;

/* The set of tasks whose known slots are forgotten next: see sched_cgroup_attach(). */
__u32 next_set_to_forget;

/* Makes a new pair, if there is a place for one more of its victim's pod or unit. */
static __noinline int pair_add(struct wait_pair *pair)
{
	__u32 victim = pair ? pair->victim : SLOT_OVERFLOW, group;
	__u64 *id = bpf_map_lookup_elem(&slot_groups, &victim), zero = 0;

	if (!pair || !id)
		return 0;
	group = pair_group(*id);
	if (pairs_of_group[group] >=
	    (pairs_used < WAIT_PAIRS_SHARED ? WAIT_PAIRS_GROUP : WAIT_PAIRS_QUOTA))
		return 0;
	if (bpf_map_update_elem(&wait_pairs, pair, &zero, BPF_NOEXIST))
		return 0;
	shared_add(&pairs_used, 1);
	shared_add(&pairs_of_group[group], 1);
	return 0;
}

static __noinline int charge_cause(struct sched_cell *cell, __u32 victim, __u32 cause,
				   __u64 wait_ns)
{
	struct wait_pair pair = {.victim = victim, .cause = cause};
	__u64 *sum;

	if (!cell)
		return 0;
	sum = bpf_map_lookup_elem(&wait_pairs, &pair);
	if (!sum) {
		pair_add(&pair);
		sum = bpf_map_lookup_elem(&wait_pairs, &pair);
	}
	if (sum) {
		shared_add(sum, wait_ns);
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
	barrier_var(bucket); /* the compiler knows the bound; the verifier must see it checked */
	if (bucket < HIST_BUCKETS)
		hist->bucket[bucket]++;
}

/*
 * Adds a wait that began before the last stretch without a gap. Other tasks of the cgroup have
 * waited and run meanwhile, and this wait fills the gaps between their waits. The size of the gaps
 * is known exactly since two moments: since such a wait was last added, because it filled the
 * earlier gaps; and since a task was last preempted, which is mostly the task that waited now. From
 * any other moment on it is estimated.
 */
static __noinline int wait_add_long(struct sched_cell *cell, __u64 start, __u64 end)
{
	struct span run; /* where the last stretch without a gap begins */
	__u64 gaps, until;

	if (!cell)
		return 0;
	run = span_at(&cell->waiting, cell->waiting_from_ns);
	if (start <= cell->added.until_ns)
		gaps = span_gaps(&cell->added, &run);
	else if (cell->preempted.until_ns > run.until_ns ||
		 cell->preempted.until_ns <= cell->added.until_ns)
		gaps = span_gaps_behind(&cell->added, &run, start);
	else if (start <= cell->preempted.until_ns)
		gaps = span_gaps(&cell->preempted, &run) +
		       span_gaps_behind(&cell->added, &cell->preempted, start);
	else
		gaps = span_gaps_behind(&cell->preempted, &run, start);
	until = cell->waiting.until_ns;
	cell->waiting.covered_ns += span_limit(gaps + grown(end, until), start, end);
	if (end > until)
		cell->waiting.until_ns = end;
	cell->waiting_from_ns = start;
	cell->added = cell->waiting;
	return 0;
}

/* The time in which at least one task of the cgroup waited on this CPU. */
static __always_inline void wait_add(struct sched_cell *cell, __u64 start, __u64 end)
{
	struct span *waiting = &cell->waiting, *preempted = &cell->preempted;

	if (start < cell->waiting_from_ns) {
		wait_add_long(cell, start, end);
		return;
	}
	if (start > waiting->until_ns)
		cell->waiting_from_ns = start;
	else
		start = waiting->until_ns;
	/* This task was already waiting when that task was preempted. */
	if (start < preempted->until_ns)
		preempted->covered_ns += preempted->until_ns - start;
	waiting->covered_ns += end - start;
	waiting->until_ns = end;
}

/* Tasks come to a cgroup, or leave it (-1). The cell is of this CPU. Interrupts are off. */
static __noinline int lives_add(const struct sched_cpu *c, __u32 slot, int tasks, __u64 at_ns)
{
	__u32 index = c ? c->first_cell + slot : 0;
	struct sched_cell *cell = bpf_map_lookup_elem(&sched_cells, &index);

	if (!c || !cell)
		return 0;
	cell->lives.begun++;
	barrier();
	cell->lives.tasks += tasks;
	cell->lives.at_ns += tasks < 0 ? -at_ns : at_ns;
	barrier();
	cell->lives.done++;
	return 0;
}

/* Why a wait is not known. For one that was blocked, it is WAIT_UNKNOWN and for how long. */
static __always_inline void wait_lost(struct sched_cpu *c, __u64 wait_ns)
{
	if (wait_ns - WAIT_UNKNOWN >= SINCE_THROTTLED / 2) {
		c->lost[SCHED_LOST_CLOCK]++;
		return;
	}
	c->lost[SCHED_LOST_NO_WAKEUP]++;
	if (wait_ns != WAIT_UNKNOWN)
		blocked_count_lost(BLOCKED_LOST_NO_WAKEUP);
}

/* Counts the switch, and the wait that came before it, for the current task. */
static __always_inline void leave(struct sched_cpu *c, bool wait_known, __u32 slot,
				  enum switch_kind kind, __u64 now)
{
	__u32 index = c->first_cell + slot;
	struct sched_cell *cell = bpf_map_lookup_elem(&sched_cells, &index);
	__u64 wait_ns = c->wait_ns;

	if (!cell)
		return;
	cell->switches[kind]++;
	if (!wait_known) {
		if (c->running)
			c->lost[SCHED_LOST_NO_SWITCH]++;
		return;
	}
	cell->ran_ns += now - c->in_ns;
	if ((__s64)wait_ns < 0) {
		wait_ns -= THROTTLED_WAIT;
		if (wait_ns >= SINCE_THROTTLED / 2) {
			wait_lost(c, c->wait_ns);
			return;
		}
		cell->throttled_ns += wait_ns;
	}
	wait_add(cell, c->in_ns - wait_ns, c->in_ns);
	if (kind == SWITCH_INVOLUNTARY) {
		cell->preempted.covered_ns = cell->waiting.covered_ns;
		cell->preempted.until_ns = now;
	}
	hist_add(&cell->wait, wait_ns);
	if (wait_ns >= WAIT_CAUSED_MIN_NS)
		charge_cause(cell, slot, c->cause, wait_ns);
}

/* Takes over the wait of the task that is switched in, and remembers the task. */
static __always_inline void enter(struct sched_cpu *c, __u64 next, __u32 cause, __u64 now)
{
	struct task_set *set = task_set_of(next);
	known_slot_t known;
	__u64 since_ns;
	__u32 way;

	c->running = next;
	c->cause = cause;
	c->in_ns = now;
	c->wait_ns = WAIT_UNKNOWN;
	c->known_slot = 0;
	if (!set)
		return;
	way = task_way(set, next);
	if (way == TASK_WAYS)
		return;
	since_ns = set->since_ns[way];
	set->since_ns[way] = 0;
	known = set->known_slot[way];
	c->known_slot = known ? known ^ key_mark(next) : 0;
	if (since_ns)
		c->wait_ns = now - since_ns;
}

static __always_inline bool is_idle(struct sched_cpu *c, __u64 key)
{
	if (key == c->idle)
		return true;
	if (c->idle || (__u32)bpf_get_current_pid_tgid())
		return false;
	c->idle = key;
	return true;
}

/*
 * The slot of the current task was another one, as far as is known. If that slot has no cgroup by
 * now, it was taken back, perhaps from this task's cgroup. Else the task was moved, or created in
 * another cgroup than that of its parent. It counts for the new one since it began to wait.
 */
static __always_inline void lives_move(const struct sched_cpu *c, __u64 key, known_slot_t known,
				       __u32 slot, __u64 now)
{
	__u32 before = known & (SLOTS_MAX - 1);
	__u64 *cgroup = bpf_map_lookup_elem(&slot_cgroups, &before);

	if (before == slot || !cgroup || !*cgroup)
		return;
	if (c->running == key)
		now = c->in_ns - ((__s64)c->wait_ns < 0 ? 0 : c->wait_ns);
	lives_add(c, before, -1, now);
	lives_add(c, slot, 1, now);
}

/*
 * Looks up the slot of the current task's cgroup and keeps it with the task, so that the next
 * switches need not look it up. The overflow slot is not kept, because a slot may become free.
 */
static __noinline __u32 slot_learn(void *ctx, const struct sched_cpu *c, __u64 key, __u64 now)
{
	/* Read this before the cgroup. If the task moves in between, this generation is an old one.
	 */
	__u32 known = *(volatile __u32 *)&membership_generation;
	struct task_set *set = task_set_of(key);
	__u32 way = set ? task_way(set, key) : TASK_WAYS;
	__u32 slot = slot_of_task(ctx, set && way < TASK_WAYS && set->marks[way] & TASK_USER);

	if (blocked_on)
		blocked_take(key, slot);
	if (!set || slot == SLOT_OVERFLOW)
		return slot;
	if (c && way < TASK_WAYS) {
		if (set->known_slot[way])
			lives_move(c, key, set->known_slot[way] ^ key_mark(key), slot, now);
		set->known_slot[way] = (known | slot) ^ key_mark(key);
	}
	return slot;
}

/*
 * A task was created by the current one. It begins in the same cgroup, unless it is created in
 * another one (CLONE_INTO_CGROUP). So its slot is known, but of an earlier generation: it is looked
 * up when the task leaves the CPU.
 */
static __always_inline int born(void *ctx, __u64 key)
{
	__u64 now = bpf_ktime_get_ns();
	__u32 cpu = bpf_get_smp_processor_id();
	struct sched_cpu *c = bpf_map_lookup_elem(&sched_cpus, &cpu);
	struct task_set *set = task_set_of(key);
	known_slot_t known = *(volatile __u32 *)&membership_generation - SLOTS_MAX;
	__u32 slot, way;

	wait_begin(key, now, true);
	if (!c || !set)
		return 0;
	slot = slot_of_running(ctx, cpu);
	lives_add(c, slot, 1, now);
	way = task_way(set, key);
	if (way < TASK_WAYS)
		set->known_slot[way] = (known | slot) ^ key_mark(key);
	return 0;
}

/* A task leaves its CPU to be blocked, or for ever. */
static __noinline int part(const struct sched_cpu *c, __u64 key, __u32 slot, __u32 state, __u64 now)
{
	if (state & TASK_DEAD)
		lives_add(c, slot, -1, now);
	else if (state_is_blocked(state) && blocked_on)
		block_begin(key, now);
	return 0;
}

/* state: in which prev leaves the CPU. Its bits count if it does so voluntarily. */
static __always_inline void switch_tasks(void *ctx, __u64 prev, __u64 next, enum switch_kind kind,
					 __u32 state)
{
	__u64 now = bpf_ktime_get_ns();
	__u32 cpu = bpf_get_smp_processor_id();
	struct sched_cpu *c = bpf_map_lookup_elem(&sched_cpus, &cpu);
	__u32 slot = SLOT_IDLE;

	if (!c)
		return;
	c->events++;
	if (!is_idle(c, prev)) {
		bool same = c->running == prev;

		slot = same ? slot_known(c->known_slot) : SLOT_OVERFLOW;
		if (slot == SLOT_OVERFLOW)
			slot = slot_learn(ctx, c, prev, now);
		leave(c, same, slot, kind, now);
		if (kind == SWITCH_INVOLUNTARY)
			wait_begin(prev, next == c->idle ? now | SINCE_THROTTLED : now, false);
		else if (state & (TASK_UNINTERRUPTIBLE | TASK_DEAD))
			part(c, prev, slot, state, now);
	}
	enter(c, next, slot, now);
}

/* TP_PROTO(struct task_struct *p), for both */
SEC("?raw_tp/sched_wakeup")
int sched_wakeup(struct bpf_raw_tracepoint_args *ctx)
{
	wait_begin(ctx->args[0], bpf_ktime_get_ns(), false);
	return 0;
}

SEC("?raw_tp/sched_wakeup_new")
int sched_wakeup_new(struct bpf_raw_tracepoint_args *ctx)
{
	return born(ctx, ctx->args[0]);
}

/*
 * A task, or all threads of a process, moved to another cgroup. The kernel moves tasks under one
 * mutex, so two moves do not run at once. But user space also changes the generation.
 *
 * There are 2^17 generations, which then repeat. A task may sleep for so long that the generation
 * of its slot comes again. So each move forgets the known slots of one set, in turn. In this way no
 * slot stays known for more than TASK_SETS moves.
 */
SEC("?raw_tp/cgroup_attach_task")
int sched_cgroup_attach(void *ctx)
{
	__u32 index = next_set_to_forget++ % TASK_SETS;
	struct task_set *set = bpf_map_lookup_elem(&task_sets, &index);

	shared_add(&membership_generation, SLOTS_MAX);
	if (set)
		set->known_slot[0] = set->known_slot[1] = set->known_slot[2] = 0;
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

	switch_tasks(ctx, ctx->args[1], ctx->args[2],
		     preempt || !prev_state ? SWITCH_INVOLUNTARY : SWITCH_VOLUNTARY, prev_state);
	return 0;
}

/*
 * For kernels before 5.18, whose raw tracepoint has no prev_state. These use the classic
 * tracepoints, with the thread's id as the key (0 for all idle tasks). Their prev_state is one bit:
 * a blocked task has TASK_UNINTERRUPTIBLE, and TASK_IDLE has a bit of its own (task_state_index()).
 * One that exits has the bit of its exit_state, and no other one has.
 */
#define STATE_PREEMPTED 0x100 /* TASK_REPORT_MAX, include/linux/sched.h since 4.14 */
#define STATE_EXITED	0x030 /* EXIT_DEAD, EXIT_ZOMBIE */

SEC("?tp/sched/sched_wakeup")
int sched_wakeup_classic(struct trace_event_raw_sched_wakeup_template *ctx)
{
	wait_begin(ctx->pid, bpf_ktime_get_ns(), false);
	return 0;
}

SEC("?tp/sched/sched_wakeup_new")
int sched_wakeup_new_classic(struct trace_event_raw_sched_wakeup_template *ctx)
{
	return born(ctx, ctx->pid);
}

SEC("?tp/sched/sched_switch")
int sched_switch_classic(struct trace_event_raw_sched_switch *ctx)
{
	long prev_state = ctx->prev_state;

	switch_tasks(ctx, ctx->prev_pid, ctx->next_pid,
		     !prev_state || prev_state & STATE_PREEMPTED ? SWITCH_INVOLUNTARY
								 : SWITCH_VOLUNTARY,
		     prev_state & STATE_EXITED ? TASK_DEAD : prev_state);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
