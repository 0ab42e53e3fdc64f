/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What the files of src/probe share: struct probe. Others use probe.h. */
#ifndef BRAMBLE_PROBE_INTERNAL_H
#define BRAMBLE_PROBE_INTERNAL_H

#include <bpf/libbpf.h>

#include "bramble/roots.h"
#include "obstacle/machine.h"
#include "probe/options.h"
#include "probe/sums.h"

struct bramble_bpf; /* the skeleton, build/bramble.skel.h */

/* More than there are BPF programs. */
#define PROGRAMS_MAX 64

/* A program that is loaded. */
struct probe_program {
	enum probe_id probe;
	struct bpf_program *program;
	int link_fd; /* it is attached as long as this is open; -1: it is not attached */
};

/* A program that the keeper has loaded and attached: keeper.h. */
struct kept_program {
	enum probe_id probe;
	int fd, link_fd;
};

#define KEPT_MAX 16

/* A part of an array that is mapped: whole pages, the first cell after skipped bytes. */
struct cell_row {
	void *data;
	size_t len, skipped;
};

/* The cells of a probe. */
struct cells {
	struct cell_row *rows; /* NULL: it is not enabled, or has no array of them */
	unsigned int mapped;   /* slots in each row */
	struct cell_sum sum;
};

struct probe {
	struct bramble_bpf *bpf;
	struct probe_program program[PROGRAMS_MAX];
	size_t programs;
	int keeper_fd;	/* -1: there is none, or it is done or gone */
	bool kept_lost; /* it keeps something that this process could not take */
	struct kept_program kept[KEPT_MAX];
	size_t kept_count;
	bool enabled[PROBES];
	bool up[PROBES];
	unsigned int holds[PROBES]; /* what holds() has said */
	void *state[PROBES];	    /* each is for the probe's own file */
	struct cells cells[PROBES];

	const char *tracefs;
	struct machine_place place;
	bool btf; /* the kernel's types are known, and not only the records of tracepoints */
	enum slot_ancestors ancestors;
	unsigned int slots;
	unsigned int cpus;

	uint64_t *slot_cgroups; /* maps of the kernel's arrays */
	uint64_t *slot_groups;
	unsigned char *slot_state; /* by slot: enum slot_state */
	bool roots_changed;	   /* since probe_tell_roots() */
};

enum slot_state {
	SLOT_STATE_OPEN, /* in use, or free */
	SLOT_STATE_CLOSED,
	SLOT_STATE_FREED, /* closed, and about to be free: probe_free_slots() */
};

/* Whether a slot was closed and not freed yet. Any number is allowed. */
static inline bool probe_is_closed(const struct probe *probe, unsigned int slot)
{
	return slot < probe->slots && probe->slot_state[slot] != SLOT_STATE_OPEN;
}

/* Whether it is among those that are freed now. */
static inline bool probe_is_freed(const struct probe *probe, unsigned int slot)
{
	return slot < probe->slots && probe->slot_state[slot] == SLOT_STATE_FREED;
}

#endif
