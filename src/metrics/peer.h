/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The labels of accounts by peer and by port: ledger.h. */
#ifndef BRAMBLE_METRICS_PEER_H
#define BRAMBLE_METRICS_PEER_H

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>

#include "kube/name.h"
#include "util/hash.h"

/* A text may be empty. */
struct peer_labels {
	char name_space[KUBE_LABEL_MAX + 1]; /* of a pod of this node */
	char pod[KUBE_SUBDOMAIN_MAX + 1];
	char port[6];
	char ip[INET6_ADDRSTRLEN];
};

/* Whom a client asks. There is one struct for equal labels: targets.h keeps them. */
struct peer {
	struct peer_labels labels;
	uint64_t mark; /* of the last round in which a target had it */
	UT_hash_handle hh;
};

/* All peers that are not kept apart. */
extern const struct peer peer_other;

/* The same for ports; and what is at no port. */
extern const char port_none[], port_other[];

/* The value of the label number i of family_account_labels(). */
const char *peer_label(const struct peer *peer, size_t i);

#endif
