/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "metrics/roots.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "bramble/growth.h"
#include "cgroup/home.h"
#include "cgroup/unit.h"
#include "util/clock.h"
#include "util/log.h"

#define MINUTE_NS (60 * NS_PER_S)

/* What is known of a cgroup's place in the hierarchy. Lengths are bytes of its path. */
struct place {
	size_t home;
	enum cgroup_home_kind kind; /* of the home */
	size_t parent;		    /* of the home; 0: the root */
	size_t above;		    /* HOME_MEMBER: the unit around it */
};

void roots_open(struct roots *roots, struct probe *probe, const char *cgroupfs)
{
	*roots = (struct roots){.probe = probe, .cgroupfs = cgroupfs};
}

/* The id of the cgroup at the beginning of a path; 0 if it is gone. */
static uint64_t id_of(const struct roots *roots, const char *path, size_t len)
{
	char file[PATH_MAX];
	struct stat st;

	if ((size_t)snprintf(file, sizeof(file), "%s%.*s", roots->cgroupfs, (int)len, path) >=
	    sizeof(file))
		return 0;
	return stat(file, &st) ? 0 : st.st_ino;
}

/* Whether it is not where it was made. Most of those that somebody makes and removes without end
 * are gone when their event is read. */
static bool is_gone(const struct roots *roots, const struct cgroup *cgroup)
{
	return !cgroup->below && !cgroup->outside &&
	       id_of(roots, cgroup->path, strlen(cgroup->path)) != cgroup->id;
}

/*
 * A cgroup that was removed before its root or alias was added. That it was made is read later: who
 * makes and removes cgroups would fill both maps. If its path does not tell, the event of its end
 * does: roots_take_removed().
 */
static void forget_if_gone(const struct roots *roots, const struct cgroup *cgroup)
{
	if (is_gone(roots, cgroup))
		probe_forget_root(roots->probe, cgroup->id);
}

/* FNV-1a. Never 0. */
static uint64_t hash_of(const char *text, size_t len)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	while (len--)
		hash = (hash ^ (unsigned char)*text++) * UINT64_C(0x100000001b3);
	return hash ? hash : 1;
}

static void find_place(const struct cgroup *cgroup, struct place *place)
{
	char home[CGROUP_PATH_LIMIT];

	*place = (struct place){.home = cgroup_home_len(cgroup->path, &cgroup->name)};
	snprintf(home, sizeof(home), "%.*s", (int)place->home, cgroup->path);
	place->kind = cgroup_home_kind(home, &cgroup->name, &place->above);
	place->parent = cgroup_parent_len(home, place->home);
}

/* By what its slot counts: its pod or its unit, and whether it is beyond the homes of these. */
static void set_home(struct member *member, const struct place *place)
{
	const struct cgroup *cgroup = &member->cgroup;
	bool nested = cgroup->below || cgroup->path[place->home];

	if (cgroup->name.pod_uid[0])
		member->home.key = hash_of(cgroup->name.pod_uid, strlen(cgroup->name.pod_uid));
	else if (place->kind == HOME_MEMBER)
		member->home.key = hash_of(cgroup->path, place->above);
	else
		member->home.key = hash_of(cgroup->path, place->home);
	if (nested)
		member->home.quota = SLOT_NESTED_MAX;
	else if (place->kind == HOME_MEMBER)
		member->home.quota = SLOT_MEMBERS_MAX;
}

/* Whether there was room for it. Until then the cgroup is as one that is not known. */
static bool add_root(const struct roots *roots, uint64_t id, enum slot_root_kind kind,
		     uint64_t group)
{
	return !id || !probe_add_root(roots->probe, id, kind, group);
}

/* Whether what is in it has names of its own: "lxc/101" and not "ssh.service". */
static bool is_parent(const struct cgroup *cgroup)
{
	char path[CGROUP_PATH_LIMIT], unit[CGROUP_UNIT_SIZE], child[CGROUP_UNIT_SIZE];

	if (cgroup->name.kind != CGROUP_UNIT ||
	    (size_t)snprintf(path, sizeof(path), "%s/x", cgroup->path) >= sizeof(path))
		return false;
	return unit_of_path(cgroup->path, unit) && unit_of_path(path, child) &&
	       strcmp(unit, child) != 0;
}

/* Returns whether there was room for it, if it is a root. */
static bool add_home(const struct roots *roots, const struct cgroup *cgroup,
		     const struct place *place)
{
	const char *path = cgroup->path;
	bool added = true;

	switch (place->kind) {
	case HOME_POD:
		if (place->parent)
			added = add_root(roots, id_of(roots, path, place->parent), SLOT_ROOT_PODS,
					 0);
		break;
	case HOME_PODS:
		added = add_root(roots, cgroup->id, SLOT_ROOT_PODS, 0);
		break;
	case HOME_CONTAINER_FAR:
		added = add_root(roots, cgroup->id, SLOT_ROOT_CONTAINER, 0);
		break;
	case HOME_UNIT:
		added = add_root(roots, cgroup->id,
				 is_parent(cgroup) ? SLOT_ROOT_PARENT : SLOT_ROOT_UNIT, 0);
		break;
	case HOME_MEMBER:
		if (is_gone(roots, cgroup))
			return true;
		added = add_root(roots, cgroup->id, SLOT_ROOT_MEMBER,
				 id_of(roots, path, place->above));
		break;
	case HOME_ROOT:
	case HOME_CONTAINER: /* follows from its pod */
	case HOME_GROUP:
		return true;
	}
	forget_if_gone(roots, cgroup);
	return added;
}

