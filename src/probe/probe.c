/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "probe/probe.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "obstacle/obstacle.h"
#include "probe/attach.h"
#include "probe/features.h"
#include "probe/internal.h"
#include "util/log.h"
#include "util/openfiles.h"

#include "bramble.skel.h"

const char *const probe_names[PROBES] = {
	[PROBE_SCHED] = "sched", [PROBE_FSYNC] = "fsync", [PROBE_MEMORY] = "memory",
	[PROBE_TCP] = "tcp",	 [PROBE_BLOCK] = "block", [PROBE_CGROUP] = "cgroup",
};

/* One more than the highest possible CPU's number, which BPF programs index by. */
static int cpu_limit(void)
{
	FILE *file = fopen("/sys/devices/system/cpu/possible", "re");
	unsigned int last = 0;
	int c;

	if (!file)
		return libbpf_num_possible_cpus();
	while ((c = fgetc(file)) != EOF && c != '\n') {
		if (c >= '0' && c <= '9')
			last = last * 10 + (unsigned int)(c - '0');
		else
			last = 0;
	}
	fclose(file);
	return (int)last + 1;
}

static int on_cgroup_event(void *context, void *data, size_t size)
{
	struct probe *probe = context;

	if (size >= offsetof(struct cgroup_event, path)) {
		probe->cgroup_events++;
		if (probe->each)
			probe->each(probe->context, data);
	}
	return 0;
}

static void detach(struct probe *probe, enum probe_id id)
{
	size_t i;

	probe->up[id] = false;
	for (i = 0; i < probe->programs; i++) {
		if (probe->program[i].probe != id)
			continue;
		bpf_link__destroy(probe->program[i].link);
		probe->program[i].link = NULL;
	}
}

/*
 * The wait of a bio at a limit of io.max, before there is a request. There can be such limits
 * only where the io controller is one of cgroup v2.
 */
static void attach_throttle(struct probe *probe)
{
	int err;

	if (!probe->bio_cgroups)
		return;
	err = probe_hook_functions(probe, PROBE_BLOCK, "function_throttle_", &probe->throttle);
	if (err)
		obstacle_report(LOG_INFO, &probe->place, OBSTACLE_FUNCTION, err,
				"waits at the limits of io.max are not measured");
}

/* Attaches one probe's programs; all or none. Those of fsync go by file system. */
static int attach(struct probe *probe, enum probe_id id)
{
	size_t i;
	int err = 0;

	if (id == PROBE_FSYNC) {
		probe_attach_fsync(probe);
		return 0;
	}
	for (i = 0; i < probe->programs && !err; i++) {
		if (probe->program[i].probe != id)
			continue;
		probe->program[i].link = attach_program(probe->program[i].program, probe->tracefs,
							&probe->place, &err);
		probe->up[id] = true;
	}
	if (err)
		detach(probe, id);
	else if (id == PROBE_BLOCK)
		attach_throttle(probe);
	return err;
}

/* Listening, waiting, the files of the node, a few clients: some 40 are open after a start. */
#define FILES_BESIDE 48

int probe_files_needed(void)
{
	struct bramble_bpf *bpf = bramble_bpf__open();
	struct bpf_program *program;
	struct bpf_map *map;
	int needed = FILES_BESIDE;

	if (!bpf)
		return -errno;
	bpf_object__for_each_map(map, bpf->obj)
		needed++;
	bpf_object__for_each_program(program, bpf->obj)
		needed += bpf_program__type(program) == BPF_PROG_TYPE_TRACEPOINT ? 3 : 2;
	bramble_bpf__destroy(bpf);
	return needed;
}

/* libbpf tells EMFILE as EINVAL at times: so it is found out before. */
static int can_open_files(void)
{
	unsigned long limit = open_files_limit();
	int needed = probe_files_needed();
	struct obstacle obstacle;

	if (needed < 0 || !limit || limit >= (unsigned long)needed)
		return needed < 0 ? needed : 0;
	obstacle_of_files(limit, (unsigned long)needed, &obstacle);
	obstacle_log(LOG_ERROR, &obstacle, "cannot load BPF programs");
	return -EMFILE;
}

