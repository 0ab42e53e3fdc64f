/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The time that intervals cover. Intervals are added in the order of their ends. An interval may
 * have begun at any earlier time, so the result is partly an estimate.
 */
#ifndef BRAMBLE_SPAN_BPF_H
#define BRAMBLE_SPAN_BPF_H

#include "bramble/cells.h"
#include "bramble/growth.h"

/*
 * Two states of a span may not fit together: clocks step back by some nanoseconds, and another CPU
 * may have changed one of two numbers. So no difference is taken below zero, and an interval never
 * covers more than its length: span_limit().
 */

/* The time between two states of a span that the span does not cover. */
static __always_inline __u64 span_gaps(const struct span *from, const struct span *to)
{
	__u64 time = grown(to->until_ns, from->until_ns);
	__u64 covered = to->covered_ns - from->covered_ns;

	/* By an estimate, less is covered than before. Then there are no gaps to fill. */
	if (!from->until_ns || (__s64)covered < 0)
		return 0;
	return grown(time, covered);
}

/* The same for the time after start. It assumes that the gaps are spread evenly. */
static __always_inline __u64 span_gaps_behind(const struct span *from, const struct span *to,
					      __u64 start)
{
	__u64 gaps = span_gaps(from, to), time = grown(to->until_ns, from->until_ns), in_1024;

	if (!gaps)
		return 0;
	in_1024 = time >> 40 ? gaps / (time >> 10) : (gaps << 10) / time;
	return grown(to->until_ns, start) * in_1024 >> 10;
}

/* Limits what an interval covers to its length. */
static __always_inline __u64 span_limit(__u64 covers, __u64 start, __u64 end)
{
	__u64 most = grown(end, start);

	return covers < most ? covers : most;
}

/* The span at the time from_ns, where its last stretch without a gap begins. */
static __always_inline struct span span_at(const struct span *span, __u64 from_ns)
{
	struct span run = {
		.until_ns = from_ns,
		.covered_ns = span->covered_ns - (span->until_ns - from_ns),
	};

	return run;
}

#endif
