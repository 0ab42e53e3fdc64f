/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "util/trim.h"

#include <malloc.h>

#include "bramble/growth.h"
#include "util/clock.h"

/* It is done for at least so much, and at most so often. */
#define FREED_MIN   ((size_t)256 << 10)
#define INTERVAL_NS (10 * NS_PER_S)

bool trim_if_due(struct trim *trim, uint64_t now_ns)
{
	if (trim->freed < FREED_MIN || grown(now_ns, trim->done_ns) < INTERVAL_NS)
		return false;
	malloc_trim(0);
	*trim = (struct trim){.done_ns = now_ns};
	return true;
}
