/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "probe/keeper.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "probe/descriptors.h"
#include "probe/internal.h"
#include "probe/probe.h"
#include "sandbox/sandbox.h"
#include "util/log.h"

/* What the keeper sends for each program, with two descriptors: of the program and of its link. */
struct kept {
	enum probe_id probe;
};

#define KEPT_FDS 2

union control {
	struct cmsghdr header;
	char space[CMSG_SPACE(KEPT_FDS * sizeof(int))];
};

static bool may_load(const struct probe *probe)
{
	enum probe_id id;

	for (id = 0; id < PROBES; id++)
		if (probe->enabled[id] && probe_descriptors[id]->may_load &&
		    probe_descriptors[id]->may_load(probe))
			return true;
	return false;
}

static void divide(struct probe *probe, enum late_part part)
{
	enum probe_id id;

	for (id = 0; id < PROBES; id++)
		if (probe->enabled[id] && probe_descriptors[id]->divide)
			probe_descriptors[id]->divide(probe, part);
}

/* ---------------------------------------------------------------- the keeper */

/*
 * Sockets, locks and all else must not outlive the first process. The keeper needs the maps, and
 * its own mount of tracefs: the root of a mount that has no place.
 */
static void close_all_but(int kept)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;
	char path[64], to[64];
	ssize_t len;
	int fd;

	while (dir && (entry = readdir(dir))) {
		fd = (int)strtol(entry->d_name, NULL, 10);
		if (fd <= STDERR_FILENO || fd == kept || fd == dirfd(dir))
			continue;
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		len = readlink(path, to, sizeof(to) - 1);
		to[len > 0 ? len : 0] = '\0';
		if (strncmp(to, "anon_inode:bpf", strlen("anon_inode:bpf")) != 0 &&
		    strcmp(to, "/") != 0)
			close(fd);
	}
	if (dir)
		closedir(dir);
}

static void confine(const struct probe *probe)
{
	struct sandbox_needs needs = {.loads = true};
	struct sandbox sandbox;

	/* bpf_map__reuse_fd() opens it, to have a number. */
	sandbox_need(&needs, "/", SANDBOX_LIST);
	sandbox_need(&needs, "/sys", SANDBOX_LIST | SANDBOX_READ);
	sandbox_need(&needs, "/proc", SANDBOX_LIST | SANDBOX_READ);
	sandbox_need(&needs, probe->tracefs, SANDBOX_LIST | SANDBOX_READ);
	sandbox_confine(&needs, &sandbox);
	sandbox_filter(&needs, &sandbox);
	sandbox_needs_free(&needs);
}

static int send_program(int fd, const struct probe_program *program)
{
	const int fds[KEPT_FDS] = {bpf_program__fd(program->program), bpf_link__fd(program->link)};
	struct kept kept = {program->probe};
	struct iovec data = {&kept, sizeof(kept)};
	union control control = {.space = {0}};
	struct msghdr message = {
		.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};

	control.header = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(fds)),
					  .cmsg_level = SOL_SOCKET,
					  .cmsg_type = SCM_RIGHTS};
	memcpy(CMSG_DATA(&control.header), fds, sizeof(fds));
	return sendmsg(fd, &message, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* Looks again and again, until nothing is left to be loaded or the first process is gone. */
static void keep(struct probe *probe, int fd)
{
	struct pollfd gone = {.fd = fd, .events = POLLIN};
	size_t sent = probe->programs;
	int err = 0;

	while (!err && may_load(probe) && poll(&gone, 1, KEEPER_LOOK_MS) == 0) {
		probe_look_again(probe);
		for (; sent < probe->programs && !err; sent++)
			err = send_program(fd, &probe->program[sent]);
	}
}

/* ---------------------------------------------------------------- the first process */

int keeper_start(struct probe *probe)
{
	int fds[2];
	pid_t pid, first = getpid();

	if (!may_load(probe)) {
		divide(probe, LATE_NO_LOADS);
		return 0;
	}
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds))
		return -errno;
	/* Nobody waits for its end. */
	signal(SIGCHLD, SIG_IGN);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		prctl(PR_SET_NAME, "bramble-keeper");
		if (getppid() != first)
			_exit(0);
		close_all_but(fds[1]);
		divide(probe, LATE_LOADS);
		confine(probe);
		keep(probe, fds[1]);
		_exit(0);
	}
	close(fds[1]);
	if (pid < 0) {
		close(fds[0]);
		return -errno;
	}
	divide(probe, LATE_REST);
	probe->keeper_fd = fds[0];
	return 0;
}

int keeper_fd(const struct probe *probe)
{
	return probe->keeper_fd;
}

/* Takes one program. Returns false if there is none now. */
static bool take_program(struct probe *probe)
{
	struct kept kept;
	struct iovec data = {&kept, sizeof(kept)};
	union control control;
	struct msghdr message = {
		.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	ssize_t len = recvmsg(probe->keeper_fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	struct cmsghdr *header = len > 0 ? CMSG_FIRSTHDR(&message) : NULL;
	int fds[KEPT_FDS];

	if (len < 0 && errno == EAGAIN)
		return false;
	if (len != (ssize_t)sizeof(kept) || !header || header->cmsg_len != CMSG_LEN(sizeof(fds))) {
		/* Its end. What it has attached stays. */
		close(probe->keeper_fd);
		probe->keeper_fd = -1;
		return false;
	}
	memcpy(fds, CMSG_DATA(header), sizeof(fds));
	if (probe->kept_count < KEPT_MAX && kept.probe < PROBES) {
		probe->kept[probe->kept_count++] =
			(struct kept_program){kept.probe, fds[0], fds[1]};
		probe->up[kept.probe] = true;
	}
	return true;
}

void keeper_take(struct probe *probe)
{
	while (probe->keeper_fd >= 0 && take_program(probe))
		;
}

void keeper_stop(struct probe *probe)
{
	if (probe->keeper_fd >= 0)
		close(probe->keeper_fd);
	probe->keeper_fd = -1;
	while (probe->kept_count) {
		probe->kept_count--;
		close(probe->kept[probe->kept_count].link_fd);
		close(probe->kept[probe->kept_count].fd);
	}
}
