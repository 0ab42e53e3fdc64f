/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "report/floor.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "obstacle/machine.h"
#include "probe/attach.h"
#include "probe/probe.h"

#include "floor.skel.h"

struct floor {
	struct floor_bpf *bpf;
	int link_fd[FLOOR_HOOKS_MAX];
	size_t links;
};

static bool is_tracepoint(const char *hook)
{
	return strstr(hook, "tp/") || strncmp(hook, "tp_btf/", strlen("tp_btf/")) == 0;
}

int floor_find_hooks(const struct probe_options *options, struct floor_hooks *hooks)
{
	const char *names[FLOOR_HOOKS_MAX];
	struct probe *probe;
	size_t count, i;
	int err = probe_open(options, &probe);

	hooks->count = 0;
	if (err)
		return err;
	count = probe_hooks(probe, names, FLOOR_HOOKS_MAX);
	for (i = 0; i < count; i++)
		if (is_tracepoint(names[i]))
			snprintf(hooks->name[hooks->count++], FLOOR_HOOK_SIZE, "%s", names[i]);
	probe_close(probe);
	return 0;
}

static const struct bpf_program *choose(const struct floor_bpf *bpf, const char *hook,
					enum floor_program program)
{
	if (strncmp(hook, "tp/", 3) == 0)
		return program == FLOOR_CLOCK ? bpf->progs.clock_classic : bpf->progs.empty_classic;
	return program == FLOOR_CLOCK ? bpf->progs.clock_raw : bpf->progs.empty_raw;
}

int floor_open(const struct probe_options *options, const struct floor_hooks *hooks,
	       enum floor_program program, struct floor **out)
{
	const struct machine_place place = {options->procfs, options->sysfs};
	struct floor *floor = calloc(1, sizeof(*floor));
	int err = -ENOMEM;
	size_t i;

	*out = NULL;
	if (floor) {
		floor->bpf = floor_bpf__open_and_load();
		err = floor->bpf ? 0 : -errno;
	}
	for (i = 0; !err && i < hooks->count; i++) {
		int fd = attach_to_hook(choose(floor->bpf, hooks->name[i], program), hooks->name[i],
					options->tracefs, &place);

		if (fd >= 0)
			floor->link_fd[floor->links++] = fd;
		else
			err = fd;
	}
	if (err)
		floor_close(floor);
	else
		*out = floor;
	return err;
}

void floor_close(struct floor *floor)
{
	size_t i;

	for (i = 0; floor && i < floor->links; i++)
		close(floor->link_fd[i]);
	if (floor && floor->bpf)
		floor_bpf__destroy(floor->bpf);
	free(floor);
}

int floor_own_cgroup(uint64_t *id)
{
	struct floor_bpf *bpf = floor_bpf__open_and_load();
	DECLARE_LIBBPF_OPTS(bpf_test_run_opts, run);
	int err = 0;

	if (!bpf)
		return -errno;
	if (bpf_prog_test_run_opts(bpf_program__fd(bpf->progs.own_cgroup), &run))
		err = -errno;
	if (!err)
		*id = bpf->bss->cgroup;
	floor_bpf__destroy(bpf);
	return err;
}
