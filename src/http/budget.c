/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "http/budget.h"

#include <stddef.h>
#include <string.h>

#include "util/clock.h"

static struct budget_network *find(struct budget *budget, const unsigned char network[NETWORK_SIZE])
{
	size_t i;

	for (i = 0; i < BUDGET_NETWORKS; i++)
		if (budget->list[i].left.filled_ns &&
		    memcmp(budget->list[i].network, network, NETWORK_SIZE) == 0)
			return &budget->list[i];
	return NULL;
}

static struct budget_network *
replace_quietest(struct budget *budget, const unsigned char network[NETWORK_SIZE], uint64_t now_ns)
{
	struct budget_network *quietest = &budget->list[0];
	size_t i;

	for (i = 1; i < BUDGET_NETWORKS; i++)
		if (budget->list[i].left.filled_ns < quietest->left.filled_ns)
			quietest = &budget->list[i];
	memcpy(quietest->network, network, NETWORK_SIZE);
	quietest->left = (struct bucket){BUDGET_BURST, now_ns};
	return quietest;
}

bool budget_take(struct budget *budget, const unsigned char network[NETWORK_SIZE], uint64_t now_ns)
{
	struct budget_network *of =
		find(budget, network) ?: replace_quietest(budget, network, now_ns);

	return bucket_take(&of->left, NS_PER_S / BUDGET_PER_SECOND, BUDGET_BURST, now_ns);
}

void budget_give_back(struct budget *budget, const unsigned char network[NETWORK_SIZE])
{
	struct budget_network *of = find(budget, network);

	if (of && of->left.tokens < BUDGET_BURST)
		of->left.tokens++;
}
