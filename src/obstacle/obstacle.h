/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What is in the way of a start, and what helps. This is the one place that decides it, so serve,
 * the probe of top, and check all say the same.
 *
 * The failed step and its errno go in, together with what the machine says about itself. A cause
 * and a remedy come out. The caller names the object: "cannot attach to the tracepoint X: CAUSE;
 * REMEDY".
 */
#ifndef BRAMBLE_OBSTACLE_H
#define BRAMBLE_OBSTACLE_H

#include <stdbool.h>
#include <sys/types.h>

#include "cgroup/mount.h"
#include "kernel/mounts.h"
#include "obstacle/machine.h"
#include "util/log.h"

enum obstacle_step {
	OBSTACLE_BPF,	     /* making a map, loading the smallest program */
	OBSTACLE_PROGRAMS,   /* loading bramble's programs, where the smallest could be */
	OBSTACLE_PERF_EVENT, /* opening a tracepoint as a perf event */
	OBSTACLE_ATTACH,     /* attaching a program to a tracepoint */
	OBSTACLE_FUNCTION, /* loading or attaching a program that hooks a function of the kernel */
	OBSTACLE_TRACEFS,  /* reading a file of tracefs */
	OBSTACLE_FILE,	   /* reading or making another file */
};

struct obstacle {
	char cause[256];
	char remedy[384]; /* empty if nothing is known to help */
};

/* err: a negative errno. */
void obstacle_find(const struct machine *machine, enum obstacle_step step, int err,
		   struct obstacle *out);

/* Capabilities that are missing. There is at least one. */
void obstacle_of_caps(const struct machine *machine, struct obstacle *out);

/* A user namespace, a seccomp filter, a kernel that is locked down. */
void obstacle_of_user_namespace(struct obstacle *out);
void obstacle_of_seccomp(const char *call, struct obstacle *out);
void obstacle_of_lockdown(struct obstacle *out);

/* Fewer open files than needed; needed is 0 if that is not known. */
void obstacle_of_files(unsigned long limit, unsigned long needed, struct obstacle *out);

/* The obstacle to mounts_find(): cgroup2_err or tracefs_err is not 0. */
void obstacle_of_cgroup2(const struct mount_places *places, const struct mounts *mounts,
			 struct obstacle *out);
void obstacle_of_tracefs(const struct mount_places *places, const struct mounts *mounts,
			 struct obstacle *out); /* tries to load a program */

/* A cgroup mount that shows only a part of the hierarchy. */
void obstacle_of_part(const struct cgroup2_mount *mount, struct obstacle *out);

/* Listening on a TCP address: with this port. */
void obstacle_of_address(int err, unsigned int port, struct obstacle *out);

/* Making a Unix socket. */
void obstacle_of_socket(int err, const char *path, struct obstacle *out);

/* Logs "OBJECT: CAUSE; REMEDY", the object by the format. */
__attribute__((format(printf, 3, 4))) void
obstacle_log(enum log_level level, const struct obstacle *obstacle, const char *format, ...);

/* Calls obstacle_find() with what the machine says now, and logs it. Takes some milliseconds. */
__attribute__((format(printf, 5, 6))) void obstacle_report(enum log_level level,
							   const struct machine_place *place,
							   enum obstacle_step step, int err,
							   const char *format, ...);

#endif
