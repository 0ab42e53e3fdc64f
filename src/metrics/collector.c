/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "metrics/collector.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "bramble/growth.h"
#include "metrics/accept_queues.h"
#include "metrics/headcount.h"
#include "metrics/info.h"
#include "metrics/members.h"
#include "metrics/naming.h"
#include "metrics/pressure.h"
#include "metrics/retire.h"
#include "metrics/slots.h"
#include "metrics/usage.h"
#include "probe/keeper.h"
#include "probe/shed.h"
#include "util/array.h"
#include "util/clock.h"
#include "util/log.h"
#include "util/timer.h"

/* If nobody asks for an update, one is made this often. */
#define UPDATE_INTERVAL_NS (60 * NS_PER_S)

/*
 * File systems whose modules are loaded later are looked for this often. Each look takes 5 system
 * calls in tracefs, which makes its entries as they are looked up.
 */
#define LOOK_INTERVAL_NS   (10 * NS_PER_S)

/*
 * Events of cgroups are read at once if they were last read at least this long ago, else when it
 * is over. The kernel wakes the loop for the first event, and when the ring is half full: a wake-up
 * for each of 10,000 events a second took 16 % of a CPU.
 */
#define EVENTS_PAUSE_NS	   (NS_PER_S / 50)
#define SOON_STEP_NS	   (NS_PER_S / 50)

/* What a slot's readings take, for struct trim. */
#define SLOT_BYTES	   4096

struct collector {
	struct collector_options options;
	struct probe *probe;
	struct members members;
	struct owners owners;
	struct naming naming;
	struct slots slots;
	struct usage usage;
	struct headcount headcount;
	struct accept_queues queues;
	struct retire retire;
	struct node *node;
	struct kube_names *names;
	int event_fd; /* an epoll of the probe's events, the kubelet's answers and the three below
		       */
	int clock_fd; /* readable when the wall clock was set; negative if there is none */
	int tick_fd;
	int soon_fd;	  /* a timer for what is due before the next tick */
	uint64_t soon_ns; /* when that expires, CLOCK_MONOTONIC; UINT64_MAX: never */
	struct wall wall;
	uint64_t started_ns; /* CLOCK_MONOTONIC */
	uint64_t updated_ns;
	uint64_t scraped_ns;  /* when a scraper last had all; 0: none did */
	uint64_t looked_ns;   /* when late file systems were last looked for */
	uint64_t events_ns;   /* when events were last read */
	unsigned int wakeups; /* for events since then */
	uint64_t *unknown;    /* ids of slots whose cgroup is not known; has room for all slots */
	size_t unknown_count;
	uint64_t full_told_ns, tidy_told_ns; /* when the log said it last; 0: never */
	uint64_t refused_told;		     /* of the owners, then */
};

/* A pod that has ended gives its address to another one, before the kubelet lists that. */
static void on_removed(struct collector *c, uint64_t id)
{
	const struct member *member = members_find(&c->members, id);

	slots_take_removed(&c->slots, id);
	if (member && member->cgroup.name.kind == CGROUP_POD)
		kube_names_end_pod(c->names, member->cgroup.name.pod_uid);
}

static void on_cgroup_event(void *context, const struct cgroup_event *event)
{
	struct collector *c = context;
	struct member *made = members_take_event(&c->members, event);

	if (made)
		slots_take_made(&c->slots, made);
	else if (event->kind == CGROUP_MADE && event->path_len)
		slots_take_refused(&c->slots, event->id, event->path);
	else if (event->kind == CGROUP_REMOVED)
		on_removed(c, event->id);
	if (made && !made->owner)
		naming_expect(&c->naming, made);
}

static void look_at_clock(struct collector *c)
{
	if (c->clock_fd >= 0)
		wall_clear_fd(c->clock_fd);
	if (wall_look(&c->wall))
		log_info("the clock was set; earlier times are now given by the new clock");
}

