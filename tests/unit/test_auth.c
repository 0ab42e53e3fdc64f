/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Basic authentication: which clients pass, who waits for whom, and how much is hashed. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include <gnutls/gnutls.h>

#include "http/auth.h"
#include "http/hasher.h"
#include "util/array.h"
#include "util/clock.h"

/* bcrypt of "secret", with the least cost */
static char hash[] = "$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW";
static char name[] = "prom";
static struct web_user user = {name, hash, 4};
static struct web_config config = {.users = &user, .user_count = 1};
static struct auth *auth;
static struct auth_ticket tickets[100];

static int setup(void **state)
{
	(void)state;
	return auth_new(&auth) || auth_start(auth);
}

static int teardown(void **state)
{
	(void)state;
	auth_drop(auth);
	auth_free(auth);
	return 0;
}

static struct sockaddr_storage address(const char *text)
{
	struct sockaddr_storage any = {0};
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&any;
	struct sockaddr_in *v4 = (struct sockaddr_in *)&any;

	if (inet_pton(AF_INET6, text, &v6->sin6_addr) == 1) {
		v6->sin6_family = AF_INET6;
	} else {
		assert_int_equal(inet_pton(AF_INET, text, &v4->sin_addr), 1);
		v4->sin_family = AF_INET;
	}
	return any;
}

/* Asks with "user:password" from an address at a time. */
static enum auth_verdict ask(const char *credentials, const char *from, struct auth_ticket *ticket,
			     uint64_t now_ns)
{
	gnutls_datum_t text = {(unsigned char *)credentials, (unsigned int)strlen(credentials)};
	struct sockaddr_storage any = address(from);
	gnutls_datum_t base64;
	char header[2048];

	assert_int_equal(gnutls_base64_encode2(&text, &base64), 0);
	snprintf(header, sizeof(header), "Basic %s", base64.data);
	gnutls_free(base64.data);
	return auth_check(auth, &config, header, (struct sockaddr *)&any, ticket, now_ns);
}

/* Waits until the thread has hashed one. */
static void wait_for_hash(void)
{
	struct pollfd fd = {.fd = auth_fd(auth), .events = POLLIN};

	assert_int_equal(poll(&fd, 1, 60000), 1);
}

/* Lets what is next be hashed, at this time, by which the rest must be over. Returns the ticket
 * that is decided first. */
static struct auth_ticket *finish_one(uint64_t now_ns)
{
	struct pollfd fd = {.fd = auth_fd(auth), .events = POLLIN};
	struct auth_ticket *ticket;
	int turns;

	for (turns = 0; turns < 6000; turns++) {
		auth_run(auth, now_ns);
		ticket = auth_decided(auth);
		if (ticket)
			return ticket;
		poll(&fd, 1, 10);
	}
	return NULL;
}

/* The verdict on "user:password", after it was hashed if need be. Up to six are hashed a second. */
static enum auth_verdict try_at(const char *credentials, unsigned int s)
{
	static unsigned int last_s, tries;
	enum auth_verdict verdict = ask(credentials, "192.0.2.1", &tickets[0], s * NS_PER_S);

	if (verdict != AUTH_WAIT)
		return verdict;
	tries = s == last_s ? tries + 1 : 1;
	last_s = s;
	assert_ptr_equal(finish_one(s * NS_PER_S + tries * (NS_PER_S / 6)), &tickets[0]);
	assert_null(auth_decided(auth));
	return tickets[0].verdict;
}

static void test_passwords(void **state)
{
	(void)state;
	assert_int_equal(try_at("prom:secret", 100), AUTH_PASSED);
	assert_int_equal(try_at("prom:Secret", 101), AUTH_FAILED);
	assert_int_equal(try_at("prom:secret ", 102), AUTH_FAILED);
	assert_int_equal(try_at("prom:", 103), AUTH_FAILED);
	assert_int_equal(try_at("Prom:secret", 104), AUTH_FAILED);
	assert_int_equal(try_at(":secret", 105), AUTH_FAILED);
	assert_int_equal(try_at("other:secret", 106), AUTH_FAILED);
	assert_int_equal(try_at("prom:secret:more", 107), AUTH_FAILED);
	assert_int_equal(try_at("prom:secret", 107), AUTH_PASSED);
}

