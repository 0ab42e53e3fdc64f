/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What a web configuration is read as, and what is said of a wrong one. */
#include <errno.h>

#include "http/web_config.h"
#include "tree.h"

#define BCRYPT "$2y$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW"

static struct web_config config;
static char error[512];
static char path[256];

static int setup(void **state)
{
	(void)state;
	if (tree_make())
		return -1;
	snprintf(path, sizeof(path), "%s/web.yml", tree_root);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	web_config_free(&config);
	return tree_remove("");
}

static int read_text(const char *text)
{
	web_config_free(&config);
	tree_put("web.yml", text);
	error[0] = '\0';
	return web_config_read(path, &config, error, sizeof(error));
}

static void check_good(const char *text)
{
	if (read_text(text))
		fail_msg("%s", error);
}

/* The message names the file, and has these words. */
static void check_bad(const char *text, const char *words)
{
	assert_int_equal(read_text(text), -EINVAL);
	if (strncmp(error, path, strlen(path)) != 0 || !strstr(error, words))
		fail_msg("\"%s\" has no \"%s\"", error, words);
	assert_null(config.users);
	assert_null(config.tls.cert_file);
}

static void check_path(const char *found, const char *expected)
{
	char whole[300];

	snprintf(whole, sizeof(whole), "%s/%s", tree_root, expected);
	assert_string_equal(found, whole);
}

static void test_empty(void **state)
{
	(void)state;
	check_good("");
	check_good("# nothing\n");
	check_good("{}\n");
	check_good("tls_server_config:\nhttp_server_config:\nbasic_auth_users:\nrate_limit:\n");
	assert_false(config.tls.enabled);
	assert_int_equal(config.user_count, 0);
	assert_int_equal(config.rate_interval_ns, 0);
	assert_true(config.http2);
}

static void test_everything(void **state)
{
	(void)state;
	check_good("tls_server_config:\n"
		   "  cert_file: tls/cert.pem\n"
		   "  key_file: /etc/key.pem\n"
		   "  client_ca_file: ca.pem\n"
		   "  client_auth_type: RequireAndVerifyClientCert\n"
		   "  client_allowed_sans:\n  - prometheus\n  - 10.0.0.1\n"
		   "  min_version: TLS13\n  max_version: TLS13\n"
		   "  cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256]\n"
		   "  prefer_server_cipher_suites: false\n"
		   "  curve_preferences: [X25519, CurveP256]\n"
		   "http_server_config:\n  http2: false\n  headers:\n"
		   "    Content-Security-Policy: default-src 'self'\n"
		   "    X-Frame-Options: deny\n    X-Content-Type-Options: nosniff\n"
		   "    X-XSS-Protection: \"1\"\n    Strict-Transport-Security: \"\"\n"
		   "basic_auth_users:\n  prom: " BCRYPT "\n  other: '" BCRYPT "'\n"
		   "rate_limit:\n  interval: 100ms\n  burst: 5\n");
	check_path(config.tls.cert_file, "tls/cert.pem");
	assert_string_equal(config.tls.key_file, "/etc/key.pem");
	check_path(config.tls.client_ca_file, "ca.pem");
	assert_int_equal(config.tls.client_auth, CLIENT_AUTH_REQUIRE_AND_VERIFY);
	assert_int_equal(config.tls.client_allowed_sans.count, 2);
	assert_string_equal(config.tls.client_allowed_sans.values[1], "10.0.0.1");
	assert_int_equal(config.tls.min_version, TLS_1_3);
	assert_int_equal(config.tls.curve_preferences.count, 2);
	assert_false(config.tls.prefer_server_cipher_suites);
	assert_false(config.http2);
	assert_string_equal(config.headers[HEADER_X_FRAME_OPTIONS], "deny");
	assert_string_equal(config.headers[HEADER_CONTENT_SECURITY_POLICY], "default-src 'self'");
	assert_null(config.headers[HEADER_STRICT_TRANSPORT_SECURITY]); /* blank: not sent */
	assert_int_equal(config.user_count, 2);
	assert_string_equal(config.users[0].name, "prom");
	assert_string_equal(config.users[1].hash, BCRYPT);
	assert_int_equal(config.rate_interval_ns, 100000000);
	assert_int_equal(config.rate_burst, 5);
}

static void test_defaults(void **state)
{
	(void)state;
	check_good("tls_server_config: {cert_file: a, key_file: b}");
	assert_true(config.tls.enabled);
	assert_int_equal(config.tls.client_auth, CLIENT_AUTH_NONE);
	assert_int_equal(config.tls.min_version, TLS_1_2);
	assert_int_equal(config.tls.max_version, TLS_1_3);
	assert_true(config.tls.prefer_server_cipher_suites);
	check_good("tls_server_config:\n  cert: |\n    -----BEGIN\n    x\n  key: k\n");
	assert_string_equal(config.tls.cert, "-----BEGIN\nx\n");
}

