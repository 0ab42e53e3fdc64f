/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "metrics/retire.h"

#include "bramble/growth.h"
#include "metrics/unread.h"
#include "util/clock.h"

/*
 * The last switch of a task comes some milliseconds after the end of its cgroup, on a busy machine
 * more. Until then it is not known whether anything is counted for the cgroup.
 */
#define GRACE_NS	(NS_PER_S / 2)

/* About what a cgroup and an owner take, for struct trim. */
#define MEMBER_BYTES	1024
#define OWNER_BYTES	3072

/*
 * From so many sixteenths of a bound on, what is kept goes sooner, until it is as many again.
 * Strangers can fill twelve of them in the registry with cgroups that stay (members.h). That must
 * not drive out what pods have counted.
 */
#define CROWDED_MEMBERS 14
#define CROWDED_OWNERS	12

static bool is_crowded(size_t count, size_t max, unsigned int sixteenths)
{
	return max && count > max / 16 * sixteenths;
}

static bool are_members_crowded(const struct members *members)
{
	return is_crowded(members_count(members), members->max, CROWDED_MEMBERS);
}

static void forget(struct retire *retire, struct member *member)
{
	bool with_owner = member->owner && member->owner->cgroups == 1;

	naming_forget(retire->naming, member);
	usage_forget(retire->usage, member);
	members_remove(retire->members, member);
	trim_note(&retire->trim, MEMBER_BYTES + (with_owner ? OWNER_BYTES : 0));
}

/* Whether other cgroups keep its owner, and tell of it. */
static bool has_others(const struct member *member)
{
	return member->owner->members != member || member->owner_next || member->owner->cgroups > 1;
}

/* It may have got one, or another one, after its end. The next update knows that one. */
static bool has_slot(const struct retire *retire, const struct member *member)
{
	return member->slot || retire->has_slot(retire->context, member->cgroup.id);
}

/* Whether nothing is lost if it is forgotten: nothing was counted, or others have it. */
static bool is_empty(const struct retire *retire, const struct member *member)
{
	if (has_slot(retire, member))
		return false;
	return !member->owner || has_others(member) || ledger_is_empty(&member->owner->ledger);
}

void retire_removed(struct retire *retire, uint64_t now_ns)
{
	struct members *members = retire->members;
	struct member *member;

	while ((member = members->removed)) {
		if (grown(now_ns, member->cgroup.removed_ns) < GRACE_NS &&
		    !are_members_crowded(members))
			return;
		if (is_empty(retire, member))
			forget(retire, member);
		else
			members_keep(members, member);
	}
}

uint64_t retire_due_ns(const struct retire *retire)
{
	const struct member *first = retire->members->removed;

	return first ? first->cgroup.removed_ns + GRACE_NS : UINT64_MAX;
}

/*
 * Whether a reader has seen all that a removed cgroup counted. What is summed stays in the sum, and
 * what is hidden is not to be seen.
 */
static bool was_read(const struct retire *retire, const struct member *member)
{
	const struct owner *owner = member->owner;

	if (retire->owners->read_ns <= member->cgroup.removed_ns)
		return false;
	return !owner || owner->summed || owner->hidden || owner_was_read(owner);
}

/* Whether a cgroup was removed long enough ago to be forgotten. */
static bool is_over(const struct retire *retire, const struct member *member, uint64_t now_ns)
{
	uint64_t gone_ns = grown(now_ns, member->cgroup.removed_ns);

	if (member->slot)
		return false;
	if (!member->owner || has_others(member))
		return true;
	return gone_ns > retire->retain_ns &&
	       (was_read(retire, member) || gone_ns > RETAIN_UNREAD * retire->retain_ns);
}

static bool are_all_too_many(const struct retire *retire)
{
	return are_members_crowded(retire->members) ||
	       is_crowded(HASH_COUNT(retire->owners->table), retire->owners->max, CROWDED_OWNERS);
}

/* Whether there are too many that are of no pod. */
static bool are_outsiders_too_many(const struct retire *retire)
{
	return is_crowded(retire->owners->outsiders, retire->owners->max / 2, CROWDED_OWNERS);
}

/* Whether a cgroup has to go because there are too many. unread: also if nobody has read it. */
static bool is_to_go(const struct retire *retire, const struct member *member, bool unread)
{
	if (member->slot || (!unread && !was_read(retire, member)))
		return false;
	return are_all_too_many(retire) || !member->cgroup.name.pod_uid[0];
}

/* Forgets the oldest, while there are too many. */
static void make_room(struct retire *retire, bool unread)
{
	struct member *member, *next;

	for (member = retire->members->kept;
	     member && (are_all_too_many(retire) || are_outsiders_too_many(retire));
	     member = next) {
		next = member->end_next;
		if (!is_to_go(retire, member, unread) || has_slot(retire, member))
			continue;
		if (member->owner && !was_read(retire, member) && !has_others(member)) {
			owners_keep_counts(retire->owners, member->owner);
			retire->unread++;
		}
		forget(retire, member);
	}
}

void retire_kept(struct retire *retire, uint64_t now_ns)
{
	struct member *member, *next;

	for (member = retire->members->kept; member; member = next) {
		next = member->end_next;
		if (is_over(retire, member, now_ns) && !has_slot(retire, member))
			forget(retire, member);
	}
	make_room(retire, false);
	make_room(retire, true);
}
