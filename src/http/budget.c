/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "http/budget.h"

#include <stddef.h>
#include <string.h>

#include "util/clock.h"

static struct budget_network *find(struct budget *budget, const unsigned char network[NETWORK_SIZE])
{
	size_t i;

	for (i = 0; i < BUDGET_NETWORKS; i++)
		if (budget->list[i].filled_ns &&
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
		if (budget->list[i].filled_ns < quietest->filled_ns)
			quietest = &budget->list[i];
	memcpy(quietest->network, network, NETWORK_SIZE);
	quietest->left = BUDGET_BURST;
	quietest->filled_ns = now_ns;
	return quietest;
}

bool budget_take(struct budget *budget, const unsigned char network[NETWORK_SIZE], uint64_t now_ns)
{
	struct budget_network *of =
		find(budget, network) ?: replace_quietest(budget, network, now_ns);

	of->left += BUDGET_PER_SECOND * (double)(now_ns - of->filled_ns) / (double)NS_PER_S;
	of->filled_ns = now_ns;
	if (of->left > BUDGET_BURST)
		of->left = BUDGET_BURST;
	if (of->left < 1)
		return false;
	of->left--;
	return true;
}

void budget_give_back(struct budget *budget, const unsigned char network[NETWORK_SIZE])
{
	struct budget_network *of = find(budget, network);

	if (of && of->left < BUDGET_BURST)
		of->left++;
}
