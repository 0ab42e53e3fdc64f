/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* How a web configuration is read, and what the errors about a wrong one say. */
#include <errno.h>

#include "http/web_config.h"
#include "tree.h"
#include "util/array.h"

#define SALTED "$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW"
#define BCRYPT "$2y$04" SALTED

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
	assert_string_equal(config.users[1].hash, "$2b$04" SALTED);
	assert_int_equal(web_config_greatest_cost(&config), 4);
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
	check_bad("tls_server_config: {prefer_server_cipher_suites: 1}", "must be true or false");
	check_bad("http_server_config: {http2: maybe}", "must be true or false");
	check_bad("http_server_config: {headers: {X-Frame-Options: allow}}", "deny or sameorigin");
	check_bad("http_server_config: {headers: {Content-Security-Policy: \"a\\x01b\"}}",
		  "Content-Security-Policy has a control character");
	check_bad("http_server_config: {headers: {X-Content-Type-Options: x}}", "nosniff");
	check_bad("rate_limit: {interval: soon}", "must be a time");
	check_bad("rate_limit: {burst: -1}", "must be a number");
	check_bad("rate_limit: {burst: \"3\"}", "must be a number");
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
	check_bad("tls_server_config: {client_auth_type: NoClientCert}", "needs one of cert_file");
	check_bad("tls_server_config: {key_file: a}", "needs one of cert_file");
	check_bad("tls_server_config: {cert_file: a}", "needs one of key_file");
	check_bad("tls_server_config: {cert: a, key: b, client_ca: c}", "lets everyone in");
	check_bad("tls_server_config: {cert: a, key: b, client_allowed_sans: [x]}",
		  "client_allowed_sans needs");
	check_bad("tls_server_config: {cert: a, key: b, client_allowed_sans: [x], client_ca: c, "
		  "client_auth_type: VerifyClientCertIfGiven}",
		  "client_allowed_sans needs");
	check_bad("tls_server_config: {cert: a, key: b, client_allowed_sans: [], client_ca: c, "
		  "client_auth_type: RequireAndVerifyClientCert}",
		  "nobody could connect");
	check_bad("tls_server_config: {cert: a, key: b, min_version: TLS13, max_version: TLS12}",
		  "above");
}

#define CERT "cert_file: c, key_file: k"
#define TLS  "tls_server_config: {" CERT

/*
 * What the exporter-toolkit's own tests try, and what YAML and Go let one write: whether it is
 * taken (NULL), or the words with which it is refused. What its newest version refuses and this
 * takes has a comment, and the other way round.
 */
