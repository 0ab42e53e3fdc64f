/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The least that a hook costs: a program that does nothing, and one that reads the clock. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

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

char LICENSE[] SEC("license") = "Dual BSD/GPL";