int probe_can_load(const struct probe_options *options)
{
	const char *names[FEATURES_CAPS_MAX];
	int err = can_open_files();

	if (err)
		return err;
	err = features_missing_caps(names) ? -EPERM : feature_tracing();
	if (err)
		obstacle_report(LOG_ERROR, &(struct machine_place){options->procfs, options->sysfs},
				OBSTACLE_BPF, err, "cannot load BPF programs");
	return err;
}

bool probe_is_essential(enum probe_id id)
{
	return id == PROBE_SCHED || id == PROBE_CGROUP;
}

static int start(struct probe *probe)
{
	int id, err = probe_map_cells(probe);

	if (!err) {
		probe->ring = ring_buffer__new(bpf_map__fd(probe->bpf->maps.cgroup_events),
					       on_cgroup_event, probe, NULL);
		err = probe->ring ? 0 : -errno;
	}
	if (err) {
		obstacle_report(LOG_ERROR, &probe->place, OBSTACLE_FILE, err,
				"cannot map the probe's memory");
		return err;
	}
	/* The events of cgroups first, so that none is missed between them and the first sample. */
	err = attach(probe, PROBE_CGROUP);
	for (id = 0; id < PROBES && !err; id++) {
		if (id == PROBE_CGROUP || !probe->enabled[id])
			continue;
		err = attach(probe, (enum probe_id)id);
		if (err && !probe_is_essential((enum probe_id)id)) {
			log_warn("the probe %s is not running; the others are, and "
				 "--no-probe.%s keeps it from being tried",
				 probe_names[id], probe_names[id]);
			err = 0;
		}
	}
	return err;
}

int probe_open(const struct probe_options *options, struct probe **out)
{
	struct probe *probe;
	int err = probe_can_load(options);

	if (err)
		return err;
	probe = calloc(1, sizeof(*probe));
	if (!probe)
		return -ENOMEM;
	probe->slots = options->slots;
	probe->tracefs = options->tracefs;
	probe->place = (struct machine_place){options->procfs, options->sysfs};
	probe->cpus = (unsigned int)cpu_limit();
	memcpy(probe->enabled, options->enabled, sizeof(probe->enabled));
	probe->enabled[PROBE_CGROUP] = true;
	err = probe_load(probe, options);
	err = err ?: start(probe);
	if (err) {
		probe_close(probe);
		return err;
	}
	*out = probe;
	return 0;
}

void probe_close(struct probe *probe)
{
	int id;

	if (!probe)
		return;
	for (id = 0; id < PROBES; id++)
		detach(probe, (enum probe_id)id);
	if (probe->bpf)
		probe_unmap_cells(probe);
	ring_buffer__free(probe->ring);
	probe_close_fsync(probe);
	bramble_bpf__destroy(probe->throttle);
	bramble_bpf__destroy(probe->bpf);
	free(probe);
}

void probe_look_again(struct probe *probe)
{
	if (probe->enabled[PROBE_FSYNC])
		probe_attach_fsync(probe);
}

bool probe_is_up(const struct probe *probe, enum probe_id id)
{
	return probe->up[id];
}

const char *probe_attribution(const struct probe *probe, enum probe_id id)
{
	if (id == PROBE_TCP)
		return probe->btf ? "socket_user" : "socket_user_without_btf";
	if (id == PROBE_BLOCK)
		return probe->bio_cgroups ? "bio_cgroup" : "current_task";
	if (id == PROBE_CGROUP)
		return "event";
	if (id == PROBE_SCHED && probe->hooks != SCHED_HOOKS_RAW)
		return "current_task_by_id";
	return "current_task";
}

int probe_event_fd(const struct probe *probe)
{
	return ring_buffer__epoll_fd(probe->ring);
}

int probe_poll(struct probe *probe, probe_cgroup_fn each, void *context)
{
	int got;

	probe->each = each;
	probe->context = context;
	got = ring_buffer__consume(probe->ring);
	probe->each = NULL;
	return got < 0 ? got : 0;
}
