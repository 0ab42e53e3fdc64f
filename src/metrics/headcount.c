/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "metrics/headcount.h"

#include <utlist.h>

#include "bramble/growth.h"
#include "cgroup/tasks.h"
#include "util/clock.h"

/* Owners whose tasks do not change are counted this often. */
#define IDLE_INTERVAL_NS (60 * NS_PER_S)

/*
 * So many owners are counted at a time. It takes some 15 us each. If it takes longer than that in
 * all, because some have many cgroups or tasks, there are fewer the next time.
 */
#define OWNERS_MAX	 64
#define LONGEST_NS	 (NS_PER_S / 500)

/* Those that are no cgroup's have no tasks that can be counted. */
static bool is_due(const struct owners *owners, const struct owner *owner, uint64_t now_ns)
{
	const struct headcount_of *last = &owner->times.headcount;

	if (!owner->members || owner == owners->refuge)
		return false;
	return !last->at_ns || last->more || last->changes != owner->times.sum.changes ||
	       grown(now_ns, last->at_ns) >= IDLE_INTERVAL_NS;
}

/* Those that come first are due first the next time, if they are not counted now. */
static void begin(struct headcount *headcount, struct owners *owners, uint64_t now_ns)
{
	struct owner *owner;
	unsigned int left = OWNERS_MAX - headcount->fewer;
	uint64_t last_id = headcount->last_id;

	headcount->last_id = 0;
	for (owner = owners->table; owner; owner = owner->hh.next) {
		struct headcount_of *count = &owner->times.headcount;

		count->running = left && owner->id > last_id && is_due(owners, owner, now_ns);
		count->present = false;
		count->found = 0;
		left -= count->running;
		if (count->running && !left)
			headcount->last_id = owner->id;
	}
}

/* Whether a cgroup of it is there. If none of these can be counted, it holds others' cgroups. */
static bool has_cgroups(const struct owner *owner)
{
	const struct member *member;

	DL_FOREACH2(owner->members, member, owner_next)
	if (!member->cgroup.removed_ns)
		return true;
	return false;
}

static void conclude(struct headcount *headcount, struct task_times *times, uint64_t now_ns)
{
	struct headcount_of *count = &times->headcount;
	int64_t more = count->found - (int64_t)times->sum.tasks;

	if (!times->counted) {
		times_add_tasks(times, now_ns, more);
		times_begin(times, now_ns);
		more = 0;
	} else if (more && more == count->more) {
		headcount->lost += (uint64_t)(more < 0 ? -more : more);
		times_add_tasks(times, count->right_ns + (count->at_ns - count->right_ns) / 2,
				more);
		more = 0;
	}
	count->at_ns = now_ns;
	count->changes = times->sum.changes;
	if (!more || !count->right_ns)
		count->right_ns = now_ns;
	count->more = more;
}

/*
 * What is known is as new as the file. The root cgroup has the kernel's threads, too, which are
 * another owner's.
 */
static void count_top(const struct headcount *headcount, struct slots *slots, struct cgroup *top,
		      uint64_t now_ns)
{
	struct owner *owner = member_of(top)->owner;
	int64_t tasks;

	if (!owner || !owner->times.headcount.running || top->removed_ns ||
	    top->id == ROOT_CGROUP_ID)
		return;
	tasks = cgroup_count_tasks(headcount->cgroupfs, top->path);
	slots_read_times(slots, member_of(top)->slot);
	owner->times.headcount.present = true;
	owner->times.headcount.found += tasks;
	if (tasks >= 0)
		return;
	owner->times.headcount.running = false;
	owner->times.headcount.at_ns = now_ns;
	owner->times.headcount.changes = owner->times.sum.changes;
}

static void adapt(struct headcount *headcount, uint64_t took_ns)
{
	unsigned int most = OWNERS_MAX - headcount->fewer;

	most = took_ns > LONGEST_NS ? most / 2 : most * 2;
	if (most < 1)
		most = 1;
	headcount->fewer = most < OWNERS_MAX ? OWNERS_MAX - most : 0;
}

void headcount_run(struct headcount *headcount, struct owners *owners, struct slots *slots,
		   struct cgroup *const *tops, size_t count, uint64_t now_ns)
{
	uint64_t begin_ns = clock_monotonic_ns();
	struct owner *owner;
	size_t i;

	begin(headcount, owners, now_ns);
	for (i = 0; i < count; i++)
		count_top(headcount, slots, tops[i], now_ns);
	adapt(headcount, grown(clock_monotonic_ns(), begin_ns));
	for (owner = owners->table; owner; owner = owner->hh.next)
		if (owner->times.headcount.running &&
		    (owner->times.headcount.present || !has_cgroups(owner)))
			conclude(headcount, &owner->times, now_ns);
}
