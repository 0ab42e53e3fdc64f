/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "probe/probe.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/features.h"
#include "obstacle/obstacle.h"
#include "probe/descriptors.h"
#include "probe/keeper.h"
#include "probe/load.h"
#include "probe/programs.h"
#include "util/ascii.h"
#include "util/log.h"
#include "util/openfiles.h"

#include "bramble.skel.h"

/* One more than the number of the highest possible CPU. BPF programs use these numbers as indexes.
 */
static int cpu_limit(void)
{
	FILE *file = fopen("/sys/devices/system/cpu/possible", "re");
	unsigned int last = 0;
	int c;

	if (!file)
		return libbpf_num_possible_cpus();
	while ((c = fgetc(file)) != EOF && c != '\n') {
		if (ascii_digit((char)c))
			last = last * 10 + (unsigned int)(c - '0');
		else
			last = 0;
	}
	fclose(file);
	return (int)last + 1;
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

/* libbpf sometimes reports EMFILE as EINVAL. So this is checked before. */
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

/* Each probe has memory of its own, zeroed at first. */
static int make_states(struct probe *probe)
{
	enum probe_id id;

	for (id = 0; id < PROBES; id++) {
		if (!probe->enabled[id] || !probe_descriptors[id]->state_size)
			continue;
		probe->state[id] = calloc(1, probe_descriptors[id]->state_size);
		if (!probe->state[id])
			return -ENOMEM;
	}
	return 0;
}

static int open_memory(struct probe *probe)
{
	int err = probe_open_cells(probe) ?: probe_map_slots(probe);
	enum probe_id id;

	for (id = 0; id < PROBES && !err; id++)
		if (probe->enabled[id] && probe_descriptors[id]->open)
			err = probe_descriptors[id]->open(probe);
	if (err)
		obstacle_report(LOG_ERROR, &probe->place, OBSTACLE_FILE, err,
				"cannot map the probe's memory");
	return err;
}

static int attach(struct probe *probe, enum probe_id id)
{
	const struct probe_descriptor *descriptor = probe_descriptors[id];
	int err = descriptor->attach ? descriptor->attach(probe) : probe_attach_all(probe, id);

	if (!err || descriptor->essential)
		return err;
	log_warn("the probe %s is not running; the others are, and --no-probe.%s keeps it from "
		 "being tried",
		 probe_names[id], probe_names[id]);
	return 0;
}

/*
 * Probes that are always on come first. So the events of cgroups are attached before the first
 * sample, and no cgroup is missed in between.
 */
static int attach_probes(struct probe *probe)
{
	enum probe_id id;
	int err = 0;

	for (id = 0; id < PROBES && !err; id++)
		if (!probe_descriptors[id]->flag_help)
			err = attach(probe, id);
	for (id = 0; id < PROBES && !err; id++)
		if (probe_descriptors[id]->flag_help && probe->enabled[id])
			err = attach(probe, id);
	return err;
}

int probe_open(const struct probe_options *options, struct probe **out)
{
	struct probe *probe;
	enum probe_id id;
	int err = probe_can_load(options);

	if (err)
		return err;
	probe = calloc(1, sizeof(*probe));
	if (!probe)
		return -ENOMEM;
	probe->keeper_fd = -1;
	probe->slots = options->slots;
	probe->tracefs = options->tracefs;
	probe->place = (struct machine_place){options->procfs, options->sysfs};
	probe->cpus = (unsigned int)cpu_limit();
	for (id = 0; id < PROBES; id++)
		probe->enabled[id] = options->enabled[id] || !probe_descriptors[id]->flag_help;
	err = make_states(probe);
	err = err ?: probe_load(probe, options);
	err = err ?: open_memory(probe);
	err = err ?: attach_probes(probe);
	if (err) {
		probe_close(probe);
		return err;
	}
	*out = probe;
	return 0;
}

/* The mapped memory belongs to the object, which exists only if it could be loaded. */
static void close_memory(struct probe *probe)
{
	enum probe_id id;

	for (id = 0; id < PROBES; id++)
		if (probe->state[id] && probe_descriptors[id]->close)
			probe_descriptors[id]->close(probe);
	probe_close_cells(probe);
	probe_unmap_slots(probe);
}

void probe_close(struct probe *probe)
{
	enum probe_id id;

	if (!probe)
		return;
	keeper_stop(probe);
	for (id = 0; id < PROBES; id++)
		probe_detach(probe, id);
	if (probe->bpf)
		close_memory(probe);
	for (id = 0; id < PROBES; id++)
		free(probe->state[id]);
	bramble_bpf__destroy(probe->bpf);
	free(probe);
}

void probe_look_again(struct probe *probe)
{
	enum probe_id id;

	for (id = 0; id < PROBES; id++)
		if (probe->enabled[id] && probe_descriptors[id]->look_again)
			probe_descriptors[id]->look_again(probe);
}

void probe_need(const struct probe *probe, struct sandbox_needs *needs)
{
	enum probe_id id;

	sandbox_need(needs, probe->tracefs, SANDBOX_LIST | SANDBOX_READ);
	needs->map_fd = bpf_map__fd(probe->bpf->maps.slot_by_cgroup);
	for (id = 0; id < PROBES; id++)
		if (probe->enabled[id] && probe_descriptors[id]->may_load)
			needs->loads |= probe_descriptors[id]->may_load(probe);
}

int probe_update(struct probe *probe)
{
	enum probe_id id;
	int err = 0;

	for (id = 0; id < PROBES; id++)
		if (probe->enabled[id] && probe_descriptors[id]->update)
			err = probe_descriptors[id]->update(probe) ?: err;
	return err;
}

int probe_tidy(struct probe *probe)
{
	enum probe_id id;
	int err = 0;

	for (id = 0; id < PROBES; id++)
		if (probe->enabled[id] && probe_descriptors[id]->tidy)
			err = probe_descriptors[id]->tidy(probe) ?: err;
	return err;
}

bool probe_is_up(const struct probe *probe, enum probe_id id)
{
	return probe->up[id];
}

size_t probe_hooks(const struct probe *probe, const char *hooks[], size_t max)
{
	const struct probe_program *one;
	size_t count = 0;

	for (one = probe->program; one < probe->program + probe->programs && count < max; one++)
		if (one->link_fd >= 0 && probe_descriptors[one->probe]->flag_help)
			hooks[count++] = bpf_program__section_name(one->program);
	return count;
}

const char *probe_attribution(const struct probe *probe, enum probe_id id)
{
	const struct probe_descriptor *descriptor = probe_descriptors[id];

	return descriptor->attribution ? descriptor->attribution(probe) : "current_task";
}

unsigned int probe_cpus(const struct probe *probe)
{
	return probe->cpus;
}
