/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Which connections are cut off, and when, on a clock of the test's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "http/connections.h"
#include "util/clock.h"

#define CLIENTS	 (CONNECTIONS_MAX + 10)
#define START_NS (1000 * NS_PER_S)

static struct connections all;
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
	return all.count || all.in[0] || all.in[1] || all.in[2];
}

static void test_waiting_ends(void **state)
{
	(void)state;
	assert_int_equal(connections_timeout_ms(&all, START_NS), -1);
	add(0, at_s(0));
	add(1, at_s(1));
	assert_int_equal(connections_timeout_ms(&all, at_s(0)), CONNECTION_FIRST_S * 1000);
	connections_expire(&all, at_s(CONNECTION_FIRST_S) - 1);
	assert_false(is_cut(0));
	assert_int_equal(connections_timeout_ms(&all, at_s(CONNECTION_FIRST_S) - 1), 1);
	connections_expire(&all, at_s(CONNECTION_FIRST_S));
	assert_true(is_cut(0));
	assert_false(is_cut(1));
	/* The one that was cut off does not keep the loop busy until its end is seen. */
	assert_int_equal(connections_timeout_ms(&all, at_s(CONNECTION_FIRST_S)), 1000);
	drop(0);
	connections_expire(&all, at_s(CONNECTION_FIRST_S + 100));
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
	for (s = 9; s <= 900; s += 60) {
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
	connections_cut_slow(&all, 5 * NS_PER_S, at_s(7));
	assert_false(is_cut(0)); /* it waits, which holds nothing */
	assert_true(is_cut(1));
	assert_true(is_cut(2));
	assert_false(is_cut(3));
}

static void test_too_many(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < CONNECTIONS_MAX; i++)
		add(i, at_s(0));
	connections_set_state(&all, known[0], CONNECTION_REPLY, at_s(1));
	for (i = 1; i < 10; i++)
		connections_set_state(&all, known[i], CONNECTION_IDLE, at_s(1));
	for (i = CONNECTIONS_MAX; i < CLIENTS; i++)
		add(i, at_s(2));
	/* Those that have waited longest; one that takes its reply does not wait. */
	for (i = 0; i < CLIENTS; i++)
		assert_int_equal(is_cut(i), i >= 10 && i < 10 + CLIENTS - CONNECTIONS_MAX);
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
		TEST(test_waiting_ends), TEST(test_replying_ends), TEST(test_kept_alive),
		TEST(test_slow_are_cut), TEST(test_too_many),	   TEST(test_client_has_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