/* crypt(3) takes passwords of 511 bytes, of which bcrypt uses 72. */
static void test_long_passwords(void **state)
{
	char credentials[700] = "prom:";

	(void)state;
	memset(credentials + 5, 'x', 511);
	assert_int_equal(try_at(credentials, 1), AUTH_FAILED);
	credentials[5 + 511] = 'x';
	/* Not even tried. */
	assert_int_equal(ask(credentials, "192.0.2.1", &tickets[0], NS_PER_S), AUTH_FAILED);
}

static void test_headers(void **state)
{
	static const char *const headers[] = {
		NULL,
		"",
		"Basic",
		"Basic ",
		"Basic !!!!",
		"Basic cHJvbQ==", /* no colon */
		"Bearer cHJvbTpzZWNyZXQ=",
		"cHJvbTpzZWNyZXQ=",
		"Basic cHJvbTpzZWNyZXQAeA==", /* a NUL */
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(headers); i++)
		assert_int_equal(auth_check(auth, &config, headers[i], NULL, &tickets[0], NS_PER_S),
				 AUTH_FAILED);
	assert_int_equal(auth_timeout_ms(auth, NS_PER_S), -1); /* nothing waits */
	assert_int_equal(
		auth_check(auth, &config, "bAsIc   cHJvbTpzZWNyZXQ=", NULL, &tickets[0], NS_PER_S),
		AUTH_WAIT);
	wait_for_hash();
	auth_run(auth, NS_PER_S);
	assert_ptr_equal(auth_decided(auth), &tickets[0]);
	assert_int_equal(tickets[0].verdict, AUTH_PASSED);
}

static void test_nobody_is_asked_without_users(void **state)
{
	(void)state;
	assert_int_equal(
		auth_check(auth, &(struct web_config){0}, NULL, NULL, &tickets[0], NS_PER_S),
		AUTH_PASSED);
}

/* A few guesses are tried at once, then one a second. Known clients always pass. */
static void test_guesses_are_bounded(void **state)
{
	unsigned int i, tried = 0, s;
	char guess[32];

	(void)state;
	assert_int_equal(try_at("prom:secret", 1), AUTH_PASSED);
	for (s = 10; s < 110; s++) {
		for (i = 0; i < 20; i++) {
			snprintf(guess, sizeof(guess), "prom:%u-%u", s, i);
			tried += try_at(guess, s) == AUTH_FAILED;
		}
		assert_int_equal(try_at("prom:secret", s), AUTH_PASSED);
	}
	assert_int_equal(tried, AUTH_BURST + 99);
	/* A guess that was tried before costs nothing. */
	snprintf(guess, sizeof(guess), "prom:%u-0", s - 1);
	assert_int_equal(try_at(guess, s - 1), AUTH_FAILED);
	assert_int_equal(try_at("prom:new", s - 1), AUTH_LATER);
}

/* With another hash what was right before is not any more. */
static void test_new_hash(void **state)
{
	char other[] = "$2b$10$abcdefghijklmnopqrstuu37RkUr9H1EPO4Rc63Ngz60LSVREthYa";

	(void)state;
	assert_int_equal(try_at("prom:secret", 1), AUTH_PASSED);
	user.hash = other;
	assert_int_equal(try_at("prom:secret", 20), AUTH_FAILED);
	assert_int_equal(try_at("prom:nobody", 40), AUTH_PASSED);
	user.hash = hash;
	assert_int_equal(try_at("prom:nobody", 60), AUTH_FAILED);
}

/* The address whose last password is longest ago is the next, whoever has waited longer. */
static void test_addresses_take_turns(void **state)
{
	uint64_t at = 100 * NS_PER_S;
	char guess[32], from[32];
	unsigned int i;

	(void)state;
	assert_int_equal(ask("prom:0", "192.0.2.1", &tickets[0], at), AUTH_WAIT);
	assert_int_equal(ask("prom:1", "192.0.2.1", &tickets[1], at), AUTH_WAIT);
	assert_int_equal(ask("prom:2", "192.0.2.1", &tickets[2], at), AUTH_LATER); /* of two */
	for (i = 2; i < 10; i++) {
		snprintf(guess, sizeof(guess), "prom:%u", i);
		snprintf(from, sizeof(from), "192.0.2.%u", i);
		assert_int_equal(ask(guess, from, &tickets[i], at), AUTH_WAIT);
	}
	assert_ptr_equal(finish_one(at), &tickets[0]);
	assert_int_equal(ask("prom:secret", "192.0.2.200", &tickets[20], at), AUTH_WAIT);
	for (i = 2; i < 10; i++)
		assert_ptr_equal(finish_one(at += NS_PER_S), &tickets[i]);
	assert_ptr_equal(finish_one(at += NS_PER_S), &tickets[20]);
	assert_int_equal(tickets[20].verdict, AUTH_PASSED);
	assert_ptr_equal(finish_one(at += NS_PER_S), &tickets[1]);
}

