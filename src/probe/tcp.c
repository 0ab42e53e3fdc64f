/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The tcp probe. Its programs write a table of the sockets: whose they are, and which are open. The
 * table is mapped only while it is needed, because mapped memory counts as resident.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "probe/descriptor.h"
#include "probe/internal.h"
#include "probe/maps.h"
#include "probe/roots.h"
#include "probe/tcp_targets.h"
#include "util/array.h"
#include "util/clock.h"

#include "bramble.skel.h"

struct tcp_probe {
	struct tcp_cpu *cpus;
	struct socket_set *sockets; /* NULL: not mapped now */
	/* By slot, as they were counted last. */
	struct socket_count {
		uint32_t open;
		uint32_t owned; /* these, and those that listen, connect or end */
	} * count;
	struct tcp_targets *targets;
};

enum need {
	NEED_RECORDS = 1 << 0, /* a socket's target comes from the record of a tracepoint */
};

#define STATE  "sock/inet_sock_set_state"
#define REMEDY "use a kernel with CONFIG_INET and CONFIG_TRACEPOINTS"

/* The one that keeps records goes first: see take_record() in bpf/tcp.bpf.c. */
static const struct program_row programs[] = {
	{"tcp_destroy", .event = "tcp/tcp_destroy_sock",
	 .purpose = "forgetting sockets that are gone", .remedy = REMEDY},
	{"tcp_set_state_record", .event = STATE, .needs = NEED_RECORDS, .purpose = "connections",
	 .remedy = REMEDY},
	{"tcp_set_state", .event = STATE},
	{"tcp_retransmit", .event = "tcp/tcp_retransmit_skb", .purpose = "retransmits",
	 .remedy = REMEDY},
	{"tcp_retransmit_synack", .event = "tcp/tcp_retransmit_synack",
	 .purpose = "retransmits of the answer to a connect", .remedy = REMEDY},
	{"tcp_reset_sent", .event = "tcp/tcp_send_reset", .purpose = "resets sent",
	 .remedy = REMEDY},
	{"tcp_reset_received", .event = "tcp/tcp_receive_reset", .purpose = "resets received",
	 .remedy = REMEDY},
	{"tcp_data_ready", .event = "sock/sk_data_ready", .optional = true,
	 .purpose = "times of answers; owners of accepted connections without BTF",
	 .remedy = "use kernel 6.2 or later"},
	{"tcp_sock_recv", .event = "sock/sock_recv_length", .optional = true,
	 .purpose = "bytes received", .remedy = "use kernel 6.3 or later"},
	{"tcp_sock_send", .event = "sock/sock_send_length", .optional = true,
	 .purpose = "times of answers, bytes sent; sockets older than the probe",
	 .remedy = "use kernel 6.3 or later"},
};

/* The records that the programs read. */
static const struct tracefs_record records[] = {
	{"tcp/tcp_retransmit_skb", "trace_event_raw_tcp_retransmit_skb"},
	{STATE, "trace_event_raw_inet_sock_set_state"},
};

/* Their families are of the sources SOURCE_PORTS and SOURCE_PEERS: metrics/targets.h. */
static const struct cell_private privates[] = {
	{"accepted", "connections accepted at the port \"other\"", true},
	{"response", "exchanges of clients, and of servers at the port \"other\"", true},
	{"other_peers", "what was waited for the peer \"other\"", false},
};

static const char *const losses[TCP_LOST_REASONS] = {
	[TCP_LOST_NO_PLACE] = "no_place",     [TCP_LOST_NO_OWNER] = "no_owner",
	[TCP_LOST_CLOCK] = "clock",	      [TCP_LOST_LONG_SEND] = "long_send",
	[TCP_LOST_OVERTAKEN] = "overtaken",   [TCP_LOST_STREAM] = "stream",
	[TCP_LOST_UNANSWERED] = "unanswered", [TCP_LOST_UNPAIRED] = "unpaired",
	[TCP_LOST_PEERS_FULL] = "peers_full", [TCP_LOST_PORTS_FULL] = "ports_full",
};

static struct tcp_probe *state_of(const struct probe *probe)
{
	return probe->state[PROBE_TCP];
}

static unsigned int holds(struct probe *probe, const struct probe_options *options)
{
	(void)options;
	return probe->btf ? 0 : NEED_RECORDS;
}

static int size(struct probe *probe)
{
	int err = bpf_map__set_max_entries(probe->bpf->maps.tcp_cpus, probe->cpus);

	err = err ?: tcp_targets_size(probe);
	return err ?: bpf_map__set_max_entries(probe->bpf->maps.tcp_sockets, SOCKET_SETS);
}

static int open_state(struct probe *probe)
{
	struct tcp_probe *state = state_of(probe);
	int err = tcp_targets_open(probe, &state->targets);

	state->cpus = probe_map_array(probe->bpf->maps.tcp_cpus);
	state->count = calloc(probe->slots, sizeof(*state->count));
	return err ?: state->cpus && state->count ? 0 : -ENOMEM;
}

static void close_state(struct probe *probe)
{
	struct tcp_probe *state = state_of(probe);

	probe_unmap_array(probe->bpf->maps.tcp_cpus, state->cpus);
	tcp_targets_close(state->targets);
	free(state->count);
}

static uint64_t lost(const struct probe *probe, size_t loss)
{
	return probe->bpf->bss->tcp_lost[loss];
}

static uint64_t events(const struct probe *probe)
{
	uint64_t sum = 0;
	unsigned int cpu, i;

	for (cpu = 0; cpu < probe->cpus; cpu++)
		for (i = 0; i < TCP_EVENTS; i++)
			sum += state_of(probe)->cpus[cpu].events[i];
	return sum;
}

