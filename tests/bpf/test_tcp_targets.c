/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The targets of connections: whom a client asks, and at which port a server is asked. With made-up
 * sockets and, without BTF, made-up records.
 */
#include <arpa/inet.h>
#include <netinet/in.h>

#include "test_run.h"

#include "made_socks.h"
#include "probe/descriptors.h"
#include "probe/internal.h"
#include "probe/slots.h"
#include "probe/tcp_targets.h"
#include "util/array.h"

#define LISTENER    made_sock(0)
#define A	    made_sock(1)
#define B	    made_sock(2)

/* include/net/tcp_states.h */
#define ESTABLISHED 1
#define SYN_SENT    2
#define SYN_RECV    3
#define CLOSE	    7
#define LISTEN	    10

#define HTTP	    80
#define LOCAL_PORT  40000

static struct tcp_cell *cells;
static struct tcp_peer_cell *peers;
static struct tcp_port_cell *ports;
static struct tcp_slot_targets *of_slots;
static struct tcp_cpu *cpus;
static uint64_t *slot_groups;

static struct probe probe;
static const struct probe_descriptor *tcp;

static int choose_and_size(void)
{
	struct bpf_program *const programs[] = {
		bpf->progs.tcp_set_state, bpf->progs.tcp_destroy,   bpf->progs.tcp_data_ready,
		bpf->progs.tcp_sock_send, bpf->progs.tcp_sock_recv, bpf->progs.tcp_retransmit,
	};
	int err = bpf_map__set_max_entries(bpf->maps.tcp_cells, slots);
	size_t i;

	tcp = probe_descriptors[PROBE_TCP];
	probe = (struct probe){.bpf = bpf,
			       .slots = slots,
			       .cpus = (unsigned int)libbpf_num_possible_cpus(),
			       .enabled = {[PROBE_TCP] = true}};
	for (i = 0; i < ARRAY_SIZE(programs); i++)
		bpf_program__set_autoload(programs[i], true);
	if (!with_btf) /* cannot be run, but must load */
		bpf_program__set_autoload(bpf->progs.tcp_set_state_record, true);
	return err ?: tcp->size(&probe);
}

static int open_object(void)
{
	int err = made_load(choose_and_size);

	if (err)
		return err;
	cells = map_array(bpf->maps.tcp_cells);
	peers = map_array(bpf->maps.tcp_peer_cells);
	ports = map_array(bpf->maps.tcp_port_cells);
	of_slots = map_array(bpf->maps.tcp_slot_targets);
	cpus = map_array(bpf->maps.tcp_cpus);
	slot_groups = map_array(bpf->maps.slot_groups);
	return cells && peers && ports && of_slots && cpus && slot_groups ? 0 : -ENOMEM;
}

/* The programs, and the probe's user space. */
static int open_all(void **state)
{
	int err = setup(state);

	if (err || !bpf)
		return err;
	probe.slot_groups = slot_groups;
	probe.slot_state = calloc(slots, 1);
	probe.state[PROBE_TCP] = calloc(1, tcp->state_size);
	return probe.slot_state && probe.state[PROBE_TCP] ? tcp->open(&probe) : -ENOMEM;
}

static int close_all(void **state)
{
	if (probe.state[PROBE_TCP])
		tcp->close(&probe);
	free(probe.state[PROBE_TCP]);
	free(probe.slot_state);
	probe = (struct probe){0};
	return teardown(state);
}

static struct bpf_program *harmless_program(void)
{
	return bpf->progs.tcp_destroy;
}

static uint64_t lost(enum tcp_lost reason)
{
	return bpf->bss->tcp_lost[reason];
}

/* ---- events */

static void set_state(uint64_t key, int before, int after)
{
	const uint8_t state = (uint8_t)after;

	run(bpf->progs.tcp_set_state, key, (uint64_t)before, (uint64_t)after);
	made_put(key, made_at.state, &state, sizeof(state));
}

/* What tcp_set_state_record would keep. */
static void put_record(uint64_t key, enum tcp_target_kind kind, const uint32_t address[4],
		       uint16_t port)
{
	struct tcp_record *record = &cpus[cpu].record[kind];

	*record = (struct tcp_record){.key = key, .port = port};
	memcpy(record->address, address, sizeof(record->address));
}

static void map_ipv4(const char *ip, uint32_t address[4])
{
	address[0] = address[1] = 0;
	address[2] = htonl(0xffff);
	assert_int_equal(inet_pton(AF_INET, ip, &address[3]), 1);
}