static const struct {
	const char *text, *refused;
} peers[] = {
	/* web_config_empty, junk, junk_key */
	{"", NULL},
	{"# only this\n", NULL},
	{"~", NULL},
	{"null\n", NULL},
	{"hjkl;", "must be a mapping"},
	{"tls_server_config:\n  cert_flie: c\n", "line 2: unknown key \"cert_flie\""},
	/* certPath_empty, cert_empty, keyPath_empty, key_empty, both empty */
	{"tls_server_config: {cert_file: \"\", key_file: k}", "one of cert_file and cert"},
	{"tls_server_config: {cert: \"\", key: k}", "one of cert_file and cert"},
	{"tls_server_config: {cert_file: c, key_file: \"\"}", "one of key_file and key"},
	{"tls_server_config: {cert: c, key: \"\"}", "one of key_file and key"},
	{"tls_server_config: {cert_file: \"\", key_file: \"\", client_auth_type: NoClientCert}",
	 "one of cert_file and cert"},
	/* noAuth.good, good.blocking, requireanyclientcert, requireandverifyclientcert */
	{TLS ", client_auth_type: VerifyClientCertIfGiven}", NULL},
	{TLS ", client_auth_type: RequireAndVerifyClientCert}", NULL},
	{TLS ", client_auth_type: RequireAnyClientCert, client_ca_file: ca}", NULL},
	{TLS ", client_auth_type: RequireAndVerifyClientCert, client_ca_file: ca}", NULL},
	{TLS ", client_ca_file: ca}", "lets everyone in"},
	{TLS ", client_auth_type: RequireClientCert}", NULL},
	{TLS ", client_auth_type: requireanyclientcert}", "\"requireanyclientcert\" is not known"},
	{TLS ", client_auth_type: \"\"}", NULL},
	{TLS ", client_auth_type: ~}", NULL},
	/* tlsInline, keyinline; a file goes before a text */
	{"tls_server_config: {cert: c, key: k}", NULL},
	{"tls_server_config: {cert_file: c, key: k}", NULL},
	{TLS ", cert: c, key: k}", NULL},
	{TLS ", client_ca: a, client_ca_file: ca, client_auth_type: RequestClientCert}", NULL},
	/* client_san */
	{TLS ", client_auth_type: RequireAndVerifyClientCert, client_ca_file: ca, "
	     "client_allowed_sans: [a, b]}",
	 NULL},
	{TLS ", client_allowed_sans: ~}", NULL},
	/* wrongTLSVersion */
	{TLS ", min_version: TLS14}", "\"TLS14\" is not known"},
	{TLS ", min_version: TLS10, max_version: TLS11}", NULL},
	{TLS ", min_version: ~, max_version: null}", NULL},
	{TLS ", min_version: \"\"}", NULL}, /* the toolkit refuses this */
	/* ciphers and curves are known once they are used: tests/unit/test_tls.c */
	{TLS ", cipher_suites: [], curve_preferences: []}", NULL},
	{TLS ", cipher_suites: , curve_preferences: ~}", NULL},
	{TLS ", cipher_suites: \"\"}", "must be a list"},
	{TLS ", cipher_suites: TLS_AES_128_GCM_SHA256}", "must be a list"},
	/* nothing to turn TLS on with */
	{"tls_server_config:\n", NULL},
	{"tls_server_config: null\n", NULL},
	{"tls_server_config: {}\n", NULL},
	{"tls_server_config: {min_version: TLS12}\n", NULL},
	{"tls_server_config: {cipher_suites: [TLS_AES_128_GCM_SHA256]}\n", NULL},
	{"tls_server_config: \"\"\n", "must be a mapping"},
	/* nothing, ~, null in each of its forms; quoted it is a text */
	{TLS ", client_ca_file: }", NULL},
	{TLS ", client_ca_file: ~}", NULL},
	{TLS ", client_ca_file: null}", NULL},
	{TLS ", client_ca_file: NULL}", NULL},
	{TLS ", client_ca_file: \"null\"}", "lets everyone in"},
	{TLS ", client_ca_file: nULL}", "lets everyone in"},
	/* booleans */
	{TLS ", prefer_server_cipher_suites: yes}", NULL},
	{TLS ", prefer_server_cipher_suites: Off}", NULL},
	{TLS ", prefer_server_cipher_suites: ~}", NULL},
	{TLS ", prefer_server_cipher_suites: \"\"}", "must be true or false"},
	{TLS ", prefer_server_cipher_suites: 1}", "must be true or false"},
	{"http_server_config: {http2: n}", NULL},
	{"http_server_config: {http2: null}", NULL},
	{"http_server_config: ~", NULL},
	/* headers: good, content_type_options, frame_options, extra_header */
	{"http_server_config: {headers: ~}", NULL},
	{"http_server_config: {headers: {X-Frame-Options: deny, X-Content-Type-Options: nosniff, "
	 "X-XSS-Protection: 1, Strict-Transport-Security: max-age=31536000; includeSubDomains}}",
	 NULL},
	{"http_server_config: {headers: {X-Frame-Options: DENY}}", NULL}, /* the toolkit refuses */
	{"http_server_config: {headers: {X-Frame-Options: all}}", "deny or sameorigin"},
	{"http_server_config: {headers: {X-Content-Type-Options: sniff}}", "nosniff"},
	{"http_server_config: {headers: {Content-Type: text/plain}}", "unknown key"},
	{"http_server_config:\n  headers:\n    Content-Security-Policy: |\n      a\n      b\n",
	 NULL},
	/* users: good, noTLS, user_list_invalid; the letters of bcrypt */
	{"basic_auth_users: ~", NULL},
	{"basic_auth_users: {}", NULL},
	{"basic_auth_users: {a: " BCRYPT ", 1: " BCRYPT "}", NULL},
	{"basic_auth_users: {a: $2x$04" SALTED "}", NULL},
	{"basic_auth_users: {a: $2$04" SALTED "}", NULL},
	{"basic_auth_users: {a: &hash " BCRYPT ", b: *hash}", NULL},
	{"basic_auth_users: {a: $2y$03" SALTED "}", "no bcrypt hash"},
	{"basic_auth_users: {a: $2y$32" SALTED "}", "no bcrypt hash"},
	{"basic_auth_users: {a: $2y$14" SALTED "}", NULL},
	/* the toolkit takes these, and hashes for minutes */
	{"basic_auth_users: {a: $2y$15" SALTED "}", "the password of a is hashed with cost 15"},
	{"basic_auth_users: {a: $2y$31" SALTED "}", "at most 14 is taken"},
	{"basic_auth_users: {a: " BCRYPT "x}", "no bcrypt hash"}, /* the toolkit lets nobody in */
	{"basic_auth_users: {a: notahash}", "no bcrypt hash"},
	{"basic_auth_users: {a: ~}", "no bcrypt hash"},
	{"basic_auth_users: {a: " BCRYPT ", a: " BCRYPT "}", "stands twice"},
	/* rate_limiter: nonblocking, one_second, headers */
	{"rate_limit: ~", NULL},
	{"rate_limit: {}", NULL},
	{"rate_limit: {interval: 0}", NULL},
	{"rate_limit: {interval: ~, burst: ~}", NULL},
	{"rate_limit: {interval: 1s, burst: 1}", NULL},
	{"rate_limit: {interval: 1h, burst: 0}", NULL},
	{"rate_limit: {interval: 1d}", "must be a time"},
	{"rate_limit: {interval: \"5\"}", "must be a time"},
	{"rate_limit: {interval: 1s, burst: -1}", "0 or more"}, /* the toolkit answers nobody */
	{"rate_limit: {burst: 1.5.2}", "must be a number"},
	/* whole files */
	{"rate_limit: ~\n---\nnot: read\n", NULL},
	{"rate_limit:\r\n  burst: 1\r\n", NULL},
	{"\xef\xbb\xbfrate_limit: ~\n", NULL}, /* a byte order mark; the toolkit refuses it */
	{"rate_limit:\n\tburst: 1\n", "line 2"},
};

