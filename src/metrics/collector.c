/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "metrics/collector.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "bramble/growth.h"
#include "metrics/block.h"
#include "metrics/causes.h"
#include "metrics/info.h"
#include "metrics/naming.h"
#include "metrics/pressure.h"
#include "metrics/usage.h"
#include "net/overflows.h"
#include "util/clock.h"
#include "util/log.h"

/* A hierarchy is walked again at most this often, and names are looked for again. */
#define RETRY_NS	   NS_PER_S

/*
 * And at least this often. The kernel leaves out a program now and then, and not all kernels count
 * that: a cgroup whose end was missed would keep its slot and its series for ever. A walk takes
 * some six system calls a cgroup.
 */
#define WALK_NS		   (300 * NS_PER_S)

/*
 * With few slots left, a removed cgroup's slot is freed after this long and not
 * only after --retain: its totals are its owner's by then, and a task's last
 * switch comes some milliseconds after its cgroup's end.
 */
#define SLOT_RETAIN_MIN_NS (10 * NS_PER_S)

/* An owner that nobody reads is forgotten after this many times --retain. */
#define RETAIN_UNREAD	   12

/* Network namespaces are read this often, and so many cgroups are looked at in one update. */
#define OVERFLOWS_ROUND_NS (10 * NS_PER_S)
#define OVERFLOWS_BATCH	   16

/* What is known of a slot that is in use. */
struct slot {
	struct cgroup *cgroup;		 /* NULL: not known yet, or it is no cgroup's */
	bool kernel;			 /* it is KERNEL_CGROUP_ID's */
	bool closed;			 /* to be freed */
	void *before[PROBES];		 /* the cells at the last update; NULL: they were zero */
	struct probe_pressure *pressure; /* the same by CPU; NULL: they were zero */
	uint64_t some_ns[PRESSURE_RESOURCES]; /* pressure that its owner has not got yet */
};

struct collector {
	struct collector_options options;
	struct probe *probe;
	struct registry registry;
	struct owners owners;
	struct usage usage;
	struct node *node;
	struct kube_names *names;
	int event_fd; /* an epoll: the probe's events, the kubelet's answers, clock_fd */
	struct wall wall;
	int clock_fd; /* readable when the wall clock was set; negative: none */
	struct slot *slots;
	struct causes causes;
	struct block_books blocks;
	struct probe_pressure *pressure; /* by CPU, as it is read */
	struct owner *idle;		 /* the cause of waits on a CPU that was idle */
	struct owner *overflow;		 /* for cgroups without a slot */
	struct owner *kernel;		 /* for KERNEL_CGROUP_ID */
	uint64_t read_ns;		 /* when the owners were last read */
	uint64_t tried_ns;		 /* when names were last looked for again */
	uint64_t walked_ns;
	struct overflows *overflows; /* NULL: the tcp probe is not on */
	uint64_t round_ns;	     /* when the running round of reading them began */
	unsigned int round;
	uint64_t start_ns;   /* CLOCK_BOOTTIME */
	uint64_t started_ns; /* the same by CLOCK_MONOTONIC */
	uint64_t ring_full;  /* events lost, as of the last walk */
	bool path_cut;	     /* since then, an event told of a cgroup without its whole path */
	uint64_t causes_lost;
	uint64_t unnamed;
	uint64_t stepped_back[PROBES];
	unsigned int slots_used;
};

/* All cgroups of one owner get another: two owners turned out to be the same. */
static void move_cgroups(struct collector *c, const struct owner *from, struct owner *to)
{
	struct cgroup *cgroup, *next;

	HASH_ITER(hh, c->registry.table, cgroup, next)
		if (cgroup->owner == from)
			cgroup->owner = to;
}

/* Whether the second labels have the pod's name where the first have its uid. */
static bool names_pod(const struct labels *before, const struct labels *now)
{
	return !before->name_space[0] && now->name_space[0];
}