/* Says in the socket, or in a record, where it connects to. */
static void aim_at(uint64_t key, const char *ip, uint16_t port)
{
	const uint16_t dport = htons(port), family = AF_INET;
	uint32_t address[4];

	map_ipv4(ip, address);
	made_put(key, made_at.family, &family, sizeof(family));
	if (made_at.dport) /* the address is the first member: 0 is its offset */
		memcpy(made_image(key) + made_at.daddr, &address[3], sizeof(address[3]));
	made_put(key, made_at.dport, &dport, sizeof(dport));
	if (!with_btf)
		put_record(key, TCP_PEER, address, port);
}

static void begin_connect(uint64_t key, const char *ip, uint16_t port)
{
	aim_at(key, ip, port);
	set_state(key, CLOSE, SYN_SENT);
}

static void connect_to(uint64_t key, const char *ip, uint16_t port)
{
	begin_connect(key, ip, port);
	set_state(key, SYN_SENT, ESTABLISHED);
}

static void end(uint64_t key)
{
	set_state(key, ESTABLISHED, CLOSE);
	run(bpf->progs.tcp_destroy, key);
}

/* A connection comes to a port of this process. */
static void accept_at(uint64_t key, uint16_t port)
{
	const uint32_t none[4] = {0};

	made_put(key, made_at.num, &port, sizeof(port));
	if (!with_btf)
		put_record(key, TCP_PORT, none, port);
	set_state(LISTENER, CLOSE, LISTEN);
	set_state(key, LISTEN, SYN_RECV);
	set_state(key, SYN_RECV, ESTABLISHED);
	run(bpf->progs.tcp_data_ready, LISTENER);
}

static void ask(uint64_t key)
{
	run(bpf->progs.tcp_sock_send, key, 100);
	run(bpf->progs.tcp_data_ready, key);
	run(bpf->progs.tcp_sock_recv, key, 100, 0);
}

static void answer(uint64_t key)
{
	run(bpf->progs.tcp_data_ready, key);
	run(bpf->progs.tcp_sock_recv, key, 100, 0);
	run(bpf->progs.tcp_sock_send, key, 100);
}

/* ---- what was counted */

static struct tcp_peer_cell *find_peer(const char *ip, uint16_t port)
{
	uint32_t address[4];
	unsigned int i;

	map_ipv4(ip, address);
	for (i = 1; i < TCP_PEERS; i++)
		if (peers[i].state && peers[i].target.port == port &&
		    !memcmp(peers[i].target.address, address, sizeof(address)))
			return &peers[i];
	return NULL;
}

static struct tcp_peer_cell *peer_at(const char *ip, uint16_t port)
{
	struct tcp_peer_cell *peer = find_peer(ip, port);

	assert_non_null(peer);
	return peer;
}

static struct tcp_port_cell *find_port(uint16_t port)
{
	unsigned int i;

	for (i = 1; i < TCP_PORTS; i++)
		if (ports[i].state && ports[i].target.port == port)
			return &ports[i];
	return NULL;
}

static struct tcp_cell *own_cell(void)
{
	assert_int_not_equal(slot_of(own_id), SLOT_OVERFLOW);
	return &cells[slot_of(own_id)];
}

/* ---- peers */

static void test_peers(void **state)
{
	struct tcp_peer_cell *peer;

	(void)state;
	need_kernel();
	connect_to(A, "10.96.0.10", HTTP);
	connect_to(B, "10.96.0.10", 443);
	ask(A);
	ask(A);
	ask(B);
	peer = peer_at("10.96.0.10", HTTP);
	assert_int_equal(peer->target.slot, slot_of(own_id));
	assert_int_equal(peer->counts.exchanges, 2);
	assert_true(peer->counts.wait_ns > 0);
	assert_int_equal(peer_at("10.96.0.10", 443)->counts.exchanges, 1);
	assert_int_equal(own_cell()->other_peers.exchanges, 0);
	assert_int_equal(peer->counts.wait_ns + peer_at("10.96.0.10", 443)->counts.wait_ns,
			 own_cell()->response[TCP_CLIENT].sum_ns);
	end(A);
	connect_to(A, "10.96.0.10", HTTP); /* the same place again */
	ask(A);
	assert_int_equal(peer->counts.exchanges, 3);
	assert_int_equal(bpf->bss->tcp_peers_used.all, 2);
}

static void test_failures(void **state)
{
	(void)state;
	need_kernel();
	begin_connect(A, "10.0.0.1", HTTP);
	run(bpf->progs.tcp_retransmit, A, 0);
	set_state(A, SYN_SENT, CLOSE);
	assert_int_equal(peer_at("10.0.0.1", HTTP)->counts.failures, 1);
	assert_int_equal(peer_at("10.0.0.1", HTTP)->counts.retransmits, 1);
	assert_int_equal(own_cell()->retransmits, 1);
}

