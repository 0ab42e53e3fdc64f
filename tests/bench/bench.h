/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What the benchmarks share: medians, and the machine that they were measured on. */
#ifndef BRAMBLE_BENCH_H
#define BRAMBLE_BENCH_H

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "kernel/mounts.h"
#include "util/quantile.h"

/* As it is mounted, or by this process for itself. Good until the program ends. */
static inline const char *tracefs_path(void)
{
	const struct mount_places places = {.procfs = "/proc", .sysfs = "/sys"};
	static struct mounts mounts;

	if (!mounts.tracefs[0])
		mounts_find(&places, &mounts);
	if (mounts.tracefs_err) {
		fprintf(stderr, "tracefs is not mounted, and cannot be: run this as root\n");
		exit(1);
	}
	return mounts.tracefs;
}

/* The last CPU for this process alone, so that nothing else runs on it in the middle of a batch. */
static inline void take_cpu(void)
{
	struct sched_param first = {.sched_priority = 1};
	cpu_set_t cpu;

	CPU_ZERO(&cpu);
	CPU_SET((size_t)sysconf(_SC_NPROCESSORS_ONLN) - 1, &cpu);
	if (sched_setaffinity(0, sizeof(cpu), &cpu) || sched_setscheduler(0, SCHED_FIFO, &first)) {
		fprintf(stderr, "cannot take a CPU: run this as root\n");
		exit(1);
	}
}

static inline void print_machine(void)
{
	char line[256] = "", model[128] = "unknown";
	FILE *file = fopen("/proc/cpuinfo", "re");
	struct utsname kernel;

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "model name : %127[^\n]", model) == 1)
			break;
	if (file)
		fclose(file);
	uname(&kernel);
	printf("Linux %s %s, %s, %ld CPUs\n\n", kernel.release, kernel.machine, model,
	       sysconf(_SC_NPROCESSORS_ONLN));
}

#endif
