/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * How many TLS handshakes each network (http/network.h) may still cause. One takes milliseconds of
 * the only thread: a signature and a key exchange. A connection takes from the budget, and gives
 * back when a request of it was answered. So who is served is never short of it.
 *
 * There is a place for BUDGET_NETWORKS of them. A new one takes the place of the one that was quiet
 * for longest.
 */
#ifndef BRAMBLE_BUDGET_H
#define BRAMBLE_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

#include "http/bucket.h"
#include "http/network.h"

#define BUDGET_NETWORKS	  64
#define BUDGET_BURST	  100
#define BUDGET_PER_SECOND 20

struct budget_network {
	unsigned char network[NETWORK_SIZE];
	struct bucket left; /* filled_ns is 0: the place is free */
};

/* All zero at first. */
struct budget {
	struct budget_network list[BUDGET_NETWORKS];
};

/* One connection more. Returns whether there is something left for it. now_ns is not 0. */
bool budget_take(struct budget *budget, const unsigned char network[NETWORK_SIZE], uint64_t now_ns);

/* One of them was answered. */
void budget_give_back(struct budget *budget, const unsigned char network[NETWORK_SIZE]);

#endif
