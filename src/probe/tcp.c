/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The table of sockets, which the tcp programs write: whose they are, and which are open. */
#include <errno.h>
#include <string.h>

#include "probe/internal.h"

#include "bramble.skel.h"

int probe_map_sockets(struct probe *probe)
{
	if (!probe->enabled[PROBE_TCP])
		return 0;
	probe->sockets = probe_map_array(probe->bpf->maps.tcp_sockets);
	return probe->sockets ? 0 : -ENOMEM;
}

void probe_unmap_sockets(struct probe *probe)
{
	probe_unmap_array(probe->bpf->maps.tcp_sockets, probe->sockets);
	probe->sockets = NULL;
}

/* Each owner has 16 bits, which the programs may set to another one meanwhile: that stays. */
static void free_owner(__u16 *owner, __u16 slot)
{
	__atomic_compare_exchange_n(owner, &slot, SOCKET_NOBODY, false, __ATOMIC_RELAXED,
				    __ATOMIC_RELAXED);
}

void probe_free_sockets(struct probe *probe, unsigned int slot)
{
	unsigned int i, way;

	for (i = 0; probe->sockets && i < SOCKET_SETS; i++)
		for (way = 0; way < SOCKET_WAYS; way++)
			free_owner(&probe->sockets[i].owner[way], (__u16)slot);
	if (probe->connections)
		probe->connections[slot] = 0;
}

static void count_set(struct probe *probe, const volatile struct socket_set *set)
{
	unsigned int way;

	for (way = 0; way < SOCKET_WAYS; way++) {
		unsigned int owner = set->owner[way];

		if (set->key[way] && set->state[way] & SOCKET_ESTABLISHED && owner < probe->slots)
			probe->connections[owner]++;
	}
}

int probe_count_connections(struct probe *probe)
{
	unsigned int i;
	int err = probe_map_sockets(probe);

	if (err || !probe->sockets)
		return err;
	memset(probe->connections, 0, probe->slots * sizeof(*probe->connections));
	for (i = 0; i < SOCKET_SETS; i++)
		count_set(probe, &probe->sockets[i]);
	probe_unmap_sockets(probe);
	return 0;
}
