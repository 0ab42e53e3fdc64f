/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "metrics/peer.h"

#include "metrics/families.h"

const struct peer peer_other = {.labels.ip = "other"};
const char port_none[] = "", port_other[] = "other";

const char *peer_label(const struct peer *peer, size_t i)
{
	const struct peer_labels *labels = &peer->labels;
	const char *const values[ACCOUNT_LABELS_MAX] = {labels->name_space, labels->pod, labels->ip,
							labels->port};

	return values[i];
}