/* The first time that a cgroup's name is looked for. Until it is known its owner is held back. */
static void make_owner(struct collector *c, struct cgroup *cgroup, const struct labels *labels)
{
	struct owner *owner = owners_get(&c->owners, labels);

	cgroup->owner = owner;
	if (!owner)
		return;
	if (!cgroup->named && !owner->cgroups)
		owners_hold(owner);
	owner->cgroups++;
}

/* What an owner that is held back has counted is shown from now on, by its own labels or others. */
static void rename_owner(struct collector *c, struct cgroup *cgroup, const struct labels *labels)
{
	struct owner *before = cgroup->owner;
	bool held = before->held;

	cgroup->owner = owners_rename(&c->owners, before, labels);
	if (cgroup->owner != before)
		move_cgroups(c, before, cgroup->owner);
	if (held && cgroup->named)
		owners_show(cgroup->owner, clock_monotonic_ns());
}

/* Looks for a cgroup's name and makes or renames its owner. */
static void name_cgroup(struct collector *c, struct cgroup *cgroup)
{
	struct labels labels;

	cgroup->named = naming_find(&c->registry, c->names, &c->wall, cgroup, &labels);
	if (!cgroup->owner)
		make_owner(c, cgroup, &labels);
	else if (cgroup->named || names_pod(&cgroup->owner->labels, &labels))
		rename_owner(c, cgroup, &labels);
	if (cgroup->owner && !c->options.sandboxes && labels.pod[0] &&
	    strcmp(labels.container, KUBE_SANDBOX) == 0)
		owners_hide(&c->owners, cgroup->owner);
}

static void on_cgroup_event(void *context, const struct cgroup_event *event)
{
	struct collector *c = context;
	struct cgroup *cgroup;

	if (event->kind == CGROUP_MADE) {
		/* A path that may have been cut says something else: a walk finds the whole. */
		if (!event->path_len || event->path_len >= CGROUP_PATH_MAX - 1) {
			c->path_cut = true;
			return;
		}
		cgroup = registry_add(&c->registry, event->id, event->path,
				      event->time_ns + clock_suspended_ns());
		/* At birth: the log directory of a short-lived pod may soon be gone. */
		if (cgroup && cgroup->name.pod_uid[0] && !cgroup->owner)
			name_cgroup(c, cgroup);
		return;
	}
	cgroup = registry_find(&c->registry, event->id);
	if (cgroup && !cgroup->removed_ns)
		cgroup->removed_ns = event->time_ns;
}

static void walk(struct collector *c, uint64_t now_ns)
{
	int err = registry_walk(&c->registry, c->options.cgroupfs, c->options.procfs, now_ns);

	if (err)
		log_warn("cannot read the cgroups under %s: %s", c->options.cgroupfs,
			 strerror(-err));
	c->walked_ns = now_ns;
}

/* What events said that found no place in the ring buffer, or were not seen, is found by a walk. */
static void walk_if_due(struct collector *c, uint64_t now_ns)
{
	uint64_t lost = probe_cgroup_events_lost(c->probe);
	bool missed = lost != c->ring_full || c->path_cut;

	if (grown(now_ns, c->walked_ns) < (missed ? RETRY_NS : WALK_NS))
		return;
	c->ring_full = lost;
	c->path_cut = false;
	walk(c, now_ns);
}

/* The cgroup of a slot. One that is not known even after a walk is a unit "unknown". */
static struct cgroup *cgroup_of_slot(struct collector *c, uint64_t id, uint64_t now_ns)
{
	struct cgroup *cgroup = registry_find(&c->registry, id);

	if (!cgroup) {
		collector_poll(c);
		cgroup = registry_find(&c->registry, id);
	}
	if (!cgroup && grown(now_ns, c->walked_ns) >= RETRY_NS) {
		walk(c, now_ns);
		cgroup = registry_find(&c->registry, id);
		if (!cgroup) {
			cgroup = registry_add(&c->registry, id, "", 0);
			c->unnamed++;
			if (cgroup)
				cgroup->removed_ns = now_ns;
		}
	}
	return cgroup;
}

