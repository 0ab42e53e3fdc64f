/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "hist.bpf.h"
#include "pressure.bpf.h"
#include "span.bpf.h"

/* How many slots there are. Set by the loader. */
const volatile __u32 pressure_slots;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1); /* possible CPUs x slots, set by the loader */
	__type(key, __u32);
	__type(value, struct stall_cell);
} stall_cells SEC(".maps");

#define READ_ONCE(number)	  (*(volatile __u64 *)&(number))
#define WRITE_ONCE(number, value) (*(volatile __u64 *)&(number) = (value))

/* The gaps that a stall fills which began before the last stretch without a gap. */
static __always_inline __u64 gaps_filled(const struct stalled *stalled, __u64 since)
{
	struct span run = span_at(&stalled->time, stalled->from_ns);

	if (since <= stalled->added.until_ns)
		return span_gaps(&stalled->added, &run) +
		       /* Until the first stall was added, nothing was covered. */
		       (stalled->added.covered_ns ? 0 : stalled->added.until_ns - since);
	return span_gaps_behind(&stalled->added, &run, since);
}

static __always_inline struct stalled read_once(struct stalled *stalled)
{
	struct stalled known = {
		.time = {READ_ONCE(stalled->time.covered_ns), READ_ONCE(stalled->time.until_ns)},
		.from_ns = READ_ONCE(stalled->from_ns),
		.added = {READ_ONCE(stalled->added.covered_ns), READ_ONCE(stalled->added.until_ns)},
	};

	return known;
}

/*
 * Other CPUs, and interrupts, may add to the same cell at the same time. So each number is read
 * once before anything is computed. The covered time grows with an atomic addition, by no more than
 * the stall took. For the other numbers, the last writer wins.
 */
static __always_inline void add(struct stalled *stalled, __u64 since, __u64 until)
{
	struct stalled known = read_once(stalled);
	__u64 before = known.time.until_ns, covers;

	if (!before) { /* the first: nothing is covered before it */
		known.added.until_ns = known.from_ns = before = since;
		WRITE_ONCE(stalled->added.until_ns, since);
		WRITE_ONCE(stalled->from_ns, since);
	}
	covers = grown(until, since > before ? since : before); /* another CPU may be ahead */
	if (since < known.from_ns) {
		covers = span_limit(covers + gaps_filled(&known, since), since, until);
		WRITE_ONCE(stalled->from_ns, since);
		WRITE_ONCE(stalled->added.covered_ns, known.time.covered_ns + covers);
		WRITE_ONCE(stalled->added.until_ns, until > before ? until : before);
	} else if (since > before) {
		WRITE_ONCE(stalled->from_ns, since);
	}
	shared_add(&stalled->time.covered_ns, covers);
	if (until > before)
		WRITE_ONCE(stalled->time.until_ns, until);
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
