/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "diagnose/machine.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "diagnose/levels.h"

/* One value for each file system, as they are read. */
struct places {
	struct place {
		const char *where;
		double size, available, files, files_free;
		bool readonly;
	} list[MACHINE_STATES_MAX];
	size_t count;
};

struct look {
	struct machine *machine;
	struct places places;
	enum node_value value; /* that is being visited */
	double memory_available;
	bool memory_known;
};

static void add_state(struct machine *machine, enum cause cause, const char *where)
{
	struct machine_state *state;

	if (machine->count == MACHINE_STATES_MAX)
		return;
	state = &machine->states[machine->count++];
	state->cause = cause;
	snprintf(state->where, sizeof(state->where), "%s", where);
}

static struct place *place_of(struct places *places, const char *where)
{
	size_t i;

	for (i = 0; i < places->count; i++)
		if (strcmp(places->list[i].where, where) == 0)
			return &places->list[i];
	if (places->count == MACHINE_STATES_MAX)
		return NULL;
	places->list[places->count] = (struct place){.where = where};
	return &places->list[places->count++];
}

static void on_filesystem(void *context, const struct node_sample *sample)
{
	struct look *look = context;
	struct place *place = place_of(&look->places, sample->label[0]); /* mountpoint */

	if (!place)
		return;
	switch (look->value) {
	case NODE_FILESYSTEM_SIZE:
		place->size = (double)sample->value;
		break;
	case NODE_FILESYSTEM_AVAILABLE:
		place->available = (double)sample->value;
		break;
	case NODE_FILESYSTEM_FILES:
		place->files = (double)sample->value;
		break;
	case NODE_FILESYSTEM_FILES_FREE:
		place->files_free = (double)sample->value;
		break;
	default:
		place->readonly = sample->value != 0;
	}
}

static void on_throttled(void *context, const struct node_sample *sample)
{
	struct look *look = context;

	if (!sample->value)
		return;
	/* frequency_limit may be what somebody has set on purpose. */
	if (strcmp(sample->label[0], "under_voltage") == 0)
		add_state(look->machine, CAUSE_UNDER_VOLTAGE, "");
	else if (strcmp(sample->label[0], "temperature") == 0)
		add_state(look->machine, CAUSE_HEAT, "");
}

static void on_memory(void *context, const struct node_sample *sample)
{
	struct look *look = context;

	look->memory_known = true;
	look->memory_available = (double)sample->value;
}

static void judge_place(struct machine *machine, const struct place *place)
{
	bool is_root = strcmp(place->where, "/") == 0;

	if (place->readonly) {
		if (!is_root || machine->root_was_writable)
			add_state(machine, CAUSE_READ_ONLY, place->where);
		return; /* it cannot fill up */
	}
	machine->root_was_writable |= is_root;
	if (place->size > 0 && place->available < LEVEL_DISK_AVAILABLE * place->size)
		add_state(machine, CAUSE_DISK_FULL, place->where);
	if (place->files > 0 && place->files_free < LEVEL_INODES_FREE * place->files)
		add_state(machine, CAUSE_NO_INODES, place->where);
}

void machine_look(struct machine *machine, const struct node *node)
{
	struct look look = {.machine = machine};
	size_t i;

	machine->count = 0;
	node_visit(node, NODE_THROTTLED, on_throttled, &look);
	node_visit(node, NODE_MEMORY_AVAILABLE, on_memory, &look);
	if (look.memory_known && look.memory_available < LEVEL_MEMORY_AVAILABLE)
		add_state(machine, CAUSE_LOW_MEMORY, "");
	for (look.value = NODE_FILESYSTEM_SIZE; look.value <= NODE_FILESYSTEM_READONLY;
	     look.value++)
		node_visit(node, look.value, on_filesystem, &look);
	for (i = 0; i < look.places.count; i++)
		judge_place(machine, &look.places.list[i]);
}
