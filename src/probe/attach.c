/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "probe/attach.h"

#include <errno.h>
#include <limits.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "util/buf.h"
#include "util/log.h"

/* The number the kernel knows a tracepoint by. event: "category/name". */
static int tracepoint_id(const char *tracefs, const char *event, uint64_t *id)
{
	char path[PATH_MAX];
	struct buf text;
	char *end;
	int err;

	snprintf(path, sizeof(path), "%s/events/%s/id", tracefs, event);
	err = buf_read_file(&text, path, 64);
	if (err) {
		log_error("cannot find the tracepoint %s: %s: %s; is tracefs mounted there? (mount "
			  "-t tracefs tracefs /sys/kernel/tracing, or --path.tracefs)",
			  event, path, strerror(-err));
		return err;
	}
	*id = strtoull(text.data, &end, 10);
	err = end == text.data ? -EINVAL : 0;
	buf_free(&text);
	return err;
}

static struct bpf_link *attach_classic(const struct bpf_program *program, const char *tracefs,
				       const char *event, int *err)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_TRACEPOINT,
		.size = sizeof(attr),
		.sample_period = 1,
	};
	uint64_t id = 0;
	struct bpf_link *link;
	int fd;

	*err = tracepoint_id(tracefs, event, &id);
	if (*err)
		return NULL;
	attr.config = id;
	/* One event on one CPU is enough: BPF programs of a tracepoint run on all. */
	fd = (int)syscall(SYS_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
	if (fd < 0) {
		*err = -errno;
		log_error("cannot open the tracepoint %s as a perf event: %s; it needs "
			  "CAP_PERFMON (or CAP_SYS_ADMIN), and no seccomp filter in the way",
			  event, strerror(errno));
		return NULL;
	}
	link = bpf_program__attach_perf_event(program, fd);
	if (!link) {
		*err = -errno;
		log_error("cannot attach to the tracepoint %s: %s", event, strerror(errno));
		close(fd);
	}
	return link;
}

static struct bpf_link *attach_raw(const struct bpf_program *program, const char *event, int *err)
{
	struct bpf_link *link = bpf_program__attach_raw_tracepoint(program, event);

	*err = link ? 0 : -errno;
	if (!link)
		log_error("cannot attach to the raw tracepoint %s: %s", event, strerror(errno));
	return link;
}

/* A function of the kernel: fentry/ or fexit/. It is known to the program already. */
static struct bpf_link *attach_function(const struct bpf_program *program, int *err)
{
	struct bpf_link *link = bpf_program__attach_trace(program);

	*err = link ? 0 : -errno;
	if (!link)
		log_debug("cannot attach to %s: %s", bpf_program__section_name(program),
			  strerror(errno));
	return link;
}

struct bpf_link *attach_program(const struct bpf_program *program, const char *tracefs, int *err)
{
	const char *section = bpf_program__section_name(program);
	const char *event = strchr(section, '/') + 1;

	if (strncmp(section, "raw_tp/", strlen("raw_tp/")) == 0)
		return attach_raw(program, event, err);
	if (bpf_program__type(program) == BPF_PROG_TYPE_TRACING)
		return attach_function(program, err);
	return attach_classic(program, tracefs, event, err);
}
