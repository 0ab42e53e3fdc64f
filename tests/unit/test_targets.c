/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The books of peers and ports: what is added to which account, and when series end. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "counts.h"
#include "metrics/targets.h"
#include "metrics/unread.h"

static struct owners owners;
static struct targets targets;
static struct owner *owner;

static int setup(void **state)
{
	(void)state;
	owners = (struct owners){0};
	if (targets_open(&targets))
		return -1;
	owner = container_owner(&owners, "shop", "web", "main");
	targets_begin(&targets);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	owners_free(&owners);
	targets_close(&targets);
	return owners.table ? -1 : 0;
}

/* ---- readings */

static struct probe_target target_of(enum tcp_target_kind kind, unsigned int place, uint16_t port)
{
	return (struct probe_target){
		.kind = kind,
		.place = place,
		.target = {.slot = 1,
			   .port = port,
			   .address = {0, 0, htonl(0xffff), htonl(0x0a000000 + place)}}};
}

/* A peer at 10.0.0.PLACE that has answered so often, in 5 ns each. */
static void read_peer_of(struct owner *of, unsigned int place, uint64_t exchanges, bool last)
{
	const struct tcp_peer_counts counts = {.wait_ns = 5 * exchanges, .exchanges = exchanges};
	struct probe_target target = target_of(TCP_PEER, place, 80);
	bool added;

	target.peer = &counts;
	target.last = last;
	assert_true(targets_add(&targets, of, &target, &added));
}

static void read_peer(unsigned int place, uint64_t exchanges)
{
	read_peer_of(owner, place, exchanges, false);
}

static void read_port(unsigned int place, uint16_t port, uint64_t accepted)
{
	const struct tcp_port_counts counts = {.accepted = accepted,
					       .response = {.sum_ns = accepted}};
	struct probe_target target = target_of(TCP_PORT, place, port);
	bool added;

	target.port = &counts;
	assert_true(targets_add(&targets, owner, &target, &added));
}

static void next_round(void)
{
	targets_end(&targets, &owners);
	targets_begin(&targets);
}

/* ---- series */

/* What a ledger has of a family for one label; -1: there is no such account. */
struct search {
	const char *label, *value;
	int64_t found;
	size_t accounts;
};

static void on_value(void *context, const struct ledger_value *value)
{
	struct search *search = context;
	size_t i;

	search->accounts++;
	for (i = 0; i < value->account_labels; i++)
		if (!strcmp(value->labels[i].name, search->label) &&
		    !strcmp(value->labels[i].value, search->value)) {
			assert_int_equal(search->found, -1); /* no two series are the same */
			search->found = (int64_t)value->number;
		}
}

static int64_t number_in(const struct ledger *ledger, enum family_id family, const char *label,
			 const char *value)
{
	struct search search = {.label = label, .value = value, .found = -1};

	ledger_visit(ledger, &families[family], on_value, &search);
	return search.found;
}

static int64_t exchanges_with(const char *ip)
{
	return number_in(&owner->ledger, FAMILY_TCP_PEER_EXCHANGES, "peer_ip", ip);
}

static int64_t accepted_at(const char *port)
{
	return number_in(&owner->ledger, FAMILY_TCP_ACCEPTED, "port", port);
}

/* ---- tests */

static void test_growth(void **state)
{
	(void)state;
	read_peer(1, 10);
	read_peer(2, 1);
	next_round();
	read_peer(1, 12);
	read_peer(2, 1);
	assert_int_equal(exchanges_with("10.0.0.1"), 12);
	assert_int_equal(exchanges_with("10.0.0.2"), 1);
	assert_int_equal(number_in(&owner->ledger, FAMILY_TCP_PEER_WAIT, "peer_ip", "10.0.0.1"),
			 60);
	assert_int_equal(exchanges_with("other"), -1);
	assert_int_equal(targets.stepped_back, 0);
	next_round();
	read_peer(1, 11);
	assert_int_equal(targets.stepped_back, 2);
	assert_int_equal(exchanges_with("10.0.0.1"), 12);
}

