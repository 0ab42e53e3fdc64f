/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "metrics/members.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <utlist.h>

#include "bramble/growth.h"
#include "util/clock.h"
#include "util/log.h"

/* A walk begins at least this long after the last one. */
#define WALK_MIN_NS   NS_PER_S

/* And walks take one part of the time in so many: there may be 100,000 cgroups. */
#define WALK_PART     20

/*
 * A walk goes in steps, so that nobody waits for it for long. One step is enough for most machines.
 * A cgroup takes some 10 to 20 us.
 */
#define STEP_COUNT    1024
#define STEP_PAUSE_NS (NS_PER_S / 20)

/*
 * And there is one at least this often. The kernel now and then does not run a program, and not all
 * kernels count that. A cgroup whose end was missed would keep its slot and its series for ever. A
 * walk takes some six system calls for each cgroup.
 */
#define WALK_MAX_NS   (300 * NS_PER_S)

static struct kin *find_kin(const struct members *members, const struct kin_key *key)
{
	struct kin *kin;

	HASH_FIND(hh, members->kins, key, sizeof(*key), kin);
	return kin;
}

/* Keys are compared as bytes. So what follows a string is 0. */
static struct kin_key make_key(const char *pod_uid, const char *container_id)
{
	struct kin_key key = {0};

	memcpy(key.pod_uid, pod_uid, strnlen(pod_uid, sizeof(key.pod_uid) - 1));
	memcpy(key.container_id, container_id, strnlen(container_id, sizeof(key.container_id) - 1));
	return key;
}

struct kin *members_find_kin(const struct members *members, const char *pod_uid,
			     const char *container_id)
{
	struct kin_key key = make_key(pod_uid, container_id);

	return find_kin(members, &key);
}

/* A kin without members and containers goes. */
static void drop_kin(struct members *members, struct kin *kin)
{
	struct kin *pod = kin->pod;

	if (kin->members || kin->containers)
		return;
	if (pod)
		DL_DELETE2(pod->containers, kin, before, after);
	/* The analyzer does not know that the table has what is in it. */
	HASH_DEL(members->kins, kin); /* NOLINT(clang-analyzer-core.NullDereference) */
	free(kin);
	if (pod)
		drop_kin(members, pod);
}

/* Finds the kin, or makes it, and its pod's. NULL: no memory. */
static struct kin *get_kin(struct members *members, const struct kin_key *key)
{
	struct kin *kin = find_kin(members, key), *pod = NULL;

	if (kin)
		return kin;
	if (key->pod_uid[0] && key->container_id[0]) {
		const struct kin_key of_pod = make_key(key->pod_uid, "");

		pod = get_kin(members, &of_pod);
		if (!pod)
			return NULL;
	}
	kin = calloc(1, sizeof(*kin));
	if (kin)
		kin->key = *key;
	if (!kin || !HASH_TRY_ADD(hh, members->kins, &kin->key, sizeof(kin->key), kin)) {
		free(kin);
		if (pod)
			drop_kin(members, pod);
		return NULL;
	}
	kin->pod = pod;
	if (pod)
		DL_APPEND2(pod->containers, kin, before, after);
	return kin;
}

