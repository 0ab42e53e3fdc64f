/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Time that is covered by intervals which are told in the order of their ends, and may have
 * begun at any time before: how much is covered is then partly estimated.
 */
#ifndef BRAMBLE_SPAN_BPF_H
#define BRAMBLE_SPAN_BPF_H

#include "bramble/cells.h"

/* How much of the time between two states of a span it does not cover. */
static __always_inline __u64 span_gaps(const struct span *from, const struct span *to)
{
	__u64 time = to->until_ns - from->until_ns, covered = to->covered_ns - from->covered_ns;

	return from->until_ns && time > covered ? time - covered : 0;
}

/* The same for the part of it that lies behind start, as if the gaps were spread evenly. */
static __always_inline __u64 span_gaps_behind(const struct span *from, const struct span *to,
					      __u64 start)
{
	__u64 gaps = span_gaps(from, to), time = to->until_ns - from->until_ns;

	return gaps ? (to->until_ns - start) * ((gaps << 10) / time) >> 10 : 0;
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