/* The program of an older event did not run, or another one came in between. */
static void test_no_record(void **state)
{
	(void)state;
	need_no_btf("with BTF, the socket itself says whom it asks");
	aim_at(B, "10.0.0.1", HTTP);
	set_state(A, CLOSE, SYN_SENT);
	set_state(A, SYN_SENT, ESTABLISHED);
	ask(A);
	assert_int_equal(lost(TCP_LOST_UNPAIRED), 1);
	assert_int_equal(own_cell()->other_peers.exchanges, 1);
	set_state(LISTENER, CLOSE, LISTEN);
	set_state(B, LISTEN, SYN_RECV);
	set_state(B, SYN_RECV, ESTABLISHED);
	run(bpf->progs.tcp_data_ready, LISTENER);
	assert_int_equal(lost(TCP_LOST_UNPAIRED), 2);
	assert_int_equal(own_cell()->accepted, 1);
}

static void test_ipv6(void **state)
{
	const uint32_t address[4] = {htonl(0xfd000000), 1, 2, htonl(7)};
	const uint16_t family = AF_INET6, dport = htons(HTTP);
	unsigned int i, found = 0;

	(void)state;
	need_kernel();
	made_put(A, made_at.family, &family, sizeof(family));
	made_put(A, made_at.v6_daddr, address, sizeof(address));
	made_put(A, made_at.dport, &dport, sizeof(dport));
	if (!with_btf)
		put_record(A, TCP_PEER, address, HTTP);
	set_state(A, CLOSE, SYN_SENT);
	for (i = 1; i < TCP_PEERS; i++)
		found += peers[i].state && peers[i].target.port == HTTP &&
			 !memcmp(peers[i].target.address, address, sizeof(address));
	assert_int_equal(found, 1);
}

static void connect_to_number(uint64_t key, unsigned int n)
{
	char ip[32];

	snprintf(ip, sizeof(ip), "10.1.%u.%u", n / 256, n % 256);
	connect_to(key, ip, HTTP);
}

/* A container has so many. The rest of its peers is counted together. */
static void test_peers_of_a_slot(void **state)
{
	unsigned int n;

	(void)state;
	need_kernel();
	for (n = 0; n < TCP_SLOT_PEERS + 2; n++) {
		connect_to_number(A, n);
		ask(A);
		end(A);
	}
	assert_int_equal(of_slots[slot_of(own_id)].count[TCP_PEER], TCP_SLOT_PEERS);
	assert_int_equal(bpf->bss->tcp_peers_used.all, TCP_SLOT_PEERS);
	assert_int_equal(own_cell()->other_peers.exchanges, 2);
	assert_int_equal(lost(TCP_LOST_PEERS_FULL), 2);
	assert_int_equal(count_of(&own_cell()->response[TCP_CLIENT]), TCP_SLOT_PEERS + 2);
}

static uint32_t *own_group(struct socket_counts *used)
{
	return &used->of_group[pair_group(slot_groups[slot_of(own_id)])];
}

/* When half of the places are taken, a pod or a unit has a quota of the others. */
static void test_quota_of_peers(void **state)
{
	struct socket_counts *used = &bpf->bss->tcp_peers_used;

	(void)state;
	need_kernel();
	connect_to_number(A, 0);
	assert_int_equal(*own_group(used), 1);
	*own_group(used) = TCP_GROUP(TCP_PEERS);
	connect_to_number(B, 1);
	assert_int_equal(lost(TCP_LOST_PEERS_FULL), 1);
	*own_group(used) = TCP_PEERS_QUOTA;
	connect_to_number(B, 1);
	assert_int_equal(lost(TCP_LOST_PEERS_FULL), 1);
	*own_group(used) = TCP_PEERS_QUOTA;
	used->all = TCP_SHARED(TCP_PEERS);
	connect_to_number(B, 2);
	assert_int_equal(lost(TCP_LOST_PEERS_FULL), 2);
	*own_group(used) = TCP_PEERS_QUOTA - 1;
	connect_to_number(B, 3);
	assert_int_equal(lost(TCP_LOST_PEERS_FULL), 2);
	assert_int_equal(tcp->update(&probe), 0); /* counts anew */
	assert_int_equal(used->all, 3);
	assert_int_equal(*own_group(used), 3);
	assert_int_equal(of_slots[slot_of(own_id)].count[TCP_PEER], 3);
}

