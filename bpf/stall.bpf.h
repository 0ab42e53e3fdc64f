/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Stalls: what a task begins and ends itself, with nothing of its kind in
 * between. Both ends run in its context, so the cgroup is the current one, and
 * the beginning is kept by the thread's id.
 */
#ifndef BRAMBLE_STALL_BPF_H
#define BRAMBLE_STALL_BPF_H

#include "hist.bpf.h"
#include "slots.bpf.h"

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

/* Returns whether the length is known; if not, it is counted in lost. */
static __always_inline bool stall_end(void *stalls, __u64 *lost, __u64 *ns)
{
	__u64 thread = bpf_get_current_pid_tgid();
	__u64 *since = bpf_map_lookup_elem(stalls, &thread);

	if (!since || !*since) {
		shared_add(&lost[STALL_LOST_NO_BEGINNING], 1);
		return false;
	}
	*ns = bpf_ktime_get_ns() - *since;
	*since = 0;
	if ((__s64)*ns < 0) {
		shared_add(&lost[STALL_LOST_CLOCK], 1);
		return false;
	}
	return true;
}

#endif
