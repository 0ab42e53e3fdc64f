/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "sandbox/caps.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bpf/bpf.h>

#define BIT(cap)     (UINT64_C(1) << (cap))
#define PATHS_TRIED  64 /* further ones are not tried: a capability more is kept for them */
#define LOADING_CAPS (BIT(CAP_BPF) | BIT(CAP_PERFMON) | BIT(CAP_SYS_ADMIN))

/* The first of the two that is permitted: the second one stands for the first. */
static uint64_t one_of(uint64_t permitted, int cap, int stand_in)
{
	return (permitted & BIT(cap)) ?: (permitted & BIT(stand_in));
}

/* A set of the calling thread. */
static uint64_t read_set(cap_flag_t set)
{
	cap_t caps = cap_get_proc();
	cap_flag_value_t value;
	uint64_t bits = 0;
	int cap;

	for (cap = 0; caps && cap < cap_max_bits(); cap++)
		if (cap_get_flag(caps, cap, set, &value) == 0 && value == CAP_SET)
			bits |= BIT(cap);
	cap_free(caps);
	return bits;
}

/* Sets the effective and permitted set, and empties the inheritable one. */
static int write_sets(uint64_t permitted, uint64_t effective)
{
	cap_t caps = cap_init();
	int cap, err = caps ? 0 : -errno;

	for (cap = 0; !err && cap < cap_max_bits(); cap++) {
		cap_value_t one = cap;

		if (permitted & BIT(cap))
			err = cap_set_flag(caps, CAP_PERMITTED, 1, &one, CAP_SET) ? -errno : 0;
		if (!err && effective & BIT(cap))
			err = cap_set_flag(caps, CAP_EFFECTIVE, 1, &one, CAP_SET) ? -errno : 0;
	}
	if (!err && cap_set_proc(caps))
		err = -errno;
	cap_free(caps);
	return err;
}

uint64_t caps_effective(void)
{
	return read_set(CAP_EFFECTIVE);
}

/* Whether the kernel does for the map what the probe asks of it. */
static bool may_use_map(int fd)
{
	struct bpf_map_info info = {0};
	__u32 len = sizeof(info);

	return fd <= 0 || bpf_obj_get_info_by_fd(fd, &info, &len) == 0;
}

/* As the effective capabilities allow. */
static bool may_read(const struct sandbox_path *path)
{
	int mode = path->access & SANDBOX_LIST ? R_OK | X_OK : R_OK;

	return faccessat(AT_FDCWD, path->path, mode, AT_EACCESS) == 0;
}

/*
 * Which of the permitted capabilities the needs cannot do without. All are effective when this is
 * called, and none when it returns.
 */
static int find_needed(const struct sandbox_needs *needs, uint64_t permitted, uint64_t *needed)
{
	bool readable[PATHS_TRIED];
	size_t i, count = needs->path_count < PATHS_TRIED ? needs->path_count : PATHS_TRIED;
	int err;

	*needed = needs->loads ? LOADING_CAPS & permitted : 0;
	if (needs->path_count > PATHS_TRIED)
		*needed |= one_of(permitted, CAP_DAC_READ_SEARCH, CAP_DAC_OVERRIDE);
	for (i = 0; i < count; i++)
		readable[i] = may_read(&needs->paths[i]);
	err = write_sets(permitted, 0);
	if (err)
		return err;
	for (i = 0; i < count; i++)
		if (readable[i] && !may_read(&needs->paths[i]))
			*needed |= one_of(permitted, CAP_DAC_READ_SEARCH, CAP_DAC_OVERRIDE);
	if (!may_use_map(needs->map_fd))
		*needed |= one_of(permitted, CAP_BPF, CAP_SYS_ADMIN);
	return 0;
}

/* What an execve() could give back. Needs CAP_SETPCAP; without it the set stays as it is. */
static void drop_bounding(uint64_t kept)
{
	int cap;

	for (cap = 0; cap < cap_max_bits(); cap++)
		if (!(kept & BIT(cap)))
			(void)prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
}

int caps_drop(const struct sandbox_needs *needs)
{
	uint64_t permitted = read_set(CAP_PERMITTED), effective = read_set(CAP_EFFECTIVE), needed;
	int err = find_needed(needs, permitted, &needed);

	if (err)
		return err;
	/* The bounding set needs CAP_SETPCAP once more. */
	err = write_sets(permitted, effective);
	if (err)
		return err;
	drop_bounding(needed);
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	return write_sets(needed, needed);
}

/* The child gives up what it can, and writes down what it has then. */
static void try_in_child(int map_fd, int pipe_fd)
{
	const struct sandbox_needs needs = {.map_fd = map_fd};
	uint64_t left = 0;
	bool told = !caps_drop(&needs);

	left = caps_effective();
	told = told && write(pipe_fd, &left, sizeof(left)) == sizeof(left);
	_exit(told ? 0 : 1);
}

static int ask_child(int map_fd, uint64_t *left)
{
	int fds[2], err = 0;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC))
		return -errno;
	pid = fork();
	if (pid == 0)
		try_in_child(map_fd, fds[1]);
	if (pid < 0)
		err = -errno;
	close(fds[1]);
	if (!err && read(fds[0], left, sizeof(*left)) != sizeof(*left))
		err = -EIO;
	close(fds[0]);
	if (pid > 0)
		(void)waitpid(pid, NULL, 0);
	return err;
}

int caps_try(uint64_t *left)
{
	int map_fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "bramble_try", 4, 4, 1, NULL), err;

	if (map_fd < 0)
		return -errno;
	err = ask_child(map_fd, left);
	close(map_fd);
	return err;
}
