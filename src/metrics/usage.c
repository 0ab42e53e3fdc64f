/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "metrics/usage.h"

#include <stdlib.h>

#include "bramble/growth.h"
#include "cgroup/tops.h"
#include "metrics/naming.h"
#include "metrics/unread.h"
#include "util/clock.h"

/* The files of a cgroup, and what was in them when they were read last. */
struct cgroup_usage {
	struct cgroup_files *files;
	struct cgroup_values before;
};

void usage_open(struct usage *usage, const char *cgroupfs)
{
	*usage = (struct usage){0};
	cgroup_reader_init(&usage->reader, cgroupfs);
}

void usage_forget(struct usage *usage, struct member *member)
{
	if (!member->usage)
		return;
	cgroup_files_close(&usage->reader, member->usage->files);
	free(member->usage);
	member->usage = NULL;
	usage->known = 0; /* tops may contain it */
}

void usage_close(struct usage *usage, struct members *members)
{
	struct member *member;

	for (member = members_first(members); member; member = members_next(member))
		usage_forget(usage, member);
	free(usage->tops);
	usage->tops = NULL;
	usage->count = 0;
}

/* A hash of the cgroups that are there: FNV-1a over their ids. Never 0. */
static uint64_t cgroups_known(const struct registry *registry)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);
	const struct cgroup *cgroup;

	for (cgroup = registry->table; cgroup; cgroup = cgroup->hh.next)
		if (!cgroup->removed_ns)
			hash = (hash ^ cgroup->id) * UINT64_C(0x100000001b3);
	return hash ? hash : 1;
}

/* Whether a probe has counted anything for an owner. */
static bool has_run(const struct owner *owner)
{
	enum family_source source;

	for (source = 0; source < SOURCES; source++)
		if (source != SOURCE_FILES && owner->ledger.of[source].count)
			return true;
	return false;
}

/*
 * Which files are read first: those of pods, then those of what else something ran in. Anyone can
 * make up the id of a container that is in no pod.
 */
static unsigned char rank(struct owners *owners, const struct member *top)
{
	const struct owner *owner = top->owner;
	struct labels labels;

	if (top->cgroup.name.pod_uid[0])
		return 0;
	if (!owner) {
		naming_unit(&labels, top->cgroup.name.unit);
		owner = owners_find(owners, &labels);
	}
	return owner && has_run(owner) ? 1 : 2;
}

/*
 * Anyone may make cgroups. Of those in which nothing ran, only an eighth of the limit is read.
 * Those that are read go to the front. Returns how many they are.
 */
static size_t leave_out(struct usage *usage, struct owners *owners, struct cgroup **tops,
			size_t count)
{
	size_t limit[] = {usage->max, usage->max, usage->max / 8}, i, kept = 0;
	struct cgroup *top;
	unsigned char wanted;

	if (!usage->max || count <= limit[2])
		return count;
	for (i = 0; i < count; i++)
		member_of(tops[i])->rank = rank(owners, member_of(tops[i]));
	for (wanted = 0; wanted < 3; wanted++)
		for (i = kept; i < count && kept < usage->max && limit[wanted]; i++) {
			if (member_of(tops[i])->rank != wanted)
				continue;
			top = tops[i];
			tops[i] = tops[kept];
			tops[kept++] = top;
			limit[wanted]--;
		}
	for (i = kept; i < count; i++)
		usage_forget(usage, member_of(tops[i]));
	return kept;
}

void usage_find_tops(struct usage *usage, const struct members *members, struct owners *owners)
{
	uint64_t known = cgroups_known(&members->registry);
	struct member *member;
	struct cgroup **tops;
	size_t count;

	if (known == usage->known)
		return;
	for (member = members_first(members); member; member = members_next(member))
		if (member->cgroup.removed_ns)
			usage_forget(usage, member);
	/* Without memory nothing is read this time, and the next one tries again. */
	if (cgroup_tops_find(&members->registry, &tops, &count)) {
		usage->count = 0;
		usage->known = 0;
		return;
	}
	free(usage->tops);
	usage->tops = tops;
	usage->count = leave_out(usage, owners, tops, count);
	usage->known = known;
}

/* The same time of CLOCK_MONOTONIC. 0: not known, or before that clock's 0. */
static uint64_t monotonic_ns(uint64_t boottime_ns)
{
	return grown(boottime_ns, clock_suspended_ns());
}

/*
 * The first reading of a cgroup is all that it has counted in its life. Its owner gets it in two
 * cases: if the owner is new, too, and tells since when it counts; or if the cgroup was made since
 * the last update. In any other case the owner's counters would jump, as if all of it had happened
 * just now. So the owner gets what is counted from here on.
 */
static void read_first(const struct usage *usage, struct member *member,
		       const struct cgroup_values *now)
{
	uint64_t born_ns = monotonic_ns(member->cgroup.born_ns);
	struct owner *owner = member->owner;

	if (owner->files_read && born_ns <= usage->updated_ns)
		member->usage->before = *now;
	else if (born_ns < owner->since_ns)
		owner->since_ns = born_ns;
}

static void read_one(struct usage *usage, struct member *member, uint64_t now_ns)
{
	struct cgroup_values now;
	int lower;

	if (!member->usage) {
		member->usage = calloc(1, sizeof(*member->usage));
		if (!member->usage)
			return;
	}
	if (!member->usage->files)
		member->usage->files = cgroup_files_open(&usage->reader, member->cgroup.path);
	if (!member->usage->files ||
	    cgroup_files_read(&usage->reader, member->usage->files, now_ns, &now))
		return;
	if (!member->usage->before.known)
		read_first(usage, member, &now);
	lower = owner_add(member->owner, SOURCE_FILES, NULL, &now, &member->usage->before);
	if (lower < 0)
		return;
	usage->stepped_back += (unsigned int)lower;
	cgroup_values_keep(&member->usage->before, &now);
}

static bool knows_cpu_usage(const struct owner *owner)
{
	union ledger_word *account = ledger_find(&owner->ledger, SOURCE_FILES, NULL);

	return account && account_knows(account, &families[FAMILY_CPU_USAGE], 0);
}

void usage_update(struct usage *usage, struct members *members, struct owners *owners,
		  uint64_t now_ns, usage_name_fn name, void *context)
{
	struct owner *owner;
	size_t i;

	usage_find_tops(usage, members, owners);
	for (owner = owners->table; owner; owner = owner->hh.next) {
		ledger_forget_gauges(&owner->ledger, SOURCE_FILES);
		owner->files_read = knows_cpu_usage(owner);
	}
	for (i = 0; i < usage->count; i++) {
		struct member *member = member_of(usage->tops[i]);

		if (!member->owner)
			name(context, member);
		if (member->owner)
			read_one(usage, member, now_ns);
	}
	usage->updated_ns = now_ns;
}
