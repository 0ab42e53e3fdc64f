/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "metrics/slot_warnings.h"

#include <inttypes.h>

#include "util/log.h"

void slot_warnings_look(struct slot_warnings *warnings, const struct probe *probe, uint64_t now_ns)
{
	uint64_t overflows = probe_slots_missed(probe);

	if (overflows == warnings->overflows || !log_is_due(&warnings->overflow_ns, now_ns))
		return;
	log_warn("%" PRIu64 " samples found no free slot and count as unit=\"overflow\": more "
		 "cgroups are active than the %u slots there are; give it more with --slots=%u",
		 overflows - warnings->overflows, probe_slots(probe) - 1,
		 probe_slots(probe) < SLOTS_MAX / 2 ? probe_slots(probe) * 2 : SLOTS_MAX);
	warnings->overflows = overflows;
}