/* One address cannot keep the others out of the queue, nor can many that were there before. */
static void test_the_queue_is_shared(void **state)
{
	uint64_t at = 100 * NS_PER_S;
	char guess[32], from[32];
	unsigned int i, round, waits = 0;

	(void)state;
	for (round = 0; round < 2; round++) {
		for (i = 0; i < 50; i++) {
			snprintf(guess, sizeof(guess), "prom:%u-%u", i, round);
			snprintf(from, sizeof(from), "192.0.2.%u", i);
			waits += ask(guess, from, &tickets[2 * i + round], at) == AUTH_WAIT;
		}
	}
	assert_int_equal(waits, AUTH_JOBS);
	/* A new one asked less often, and takes the place of one of them. */
	assert_int_equal(ask("prom:secret", "198.51.100.1", &tickets[99], at), AUTH_WAIT);
	assert_non_null(auth_decided(auth));
	assert_null(auth_decided(auth));
	assert_non_null(finish_one(at));
	/* It is the next, too. */
	assert_ptr_equal(finish_one(at += NS_PER_S), &tickets[99]);
	assert_int_equal(tickets[99].verdict, AUTH_PASSED);
	auth_drop(auth);
	while (auth_decided(auth))
		;
}

/* Patient guesses from many addresses fill the queue. They give way once they had their turn. */
static void test_many_new_addresses(void **state)
{
	uint64_t at = 100 * NS_PER_S;
	char guess[32], from[32];
	unsigned int i;

	(void)state;
	for (i = 0; i < AUTH_JOBS; i++) {
		snprintf(guess, sizeof(guess), "prom:%u", i);
		snprintf(from, sizeof(from), "192.0.2.%u", i);
		assert_int_equal(ask(guess, from, &tickets[i], at), AUTH_WAIT);
	}
	assert_int_equal(ask("prom:secret", "198.51.100.1", &tickets[99], at), AUTH_LATER);
	assert_ptr_equal(finish_one(at), &tickets[0]);
	auth_run(auth, at += 10 * NS_PER_S);
	assert_int_equal(ask("prom:again", "192.0.2.0", &tickets[98], at), AUTH_WAIT);
	assert_null(auth_decided(auth));
	/* Now one of them is not: it gives way. */
	assert_int_equal(ask("prom:secret", "198.51.100.1", &tickets[99], at), AUTH_WAIT);
	assert_ptr_equal(auth_decided(auth), &tickets[98]);
	assert_int_equal(tickets[98].verdict, AUTH_LATER);
	auth_drop(auth);
	for (i = 0; auth_decided(auth); i++)
		;
	assert_int_equal(i, AUTH_JOBS);
}

/*
 * An IPv6 network of /64 is one address; one that stands for IPv4, or is link-local, is not. Of the
 * loopback's addresses the first 16 are told apart.
 */
static void test_networks(void **state)
{
	static const struct {
		const char *a, *b;
		bool same;
	} pairs[] = {
		{"2001:db8::1", "2001:db8::ffff:1", true},
		{"2001:db8::1", "2001:db8:0:1::1", false},
		{"::ffff:192.0.2.1", "::ffff:192.0.2.2", false},
		{"::ffff:192.0.2.1", "192.0.2.1", true},
		{"fe80::1", "fe80::2", false},
		{"192.0.2.1", "192.0.2.2", false},
		{"127.0.0.1", "127.0.0.15", false},
		{"127.0.0.16", "127.255.3.4", true},
		{"127.0.0.15", "127.0.0.16", false},
		{"127.0.1.1", "127.200.0.1", true},
		{"::ffff:127.0.1.1", "127.200.0.1", true},
		{"::ffff:127.0.0.1", "127.0.0.1", true},
		{"126.0.1.1", "126.200.0.1", false},
	};
	struct auth_clients clients = {0};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(pairs); i++) {
		struct sockaddr_storage a = address(pairs[i].a), b = address(pairs[i].b);
		struct auth_client *found = auth_clients_get(&clients, (struct sockaddr *)&a, 1);

		if ((found == auth_clients_get(&clients, (struct sockaddr *)&b, 1)) !=
		    pairs[i].same)
			fail_msg("%s and %s", pairs[i].a, pairs[i].b);
	}
}

