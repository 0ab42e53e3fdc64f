/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A stall is something that a task begins and ends itself, with no other stall of the same kind in
 * between. Both ends run in the task's context. So the cgroup is the current one, and the beginning
 * is stored under the thread's id.
 */
#ifndef BRAMBLE_STALL_BPF_H
#define BRAMBLE_STALL_BPF_H

#include "hist.bpf.h"
#include "pressure.bpf.h"

/*
 * Since when each thread is stalled; 0: it is not. A thread keeps its place until others need it
 * (LRU), so both ends of a stall only look it up. The loader adds the entries that the kernel keeps
 * ready for each CPU.
 */
struct stalls_map {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, STALLS_MAX);
	__type(key, __u64);
	__type(value, __u64);
};

/* Begins a stall. If the thread has not ended an earlier one, that one is forgotten. */
static __always_inline void stall_begin(void *stalls)
{
	__u64 thread = bpf_get_current_pid_tgid();
	__u64 *since = bpf_map_lookup_elem(stalls, &thread);
	__u64 now = bpf_ktime_get_ns();

	if (since)
		*since = now;
	else
		bpf_map_update_elem(stalls, &thread, &now, BPF_ANY);
}

struct stall {
	__u64 since_ns;
	__u64 until_ns;
};

/* Ends a stall. Returns false, and counts it in lost, if its beginning is not known. */
static __always_inline bool stall_end(void *stalls, __u64 *lost, struct stall *stall)
{
	__u64 thread = bpf_get_current_pid_tgid();
	__u64 *since = bpf_map_lookup_elem(stalls, &thread);

	if (!since || !*since) {
		shared_add(&lost[STALL_LOST_NO_BEGINNING], 1);
		return false;
	}
	stall->since_ns = *since;
	stall->until_ns = bpf_ktime_get_ns();
	*since = 0;
	if (stall->until_ns < stall->since_ns) {
		shared_add(&lost[STALL_LOST_CLOCK], 1);
		return false;
	}
	return true;
}

/* Counts a stall for a slot, in the histogram and in the pressure. */
static __always_inline void stall_count(const struct stall *stall, enum pressure_resource of,
					__u32 slot, struct hist *hist)
{
	hist_add_shared(hist, stall->until_ns - stall->since_ns);
	pressure_add(of, bpf_get_smp_processor_id(), slot, stall->since_ns, stall->until_ns);
}

#endif