static void test_unknown_keys(void **state)
{
	(void)state;
	check_bad("tls_server_cfg: {}",
		  "line 1: unknown key \"tls_server_cfg\"; did you mean tls_server_config?");
	check_bad("\n\nbasic_auth_user:\n", "line 3: unknown key");
	check_bad("tls_server_config:\n  cert_file: a\n  keyfile: b\n",
		  "line 3: unknown key \"keyfile\"; did you mean key_file?");
	check_bad("http_server_config: {headers: {Server: x}}", "unknown key \"Server\"");
	check_bad("rate_limit: {interval: 1s, bursts: 1}", "did you mean burst?");
	check_bad("TLS_server_config: {}", "unknown key");
}

static void test_wrong_values(void **state)
{
	(void)state;
	check_bad("a: [", "line");
	check_bad("- a\n", "must be a mapping");
	check_bad("text", "must be a mapping");
	check_bad("tls_server_config: [a]", "must be a mapping");
	check_bad("tls_server_config: {cert_file: {}}", "must be a text");
	check_bad("tls_server_config: {cert_file: a, cert_file: b}", "stands twice");
	check_bad("tls_server_config: {cipher_suites: a}", "must be a list");
	check_bad("tls_server_config: {cipher_suites: [{a: b}]}", "must be a text");
	check_bad("tls_server_config: {min_version: TLS14}", "\"TLS14\" is not known");
	check_bad("tls_server_config: {client_auth_type: requireAnyClientCert}", "is not known");
	check_bad("tls_server_config: {prefer_server_cipher_suites: yes}", "must be true or false");
	check_bad("http_server_config: {http2: maybe}", "must be true or false");
	check_bad("http_server_config: {headers: {X-Frame-Options: allow}}", "deny or sameorigin");
	check_bad("http_server_config: {headers: {X-Content-Type-Options: x}}", "nosniff");
	check_bad("http_server_config: {headers: {X-XSS-Protection: \"a\\r\\nSet-Cookie: b\"}}",
		  "one line");
	check_bad("rate_limit: {interval: soon}", "must be a time");
	check_bad("rate_limit: {burst: -1}", "must be a number");
	check_bad("rate_limit: {burst: \"\"}", "must be a number");
	check_bad("basic_auth_users: [a]", "must be a mapping");
	check_bad("basic_auth_users: {prom: secret}", "is no bcrypt hash");
	check_bad("basic_auth_users: {prom: }", "is no bcrypt hash");
	check_bad("basic_auth_users: {prom: " BCRYPT ", prom: " BCRYPT "}", "stands twice");
	check_bad("basic_auth_users: {\"a:b\": " BCRYPT "}", "colon");
	check_bad("basic_auth_users: {prom: \"$1$" BCRYPT "\"}", "is no bcrypt hash");
}

static void test_what_does_not_go_together(void **state)
{
	(void)state;
	check_bad("tls_server_config: {min_version: TLS12}", "needs one of cert_file");
	check_bad("tls_server_config: {cert_file: a}", "needs one of key_file");
	check_bad("tls_server_config: {cert_file: a, cert: b, key: c}", "needs one of cert_file");
	check_bad("tls_server_config: {cert: a, key: b, client_ca: c, client_ca_file: d, "
		  "client_auth_type: RequireAndVerifyClientCert}",
		  "exclude one another");
	check_bad("tls_server_config: {cert: a, key: b, client_ca: c}", "lets everyone in");
	check_bad("tls_server_config: {cert: a, key: b, client_auth_type: VerifyClientCertIfGiven}",
		  "needs client_ca_file");
	check_bad("tls_server_config: {cert: a, key: b, client_allowed_sans: [x]}",
		  "client_allowed_sans needs");
	check_bad("tls_server_config: {cert: a, key: b, min_version: TLS13, max_version: TLS12}",
		  "above");
}

static void test_files(void **state)
{
	(void)state;
	assert_int_equal(web_config_read("/no/such/file", &config, error, sizeof(error)), -ENOENT);
	assert_string_equal(error, "/no/such/file: No such file or directory");
}

/* Aliases are followed, not copied: this ends at once. */
static void test_laughs(void **state)
{
	(void)state;
	check_bad("a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n", "unknown key");
	check_bad("tls_server_config: &t {cert_file: *t}", "line");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_empty),	 TEST(test_everything),
		TEST(test_defaults),	 TEST(test_unknown_keys),
		TEST(test_wrong_values), TEST(test_what_does_not_go_together),
		TEST(test_files),	 TEST(test_laughs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