static int by_id(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* Whether there is room for a cgroup, which the registry has counted already. */
static bool has_room(const struct members *members, const struct cgroup *cgroup,
		     const struct kin_key *key)
{
	size_t count = members_count(members);
	const struct kin *kin = key ? find_kin(members, key) : NULL;

	if (!members->max ||
	    (members->wanted_count && bsearch(&cgroup->id, members->wanted, members->wanted_count,
					      sizeof(*members->wanted), by_id)))
		return true;
	if (kin && kin->count >= KIN_MAX)
		return false;
	if (key && key->pod_uid[0] && !(kin && kin->count))
		return count <= members->max;
	return count <= members->max / 4 * 3;
}

static int refuse(struct members *members, const struct kin_key *key)
{
	const struct kin *kin = key ? find_kin(members, key) : NULL;

	members->refused++;
	/* A container that has all that it may have does not need more places. */
	if (!kin || kin->count < KIN_MAX)
		members->full = true;
	return -ENOSPC;
}

/* Puts a new entry of the registry among its kin, if there is room for it. */
static int on_added(void *context, struct cgroup *cgroup)
{
	const struct cgroup_name *name = &cgroup->name;
	struct member *member = member_of(cgroup);
	struct members *members = context;
	struct kin_key key;

	if (!name->pod_uid[0] && !name->container_id[0])
		return has_room(members, cgroup, NULL) ? 0 : refuse(members, NULL);
	key = make_key(name->pod_uid, name->container_id);
	if (!has_room(members, cgroup, &key))
		return refuse(members, &key);
	member->kin = get_kin(members, &key);
	if (!member->kin)
		return -ENOMEM;
	DL_APPEND2(member->kin->members, member, kin_prev, kin_next);
	member->kin->count++;
	members->pods |= name->pod_uid[0] != '\0';
	return 0;
}

static void leave_kin(struct members *members, struct member *member)
{
	struct kin *kin = member->kin;

	if (!kin)
		return;
	DL_DELETE2(kin->members, member, kin_prev, kin_next);
	kin->count--;
	member->kin = NULL;
	drop_kin(members, kin);
}

static const struct registry_hooks hooks = {.added = on_added};

void members_open(struct members *members, const char *cgroupfs, const char *procfs)
{
	*members = (struct members){.cgroupfs = cgroupfs, .procfs = procfs};
	registry_open(&members->registry, sizeof(struct member));
	members->registry.hooks = &hooks;
	members->registry.context = members;
	cgroup_view_open(&members->view, cgroupfs);
}

static void forget_wanted(struct members *members)
{
	free(members->wanted);
	members->wanted = NULL;
	members->wanted_count = 0;
}

void members_free(struct members *members)
{
	struct member *member, *next;

	registry_walk_free(members->walk);
	forget_wanted(members);
	for (member = members_first(members); member; member = next) {
		next = members_next(member);
		members_remove(members, member);
	}
	cgroup_view_close(&members->view);
}

struct member *members_find(const struct members *members, uint64_t id)
{
	return member_of(registry_find(&members->registry, id));
}

struct member *members_add(struct members *members, uint64_t id, const char *path, uint64_t born_ns)
{
	return member_of(registry_add(&members->registry, id, path, born_ns));
}

static void leave_ended(struct members *members, struct member *member)
{
	if (member->ended)
		DL_DELETE2(*(member->kept ? &members->kept : &members->removed), member, end_prev,
			   end_next);
	member->ended = member->kept = false;
}

void members_end(struct members *members, struct member *member, uint64_t now_ns)
{
	if (!member->cgroup.removed_ns)
		member->cgroup.removed_ns = now_ns;
	if (member->ended)
		return;
	member->ended = true;
	DL_APPEND2(members->removed, member, end_prev, end_next);
}

void members_keep(struct members *members, struct member *member)
{
	leave_ended(members, member);
	member->ended = member->kept = true;
	DL_APPEND2(members->kept, member, end_prev, end_next);
}

void members_remove(struct members *members, struct member *member)
{
	leave_ended(members, member);
	leave_kin(members, member);
	registry_remove(&members->registry, &member->cgroup);
}

/* A path of the greatest length may have been cut in its last name: the one above is known. */
static bool cut_path(const char *path, char above[CGROUP_PATH_MAX])
{
	char *slash;

	snprintf(above, CGROUP_PATH_MAX, "%s", path);
	slash = strrchr(above, '/');
	if (!slash || slash == above)
		return false;
	*slash = '\0';
	return true;
}

/* A walk finds a path that is missing. */
static struct member *take_made(struct members *members, const struct cgroup_event *event)
{
	uint64_t born_ns = event->time_ns + clock_suspended_ns();
	char above[CGROUP_PATH_MAX];
	struct cgroup *cgroup;
	const char *path;

	path = event->path_len ? cgroup_view_path(&members->view, event->id, event->path) : "";
	if (path[0] && event->path_len < CGROUP_PATH_MAX - 1) {
		cgroup = registry_add(&members->registry, event->id, path, born_ns);
	} else if (cut_path(path, above)) {
		cgroup = registry_add_below(&members->registry, event->id, above, born_ns);
	} else {
		members->path_cut = true;
		return NULL;
	}
	if (cgroup)
		cgroup->outside = !members->view.whole && path == event->path;
	return member_of(cgroup);
}

struct member *members_take_event(struct members *members, const struct cgroup_event *event)
{
	struct member *member;

	if (event->kind == CGROUP_MADE)
		return take_made(members, event);
	member = members_find(members, event->id);
	if (member)
		members_end(members, member, event->time_ns);
	return NULL;
}

static void add_unknown(struct members *members, uint64_t id, uint64_t now_ns)
{
	struct member *member = members_add(members, id, "", 0);

	members->unnamed++;
	if (member)
		members_end(members, member, now_ns);
}

/* A walk finds cgroups that are gone, and those that were wrongly taken for gone. */
static void update_ended(struct members *members)
{
	struct member *member;

	for (member = members_first(members); member; member = members_next(member)) {
		if (member->cgroup.removed_ns)
			members_end(members, member, member->cgroup.removed_ns);
		else
			leave_ended(members, member);
	}
}

/* Begins a walk, on which cgroups of these ids find a place. Returns whether it has begun. */
static bool begin_walk(struct members *members, const uint64_t *ids, size_t count, uint64_t now_ns)
{
	int err;

	members->walked_ns = now_ns;
	members->walk_ns = 0;
	if (count) {
		members->wanted = malloc(count * sizeof(*ids));
		if (!members->wanted)
			return false;
		memcpy(members->wanted, ids, count * sizeof(*ids));
		qsort(members->wanted, count, sizeof(*ids), by_id);
		members->wanted_count = count;
	}
	err = registry_walk_begin(&members->registry, members->cgroupfs, members->procfs,
				  &members->walk);
	if (!err)
		return true;
	log_warn("cannot read the cgroups under %s: %s", members->cgroupfs, strerror(-err));
	forget_wanted(members);
	return false;
}

/* The walk has seen all. What is wanted and was not found is gone. */
static void end_walk(struct members *members, uint64_t now_ns)
{
	size_t i;

	registry_walk_end(members->walk, now_ns);
	members->walk = NULL;
	update_ended(members);
	for (i = 0; i < members->wanted_count; i++)
		if (!members_find(members, members->wanted[i]))
			add_unknown(members, members->wanted[i], now_ns);
	forget_wanted(members);
}

/* Walks on for a while. Returns whether the walk has ended. */
static bool walk_on(struct members *members, unsigned int count, uint64_t now_ns)
{
	uint64_t start_ns = clock_monotonic_ns();
	bool ended = registry_walk_step(members->walk, count);

	if (ended)
		end_walk(members, now_ns);
	members->stepped_ns = clock_monotonic_ns();
	members->walk_ns += grown(members->stepped_ns, start_ns);
	return ended;
}

void members_walk(struct members *members, uint64_t now_ns)
{
	if (members->walk || begin_walk(members, NULL, 0, now_ns))
		walk_on(members, UINT_MAX, now_ns);
}

void members_walk_on(struct members *members, uint64_t now_ns)
{
	if (members->walk && grown(now_ns, members->stepped_ns) >= STEP_PAUSE_NS)
		walk_on(members, STEP_COUNT, now_ns);
}

uint64_t members_due_ns(const struct members *members)
{
	return members->walk ? members->stepped_ns + STEP_PAUSE_NS : UINT64_MAX;
}

/* Whether a walk may begin, so long after the last one. */
static bool may_walk(const struct members *members, uint64_t pause_ns, uint64_t now_ns)
{
	uint64_t part_ns = members->walk_ns * WALK_PART;

	return !members->walk &&
	       grown(now_ns, members->walked_ns) >= (pause_ns < part_ns ? part_ns : pause_ns);
}

void members_walk_if_due(struct members *members, uint64_t events_lost, uint64_t now_ns)
{
	bool missed = events_lost != members->events_lost || members->path_cut;

	if (!may_walk(members, missed ? WALK_MIN_NS : WALK_MAX_NS, now_ns))
		return;
	members->events_lost = events_lost;
	members->path_cut = false;
	if (begin_walk(members, NULL, 0, now_ns))
		walk_on(members, STEP_COUNT, now_ns);
}

bool members_decide(struct members *members, const uint64_t *ids, size_t count, uint64_t now_ns)
{
	return may_walk(members, WALK_MIN_NS, now_ns) && begin_walk(members, ids, count, now_ns) &&
	       walk_on(members, STEP_COUNT, now_ns);
}
