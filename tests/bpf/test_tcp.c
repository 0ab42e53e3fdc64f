/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The tcp programs, on made-up sockets. What real sockets do is in
 * tests/integration/80-tcp-rules.sh.
 */
#include <netinet/in.h>

#include "bramble/sockets.h"
#include "test_run.h"

#include "made_socks.h"
#include "probe/descriptors.h"
#include "probe/internal.h"
#include "util/array.h"

#define LISTENER    made_sock(0)
#define A	    made_sock(1)
#define B	    made_sock(2)

/* Only keys, with addresses like the kernel's: objects of a slab, 2304 bytes each. */
#define KEY(n)	    (0xffff888012340000ULL + (uint64_t)(n)*2304)

#define CAPACITY    (SOCKET_SETS * SOCKET_WAYS)

/* include/net/tcp_states.h */
#define ESTABLISHED 1
#define SYN_SENT    2
#define SYN_RECV    3
#define FIN_WAIT1   4
#define CLOSE	    7
#define CLOSE_WAIT  8
#define LISTEN	    10

static struct tcp_cell *cells;
static struct socket_set *sets;
static uint64_t *slot_groups;

/* The kernel runs the tracepoint before it changes the state. */
static void set_state(uint64_t key, int before, int after)
{
	const uint8_t state = (uint8_t)after;

	run(bpf->progs.tcp_set_state, key, (uint64_t)before, (uint64_t)after);
	made_put(key, made_at.state, &state, sizeof(state));
}

static void destroy(uint64_t key)
{
	run(bpf->progs.tcp_destroy, key);
}

static void send_bytes(uint64_t key, int ret)
{
	run(bpf->progs.tcp_sock_send, key, (uint64_t)ret);
}

static void receive(uint64_t key, int ret, int flags)
{
	run(bpf->progs.tcp_sock_recv, key, (uint64_t)ret, (uint64_t)flags);
}

static void data_ready(uint64_t key)
{
	run(bpf->progs.tcp_data_ready, key);
}

static int choose_and_size(void)
{
	struct bpf_program *const programs[] = {
		bpf->progs.tcp_set_state,  bpf->progs.tcp_destroy,	  bpf->progs.tcp_data_ready,
		bpf->progs.tcp_sock_send,  bpf->progs.tcp_sock_recv,	  bpf->progs.tcp_retransmit,
		bpf->progs.tcp_reset_sent, bpf->progs.tcp_reset_received,
	};
	unsigned int cpus = (unsigned int)libbpf_num_possible_cpus();
	size_t i;
	int err;

	err = bpf_map__set_max_entries(bpf->maps.tcp_cells, slots);
	err = err ?: bpf_map__set_max_entries(bpf->maps.tcp_cpus, cpus);
	err = err ?: bpf_map__set_max_entries(bpf->maps.tcp_sockets, SOCKET_SETS);
	err = err ?: bpf_map__set_max_entries(bpf->maps.tcp_socket_targets, SOCKET_SETS);
	err = err ?: bpf_map__set_max_entries(bpf->maps.tcp_slot_targets, slots);
	for (i = 0; i < ARRAY_SIZE(programs); i++)
		bpf_program__set_autoload(programs[i], true);
	return err;
}

static int open_object(void)
{
	int err = made_load(choose_and_size);

	if (err)
		return err;
	cells = map_array(bpf->maps.tcp_cells);
	sets = map_array(bpf->maps.tcp_sockets);
	slot_groups = map_array(bpf->maps.slot_groups);
	return cells && sets && slot_groups ? 0 : -ENOMEM;
}

static struct bpf_program *harmless_program(void)
{
	return bpf->progs.tcp_destroy;
}

/* What was counted for a cgroup. */
static struct tcp_cell *cell_of(uint64_t id)
{
	unsigned int slot = slot_of(id);

	assert_int_not_equal(slot, SLOT_OVERFLOW);
	return &cells[slot];
}

static uint64_t lost(enum tcp_lost reason)
{
	return bpf->bss->tcp_lost[reason];
}

/* The probe's user space, which counts and tidies the table of sockets. */
static const struct probe_descriptor *open_user_space(struct probe *probe)
{
	const struct probe_descriptor *tcp = probe_descriptors[PROBE_TCP];

	*probe = (struct probe){.bpf = bpf, .slots = slots, .slot_groups = slot_groups};
	probe->state[PROBE_TCP] = calloc(1, tcp->state_size);
	assert_non_null(probe->state[PROBE_TCP]);
	assert_int_equal(tcp->open(probe), 0);
	return tcp;
}

static void close_user_space(struct probe *probe)
{
	probe_descriptors[PROBE_TCP]->close(probe);
	free(probe->state[PROBE_TCP]);
}

/* The open connections of a cgroup, as user space counts them. */
static uint64_t open_of(uint64_t id)
{
	struct probe probe;
	const struct probe_descriptor *tcp = open_user_space(&probe);
	union probe_cell cell;

	assert_int_equal(tcp->update(&probe), 0);
	tcp->read(&probe, slot_of(id), &cell);
	close_user_space(&probe);
	return cell.tcp.open;
}

