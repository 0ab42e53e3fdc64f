/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Everything that is known of a probe, in one place: each of src/probe/{sched,tcp,...}.c defines
 * one constant descriptor. Loading, attaching, reading, the flags and `bramble check` are loops
 * over the descriptors, and name no probe. tests/unit/test_probes.c holds the descriptors against
 * the BPF object and the table of families.
 */
#ifndef BRAMBLE_PROBE_DESCRIPTOR_H
#define BRAMBLE_PROBE_DESCRIPTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bramble/pressure.h"
#include "probe/options.h"
#include "probe/tracefs_btf.h"

struct probe;	    /* internal.h */
struct probe_times; /* times.h */

/* A BPF program. Those of a probe are attached in the order of their rows. */
struct program_row {
	const char *name;
	const char *event; /* "group/name" of its tracepoint */
	/*
	 * Instead of an event: the kernel function that it hooks (fentry, fexit). The probe's own
	 * file loads such a program: probe_hook_functions().
	 */
	const char *function;
	unsigned int needs; /* the program is the right one where holds() has all these bits */
	bool optional;	    /* if the kernel lacks the event, this is left out and logged */

	/* What `bramble check` says about the event. Only in the first row of each event. */
	const char *purpose;
	const char *remedy; /* where the event is missing */
};

/* A member of a cell that no family uses. */
struct cell_private {
	const char *member;
	const char *why;
	bool summed; /* summed over the CPUs, for another reader than the families; else left out */
};

#define CELL_LABELS_MAX 2

#define PROBE_MAPS_MAX	8

struct probe_cells {
	const char *map;
	size_t size;  /* of one */
	bool per_cpu; /* by CPU and slot; else by slot alone */
	bool keyed;   /* by a key of the probe's own, in a hash map that its file reads */
	/* keyed: names of its samples' labels, then NULL */
	const char *labels[CELL_LABELS_MAX + 1];
	const struct cell_private *privates;
	size_t private_count;
};

/* .cells = {PROBE_CELLS(sched_cell), ...}: an array of struct sched_cell, called sched_cells. */
#define PROBE_CELLS(cell) .map = #cell "s", .size = sizeof(struct cell)

/* The time in which a slot's tasks were short of a resource on one CPU. Only grows. */
struct probe_pressure {
	uint64_t some_ns[PRESSURE_RESOURCES]; /* at least one task waited for the resource */
	uint64_t needed_ns;		      /* all these, and the time that tasks ran */
};

/* Which part of look_again() a process does. */
enum late_part {
	LATE_LOADS,    /* what loads programs: the keeper, keeper.h */
	LATE_REST,     /* all but what the keeper does */
	LATE_NO_LOADS, /* the same without a keeper: what would load programs is not possible */
};

/*
 * A function may be NULL, unless its comment says otherwise. They are called only for an enabled
 * probe, and by one thread. Those that return an int return 0 or a negative errno.
 */
struct probe_descriptor {
	/* The help of --probe.NAME. NULL: there is no such flag, and the probe is always on. */
	const char *flag_help;
	unsigned int flag_rank; /* where the flag stands in the help, the lowest first */

	bool essential; /* if it cannot run, nothing runs: the others say little without it */

	const struct program_row *programs;
	size_t program_count;
	struct probe_cells cells;

	/*
	 * The maps, beside that of the cells, whose descriptors its file still uses when everything
	 * is attached. The others are closed then: shed.h.
	 */
	const char *maps[PROBE_MAPS_MAX];

	/* The records of tracepoints that its programs read: structs in vmlinux/vmlinux.h. */
	const struct tracefs_record *records;
	size_t record_count;

	/* The names of its losses: what it cannot count or attribute; and how many of each. */
	const char *const *losses;
	size_t loss_count;
	uint64_t (*lost)(const struct probe *probe, size_t loss);

	/* Events of the kernel that it saw. Not NULL. */
	uint64_t (*events)(const struct probe *probe);

	/* How a sample's cgroup is found, a static string. NULL: "current_task". */
	const char *(*attribution)(const struct probe *probe);

	/* Memory of its own: probe->state[id], zeroed at first, freed after close(). */
	size_t state_size;

	/* What is true of this kernel, as bits for needs. Called once, before loading. */
	unsigned int (*holds)(struct probe *probe, const struct probe_options *options);

	/*
	 * Sizes its maps, except for the cells, and sets the constants of its programs. Called
	 * before each try to load.
	 */
	int (*size)(struct probe *probe);

	/* Maps memory. The object is loaded, and nothing attached. */
	int (*open)(struct probe *probe);

	/* Attaches the programs. NULL: all or none of them. */
	int (*attach)(struct probe *probe);

	/* Attaches what could not be attached before. Called at each update. */
	void (*look_again)(struct probe *probe);

	/*
	 * Whether look_again() may have to load programs. With may_load() comes divide(): from then
	 * on look_again() does a part of the work.
	 */
	bool (*may_load)(const struct probe *probe);
	void (*divide)(struct probe *probe, enum late_part part);

	/* Called before the cells are read. */
	int (*update)(struct probe *probe);

	/* Adds to a cell, after it was read, what only user space knows. */
	void (*read)(const struct probe *probe, unsigned int slot, union probe_cell *cell);

	/* Adds the pressure in a cell of one CPU. */
	void (*add_pressure)(const volatile void *cell, struct probe_pressure *pressure);

	/* Adds the times in a cell, of one CPU or of all. False: they are just changing. */
	bool (*add_times)(const volatile void *cell, struct probe_times *times);

	/* Makes room for new entries. Called after the cells were read. */
	int (*tidy)(struct probe *probe);

	/*
	 * Slots are closed between these two calls: probe_is_closed(). If begin_close() fails, they
	 * stay as they were, and end_close() is not called.
	 */
	int (*begin_close)(struct probe *probe);
	void (*end_close)(struct probe *probe);

	/* Whether it keeps something for a slot, as of update(), that closing it would lose. */
	bool (*holds_slot)(const struct probe *probe, unsigned int slot);

	/* Whether a program may still count for a closed slot: then it is not freed yet. */
	bool (*uses_slot)(const struct probe *probe, unsigned int slot);
	/*
	 * Deletes what is kept for slots that will get new owners: probe_is_freed(). If it fails,
	 * they stay closed, and it is called for them again.
	 */
	int (*free_slots)(struct probe *probe);

	/* Frees everything, even if open() failed halfway. The programs are already detached. */
	void (*close)(struct probe *probe);
};

#endif
