/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The BPF programs: opened, relocated, loaded, attached. One thread calls all
 * of this. Closing the probe detaches everything; nothing is ever pinned.
 */
#ifndef BRAMBLE_PROBE_H
#define BRAMBLE_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bramble/cells.h"
#include "bramble/pressure.h"

/* The probes a user can switch, and those that serve all of them. */
enum probe_id {
	PROBE_SCHED,
	PROBE_FSYNC,
	PROBE_MEMORY,
	PROBE_TCP,
	PROBE_BLOCK,
	PROBE_CGROUP,
	PROBES,
};

extern const char *const probe_names[PROBES];

/* Which tracepoints the sched programs hang on. */
enum sched_hooks {
	SCHED_HOOKS_AUTO,    /* raw where prev_state is passed (5.18), else classic */
	SCHED_HOOKS_RAW,     /* keyed by task pointer */
	SCHED_HOOKS_CLASSIC, /* keyed by thread id */
};

struct probe_options {
	unsigned int slots;  /* cgroup slots, 2 to SLOTS_MAX, with the overflow slot */
	const char *btf;     /* "auto", "none" (from tracefs alone), or a file */
	const char *tracefs; /* where tracefs is mounted; must outlive the probe */
	const char *procfs;  /* these, too: where they are, or NULL for /proc and /sys */
	const char *sysfs;
	bool enabled[PROBES]; /* PROBE_CGROUP is always on */
	enum sched_hooks hooks;
};

struct probe;

/*
 * How many files must be allowed to be open: for the maps, for each program with its link and, at
 * a classic tracepoint, its perf event, and for what else a start opens. More than most kernels
 * need, as not all programs are for one; the same everywhere, so that check says what serve says.
 * A negative errno if that cannot be found out.
 */
int probe_files_needed(void);

/*
 * Whether BPF programs can be loaded at all. Returns 0, or a negative errno after the reason and
 * the remedy have been logged. Of the options, procfs and sysfs are looked at.
 */
int probe_can_load(const struct probe_options *options);

/*
 * Loads and attaches the enabled programs. On success *out is owned by the
 * caller, who gives it to probe_close(). On failure the reason and the remedy
 * have been logged, and a negative errno is returned: -EPERM (privileges),
 * -ENOENT (a tracepoint or tracefs is missing), -EINVAL (the kernel cannot
 * run tracing programs), -EMFILE (RLIMIT_NOFILE is too low), or libbpf's.
 */
int probe_open(const struct probe_options *options, struct probe **out);
void probe_close(struct probe *probe);

/*
 * Attaches what could not be attached before: the hooks of a file system whose module was
 * loaded meanwhile. Cheap, to be called now and then.
 */
void probe_look_again(struct probe *probe);

bool probe_is_up(const struct probe *probe, enum probe_id id);

/* How samples find their cgroup, for bramble_probe_attribution_info. */
const char *probe_attribution(const struct probe *probe, enum probe_id id);

unsigned int probe_slots(const struct probe *probe);

/* The cgroup id of a slot, 0 when it is free or the overflow slot. */
uint64_t probe_slot_cgroup(const struct probe *probe, unsigned int slot);

/* The cell of any probe: what it counted for one slot. */
union probe_cell {
	struct sched_cell sched;
	struct fsync_cell fsync;
	struct memory_cell memory;
	struct tcp_cell tcp;
	struct block_cell block; /* not by probe_read_cell(): there are several for a slot */
};

/*
 * Copies a probe's cell of a slot, summed over all CPUs. Returns its size in
 * bytes, 0 if the probe is not enabled or has none. Buckets wrap at 2^32, also
 * in the sum: only differences between two reads have a meaning.
 */
size_t probe_read_cell(struct probe *probe, enum probe_id id, unsigned int slot,
		       union probe_cell *cell);

