/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "metrics/slot_warnings.h"

#include <inttypes.h>
#include <stdio.h>

#include "util/log.h"

void slot_warnings_remedy(char remedy[SLOT_REMEDY_SIZE], unsigned int slots)
{
	if (slots < SLOTS_MAX)
		snprintf(remedy, SLOT_REMEDY_SIZE, "give it more with --slots=%u",
			 slots < SLOTS_MAX / 2 ? slots * 2 : SLOTS_MAX);
	else
		snprintf(remedy, SLOT_REMEDY_SIZE, "that is the most that there may be");
}

void slot_warnings_look(struct slot_warnings *warnings, const struct probe *probe, uint64_t now_ns)
{
	uint64_t overflows = probe_slots_missed(probe);
	char remedy[SLOT_REMEDY_SIZE];

	if (overflows == warnings->overflows || !log_is_due(&warnings->overflow_ns, now_ns))
		return;
	slot_warnings_remedy(remedy, probe_slots(probe));
	log_warn("%" PRIu64 " samples found no free slot and count as unit=\"overflow\": more "
		 "cgroups are active than the %u slots there are; %s",
		 overflows - warnings->overflows, probe_slots(probe) - 1, remedy);
	warnings->overflows = overflows;
}