/* Waits whose cause found no pair stand in the scheduler's cell, beside the families' fields. */
static void add_other_causes(struct collector *c, struct owner *owner, const struct sched_cell *now,
			     const struct sched_cell *before)
{
	owner->caused_other_ns += grown(now->caused_other_ns, before->caused_other_ns);
	c->causes_lost += grown(now->caused_other, before->caused_other);
}

static bool is_zero(const void *data, size_t size)
{
	const char *bytes = data;

	return !bytes[0] && !memcmp(bytes, bytes + 1, size - 1);
}

/* Adds what one cell of a slot grew by. Without memory nothing is lost: the next update counts it.
 */
static void update_cell(struct collector *c, unsigned int index, enum probe_id id,
			struct owner *owner)
{
	struct slot *slot = &c->slots[index];
	union probe_cell now;
	size_t size = probe_read_cell(c->probe, id, index, &now);
	struct total *total;

	if (!size || (!slot->before[id] && is_zero(&now, size)))
		return;
	total = owner_total(owner, id);
	if (!slot->before[id])
		slot->before[id] = calloc(1, size);
	if (!total || !slot->before[id] || !memcmp(&now, slot->before[id], size))
		return;
	c->stepped_back[id] += total_add_growth(total, &now, slot->before[id]);
	if (id == PROBE_SCHED)
		add_other_causes(c, owner, &now.sched, slot->before[id]);
	memcpy(slot->before[id], &now, size);
}

/* Sums up the pressure of a slot, whose owner may not be known yet. */
static void update_pressure(struct collector *c, unsigned int index)
{
	struct slot *slot = &c->slots[index];
	size_t cpus = probe_cpus(c->probe);

	if (!probe_read_pressure(c->probe, index, c->pressure))
		return;
	if (!slot->pressure)
		slot->pressure = calloc(cpus, sizeof(*slot->pressure));
	if (slot->pressure)
		c->stepped_back[PROBE_CGROUP] +=
			pressure_add_growth(c->pressure, slot->pressure, cpus, slot->some_ns);
}

static void update_cells(struct collector *c, unsigned int index, struct owner *owner)
{
	uint64_t *some_ns = c->slots[index].some_ns;
	int i;

	for (i = 0; i < PROBES && owner; i++)
		update_cell(c, index, (enum probe_id)i, owner);
	if (!owner)
		return;
	update_pressure(c, index);
	for (i = 0; i < PRESSURE_RESOURCES; i++) {
		cgroup_values_add(&owner->files, CGROUP_OWN_PRESSURE + (unsigned int)i, some_ns[i]);
		some_ns[i] = 0;
	}
}

static void update_slot(struct collector *c, unsigned int index, uint64_t now_ns)
{
	struct slot *slot = &c->slots[index];
	uint64_t id = probe_slot_cgroup(c->probe, index);

	slot->kernel = id == KERNEL_CGROUP_ID;
	if (slot->kernel) {
		update_cells(c, index, c->kernel);
		return;
	}
	if (!slot->cgroup)
		slot->cgroup = cgroup_of_slot(c, id, now_ns);
	if (!slot->cgroup)
		return;
	if (!slot->cgroup->owner)
		name_cgroup(c, slot->cgroup);
	update_cells(c, index, slot->cgroup->owner);
}

static struct owner *owner_of_slot(const struct collector *c, unsigned int slot)
{
	if (slot == SLOT_IDLE)
		return c->idle;
	if (slot == SLOT_OVERFLOW)
		return c->overflow;
	if (slot < probe_slots(c->probe) && c->slots[slot].kernel)
		return c->kernel;
	if (slot >= probe_slots(c->probe) || !c->slots[slot].cgroup)
		return NULL;
	return c->slots[slot].cgroup->owner;
}