/* What giving back a slot does to the sockets. */
static void free_sockets_of(uint64_t id)
{
	struct probe probe;
	const struct probe_descriptor *tcp = open_user_space(&probe);
	unsigned char state[SLOTS] = {[0] = SLOT_STATE_OPEN};

	probe.slot_state = state;
	assert_int_equal(tcp->begin_close(&probe), 0);
	state[slot_of(id)] = SLOT_STATE_CLOSED;
	tcp->end_close(&probe);
	close_user_space(&probe);
}

/* How many sockets are known. */
static unsigned int known(void)
{
	unsigned int i, way, count = 0;

	for (i = 0; i < SOCKET_SETS; i++)
		for (way = 0; way < SOCKET_WAYS; way++)
			count += sets[i].key[way] != 0;
	return count;
}

/* The place of a socket: its set, and which way there. */
static struct socket_set *place_of(uint64_t key, unsigned int *way)
{
	unsigned int i;

	for (i = 0; i < SOCKET_SETS; i++)
		for (*way = 0; *way < SOCKET_WAYS; ++*way)
			if (sets[i].key[*way] == key)
				return &sets[i];
	fail_msg("the socket is not known");
	return NULL;
}

static __u64 *turn_of(uint64_t key)
{
	unsigned int way;
	struct socket_set *set = place_of(key, &way);

	return &set->turn[way];
}

static unsigned int owner_of(uint64_t key)
{
	unsigned int way;
	struct socket_set *set = place_of(key, &way);

	return set->owner[way];
}

/* Fills every free place of the table with something else. */
static void fill_table(void)
{
	unsigned int i, way;

	for (i = 0; i < SOCKET_SETS; i++)
		for (way = 0; way < SOCKET_WAYS; way++)
			if (!sets[i].key[way])
				sets[i].key[way] = 1;
}

static void establish(uint64_t key)
{
	set_state(key, CLOSE, SYN_SENT);
	set_state(key, SYN_SENT, ESTABLISHED);
}

static void close_and_destroy(uint64_t key)
{
	set_state(key, ESTABLISHED, FIN_WAIT1);
	set_state(key, FIN_WAIT1, CLOSE);
	destroy(key);
}

/* With BTF the RTT is the kernel's own. Without BTF it is the time of the handshake. */
static void test_connect(void **state)
{
	const uint32_t srtt_us = 700 << 3;

	(void)state;
	need_kernel();
	made_put(A, made_at.srtt_us, &srtt_us, sizeof(srtt_us));
	establish(A);
	assert_int_equal(count_of(&cell_of(own_id)->connect), 1);
	assert_int_equal(count_of(&cell_of(own_id)->rtt), 1);
	if (with_btf)
		assert_int_equal(cell_of(own_id)->rtt.sum_ns, 700000);
	assert_int_equal(open_of(own_id), 1);
	assert_int_equal(known(), 1);
	set_state(A, ESTABLISHED, CLOSE_WAIT); /* still open at this end */
	assert_int_equal(open_of(own_id), 1);
	close_and_destroy(A);
	assert_int_equal(open_of(own_id), 0);
	assert_int_equal(known(), 0);
}

static void test_connect_failures(void **state)
{
	const __u64 *failures;

	(void)state;
	need_kernel();
	set_state(A, CLOSE, SYN_SENT);
	run(bpf->progs.tcp_reset_received, A);
	set_state(A, SYN_SENT, CLOSE);
	failures = cell_of(own_id)->connect_failures;
	assert_int_equal(failures[TCP_CONNECT_REFUSED], 1);
	set_state(A, CLOSE, SYN_SENT); /* tries again with the same socket */
	run(bpf->progs.tcp_retransmit, A);
	set_state(A, SYN_SENT, CLOSE);
	assert_int_equal(failures[TCP_CONNECT_TIMEOUT], 1);
	set_state(A, CLOSE, SYN_SENT);
	set_state(A, SYN_SENT, CLOSE);
	assert_int_equal(failures[TCP_CONNECT_OTHER], 1);
	destroy(A);
	assert_int_equal(failures[TCP_CONNECT_REFUSED] + failures[TCP_CONNECT_TIMEOUT] +
				 failures[TCP_CONNECT_OTHER],
			 3);
	assert_int_equal(cell_of(own_id)->retransmits, 1);
	assert_int_equal(cell_of(own_id)->resets[TCP_RECEIVED], 1);
	assert_int_equal(count_of(&cell_of(own_id)->connect), 0);
	assert_int_equal(known(), 0);
}

/* An accepted connection first belongs to its listening socket's cgroup, then to its user. */
static void test_owner(void **state)
{
	(void)state;
	need_kernel();
	set_state(LISTENER, CLOSE, LISTEN);
	assert_true(own_join("/b"));
	set_state(A, LISTEN, SYN_RECV);
	set_state(A, SYN_RECV, ESTABLISHED);
	data_ready(LISTENER);
	assert_int_equal(cell_of(own_id)->accepted, 1);
	assert_int_equal(open_of(own_id), 1);
	data_ready(LISTENER); /* once more, for another connection */
	assert_int_equal(cell_of(own_id)->accepted, 1);

	receive(A, 10, 0);
	assert_int_equal(open_of(own_id), 0);
	assert_int_equal(open_of(other_id), 1);
	assert_int_equal(cell_of(other_id)->accepted, 0);
	assert_int_equal(cell_of(other_id)->bytes[TCP_RECEIVED], 10);
	assert_true(own_join("/a"));
	send_bytes(A, 7); /* given back */
	assert_int_equal(open_of(own_id), 1);
	assert_int_equal(open_of(other_id), 0);
	assert_int_equal(cell_of(own_id)->bytes[TCP_SENT], 7);
	close_and_destroy(A);
	assert_int_equal(open_of(own_id), 0);
	assert_int_equal(lost(TCP_LOST_NO_OWNER), 0);
}

