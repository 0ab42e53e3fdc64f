/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What a lack of memory does to tasks: how long they had to reclaim memory themselves before they
 * got some, and which of them the OOM killer killed.
 *
 * The OOM killer runs in the context of the task that wanted memory. The cgroup of its victim is
 * known only when the victim is the current task, which is when it exits.
 *
 * No field of a record is needed to find the victim. Under the victim's task_lock(), the kernel
 * sends it a SIGKILL, whose tracepoint has the address of the task. Then the kernel marks it
 * (__oom_kill_process(), mark_oom_victim() in mm/oom_kill.c). The kernel also marks tasks that are
 * dying anyway, so that they get memory for that. It sends these no signal. They are not OOM kills,
 * neither in the kernel's own count nor here.
 */
#include <stdbool.h>

#include "bramble/growth.h"
#include "stall.bpf.h"

#define SIGKILL	      9
#define EEXIST	      17
#define SEND_SIG_PRIV 1 /* in place of a siginfo: the kernel sent it (linux/sched/signal.h) */

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1); /* as many as there are slots, set by the loader */
	__type(key, __u32);
	__type(value, struct memory_cell);
} memory_cells SEC(".maps");

struct stalls_map memory_stalls SEC(".maps");

struct stall_counts memory_counts;
__u64 memory_events;
__u64 memory_lost[STALL_LOST_REASONS];

/* OOM kills that were not counted: their victims had been forgotten because more were killed. */
__u64 memory_victims_lost;

/* The last SIGKILL that the kernel sent on a CPU. */
struct kernel_kill {
	__u64 by;    /* pid_tgid of the sender; 0: its mark has come */
	__u64 task;  /* the receiver */
	__u64 at_ns; /* when */
};

/*
 * The OOM killer marks its victim right after the signal, with a lock held. If a thread marks a
 * task later than this, it is another task, which was dying already and got no signal. The time is
 * long enough for a virtual CPU that does not run meanwhile.
 */
#define MARK_LATEST_NS 1000000000ULL

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1); /* possible CPUs, set by the loader */
	__type(key, __u32);
	__type(value, struct kernel_kill);
} last_kills SEC(".maps");

/*
 * Tasks that the kernel has sent a SIGKILL, by address. Few of them are victims of the OOM killer:
 * when the first process of a container dies, the kernel kills all others in it. Since 6.16, a task
 * may exit before it is marked. (The tracepoint of exits moved before exit_mm(), which had to wait
 * for the task_lock().)
 *
 * A task that exits and can no longer be marked is deleted. Tasks that had already exited when they
 * got the signal are left, and user space deletes them. The map is LRU in case there are too many.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, KILLED_MAX); /* more, set by the loader */
	__type(key, __u64);
	__type(value, struct killed_task);
} killed_tasks SEC(".maps");

/*
 * When a process was counted, by its id. With memory.oom.group the kernel kills and counts one
 * process twice, perhaps through another of its threads. After a minute, the same id is taken for
 * another process.
 */
#define SAME_PROCESS_NS 60000000000ULL

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, KILLED_MAX); /* more, set by the loader */
	__type(key, __u32);
	__type(value, __u64);
} counted_processes SEC(".maps");

/*
 * How many tasks in killed_tasks have not exited. While there are none, an exit costs next to
 * nothing. User space subtracts those that the map has forgotten.
 */
__u64 killed_running;

/* How many tasks were ever put into killed_tasks. */
__u64 killed_total;

static __always_inline int begin(void *ctx)
{
	stall_begin(ctx, &memory_stalls, &memory_counts);
	return 0;
}

static __always_inline int end(void *ctx)
{
	struct memory_cell *cell;
	struct stall stall;
	__u32 slot;

	shared_add(&memory_events, 1);
	if (!stall_end(&memory_stalls, &memory_counts, memory_lost, &stall))
		return 0;
	slot = slot_of_current(ctx);
	cell = bpf_map_lookup_elem(&memory_cells, &slot);
	if (cell)
		stall_count(&stall, PRESSURE_MEMORY, slot, &cell->stall);
	return 0;
}

SEC("?raw_tp/mm_vmscan_direct_reclaim_begin")
int memory_direct_begin(void *ctx)
{
	return begin(ctx);
}

SEC("?raw_tp/mm_vmscan_direct_reclaim_end")
int memory_direct_end(void *ctx)
{
	return end(ctx);
}

SEC("?raw_tp/mm_vmscan_memcg_reclaim_begin")
int memory_memcg_begin(void *ctx)
{
	return begin(ctx);
}

SEC("?raw_tp/mm_vmscan_memcg_reclaim_end")
int memory_memcg_end(void *ctx)
{
	return end(ctx);
}