static void note_missing(struct roots *roots, struct member *member, bool missing)
{
	member->home.missing = missing;
	roots->missing |= missing;
}

void roots_fold(struct roots *roots, struct member *member)
{
	const struct cgroup *cgroup = &member->cgroup;
	struct place place;
	size_t group;
	uint64_t id;

	if (probe_sees_ancestors(roots->probe) || cgroup->removed_ns || is_gone(roots, cgroup))
		return;
	find_place(cgroup, &place);
	group = place.kind == HOME_MEMBER ? place.above : place.home;
	id = id_of(roots, cgroup->path,
		   member->home.quota == SLOT_MEMBERS_MAX ? place.above : place.home);
	/* If there are too many, it gets a slot, which is taken back again. */
	if (!id || id == cgroup->id)
		return;
	note_missing(roots, member,
		     probe_add_alias(roots->probe, cgroup->id, id,
				     id_of(roots, cgroup->path, group)) != 0);
	forget_if_gone(roots, cgroup);
}

static void look_at(struct roots *roots, struct member *member)
{
	const struct cgroup *cgroup = &member->cgroup;
	struct place place;

	if (member->home.key || !cgroup->path[0])
		return;
	find_place(cgroup, &place);
	set_home(member, &place);
	if (member->home.quota != SLOT_NESTED_MAX)
		note_missing(roots, member, !add_home(roots, cgroup, &place));
	else
		roots_fold(roots, member);
}

void roots_flush(struct roots *roots)
{
	probe_tell_roots(roots->probe);
}

void roots_retry(struct roots *roots, uint64_t now_ns)
{
	struct member *member;

	if (!roots->missing || !roots->members || grown(now_ns, roots->tried_ns) < ROOTS_RETRY_NS)
		return;
	roots->missing = false;
	roots->tried_ns = now_ns;
	for (member = members_first(roots->members); member; member = members_next(member)) {
		if (!member->home.missing || member->cgroup.removed_ns)
			continue;
		member->home.key = 0;
		look_at(roots, member);
	}
}

void roots_take_walked(struct roots *roots, const struct members *members)
{
	struct member *member;

	roots->members = members;
	if (members->walk || members->registry.walk == roots->walk)
		return;
	roots->walk = members->registry.walk;
	for (member = members_first(members); member; member = members_next(member))
		look_at(roots, member);
}

/* Counts the nested cgroups of a minute. Who comes when all places are taken is not watched. */
static void count_nested(struct roots *roots, const struct member *made)
{
	const struct cgroup *cgroup = &made->cgroup;
	struct nested *nested = roots->nested;
	struct place place;

	while (nested < roots->nested + roots->watched && nested->key != made->home.key)
		nested++;
	if (nested == roots->nested + ROOTS_WATCHED)
		return;
	if (nested == roots->nested + roots->watched) {
		roots->watched++;
		*nested = (struct nested){.key = made->home.key};
	}
	if (++nested->made < ROOTS_NESTED_TOLD || nested->home_id)
		return;
	find_place(cgroup, &place);
	nested->home_id = id_of(roots, cgroup->path, place.home);
}

void roots_take_made(struct roots *roots, struct member *made)
{
	look_at(roots, made);
	if (made->home.quota == SLOT_NESTED_MAX)
		count_nested(roots, made);
}

/* Its path is a shape: it was not looked at whether it is believed. So it makes no root for pods.
 */
void roots_take_refused(struct roots *roots, uint64_t id, const char *path)
{
	char copy[CGROUP_PATH_LIMIT];
	struct member made = {.cgroup = {.id = id, .path = copy}};
	struct place place;

	snprintf(copy, sizeof(copy), "%s", path);
	made.cgroup.below = strlen(copy) >= CGROUP_PATH_MAX - 1; /* it may have been cut */
	if (cgroup_path_parse(copy, &made.cgroup.name))
		return;
	find_place(&made.cgroup, &place);
	set_home(&made, &place);
	if (made.home.quota == SLOT_MEMBERS_MAX)
		(void)add_home(roots, &made.cgroup, &place);
	if (made.home.quota != SLOT_NESTED_MAX)
		return;
	roots_fold(roots, &made);
	count_nested(roots, &made);
}

void roots_take_removed(struct roots *roots, uint64_t id)
{
	if (!probe_sees_ancestors(roots->probe))
		probe_forget_root(roots->probe, id);
}

static void tell(const struct members *members, const struct nested *nested)
{
	const struct member *home = members_find(members, nested->home_id);
	const struct owner *owner = home ? home->owner : NULL;
	bool pod = owner && owner->labels.pod[0];

	log_warn("%s%s%s%s has made %u cgroups of its own within a minute; they share the slots "
		 "of its containers, so nothing of others is lost",
		 pod ? "the pod " : "", pod ? owner->labels.name_space : "",
		 pod && owner->labels.name_space[0] ? "/" : "",
		 pod	? owner->labels.pod
		 : home ? home->cgroup.path
			: "a container that has ended",
		 nested->made);
}

void roots_tell(struct roots *roots, uint64_t now_ns)
{
	const struct nested *nested, *most = NULL;
	bool over = grown(now_ns, roots->since_ns) >= MINUTE_NS;

	for (nested = roots->nested; nested < roots->nested + roots->watched; nested++)
		if (nested->home_id && (!most || nested->made > most->made))
			most = nested;
	if (most && roots->members && log_is_due(&roots->told_ns, now_ns))
		tell(roots->members, most);
	if (!over)
		return;
	roots->watched = 0;
	roots->since_ns = now_ns;
}