static const char *attribution(const struct probe *probe)
{
	return probe->btf ? "socket_user" : "socket_user_without_btf";
}

static int map_sockets(struct probe *probe)
{
	struct tcp_probe *state = state_of(probe);

	state->sockets = probe_map_array(probe->bpf->maps.tcp_sockets);
	return state->sockets ? 0 : -ENOMEM;
}

static void unmap_sockets(struct probe *probe)
{
	struct tcp_probe *state = state_of(probe);

	probe_unmap_array(probe->bpf->maps.tcp_sockets, state->sockets);
	state->sockets = NULL;
}

/* Each owner has 16 bits. If the programs set another owner meanwhile, that one stays. */
static void free_owner(const struct probe *probe, __u16 *owner)
{
	__u16 slot = *(volatile __u16 *)owner;

	if (probe_is_closed(probe, slot))
		__atomic_compare_exchange_n(owner, &slot, SOCKET_NOBODY, false, __ATOMIC_RELAXED,
					    __ATOMIC_RELAXED);
}

/* The remaining sockets of closed slots have no owner until somebody uses them. */
static void free_sockets(struct probe *probe)
{
	struct tcp_probe *state = state_of(probe);
	unsigned int i, way;

	for (i = 0; i < SOCKET_SETS; i++)
		for (way = 0; way < SOCKET_WAYS; way++)
			free_owner(probe, &state->sockets[i].owner[way]);
	for (i = 0; i < probe->slots; i++)
		if (probe_is_closed(probe, i))
			state->count[i] = (struct socket_count){0};
	unmap_sockets(probe);
}

/*
 * Once more, before the slots belong to others. While they were closed, a program that had looked
 * one up before may have made it the owner of a socket.
 */
static int free_slots(struct probe *probe)
{
	int err = map_sockets(probe);

	if (err)
		return err;
	free_sockets(probe);
	return tcp_targets_free_slots(probe, state_of(probe)->targets, clock_monotonic_ns());
}

static void count_set(const struct probe *probe, const volatile struct socket_set *set,
		      struct socket_count *count)
{
	struct socket_counts *all = &probe->bpf->bss->tcp_counts;
	unsigned int way;

	for (way = 0; way < SOCKET_WAYS; way++) {
		unsigned int owner = set->owner[way];

		if (!set->key[way])
			continue;
		__atomic_add_fetch(&all->all, 1, __ATOMIC_RELAXED);
		if (owner >= probe->slots)
			continue;
		__atomic_add_fetch(&all->of_group[pair_group(probe_slot_group(probe, owner))], 1,
				   __ATOMIC_RELAXED);
		count[owner].owned++;
		count[owner].open += (set->state[way] & SOCKET_ESTABLISHED) != 0;
	}
}

/*
 * Counts the places in use, for the quotas of pods and units, and the open connections. A socket
 * that is added or forgotten meanwhile may be counted wrongly in the former, until the next time.
 *
 * Open connections are counted in the table of known sockets, and not as they come and go. So a
 * missed event does not make the number wrong for ever. Without memory the last count stays.
 */
static int count_connections(struct probe *probe)
{
	struct tcp_probe *state = state_of(probe);
	int err = map_sockets(probe);
	unsigned int i;

	if (err)
		return err;
	err = tcp_targets_begin(probe, state->targets);
	if (err) {
		unmap_sockets(probe);
		return err;
	}
	memset(state->count, 0, probe->slots * sizeof(*state->count));
	memset(&probe->bpf->bss->tcp_counts, 0, sizeof(probe->bpf->bss->tcp_counts));
	for (i = 0; i < SOCKET_SETS; i++) {
		count_set(probe, &state->sockets[i], state->count);
		tcp_targets_note(state->targets, i, &state->sockets[i]);
	}
	unmap_sockets(probe);
	return tcp_targets_end(probe, state->targets, clock_monotonic_ns());
}

struct tcp_targets *tcp_targets_of(const struct probe *probe)
{
	return state_of(probe)->targets;
}

int probe_read_targets(struct probe *probe, probe_target_fn each, void *context)
{
	if (!probe->enabled[PROBE_TCP])
		return 0;
	return tcp_targets_read(probe, state_of(probe)->targets, each, context);
}

static void read_open(const struct probe *probe, unsigned int slot, union probe_cell *cell)
{
	cell->tcp.open = state_of(probe)->count[slot].open;
}

static bool holds_slot(const struct probe *probe, unsigned int slot)
{
	return state_of(probe)->count[slot].owned > 0;
}

const struct probe_descriptor probe_tcp = {
	.flag_help = "Measure connections, answers and round trips of TCP.",
	.flag_rank = 2,
	.programs = programs,
	.program_count = ARRAY_SIZE(programs),
	.cells = {PROBE_CELLS(tcp_cell), .privates = privates,
		  .private_count = ARRAY_SIZE(privates)},
	.maps = {"tcp_sockets", "tcp_socket_targets", "tcp_slot_targets", "tcp_targets",
		 "tcp_peer_cells", "tcp_port_cells", "tcp_peers_free", "tcp_ports_free"},
	.records = records,
	.record_count = ARRAY_SIZE(records),
	.losses = losses,
	.loss_count = ARRAY_SIZE(losses),
	.lost = lost,
	.events = events,
	.attribution = attribution,
	.state_size = sizeof(struct tcp_probe),
	.holds = holds,
	.size = size,
	.open = open_state,
	.update = count_connections,
	.read = read_open,
	.begin_close = map_sockets,
	.end_close = free_sockets,
	.holds_slot = holds_slot,
	.free_slots = free_slots,
	.close = close_state,
};
