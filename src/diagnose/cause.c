/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "diagnose/cause.h"

#include "diagnose/levels.h"

/* clang-format off */
const struct cause_kind cause_kinds[CAUSES] = {
	[WAIT_CPU] = {
		.name = "cpu", .word = "CPU", .letter = 'C',
		.state = "waits for CPU", .less = "waits less for CPU",
		.parts = {{SIGNAL_CPU_WAIT, " for CPU", NULL}}, .part_count = 1,
		.least = LEVEL_CPU,
		/* Its advice depends on who ran: telling.c. */
	},
	[WAIT_THROTTLED] = {
		.name = "cpu_limit", .word = "throttled", .letter = 'T',
		.state = "is throttled", .less = "is throttled less",
		.has_counter = true, .counter = SIGNAL_CPU_THROTTLED,
		.counter_words = " because of its own CPU limit (throttled)",
		.least = LEVEL_CPU_LIMIT,
		.advice = "raise the CPU limit of %1 (resources.limits.cpu), or remove it",
		.unit_advice = "raise the CPU limit of %1 (CPUQuota), or remove it",
	},
	[WAIT_DISK] = {
		.name = "disk", .word = "disk", .letter = 'D',
		.state = "waits for the disk", .less = "waits less for the disk",
		.parts = {{SIGNAL_BLOCK_READ, " for the disk", "reads"}, {SIGNAL_QUEUE_READ, NULL, NULL}},
		.part_count = 2,
		.least = LEVEL_DISK,
		.hint = "reads that the kernel makes ahead, which nobody waits for, count as well",
		.advice = "put the data of %1 on a faster disk (an SSD in place of the SD card), or leave "
			  "more memory free to keep its files in",
	},
	[WAIT_FSYNC] = {
		.name = "fsync", .word = "fsync", .letter = 'F',
		.state = "waits for fsync", .less = "waits less for fsync",
		.parts = {{SIGNAL_FSYNC, " for fsync", "calls"}}, .part_count = 1,
		.least = LEVEL_FSYNC,
		.advice = "move the data of %1 off the SD card to an SSD, and away from what else writes "
			  "to that disk",
	},
	[WAIT_NETWORK] = {
		.name = "network", .word = "network", .letter = 'N',
		.state = "waits for the network", .less = "waits less for the network",
		.parts = {{SIGNAL_RESPONSE_CLIENT, " for answers of network peers", "answers"},
			  {SIGNAL_CONNECT, " for connections to be opened", "connections"}},
		.part_count = 2,
		.least = LEVEL_NETWORK,
		.hint = "a client that waits for news looks the same",
		.advice = "look at the servers that %1 asks: `bramble why` on their nodes",
	},
	[WAIT_MEMORY] = {
		.name = "memory", .word = "memory", .letter = 'M',
		.state = "waits for memory", .less = "waits less for memory",
		.parts = {{SIGNAL_MEMORY_STALL, " for memory", "stalls"}}, .part_count = 1,
		.has_counter = true, .counter = SIGNAL_PRESSURE_MEMORY,
		.counter_words = " for memory to be reclaimed",
		.least = LEVEL_MEMORY,
		.advice = "the node is short of memory: move something to another node, and give what "
			  "grows a memory limit",
	},
	[WAIT_BLOCKED] = {
		.name = "blocked", .word = "blocked", .letter = 'B',
		.state = "is blocked in the kernel", .less = "is blocked less",
		.parts = {{SIGNAL_BLOCKED, " blocked in the kernel, for a reason that is not measured",
			   "sleeps"}},
		.part_count = 1,
		.least = LEVEL_BLOCKED,
		.hint = "what of it reads, fsyncs and memory do not explain; a parent that waits in vfork() "
			"for its child looks the same",
		.advice = "look where its threads are: the state D in ps, and /proc/PID/stack. Often it "
			  "writes more than the disk takes, or waits for NFS or for a lock of the kernel",
	},
	[CAUSE_MEMORY_LIMIT] = {
		.name = "memory_limit",
		.least = LEVEL_MEMORY,
		.advice = "raise the memory limit of %1 (resources.limits.memory), or find what fills it",
		.unit_advice = "raise the memory limit of %1 (MemoryMax), or find what fills it",
	},
	[CAUSE_SLOW_ANSWERS] = {
		.name = "slow_answers",
		.least = LEVEL_SLOW_ANSWERS,
		.hint = "a server that keeps its clients waiting for news looks the same",
		.advice = "look at what %1 does while it answers: what it waits for stands beside this, "
			  "if it waits for anything that is measured",
	},
	[CAUSE_OOM_KILLS] = {
		.name = "oom_kill",
		.happened = "killed for lack of memory",
		.weight = 60, /* a container is started again after 10 s to 5 min, and then warms up */
		.advice = "raise the memory limit of %1 (resources.limits.memory), or find what fills it",
		.unit_advice = "raise the memory limit of %1 (MemoryMax), or find what fills it",
	},
	[CAUSE_LOST_PACKETS] = {
		.name = "retransmits",
		.happened = "TCP segments sent again",
		.per_second = RETRANSMITS_PER_SECOND,
		.weight = 0.2, /* the least time after which TCP sends again by its timer */
		.hint = "the time that it lost by that is not measured",
		.advice = "look at the network between %1 and its peers: Wi-Fi, a cable, a switch",
	},
	[CAUSE_CONNECT_FAILURES] = {
		.name = "connect_failures",
		.happened = "connections failed",
		.per_second = LEVEL_CONNECT_FAILURES,
		.weight = 1, /* programs try again after a second or so */
		.hint = "the time that it lost by that is not measured",
		.advice = "look whether what %1 connects to runs, is ready, and may be reached (NetworkPolicy)",
	},
	[CAUSE_FULL_QUEUE] = {
		.name = "accept_queue",
		.happened = "connections turned away by its full accept queue",
		.per_second = LEVEL_FULL_QUEUE,
		.weight = 1, /* a client tries again after a second, then after two */
		.hint = "the time that its clients lost by that is not measured",
		.advice = "let %1 accept sooner: more threads or replicas; or give it a longer queue (its backlog, "
			  "and net.core.somaxconn)",
	},
	[CAUSE_UNDER_VOLTAGE] = {
		.name = "under_voltage",
		.happened = "its voltage is too low, so it runs slower",
		.advice = "use the power supply made for this board (Pi 4: 5.1 V 3 A, Pi 5: 5.1 V 5 A) with "
			  "a short cable, and power USB disks on their own",
	},
	[CAUSE_HEAT] = {
		.name = "heat",
		.happened = "it is too hot, so it runs slower",
		.advice = "cool the board: a heat sink, a fan, air around its case",
	},
	[CAUSE_DISK_FULL] = {
		.name = "disk_full",
		.happened = " is nearly full",
		.advice = "make room on %2: unused images (crictl rmi --prune), logs, old volumes; the kubelet "
			  "evicts pods below 10 %",
	},
	[CAUSE_NO_INODES] = {
		.name = "no_inodes",
		.happened = " has hardly any inodes left",
		.advice = "remove files on %2, of which there are too many; the kubelet evicts pods below 5 %",
	},
	[CAUSE_READ_ONLY] = {
		.name = "read_only",
		.happened = " cannot be written to",
		.advice = "look for errors of the disk in dmesg, save the data, and replace the SD card",
	},
	[CAUSE_LOW_MEMORY] = {
		.name = "low_memory",
		.happened = "it has hardly any memory left",
		.advice = "move something to another node: the kubelet evicts pods below 100 MiB",
	},
};
/* clang-format on */
