/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Time that is covered by intervals which are told in the order of their ends, and may have
 * begun at any time before: how much is covered is then partly estimated.
 */
#ifndef BRAMBLE_SPAN_BPF_H
#define BRAMBLE_SPAN_BPF_H

#include "bramble/cells.h"
#include "bramble/growth.h"

/*
 * The states may not fit together: clocks step back by some nanoseconds, and others may have
 * changed one of two numbers. So no difference is ever below zero, and what an interval covers is
 * at most its length: span_limit().
 */

/* How much of the time between two states of a span it does not cover. */
static __always_inline __u64 span_gaps(const struct span *from, const struct span *to)
{
	__u64 time = grown(to->until_ns, from->until_ns);
	__u64 covered = to->covered_ns - from->covered_ns;

	/* Less is covered than before, by an estimate: then there are no gaps to fill. */
	if (!from->until_ns || (__s64)covered < 0)
		return 0;
	return grown(time, covered);
}

/* The same for the part of it that lies behind start, as if the gaps were spread evenly. */
static __always_inline __u64 span_gaps_behind(const struct span *from, const struct span *to,
					      __u64 start)
{
	__u64 gaps = span_gaps(from, to), time = grown(to->until_ns, from->until_ns), in_1024;

	if (!gaps)
		return 0;
	in_1024 = time >> 40 ? gaps / (time >> 10) : (gaps << 10) / time;
	return grown(to->until_ns, start) * in_1024 >> 10;
}

/* What an interval from start to end may add at most. */
static __always_inline __u64 span_limit(__u64 covers, __u64 start, __u64 end)
{
	__u64 most = grown(end, start);

	return covers < most ? covers : most;
}

/* The span as it was where its last run without a gap begins. */
static __always_inline struct span span_at(const struct span *span, __u64 from_ns)
{
	struct span run = {
		.until_ns = from_ns,
		.covered_ns = span->covered_ns - (span->until_ns - from_ns),
	};

	return run;
}

#endif
