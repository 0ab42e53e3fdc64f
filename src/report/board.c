/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "report/board.h"

#include <linux/magic.h>
#include <string.h>
#include <sys/statfs.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "util/array.h"
#include "util/livefile.h"
#include "util/slice.h"

#ifndef XFS_SUPER_MAGIC
#define XFS_SUPER_MAGIC 0x58465342
#endif

/* The words of the kernel's command line that change what is measured. The rest may have names. */
static const char *const telling[] = {
	"psi=",		"cgroup_",  "cgroup.",	 "systemd.unified_cgroup",
	"mitigations=", "preempt=", "isolcpus=", "nohz",
	"lsm=",		"numa=",    "arm64."};

/* The first line of a file; empty if it cannot be read. */
static void read_line(const char *dir, const char *name, char *out, size_t size)
{
	if (live_read_once(dir, name, out, size) < 0)
		out[0] = '\0';
	out[strcspn(out, "\n")] = '\0';
}

void board_read(const char *procfs, struct board *board)
{
	struct utsname name;

	*board = (struct board){.page_size = sysconf(_SC_PAGESIZE),
				.cpus = sysconf(_SC_NPROCESSORS_ONLN)};
	read_line(procfs, "device-tree/model", board->model, sizeof(board->model));
	if (!board->model[0])
		snprintf(board->model, sizeof(board->model), "not known");
	if (!uname(&name))
		snprintf(board->kernel, sizeof(board->kernel), "%s %s", name.release, name.machine);
}

static void print_if_known(FILE *out, const char *what, const char *value)
{
	if (value[0])
		fprintf(out, "- %s: %s\n", what, value);
}

static void print_cmdline(const char *procfs, FILE *out)
{
	char line[4096];
	struct slice rest, word;
	size_t i;

	read_line(procfs, "cmdline", line, sizeof(line));
	rest = slice_of(line);
	while (slice_next_word(&rest, ' ', &word))
		for (i = 0; i < ARRAY_SIZE(telling); i++)
			if (slice_starts(word, telling[i]))
				fprintf(out, "- started with: %.*s\n", (int)word.len, word.at);
}

void board_print(const struct board *board, const char *procfs, const char *sysfs, FILE *out)
{
	char text[256];
	struct utsname name;

	fprintf(out, "- board: %s\n- kernel: %s\n", board->model, board->kernel);
	if (!uname(&name))
		fprintf(out, "- built: %s\n", name.version);
	fprintf(out, "- CPUs: %ld; pages: %ld bytes\n", board->cpus, board->page_size);
	read_line(procfs, "meminfo", text, sizeof(text));
	print_if_known(out, "memory", text);
	read_line(sysfs, "devices/system/clocksource/clocksource0/current_clocksource", text,
		  sizeof(text));
	print_if_known(out, "clock", text);
	read_line(sysfs, "devices/system/cpu/cpu0/cpufreq/scaling_governor", text, sizeof(text));
	print_if_known(out, "governor", text);
	read_line(sysfs, "devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq", text, sizeof(text));
	print_if_known(out, "frequency, kHz, at most", text);
	print_cmdline(procfs, out);
}

void board_filesystem(const char *dir, char *name, size_t size)
{
	static const struct {
		long magic;
		const char *name;
	} known[] = {
		{EXT4_SUPER_MAGIC, "ext4"}, {F2FS_SUPER_MAGIC, "f2fs"},
		{XFS_SUPER_MAGIC, "xfs"},   {BTRFS_SUPER_MAGIC, "btrfs"},
		{TMPFS_MAGIC, "tmpfs"},	    {OVERLAYFS_SUPER_MAGIC, "overlay"},
		{NFS_SUPER_MAGIC, "nfs"},
	};
	struct statfs fs;
	size_t i;

	name[0] = '\0';
	if (statfs(dir, &fs))
		return;
	snprintf(name, size, "%lx", (unsigned long)fs.f_type);
	for (i = 0; i < ARRAY_SIZE(known); i++)
		if (known[i].magic == (long)fs.f_type)
			snprintf(name, size, "%s", known[i].name);
}
