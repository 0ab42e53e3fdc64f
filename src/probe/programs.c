/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "probe/programs.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "probe/attach.h"
#include "probe/shed.h"

#include "bramble.skel.h"

int probe_add_program(struct probe *probe, enum probe_id id, struct bpf_program *program)
{
	if (probe->programs == PROGRAMS_MAX)
		return -E2BIG;
	probe->program[probe->programs++] = (struct probe_program){id, program, -1};
	return 0;
}

static bool begins_with(const struct bpf_program *program, const char *prefix)
{
	return strncmp(bpf_program__name(program), prefix, strlen(prefix)) == 0;
}

static void detach_some(struct probe *probe, enum probe_id id, const char *prefix)
{
	struct probe_program *program, *end = probe->program + probe->programs;

	for (program = probe->program; program < end; program++) {
		if (program->probe != id || !begins_with(program->program, prefix) ||
		    program->link_fd < 0)
			continue;
		close(program->link_fd);
		program->link_fd = -1;
	}
}

int probe_attach_some(struct probe *probe, enum probe_id id, const char *prefix)
{
	struct probe_program *program, *end = probe->program + probe->programs;
	int err = 0;

	for (program = probe->program; program < end && !err; program++) {
		if (program->probe != id || !begins_with(program->program, prefix))
			continue;
		err = attach_program(program->program, probe->tracefs, &probe->place);
		program->link_fd = err < 0 ? -1 : err;
		err = err < 0 ? err : 0;
	}
	if (err)
		detach_some(probe, id, prefix);
	return err;
}

int probe_attach_all(struct probe *probe, enum probe_id id)
{
	int err = probe_attach_some(probe, id, "");
	size_t i;

	for (i = 0; i < probe->programs && !err; i++)
		probe->up[id] |= probe->program[i].probe == id;
	return err;
}

void probe_detach(struct probe *probe, enum probe_id id)
{
	probe->up[id] = false;
	detach_some(probe, id, "");
}

/*
 * Programs that hook kernel functions (fentry, fexit). When the kernel loads them, it must find the
 * function, and it may not. So they are not loaded with the others, but in an object of their own
 * that shares the maps.
 */

/* The second object uses the maps of the first one, global variables included. */
static int share_maps(const struct bramble_bpf *from, struct bramble_bpf *to)
{
	struct bpf_map *map = NULL, *twin = NULL;
	int err = 0;

	while (!err && (map = bpf_object__next_map(from->obj, map))) {
		twin = bpf_object__next_map(to->obj, twin);
		err = twin ? bpf_map__reuse_fd(twin, bpf_map__fd(map)) : -ENOENT;
	}
	return err;
}

static int load_beside(struct probe *probe, enum probe_id id, const char *prefix,
		       struct bramble_bpf **beside)
{
	struct bpf_program *program;
	int err;

	*beside = bramble_bpf__open();
	if (!*beside)
		return -errno;
	err = share_maps(probe->bpf, *beside);
	bpf_object__for_each_program(program, (*beside)->obj) {
		if (!begins_with(program, prefix))
			continue;
		bpf_program__set_autoload(program, true);
		err = err ?: probe_add_program(probe, id, program);
	}
	err = err ?: bramble_bpf__load(*beside);
	return err ?: shed_object((*beside)->obj); /* the programs hold the maps */
}

/* Forgets the programs that were added for an object. It must be the last one that was opened. */
static void drop_beside(struct probe *probe, const char *prefix, struct bramble_bpf **beside)
{
	while (probe->programs && begins_with(probe->program[probe->programs - 1].program, prefix))
		probe->programs--;
	bramble_bpf__destroy(*beside);
	*beside = NULL;
}

int probe_hook_functions(struct probe *probe, enum probe_id id, const char *prefix,
			 struct bramble_bpf **beside)
{
	int err;

	if (!probe->btf)
		return -EOPNOTSUPP;
	err = load_beside(probe, id, prefix, beside);
	err = err ?: probe_attach_some(probe, id, prefix);
	if (err)
		drop_beside(probe, prefix, beside);
	return err;
}