static void test_owner_unknown(void **state)
{
	(void)state;
	need_kernel();
	set_state(A, LISTEN, SYN_RECV);
	set_state(A, SYN_RECV, ESTABLISHED);
	set_state(A, ESTABLISHED, CLOSE); /* a reset, before anybody had used it */
	destroy(A);
	assert_int_equal(lost(TCP_LOST_NO_OWNER), 1);
	set_state(B, LISTEN, SYN_RECV);
	set_state(B, SYN_RECV, ESTABLISHED);
	set_state(B, ESTABLISHED, FIN_WAIT1); /* close() */
	destroy(B);
	assert_int_equal(lost(TCP_LOST_NO_OWNER), 1);
	assert_int_equal(cell_of(own_id)->accepted, 1);
	assert_int_equal(open_of(own_id), 0);
}

/* Without BTF, an unknown socket is taken for one of another protocol. */
static void test_others(void **state)
{
	const uint16_t udp = IPPROTO_UDP;

	(void)state;
	need_kernel();
	made_put(A, made_at.protocol, &udp, sizeof(udp));
	send_bytes(A, 10);
	receive(A, 10, 0);
	data_ready(A);
	destroy(A);
	assert_int_equal(known(), 0);
	establish(B);
	send_bytes(B, -11);
	send_bytes(B, 0);
	receive(B, 10, 0x2 /* MSG_PEEK */);
	receive(B, 10, 0x2000 /* MSG_ERRQUEUE */);
	assert_int_equal(cell_of(own_id)->bytes[TCP_SENT], 0);
	assert_int_equal(cell_of(own_id)->bytes[TCP_RECEIVED], 0);
}

/* A socket's end was missed, and its memory belongs to another socket now. */
static void test_reuse(void **state)
{
	(void)state;
	need_kernel();
	establish(A);
	send_bytes(A, 1);
	establish(A);
	assert_int_equal(open_of(own_id), 1);
	data_ready(A); /* no answer to what the first one had sent */
	assert_int_equal(count_of(&cell_of(own_id)->response[TCP_CLIENT]), 0);
	destroy(A); /* its end was missed, too */
	assert_int_equal(open_of(own_id), 0);
}

static void test_clock(void **state)
{
	(void)state;
	need_kernel();
	establish(A);
	send_bytes(A, 1);
	*turn_of(A) += 10000 * MS;
	data_ready(A);
	assert_int_equal(lost(TCP_LOST_CLOCK), 1);
	send_bytes(A, 1);
	*turn_of(A) -= 10 * MS;
	data_ready(A);
	assert_int_equal(count_of(&cell_of(own_id)->response[TCP_CLIENT]), 1);
	assert_true(cell_of(own_id)->response[TCP_CLIENT].sum_ns >= 10 * MS);
}

/* A question of 10 bytes and an answer of 20. */
static void ask(uint64_t key)
{
	send_bytes(key, 10);
	data_ready(key);
	receive(key, 20, 0);
}

/*
 * There are 48 places for 100 connections. For the others, nothing that needs a place is counted.
 * What happens in their user's context is counted, if BTF shows that they are TCP sockets.
 */
static void test_full(void **state)
{
	const struct tcp_cell *cell;
	unsigned int i, counted = with_btf ? 100 : 48;

	(void)state;
	need_kernel();
	for (i = 0; i < 48; i++)
		establish(made_sock(i));
	fill_table();
	for (; i < 100; i++)
		establish(made_sock(i));
	cell = cell_of(own_id);
	assert_int_equal(lost(TCP_LOST_NO_PLACE), 52);
	assert_int_equal(open_of(own_id), 48);
	assert_int_equal(count_of(&cell->connect), 48);
	for (i = 0; i < 100; i++)
		ask(made_sock(i));
	assert_int_equal(open_of(own_id), 48);
	assert_int_equal(cell->bytes[TCP_SENT], counted * 10);
	assert_int_equal(cell->bytes[TCP_RECEIVED], counted * 20);
	assert_int_equal(count_of(&cell->response[TCP_CLIENT]), 48);
	/* These uses found no place either: a send and a receive each. */
	assert_int_equal(lost(TCP_LOST_NO_PLACE), with_btf ? 52 * 3 : 52);
	for (i = 0; i < 100; i++)
		close_and_destroy(made_sock(i));
	assert_int_equal(open_of(own_id), 0);
	assert_int_equal(known(), CAPACITY - 48);
	assert_int_equal(lost(TCP_LOST_NO_OWNER), 0);
}