/* First the clock: what time an event had depends on how the clock was set then. */
static void read_events(struct collector *c)
{
	look_at_clock(c);
	c->wakeups = 0;
	c->events_ns = clock_monotonic_ns();
	if (probe_poll(c->probe, on_cgroup_event, c) > 0)
		c->wakeups = 1; /* there are more: after the pause */
	slots_take_walked(&c->slots, &c->members);
}

static struct member *on_slot(void *context, uint64_t id)
{
	struct collector *c = context;
	struct member *member = members_find(&c->members, id);

	if (!member) {
		read_events(c);
		member = members_find(&c->members, id);
	}
	if (member)
		naming_own(&c->naming, member);
	else if (c->unknown_count < probe_slots(c->probe))
		c->unknown[c->unknown_count++] = id;
	return member;
}

/*
 * Finds out about all slots whose cgroup no event told of. Returns whether they are known now:
 * those that are gone count as "unknown".
 */
static bool decide_unknown(struct collector *c, uint64_t now_ns)
{
	size_t count = c->unknown_count;

	c->unknown_count = 0;
	if (!count)
		return false;
	return members_decide(&c->members, c->unknown, count, now_ns);
}

static bool has_slot(const void *probe, uint64_t cgroup)
{
	return probe_has_slot(probe, cgroup);
}

static void update_slots(struct collector *c, uint64_t now_ns)
{
	c->unknown_count = 0;
	slots_update(&c->slots, on_slot, c, now_ns);
	if (decide_unknown(c, now_ns))
		slots_update(&c->slots, on_slot, c, now_ns);
}

/* Takes back slots. Those of unknown cgroups can only be taken back when these are decided. */
static void retire_slots(struct collector *c, uint64_t now_ns)
{
	unsigned int used = c->slots.used;

	c->unknown_count = 0;
	slots_retire(&c->slots, on_slot, c, c->options.retain_ns, now_ns);
	decide_unknown(c, now_ns);
	if (c->slots.used < used)
		trim_note(&c->retire.trim, (used - c->slots.used) * (size_t)SLOT_BYTES);
}

static void on_usage(void *context, struct member *member)
{
	struct collector *c = context;

	naming_own(&c->naming, member);
}

/*
 * Wakes the loop for what cannot wait for the next tick. At most once in SOON_STEP_NS: where
 * cgroups come and go, each has a time of its own, and what is due by then is done in one go.
 */
static void arm_soon(struct collector *c)
{
	uint64_t due_ns = earlier_ns(naming_due_ns(&c->naming), retire_due_ns(&c->retire));

	due_ns = earlier_ns(due_ns, members_due_ns(&c->members));
	if (c->wakeups)
		due_ns = earlier_ns(due_ns, c->events_ns + EVENTS_PAUSE_NS);
	if (due_ns < UINT64_MAX - SOON_STEP_NS)
		due_ns = (due_ns / SOON_STEP_NS + 1) * SOON_STEP_NS;
	if (due_ns == c->soon_ns)
		return;
	timer_set(c->soon_fd, due_ns);
	c->soon_ns = due_ns;
}

/* Where the time of tasks went, so far. */
static void update_times(struct collector *c)
{
	uint64_t now_ns = clock_monotonic_ns();
	struct owner *owner;

	if (!probe_is_up(c->probe, PROBE_BLOCKED))
		return;
	slots_update_times(&c->slots, &c->owners, now_ns);
	for (owner = c->owners.table; owner; owner = owner->hh.next)
		times_show(owner, now_ns);
}

/* Looks whether the tasks are as many as the events have told. */
static void count_tasks(struct collector *c)
{
	uint64_t now_ns = clock_monotonic_ns();

	if (!probe_is_up(c->probe, PROBE_BLOCKED))
		return;
	usage_find_tops(&c->usage, &c->members, &c->owners);
	slots_update_times(&c->slots, &c->owners, now_ns);
	headcount_run(&c->headcount, &c->owners, &c->slots, c->usage.tops, c->usage.count, now_ns);
}

