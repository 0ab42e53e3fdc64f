/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The frequency of the CPUs, as the kernel knows it. Because of heat or under-voltage, a Raspberry
 * Pi's firmware may run them slower than the kernel asks, without telling the kernel
 * (raspberrypi/linux#2986, #5874). Then temperature and throttle.h say more.
 */
#ifndef BRAMBLE_NODE_CPUFREQ_H
#define BRAMBLE_NODE_CPUFREQ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CPUFREQ_POLICIES_MAX 32

/* CPUs that share a frequency: all four on a Pi. */
struct cpufreq_policy {
	char cpus[64]; /* "0-3"; "policy4" if the CPUs do not identify it */
	int fd, limit_fd;
	bool known, limit_known;
	uint64_t hertz; /* now */
	uint64_t limit; /* the most the kernel allows now: less than max while it cools */
	uint64_t max;	/* the most the hardware can */
};

struct cpufreq {
	size_t count;
	struct cpufreq_policy policies[CPUFREQ_POLICIES_MAX];
};

void cpufreq_open(struct cpufreq *cpufreq, const char *sysfs);
void cpufreq_read(struct cpufreq *cpufreq);
void cpufreq_close(struct cpufreq *cpufreq);

/* Whether the kernel allows any CPU less than its maximum. Returns false if that is not known. */
bool cpufreq_limited(const struct cpufreq *cpufreq, bool *limited);

#endif