/* The same for failed connects, for listening sockets, and for connections that these accept. */
static void test_full_for_others(void **state)
{
	(void)state;
	need_kernel();
	fill_table();
	set_state(A, CLOSE, SYN_SENT);
	assert_int_equal(lost(TCP_LOST_NO_PLACE), 0);
	set_state(A, SYN_SENT, CLOSE);
	assert_int_equal(lost(TCP_LOST_NO_PLACE), 1);
	set_state(LISTENER, CLOSE, LISTEN);
	assert_int_equal(lost(TCP_LOST_NO_PLACE), 2);
	set_state(B, LISTEN, SYN_RECV);
	set_state(B, SYN_RECV, ESTABLISHED);
	data_ready(LISTENER);
	assert_int_equal(lost(TCP_LOST_NO_PLACE), 3);
	close_and_destroy(B);
	assert_int_equal(cell_of(own_id)->accepted, 0);
	assert_int_equal(cell_of(own_id)->connect_failures[TCP_CONNECT_OTHER], 0);
	assert_int_equal(lost(TCP_LOST_NO_PLACE), 3);
}

/* A refused connection that is used after a place is free is known from then on. */
static void test_place_later(void **state)
{
	uint16_t ports[] = {htons(80), 40000};

	(void)state;
	need_btf("without BTF a socket is known from its making, or never");
	made_put(A, made_at.dport, &ports[0], sizeof(ports[0]));
	made_put(A, made_at.num, &ports[1], sizeof(ports[1]));
	fill_table();
	establish(A);
	assert_int_equal(open_of(own_id), 0);
	memset(sets, 0, SOCKET_SETS * sizeof(*sets));
	ask(A);
	assert_int_equal(open_of(own_id), 1);
	assert_int_equal(count_of(&cell_of(own_id)->response[TCP_CLIENT]), 1);
	assert_int_equal(lost(TCP_LOST_NO_PLACE), 1);
	close_and_destroy(A);
	assert_int_equal(open_of(own_id), 0);
}

/* Two CPUs took one place for two sockets at once. The socket that is missing counts as lost. */
static void test_place_taken_twice(void **state)
{
	unsigned int way;
	struct socket_set *set;

	(void)state;
	need_kernel();
	set_state(A, CLOSE, SYN_SENT);
	set = place_of(A, &way);
	set->key[way] = 1;
	set_state(A, SYN_SENT, ESTABLISHED);
	assert_int_equal(lost(TCP_LOST_NO_PLACE), 1);
	set_state(B, LISTEN, SYN_RECV);
	set = place_of(B, &way);
	set->key[way] = 1;
	set_state(B, SYN_RECV, ESTABLISHED);
	assert_int_equal(lost(TCP_LOST_NO_PLACE), 2);
}

/* Two threads' first uses added one socket twice. Both places are freed. */
static void test_taken_in_twice(void **state)
{
	unsigned int way, other;
	struct socket_set *set;

	(void)state;
	need_kernel();
	establish(A);
	set = place_of(A, &way);
	other = (way + 1) % SOCKET_WAYS;
	set->key[other] = A;
	destroy(A);
	assert_int_equal(known(), 0);
}

/* A socket whose two sets are full is found further away. */
static void test_far(void **state)
{
	unsigned int i, way;

	(void)state;
	need_kernel();
	/* Fills the set that it took, and then its other set. */
	for (i = 0; i < 2; i++) {
		struct socket_set *set;

		establish(A);
		set = place_of(A, &way);
		*set = (struct socket_set){.key = {1, 1, 1}};
		assert_int_equal(bpf->bss->tcp_far, 0);
	}
	establish(A);
	assert_int_equal(bpf->bss->tcp_far, 1);
	ask(A);
	assert_int_equal(count_of(&cell_of(own_id)->response[TCP_CLIENT]), 1);
	assert_int_equal(open_of(own_id), 1);
	establish(B); /* one of those that are near */
	close_and_destroy(A);
	assert_int_equal(bpf->bss->tcp_far, 0);
	assert_int_equal(open_of(own_id), 1);
	assert_int_equal(lost(TCP_LOST_NO_PLACE), 0);
}

/* A connect of one of so many pods that none has its quota. */
static void connect_of_many(uint64_t key)
{
	bpf->bss->tcp_counts.all = 0;
	set_state(key, CLOSE, SYN_SENT);
}

/* The sockets of this process's group. */
static uint32_t *own_count(void)
{
	return &bpf->bss->tcp_counts.of_group[pair_group(slot_groups[slot_of(own_id)])];
}

/* When half of the places are taken, a pod or unit has a quota of the others. */
static void test_quota(void **state)
{
	(void)state;
	need_kernel();
	establish(A);
	assert_int_equal(bpf->bss->tcp_counts.all, 1);
	assert_int_equal(*own_count(), 1);
	*own_count() = SOCKETS_QUOTA;
	bpf->bss->tcp_counts.all = SOCKETS_SHARED;
	establish(B);
	assert_int_equal(known(), 1);
	assert_int_equal(lost(TCP_LOST_NO_PLACE), 1);
	assert_int_equal(open_of(own_id), 1); /* which counts anew */
	assert_int_equal(bpf->bss->tcp_counts.all, 1);
	assert_int_equal(*own_count(), 1);
	*own_count() = SOCKETS_QUOTA - 1;
	bpf->bss->tcp_counts.all = SOCKETS_SHARED;
	establish(B);
	assert_int_equal(known(), 2);
	close_and_destroy(A);
	close_and_destroy(B);
	assert_int_equal(bpf->bss->tcp_counts.all, SOCKETS_SHARED - 1);
	assert_int_equal(*own_count(), SOCKETS_QUOTA - 2);
}

