/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Stalls: what a task begins and ends itself, with nothing of its kind in
 * between. Both ends run in its context, so the cgroup is the current one, and
 * the beginning is kept by the thread's id.
 */
#ifndef BRAMBLE_STALL_BPF_H
#define BRAMBLE_STALL_BPF_H

#include "hist.bpf.h"
#include "pressure.bpf.h"

/*
 * Since when threads are stalled, 0: they are not. A thread keeps its place, so that both ends
 * only look it up, until others need it: LRU. The loader adds what the kernel keeps ready for
 * each CPU.
 */
struct stalls_map {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, STALLS_MAX);
	__type(key, __u64);
	__type(value, __u64);
};

/* One that the thread has not ended is forgotten. */
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

/* Returns whether its beginning is known; if not, it is counted in lost. */
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

/* Counts it for the slot, in its histogram and its pressure. */
static __always_inline void stall_count(const struct stall *stall, enum pressure_resource of,
					__u32 slot, struct hist *hist)
{
	hist_add_shared(hist, stall->until_ns - stall->since_ns);
	pressure_add(of, bpf_get_smp_processor_id(), slot, stall->since_ns, stall->until_ns);
}

#endif
