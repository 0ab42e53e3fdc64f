/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "pressure.bpf.h"
#include "span.bpf.h"

/* How many there are. Set by the loader. */
const volatile __u32 pressure_slots;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1); /* possible CPUs x slots, set by the loader */
	__type(key, __u32);
	__type(value, struct stall_cell);
} stall_cells SEC(".maps");

/* It began before what is known to be covered without a gap, and fills the gaps since then. */
static __always_inline __u64 gaps_filled(const struct stalled *stalled, __u64 since)
{
	struct span run = span_at(&stalled->time, stalled->from_ns);

	if (since <= stalled->added.until_ns)
		return span_gaps(&stalled->added, &run) +
		       /* Until the first was added, nothing was covered. */
		       (stalled->added.covered_ns ? 0 : stalled->added.until_ns - since);
	return span_gaps_behind(&stalled->added, &run, since);
}

/* Another CPU may add to the same: each value is read once, so that no difference wraps. */
static __always_inline void add(struct stalled *stalled, __u64 since, __u64 until)
{
	struct span *time = &stalled->time;
	__u64 before = *(volatile __u64 *)&time->until_ns;
	__u64 from = *(volatile __u64 *)&stalled->from_ns;

	if (!before) /* the first: nothing is covered before it */
		stalled->added.until_ns = stalled->from_ns = before = from = since;
	if (until < before) /* another CPU was faster */
		until = before;
	if (since < from) {
		time->covered_ns += gaps_filled(stalled, since) + (until - before);
		time->until_ns = until;
		stalled->from_ns = since;
		stalled->added = *time;
		return;
	}
	if (since > before)
		stalled->from_ns = since;
	else
		since = before;
	time->covered_ns += until - since;
	time->until_ns = until;
}

__noinline int pressure_add(enum pressure_resource of, __u32 cpu, __u32 slot, __u64 since_ns,
			    __u64 until_ns)
{
	__u32 index = cpu * pressure_slots + slot;
	struct stall_cell *cell = bpf_map_lookup_elem(&stall_cells, &index);

	if (!cell || until_ns < since_ns)
		return 0;
	add(of == PRESSURE_IO ? &cell->io : &cell->memory, since_ns, until_ns);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