/* An accepted connection is there before its owner is known. */
static void test_quota_of_accepted(void **state)
{
	(void)state;
	need_no_btf("the cgroup of a socket is told by BTF");
	set_state(LISTENER, CLOSE, LISTEN);
	*own_count() = SOCKETS_QUOTA;
	bpf->bss->tcp_counts.all = SOCKETS_SHARED;
	set_state(A, LISTEN, SYN_RECV);
	set_state(A, SYN_RECV, ESTABLISHED);
	assert_int_equal(known(), 2);
	data_ready(LISTENER);
	assert_int_equal(known(), 1);
	assert_int_equal(cell_of(own_id)->accepted, 1);
	assert_int_equal(lost(TCP_LOST_NO_PLACE), 1);
	assert_int_equal(*own_count(), SOCKETS_QUOTA);
}

/*
 * With sockets for seven tenths of the places, each one finds a place. With more sockets than
 * places, the others are counted once their connect is over.
 */
static void test_places(void **state)
{
	unsigned int i, count = CAPACITY + 100;

	(void)state;
	need_no_btf("so many sockets that can be looked into would take 57 MB");
	for (i = 0; i < CAPACITY / 10 * 7; i++)
		connect_of_many(KEY(i));
	assert_int_equal(known(), CAPACITY / 10 * 7);
	for (; i < count; i++)
		connect_of_many(KEY(i));
	assert_true(known() > CAPACITY / 100 * 97);
	i = known();
	for (count = 0; count < CAPACITY + 100; count++)
		set_state(KEY(count), SYN_SENT, CLOSE);
	assert_int_equal(cell_of(own_id)->connect_failures[TCP_CONNECT_OTHER], i);
	assert_int_equal(i + lost(TCP_LOST_NO_PLACE), count);
	for (i = 0; i < count; i++)
		destroy(KEY(i));
	assert_int_equal(known(), 0);
	assert_int_equal(bpf->bss->tcp_far, 0);
}

/* A slot is given back while sockets refer to it. They have no owner until somebody uses them. */
static void test_slot_is_freed(void **state)
{
	(void)state;
	need_kernel();
	set_state(LISTENER, CLOSE, LISTEN);
	assert_true(own_join("/b"));
	set_state(A, LISTEN, SYN_RECV);
	set_state(A, SYN_RECV, ESTABLISHED);
	data_ready(LISTENER);
	establish(B);
	assert_int_equal(open_of(own_id), 1);
	assert_int_equal(open_of(other_id), 1);

	free_sockets_of(own_id);
	assert_int_equal(open_of(own_id), 0);
	assert_int_equal(open_of(other_id), 1);
	assert_int_equal(owner_of(A), SOCKET_NOBODY);
	receive(A, 10, 0);
	assert_int_equal(open_of(other_id), 2);
	assert_int_equal(cell_of(other_id)->accepted, 0); /* that was counted */

	/* A connection from a listening socket without an owner has no owner, and not a freed slot.
	 */
	set_state(made_sock(3), LISTEN, SYN_RECV);
	set_state(made_sock(3), SYN_RECV, ESTABLISHED);
	data_ready(LISTENER);
	assert_int_equal(owner_of(made_sock(3)), SOCKET_UNCLAIMED);
	assert_int_equal(cell_of(own_id)->accepted, 1);
	receive(made_sock(3), 10, 0);
	assert_int_equal(cell_of(other_id)->accepted, 1);
	assert_int_equal(open_of(other_id), 3);

	/* It is closed after its slot was freed. The count never falls below zero. */
	free_sockets_of(other_id);
	close_and_destroy(A);
	close_and_destroy(B);
	close_and_destroy(made_sock(3));
	assert_int_equal(open_of(own_id), 0);
	assert_int_equal(open_of(other_id), 0);
	assert_int_equal(known(), 1);
}

/* Sockets older than the probe: the ports say which side asks. */
static void test_adopted(void **state)
{
	const uint16_t ports[2] = {80, 40000};
	const uint8_t state_now = ESTABLISHED;
	unsigned int way, i;

	(void)state;
	need_btf("without BTF a socket is known from its making, or never");
	for (way = 0; way < 4; way++) { /* a server, a client, and two unknown */
		uint64_t key = made_sock(way);
		uint16_t local = ports[way >> 1 ^ (way & 1)],
			 remote = htons(ports[way & 1 ? 0 : 1]);

		made_put(key, made_at.state, &state_now, sizeof(state_now));
		made_put(key, made_at.num, &local, sizeof(local));
		made_put(key, made_at.dport, &remote, sizeof(remote));
		for (i = 0; i < 3; i++) {
			receive(key, 10, 0);
			send_bytes(key, 10);
			data_ready(key);
		}
	}
	assert_int_equal(known(), 4);
	assert_int_equal(open_of(own_id), 4);
	assert_int_equal(cell_of(own_id)->bytes[TCP_SENT], 4 * 3 * 10);
	assert_int_equal(count_of(&cell_of(own_id)->response[TCP_SERVER]), 2);
	assert_int_equal(count_of(&cell_of(own_id)->response[TCP_CLIENT]), 3);
	for (way = 0; way < 4; way++)
		close_and_destroy(made_sock(way));
	assert_int_equal(open_of(own_id), 0);
	assert_int_equal(lost(TCP_LOST_NO_PLACE), 0);
}

