/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "metrics/members.h"

#include <string.h>

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

void members_open(struct members *members, const char *cgroupfs, const char *procfs)
{
	*members = (struct members){.cgroupfs = cgroupfs, .procfs = procfs};
	registry_open(&members->registry, sizeof(struct member));
}

void members_free(struct members *members)
{
	registry_free(&members->registry);
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
	registry_remove(&members->registry, &member->cgroup);
}

/*
 * A path of the greatest length may have been cut in its last name. So it is taken for that of the
 * cgroup above. A walk finds an event's path that is missing.
 */
static struct member *take_made(struct members *members, const struct cgroup_event *event,
				uint64_t born_ns)
{
	char above[CGROUP_PATH_MAX];
	char *slash;

	if (event->path_len && event->path_len < CGROUP_PATH_MAX - 1)
		return members_add(members, event->id, event->path, born_ns);
	memcpy(above, event->path, event->path_len);
	above[event->path_len] = '\0';
	slash = strrchr(above, '/');
	if (!slash || slash == above) {
		members->path_cut = true;
		return NULL;
	}
	*slash = '\0';
	return member_of(registry_add_below(&members->registry, event->id, above, born_ns));
}

struct member *members_take_event(struct members *members, const struct cgroup_event *event)
{
	struct member *member;

	if (event->kind == CGROUP_MADE) {
		return take_made(members, event, event->time_ns + clock_suspended_ns());
	}
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
