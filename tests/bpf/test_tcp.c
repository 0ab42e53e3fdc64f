/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The tcp programs, on made-up sockets. What real sockets do is in
 * tests/integration/80-tcp-rules.sh.
 */
#include <netinet/in.h>

#include "test_run.h"

#include "made_socks.h"

#define LISTENER    made_sock(0)
#define A	    made_sock(1)
#define B	    made_sock(2)

/* Keys alone, as the kernel makes them: objects of a slab, 2304 bytes each. */
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

/* The kernel tells before it changes the state. */
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
	for (i = 0; i < sizeof(programs) / sizeof(programs[0]); i++)
		bpf_program__set_autoload(programs[i], true);
	return err;
}

static int open_object(void)
{
	int err = made_socks ? 0 : made_open();

	err = err ?: open_bpf();
	err = err ?: choose_and_size();
	err = err ?: load_object();
	if (err)
		return err;
	made_reset();
	cells = map_array(bpf->maps.tcp_cells);
	sets = map_array(bpf->maps.tcp_sockets);
	return cells && sets ? 0 : -ENOMEM;
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

/* How many sockets are known. */
static unsigned int known(void)
{
	unsigned int i, way, count = 0;

	for (i = 0; i < SOCKET_SETS; i++)
		for (way = 0; way < SOCKET_WAYS; way++)
			count += sets[i].key[way] != 0;
	return count;
}

static __u64 *since_of(uint64_t key)
{
	unsigned int i, way;

	for (i = 0; i < SOCKET_SETS; i++)
		for (way = 0; way < SOCKET_WAYS; way++)
			if (sets[i].key[way] == key)
				return &sets[i].since_ns[way];
	fail_msg("the socket is not known");
	return NULL;
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

/* With BTF the RTT is the kernel's own, without it is the time of the handshake. */
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
	assert_int_equal(cell_of(own_id)->open, 1);
	assert_int_equal(known(), 1);
	set_state(A, ESTABLISHED, CLOSE_WAIT); /* still open at this end */
	assert_int_equal(cell_of(own_id)->open, 1);
	close_and_destroy(A);
	assert_int_equal(cell_of(own_id)->open, 0);
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

/* An accepted connection is first its listening socket's cgroup's, then its user's. */
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
	assert_int_equal(cell_of(own_id)->open, 1);
	data_ready(LISTENER); /* once more: that was another's */
	assert_int_equal(cell_of(own_id)->accepted, 1);

	receive(A, 10, 0);
	assert_int_equal(cell_of(own_id)->open, 0);
	assert_int_equal(cell_of(other_id)->open, 1);
	assert_int_equal(cell_of(other_id)->accepted, 0);
	assert_int_equal(cell_of(other_id)->bytes[TCP_RECEIVED], 10);
	assert_true(own_join("/a"));
	send_bytes(A, 7); /* given back */
	assert_int_equal(cell_of(own_id)->open, 1);
	assert_int_equal(cell_of(other_id)->open, 0);
	assert_int_equal(cell_of(own_id)->bytes[TCP_SENT], 7);
	close_and_destroy(A);
	assert_int_equal(cell_of(own_id)->open, 0);
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
	assert_int_equal(cell_of(own_id)->open, 0);
}

/* Without BTF, what is no socket that is known is taken for one of another protocol. */
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

/* A socket whose end was missed, and whose memory is another one's now. */
static void test_reuse(void **state)
{
	(void)state;
	need_kernel();
	establish(A);
	send_bytes(A, 1);
	establish(A);
	assert_int_equal(cell_of(own_id)->open, 1);
	data_ready(A); /* no answer to what the first one had sent */
	assert_int_equal(count_of(&cell_of(own_id)->response[TCP_CLIENT]), 0);
	destroy(A); /* its end was missed, too */
	assert_int_equal(cell_of(own_id)->open, 0);
}

static void test_clock(void **state)
{
	(void)state;
	need_kernel();
	establish(A);
	send_bytes(A, 1);
	*since_of(A) = clock_monotonic_ns() + 10000 * MS;
	data_ready(A);
	assert_int_equal(lost(TCP_LOST_CLOCK), 1);
	send_bytes(A, 1);
	*since_of(A) -= 10 * MS;
	data_ready(A);
	assert_int_equal(count_of(&cell_of(own_id)->response[TCP_CLIENT]), 1);
	assert_true(cell_of(own_id)->response[TCP_CLIENT].sum_ns >= 10 * MS);
}

/* Two fifths of the places: each socket finds one. More than there are: the others are counted. */
static void test_places(void **state)
{
	unsigned int i;

	(void)state;
	need_no_btf("so many sockets that can be looked into would take 57 MB");
	for (i = 0; i < CAPACITY / 5 * 2; i++)
		set_state(KEY(i), CLOSE, SYN_SENT);
	assert_int_equal(lost(TCP_LOST_NO_PLACE), 0);
	assert_int_equal(known(), CAPACITY / 5 * 2);
	for (; i < CAPACITY + 100; i++)
		set_state(KEY(i), CLOSE, SYN_SENT);
	assert_int_equal(known() + lost(TCP_LOST_NO_PLACE), CAPACITY + 100);
	assert_true(known() > CAPACITY / 10 * 9);
	for (i = 0; i < CAPACITY + 100; i++)
		destroy(KEY(i));
	assert_int_equal(known(), 0);
}

/* Resets for ports where nobody listens are the kernel's own: the root cgroup's. */
static void test_reset_without_socket(void **state)
{
	(void)state;
	need_kernel();
	run(bpf->progs.tcp_reset_sent, 0);
	assert_int_equal(cell_of(1)->resets[TCP_SENT], 1);
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
		TEST(test_places),
		TEST(test_reset_without_socket),
	};

	return cmocka_run_group_tests_name("tcp", tests, group_setup, group_teardown);
}
