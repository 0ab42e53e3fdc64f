/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "probe/stalls.h"

#include <errno.h>
#include <string.h>

#include "bramble/cells.h"
#include "bramble/growth.h"
#include "probe/maps.h"
#include "util/clock.h"

/* What lasts longer did not end: its thread is gone, or its end was missed. */
#define ENDLESS_NS (3600 * NS_PER_S)

static void count(const struct stall_set *set, unsigned int way, struct stall_counts *counts)
{
	__atomic_add_fetch(&counts->all, 1, __ATOMIC_RELAXED);
	__atomic_add_fetch(&counts->of_group[set->group[way] % PAIR_GROUPS], 1, __ATOMIC_RELAXED);
}

static void tidy_set(struct stall_set *set, struct stall_counts *counts, uint64_t now_ns)
{
	unsigned int way;

	for (way = 0; way < STALL_WAYS; way++) {
		uint64_t since_ns = *(volatile __u64 *)&set->since_ns[way];

		if (!since_ns)
			continue;
		if (grown(now_ns, since_ns) > ENDLESS_NS)
			set->since_ns[way] = 0;
		else
			count(set, way, counts);
	}
}

int stalls_tidy(const struct bpf_map *stalls, struct stall_counts *counts, uint64_t now_ns)
{
	struct stall_set *sets = probe_map_array(stalls);
	unsigned int i;

	if (!sets)
		return -ENOMEM;
	/* A stall that begins or ends meanwhile may be counted wrongly, until the next time. */
	memset(counts, 0, sizeof(*counts));
	for (i = 0; i < STALL_SETS; i++)
		tidy_set(&sets[i], counts, now_ns);
	probe_unmap_array(stalls, sets);
	return 0;
}
