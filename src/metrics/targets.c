/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "metrics/targets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bramble/growth.h"
#include "metrics/unread.h"

struct known_peer {
	struct tcp_peer_counts before;
	struct peer *peer; /* NULL: not known yet */
	uint64_t named;	   /* kube_names_addresses_changed() when it was named */
};

int targets_open(struct targets *targets)
{
	*targets = (struct targets){
		/* Only what is used takes memory. */
		.known_peers = calloc(TCP_PEERS, sizeof(*targets->known_peers)),
		.port_before = calloc(TCP_PORTS, sizeof(*targets->port_before)),
	};
	return targets->known_peers && targets->port_before ? 0 : -ENOMEM;
}

/* The analyzer does not see that an element is off uthash's list before it is freed. */
/* NOLINTBEGIN(clang-analyzer-unix.Malloc) */
static void forget_peers(struct targets *targets, uint64_t marked)
{
	struct peer *peer, *next;

	HASH_ITER(hh, targets->peers, peer, next) {
		if (peer->mark == marked)
			continue;
		HASH_DEL(targets->peers, peer);
		free(peer);
	}
}
/* NOLINTEND(clang-analyzer-unix.Malloc) */

void targets_close(struct targets *targets)
{
	forget_peers(targets, UINT64_MAX);
	free(targets->known_peers);
	free(targets->port_before);
}

void targets_begin(struct targets *targets)
{
	targets->round++;
}

/* ---- labels */

/* The text of a port. It is never freed: there are so many, and the system keeps unused pages. */
static const char *port_text(uint16_t port)
{
	static char texts[1 << 16][6];

	if (!texts[port][0])
		snprintf(texts[port], sizeof(texts[port]), "%u", port);
	return texts[port];
}

static void write_address(const struct tcp_target *target, char ip[INET6_ADDRSTRLEN])
{
	struct in6_addr address;

	memcpy(&address, target->address, sizeof(address));
	if (IN6_IS_ADDR_V4MAPPED(&address))
		inet_ntop(AF_INET, &target->address[3], ip, INET6_ADDRSTRLEN);
	else
		inet_ntop(AF_INET6, &address, ip, INET6_ADDRSTRLEN);
}

static void write_labels(const struct targets *targets, const struct tcp_target *target,
			 struct peer_labels *labels)
{
	const struct kube_pod *pod =
		targets->names ? kube_names_pod_at(targets->names, target->address) : NULL;

	memset(labels, 0, sizeof(*labels));
	write_address(target, labels->ip);
	memcpy(labels->port, port_text(target->port), sizeof(labels->port));
	if (!pod)
		return;
	memcpy(labels->name_space, pod->namespace, strlen(pod->namespace));
	memcpy(labels->pod, pod->name, strlen(pod->name));
}

/* The one struct of a target's labels. NULL without memory. */
static struct peer *find_peer(struct targets *targets, const struct tcp_target *target)
{
	struct peer_labels labels;
	struct peer *peer;

	write_labels(targets, target, &labels);
	HASH_FIND(hh, targets->peers, &labels, sizeof(labels), peer);
	if (peer)
		return peer;
	peer = calloc(1, sizeof(*peer));
	if (!peer)
		return NULL;
	peer->labels = labels;
	if (HASH_TRY_ADD(hh, targets->peers, &peer->labels, sizeof(peer->labels), peer))
		return peer;
	free(peer);
	return NULL;
}

/* The peer of a place. It is named again only if pods have come or gone. */
static struct peer *get_peer(struct targets *targets, const struct probe_target *target)
{
	struct known_peer *known = &targets->known_peers[target->place];
	uint64_t changed = targets->names ? kube_names_addresses_changed(targets->names) : 0;

	if (!known->peer || known->named != changed)
		known->peer = find_peer(targets, &target->target);
	known->named = changed;
	if (known->peer)
		known->peer->mark = targets->round;
	return known->peer;
}

/* ---- accounts */

/* The accounts that targets of a kind have in a ledger. */
static const struct accounts_of {
	enum family_source source;
	const void *other;
	size_t max;
} accounts_of[TCP_TARGET_KINDS] = {
	[TCP_PEER] = {SOURCE_PEERS, &peer_other, TCP_SLOT_PEERS},
	[TCP_PORT] = {SOURCE_PORTS, port_other, TCP_SLOT_PORTS},
};

static bool has_account(const struct owner *owner, enum family_source source, const void *label)
{
	return ledger_find(&owner->ledger, source, LEDGER_LABELS(label)) != NULL;
}

/* How many accounts of a kind an owner has by name. */
static size_t named_count(const struct owner *owner, const struct accounts_of *of)
{
	size_t count = owner->ledger.of[of->source].count;

	count -= has_account(owner, of->source, of->other);
	count -= of->source == SOURCE_PORTS && has_account(owner, SOURCE_PORTS, port_none);
	return count;
}

/* Whether that is as many as it may have. */
static bool is_full(const struct owner *owner, const struct accounts_of *of)
{
	return named_count(owner, of) >= of->max;
}

static bool add(struct targets *targets, struct owner *owner, enum family_source source,
		const void *label, const void *now, const void *before)
{
	int lower = owner_add(owner, source, LEDGER_LABELS(label), now, before);

	if (lower > 0)
		targets->stepped_back += (unsigned int)lower;
	return lower >= 0;
}