static void test_what_the_toolkit_takes(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(peers); i++) {
		if (peers[i].refused)
			check_bad(peers[i].text, peers[i].refused);
		else if (read_text(peers[i].text))
			fail_msg("\"%s\" is refused: %s", peers[i].text, error);
	}
}

static void test_what_nothing_means(void **state)
{
	(void)state;
	check_good(TLS ", client_auth_type: ~, min_version: ~, max_version: null, "
		       "prefer_server_cipher_suites: ~, cipher_suites: , client_ca_file: NULL}");
	assert_true(config.tls.enabled);
	assert_int_equal(config.tls.client_auth, CLIENT_AUTH_NONE);
	assert_int_equal(config.tls.min_version, TLS_1_2);
	assert_int_equal(config.tls.max_version, TLS_1_3);
	assert_true(config.tls.prefer_server_cipher_suites);
	assert_null(config.tls.client_ca_file);
	check_good("tls_server_config: {min_version: TLS13}");
	assert_false(config.tls.enabled);
	assert_true(config.tls.incomplete);
	check_good("tls_server_config: {}");
	assert_false(config.tls.incomplete);
	check_good(TLS ", client_auth_type: RequireClientCert}");
	assert_int_equal(config.tls.client_auth, CLIENT_AUTH_REQUIRE_ANY);
	check_good("http_server_config: {headers: {Content-Security-Policy: \"a;\\r\\nb\\n\"}}");
	assert_string_equal(config.headers[HEADER_CONTENT_SECURITY_POLICY], "a;  b");
	check_good("basic_auth_users: {a: $2x$04" SALTED "}");
	assert_string_equal(config.users[0].hash, "$2b$04" SALTED);
}

static void check_interval(const char *text, uint64_t ns)
{
	char whole[128];

	snprintf(whole, sizeof(whole), "rate_limit: {interval: %s}", text);
	check_good(whole);
	if (config.rate_interval_ns != ns)
		fail_msg("%s is %llu ns", text, (unsigned long long)config.rate_interval_ns);
}

/* Go's time.ParseDuration(); a plain number is nanoseconds. */
static void test_durations(void **state)
{
	static const char *const bad[] = {
		"soon",	    "1",
		"1 s",	    "s",
		".s",	    "1.",
		"-",	    "+",
		"1S",	    "1d",
		"1w",	    "1.5.5s",
		"1e3s",	    "9223372036855s",
		"2562048h", "1m 1s",
		"--1s",	    "99999999999999999999s",
	};
	char whole[128];
	size_t i;

	(void)state;
	check_interval("1.5s", 1500000000);
	check_interval("300ms", 300000000);
	check_interval("1h2m", UINT64_C(3720) * 1000000000);
	check_interval("1h15m30.918s", UINT64_C(4530918) * 1000000);
	check_interval("10us", 10000);
	check_interval("10\xc2\xb5s", 10000);
	check_interval("10\xce\xbcs", 10000);
	check_interval("100ns", 100);
	check_interval("0.1us", 100);
	check_interval(".5s", 500000000);
	check_interval("1.s", 1000000000);
	check_interval("+1s", 1000000000);
	check_interval("1s1s", 2000000000);
	check_interval("1m1h", UINT64_C(3660) * 1000000000);
	check_interval("2562047h", UINT64_C(2562047) * 3600 * 1000000000);
	check_interval("0.3333333333333333333h", UINT64_C(1199999999999));
	check_interval("-1s", 0); /* no limit */
	check_interval("0", 0);
	check_interval("\"0\"", 0);
	check_interval("1000", 1000);
	check_interval("1_000", 1000);
	check_interval("0x10", 16);
	check_interval("010", 8);
	check_interval("1e3", 1000);
	check_interval("1.7", 1);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		snprintf(whole, sizeof(whole), "rate_limit: {interval: \"%s\"}", bad[i]);
		check_bad(whole, "must be a time");
	}
	check_good("rate_limit: {interval: 1s, burst: 99999999999}");
	assert_int_equal(config.rate_burst, 99999999999);
	check_bad("rate_limit: {burst: 9223372036854775808}", "must be a number");
	check_bad("rate_limit: {burst: 1e30}", "must be a number");
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
		TEST(test_empty),
		TEST(test_everything),
		TEST(test_defaults),
		TEST(test_unknown_keys),
		TEST(test_wrong_values),
		TEST(test_what_does_not_go_together),
		TEST(test_files),
		TEST(test_laughs),
		TEST(test_what_the_toolkit_takes),
		TEST(test_what_nothing_means),
		TEST(test_durations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