/* A connection that another cgroup goes on with is that cgroup's, with the same peer. */
static void test_other_user(void **state)
{
	unsigned int i, found = 0;

	(void)state;
	need_kernel();
	connect_to(A, "10.0.0.1", HTTP);
	ask(A);
	accept_at(B, 8080);
	answer(B);
	assert_true(own_join("/b"));
	bpf->data->membership_generation += SLOTS_MAX;
	ask(A);
	run(bpf->progs.tcp_sock_recv, B, 1, 0);
	answer(B);
	for (i = 1; i < TCP_PEERS; i++)
		if (peers[i].state) {
			assert_int_equal(peers[i].counts.exchanges, 1);
			found++;
		}
	assert_int_equal(found, 2);
	for (found = 0, i = 1; i < TCP_PORTS; i++)
		if (ports[i].state) {
			assert_int_equal(count_of(&ports[i].counts.response), 1);
			assert_int_equal(ports[i].target.port, 8080);
			found++;
		}
	assert_int_equal(found, 2);
}

/* ---- ports */

static void test_ports(void **state)
{
	(void)state;
	need_kernel();
	accept_at(A, 6443);
	accept_at(B, 10250);
	answer(A);
	answer(A);
	answer(B);
	assert_non_null(find_port(6443));
	assert_non_null(find_port(10250));
	assert_int_equal(find_port(6443)->counts.accepted, 1);
	assert_int_equal(count_of(&find_port(6443)->counts.response), 2);
	assert_int_equal(count_of(&find_port(10250)->counts.response), 1);
	assert_int_equal(own_cell()->accepted, 0);
	assert_int_equal(count_of(&own_cell()->response[TCP_SERVER]), 0);
}

static void test_ports_of_a_slot(void **state)
{
	uint16_t n;

	(void)state;
	need_kernel();
	for (n = 0; n < TCP_SLOT_PORTS + 2; n++) {
		accept_at(A, (uint16_t)(9000 + n));
		answer(A);
		end(A);
	}
	assert_int_equal(of_slots[slot_of(own_id)].count[TCP_PORT], TCP_SLOT_PORTS);
	assert_int_equal(own_cell()->accepted, 2);
	assert_int_equal(count_of(&own_cell()->response[TCP_SERVER]), 2);
	assert_int_equal(lost(TCP_LOST_PORTS_FULL), 2);
}

/* A socket that is older than the probe. */
static void test_adopted(void **state)
{
	const uint16_t local = LOCAL_PORT;
	const uint8_t established = ESTABLISHED;

	(void)state;
	need_btf("without BTF, a socket that is older than the probe is not known");
	aim_at(A, "10.0.0.1", HTTP);
	made_put(A, made_at.num, &local, sizeof(local));
	made_put(A, made_at.state, &established, sizeof(established));
	ask(A); /* the first use adds it, and is its first question */
	ask(A);
	assert_non_null(find_peer("10.0.0.1", HTTP));
	assert_int_equal(peer_at("10.0.0.1", HTTP)->counts.exchanges, 2);
}

/* ---- places are taken back */

/* What a reading has seen. */
static struct readings {
	unsigned int peers, ports, last, nobodys;
	uint64_t exchanges;
	bool refuse;
} readings;

static bool on_target(void *context, const struct probe_target *target)
{
	(void)context;
	if (target->kind == TCP_PEER) {
		readings.peers++;
		readings.exchanges += target->peer->exchanges;
	} else {
		readings.ports++;
	}
	readings.last += target->last;
	readings.nobodys += target->target.slot == SOCKET_NOBODY;
	return !readings.refuse;
}

static void read_targets(void)
{
	readings = (struct readings){.refuse = readings.refuse};
	assert_int_equal(probe_read_targets(&probe, on_target, NULL), 0);
}

/* So much later user space looks at the targets, without a socket in between. */
static void look_later(uint64_t ns)
{
	struct tcp_targets *targets = tcp_targets_of(&probe);
	struct socket_set *sets = map_array(bpf->maps.tcp_sockets);
	unsigned int i;

	assert_non_null(sets);
	assert_int_equal(tcp_targets_begin(&probe, targets), 0);
	for (i = 0; i < SOCKET_SETS; i++)
		tcp_targets_note(targets, i, &sets[i]);
	assert_int_equal(tcp_targets_end(&probe, targets, clock_monotonic_ns() + ns), 0);
	mapped_count--;
	munmap(sets, SOCKET_SETS * sizeof(*sets));
}

#define SECOND UINT64_C(1000000000)

