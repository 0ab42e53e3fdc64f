/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Which connections are cut off, and when, on a clock of the test's own. */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "http/connections.h"
#include "util/clock.h"

#define CLIENTS	 120
#define START_NS (1000 * NS_PER_S)

static struct refusals refusals;
static struct connections all = {.bounds = &connections_tcp, .refusals = &refusals};
static struct connection *known[CLIENTS];
static int client[CLIENTS];

static uint64_t at_s(unsigned int s)
{
	return START_NS + s * NS_PER_S;
}

static void add(size_t i, uint64_t now_ns)
{
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	client[i] = pair[0];
	known[i] = connections_add(&all, pair[1], now_ns);
	assert_non_null(known[i]);
}

static bool is_cut(size_t i)
{
	char byte;

	return recv(client[i], &byte, 1, MSG_DONTWAIT) == 0;
}

static void drop(size_t i)
{
	int fd = known[i]->fd;

	connections_remove(&all, known[i], 0);
	close(fd);
	close(client[i]);
	known[i] = NULL;
}

static int teardown(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < CLIENTS; i++)
		if (known[i])
			drop(i);
	memset(&refusals, 0, sizeof(refusals));
	return all.count || all.in[0] || all.in[1] || all.in[2];
}

static void test_waiting_ends(void **state)
{
	(void)state;
	assert_int_equal(connections_timeout_ms(&all, START_NS), -1);
	add(0, at_s(0));
	add(1, at_s(1));
	assert_int_equal(connections_timeout_ms(&all, at_s(0)), CONNECTION_REQUEST_S * 1000);
	connections_expire(&all, at_s(CONNECTION_REQUEST_S) - 1);
	assert_false(is_cut(0));
	assert_int_equal(connections_timeout_ms(&all, at_s(CONNECTION_REQUEST_S) - 1), 1);
	connections_expire(&all, at_s(CONNECTION_REQUEST_S));
	assert_true(is_cut(0));
	assert_false(is_cut(1));
	/* The one that was cut off does not keep the loop busy until its end is seen. */
	assert_int_equal(connections_timeout_ms(&all, at_s(CONNECTION_REQUEST_S)), 1000);
	drop(0);
	connections_expire(&all, at_s(CONNECTION_REQUEST_S + 100));
	assert_true(is_cut(1));
	assert_int_equal(connections_timeout_ms(&all, at_s(1000)), -1);
}

static void test_replying_ends(void **state)
{
	(void)state;
	add(0, at_s(0));
	connections_set_state(&all, known[0], CONNECTION_REPLY, at_s(80));
	assert_int_equal(connections_timeout_ms(&all, at_s(80)), CONNECTION_REPLY_S * 1000);
	connections_expire(&all, at_s(80 + CONNECTION_REPLY_S - 1));
	assert_false(is_cut(0));
	connections_expire(&all, at_s(80 + CONNECTION_REPLY_S));
	assert_true(is_cut(0));
}

/* A connection that is kept alive waits anew after each reply. */
static void test_kept_alive(void **state)
{
	unsigned int s;

	(void)state;
	add(0, at_s(0));
	for (s = 4; s <= 900; s += 60) {
		connections_expire(&all, at_s(s));
		connections_set_state(&all, known[0], CONNECTION_REPLY, at_s(s));
		connections_expire(&all, at_s(s + 1));
		connections_set_state(&all, known[0], CONNECTION_IDLE, at_s(s + 1));
	}
	assert_false(is_cut(0));
}

static void test_slow_are_cut(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < 4; i++) {
		add(i, at_s(0));
		if (i)
			connections_set_state(&all, known[i], CONNECTION_REPLY,
					      at_s((unsigned int)i));
	}
	connections_cut_slow(&all, at_s(7));
	assert_false(is_cut(0)); /* it waits, which holds nothing */
	assert_true(is_cut(1));
	assert_true(is_cut(2));
	assert_false(is_cut(3));
}

/* An address of a network: 10.0.0.N, or one of 2001:db8:0:N::/64. */
static struct sockaddr *address(bool v6, unsigned int n)
{
	static struct sockaddr_in in;
	static struct sockaddr_in6 in6;

