/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "cgroup/files.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bramble/growth.h"
#include "util/ascii.h"
#include "util/clock.h"
#include "util/livefile.h"
#include "util/openfiles.h"

/* The part of RLIMIT_NOFILE that is left for everything else: sockets, maps, programs. */
#define FDS_RESERVED 256

/*
 * The kernel keeps a buffer of a page for each open file that was read (fs/seq_file.c), and charges
 * it to us. So many bytes of them: with pages of 4 KiB the files of 256 cgroups, with pages of
 * 16 KiB a quarter of that.
 */
#define KEPT_BYTES   (8U << 20)
#define FDS_WANTED   (KEPT_BYTES / 4096)
_Static_assert(FDS_RESERVED + FDS_WANTED == OPEN_FILES_WANTED, "the limit is raised as far");

#define RETRY_NS	(60 * NS_PER_S)

/* memory.stat is the longest, with some 1.5 KiB. What is needed of it comes first. */
#define TEXT_SIZE	4096

#define NS_PER_US	1000

#define FILE_BIT(which) (UINT32_C(1) << (which))

static const char *const names[CGROUP_FILES] = {
	[CGROUP_CPU_STAT] = "cpu.stat",
	[CGROUP_MEMORY_CURRENT] = "memory.current",
	[CGROUP_MEMORY_STAT] = "memory.stat",
	[CGROUP_MEMORY_MAX] = "memory.max",
	[CGROUP_MEMORY_EVENTS] = "memory.events",
	[CGROUP_CPU_PRESSURE] = "cpu.pressure",
	[CGROUP_MEMORY_PRESSURE] = "memory.pressure",
	[CGROUP_IO_PRESSURE] = "io.pressure",
};

void cgroup_reader_init(struct cgroup_reader *reader, const char *mount)
{
	unsigned long limit = open_files_limit();
	unsigned long kept = KEPT_BYTES / (unsigned long)sysconf(_SC_PAGESIZE);

	*reader = (struct cgroup_reader){.mount = mount};
	if (limit > FDS_RESERVED + kept)
		limit = FDS_RESERVED + kept;
	if (limit > FDS_RESERVED)
		reader->fds_max = (unsigned int)(limit - FDS_RESERVED);
}

struct cgroup_files *cgroup_files_open(struct cgroup_reader *reader, const char *path)
{
	struct cgroup_files *files = calloc(1, sizeof(*files));
	int i;

	if (!files)
		return NULL;
	if (asprintf(&files->path, "%s%s", reader->mount, path) < 0) {
		free(files);
		return NULL;
	}
	for (i = 0; i < CGROUP_FILES; i++)
		files->fd[i] = -1;
	return files;
}

static void close_file(struct cgroup_reader *reader, struct cgroup_files *files, int which)
{
	if (files->fd[which] < 0)
		return;
	close(files->fd[which]);
	files->fd[which] = -1;
	reader->fds--;
}

void cgroup_files_close(struct cgroup_reader *reader, struct cgroup_files *files)
{
	int i;

	if (!files)
		return;
	for (i = 0; i < CGROUP_FILES; i++)
		close_file(reader, files, i);
	free(files->path);
	free(files);
}

/* Reads a file that is kept open. Or opens it, and keeps it open if there is room. */
static ssize_t read_file(struct cgroup_reader *reader, struct cgroup_files *files, int which,
			 char *text)
{
	int fd = files->fd[which];
	ssize_t len;

	if (fd < 0)
		fd = live_open(files->path, names[which]);
	if (fd < 0)
		return fd;
	len = live_read(fd, text, TEXT_SIZE);
	if (fd == files->fd[which])
		return len;
	if (len >= 0 && reader->fds < reader->fds_max) {
		files->fd[which] = fd;
		reader->fds++;
	} else {
		close(fd);
	}
	return len;
}

static void set(struct cgroup_values *values, enum cgroup_value which, uint64_t value)
{
	values->value[which] = value;
	values->known |= UINT32_C(1) << which;
}

static void set_line(struct cgroup_values *values, enum cgroup_value which, const char *text,
		     const char *word, uint64_t unit)
{
	uint64_t value;

	if (line_number(text, word, &value))
		set(values, which, value * unit);
}

/* The lines after usage_usec, user_usec and system_usec need the cpu controller. */
static void take_cpu_stat(struct cgroup_values *values, const char *text)
{
	set_line(values, CGROUP_CPU_USAGE, text, "usage_usec", NS_PER_US);
	set_line(values, CGROUP_CPU_PERIODS, text, "nr_periods", 1);
	set_line(values, CGROUP_CPU_THROTTLED_PERIODS, text, "nr_throttled", 1);
	set_line(values, CGROUP_CPU_THROTTLED, text, "throttled_usec", NS_PER_US);
}