static void on_pair(void *context, struct wait_pair pair, uint64_t wait_ns)
{
	struct collector *c = context;
	struct owner *victim = owner_of_slot(c, pair.victim);
	struct owner *cause = owner_of_slot(c, pair.cause);

	if (victim && cause) /* else the next update knows them */
		c->stepped_back[PROBE_SCHED] +=
			!causes_add(&c->causes, pair, victim, cause, wait_ns);
}

static void on_block(void *context, const struct block_key *key, const struct block_cell *cell)
{
	struct collector *c = context;
	struct owner *owner = owner_of_slot(c, key->slot);

	if (owner)
		block_books_add(&c->blocks, owner, key, cell);
}

static void update_blocks(struct collector *c)
{
	block_books_begin(&c->blocks);
	probe_read_blocks(c->probe, on_block, c);
	probe_tidy_blocks(c->probe);
}

static void free_cells(struct slot *slot)
{
	int id;

	for (id = 0; id < PROBES; id++)
		free(slot->before[id]);
	free(slot->pressure);
}

static bool close_slot(struct collector *c, unsigned int index)
{
	int err = probe_close_slot(c->probe, index);

	if (err) /* the next update tries again */
		log_warn("cannot free slot %u of %s: %s", index, c->slots[index].cgroup->path,
			 strerror(-err));
	else
		c->slots[index].closed = true;
	return !err;
}

/* Closes the slots of cgroups that were removed long enough ago. Returns whether there were any. */
static bool close_slots(struct collector *c, uint64_t now_ns)
{
	bool scarce = c->slots_used > probe_slots(c->probe) / 8 * 7, any = false;
	uint64_t retain_ns = scarce && c->options.retain_ns > SLOT_RETAIN_MIN_NS
				     ? SLOT_RETAIN_MIN_NS
				     : c->options.retain_ns;
	unsigned int i;

	for (i = SLOT_OVERFLOW + 1; i < probe_slots(c->probe); i++) {
		const struct cgroup *cgroup = c->slots[i].cgroup;

		/* It may have been removed since now_ns was read. */
		if (cgroup && cgroup->removed_ns && grown(now_ns, cgroup->removed_ns) > retain_ns)
			any |= close_slot(c, i);
	}
	return any;
}

/* What closed slots have counted since the update, and with what their gauges hold no more. */
static void read_closed(struct collector *c)
{
	unsigned int i;

	for (i = SLOT_OVERFLOW + 1; i < probe_slots(c->probe); i++)
		if (c->slots[i].closed)
			update_cells(c, i, c->slots[i].cgroup->owner);
	probe_read_pairs(c->probe, on_pair, c);
	probe_read_blocks(c->probe, on_block, c);
}

/* Frees the slots of cgroups that are gone. The readings of their cells stay: see probe.h. */
static void retire_slots(struct collector *c, uint64_t now_ns)
{
	unsigned int i;
	int err;

	if (!close_slots(c, now_ns))
		return;
	read_closed(c);
	err = probe_free_slots(c->probe);
	if (err)
		log_warn("cannot free the slots of removed cgroups: %s", strerror(-err));
	for (i = SLOT_OVERFLOW + 1; i < probe_slots(c->probe); i++) {
		if (!c->slots[i].closed)
			continue;
		causes_forget(&c->causes, i);
		block_books_forget(&c->blocks, i);
		c->slots[i].cgroup = NULL;
		c->slots[i].closed = false;
	}
}

static bool has_slot(const struct collector *c, const struct cgroup *cgroup)
{
	unsigned int i;

	for (i = SLOT_OVERFLOW + 1; i < probe_slots(c->probe); i++)
		if (c->slots[i].cgroup == cgroup)
			return true;
	return false;
}

/* Whether a reader has had all that a removed cgroup counted. */
static bool was_read(const struct collector *c, const struct cgroup *cgroup)
{
	const struct owner *owner = cgroup->owner;

	return c->read_ns > cgroup->removed_ns &&
	       (!owner || (!owner->held && c->read_ns > owner->shown_ns));
}

