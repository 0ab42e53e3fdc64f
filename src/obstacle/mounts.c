/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Obstacles to the mounts that the probe needs. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "node/boot.h"
#include "obstacle/internal.h"

/* If a file that every procfs or sysfs has is missing, the flag names something else. */
static bool of_place(const char *dir, const char *file, const char *name, struct obstacle *out)
{
	char path[PATH_MAX];

	if ((size_t)snprintf(path, sizeof(path), "%s/%s", dir, file) < sizeof(path) &&
	    access(path, F_OK) == 0)
		return false;
	obstacle_cause(out, "there is no %s at %.160s", name, dir);
	obstacle_remedy(out, "say where it is with --path.%s", name);
	return true;
}

/* Why bramble could not mount it for itself. Returns false if that was not tried. */
static bool of_own_mount(const char *name, const char *option, int err, struct obstacle *out)
{
	switch (-err) {
	case 0:
		return false;
	case EPERM:
		obstacle_set(out, "it is not mounted, and bramble may not mount it for itself", "");
		break;
	case ENODEV:
		obstacle_cause(out, "this kernel does not have %s", name);
		obstacle_remedy(out, "use a kernel with %s", option);
		return true;
	default:
		obstacle_cause(out, "it is not mounted, and bramble cannot mount it for itself: %s",
			       strerrordesc_np(-err));
	}
	return true;
}

void obstacle_of_tracefs(const struct mount_places *places, const struct mounts *mounts,
			 struct obstacle *out)
{
	const struct features tried = {.reads_kernel = feature_reads_kernel()};
	int err = mounts->tracefs_err;
	struct machine machine;

	*out = (struct obstacle){.cause = ""};
	machine_read(&(struct machine_place){places->procfs, places->sysfs}, &tried, &machine);
	if (obstacle_of_resources(&machine, mounts->own_tracefs_err ?: err, out) ||
	    (!places->tracefs && of_place(places->sysfs, "kernel", "sysfs", out)))
		return;
	if (err == -EPERM && machine_locked_down(&machine)) {
		obstacle_of_lockdown(out);
	} else if (err == -EPERM) {
		obstacle_cause(out, "there are no events in %.160s", mounts->tracefs);
		obstacle_remedy(out, "use a kernel with CONFIG_TRACEPOINTS");
	} else if (err == -EACCES) {
		obstacle_cause(out, "this user may not read %.160s", mounts->tracefs);
		obstacle_remedy(out, "run bramble as root, or give it CAP_DAC_READ_SEARCH");
	} else if (places->tracefs) {
		obstacle_cause(out, "it is not mounted at %.160s", places->tracefs);
		obstacle_remedy(out, "leave out --path.tracefs: bramble finds it, or mounts it for "
				     "itself");
	} else {
		if (!of_own_mount("tracefs", "CONFIG_TRACEPOINTS and CONFIG_PERF_EVENTS",
				  mounts->own_tracefs_err, out))
			obstacle_set(out, "it is not mounted", "");
		if (!out->remedy[0])
			obstacle_remedy(
				out,
				"mount -t tracefs tracefs %.160s/kernel/tracing (in a "
				"container: mount the host's), or give bramble CAP_SYS_ADMIN",
				places->sysfs);
	}
}

/* Only version 1: the machine's owner must choose. */
static void of_v1(const struct mount_places *places, struct obstacle *out)
{
	char remedy[sizeof(out->remedy) - 128];
	struct boot boot;

	boot_find(places->procfs, "/boot", &boot);
	boot_remedy(&boot, "systemd.unified_cgroup_hierarchy=1", remedy, sizeof(remedy));
	obstacle_set(out, "this machine has cgroup v1 alone", "");
	obstacle_remedy(out,
			"%s; or mount v2 beside it: mount -t cgroup2 cgroup2 "
			"/sys/fs/cgroup/unified",
			remedy);
}

void obstacle_of_cgroup2(const struct mount_places *places, const struct mounts *mounts,
			 struct obstacle *out)
{
	int err = mounts->cgroup2_err;

	*out = (struct obstacle){.cause = ""};
	if (!places->cgroupfs && of_place(places->procfs, "self/mountinfo", "procfs", out))
		return;
	if (places->cgroupfs) {
		obstacle_cause(out, "%.160s: %s", places->cgroupfs,
			       err == -EMEDIUMTYPE ? "no cgroup2 file system is mounted there"
						   : strerrordesc_np(-err));
		obstacle_remedy(out, "name the mount point of cgroup2 with --path.cgroupfs, "
				     "usually /sys/fs/cgroup");
	} else if (err == -ENOENT && mounts->cgroup2.v1) {
		of_v1(places, out);
	} else if (err == -ENOENT) {
		if (!of_own_mount("cgroup v2", "CONFIG_CGROUPS", mounts->own_cgroup2_err, out))
			obstacle_set(out, "it is not mounted", "");
		if (!out->remedy[0])
			obstacle_remedy(out,
					"mount -t cgroup2 cgroup2 /sys/fs/cgroup (in a "
					"container: mount the host's), or say where it is with "
					"--path.cgroupfs");
	} else {
		obstacle_cause(out, "%.160s/self/mountinfo: %s", places->procfs,
			       strerrordesc_np(-err));
		obstacle_remedy(out, "say where cgroup v2 is mounted with --path.cgroupfs");
	}
}
