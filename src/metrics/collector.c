/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "metrics/collector.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "bramble/growth.h"
#include "metrics/accept_queues.h"
#include "metrics/info.h"
#include "metrics/members.h"
#include "metrics/slots.h"
#include "metrics/usage.h"
#include "util/clock.h"
#include "util/log.h"

/* The hierarchy is walked again at most this often. */
#define RETRY_NS      NS_PER_S

/*
 * And at least this often. The kernel leaves out a program now and then, and not all kernels count
 * that: a cgroup whose end was missed would keep its slot and its series for ever. A walk takes
 * some six system calls a cgroup.
 */
#define WALK_NS	      (300 * NS_PER_S)

/* An owner that nobody reads is forgotten after this many times --retain. */
#define RETAIN_UNREAD 12

struct collector {
	struct collector_options options;
	struct probe *probe;
	struct members members;
	struct slots slots;
	struct usage usage;
	struct accept_queues queues;
	struct node *node;
	struct kube_names *names;
	int event_fd; /* an epoll: the probe's events, the kubelet's answers, clock_fd */
	struct wall wall;
	int clock_fd;	     /* readable when the wall clock was set; negative: none */
	uint64_t started_ns; /* CLOCK_MONOTONIC */
	uint64_t read_ns;    /* when the owners were last read */
	uint64_t walked_ns;
	uint64_t ring_full; /* events lost, as of the last walk */
	bool path_cut;	    /* since then, an event told of a cgroup without its whole path */
	uint64_t unnamed;
};

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
		cgroup = registry_add(&c->members.registry, event->id, event->path,
				      event->time_ns + clock_suspended_ns());
		/* At birth: the log directory of a short-lived pod may soon be gone. */
		if (cgroup && cgroup->name.pod_uid[0] && !cgroup->owner)
			members_name(&c->members, cgroup);
		return;
	}
	cgroup = registry_find(&c->members.registry, event->id);
	if (cgroup && !cgroup->removed_ns)
		cgroup->removed_ns = event->time_ns;
}

static void walk(struct collector *c, uint64_t now_ns)
{
	int err =
		registry_walk(&c->members.registry, c->options.cgroupfs, c->options.procfs, now_ns);

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

/* The cgroup of an id. One that is not known even after a walk is a unit "unknown". */
static struct cgroup *find_cgroup(struct collector *c, uint64_t id)
{
	struct cgroup *cgroup = registry_find(&c->members.registry, id);
	uint64_t now_ns = clock_monotonic_ns();

	if (!cgroup) {
		collector_poll(c);
		cgroup = registry_find(&c->members.registry, id);
	}
	if (!cgroup && grown(now_ns, c->walked_ns) >= RETRY_NS) {
		walk(c, now_ns);
		cgroup = registry_find(&c->members.registry, id);
		if (!cgroup) {
			cgroup = registry_add(&c->members.registry, id, "", 0);
			c->unnamed++;
			if (cgroup)
				cgroup->removed_ns = now_ns;
		}
	}
	return cgroup;
}

static struct cgroup *on_slot(void *context, uint64_t id)
{
	struct collector *c = context;
	struct cgroup *cgroup = find_cgroup(c, id);

	if (cgroup && !cgroup->owner)
		members_name(&c->members, cgroup);
	return cgroup;
}

static void on_usage(void *context, struct cgroup *cgroup)
{
	struct collector *c = context;

	members_name(&c->members, cgroup);
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
	uint64_t retain_ns = c->options.retain_ns;
	struct cgroup *cgroup, *next;

	HASH_ITER(hh, c->members.registry.table, cgroup, next) {
		uint64_t gone_ns = cgroup->removed_ns ? grown(now_ns, cgroup->removed_ns) : 0;

		if (!cgroup->removed_ns || gone_ns <= retain_ns ||
		    (!was_read(c, cgroup) && gone_ns <= RETAIN_UNREAD * retain_ns) ||
		    slots_have(&c->slots, cgroup))
			continue;
		usage_forget(&c->usage, cgroup);
		members_remove(&c->members, cgroup);
	}
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
		members_name_again(&c->members);
}

void collector_update_pressure(struct collector *c)
{
	slots_update_pressure(&c->slots);
}

void collector_update(struct collector *c)
{
	struct registry *registry = &c->members.registry;
	uint64_t now_ns = clock_monotonic_ns();

	probe_look_again(c->probe);
	collector_poll(c);
	walk_if_due(c, now_ns);
	slots_update(&c->slots, on_slot, c);
	accept_queues_update(&c->queues, now_ns);
	probe_tidy_blocks(c->probe);
	probe_tidy_victims(c->probe);
	members_retry_names(&c->members, now_ns);
	usage_update(&c->usage, registry, &c->members.owners, now_ns, on_usage, c);
	infos_update(registry, c->names, now_ns);
	node_read(c->node);
	slots_retire(&c->slots, c->options.retain_ns, now_ns);
	retire_cgroups(c, now_ns);
}

void collector_mark_read(struct collector *c)
{
	c->read_ns = clock_monotonic_ns();
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
	err = slots_open(&c->slots, c->probe, &c->members.owners, c->options.procfs,
			 c->options.sysfs);
	if (err)
		return err;
	usage_open(&c->usage, c->options.cgroupfs);
	c->node = node_open(c->options.procfs, c->options.sysfs, c->options.cgroupfs);
	if (!c->node)
		return -ENOMEM;
	err = kube_names_open(&c->options.kube, &c->names);
	c->members.names = c->names;
	return err ?: open_event_fd(c);
}

int collector_open(const struct collector_options *options, struct collector **out)
{
	struct collector *c = calloc(1, sizeof(*c));
	int err;

	if (!c)
		return -ENOMEM;
	c->options = *options;
	c->members.owners.max_containers = options->max_containers;
	c->members.sandboxes = options->sandboxes;
	c->members.wall = &c->wall;
	c->event_fd = c->clock_fd = -1;
	wall_look(&c->wall);
	err = open_all(c);
	if (err) {
		collector_close(c);
		return err;
	}
	walk(c, clock_monotonic_ns());
	collector_poll(c);
	c->started_ns = clock_monotonic_ns();
	if (probe_is_up(c->probe, PROBE_TCP))
		accept_queues_open(&c->queues, &c->members, c->slots.kernel, options->procfs,
				   options->cgroupfs);
	*out = c;
	return 0;
}

void collector_close(struct collector *c)
{
	if (!c)
		return;
	slots_close(&c->slots);
	accept_queues_close(&c->queues);
	kube_names_close(c->names);
	node_close(c->node);
	usage_close(&c->usage, &c->members.registry);
	members_free(&c->members);
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
	return &c->members.registry;
}

const struct kube_names *collector_names(const struct collector *c)
{
	return c->names;
}

const struct owners *collector_owners(const struct collector *c)
{
	return &c->members.owners;
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
	return c->slots.used;
}

uint64_t collector_causes_lost(const struct collector *c)
{
	return c->slots.causes_lost;
}

uint64_t collector_unnamed(const struct collector *c)
{
	return c->unnamed;
}

uint64_t collector_stepped_back(const struct collector *c, enum probe_id id)
{
	uint64_t count = c->slots.stepped_back[id];

	if (id == PROBE_BLOCK)
		count += c->slots.blocks.stepped_back;
	if (id == PROBE_TCP)
		count += c->queues.stepped_back;
	if (id == PROBE_CGROUP)
		count += c->usage.stepped_back;
	return count;
}