/* Forgets cgroups that were removed and read since, and owners that are left without one. */
static void retire_cgroups(struct collector *c, uint64_t now_ns)
{
	struct cgroup *cgroup, *next;

	HASH_ITER(hh, c->registry.table, cgroup, next) {
		uint64_t gone_ns = cgroup->removed_ns ? grown(now_ns, cgroup->removed_ns) : 0;

		if (!cgroup->removed_ns || gone_ns <= c->options.retain_ns ||
		    (!was_read(c, cgroup) && gone_ns <= RETAIN_UNREAD * c->options.retain_ns) ||
		    has_slot(c, cgroup))
			continue;
		if (cgroup->owner && --cgroup->owner->cgroups == 0)
			owners_remove(&c->owners, cgroup->owner);
		if (cgroup->name.kind == CGROUP_POD)
			kube_names_forget_pod(c->names, cgroup->name.pod_uid);
		usage_forget(&c->usage, cgroup);
		registry_remove(&c->registry, cgroup);
	}
}

/* Looks again for names that were not known when they were looked for last. */
static void name_again(struct collector *c)
{
	struct cgroup *cgroup, *next;

	HASH_ITER(hh, c->registry.table, cgroup, next)
		if (cgroup->owner && !cgroup->named)
			name_cgroup(c, cgroup);
}

/* What has waited for its name for too long goes by its ids. */
static void show_overdue(struct collector *c, uint64_t now_ns)
{
	struct cgroup *cgroup, *next;

	HASH_ITER(hh, c->registry.table, cgroup, next)
		if (cgroup->owner && cgroup->owner->held &&
		    grown(now_ns, cgroup->seen_ns) > NAMING_WAIT_NS)
			owners_show(cgroup->owner, now_ns);
}

static void retry_names(struct collector *c, uint64_t now_ns)
{
	if (grown(now_ns, c->tried_ns) < RETRY_NS)
		return;
	c->tried_ns = now_ns;
	name_again(c);
	show_overdue(c, now_ns);
}

static void name_for_usage(void *context, struct cgroup *cgroup)
{
	name_cgroup(context, cgroup);
}

/* Whom the overflows of a cgroup's network namespace are counted for: its pod, not one container.
 */
static struct owner *owner_of_namespace(struct collector *c, struct cgroup *cgroup, bool host)
{
	struct cgroup *other, *next;

	/* Nobody's in particular: a service's, a process's of the root, a host-network pod's. */
	if (host)
		return c->kernel;
	if (cgroup->name.pod_uid[0])
		HASH_ITER(hh, c->registry.table, other, next)
			if (other->name.kind == CGROUP_POD && !other->removed_ns &&
			    !strcmp(other->name.pod_uid, cgroup->name.pod_uid)) {
				cgroup = other;
				break;
			}
	if (cgroup && !cgroup->owner)
		name_cgroup(c, cgroup);
	return cgroup ? cgroup->owner : NULL;
}

static void read_overflows(struct collector *c, struct cgroup *cgroup)
{
	bool is_new = cgroup->born_ns > c->start_ns;
	struct overflows_growth growth;
	struct owner *owner;
	struct total *total;

	if (overflows_read(c->overflows, cgroup->path, is_new, &growth))
		return;
	c->stepped_back[PROBE_TCP] += growth.lower;
	if (!growth.count)
		return;
	owner = owner_of_namespace(c, cgroup, growth.host);
	total = owner ? owner_total(owner, PROBE_TCP) : NULL;
	if (total)
		*total_counters(total, &families[FAMILY_TCP_OVERFLOWS]) += growth.count;
}