void collector_update(struct collector *c)
{
	uint64_t now_ns = clock_monotonic_ns();

	read_events(c);
	update_slots(c, now_ns);
	update_times(c);
	members_walk_if_due(&c->members, probe_cgroup_events_lost(c->probe), now_ns);
	accept_queues_update(&c->queues, now_ns);
	usage_update(&c->usage, &c->members, &c->owners, now_ns, on_usage, c);
	naming_run_for_reader(&c->naming, clock_monotonic_ns());
	infos_update(&c->members, c->names, now_ns);
	node_read(c->node);
	retire_slots(c, now_ns);
	retire_removed(&c->retire, now_ns);
	retire_kept(&c->retire, now_ns);
	owners_sweep(&c->owners);
	c->updated_ns = now_ns;
	arm_soon(c);
}

/* Strangers can cause it. Who has all of KIN_MAX is told by roots_tell(). */
static void tell_full(struct collector *c, uint64_t now_ns)
{
	char remedy[SLOT_REMEDY_SIZE];

	if (!c->members.full && c->owners.refused == c->refused_told)
		return;
	if (!log_is_due(&c->full_told_ns, now_ns))
		return;
	c->members.full = false;
	c->refused_told = c->owners.refused;
	slot_warnings_remedy(remedy, probe_slots(c->probe));
	log_warn("there are more cgroups or containers than bramble keeps (%zu and %zu with %u "
		 "slots): bramble_probe_lost_total counts what found no place, and "
		 "unit=\"overflow\" has its counts; %s",
		 c->members.max, c->owners.max, probe_slots(c->probe), remedy);
}

/* What stays full loses counts, which are shown. Why it is full is not. */
static void tidy_probe(struct collector *c, uint64_t now_ns)
{
	int err = probe_tidy(c->probe);

	if (err && log_is_due(&c->tidy_told_ns, now_ns))
		log_warn("cannot make room in the maps of the probe: %s; it is tried again",
			 strerror(-err));
}

/* Is done every PRESSURE_INTERVAL_S, whether or not anybody asks for an update. */
static void tick(struct collector *c)
{
	uint64_t now_ns = clock_monotonic_ns();

	slots_update_pressure(&c->slots);
	count_tasks(c);
	if (grown(now_ns, c->looked_ns) >= LOOK_INTERVAL_NS) {
		probe_look_again(c->probe);
		c->looked_ns = now_ns;
	}
	tidy_probe(c, now_ns);
	if (grown(now_ns, c->updated_ns) >= UPDATE_INTERVAL_NS) {
		collector_update(c);
	} else {
		read_events(c);
		retire_slots(c, now_ns);
		retire_kept(&c->retire, now_ns);
		owners_sweep(&c->owners);
	}
	tell_full(c, now_ns);
	trim_if_due(&c->retire.trim, now_ns);
}

/* Counts the wake-ups for events of cgroups. Each is reported here once (EPOLLET). */
static void count_wakeups(struct collector *c)
{
	struct epoll_event events[8];
	int i, count = epoll_wait(c->event_fd, events, 8, 0);

	for (i = 0; i < count; i++)
		c->wakeups += events[i].data.fd == probe_event_fd(c->probe);
}

/* Between two readings one wake-up is for the first event. Another says that the ring fills up. */
static bool events_are_due(const struct collector *c, uint64_t now_ns)
{
	return c->wakeups > 1 || (c->wakeups && grown(now_ns, c->events_ns) >= EVENTS_PAUSE_NS);
}

void collector_poll(struct collector *c)
{
	uint64_t now_ns = clock_monotonic_ns();

	look_at_clock(c);
	count_wakeups(c);
	if (events_are_due(c, now_ns))
		read_events(c);
	if (kube_names_run(c->names))
		naming_answered(&c->naming);
	keeper_take(c->probe);
	if (timer_expired(c->tick_fd))
		tick(c);
	else if (slots_are_scarce(&c->slots))
		retire_slots(c, now_ns);
	if (timer_expired(c->soon_fd))
		c->soon_ns = UINT64_MAX;
	members_walk_on(&c->members, now_ns);
	retire_removed(&c->retire, now_ns);
	naming_run(&c->naming, clock_monotonic_ns());
	arm_soon(c);
}