/* Many addresses push out the one that was quiet for longest, and none that waits. */
static void test_many_addresses(void **state)
{
	struct auth_clients clients = {0};
	struct auth_client *waiting, *known;
	struct sockaddr_storage a = address("198.51.100.1"), b = address("198.51.100.2");
	unsigned int i;

	(void)state;
	waiting = auth_clients_get(&clients, (struct sockaddr *)&a, 1);
	waiting->jobs = 1;
	known = auth_clients_get(&clients, (struct sockaddr *)&b, 2);
	for (i = 0; i < 10 * AUTH_CLIENTS; i++) {
		struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(i)};

		assert_ptr_not_equal(auth_clients_get(&clients, (struct sockaddr *)&v4, 3 + i),
				     waiting);
		assert_ptr_equal(auth_clients_get(&clients, (struct sockaddr *)&b, 3 + i), known);
		assert_true(auth_client_try(known, (i + 1) * NS_PER_S));
	}
	assert_ptr_equal(auth_clients_get(&clients, (struct sockaddr *)&a, 1), waiting);
}

/* Who asks with the same password meanwhile waits for the same hash. */
static void test_one_hash_for_all(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < AUTH_TICKETS_EACH; i++)
		assert_int_equal(ask("prom:secret", "192.0.2.1", &tickets[i], NS_PER_S), AUTH_WAIT);
	assert_int_equal(ask("prom:secret", "192.0.2.1", &tickets[i], NS_PER_S), AUTH_LATER);
	assert_int_equal(ask("prom:secret", "192.0.2.2", &tickets[i], NS_PER_S), AUTH_WAIT);
	wait_for_hash();
	auth_run(auth, NS_PER_S);
	for (i = 0; i < AUTH_TICKETS_EACH + 1; i++) {
		assert_ptr_equal(auth_decided(auth), &tickets[i]);
		assert_int_equal(tickets[i].verdict, AUTH_PASSED);
	}
	assert_null(auth_decided(auth));
	assert_int_equal(auth_timeout_ms(auth, NS_PER_S), -1);
}

/* A client that gave up finds its password remembered when it comes again. */
static void test_who_waits_too_long(void **state)
{
	uint64_t at = NS_PER_S;

	(void)state;
	assert_int_equal(ask("prom:secret", "192.0.2.1", &tickets[0], at), AUTH_WAIT);
	assert_int_equal(auth_timeout_ms(auth, at), AUTH_WAIT_S * 1000);
	wait_for_hash();
	assert_int_equal(auth_timeout_ms(auth, at + AUTH_WAIT_S * NS_PER_S), 0);
	auth_drop(auth); /* as at a change of the users, or after AUTH_WAIT_S */
	assert_int_equal(auth_timeout_ms(auth, at), 0);
	assert_ptr_equal(auth_decided(auth), &tickets[0]);
	assert_int_equal(tickets[0].verdict, AUTH_LATER);
	auth_run(auth, at);
	assert_null(auth_decided(auth));
	assert_int_equal(ask("prom:secret", "192.0.2.1", &tickets[0], at), AUTH_PASSED);
	/* One that was not hashed in time. */
	assert_int_equal(ask("prom:1", "192.0.2.1", &tickets[0], at), AUTH_WAIT);
	assert_int_equal(ask("prom:2", "192.0.2.1", &tickets[1], at), AUTH_WAIT);
	auth_run(auth, at + AUTH_WAIT_S * NS_PER_S - 1);
	assert_null(auth_decided(auth));
	auth_run(auth, at + AUTH_WAIT_S * NS_PER_S);
	while (auth_decided(auth))
		;
	assert_int_equal(tickets[1].verdict, AUTH_LATER);
}

