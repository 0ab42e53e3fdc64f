/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Adds to histograms and counters that all CPUs share, with atomics that 5.10 has on arm64. */
#ifndef BRAMBLE_HIST_BPF_H
#define BRAMBLE_HIST_BPF_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "bramble/hist.h"

/* If its result is not used, the builtin becomes an instruction that every kernel has. */
#define shared_add(value, n) ((void)__sync_fetch_and_add(value, n))

static __always_inline void hist_add_shared(struct hist *hist, __u64 ns)
{
	__u32 bucket = hist_bucket(ns);

	shared_add(&hist->sum_ns, ns);
	barrier_var(bucket); /* the compiler knows the bound; the verifier must see it checked */
	if (bucket < HIST_BUCKETS)
		shared_add(&hist->bucket[bucket], 1);
}

#endif