void collector_mark_read(struct collector *c, enum reader reader)
{
	uint64_t now_ns = clock_monotonic_ns();

	if (reader == READER_METRICS)
		c->scraped_ns = now_ns;
	else if (c->scraped_ns &&
		 grown(now_ns, c->scraped_ns) < RETAIN_UNREAD * c->options.retain_ns)
		return;
	owners_mark_read(&c->owners, now_ns);
}

/* One descriptor for all that collector_poll() waits for. */
static int open_event_fd(struct collector *c)
{
	struct epoll_event event = {.events = EPOLLIN, .data.fd = -1};
	struct epoll_event ring = {.events = EPOLLIN | EPOLLET,
				   .data.fd = probe_event_fd(c->probe)};
	int names_fd = kube_names_fd(c->names);

	c->event_fd = epoll_create1(EPOLL_CLOEXEC);
	c->clock_fd = wall_open_fd();
	c->tick_fd = timer_open(PRESSURE_INTERVAL_S);
	c->soon_fd = timer_open_once();
	if (c->event_fd < 0 || c->tick_fd < 0 || c->soon_fd < 0 ||
	    epoll_ctl(c->event_fd, EPOLL_CTL_ADD, c->tick_fd, &event) ||
	    epoll_ctl(c->event_fd, EPOLL_CTL_ADD, c->soon_fd, &event) ||
	    epoll_ctl(c->event_fd, EPOLL_CTL_ADD, ring.data.fd, &ring) ||
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
	err = slots_open(
		&c->slots, c->probe, &c->owners,
		&(struct slots_places){c->options.cgroupfs, c->options.procfs, c->options.sysfs});
	if (err)
		return err;
	c->owners.refuge = c->slots.overflow;
	c->owners.max = owners_limit(probe_slots(c->probe));
	c->members.max = members_limit(probe_slots(c->probe));
	c->retire.context = c->probe;
	c->unknown = calloc(probe_slots(c->probe), sizeof(*c->unknown));
	if (!c->unknown)
		return -ENOMEM;
	usage_open(&c->usage, c->options.cgroupfs);
	c->usage.max = c->owners.max;
	c->headcount.cgroupfs = c->options.cgroupfs;
	c->node = node_open(c->options.procfs, c->options.sysfs, c->options.cgroupfs);
	if (!c->node)
		return -ENOMEM;
	err = kube_names_open(&c->options.kube, &c->names);
	c->naming.names = c->slots.targets.names = c->names;
	return err ?: open_event_fd(c);
}

int collector_open(const struct collector_options *options, struct collector **out)
{
	struct collector *c = calloc(1, sizeof(*c));
	int err;

	if (!c)
		return -ENOMEM;
	c->options = *options;
	c->owners.max_containers = options->max_containers;
	members_open(&c->members, options->cgroupfs, options->procfs);
	c->members.registry.claims.roots = options->pod_roots;
	c->members.registry.claims.roots.mount = options->cgroupfs;
	c->naming = (struct naming){
		.members = &c->members,
		.owners = &c->owners,
		.wall = &c->wall,
		.sandboxes = options->sandboxes,
	};
	c->retire = (struct retire){
		.members = &c->members,
		.owners = &c->owners,
		.naming = &c->naming,
		.usage = &c->usage,
		.has_slot = has_slot,
		.retain_ns = options->retain_ns,
	};
	c->event_fd = c->clock_fd = c->tick_fd = c->soon_fd = -1;
	c->soon_ns = UINT64_MAX;
	wall_look(&c->wall);
	err = open_all(c);
	if (err) {
		collector_close(c);
		return err;
	}
	members_walk(&c->members, clock_monotonic_ns());
	read_events(c);
	collector_poll(c);
	c->started_ns = c->updated_ns = clock_monotonic_ns();
	if (probe_is_up(c->probe, PROBE_TCP))
		accept_queues_open(&c->queues, &c->naming, c->slots.kernel.owner[KERNEL_JOB_OTHER],
				   options->procfs, options->cgroupfs);
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
	usage_close(&c->usage, &c->members);
	members_free(&c->members);
	owners_free(&c->owners);
	probe_close(c->probe);
	if (c->clock_fd >= 0)
		close(c->clock_fd);
	if (c->tick_fd >= 0)
		close(c->tick_fd);
	if (c->soon_fd >= 0)
		close(c->soon_fd);
	if (c->event_fd >= 0)
		close(c->event_fd);
	free(c->unknown);
	free(c);
}

/* The programs of other runtimes keep the names of their containers there: kube/plain.c. */
static void need_plain_names(struct sandbox_needs *needs)
{
	static const char *const stores[] = {"/var/lib/docker/containers",
					     "/var/lib/containers/storage",
					     "/run/containers/storage"};
	static const char *const users[] = {"/home/*/.local/share/containers/storage",
					    "/run/user/*/containers"};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(stores); i++)
		sandbox_need(needs, stores[i], SANDBOX_LIST | SANDBOX_READ);
	for (i = 0; i < ARRAY_SIZE(users); i++)
		sandbox_need_matching(needs, users[i], SANDBOX_LIST | SANDBOX_READ);
	/* To find them. */
	sandbox_need(needs, "/home", SANDBOX_LIST);
	sandbox_need(needs, "/run/user", SANDBOX_LIST);
}