	in = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x0a000000 + n)};
	in6 = (struct sockaddr_in6){.sin6_family = AF_INET6,
				    .sin6_addr.s6_addr = {0x20, 1, 0xd, 0xb8, 0, 0, 0,
							  (unsigned char)n, (unsigned char)rand(),
							  (unsigned char)rand()}};
	return v6 ? (struct sockaddr *)&in6 : (struct sockaddr *)&in;
}

/* A client of that address connects. Returns whether it may. */
static bool arrive(size_t i, const struct sockaddr *from, uint64_t now_ns)
{
	if (!connections_admit(&all, from, now_ns))
		return false;
	add(i, now_ns);
	network_of(from, known[i]->network); /* the pair of sockets has no address */
	return true;
}

static size_t count_cut(size_t begin, size_t end)
{
	size_t i, count = 0;

	for (i = begin; i < end; i++)
		count += is_cut(i);
	return count;
}

/* Requests without an end. Those of the greedy network give way, the oldest first. */
static void check_unfinished(bool v6)
{
	size_t i, own = connections_tcp.unfinished_per_network;

	assert_true(arrive(0, address(v6, 1), at_s(0)));
	for (i = 1; i <= own; i++)
		assert_true(arrive(i, address(v6, 2), at_s(1)));
	assert_int_equal(count_cut(0, own + 1), 0);
	for (; i <= own + 20; i++)
		assert_true(arrive(i, address(v6, 2), at_s(2)));
	for (i = 0; i <= own + 20; i++)
		assert_int_equal(is_cut(i), i >= 1 && i <= 20);
	assert_int_equal(refusals.count[REFUSAL_CONNECTIONS], 20);
	for (i = 0; i <= own + 20; i++)
		drop(i);
	memset(&refusals, 0, sizeof(refusals));
}

static void test_unfinished(void **state)
{
	(void)state;
	check_unfinished(false);
	check_unfinished(true);
}

/* Two greedy networks fill all places for requests. A third one's are not touched. */
static void test_unfinished_of_several(void **state)
{
	size_t i;

	(void)state;
	assert_true(arrive(0, address(false, 1), at_s(0)));
	for (i = 1; i < 100; i++)
		assert_true(arrive(i, address(false, 2 + i % 2), at_s(1)));
	assert_true(arrive(100, address(false, 1), at_s(2)));
	assert_false(is_cut(0));
	assert_false(is_cut(100));
	assert_int_equal(count_cut(0, 101), 101 - connections_tcp.unfinished);
}

/* Replies that nobody takes: a network has a bound, and there is place for the others. */
static void test_replies_of_one_network(void **state)
{
	size_t i, own = connections_tcp.per_network;

	(void)state;
	for (i = 0; i < own; i++) {
		assert_true(arrive(i, address(false, 2), at_s(0)));
		connections_set_state(&all, known[i], CONNECTION_REPLY, at_s(0));
	}
	/* A reply of its own does not give way at once: another client may be behind this address.
	 */
	assert_false(arrive(own, address(false, 2), at_s(1)));
	assert_int_equal(refusals.count[REFUSAL_CONNECTIONS], 1);
	assert_true(arrive(own, address(false, 1), at_s(1)));
	assert_int_equal(count_cut(0, own + 1), 0);
	assert_true(arrive(own + 1, address(false, 2), at_s(CONNECTION_SLOW_S)));
	assert_int_equal(count_cut(0, own), 1);
	assert_true(is_cut(0));
}

/* All places are taken by greedy networks. Who has fewer gets one of theirs, and keeps it. */
static void test_all_places(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < connections_tcp.all; i++) {
		assert_true(arrive(i, address(false, 2 + i % 4), at_s(0)));
		connections_set_state(&all, known[i], CONNECTION_REPLY, at_s(0));
	}
	assert_true(arrive(i, address(false, 1), at_s(1)));
	assert_int_equal(count_cut(0, i), 1);
	assert_false(arrive(i + 1, address(false, 3), at_s(1)));
	assert_false(is_cut(i));
}