/* A target of nobody, or of an owner that is not known yet. */
static void test_without_owner(void **state)
{
	const struct tcp_peer_counts counts = {.exchanges = 3};
	struct probe_target target = target_of(TCP_PEER, 1, 80);
	bool added;

	(void)state;
	target.peer = &counts;
	assert_false(targets_add(&targets, NULL, &target, &added));
	assert_false(added);
	assert_true(targets_add(&targets, owner, &target, &added));
	assert_true(added);
	target.target.slot = SOCKET_NOBODY;
	target.last = true;
	assert_true(targets_add(&targets, NULL, &target, &added));
	assert_false(added);
	/* The next one at this place begins at zero. */
	read_peer(1, 2);
	assert_int_equal(exchanges_with("10.0.0.1"), 5);
}

/* Two slots of one owner ask the same peer. */
static void test_shared(void **state)
{
	struct probe_target target = target_of(TCP_PEER, 1, 80);
	const struct tcp_peer_counts counts = {.exchanges = 3};
	bool added;

	(void)state;
	read_peer(1, 10);
	target.place = 9;
	target.peer = &counts;
	assert_true(targets_add(&targets, owner, &target, &added));
	assert_int_equal(exchanges_with("10.0.0.1"), 13);
}

/* What no reader has seen of a series that ends goes on as another's. */
static void test_end_unread(void **state)
{
	(void)state;
	read_peer(1, 10);
	read_peer(2, 1);
	next_round();
	read_peer(2, 1);
	next_round();
	assert_int_equal(exchanges_with("10.0.0.1"), -1);
	assert_int_equal(exchanges_with("10.0.0.2"), 1);
	assert_int_equal(exchanges_with("other"), 10);
}

static void test_end_read(void **state)
{
	(void)state;
	read_peer(1, 10);
	next_round();
	owners_mark_read(&owners, 1);
	read_peer_of(owner, 1, 14, true);
	next_round();
	next_round();
	assert_int_equal(exchanges_with("10.0.0.1"), -1);
	assert_int_equal(exchanges_with("other"), 4);
	assert_int_equal(
		number_in(owner_unread(owner), FAMILY_TCP_PEER_EXCHANGES, "peer_ip", "other"), 4);
	owners_mark_read(&owners, 2);
	assert_true(owner_was_read(owner));
	/* The peer comes back, at another place. */
	read_peer(2, 1);
	assert_int_equal(exchanges_with("10.0.0.2"), 1);
	assert_int_equal(exchanges_with("other"), 4);
}

/* Of an owner that has been read whole nothing is left. */
static void test_end_of_what_was_read(void **state)
{
	(void)state;
	read_peer(1, 10);
	next_round();
	owners_mark_read(&owners, 1);
	next_round();
	assert_int_equal(exchanges_with("10.0.0.1"), -1);
	assert_int_equal(exchanges_with("other"), 0);
	assert_null(targets.peers);
}

static void test_too_many_peers(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 1; i <= TCP_SLOT_PEERS + 2; i++)
		read_peer(i, i);
	assert_int_equal(owner->ledger.of[SOURCE_PEERS].count, TCP_SLOT_PEERS + 1);
	assert_int_equal(exchanges_with("other"), 2 * TCP_SLOT_PEERS + 3);
	/* When one ends, there is room for the next. */
	next_round();
	for (i = 2; i <= TCP_SLOT_PEERS + 2; i++)
		read_peer(i, i);
	next_round();
	read_peer(TCP_SLOT_PEERS + 1, TCP_SLOT_PEERS + 4);
	assert_int_equal(exchanges_with("10.0.0.17"), 3);
}

/* A port is as old as its owner, and stays: its histogram does not fall. */
static void test_ports(void **state)
{
	(void)state;
	read_port(1, 6443, 3);
	read_port(2, 10250, 4);
	next_round();
	next_round();
	assert_int_equal(accepted_at("6443"), 3);
	read_port(1, 6443, 5);
	assert_int_equal(accepted_at("6443"), 5);
	assert_int_equal(accepted_at("10250"), 4);
}