void collector_leave_late(struct collector *c)
{
	struct epoll_event event = {.events = EPOLLIN};
	int err = keeper_start(c->probe), fd = keeper_fd(c->probe);

	if (!err && fd >= 0 && epoll_ctl(c->event_fd, EPOLL_CTL_ADD, fd, &event))
		err = -errno;
	if (err)
		log_warn("cannot start a process that measures fsyncs on file systems that come "
			 "later: %s",
			 strerror(-err));
	/* Without a keeper this process may have to load programs, and needs all maps for that. */
	err = err ? 0 : probe_shed(c->probe);
	if (err)
		log_warn("cannot close the descriptors that are not needed any more: %s",
			 strerror(-err));
}

void collector_need(const struct collector *c, struct sandbox_needs *needs)
{
	const char *const trees[] = {"/proc", "/sys", c->options.procfs, c->options.sysfs,
				     c->options.cgroupfs};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(trees); i++)
		sandbox_need(needs, trees[i], SANDBOX_LIST | SANDBOX_READ);
	probe_need(c->probe, needs);
	need_plain_names(needs);
	kube_names_need(&c->options.kube, needs);
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

const struct members *collector_members(const struct collector *c)
{
	return &c->members;
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
	return c->slots.used;
}

uint64_t collector_causes_lost(const struct collector *c)
{
	return c->slots.causes_lost;
}

uint64_t collector_unnamed(const struct collector *c)
{
	return c->members.unnamed;
}

uint64_t collector_cgroups_refused(const struct collector *c)
{
	return c->members.refused;
}

uint64_t collector_accounts_lost(const struct collector *c)
{
	return c->owners.lost;
}

uint64_t collector_tasks_lost(const struct collector *c)
{
	return c->headcount.lost;
}

uint64_t collector_queues_lost(const struct collector *c)
{
	return c->queues.lost;
}

uint64_t collector_owners_refused(const struct collector *c)
{
	return c->owners.refused + c->retire.unread;
}

uint64_t collector_stepped_back(const struct collector *c, enum probe_id id)
{
	const uint64_t beside_cells[PROBES] = {
		[PROBE_BLOCK] = c->slots.blocks.stepped_back,
		[PROBE_TCP] = c->queues.stepped_back + c->slots.targets.stepped_back,
		[PROBE_CGROUP] = c->usage.stepped_back,
	};

	return c->slots.stepped_back[id] + beside_cells[id];
}