/* A few cgroups' network namespaces each time, all of them once in a round. */
static void update_overflows(struct collector *c, uint64_t now_ns)
{
	struct cgroup *cgroup, *next;
	unsigned int read = 0;

	if (!c->overflows)
		return;
	HASH_ITER(hh, c->registry.table, cgroup, next) {
		if (cgroup->round == c->round || cgroup->removed_ns)
			continue;
		if (read++ == OVERFLOWS_BATCH)
			return;
		cgroup->round = c->round;
		read_overflows(c, cgroup);
	}
	if (grown(now_ns, c->round_ns) < OVERFLOWS_ROUND_NS)
		return;
	c->round_ns = now_ns;
	c->round++;
	overflows_next_round(c->overflows);
}

/* Before the events are read: they are told apart by how the clock was set at their time. */
static void look_at_clock(struct collector *c)
{
	if (c->clock_fd >= 0)
		wall_clear_fd(c->clock_fd);
	if (wall_look(&c->wall))
		log_info("the clock was set; what began before it has its time by the new one");
}

void collector_poll(struct collector *c)
{
	look_at_clock(c);
	probe_poll(c->probe, on_cgroup_event, c);
	if (kube_names_run(c->names))
		name_again(c);
}

void collector_update_pressure(struct collector *c)
{
	unsigned int i;

	for (i = SLOT_OVERFLOW + 1; i < probe_slots(c->probe); i++)
		if (probe_slot_cgroup(c->probe, i))
			update_pressure(c, i);
}

void collector_update(struct collector *c)
{
	uint64_t now_ns = clock_monotonic_ns();
	unsigned int i;

	probe_look_again(c->probe);
	collector_poll(c);
	walk_if_due(c, now_ns);
	c->slots_used = 0;
	probe_count_connections(c->probe);
	update_cells(c, SLOT_OVERFLOW, c->overflow);
	for (i = SLOT_OVERFLOW + 1; i < probe_slots(c->probe); i++) {
		if (!probe_slot_cgroup(c->probe, i))
			continue;
		c->slots_used++;
		update_slot(c, i, now_ns);
	}
	probe_read_pairs(c->probe, on_pair, c);
	update_overflows(c, now_ns);
	update_blocks(c);
	probe_tidy_victims(c->probe);
	retry_names(c, now_ns);
	usage_update(&c->usage, &c->registry, &c->owners, now_ns, name_for_usage, c);
	infos_update(&c->registry, c->names, now_ns);
	node_read(c->node);
	retire_slots(c, now_ns);
	retire_cgroups(c, now_ns);
}

void collector_mark_read(struct collector *c)
{
	c->read_ns = clock_monotonic_ns();
}

/* Owners that are no cgroup's: counted as if they had one, so that they stay. */
static struct owner *add_permanent(struct collector *c, const char *unit)
{
	struct labels labels;
	struct owner *owner;

	naming_unit(&labels, unit);
	owner = owners_get(&c->owners, &labels);
	if (owner)
		owner->cgroups++;
	return owner;
}

/* One descriptor to wait for whatever happens. */
static int open_event_fd(struct collector *c)
{
	struct epoll_event event = {.events = EPOLLIN};
	int names_fd = kube_names_fd(c->names);

	c->event_fd = epoll_create1(EPOLL_CLOEXEC);
	c->clock_fd = wall_open_fd();
	if (c->event_fd < 0 ||
	    epoll_ctl(c->event_fd, EPOLL_CTL_ADD, probe_event_fd(c->probe), &event) ||
	    (c->clock_fd >= 0 && epoll_ctl(c->event_fd, EPOLL_CTL_ADD, c->clock_fd, &event)) ||
	    (names_fd >= 0 && epoll_ctl(c->event_fd, EPOLL_CTL_ADD, names_fd, &event))) {
		log_error("cannot wait for events: %s", strerror(errno));
		return -errno;
	}
	return 0;
}