/* After a hash that took t nothing is hashed for 9 t. */
static void test_the_thread_rests(void **state)
{
	char dear[] = "$2b$08$abcdefghijklmnopqrstuu37RkUr9H1EPO4Rc63Ngz60LSVREthYa";
	uint64_t at = 100 * NS_PER_S;
	struct pollfd fd = {.fd = auth_fd(auth), .events = POLLIN};
	int rest_ms;

	(void)state;
	user.hash = dear;
	assert_int_equal(ask("prom:1", "192.0.2.1", &tickets[0], at), AUTH_WAIT);
	assert_int_equal(ask("prom:2", "192.0.2.1", &tickets[1], at), AUTH_WAIT);
	assert_ptr_equal(finish_one(at), &tickets[0]);
	rest_ms = auth_timeout_ms(auth, at);
	assert_in_range(rest_ms, 10, 10000); /* a hash of this cost takes milliseconds */
	auth_run(auth, at + (uint64_t)(rest_ms - 1) * NS_PER_S / 1000);
	assert_int_equal(poll(&fd, 1, 200), 0);
	auth_run(auth, at + (uint64_t)rest_ms * NS_PER_S / 1000);
	assert_ptr_equal(finish_one(at + NS_PER_S), &tickets[1]);
	user.hash = hash;
}

/* A user that does not exist is hashed for, with the cost of those that do. */
static void test_unknown_users_take_as_long(void **state)
{
	static const char *const credentials[] = {"prom:wrong", "other:wrong", ":wrong", "prom2:x"};
	char dear[] = "$2b$09$abcdefghijklmnopqrstuu37RkUr9H1EPO4Rc63Ngz60LSVREthYa";
	uint64_t at = 100 * NS_PER_S;
	int rest_ms[4], least = 1 << 30, most = 0;
	size_t i;

	(void)state;
	user.hash = dear;
	user.cost = 9;
	for (i = 0; i < ARRAY_SIZE(credentials); i++) {
		at += 60 * NS_PER_S;
		assert_int_equal(ask(credentials[i], "192.0.2.1", &tickets[0], at), AUTH_WAIT);
		assert_int_equal(ask("prom:next", "192.0.2.2", &tickets[1], at), AUTH_WAIT);
		assert_ptr_equal(finish_one(at), &tickets[0]);
		assert_int_equal(tickets[0].verdict, AUTH_FAILED);
		rest_ms[i] = auth_timeout_ms(auth, at);
		least = rest_ms[i] < least ? rest_ms[i] : least;
		most = rest_ms[i] > most ? rest_ms[i] : most;
		/* What was wrong once is known for each of them. */
		assert_int_equal(ask(credentials[i], "192.0.2.1", &tickets[0], at), AUTH_FAILED);
		auth_drop(auth);
		while (auth_decided(auth))
			;
	}
	/* A cost of one less would be half. The CPU's clock may differ that much, but not by 4. */
	assert_true(most < 4 * least);
	user.hash = hash;
	user.cost = 4;
}

/* Nothing is let in before there is a thread; and one that hashes is waited for at the end. */
static void test_start_and_end(void **state)
{
	struct hasher *hasher;
	struct auth *none;

	(void)state;
	assert_int_equal(auth_new(&none), 0);
	assert_int_equal(auth_check(none, &config, "Basic cHJvbTpzZWNyZXQ=", NULL, &tickets[0], 1),
			 AUTH_LATER);
	auth_free(none);
	assert_int_equal(hasher_new(&hasher), 0);
	assert_false(hasher_begin(hasher, "secret", hash));
	assert_int_equal(hasher_start(hasher), 0);
	assert_int_equal(hasher_start(hasher), 0);
	assert_true(hasher_begin(hasher, "secret", hash));
	assert_false(hasher_begin(hasher, "secret", hash));
	hasher_free(hasher);
	hasher_free(NULL);
	assert_int_equal(ask("prom:secret", "192.0.2.1", &tickets[0], 1), AUTH_WAIT);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_passwords),
		TEST(test_long_passwords),
		TEST(test_headers),
		TEST(test_nobody_is_asked_without_users),
		TEST(test_guesses_are_bounded),
		TEST(test_new_hash),
		TEST(test_addresses_take_turns),
		TEST(test_the_queue_is_shared),
		TEST(test_many_new_addresses),
		TEST(test_networks),
		TEST(test_many_addresses),
		TEST(test_one_hash_for_all),
		TEST(test_who_waits_too_long),
		TEST(test_the_thread_rests),
		TEST(test_unknown_users_take_as_long),
		TEST(test_start_and_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
