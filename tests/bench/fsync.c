/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * usage: fsync [ROUNDS]
 *
 * What an fsync costs with bramble, on ext4 on a loop device in memory, so that
 * next to nothing is waited for: a disk's fsync takes hundreds of times as long.
 * Two loads: a write of 4 KiB with its fsync, which is a commit of the journal; and an
 * fsync with nothing to do and without barriers, which is the way there and back. Each
 * with the probe fsync alone, and with all probes; the differences are to the
 * mean of "off" just before and just after.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "probe/probe.h"
#include "util/clock.h"
#include "util/log.h"

#include "bench.h"

#define ROUNDS_MAX 99
#define BATCHES	   11

enum load {
	COMMIT,
	CLEAN,
	LOADS,
};

static const struct {
	const char *name;
	int batch; /* fsyncs */
} loads[LOADS] = {
	[COMMIT] = {"4 KiB and its fsync", 100},
	[CLEAN] = {"fsync of nothing", 2000},
};

enum variant {
	FSYNC_PROBE,
	ALL_PROBES,
	VARIANTS,
};

static const char *const names[VARIANTS] = {
	[FSYNC_PROBE] = "the probe fsync",
	[ALL_PROBES] = "all probes",
};

static char dir[] = "/dev/shm/bramble-bench-XXXXXX";
static int file;

static void die(const char *what)
{
	fprintf(stderr, "fsync: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* In the directory of the bench. */
static void run(const char *command)
{
	if (!system(command))
		return;
	fprintf(stderr, "fsync: failed: %s\n", command);
	exit(1);
}

/* In a mount namespace of our own, which takes the mount with it. */
static void mount_disk(void)
{
	if (!mkdtemp(dir) || chdir(dir) || unshare(CLONE_NEWNS) ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL))
		die("cannot make a mount namespace (run it as root)");
	run("mkdir mnt && truncate -s 64M disk && mkfs.ext4 -q disk && mount -o loop disk mnt");
	file = open("mnt/file", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (file < 0)
		die("mnt/file");
}

static void set_barriers(enum load load)
{
	run(load == CLEAN ? "mount -o remount,nobarrier mnt" : "mount -o remount,barrier mnt");
}

static void remove_disk(void)
{
	close(file);
	run("umount mnt && rm -r mnt disk");
	rmdir(dir);
}

static void sync_batch(enum load load)
{
	static char block[4096];
	int i;

	for (i = 0; i < loads[load].batch; i++) {
		block[0]++;
		if (load == COMMIT && pwrite(file, block, sizeof(block), i % 64 * 4096) < 0)
			die("write");
		if (fsync(file))
			die("fsync");
	}
}

/* Nanoseconds for one fsync, with its write. */
static double measure(enum load load)
{
	double batch[BATCHES];
	uint64_t start_ns;
	int i;

	sync_batch(load);
	for (i = 0; i < BATCHES; i++) {
		start_ns = clock_monotonic_ns();
		sync_batch(load);
		batch[i] = (double)(clock_monotonic_ns() - start_ns) / loads[load].batch;
	}
	return quantile(batch, BATCHES, 0.5);
}

static double measure_with(enum variant variant, enum load load)
{
	struct probe_options options = {.slots = 1024, .btf = "auto", .tracefs = tracefs_path()};
	struct probe *probe;
	double ns;
	int id;

	for (id = 0; id < PROBES; id++)
		options.enabled[id] = variant == ALL_PROBES || id == PROBE_FSYNC;
	if (probe_open(&options, &probe))
		exit(1);
	if (!probe_is_up(probe, PROBE_FSYNC))
		die("the probe fsync is not up");
	ns = measure(load);
	probe_close(probe);
	return ns;
}

static double off[LOADS][ROUNDS_MAX], added[LOADS][VARIANTS][ROUNDS_MAX];

static void run_round(enum load load, int round)
{
	double before, with, after;
	int i;

	for (i = 0; i < VARIANTS; i++) {
		int variant = (round + i) % VARIANTS;

		before = measure(load);
		with = measure_with((enum variant)variant, load);
		after = measure(load);
		off[load][round] = before;
		added[load][variant][round] = with - (before + after) / 2;
	}
}

static void print_table(int count)
{
	struct utsname kernel;
	double base, median;
	int load, v;

	uname(&kernel);
	printf("Linux %s %s, %ld CPUs, %d rounds, ext4 on a loop device in memory\n\n",
	       kernel.release, kernel.machine, sysconf(_SC_NPROCESSORS_ONLN), count);
	printf("| load | takes, ns | with | added ns, median | quartiles | of throughput |\n"
	       "|---|---|---|---|---|---|\n");
	for (load = 0; load < LOADS; load++) {
		base = quantile(off[load], count, 0.5);
		for (v = 0; v < VARIANTS; v++) {
			median = quantile(added[load][v], count, 0.5);
			printf("| %s | %.0f | %s | %.0f | %.0f to %.0f | %.2f %% |\n",
			       loads[load].name, base, names[v], median,
			       quantile(added[load][v], count, 0.25),
			       quantile(added[load][v], count, 0.75),
			       100 * median / (base + median));
		}
	}
}

int main(int argc, char **argv)
{
	int count = argc > 1 ? atoi(argv[1]) : 31;
	int load, round;

	if (count < 7 || count > ROUNDS_MAX) {
		fprintf(stderr, "usage: fsync [ROUNDS], 7 to %d\n", ROUNDS_MAX);
		return 2;
	}
	log_setup(LOG_ERROR, LOG_LOGFMT);
	mount_disk();
	take_cpu();
	for (load = 0; load < LOADS; load++) {
		set_barriers((enum load)load);
		measure((enum load)load);
		for (round = 0; round < count; round++)
			run_round((enum load)load, round);
	}
	remove_disk();
	print_table(count);
	return 0;
}