/*
 * Counts the open connections of all slots, for the cells that are read after it. They are counted
 * among the sockets that are known, and not as they come and go: what is missed once is not wrong
 * for ever. Returns 0, also where the tcp probe is not enabled, or -ENOMEM: then the last count
 * stays.
 */
int probe_count_connections(struct probe *probe);

/* CPUs that are possible. */
unsigned int probe_cpus(const struct probe *probe);

/* What a slot's tasks were short of on one CPU, by what the enabled probes see. Only grows. */
struct probe_pressure {
	uint64_t some_ns[PRESSURE_RESOURCES]; /* at least one task waited for the resource */
	uint64_t needed_ns;		      /* all these, and the time that tasks ran */
};

/* Reads it for each CPU. False if there is no memory for it. */
bool probe_read_pressure(struct probe *probe, unsigned int slot, struct probe_pressure *pressure);

/*
 * Calls each for every cell of the block probe, all read in one go. Returns 0 or
 * a negative errno.
 */
typedef void (*probe_block_fn)(void *context, const struct block_key *key,
			       const struct block_cell *cell);
int probe_read_blocks(struct probe *probe, probe_block_fn each, void *context);

/*
 * Makes room where requests could not be remembered: forgets those that were
 * last seen more than a minute ago, such as those of devices that are gone. Cheap
 * when there was room for all.
 */
int probe_tidy_blocks(struct probe *probe);

/*
 * Makes the exit of a task cheap again where the memory probe waits for exits that will not come.
 * Cheap when it waits for none. Returns 0 or a negative errno.
 */
int probe_tidy_victims(struct probe *probe);

/*
 * Closes a slot whose cgroup is gone: no sample finds the way to it any more. What it has counted
 * is to be read once more before probe_free_slots(). Returns 0 or a negative errno: -ENOENT if the
 * slot is in no use, else it stays as it was.
 */
int probe_close_slot(struct probe *probe, unsigned int slot);

/*
 * Gives the closed slots to new cgroups, with their pairs and their cells of the block probe
 * deleted. Their other cells keep what they have counted, as a program that is running at this
 * moment may still write to them: only what they grow by from now on is the next cgroup's.
 * Returns 0 or a negative errno.
 */
int probe_free_slots(struct probe *probe);

/*
 * Calls each for every pair of victim and cause, with the nanoseconds waited
 * since the pair was first seen. Returns 0 or a negative errno.
 */
typedef void (*probe_pair_fn)(void *context, struct wait_pair pair, uint64_t wait_ns);
int probe_read_pairs(struct probe *probe, probe_pair_fn each, void *context);

/* What was not counted, and why. */
struct probe_lost {
	enum probe_id probe;
	const char *reason;
	uint64_t count;
};
/* Events of cgroups that found no place in the ring buffer. No system call. */
uint64_t probe_cgroup_events_lost(const struct probe *probe);

/* Fills in the rows of all probes that are enabled. Returns how many. */
#define PROBE_LOST_MAX 64
size_t probe_read_lost(const struct probe *probe, struct probe_lost lost[PROBE_LOST_MAX]);

/*
 * Events seen: context switches (sched), fsyncs (fsync), reclaims and OOM kills (memory),
 * sends, receives and arrivals of data of known sockets (tcp), requests done (block),
 * cgroups made or removed (cgroup).
 */
uint64_t probe_events(const struct probe *probe, enum probe_id id);

/*
 * CPU time the probe's programs took, in ns. -ENODATA unless the kernel counts
 * it (sysctl kernel.bpf_stats_enabled=1).
 */
int probe_cpu_ns(const struct probe *probe, enum probe_id id, uint64_t *ns);

/* Readable when probe_poll() has something to do. Owned by the probe. */
int probe_event_fd(const struct probe *probe);

/* Calls each for every cgroup made or removed since. Returns 0 or a negative errno. */
typedef void (*probe_cgroup_fn)(void *context, const struct cgroup_event *event);
int probe_poll(struct probe *probe, probe_cgroup_fn each, void *context);

#endif