static void test_idle(void **state)
{
	(void)state;
	need_kernel();
	connect_to(A, "10.0.0.1", HTTP);
	connect_to(B, "10.0.0.2", HTTP);
	ask(A);
	end(A);
	look_later(0);
	look_later(299 * SECOND);
	read_targets();
	assert_int_equal(readings.peers, 2);
	look_later(302 * SECOND); /* B's is still used */
	assert_int_equal(peer_at("10.0.0.1", HTTP)->state, TCP_PLACE_CLOSED);
	assert_int_equal(peer_at("10.0.0.2", HTTP)->state, TCP_PLACE_TAKEN);
	read_targets();
	assert_int_equal(readings.last, 0);
	look_later(303 * SECOND);
	readings.refuse = true;
	read_targets();
	assert_int_equal(readings.last, 1);
	readings.refuse = false;
	read_targets();
	assert_int_equal(readings.last, 1);
	assert_int_equal(readings.exchanges, 1);
	read_targets();
	assert_int_equal(readings.peers, 1);
	assert_null(find_peer("10.0.0.1", HTTP));
	/* It begins anew. */
	connect_to(A, "10.0.0.1", HTTP);
	ask(A);
	assert_int_equal(peer_at("10.0.0.1", HTTP)->counts.exchanges, 1);
}

/* A socket got at a place just before it was closed: the place stays until the socket is gone. */
static void test_used_while_closed(void **state)
{
	(void)state;
	need_kernel();
	connect_to(A, "10.0.0.1", HTTP);
	peer_at("10.0.0.1", HTTP)->state = TCP_PLACE_CLOSED;
	look_later(SECOND);
	look_later(400 * SECOND);
	ask(A);
	read_targets();
	assert_int_equal(readings.last, 0);
	assert_int_equal(readings.exchanges, 1);
	end(A);
	look_later(401 * SECOND);
	read_targets();
	assert_int_equal(readings.last, 1);
	read_targets();
	assert_int_equal(readings.peers, 0);
}

/* One that has all it may have gets new ones sooner. */
static void test_idle_where_full(void **state)
{
	unsigned int n;

	(void)state;
	need_kernel();
	for (n = 0; n < TCP_SLOT_PEERS; n++) {
		connect_to_number(A, n);
		end(A);
	}
	look_later(0);
	look_later(61 * SECOND);
	look_later(62 * SECOND);
	read_targets();
	assert_int_equal(readings.last, TCP_SLOT_PEERS);
	connect_to_number(A, n);
	assert_int_equal(lost(TCP_LOST_PEERS_FULL), 0);
}

/* A slot is given back: what its remaining sockets do is counted for nobody it does not belong to.
 */
static void test_slot_is_freed(void **state)
{
	unsigned int slot;
	uint64_t before;

	(void)state;
	need_kernel();
	connect_to(A, "10.0.0.1", HTTP);
	accept_at(B, 8080);
	ask(A);
	slot = slot_of(own_id);
	probe.slot_state[slot] = SLOT_STATE_FREED;
	assert_int_equal(tcp->free_slots(&probe), 0);
	probe.slot_state[slot] = SLOT_STATE_OPEN;
	assert_int_equal(peer_at("10.0.0.1", HTTP)->target.slot, SOCKET_NOBODY);
	assert_int_equal(find_port(8080)->target.slot, SOCKET_NOBODY);
	/* The slot has another cgroup now, which asks the same peer. */
	before = peer_at("10.0.0.1", HTTP)->counts.exchanges;
	ask(A);
	assert_int_equal(before, 1);
	read_targets();
	assert_int_equal(readings.nobodys, 2);
	assert_int_equal(readings.peers, 2);
	assert_int_equal(readings.exchanges, 2);
	look_later(SECOND);
	look_later(2 * SECOND);
	read_targets();
	assert_int_equal(readings.last, 1); /* the socket B still has its port's */
}

#define TEST_TARGETS(function) TEST_WITH(function, open_all, close_all)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_TARGETS(test_peers),
		TEST_TARGETS(test_failures),
		TEST_TARGETS(test_no_record),
		TEST_TARGETS(test_ipv6),
		TEST_TARGETS(test_peers_of_a_slot),
		TEST_TARGETS(test_quota_of_peers),
		TEST_TARGETS(test_other_user),
		TEST_TARGETS(test_ports),
		TEST_TARGETS(test_ports_of_a_slot),
		TEST_TARGETS(test_adopted),
		TEST_TARGETS(test_idle),
		TEST_TARGETS(test_used_while_closed),
		TEST_TARGETS(test_idle_where_full),
		TEST_TARGETS(test_slot_is_freed),
	};

	return cmocka_run_group_tests_name("tcp_targets", tests, group_setup, group_teardown);
}