/* BTF shows which cgroup made the listening socket, so nothing waits for a use. */
static void test_owner_by_btf(void **state)
{
	uint64_t cgroup = made_sock(10), kn = made_sock(11);

	(void)state;
	need_btf("the cgroup of a socket is told by BTF");
	made_put(A, made_at.cgroup, &cgroup, sizeof(cgroup));
	made_put(cgroup, made_at.kn, &kn, sizeof(kn));
	made_put(kn, made_at.id, &other_id, sizeof(other_id));
	set_state(A, LISTEN, SYN_RECV);
	set_state(A, SYN_RECV, ESTABLISHED);
	assert_int_equal(cell_of(other_id)->accepted, 1);
	assert_int_equal(open_of(other_id), 1);
	set_state(A, ESTABLISHED, CLOSE);
	destroy(A);
	assert_int_equal(open_of(other_id), 0);
	assert_int_equal(lost(TCP_LOST_NO_OWNER), 0);
}

/* ------------------------------------------------------------------ turns */

/* Lets time pass for a socket, by moving its turn and its last data back. */
static void pass(uint64_t key, uint64_t ns)
{
	unsigned int way;
	struct socket_set *set = place_of(key, &way);

	if (set->turn[way] & TURN_KIND)
		set->turn[way] =
			(set->turn[way] & ~TURN_TIME) | ((set->turn[way] - ns) & TURN_TIME);
	if (set->spoke[way])
		set->spoke[way] = (__u16)(set->spoke[way] - (ns >> TURN_TICK_BITS)) ?: 1;
}

static void accept_one(uint64_t key)
{
	set_state(LISTENER, CLOSE, LISTEN);
	set_state(key, LISTEN, SYN_RECV);
	set_state(key, SYN_RECV, ESTABLISHED);
	data_ready(LISTENER);
}

/* This number of bytes comes and is read. */
static void come(uint64_t key, int bytes)
{
	data_ready(key);
	receive(key, bytes, 0);
}

static const struct hist *response(enum tcp_role role)
{
	return &cell_of(own_id)->response[role];
}

#define SECOND (1000 * MS)

/* If nobody speaks out of turn, a slow answer is an answer, however long it takes. */
static void test_slow_answers(void **state)
{
	int i;

	(void)state;
	need_kernel();
	accept_one(A);
	establish(B);
	for (i = 0; i < 5; i++) {
		come(A, 20);
		send_bytes(B, 20);
		pass(A, 16 * SECOND);
		pass(B, 16 * SECOND);
		send_bytes(A, 1000);
		send_bytes(A, 1000);
		come(B, 1000);
		come(B, 1000);
		pass(A, 60 * SECOND); /* idle */
		pass(B, 60 * SECOND);
	}
	assert_int_equal(count_of(response(TCP_SERVER)), 5);
	assert_int_equal(count_of(response(TCP_CLIENT)), 5);
	assert_in_range(response(TCP_SERVER)->sum_ns, 80 * SECOND, 81 * SECOND);
	assert_in_range(response(TCP_CLIENT)->sum_ns, 80 * SECOND, 81 * SECOND);
	assert_int_equal(lost(TCP_LOST_STREAM), 0);
	assert_int_equal(lost(TCP_LOST_UNANSWERED), 0);
}

/* The kernel left out one send of a slow server. It looks like a stream, but not for long. */
static void test_missed_answer(void **state)
{
	int i;

	(void)state;
	need_kernel();
	accept_one(A);
	come(A, 20);
	pass(A, SECOND / 10);
	for (i = 0; i < 20; i++) {
		come(A, 20);
		pass(A, SECOND / 10);
		send_bytes(A, 1000);
	}
	assert_int_equal(lost(TCP_LOST_UNANSWERED), 1);
	assert_int_equal(lost(TCP_LOST_STREAM), 3);
	assert_int_equal(count_of(response(TCP_SERVER)), 17);
}

/* A question of many parts, and questions that wait in a row, count from the first. */
static void test_parts_of_a_question(void **state)
{
	int i;

	(void)state;
	need_kernel();
	accept_one(A);
	establish(B);
	for (i = 0; i < 5; i++) {
		come(A, 100);
		send_bytes(B, 100);
		pass(A, SECOND / 2);
		pass(B, SECOND / 2);
	}
	send_bytes(A, 10);
	data_ready(B);
	assert_int_equal(count_of(response(TCP_SERVER)), 1);
	assert_int_equal(count_of(response(TCP_CLIENT)), 1);
	assert_in_range(response(TCP_SERVER)->sum_ns, 5 * SECOND / 2, 3 * SECOND);
	assert_in_range(response(TCP_CLIENT)->sum_ns, 5 * SECOND / 2, 3 * SECOND);
	assert_int_equal(lost(TCP_LOST_UNANSWERED), 0);
}