static int open_all(struct collector *c)
{
	int err = probe_open(&c->options.probe, &c->probe);

	if (err)
		return err;
	c->slots = calloc(probe_slots(c->probe), sizeof(*c->slots));
	c->pressure = calloc(probe_cpus(c->probe), sizeof(*c->pressure));
	c->idle = add_permanent(c, "idle");
	if (c->idle)
		owners_hide(&c->owners, c->idle); /* nothing is ever counted for it */
	c->overflow = add_permanent(c, "overflow");
	c->kernel = add_permanent(c, "kernel");
	if (!c->slots || !c->pressure || !c->idle || !c->overflow || !c->kernel)
		return -ENOMEM;
	usage_open(&c->usage, c->options.cgroupfs);
	c->node = node_open(c->options.procfs, c->options.sysfs, c->options.cgroupfs);
	if (!c->node)
		return -ENOMEM;
	err = kube_names_open(&c->options.kube, &c->names);
	return err ?: open_event_fd(c);
}

/* All namespaces are read once: what they counted before does not count here. */
static void start_overflows(struct collector *c)
{
	struct cgroup *cgroup, *next;

	c->start_ns = clock_boottime_ns();
	c->started_ns = clock_monotonic_ns();
	c->round_ns = clock_monotonic_ns();
	c->round = 1;
	if (!probe_is_up(c->probe, PROBE_TCP) ||
	    overflows_open(c->options.procfs, c->options.cgroupfs, &c->overflows))
		return;
	HASH_ITER(hh, c->registry.table, cgroup, next) {
		cgroup->round = c->round;
		read_overflows(c, cgroup);
	}
}

int collector_open(const struct collector_options *options, struct collector **out)
{
	struct collector *c = calloc(1, sizeof(*c));
	int err;

	if (!c)
		return -ENOMEM;
	c->options = *options;
	c->owners.max_containers = options->max_containers;
	c->event_fd = c->clock_fd = -1;
	wall_look(&c->wall);
	block_books_open(&c->blocks, options->procfs, options->sysfs);
	err = open_all(c);
	if (err) {
		collector_close(c);
		return err;
	}
	walk(c, clock_monotonic_ns());
	collector_poll(c);
	start_overflows(c);
	*out = c;
	return 0;
}

void collector_close(struct collector *c)
{
	unsigned int i;

	if (!c)
		return;
	causes_free(&c->causes);
	block_books_free(&c->blocks);
	for (i = 0; c->slots && i < probe_slots(c->probe); i++)
		free_cells(&c->slots[i]);
	free(c->slots);
	kube_names_close(c->names);
	overflows_close(c->overflows);
	free(c->pressure);
	node_close(c->node);
	usage_close(&c->usage, &c->registry);
	registry_free(&c->registry);
	owners_free(&c->owners);
	probe_close(c->probe);
	if (c->clock_fd >= 0)
		close(c->clock_fd);
	if (c->event_fd >= 0)
		close(c->event_fd);
	free(c);
}

int collector_event_fd(const struct collector *c)
{
	return c->event_fd;
}

uint64_t collector_started_ns(const struct collector *c)
{
	return c->started_ns;
}

const struct wall *collector_wall(const struct collector *c)
{
	return &c->wall;
}

const struct registry *collector_registry(const struct collector *c)
{
	return &c->registry;
}

const struct kube_names *collector_names(const struct collector *c)
{
	return c->names;
}

const struct owners *collector_owners(const struct collector *c)
{
	return &c->owners;
}

const struct node *collector_node(const struct collector *c)
{
	return c->node;
}

const struct probe *collector_probe(const struct collector *c)
{
	return c->probe;
}

unsigned int collector_slots_used(const struct collector *c)
{
	return c->slots_used;
}

uint64_t collector_causes_lost(const struct collector *c)
{
	return c->causes_lost;
}

uint64_t collector_unnamed(const struct collector *c)
{
	return c->unnamed;
}

uint64_t collector_stepped_back(const struct collector *c, enum probe_id id)
{
	uint64_t count = c->stepped_back[id];

	if (id == PROBE_BLOCK)
		count += c->blocks.stepped_back;
	if (id == PROBE_CGROUP)
		count += c->usage.stepped_back;
	return count;
}
