/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The targets of connections (probe/tcp_targets.h): the peers that a container asks, and its ports
 * at which it is asked. This names them, and keeps what each one had counted when it was read last,
 * so that its growth can be added to its owner's ledger.
 *
 * An owner has TCP_SLOT_PEERS and TCP_SLOT_PORTS by name at most. Further ones are counted for
 * peer_other and port_other. The series of a peer end when the peer has no place among the targets
 * any more, and what no reader has seen of it goes to peer_other. Those of a port last as long as
 * their owner. But if it has as many as it may have, or all owners together have more than there
 * are places, they end as those of a peer.
 *
 * One thread calls all of this.
 */
#ifndef BRAMBLE_METRICS_TARGETS_H
#define BRAMBLE_METRICS_TARGETS_H

#include <stdbool.h>
#include <stdint.h>

#include "kube/names.h"
#include "metrics/owners.h"
#include "metrics/peer.h"
#include "probe/tcp_targets.h"

struct known_peer;

struct targets {
	struct kube_names *names; /* of the pods; NULL: no peer is named */
	struct peer *peers;
	struct known_peer *known_peers;	     /* by place, as they were read last */
	struct tcp_port_counts *port_before; /* the same */
	uint64_t round;			     /* of readings, from 1 on */
	bool too_many_ports;		     /* in the last round, of all owners */
	uint64_t stepped_back;
};

/* Returns 0 or -ENOMEM. targets_close() frees them in either case. */
int targets_open(struct targets *targets);
void targets_close(struct targets *targets);

/* Begins a round of readings. */
void targets_begin(struct targets *targets);

/*
 * Adds what a target has grown by to its owner's ledger; NULL: the owner is not known yet. *added
 * says whether anything was. Returns false if it must be read again: without memory, or an owner.
 */
bool targets_add(struct targets *targets, struct owner *owner, const struct probe_target *target,
		 bool *added);

/* Ends the round: ends the series of peers that no target had in it. */
void targets_end(struct targets *targets, struct owners *owners);

/* What has no place among the targets is in the cell of its slot. Returns false without memory. */
bool targets_add_others(struct targets *targets, struct owner *owner, const struct tcp_cell *now,
			const struct tcp_cell *before);

#endif
