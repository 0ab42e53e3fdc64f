/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "cgroup/unit.h"

#include "cgroup/part.h"
#include "util/array.h"

#define LONG_HEX_RUN	   32
#define UNIT_CHARS_SPECIAL ":-_.\\@"

/*
 * Cgroups that hold others, have no tasks themselves, and are no slices. What lies in a
 * cgroup of any other name without a suffix of systemd's is told apart in the same way;
 * these are known to be of no use by themselves.
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
 * Groups in groups. Garden moves a container that uses much CPU from "good" to "bad" and
 * back: it is the same unit in both.
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

/* Names that are whole by themselves: what lies in these belongs to them. */
static const char *const whole_prefixes[] = {
	"lxc.payload.", "lxc.monitor.", /* LXC, LXD, Incus */
	"openrc.",			/* OpenRC's services */
};

/* systemd's units that have a cgroup, and are no slice. */
static const char *const unit_suffixes[] = {".service", ".scope", ".mount", ".swap", ".socket"};

/* What the root of a machine that systemd runs has in it, if it is not in the root here. */
static const char *const machine_roots[] = {
	"init.scope",
	"system.slice",
	"user.slice",
	"machine.slice",
};

/* Units that this program names itself, and that a cgroup's name must not be taken for. */
static const char *const own_units[] = {
	"root", "kernel", "idle", "overflow", "other", "unknown",
};

static size_t hex_run(struct part part, size_t at)
{
	size_t len = 0;

	while (at + len < part.len && is_lower_hex(part.text[at + len]))
		len++;
	return len;
}

static bool unit_char_valid(char c)
{
	if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))
		return true;
	return c != '\0' && strchr(UNIT_CHARS_SPECIAL, c);
}

/* Adds a name to the unit's as path.h says: safe characters, no long ids, bounded. */
static void add_to_unit(char unit[CGROUP_UNIT_SIZE], struct part part)
{
	size_t used = strlen(unit);
	size_t at = 0;

	if (used > 0 && used < CGROUP_UNIT_SIZE - 2)
		unit[used++] = '/';
	else if (used > 0)
		return;
	while (at < part.len && used < CGROUP_UNIT_SIZE - 1) {
		size_t run = hex_run(part, at);
		size_t keep = run >= LONG_HEX_RUN ? CONTAINER_ID_SHORT : run;

		if (!run) {
			unit[used] = part.text[at];
			if (!unit_char_valid(part.text[at]))
				unit[used] = '_';
			used++;
			at++;
			continue;
		}
		if (keep > CGROUP_UNIT_SIZE - 1 - used)
			keep = CGROUP_UNIT_SIZE - 1 - used;
		memcpy(unit + used, part.text + at, keep);
		used += keep;
		at += run;
	}
	unit[used] = '\0';
}

static bool is_slice(struct part part)
{
	return part_ends(part, ".slice");
}

static bool is_systemd_unit(struct part part)
{
	for (size_t i = 0; i < ARRAY_SIZE(unit_suffixes); i++)
		if (part_ends(part, unit_suffixes[i]))
			return true;
	return false;
}

/* Whether all that lies in it belongs to it. */
static bool is_whole(struct part part)
{
	for (size_t i = 0; i < ARRAY_SIZE(whole_prefixes); i++)
		if (part_starts(part, whole_prefixes[i]))
			return true;
	return is_systemd_unit(part);
}

static bool is_machine_root(struct part part)
{
	for (size_t i = 0; i < ARRAY_SIZE(machine_roots); i++)
		if (part_is(part, machine_roots[i]))
			return true;
	return part_ends(part, ".mount");
}

static bool is_subgroup(struct part group, struct part part, bool *shown)
{
	for (size_t i = 0; i < ARRAY_SIZE(subgroups); i++) {
		if (!part_is(part, subgroups[i].name) ||
		    (subgroups[i].group && !part_is(group, subgroups[i].group)))
			continue;
		*shown = subgroups[i].shown;
		return true;
	}
	return false;
}

/* Names what lies in a group, whose name is in the unit's already. */
static void add_member(const char *path, struct part group, char unit[CGROUP_UNIT_SIZE])
{
	struct part part, below;
	const char *rest;
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
	struct part part, last = {"", 0};

	unit[0] = '\0';
	while (next_part(&path, &part)) {
		last = part;
		if (!is_slice(part))
			break;
	}
	if (!last.len)
		return false;
	add_to_unit(unit, last);
	if (!is_slice(last) && !is_whole(last))
		add_member(path, last, unit);
	tell_from_own(unit);
	return true;
}

static bool is_group(struct part part)
{
	for (size_t i = 0; i < ARRAY_SIZE(groups); i++)
		if (part_is(part, groups[i]))
			return true;
	return is_slice(part);
}

bool unit_is_group(const char *unit)
{
	struct part group, part;
	bool shown;

	if (!next_part(&unit, &group))
		return false;
	if (!next_part(&unit, &part))
		return is_group(group);
	do {
		if (!is_subgroup(group, part, &shown))
			return false;
		group = part;
	} while (next_part(&unit, &part));
	return true;
}