/* Unread data is a question that the server has not got to. Its time counts from the first. */
static void test_not_read(void **state)
{
	(void)state;
	need_kernel();
	accept_one(A);
	data_ready(A);
	pass(A, 5 * SECOND);
	data_ready(A);
	receive(A, 40, 0);
	send_bytes(A, 10);
	assert_true(response(TCP_SERVER)->sum_ns >= 5 * SECOND);
	assert_int_equal(lost(TCP_LOST_UNANSWERED), 0);
}

/*
 * A client asks as soon as it has the answer, before the server's send has returned. Each answer
 * counts, from the arrival of its question, or from the end of the send that this has overtaken.
 */
static void test_overtaken(void **state)
{
	int i;

	(void)state;
	need_kernel();
	accept_one(A);
	data_ready(A);
	for (i = 0; i < 10; i++) {
		receive(A, 40, 0);
		pass(A, 3 * MS);
		data_ready(A);
		send_bytes(A, 8);
	}
	assert_int_equal(count_of(response(TCP_SERVER)), 10);
	assert_in_range(response(TCP_SERVER)->sum_ns, 30 * MS, 60 * MS);
	/* It says more before it reads on: that is more of the same answer. */
	send_bytes(A, 8);
	assert_int_equal(count_of(response(TCP_SERVER)), 10);
	receive(A, 40, 0);
	send_bytes(A, 8);
	assert_int_equal(count_of(response(TCP_SERVER)), 11);
	assert_int_equal(lost(TCP_LOST_UNANSWERED), 0);
}

/*
 * The same with a slow server and a short question: it looks as if the client had asked again, and
 * the answer is counted as lost. It is not an answer to what has come a moment ago.
 */
static void test_overtaken_slowly(void **state)
{
	(void)state;
	need_kernel();
	accept_one(A);
	come(A, 20);
	pass(A, 200 * MS);
	data_ready(A);
	send_bytes(A, 8);
	assert_int_equal(count_of(response(TCP_SERVER)), 0);
	assert_int_equal(lost(TCP_LOST_UNANSWERED), 1);
	receive(A, 20, 0);
	pass(A, 30 * MS);
	send_bytes(A, 8);
	assert_int_equal(count_of(response(TCP_SERVER)), 1);
	assert_in_range(response(TCP_SERVER)->sum_ns, 30 * MS, 60 * MS);
}

/* The end of what the client says is no other question. */
static void test_half_closed(void **state)
{
	(void)state;
	need_kernel();
	accept_one(A);
	come(A, 20);
	pass(A, 200 * MS);
	set_state(A, ESTABLISHED, CLOSE_WAIT);
	data_ready(A);
	send_bytes(A, 8);
	assert_int_equal(count_of(response(TCP_SERVER)), 1);
	assert_in_range(response(TCP_SERVER)->sum_ns, 200 * MS, 260 * MS);
	assert_int_equal(lost(TCP_LOST_UNANSWERED), 0);
}

/* An HTTP/2 client sends something short after an answer. Nobody answers it. It asks much later.
 */
static void test_short_words(void **state)
{
	int i;

	(void)state;
	need_kernel();
	accept_one(A);
	establish(B);
	for (i = 0; i < 4; i++) {
		come(A, 300);
		send_bytes(B, 300);
		pass(A, 3 * MS);
		pass(B, 3 * MS);
		send_bytes(A, 5000);
		come(B, 5000);
		come(A, 35); /* WINDOW_UPDATE */
		send_bytes(B, 35);
		pass(A, 200 * MS);
		pass(B, 200 * MS);
	}
	assert_int_equal(count_of(response(TCP_SERVER)), 4);
	assert_int_equal(count_of(response(TCP_CLIENT)), 4);
	assert_in_range(response(TCP_SERVER)->sum_ns, 12 * MS, 100 * MS);
	assert_in_range(response(TCP_CLIENT)->sum_ns, 12 * MS, 100 * MS);
	assert_int_equal(lost(TCP_LOST_UNANSWERED), 6); /* the fourth's are open */
}

/* A watch: what the server pushes does not answer what the client has said meanwhile. */
static void test_watch(void **state)
{
	int i;

	(void)state;
	need_kernel();
	accept_one(A);
	establish(B);
	come(A, 300);
	send_bytes(B, 300);
	send_bytes(A, 100);
	come(B, 100);
	for (i = 0; i < 5; i++) {
		pass(A, 16 * SECOND);
		pass(B, 16 * SECOND);
		send_bytes(A, 5000); /* an event */
		come(B, 5000);
		come(A, 35);
		send_bytes(B, 35);
	}
	assert_int_equal(count_of(response(TCP_SERVER)), 1);
	assert_int_equal(count_of(response(TCP_CLIENT)), 1);
	assert_int_equal(lost(TCP_LOST_STREAM), 8);

	/* A slow question on the same connection. */
	pass(A, 5 * SECOND);
	pass(B, 5 * SECOND);
	come(A, 300);
	send_bytes(B, 300);
	pass(A, 900 * MS);
	pass(B, 900 * MS);
	send_bytes(A, 1000);
	come(B, 1000);
	assert_int_equal(count_of(response(TCP_SERVER)), 2);
	assert_int_equal(count_of(response(TCP_CLIENT)), 2);
	assert_in_range(response(TCP_SERVER)->sum_ns, 900 * MS, SECOND);
	assert_in_range(response(TCP_CLIENT)->sum_ns, 900 * MS, SECOND);
}

