/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The least that any probe of the scheduler costs: one clock read at each event. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

__u64 stamp;

SEC("raw_tp/sched_wakeup")
int floor_wakeup(void *ctx)
{
	stamp = bpf_ktime_get_ns();
	return 0;
}

SEC("raw_tp/sched_wakeup_new")
int floor_wakeup_new(void *ctx)
{
	stamp = bpf_ktime_get_ns();
	return 0;
}

SEC("raw_tp/sched_switch")
int floor_switch(void *ctx)
{
	stamp = bpf_ktime_get_ns();
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