/* Adds under a label, or under that of many if there are too many. */
static bool add_as(struct targets *targets, struct owner *owner, enum tcp_target_kind kind,
		   const void *label, const void *now, const void *before)
{
	const struct accounts_of *of = &accounts_of[kind];

	if (!has_account(owner, of->source, label) && is_full(owner, of))
		label = of->other;
	return add(targets, owner, of->source, label, now, before);
}

/* ---- counts */

static bool has_grown(const void *now, const void *before, size_t size)
{
	return memcmp(now, before, size) != 0;
}

static bool add_peer(struct targets *targets, struct owner *owner,
		     const struct probe_target *target, bool *added)
{
	struct tcp_peer_counts *before = &targets->known_peers[target->place].before;
	struct tcp_peer_counts now = *target->peer;
	struct peer *peer = get_peer(targets, target);

	if (!peer || !owner)
		return false;
	*added = has_grown(&now, before, sizeof(now));
	if (*added && !add_as(targets, owner, TCP_PEER, peer, &now, before))
		return false;
	*before = now;
	ledger_mark(&owner->ledger, SOURCE_PEERS, peer, targets->round);
	return true;
}

static struct port_reading server_reading(uint64_t accepted, const struct hist *response)
{
	struct port_reading reading = {.accepted = accepted};

	reading.response[TCP_SERVER] = *response;
	return reading;
}

static bool add_port(struct targets *targets, struct owner *owner,
		     const struct probe_target *target, bool *added)
{
	struct tcp_port_counts *before = &targets->port_before[target->place];
	struct tcp_port_counts counts = *target->port;
	const char *port = port_text(target->target.port);
	struct port_reading now, last;

	if (!owner)
		return false;
	*added = has_grown(&counts, before, sizeof(counts));
	if (*added) {
		now = server_reading(counts.accepted, &counts.response);
		last = server_reading(before->accepted, &before->response);
		if (!add_as(targets, owner, TCP_PORT, port, &now, &last))
			return false;
		*before = counts;
	}
	ledger_mark(&owner->ledger, SOURCE_PORTS, port, targets->round);
	return true;
}

static void forget_known(struct targets *targets, const struct probe_target *target)
{
	if (target->kind == TCP_PEER)
		targets->known_peers[target->place] = (struct known_peer){0};
	else
		targets->port_before[target->place] = (struct tcp_port_counts){0};
}

bool targets_add(struct targets *targets, struct owner *owner, const struct probe_target *target,
		 bool *added)
{
	bool done;

	*added = false;
	if (target->target.slot == SOCKET_NOBODY) {
		/* All that it has counted was added before. */
		forget_known(targets, target);
		return true;
	}
	done = target->kind == TCP_PEER ? add_peer(targets, owner, target, added)
					: add_port(targets, owner, target, added);
	if (done && target->last)
		forget_known(targets, target);
	return done;
}

/* What no reader has seen of a series that ends goes to that of many. */
static void end_series(const struct targets *targets, struct owners *owners, struct owner *owner,
		       const struct accounts_of *of)
{
	owners->lost += ledger_end_unmarked(&owner->ledger, owner->read ? &owner->unread : NULL,
					    of->source, LEDGER_LABELS(of->other), targets->round);
}

void targets_end(struct targets *targets, struct owners *owners)
{
	const struct accounts_of *of_ports = &accounts_of[TCP_PORT];
	size_t ports = 0;
	struct owner *owner;

	for (owner = owners->table; owner; owner = owner->hh.next) {
		end_series(targets, owners, owner, &accounts_of[TCP_PEER]);
		if (targets->too_many_ports || is_full(owner, of_ports))
			end_series(targets, owners, owner, of_ports);
		ports += named_count(owner, of_ports);
	}
	targets->too_many_ports = ports > TCP_PORTS;
	forget_peers(targets, targets->round);
}

/* ---- what has no place */

static struct port_reading other_port(const struct tcp_cell *cell)
{
	return server_reading(cell->accepted, &cell->response[TCP_SERVER]);
}

static struct port_reading no_port(const struct tcp_cell *cell)
{
	struct port_reading reading = {0};

	reading.response[TCP_CLIENT] = cell->response[TCP_CLIENT];
	return reading;
}

/* Makes the accounts first: so nothing is added if there is no memory for one of them. */
static bool make_accounts(struct owner *owner, bool ports, bool peers)
{
	return ledger_get(&owner->ledger, SOURCE_PORTS, LEDGER_LABELS(port_none)) &&
	       (!ports || ledger_get(&owner->ledger, SOURCE_PORTS, LEDGER_LABELS(port_other))) &&
	       (!peers || ledger_get(&owner->ledger, SOURCE_PEERS, LEDGER_LABELS(&peer_other)));
}

bool targets_add_others(struct targets *targets, struct owner *owner, const struct tcp_cell *now,
			const struct tcp_cell *before)
{
	struct port_reading other = other_port(now), other_before = other_port(before);
	struct port_reading none = no_port(now), none_before = no_port(before);
	bool ports = has_grown(&other, &other_before, sizeof(other));
	bool peers = has_grown(&now->other_peers, &before->other_peers, sizeof(now->other_peers));

	if (!make_accounts(owner, ports, peers))
		return false;
	if (ports)
		add(targets, owner, SOURCE_PORTS, port_other, &other, &other_before);
	if (peers)
		add(targets, owner, SOURCE_PEERS, &peer_other, &now->other_peers,
		    &before->other_peers);
	if (has_grown(&none, &none_before, sizeof(none)))
		add(targets, owner, SOURCE_PORTS, port_none, &none, &none_before);
	return true;
}
