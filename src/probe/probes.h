/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The list of the probes. It gives each probe its number PROBE_ID, its name, and its cell:
 * a struct in include/bramble/cells.h. The probe's own file, src/probe/NAME.c, says the rest in
 * its descriptor, probe_NAME: see descriptor.h.
 *
 * What is exported by probe is in the order of this list.
 */
#ifndef BRAMBLE_PROBES_H
#define BRAMBLE_PROBES_H

#include "bramble/cells.h"

#define PROBE_LIST(PROBE)                                                                          \
	PROBE(SCHED, sched, sched_cell)                                                            \
	PROBE(BLOCKED, blocked, blocked_cell)                                                      \
	PROBE(FSYNC, fsync, fsync_cell)                                                            \
	PROBE(MEMORY, memory, memory_cell)                                                         \
	PROBE(TCP, tcp, tcp_cell)                                                                  \
	PROBE(BLOCK, block, block_cell)                                                            \
	PROBE(CGROUP, cgroup, stall_cell)

enum probe_id {
#define PROBE_NUMBER(id, name, cell) PROBE_##id,
	PROBE_LIST(PROBE_NUMBER)
#undef PROBE_NUMBER
		PROBES,
};

/* The names, for flags and labels: "sched". */
extern const char *const probe_names[PROBES];

/* The cell of any probe: what it counted for one slot. */
union probe_cell {
#define PROBE_CELL(id, name, cell) struct cell name;
	PROBE_LIST(PROBE_CELL)
#undef PROBE_CELL
};

#endif
