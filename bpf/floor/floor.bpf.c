/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What the probe's cost is measured against: the least that a hook costs. A program that does
 * nothing, and one that reads the clock. Not a part of the probe.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

__u64 cgroup;

SEC("raw_tp")
int empty_raw(void *ctx)
{
	return 0;
}

SEC("tp")
int empty_classic(void *ctx)
{
	return 0;
}

SEC("raw_tp")
int clock_raw(void *ctx)
{
	bpf_ktime_get_ns();
	return 0;
}

SEC("tp")
int clock_classic(void *ctx)
{
	bpf_ktime_get_ns();
	return 0;
}

/* Is attached nowhere: BPF_PROG_TEST_RUN tells in which cgroup the caller is. */
SEC("raw_tp")
int own_cgroup(void *ctx)
{
	cgroup = bpf_get_current_cgroup_id();
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
