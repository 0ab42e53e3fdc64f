/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What the files of src/probe share: the struct probe and its steps. Not for
 * others, which use probe.h.
 */
#ifndef BRAMBLE_PROBE_INTERNAL_H
#define BRAMBLE_PROBE_INTERNAL_H

#include <bpf/libbpf.h>

#include "obstacle/machine.h"
#include "probe/probe.h"
#include "probe/victims.h"

struct bramble_bpf; /* the skeleton, build/bramble.skel.h */

/* More than there are BPF programs. */
#define PROGRAMS_MAX 64

/* A program that is loaded, and its link once it is attached. */
struct probe_program {
	enum probe_id probe;
	struct bpf_program *program;
	struct bpf_link *link;
};

/* Ways to measure the fsyncs of file systems: the table in fsync.c. */
#define FILE_SYSTEMS 5

/* A part of an array that is mapped: whole pages, the first cell after skipped bytes. */
struct cell_row {
	void *data;
	size_t len, skipped;
};

/* The cells of a probe. */
struct cells {
	struct cell_row *rows; /* NULL: it is not enabled, or has none */
	unsigned int mapped;   /* slots in each row */
};

struct probe {
	struct bramble_bpf *bpf;
	struct ring_buffer *ring;
	struct probe_program program[PROGRAMS_MAX];
	size_t programs;
	bool enabled[PROBES];
	bool up[PROBES];
	const char *tracefs;
	struct machine_place place;
	bool tried[FILE_SYSTEMS];		  /* to attach to it, with success or without */
	struct bramble_bpf *beside[FILE_SYSTEMS]; /* with the programs of one; shares our maps */
	struct bramble_bpf *throttle;		  /* the same for the limits of io.max */
	enum sched_hooks hooks;
	bool btf;	  /* the kernel's types are known, and not only tracepoints' records */
	bool block_btf;	  /* and the block programs may use them */
	bool bio_cgroups; /* a bio's cgroup is known, and one of version 2 */
	unsigned int slots;
	unsigned int cpus;

	/* Maps of the kernel's arrays. */
	uint64_t *slot_cgroups;
	bool *closed; /* by slot: probe_close_slot() */
	struct sched_cpu *sched_cpus;
	struct tcp_cpu *tcp_cpus;   /* NULL: not enabled */
	struct socket_set *sockets; /* NULL: not mapped now */
	uint32_t *connections;	    /* open ones, by slot, as they were counted last */
	struct cells cells[PROBES];

	/* One read of the map of pairs. */
	struct wait_pair *pair;
	uint64_t *pair_ns;
	unsigned int pairs_max;

	/* One read of the block probe's cells. */
	struct block_key *block_key;
	struct block_cell *block_cell;
	struct block_cpu *block_cpus;
	uint64_t block_requests_full; /* losses as of the last tidying */

	struct victims victims;

	/* Who is called for the events of the running probe_poll(). */
	probe_cgroup_fn each;
	void *context;
	uint64_t cgroup_events;
};

/* Without these the rest says little. Others may fail, and are shown as not up. */
bool probe_is_essential(enum probe_id id);

/*
 * Opens the BPF object with the right BTF, chooses its programs, sizes its maps
 * and loads it. Probes that are not essential and cannot be loaded are no longer
 * enabled then. On failure the reason has been logged.
 */
int probe_load(struct probe *probe, const struct probe_options *options);

/*
 * Attaches to the file systems that are there now and were not before. What fails is logged,
 * and keeps nothing else from running.
 */
void probe_attach_fsync(struct probe *probe);

/* Frees what belongs to single file systems. Their programs have been detached. */
void probe_close_fsync(struct probe *probe);

/* Attaches those of a probe's programs whose names begin so, all or none. */
int probe_attach_some(struct probe *probe, enum probe_id id, const char *prefix);

/*
 * Loads and attaches a probe's programs that hook functions and whose names begin so: in an
 * object of their own, *beside, which the caller destroys after they are detached. Returns 0,
 * or a negative errno and *beside NULL: -EOPNOTSUPP without the kernel's BTF, or libbpf's.
 */
int probe_hook_functions(struct probe *probe, enum probe_id id, const char *prefix,
			 struct bramble_bpf **beside);

/* Adds to the programs of the probe. Returns 0 or -E2BIG. */
int probe_add_program(struct probe *probe, enum probe_id id, struct bpf_program *program);

/* Sizes the arrays of cells before the object is loaded. Returns 0 or a negative errno. */
int probe_size_cells(struct probe *probe);

/* Maps the arrays, and fills the queue of free slots. Returns 0 or a negative errno. */
int probe_map_cells(struct probe *probe);
void probe_unmap_cells(struct probe *probe);

/* The same for the block probe's, and freeing those of closed slots; nothing where it is not
 * enabled. */
int probe_map_blocks(struct probe *probe);
void probe_unmap_blocks(struct probe *probe);
int probe_free_blocks(struct probe *probe);

/*
 * Maps the table of sockets, which is mapped only while it is needed: what is mapped counts as
 * resident. Returns 0, also where the tcp probe is not enabled, or -ENOMEM.
 */
int probe_map_sockets(struct probe *probe);
void probe_unmap_sockets(struct probe *probe);

/* What is left of a gone cgroup's sockets belongs to nobody, until somebody uses it. */
void probe_free_sockets(struct probe *probe, unsigned int slot);

/* Whether a slot was closed and not freed yet. Any number is allowed. */
bool probe_is_closed(const struct probe *probe, unsigned int slot);

/* Maps an array of the kernel's, with whole pages. NULL if that fails. */
void *probe_map_array(const struct bpf_map *map);
void probe_unmap_array(const struct bpf_map *map, void *data);

/* For probe_tidy_victims(), once the object is loaded. */
void probe_open_victims(struct probe *probe);

/* Tasks that may have been an OOM killer's victims, and are not counted. */
uint64_t probe_victims_lost(const struct probe *probe);

/* What was lost or seen, over all CPUs. */
uint64_t probe_block_lost(const struct probe *probe, enum block_lost reason);
uint64_t probe_block_events(const struct probe *probe);

#endif