/* Who was let in and took a reply keeps its place, whatever comes from wherever; as far as there
 * are places to be kept. */
static void test_kept_places(void **state)
{
	size_t i, own = connections_tcp.kept_per_network;

	(void)state;
	for (i = 0; i < own + 1; i++) {
		assert_true(arrive(i, address(false, 1), at_s(0)));
		connections_set_state(&all, known[i], CONNECTION_IDLE, at_s(0));
		connections_keep(&all, known[i]);
	}
	for (; i < CLIENTS; i++)
		if (arrive(i, address(false, (unsigned int)(10 + i)), at_s(1)))
			connections_set_state(&all, known[i], CONNECTION_REPLY, at_s(1));
		else
			break;
	assert_int_equal(count_cut(0, own), 0);
	assert_true(is_cut(own)); /* one more than are kept for a network */
	/* It stops reading: after a while its place is as good as any. */
	connections_set_state(&all, known[0], CONNECTION_REPLY, at_s(2));
	connections_expire(&all, at_s(2 + CONNECTION_SLOW_S));
	assert_false(known[0]->kept);
	assert_true(known[1]->kept);
}

/* Handshakes cost time. Who causes many, and asks nothing, has to wait; nobody else has. */
static void test_handshakes(void **state)
{
	size_t i, allowed = 0;

	(void)state;
	all.handshakes = true;
	for (i = 0; i < 800; i++)
		allowed += connections_admit(&all, address(true, 2), at_s(0) + i * NS_PER_S / 800);
	assert_in_range(allowed, BUDGET_BURST + BUDGET_PER_SECOND - 1,
			BUDGET_BURST + BUDGET_PER_SECOND);
	assert_int_equal(refusals.count[REFUSAL_CONNECTIONS], 800 - allowed);
	assert_true(connections_admit(&all, address(true, 1), at_s(1)));
	/* As many as it likes, if each is served. */
	for (i = 0; i < 1000; i++) {
		assert_true(arrive(0, address(false, 1), at_s(1)));
		connections_keep(&all, known[0]);
		drop(0);
	}
	/* A hundred other networks later it is a new one. */
	for (i = 3; i < 103; i++)
		assert_true(connections_admit(&all, address(true, (unsigned int)i), at_s(2)));
	assert_true(connections_admit(&all, address(true, 2), at_s(2)));
	all.handshakes = false;
}

static void test_slowness_is_counted(void **state)
{
	(void)state;
	add(0, at_s(0));
	add(1, at_s(0));
	connections_set_state(&all, known[1], CONNECTION_REPLY, at_s(0));
	add(2, at_s(0));
	connections_set_state(&all, known[2], CONNECTION_IDLE, at_s(0));
	connections_expire(&all, at_s(100));
	assert_int_equal(count_cut(0, 3), 3);
	assert_int_equal(refusals.count[REFUSAL_SLOW_REQUEST], 1);
	assert_int_equal(refusals.count[REFUSAL_SLOW_READER], 1);
	assert_int_equal(refusals.count[REFUSAL_CONNECTIONS], 0);
}

static void test_client_has_gone(void **state)
{
	(void)state;
	add(0, at_s(0));
	add(1, at_s(0));
	assert_int_equal(send(client[1], "GET", 3, 0), 3);
	assert_int_equal(shutdown(client[0], SHUT_WR), 0);
	connections_expire(&all, at_s(1));
	assert_true(is_cut(0));
	assert_false(is_cut(1));
}

#define TEST(function) cmocka_unit_test_teardown(function, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_waiting_ends),
		TEST(test_replying_ends),
		TEST(test_kept_alive),
		TEST(test_slow_are_cut),
		TEST(test_unfinished),
		TEST(test_unfinished_of_several),
		TEST(test_replies_of_one_network),
		TEST(test_all_places),
		TEST(test_kept_places),
		TEST(test_handshakes),
		TEST(test_slowness_is_counted),
		TEST(test_client_has_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