/*
 * The same, but something short is open from the beginning, so no push comes without a question.
 * The only sign is that the short messages acknowledge a lot of data.
 */
static void test_watch_in_turn(void **state)
{
	int i;

	(void)state;
	need_kernel();
	accept_one(A);
	establish(B);
	for (i = 0; i < 5; i++) {
		come(A, 35);
		send_bytes(B, 35);
		pass(A, 16 * SECOND);
		pass(B, 16 * SECOND);
		send_bytes(A, 5000);
		come(B, 5000);
	}
	assert_int_equal(count_of(response(TCP_SERVER)), 1);
	assert_int_equal(count_of(response(TCP_CLIENT)), 1);
	assert_int_equal(lost(TCP_LOST_STREAM), 8);
}

/* Both sides speak on their own. Once it answers quickly again, the connection is no stream. */
static void test_talk(void **state)
{
	int i;

	(void)state;
	need_kernel();
	accept_one(A);
	for (i = 0; i < 3; i++) {
		come(A, 300);
		pass(A, 4 * SECOND);
		come(A, 300);
		pass(A, 7 * SECOND);
		send_bytes(A, 300);
	}
	assert_int_equal(count_of(response(TCP_SERVER)), 0);
	assert_int_equal(lost(TCP_LOST_STREAM), 3);
	assert_int_equal(lost(TCP_LOST_UNANSWERED), 3);
	for (i = 0; i < 8; i++) {
		come(A, 300);
		if (i == 7)
			pass(A, 4 * SECOND);
		send_bytes(A, 300);
	}
	assert_int_equal(count_of(response(TCP_SERVER)), 8);
	assert_true(response(TCP_SERVER)->sum_ns >= 4 * SECOND);
}

/* The RTT is read from time to time while the socket is used, and again after a pause. */
static void test_rtt(void **state)
{
	const uint32_t srtt_us = 700 << 3;
	uint64_t read;
	int i;

	(void)state;
	need_btf("the RTT of a connection in use is told by BTF");
	made_put(A, made_at.srtt_us, &srtt_us, sizeof(srtt_us));
	accept_one(A);
	read = count_of(&cell_of(own_id)->rtt);
	for (i = 0; i < 50; i++) {
		come(A, 100);
		send_bytes(A, 100);
	}
	assert_in_range(count_of(&cell_of(own_id)->rtt) - read, 1, 2);
	read = count_of(&cell_of(own_id)->rtt);
	for (i = 0; i < 3; i++) {
		pass(A, 10 * SECOND);
		come(A, 100);
		send_bytes(A, 100);
	}
	assert_in_range(count_of(&cell_of(own_id)->rtt) - read, 3, 4);
}

/* A program may interrupt another one, so each counts its events in a word of its own. */
static void test_events(void **state)
{
	const struct tcp_cpu *cpus;

	(void)state;
	need_kernel();
	cpus = map_array(bpf->maps.tcp_cpus);
	assert_non_null(cpus);
	establish(A);
	ask(A);
	send_bytes(A, 1);
	assert_int_equal(cpus[cpu].events[TCP_EVENT_SEND], 2);
	assert_int_equal(cpus[cpu].events[TCP_EVENT_RECEIVE], 1);
	assert_int_equal(cpus[cpu].events[TCP_EVENT_ARRIVAL], 1);
}

/* Resets for ports where nobody listens belong to the kernel's own slot. */
static void test_reset_without_socket(void **state)
{
	(void)state;
	need_kernel();
	run(bpf->progs.tcp_reset_sent, 0);
	assert_int_equal(cell_of(KERNEL_CGROUP_ID)->resets[TCP_SENT], 1);
	run(bpf->progs.tcp_reset_sent, A);
	assert_int_equal(lost(TCP_LOST_NO_OWNER), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_connect),
		TEST(test_connect_failures),
		TEST(test_owner),
		TEST(test_owner_unknown),
		TEST(test_others),
		TEST(test_reuse),
		TEST(test_clock),
		TEST(test_full),
		TEST(test_full_for_others),
		TEST(test_place_later),
		TEST(test_place_taken_twice),
		TEST(test_taken_in_twice),
		TEST(test_far),
		TEST(test_places),
		TEST(test_quota),
		TEST(test_quota_of_accepted),
		TEST(test_slot_is_freed),
		TEST(test_adopted),
		TEST(test_owner_by_btf),
		TEST(test_slow_answers),
		TEST(test_missed_answer),
		TEST(test_parts_of_a_question),
		TEST(test_not_read),
		TEST(test_overtaken),
		TEST(test_overtaken_slowly),
		TEST(test_half_closed),
		TEST(test_short_words),
		TEST(test_watch),
		TEST(test_watch_in_turn),
		TEST(test_talk),
		TEST(test_rtt),
		TEST(test_events),
		TEST(test_reset_without_socket),
	};

	return cmocka_run_group_tests_name("tcp", tests, group_setup, group_teardown);
}