/* Only if an owner has as many as it may have, those that are not used any more give way. */
static void test_too_many_ports(void **state)
{
	uint16_t i;

	(void)state;
	for (i = 1; i <= TCP_SLOT_PORTS + 1; i++)
		read_port(i, i, 1);
	assert_int_equal(accepted_at("other"), 1);
	assert_int_equal(accepted_at("9"), -1);
	next_round();
	read_port(1, 1, 1);
	read_port(9, 9, 1);
	next_round();
	assert_int_equal(accepted_at("1"), 1);
	assert_int_equal(accepted_at("2"), -1);
	assert_int_equal(accepted_at("other"), TCP_SLOT_PORTS);
	read_port(9, 9, 3);
	assert_int_equal(accepted_at("9"), 2);
}

/* Containers without end that listen do not take memory without end: those that are used stay. */
static void test_too_many_ports_of_all(void **state)
{
	struct owner *first = owner;
	char pod[16];
	uint16_t i;

	(void)state;
	read_port(1, 6443, 3);
	next_round();
	for (i = 0; i <= TCP_PORTS; i++) {
		snprintf(pod, sizeof(pod), "pod-%u", i);
		owner = container_owner(&owners, "shop", pod, "main");
		read_port(2 + i % (TCP_PORTS - 2), (uint16_t)(9000 + i), 1 + i / (TCP_PORTS - 2));
	}
	next_round();
	owner = first;
	read_port(1, 6443, 3);
	next_round();
	assert_int_equal(accepted_at("6443"), 3);
	owner = container_owner(&owners, "shop", "pod-0", "main");
	assert_int_equal(accepted_at("9000"), -1);
	assert_int_equal(accepted_at("other"), 1);
	/* There are few again. */
	read_port(2, 8080, 3);
	next_round();
	next_round();
	assert_int_equal(accepted_at("8080"), 1);
}

/* What found no place in the kernel; and what a client does, which is at no port. */
static void test_others(void **state)
{
	struct tcp_cell before = {0}, now = {.accepted = 2, .other_peers = {.failures = 3}};

	(void)state;
	now.response[TCP_CLIENT].sum_ns = 7;
	now.response[TCP_SERVER].sum_ns = 8;
	assert_true(targets_add_others(&targets, owner, &before, &before));
	assert_int_equal(accepted_at(""), 0);
	assert_int_equal(accepted_at("other"), -1);
	assert_true(targets_add_others(&targets, owner, &now, &before));
	assert_int_equal(accepted_at("other"), 2);
	assert_int_equal(number_in(&owner->ledger, FAMILY_TCP_PEER_FAILURES, "peer_ip", "other"),
			 3);
	assert_int_equal(
		account_hist(ledger_find(&owner->ledger, SOURCE_PORTS, LEDGER_LABELS(port_none)),
			     &families[FAMILY_TCP_RESPONSE], TCP_CLIENT)
			->sum_ns,
		7);
	assert_int_equal(
		account_hist(ledger_find(&owner->ledger, SOURCE_PORTS, LEDGER_LABELS(port_other)),
			     &families[FAMILY_TCP_RESPONSE], TCP_SERVER)
			->sum_ns,
		8);
}

/* A sum of owners does not have all their peers and ports by name. */
static void test_sum(void **state)
{
	struct owner *sum;

	(void)state;
	owners.max_containers = 1;
	owner = container_owner(&owners, "shop", "db", "main");
	assert_true(owner->summed);
	read_peer(1, 10);
	read_port(1, 5432, 3);
	sum = owners_sum(&owners);
	assert_non_null(sum);
	assert_int_equal(number_in(&sum->ledger, FAMILY_TCP_PEER_EXCHANGES, "peer_ip", "other"),
			 10);
	assert_int_equal(number_in(&sum->ledger, FAMILY_TCP_ACCEPTED, "port", "other"), 3);
	assert_int_equal(sum->ledger.of[SOURCE_PEERS].count, 1);
	assert_int_equal(sum->ledger.of[SOURCE_PORTS].count, 1);
	owners_free_sum(sum);
	owners_remove(&owners, owner);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_growth),	   TEST(test_without_owner),
		TEST(test_shared),	   TEST(test_end_unread),
		TEST(test_end_read),	   TEST(test_end_of_what_was_read),
		TEST(test_too_many_peers), TEST(test_ports),
		TEST(test_too_many_ports), TEST(test_too_many_ports_of_all),
		TEST(test_others),	   TEST(test_sum),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
