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

/*
 * What the keeper sends: for each program, its probe and two descriptors, of the program and of its
 * link; and at the end KEPT_ALL without any. An end without that is none that it meant.
 */
struct kept {
	enum probe_id probe;
};

#define KEPT_ALL PROBES
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
 * Sockets, locks, links and all else must not outlive the first process. The keeper needs the maps,
 * and its own mount of tracefs: the root of a mount that has no place.
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
		if (strcmp(to, "anon_inode:bpf-map") != 0 && strcmp(to, "/") != 0)
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
	const int fds[KEPT_FDS] = {bpf_program__fd(program->program), program->link_fd};
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
static int look_for_all(struct probe *probe, int fd)
{
	struct pollfd gone = {.fd = fd, .events = POLLIN};
	size_t sent = probe->programs;
	int err = 0;

	while (!err && may_load(probe)) {
		if (poll(&gone, 1, KEEPER_LOOK_MS))
			return -EPIPE;
		probe_look_again(probe);
		for (; sent < probe->programs && !err; sent++)
			err = send_program(fd, &probe->program[sent]);
	}
	return err;
}

/* What the first process could not take is attached as long as this one is there. */
static void keep(struct probe *probe, int fd)
{
	const struct kept all = {KEPT_ALL};
	struct pollfd gone = {.fd = fd, .events = POLLIN};

	if (!look_for_all(probe, fd) && send(fd, &all, sizeof(all), MSG_NOSIGNAL) > 0)
		(void)poll(&gone, 1, -1);
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

static void leave_keeper(struct probe *probe)
{
	close(probe->keeper_fd);
	probe->keeper_fd = -1;
}

/* The descriptors that came with a message. Returns how many. */
static size_t received_fds(struct msghdr *message, int fds[KEPT_FDS])
{
	struct cmsghdr *header = CMSG_FIRSTHDR(message);
	size_t size = header ? header->cmsg_len - CMSG_LEN(0) : 0;

	if (size)
		memcpy(fds, CMSG_DATA(header), size);
	return size / sizeof(int);
}

/* The kernel gives fewer descriptors where this process may open no more. */
static void add_kept(struct probe *probe, enum probe_id id, const int fds[KEPT_FDS], size_t count)
{
	size_t i;

	if (count == KEPT_FDS && probe->kept_count < KEPT_MAX) {
		probe->kept[probe->kept_count++] = (struct kept_program){id, fds[0], fds[1]};
	} else {
		for (i = 0; i < count; i++)
			close(fds[i]);
		if (!probe->kept_lost)
			log_warn("this process may open no more files: a program of the probe %s "
				 "stays with the process that attached it (bramble-keeper), and "
				 "how much it misses and takes is not known; raise RLIMIT_NOFILE "
				 "(LimitNOFILE=)",
				 probe_names[id]);
		probe->kept_lost = true;
	}
	probe->up[id] = true;
}

/* It has ended without a word. */
static void lose_keeper(struct probe *probe)
{
	log_error("the process that would measure fsyncs on an XFS or btrfs that comes later "
		  "(bramble-keeper) has ended before its time: was it killed? These are not "
		  "measured from now on; restart bramble to have another one");
	leave_keeper(probe);
}

/* Takes one message. Returns false if there is none now. */
static bool take_message(struct probe *probe)
{
	struct kept kept;
	struct iovec data = {&kept, sizeof(kept)};
	union control control = {.space = {0}};
	struct msghdr message = {
		.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	ssize_t len = recvmsg(probe->keeper_fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	int fds[KEPT_FDS];
	size_t count;

	if (len < 0 && (errno == EAGAIN || errno == EINTR))
		return errno == EINTR;
	if (len != (ssize_t)sizeof(kept)) {
		lose_keeper(probe);
		return false;
	}
	count = received_fds(&message, fds);
	if (kept.probe < PROBES)
		add_kept(probe, kept.probe, fds, count);
	else if (!probe->kept_lost)
		leave_keeper(probe); /* it has done its work, and may go */
	return true;
}

void keeper_take(struct probe *probe)
{
	while (probe->keeper_fd >= 0 && take_message(probe))
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