/* A number, or "max" if there is no limit. */
static void take_memory_max(struct cgroup_values *values, const char *text)
{
	if (ascii_digit(text[0]))
		set(values, CGROUP_MEMORY_LIMIT, strtoull(text, NULL, 10));
}

static void take_memory_current(struct cgroup_values *values, const char *text)
{
	set(values, CGROUP_MEMORY_WORKING_SET, strtoull(text, NULL, 10));
}

/*
 * The working set by which the kubelet evicts: the used memory without the file pages that were not
 * used lately. memory.current has been read already.
 */
static void take_memory_stat(struct cgroup_values *values, const char *text)
{
	uint64_t inactive, *used = &values->value[CGROUP_MEMORY_WORKING_SET];

	if (!cgroup_value_known(values, CGROUP_MEMORY_WORKING_SET))
		return;
	if (line_number(text, "inactive_file", &inactive)) {
		*used = *used > inactive ? *used - inactive : 0;
	} else {
		*used = 0;
		values->known &= ~(UINT32_C(1) << CGROUP_MEMORY_WORKING_SET);
	}
}

static void take_memory_events(struct cgroup_values *values, const char *text)
{
	set_line(values, CGROUP_MEMORY_EVENTS_HIGH, text, "high", 1);
	set_line(values, CGROUP_MEMORY_EVENTS_MAX, text, "max", 1);
	set_line(values, CGROUP_MEMORY_EVENTS_OOM, text, "oom", 1);
	set_line(values, CGROUP_MEMORY_EVENTS_OOM_KILL, text, "oom_kill", 1);
}

/* "some avg10=0.00 avg60=0.00 avg300=0.00 total=51", then "full" (for the CPU since 5.13). */
bool pressure_total(const char *text, enum pressure_kind kind, uint64_t *ns)
{
	const char *line = kind == PRESSURE_SOME ? strstr(text, "some ") : strstr(text, "full ");
	const char *total = line ? strstr(line, "total=") : NULL;

	if (!total)
		return false;
	*ns = strtoull(total + strlen("total="), NULL, 10) * NS_PER_US;
	return true;
}

static void take_pressure(struct cgroup_values *values, enum pressure_resource resource,
			  const char *text)
{
	uint64_t ns;
	int kind;

	for (kind = 0; kind < PRESSURE_KINDS; kind++)
		if (pressure_total(text, (enum pressure_kind)kind, &ns))
			set(values, (enum cgroup_value)PRESSURE_VALUE(resource, kind), ns);
}

static void take(struct cgroup_values *values, int which, const char *text)
{
	switch ((enum cgroup_file)which) {
	case CGROUP_CPU_STAT:
		take_cpu_stat(values, text);
		break;
	case CGROUP_MEMORY_CURRENT:
		take_memory_current(values, text);
		break;
	case CGROUP_MEMORY_STAT:
		take_memory_stat(values, text);
		break;
	case CGROUP_MEMORY_MAX:
		take_memory_max(values, text);
		break;
	case CGROUP_MEMORY_EVENTS:
		take_memory_events(values, text);
		break;
	case CGROUP_CPU_PRESSURE:
	case CGROUP_MEMORY_PRESSURE:
	case CGROUP_IO_PRESSURE:
		take_pressure(values, (enum pressure_resource)(which - CGROUP_CPU_PRESSURE), text);
		break;
	case CGROUP_FILES:
		break;
	}
}

int cgroup_files_read(struct cgroup_reader *reader, struct cgroup_files *files, uint64_t now_ns,
		      struct cgroup_values *values)
{
	bool retry = !files->tried_ns || grown(now_ns, files->tried_ns) >= RETRY_NS;
	char text[TEXT_SIZE];
	ssize_t len;
	int i;

	*values = (struct cgroup_values){0};
	if (retry) {
		files->tried_ns = now_ns;
		files->missing = 0;
	}
	for (i = 0; i < CGROUP_FILES; i++) {
		if (files->missing & FILE_BIT(i))
			continue;
		len = read_file(reader, files, i, text);
		if (len > 0) {
			take(values, i, text);
			continue;
		}
		/* Every cgroup has cpu.stat. If that is missing, the cgroup is gone. */
		if (i == CGROUP_CPU_STAT && (len == -ENODEV || len == -ENOENT))
			return (int)len;
		close_file(reader, files, i);
		files->missing |= FILE_BIT(i);
	}
	return 0;
}

void cgroup_values_keep(struct cgroup_values *values, const struct cgroup_values *now)
{
	int i;

	for (i = 0; i < CGROUP_VALUES; i++)
		if (cgroup_value_known(now, (enum cgroup_value)i))
			values->value[i] = now->value[i];
	values->known |= now->known;
}