/* Whether the process was counted already. If not, it counts as counted from now on. */
static __always_inline bool counted_before(__u32 tgid)
{
	__u64 *counted = bpf_map_lookup_elem(&counted_processes, &tgid);
	__u64 now = bpf_ktime_get_ns();

	/* Another CPU's time may be later. */
	if (counted && grown(now, *counted) < SAME_PROCESS_NS)
		return true;
	/* Two of its threads may exit at once: one of them deletes, one of them inserts. */
	if (counted && bpf_map_delete_elem(&counted_processes, &tgid))
		return true;
	return bpf_map_update_elem(&counted_processes, &tgid, &now, BPF_NOEXIST) == -EEXIST;
}

/* Only the CPU that removes the task from the map counts it. So it is counted once. */
static __always_inline void count_oom_kill(__u64 task, __u64 state)
{
	__u32 slot = killed_exited(state) - 1, tgid = state >> KILLED_TGID_SHIFT;
	struct memory_cell *cell;

	if (bpf_map_delete_elem(&killed_tasks, &task) || counted_before(tgid))
		return;
	shared_add(&memory_events, 1);
	cell = bpf_map_lookup_elem(&memory_cells, &slot);
	if (cell)
		shared_add(&cell->oom_kills, 1);
}

/* Adds to the task's state, and returns the new state. */
static __always_inline __u64 add_state(struct killed_task *killed, __u64 what)
{
	shared_add(&killed->state, what);
	return *(volatile __u64 *)&killed->state;
}

/*
 * TP_PROTO(int sig, struct kernel_siginfo *info, struct task_struct *task, int group,
 * int result)
 */
SEC("?raw_tp/signal_generate")
int memory_signal(struct bpf_raw_tracepoint_args *ctx)
{
	struct killed_task *known, killed = {0};
	__u32 cpu = bpf_get_smp_processor_id();
	struct kernel_kill *kill;
	__u64 task;

	if ((__u32)ctx->args[0] != SIGKILL || ctx->args[1] != SEND_SIG_PRIV)
		return 0;
	kill = bpf_map_lookup_elem(&last_kills, &cpu);
	if (!kill)
		return 0;
	task = ctx->args[2];
	kill->by = bpf_get_current_pid_tgid();
	kill->task = task;
	kill->at_ns = killed.at_ns = bpf_ktime_get_ns();
	killed.cpu = cpu;
	known = bpf_map_lookup_elem(&killed_tasks, &task);
	if (known && !killed_exited(known->state)) {
		known->at_ns = killed.at_ns;
		known->cpu = cpu;
		return 0;
	}
	shared_add(&killed_total, 1);
	/* If a task with this address has exited, it was another task. */
	bpf_map_update_elem(&killed_tasks, &task, &killed, BPF_ANY);
	shared_add(&killed_running, 1);
	return 0;
}

/* TP_PROTO(int pid), since 6.9 TP_PROTO(struct task_struct *task, uid_t uid) */
SEC("?raw_tp/mark_victim")
int memory_mark(void *ctx)
{
	__u32 cpu = bpf_get_smp_processor_id();
	struct killed_task *killed;
	struct kernel_kill *kill;
	__u64 task, state;

	kill = bpf_map_lookup_elem(&last_kills, &cpu);
	if (!kill || kill->by != bpf_get_current_pid_tgid())
		return 0;
	kill->by = 0;
	if (grown(bpf_ktime_get_ns(), kill->at_ns) > MARK_LATEST_NS)
		return 0;
	task = kill->task;
	killed = bpf_map_lookup_elem(&killed_tasks, &task);
	if (!killed) {
		shared_add(&memory_victims_lost, 1);
		return 0;
	}
	state = add_state(killed, 1);
	if (killed_exited(state))
		count_oom_kill(task, state);
	return 0;
}

/* Whether the OOM killer may still mark a task to which it has just sent the signal. */
static __always_inline bool may_be_marked(const struct killed_task *killed, __u64 task)
{
	__u32 cpu = killed->cpu;
	struct kernel_kill *kill = bpf_map_lookup_elem(&last_kills, &cpu);

	return kill && kill->task == task;
}

/* TP_PROTO(struct task_struct *p): the current task, still in its cgroup. */
SEC("?raw_tp/sched_process_exit")
int memory_exit(struct bpf_raw_tracepoint_args *ctx)
{
	struct killed_task *killed;
	__u64 task, slot, tgid, state;

	if (!killed_running)
		return 0;
	task = ctx->args[0];
	killed = bpf_map_lookup_elem(&killed_tasks, &task);
	if (!killed || killed_exited(killed->state))
		return 0;
	shared_add(&killed_running, -1);
	/* It was killed, so it is no kernel thread. */
	slot = slot_of(bpf_get_current_cgroup_id(), SLOT_OF_CURRENT);
	tgid = bpf_get_current_pid_tgid() >> 32;
	state = add_state(killed, tgid << KILLED_TGID_SHIFT | (slot + 1) << KILLED_SLOT_SHIFT);
	if (state & KILLED_MARKS)
		count_oom_kill(task, state);
	else if (!may_be_marked(killed, task))
		bpf_map_delete_elem(&killed_tasks, &task);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
