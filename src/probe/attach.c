/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "probe/attach.h"

#include <errno.h>
#include <limits.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "obstacle/obstacle.h"
#include "util/buf.h"

/* The kernel's number of a tracepoint. event: "category/name". */
static int tracepoint_id(const char *tracefs, const char *event, const struct machine_place *place,
			 uint64_t *id)
{
	char path[PATH_MAX];
	struct buf text;
	char *end;
	int err;

	snprintf(path, sizeof(path), "%s/events/%s/id", tracefs, event);
	err = buf_read_file(&text, path, 64);
	if (err) {
		obstacle_report(LOG_ERROR, place,
				err == -ENOENT ? OBSTACLE_ATTACH : OBSTACLE_TRACEFS, err,
				"cannot read the tracepoint's number in %s", path);
		return err;
	}
	*id = strtoull(text.data, &end, 10);
	err = end == text.data ? -EINVAL : 0;
	buf_free(&text);
	return err;
}

/*
 * One event on one CPU is enough, because BPF programs of a tracepoint run on all CPUs, also when
 * that one is taken away later. It has to be online now: the one that this runs on is, and if it is
 * taken away just then, this runs on another one. Returns a descriptor, or a negative errno.
 */
static int open_tracepoint(struct perf_event_attr *attr)
{
	int fd, tries = 8;

	do
		fd = (int)syscall(SYS_perf_event_open, attr, -1, sched_getcpu(), -1,
				  PERF_FLAG_FD_CLOEXEC);
	while (fd < 0 && errno == ENODEV && --tries);
	return fd < 0 ? -errno : fd;
}

/* A link's descriptor, without libbpf's struct around it; or a negative errno if there is none. */
static int take_fd(struct bpf_link *link)
{
	int fd = link ? bpf_link__fd(link) : -errno;

	if (!link)
		return fd;
	bpf_link__disconnect(link);
	bpf_link__destroy(link);
	return fd;
}

static int attach_classic(const struct bpf_program *program, const char *tracefs, const char *event,
			  const struct machine_place *place)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_TRACEPOINT,
		.size = sizeof(attr),
		.sample_period = 1,
	};
	uint64_t id = 0;
	int fd, link_fd, err;

	err = tracepoint_id(tracefs, event, place, &id);
	if (err)
		return err;
	attr.config = id;
	fd = open_tracepoint(&attr);
	if (fd < 0) {
		obstacle_report(LOG_ERROR, place, OBSTACLE_PERF_EVENT, fd,
				"cannot open the tracepoint %s as a perf event", event);
		return fd;
	}
	link_fd = take_fd(bpf_program__attach_perf_event(program, fd));
	/* Since 5.15 there is a link, which holds the event (b89fbfbb854c). */
	if (link_fd != fd)
		close(fd);
	if (link_fd < 0)
		obstacle_report(LOG_ERROR, place, OBSTACLE_ATTACH, link_fd,
				"cannot attach to the tracepoint %s", event);
	return link_fd;
}

static int attach_raw(const struct bpf_program *program, const char *event,
		      const struct machine_place *place)
{
	int fd = take_fd(bpf_program__attach_raw_tracepoint(program, event));

	if (fd < 0)
		obstacle_report(LOG_ERROR, place, OBSTACLE_ATTACH, fd,
				"cannot attach to the raw tracepoint %s", event);
	return fd;
}

int attach_to_hook(const struct bpf_program *program, const char *hook, const char *tracefs,
		   const struct machine_place *place)
{
	const char *event = strchr(hook, '/') + 1;

	if (strncmp(hook, "tp/", strlen("tp/")) == 0)
		return attach_classic(program, tracefs, event, place);
	return attach_raw(program, event, place);
}

int attach_program(const struct bpf_program *program, const char *tracefs,
		   const struct machine_place *place)
{
	/* A kernel function: fentry/ or fexit/. The program already knows which. */
	if (bpf_program__type(program) == BPF_PROG_TYPE_TRACING)
		return take_fd(bpf_program__attach_trace(program));
	return attach_to_hook(program, bpf_program__section_name(program), tracefs, place);
}
