/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "cgroup/unit.h"

#include <string.h>

#include "cgroup/part.h"
#include "util/array.h"
#include "util/ascii.h"

#define LONG_HEX_RUN	   32
#define UNIT_CHARS_SPECIAL ":-_.\\@"

/*
 * Cgroups that hold others, have no tasks themselves, and are not slices. The members of a cgroup
 * with any other name, without a systemd suffix, are also told apart. But these names are known to
 * be groups, even without members.
 */
static const char *const groups[] = {
	KUBEPODS,      /* the kubelet's driver "cgroupfs" */
	"docker",      /* docker's */
	PODMAN_PARENT, /* podman's manager "cgroupfs" */
	"lxc",	       /* LXC before 4, Proxmox VE */
	"lxc.monitor", /* Proxmox VE */
	"podruntime",  /* Talos */
	"system",      /* Talos */
	"garden",      /* Garden, of Cloud Foundry and Concourse */
	"machine",     /* libvirt without systemd */
};

/*
 * Groups in groups. Garden moves a container that uses much CPU from "good" to "bad", and back. It
 * is the same unit in both.
 */
static const struct {
	const char *group; /* NULL: any */
	const char *name;
	bool shown; /* is part of the unit's name */
} subgroups[] = {
	{KUBEPODS, "burstable", true},	{KUBEPODS, "besteffort", true},
	{NULL, KUBEPODS, true},		{NULL, "buildkit", true}, /* docker and its builder */
	{"garden", "good", false},	{"garden", "bad", false},
	{"system", "extensions", true}, /* Talos' */
};

/* Names that are never groups: everything below these belongs to them. */
static const char *const whole_prefixes[] = {
	"lxc.payload.", "lxc.monitor.", /* LXC, LXD, Incus */
	"openrc.",			/* OpenRC's services */
};

/* systemd's units that have a cgroup and are not slices. */
static const char *const unit_suffixes[] = {".service", ".scope", ".mount", ".swap", ".socket"};

/* The members of the root of a systemd machine, which is not in the root here. */
static const char *const machine_roots[] = {
	"init.scope",
	"system.slice",
	"user.slice",
	"machine.slice",
};

/* Units that this program names itself. A cgroup's name must not be mistaken for one. */
static const char *const own_units[] = {
	"root", "kernel", "idle", "overflow", "other", "unknown",
};

static bool unit_char_valid(char c)
{
	return ascii_alnum(c) || (c != '\0' && strchr(UNIT_CHARS_SPECIAL, c));
}

/* Adds a name to the unit's name, by the rules of path.h: safe characters, no long ids, bounded. */
static void add_to_unit(char unit[CGROUP_UNIT_SIZE], struct slice part)
{
	size_t used = strlen(unit);

	if (used > 0 && used < CGROUP_UNIT_SIZE - 2)
		unit[used++] = '/';
	else if (used > 0)
		return;
	while (part.len && used < CGROUP_UNIT_SIZE - 1) {
		struct slice run = slice_take(&part, SLICE_LOWER_HEX);
		size_t keep = run.len >= LONG_HEX_RUN ? CONTAINER_ID_SHORT : run.len;

		if (!run.len) {
			unit[used++] = unit_char_valid(part.at[0]) ? part.at[0] : '_';
			part.at++;
			part.len--;
			continue;
		}
		if (keep > CGROUP_UNIT_SIZE - 1 - used)
			keep = CGROUP_UNIT_SIZE - 1 - used;
		memcpy(unit + used, run.at, keep);
		used += keep;
	}
	unit[used] = '\0';
}

static bool is_slice(struct slice part)
{
	return slice_ends(part, ".slice");
}

static bool is_systemd_unit(struct slice part)
{
	for (size_t i = 0; i < ARRAY_SIZE(unit_suffixes); i++)
		if (slice_ends(part, unit_suffixes[i]))
			return true;
	return false;
}

/* Whether everything below it belongs to it. */
static bool is_whole(struct slice part)
{
	for (size_t i = 0; i < ARRAY_SIZE(whole_prefixes); i++)
		if (slice_starts(part, whole_prefixes[i]))
			return true;
	return is_systemd_unit(part);
}

static bool is_machine_root(struct slice part)
{
	for (size_t i = 0; i < ARRAY_SIZE(machine_roots); i++)
		if (slice_is(part, machine_roots[i]))
			return true;
	return slice_ends(part, ".mount");
}

static bool is_subgroup(struct slice group, struct slice part, bool *shown)
{
	for (size_t i = 0; i < ARRAY_SIZE(subgroups); i++) {
		if (!slice_is(part, subgroups[i].name) ||
		    (subgroups[i].group && !slice_is(group, subgroups[i].group)))
			continue;
		*shown = subgroups[i].shown;
		return true;
	}
	return false;
}

/* Adds the member's name. The group's name is already there. */
static void add_member(struct slice path, struct slice group, char unit[CGROUP_UNIT_SIZE])
{
	struct slice rest, part, below;
	bool shown;

	if (!next_part(&path, &part) || is_machine_root(part))
		return;
	rest = path;
	while (is_subgroup(group, part, &shown) && next_part(&rest, &below)) {
		if (shown)
			add_to_unit(unit, part);
		group = part;
		part = below;
	}
	add_to_unit(unit, part);
}

/* "/other" is the cgroup of that name. */
static void tell_from_own(char unit[CGROUP_UNIT_SIZE])
{
	size_t i, len = strlen(unit);

	for (i = 0; i < ARRAY_SIZE(own_units); i++) {
		if (strcmp(unit, own_units[i]) != 0)
			continue;
		memmove(unit + 1, unit, len + 1);
		unit[0] = '/';
		return;
	}
}

bool unit_of_path(const char *path, char unit[CGROUP_UNIT_SIZE])
{
	struct slice rest = slice_of(path), part, last = {"", 0};

	unit[0] = '\0';
	while (next_part(&rest, &part)) {
		last = part;
		if (!is_slice(part))
			break;
	}
	if (!last.len)
		return false;
	add_to_unit(unit, last);
	if (!is_slice(last) && !is_whole(last))
		add_member(rest, last, unit);
	tell_from_own(unit);
	return true;
}

static bool is_group(struct slice part)
{
	for (size_t i = 0; i < ARRAY_SIZE(groups); i++)
		if (slice_is(part, groups[i]))
			return true;
	return is_slice(part);
}

bool unit_is_group(const char *unit)
{
	struct slice rest = slice_of(unit), group, part;
	bool shown;

	if (!next_part(&rest, &group))
		return false;
	if (!next_part(&rest, &part))
		return is_group(group);
	do {
		if (!is_subgroup(group, part, &shown))
			return false;
		group = part;
	} while (next_part(&rest, &part));
	return true;
}
