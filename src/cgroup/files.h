/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What the kernel itself counts for a cgroup: the files of cgroup v2, see
 * Documentation/admin-guide/cgroup-v2.rst. A cgroup's files also count what happens in the cgroups
 * below it.
 *
 * The files are kept open as far as RLIMIT_NOFILE allows, and as long as the kernel's buffers for
 * them take 8 MiB at most. Beyond that they are opened for each reading. A reader and its files
 * belong to one thread.
 */
#ifndef BRAMBLE_CGROUP_FILES_H
#define BRAMBLE_CGROUP_FILES_H

#include <linux/limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bramble/pressure.h"

enum cgroup_file {
	CGROUP_CPU_STAT,
	CGROUP_MEMORY_CURRENT,
	CGROUP_MEMORY_STAT,
	CGROUP_MEMORY_MAX,
	CGROUP_MEMORY_EVENTS,
	CGROUP_CPU_PRESSURE, /* these three in the order of enum pressure_resource */
	CGROUP_MEMORY_PRESSURE,
	CGROUP_IO_PRESSURE,
	CGROUP_FILES,
};

enum pressure_kind {
	PRESSURE_SOME, /* at least one task waited */
	PRESSURE_FULL, /* all tasks that were not idle waited */
	PRESSURE_KINDS,
};

/* The place of a pressure among enum cgroup_value. */
#define PRESSURE_VALUE(resource, kind) (CGROUP_PRESSURE + (resource)*PRESSURE_KINDS + (kind))

/* Times are in nanoseconds, though the kernel's files have microseconds. Memory is in bytes. */
enum cgroup_value {
	CGROUP_CPU_USAGE,
	CGROUP_CPU_PERIODS, /* periods of the CPU limit in which a task wanted to run */
	CGROUP_CPU_THROTTLED_PERIODS,
	CGROUP_CPU_THROTTLED,
	CGROUP_PRESSURE, /* PRESSURE_RESOURCES x PRESSURE_KINDS of them */
	CGROUP_MEMORY_EVENTS_HIGH = CGROUP_PRESSURE + PRESSURE_RESOURCES * PRESSURE_KINDS,
	CGROUP_MEMORY_EVENTS_MAX,
	CGROUP_MEMORY_EVENTS_OOM,
	CGROUP_MEMORY_EVENTS_OOM_KILL,
	CGROUP_MEMORY_WORKING_SET,
	CGROUP_MEMORY_LIMIT, /* not known where there is none */
	CGROUP_VALUES,
};

struct cgroup_values {
	uint64_t value[CGROUP_VALUES]; /* 0 if it is not known */
	uint32_t known;		       /* a bit for each value: whether the kernel gives it */
};

static inline bool cgroup_value_known(const struct cgroup_values *values, enum cgroup_value which)
{
	return values->known >> which & 1;
}

/* Copies the values that are known now. Other values stay as they were. */
void cgroup_values_keep(struct cgroup_values *values, const struct cgroup_values *now);

/* How long tasks have waited by now, from the text of a pressure file; false if it has no such
 * line. */
bool pressure_total(const char *text, enum pressure_kind kind, uint64_t *ns);

struct cgroup_reader {
	const char *mount; /* of cgroup v2; not owned */
	unsigned int fds;  /* in use */
	unsigned int fds_max;
};

/*
 * mount is where cgroup v2 is mounted; it must outlive the reader. As many files are kept
 * open as RLIMIT_NOFILE, after open_files_raise(), leaves beside all else, and no more than the
 * size of a page allows.
 */
void cgroup_reader_init(struct cgroup_reader *reader, const char *mount);

/* The files of one cgroup. */
struct cgroup_files {
	char *path;	      /* of the cgroup, with the mount point */
	int fd[CGROUP_FILES]; /* negative: not kept open */
	uint32_t missing;     /* a bit for each file that was not there at tried_ns */
	uint64_t tried_ns;    /* CLOCK_MONOTONIC; 0: not yet */
};

/* path is the cgroup's in the hierarchy. Returns NULL if memory ran out. */
struct cgroup_files *cgroup_files_open(struct cgroup_reader *reader, const char *path);

/*
 * Reads what there is. Files that were missing are looked for again after a
 * minute: a controller may have been turned on. Returns 0, or -ENODEV or
 * -ENOENT if the cgroup is gone; values are all unknown then.
 */
int cgroup_files_read(struct cgroup_reader *reader, struct cgroup_files *files, uint64_t now_ns,
		      struct cgroup_values *values);

/* Closes and frees the files. NULL is allowed. */
void cgroup_files_close(struct cgroup_reader *reader, struct cgroup_files *files);

#endif
