/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "metrics/members.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <utlist.h>

#include "bramble/growth.h"
#include "util/clock.h"
#include "util/log.h"

/* A walk begins at least this long after the last one. */
#define WALK_MIN_NS NS_PER_S

/*
 * And there is one at least this often. The kernel now and then does not run a program, and not all
 * kernels count that. A cgroup whose end was missed would keep its slot and its series for ever. A
 * walk takes some six system calls for each cgroup.
 */
#define WALK_MAX_NS (300 * NS_PER_S)

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

/* Puts a new entry of the registry among its kin. */
static int on_added(void *context, struct cgroup *cgroup)
{
	const struct cgroup_name *name = &cgroup->name;
	struct member *member = member_of(cgroup);
	struct members *members = context;
	struct kin_key key;

	if (!name->pod_uid[0] && !name->container_id[0])
		return 0;
	key = make_key(name->pod_uid, name->container_id);
	member->kin = get_kin(members, &key);
	if (!member->kin)
		return -ENOMEM;
	DL_APPEND2(member->kin->members, member, kin_prev, kin_next);
	member->kin->count++;
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

void members_free(struct members *members)
{
	struct member *member, *next;

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

void members_remove(struct members *members, struct member *member)
{
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
	if (member && !member->cgroup.removed_ns)
		member->cgroup.removed_ns = event->time_ns;
	return NULL;
}

void members_walk(struct members *members, uint64_t now_ns)
{
	int err = registry_walk(&members->registry, members->cgroupfs, members->procfs, now_ns);

	if (err)
		log_warn("cannot read the cgroups under %s: %s", members->cgroupfs, strerror(-err));
	members->walked_ns = now_ns;
}

void members_walk_if_due(struct members *members, uint64_t events_lost, uint64_t now_ns)
{
	bool missed = events_lost != members->events_lost || members->path_cut;

	if (grown(now_ns, members->walked_ns) < (missed ? WALK_MIN_NS : WALK_MAX_NS))
		return;
	members->events_lost = events_lost;
	members->path_cut = false;
	members_walk(members, now_ns);
}

struct member *members_look_for(struct members *members, uint64_t id, uint64_t now_ns)
{
	struct member *member = members_find(members, id);

	if (member || grown(now_ns, members->walked_ns) < WALK_MIN_NS)
		return member;
	members_walk(members, now_ns);
	member = members_find(members, id);
	if (member)
		return member;
	member = members_add(members, id, "", 0);
	members->unnamed++;
	if (member)
		member->cgroup.removed_ns = now_ns;
	return member;
}
