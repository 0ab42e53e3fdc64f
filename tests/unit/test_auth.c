/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Basic authentication: which clients pass, and how many guesses are tried. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include <gnutls/gnutls.h>

#include "http/auth.h"
#include "util/array.h"
#include "util/clock.h"

/* bcrypt of "secret", with the least cost */
static char hash[] = "$2y$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW";
static char name[] = "prom";
static struct web_user user = {name, hash};
static struct web_config config = {.users = &user, .user_count = 1};
static struct auth auth;

static int setup(void **state)
{
	(void)state;
	memset(&auth, 0, sizeof(auth));
	return 0;
}

/* The verdict on "user:password" at a second. */
static enum auth_verdict try_at(const char *credentials, unsigned int s)
{
	gnutls_datum_t text = {(unsigned char *)credentials, (unsigned int)strlen(credentials)};
	gnutls_datum_t base64;
	char header[256];

	assert_int_equal(gnutls_base64_encode2(&text, &base64), 0);
	snprintf(header, sizeof(header), "Basic %s", base64.data);
	gnutls_free(base64.data);
	return auth_check(&auth, &config, header, s * NS_PER_S);
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
		assert_int_equal(auth_check(&auth, &config, headers[i], NS_PER_S), AUTH_FAILED);
	assert_int_equal(auth.right.count + auth.wrong.count, 0); /* nothing was tried */
	assert_int_equal(auth_check(&auth, &config, "bAsIc   cHJvbTpzZWNyZXQ=", NS_PER_S),
			 AUTH_PASSED);
}

static void test_nobody_is_asked_without_users(void **state)
{
	(void)state;
	assert_int_equal(auth_check(&auth, &(struct web_config){0}, NULL, 1), AUTH_PASSED);
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
	char other[] = "$2y$10$abcdefghijklmnopqrstuu37RkUr9H1EPO4Rc63Ngz60LSVREthYa";

	(void)state;
	assert_int_equal(try_at("prom:secret", 1), AUTH_PASSED);
	user.hash = other;
	assert_int_equal(try_at("prom:secret", 2), AUTH_FAILED);
	assert_int_equal(try_at("prom:nobody", 3), AUTH_PASSED);
	user.hash = hash;
	assert_int_equal(try_at("prom:nobody", 4), AUTH_FAILED);
}

#define TEST(function) cmocka_unit_test_setup(function, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_passwords),
		TEST(test_headers),
		TEST(test_nobody_is_asked_without_users),
		TEST(test_guesses_are_bounded),
		TEST(test_new_hash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
