/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The server over TLS, with curl (OpenSSL) for a client: which certificates are served, which
 * clients are let in, and what those are told that are not.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "caught_log.h"
#include "http/guard.h"
#include "http/server.h"
#include "http/tls_suites.h"
#include "tree.h"
#include "util/array.h"
#include "util/buf.h"
#include "util/clock.h"

#define MAKE_CERTS "tests/tls/make-certs"
#define TURNS_MAX  3000 /* of 10 ms */

static struct guard *guard;
static struct http *http;
static unsigned int port;
static char config_path[128], out_path[128];

static void handle(void *context, const struct http_request *request, struct http_reply *reply)
{
	(void)context;
	(void)request;
	reply->status = 200;
	reply->content_type = "text/plain";
	reply->body = strdup("hello\n");
	reply->len = 6;
}

static int make_all(void **state)
{
	char command[256];

	(void)state;
	if (tree_make())
		return -1;
	snprintf(config_path, sizeof(config_path), "%s/web.yml", tree_root);
	snprintf(out_path, sizeof(out_path), "%s/out", tree_root);
	snprintf(command, sizeof(command), MAKE_CERTS " %s", tree_root);
	return system(command);
}

static int remove_all(void **state)
{
	(void)state;
	return tree_remove("");
}

static void stop(void)
{
	http_free(http);
	guard_close(guard);
	http = NULL;
	guard = NULL;
}

static int setup(void **state)
{
	(void)state;
	catch_log();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	stop();
	release_log();
	return 0;
}

static bool file_has(const char *path, const char *words)
{
	struct buf text;
	bool has;

	assert_int_equal(buf_read_file(&text, path, 1 << 20), 0);
	has = text.data && strstr(text.data, words);
	buf_free(&text);
	return has;
}

/* Listens with this configuration (NULL: none). Returns 0, or what guard_open() says. */
static int start(const char *config)
{
	struct address address = {.len = sizeof(struct sockaddr_in)};
	struct sockaddr_in *in = (struct sockaddr_in *)&address.sockaddr;
	int err;

	stop();
	if (config) {
		tree_put("web.yml", config);
		err = guard_open(config_path, &guard);
		if (err)
			return err;
	}
	http = http_new(handle, NULL, guard);
	in->sin_family = AF_INET;
	in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(http_listen(http, &address), 0);
	port = ntohs(in->sin_port);
	return 0;
}

/* With the certificate and key of this name, and more of tls_server_config. */
static int start_with(const char *name, const char *more)
{
	char text[1024];

	snprintf(text, sizeof(text),
		 "tls_server_config:\n  cert_file: %s.pem\n  key_file: %s.key\n%s", name, name,
		 more);
	return start(text);
}

/* Serves until the process has ended. Returns its exit code. */
static int serve_until_end(pid_t pid)
{
	struct pollfd fd = {.fd = http_event_fd(http, 0), .events = POLLIN};
	int status, turns;

	for (turns = 0; waitpid(pid, &status, WNOHANG) == 0; turns++) {
		if (turns == TURNS_MAX)
			kill(pid, SIGKILL);
		poll(&fd, 1, 10);
		http_run(http);
	}
	/* The end of the connection, too. */
	poll(&fd, 1, 10);
	http_run(http);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Runs a command in the tree; what it prints is in the file "out". */
static int run(const char *command)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		int fd = open(out_path, O_CREAT | O_TRUNC | O_WRONLY, 0644);

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(fd, 1);
		dup2(fd, 2);
		if (chdir(tree_root) == 0)
			execl("/bin/sh", "sh", "-c", command, NULL);
		_exit(127);
	}
	return serve_until_end(pid);
}

/* Asks with curl and these arguments. Returns the status, 0 if there was none. */
static long ask(const char *arguments)
{
	char command[512], code[8] = "";
	struct buf text;
	long status;

	snprintf(command, sizeof(command),
		 "curl -skv -m 20 --resolve server:%u:127.0.0.1 -o /dev/null -w "
		 "'\\n=%%{http_code}' %s",
		 port, arguments);
	run(command);
	assert_int_equal(buf_read_file(&text, out_path, 1 << 20), 0);
	if (strrchr(text.data, '='))
		snprintf(code, sizeof(code), "%s", strrchr(text.data, '=') + 1);
	buf_free(&text);
	status = strtol(code, NULL, 10);
	return status;
}

static long ask_tls(const char *arguments)
{
	char all[400];

	snprintf(all, sizeof(all), "%s https://server:%u/", arguments, port);
	return ask(all);
}

static void show(const char *path)
{
	struct buf text;

	if (buf_read_file(&text, path, 1 << 20) == 0)
		print_message("%s\n", text.data ? text.data : "");
	buf_free(&text);
}

static void check_status(const char *what, const char *arguments, long status)
{
	long found = ask_tls(arguments);

	if (found == status)
		return;
	show(out_path);
	show(log_path);
	fail_msg("%s, curl %s: %ld instead of %ld", what, arguments, found, status);
}

/* ---- our certificate */

#define V13	   "--tlsv1.3"
#define V12	   "--tls-max 1.2"
#define ECDHE_RSA  "--tls-max 1.2 --ciphers ECDHE-RSA-AES128-GCM-SHA256"
#define ONLY_RSA   "--tls-max 1.2 --ciphers AES128-GCM-SHA256"
#define ECDHE_ECDS "--tls-max 1.2 --ciphers ECDHE-ECDSA-AES128-GCM-SHA256"

/* Go serves these, too. Each is tried with each of these, up to NULL. */
static const struct {
	const char *name;
	const char *with[4];
} served[] = {
	{"rsa", {V13, ECDHE_RSA, V12}},
	/* The key usage is a client's to look at. */
	{"encipherment", {V13, ECDHE_RSA, V12}},
	{"signature", {V13, ECDHE_RSA, V12}},
	{"cert-sign", {V13, ECDHE_RSA, V12}},
	/* OpenSSL itself refuses it in TLS 1.2. */
	{"P-256-agreement", {V13}},
	{"no-san", {V13, V12}},
	{"client-purpose", {V13, V12}},
	{"sha1", {V13, V12}},
	{"pss", {V13, V12}},
	{"rsa-1024", {V13 " --ciphers DEFAULT@SECLEVEL=0", ECDHE_RSA ":@SECLEVEL=0"}},
	{"P-256", {V13, ECDHE_ECDS}},
	{"P-384", {V13, ECDHE_ECDS}},
	{"P-521", {V13, ECDHE_ECDS}},
	{"ed25519", {V13, ECDHE_ECDS}},
	{"pkcs1", {V13, V12}},
	{"sec1", {V13, V12}},
	{"both", {V13, V12}},
	{"chatty", {V13, V12}},
	{"crlf", {V13, V12}},
	{"expired", {V13, V12}},
	{"chain-leaf-between", {V13, V12}},
	{"chain-leaf-between-ca", {V13, V12}},
	{"chain-leaf-ca-between", {V13, V12}},
	{"chain-leaf-between-other-ca", {V13, V12}},
};

static void certificates_are_served(void **state)
{
	size_t i, j;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(served); i++) {
		if (start_with(served[i].name, "")) {
			show(log_path);
			fail_msg("%s is refused", served[i].name);
		}
		for (j = 0; served[i].with[j]; j++)
			check_status(served[i].name, served[i].with[j], 200);
	}
	/* The chain is sent, so a client that only knows the root can check it. */
	start_with("chain-leaf-between", "");
	check_status("chain", "--no-insecure --cacert ca.pem", 200);
	start_with("leaf", "");
	check_status("no chain", "--no-insecure --cacert ca.pem", 0);
}

static const struct {
	const char *name, *words;
} not_served[] = {
	{"encrypted", "encrypted.key: it is encrypted"},
	{"encrypted-old", "encrypted-old.key: it is encrypted"},
	{"other-key", "other-key.pem with the key"},
	{"chain-reversed", "chain-reversed.pem with the key"},
	{"broken", "cannot use the certificate"},
	{"broken-key", "cannot use the key"},
	{"nothing", "nothing.pem: No such file"},
	{"long-chain", "long-chain.pem: more than 16 certificates"},
};

static void certificates_that_are_not(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(not_served); i++) {
		assert_int_not_equal(start_with(not_served[i].name, ""), 0);
		if (!logged(not_served[i].words)) {
			show(log_path);
			fail_msg("%s: \"%s\" is not said", not_served[i].name, not_served[i].words);
		}
	}
}

/* Those that are served, and that a client may mind. */
static void doubts_are_said(void **state)
{
	static const struct {
		const char *name, *words;
	} doubts[] = {
		{"no-san", "has no subjectAltName"},
		{"client-purpose", "without serverAuth"},
		{"expired", "it has expired"},
		{"rsa-pss", "in Go cannot use"},
		{"rsa", NULL},
		{"encipherment", NULL},
		{"both-purposes", NULL},
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(doubts); i++) {
		release_log();
		catch_log();
		assert_int_equal(start_with(doubts[i].name, ""), 0);
		if (doubts[i].words ? !logged(doubts[i].words) : logged("level=warn")) {
			show(log_path);
			fail_msg("%s", doubts[i].name);
		}
	}
}

/* ---- cipher suites and curves */

#define SUITES "  cipher_suites: "

/* By default what is recorded cannot be read by who gets the key later. */
static void forward_secrecy(void **state)
{
	static const char *const without[] = {"AES128-SHA", "AES256-SHA", "AES128-SHA256",
					      "AES128-GCM-SHA256", "AES256-GCM-SHA384"};
	static const char *const with[] = {"ECDHE-RSA-AES128-GCM-SHA256",
					   "ECDHE-RSA-CHACHA20-POLY1305", "ECDHE-RSA-AES256-SHA"};
	char arguments[80];
	size_t i;

	(void)state;
	start_with("rsa", "");
	for (i = 0; i < ARRAY_SIZE(without); i++) {
		snprintf(arguments, sizeof(arguments), "--tls-max 1.2 --ciphers %s", without[i]);
		check_status("without", arguments, 0);
	}
	assert_true(logged("no cipher suite and curve that are allowed"));
	for (i = 0; i < ARRAY_SIZE(with); i++) {
		snprintf(arguments, sizeof(arguments), "--tls-max 1.2 --ciphers %s", with[i]);
		check_status("with", arguments, 200);
	}
	assert_false(logged("forward secrecy"));
	start_with("rsa", SUITES "[TLS_RSA_WITH_AES_128_GCM_SHA256]\n");
	check_status("listed", ONLY_RSA, 200);
	assert_true(logged("TLS_RSA_WITH_AES_128_GCM_SHA256 has no forward secrecy"));
}

static void suites_are_those_listed(void **state)
{
	(void)state;
	/* GnuTLS itself would also allow ECDHE with CBC with this list. */
	start_with("rsa", SUITES "[TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, "
				 "TLS_RSA_WITH_AES_256_CBC_SHA]\n");
	check_status("listed", ECDHE_RSA, 200);
	check_status("listed", "--tls-max 1.2 --ciphers AES256-SHA", 200);
	check_status("not listed", "--tls-max 1.2 --ciphers ECDHE-RSA-AES256-SHA", 0);
	check_status("not listed", ONLY_RSA, 0);
	assert_true(file_has(out_path, "handshake failure"));
	assert_true(logged("no cipher suite and curve that are allowed"));
	/* The list does not affect TLS 1.3. */
	check_status("TLS 1.3", V13 " --tls13-ciphers TLS_CHACHA20_POLY1305_SHA256", 200);
	start_with("rsa", SUITES "[TLS_AES_128_GCM_SHA256]\n");
	check_status("TLS 1.3", V13 " --tls13-ciphers TLS_AES_256_GCM_SHA384", 200);
	check_status("TLS 1.2", V12, 0);
	/* Suites for another kind of key are of no use. */
	start_with("rsa", SUITES "[TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, "
				 "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384]\n");
	check_status("listed", "--tls-max 1.2 --ciphers ECDHE-RSA-AES256-GCM-SHA384", 200);
	check_status("not listed", ECDHE_RSA, 0);
	start_with("P-256", SUITES "[TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, "
				   "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384]\n");
	check_status("listed", ECDHE_ECDS, 200);
	assert_int_equal(start_with("rsa", SUITES "[TLS_RSA_WITH_RC4_128_SHA]\n"), -EINVAL);
	assert_true(logged("\"TLS_RSA_WITH_RC4_128_SHA\\\" is not known") ||
		    logged("TLS_RSA_WITH_RC4_128_SHA"));
	assert_int_equal(
		start_with("rsa", SUITES "[TLS_AES_128_GCM_SHA256]\n  max_version: TLS12\n"),
		-EINVAL);
}

static void all_names_are_known(void **state)
{
	(void)state;
	assert_int_equal(
		start_with("rsa", SUITES
			   "[TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, "
			   "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, "
			   "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, "
			   "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, "
			   "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, "
			   "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256, TLS_AES_128_GCM_SHA256, "
			   "TLS_AES_256_GCM_SHA384, TLS_CHACHA20_POLY1305_SHA256, "
			   "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA, "
			   "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA, "
			   "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA, "
			   "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA, TLS_RSA_WITH_AES_128_CBC_SHA, "
			   "TLS_RSA_WITH_AES_256_CBC_SHA, TLS_RSA_WITH_AES_128_GCM_SHA256, "
			   "TLS_RSA_WITH_AES_256_GCM_SHA384]\n"
			   "  curve_preferences: [CurveP256, CurveP384, CurveP521, X25519, "
			   "X25519MLKEM768]\n"),
		0);
	check_status("all", V12, 200);
	check_status("all", V13, 200);
	assert_int_equal(start_with("rsa", "  curve_preferences: [CurveP123]\n"), -EINVAL);
	assert_true(logged("CurveP123"));
}

static void who_prefers(void **state)
{
#define TWO  "[TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256]\n"
#define BOTH "--tls-max 1.2 --ciphers ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384"
	(void)state;
	start_with("rsa", SUITES TWO);
	check_status("the server", BOTH, 200);
	assert_true(file_has(out_path, "SSL connection using TLSv1.2 / ECDHE-RSA-AES256"));
	start_with("rsa", SUITES TWO "  prefer_server_cipher_suites: false\n");
	check_status("the client", BOTH, 200);
	assert_true(file_has(out_path, "SSL connection using TLSv1.2 / ECDHE-RSA-AES128"));
}

static void curves_and_versions(void **state)
{
	(void)state;
	start_with("rsa", "  curve_preferences: [CurveP521]\n");
	check_status("curve", V13 " --curves P-521", 200);
	check_status("curve", V13 " --curves X25519", 0);
	assert_true(file_has(out_path, "handshake failure"));
	start_with("rsa", "  min_version: TLS13\n");
	check_status("version", V12, 0);
	assert_true(file_has(out_path, "protocol version"));
	assert_true(logged("no version of TLS that is allowed"));
	start_with("rsa", "  max_version: TLS12\n");
	check_status("version", V13, 0);
	assert_true(file_has(out_path, "protocol version"));
	check_status("version", "", 200);
	start_with("rsa", "");
	check_status("version", "--tls-max 1.1 --tlsv1.0 --ciphers DEFAULT@SECLEVEL=0", 0);
	assert_true(file_has(out_path, "protocol version"));
}

/* GnuTLS would end these by itself, without an alert. */
static void check_nothing_shared(const char *name, const char *arguments)
{
	release_log();
	catch_log();
	assert_int_equal(start_with(name, ""), 0);
	check_status(name, arguments, 0);
	if (!file_has(out_path, "handshake failure") || !logged("it offers no group that") ||
	    http_refusals(http)->count[REFUSAL_GROUP_OR_SIGNATURE] != 1) {
		show(out_path);
		show(log_path);
		fail_msg("%s, curl %s: not told", name, arguments);
	}
}

/* Asks with openssl s_client, which can be told more. Returns whether it was served. */
static bool connects(const char *arguments)
{
	char command[512];

	snprintf(command, sizeof(command), "openssl s_client -connect 127.0.0.1:%u %s </dev/null",
		 port, arguments);
	return run(command) == 0;
}

static void check_no_signature(const char *name, const char *arguments)
{
	release_log();
	catch_log();
	assert_int_equal(start_with(name, ""), 0);
	if (connects(arguments) || !file_has(out_path, "handshake failure") ||
	    http_refusals(http)->count[REFUSAL_GROUP_OR_SIGNATURE] != 1) {
		show(out_path);
		show(log_path);
		fail_msg("%s, s_client %s: not told", name, arguments);
	}
}

static void groups_and_signatures(void **state)
{
	(void)state;
	check_nothing_shared("rsa", ECDHE_RSA " --curves secp256k1");
	check_no_signature("rsa", "-tls1_3 -sigalgs ECDSA+SHA256");
	check_no_signature("P-256", "-tls1_3 -sigalgs RSA-PSS+SHA256");
	/* In TLS 1.3 ECDSA is bound to a curve; in TLS 1.2 it is not. */
	check_no_signature("P-256", "-tls1_3 -sigalgs ECDSA+SHA384");
	assert_true(connects("-tls1_2 -sigalgs ECDSA+SHA384"));
	check_no_signature("ed25519", "-tls1_3 -sigalgs ECDSA+SHA256");
	check_no_signature("P-256", "-tls1_2 -sigalgs ECDSA+SHA224");
	check_no_signature("rsa", "-tls1_2 -cipher ECDHE-RSA-AES128-GCM-SHA256 -sigalgs "
				  "RSA+SHA224");
	check_no_signature("rsa", "-tls1_2 -cipher DHE-RSA-AES128-GCM-SHA256 -groups P-256");
	/* What works without the other is served. */
	start_with("rsa", SUITES "[TLS_RSA_WITH_AES_128_GCM_SHA256]\n");
	assert_true(connects("-tls1_2 -cipher AES128-GCM-SHA256 -sigalgs RSA+SHA224"));
	assert_true(connects("-tls1_2 -cipher AES128-GCM-SHA256 -groups secp256k1"));
	assert_int_equal(http_refusals(http)->count[REFUSAL_UNFINISHED], 0);
	start_with("rsa", "");
	assert_true(connects("-tls1_3 -groups ffdhe2048"));
	assert_true(connects("-tls1_3 -groups P-384"));
	assert_true(connects("-tls1_3 -sigalgs RSA-PSS+SHA512:ECDSA+SHA256"));
	assert_int_equal(http_refusals(http)->count[REFUSAL_UNFINISHED], 0);
}

/* OpenSSL offers no group for TLS 1.3 that GnuTLS lacks: so without a connection. */
static void groups_of_tls_1_3(void **state)
{
	static const uint8_t version[] = {3, 4}, suite[] = {0x13, 1}, brainpool[] = {0, 31},
			     both[] = {0, 31, 0, 24}, pss[] = {8, 4};
	const struct tls_config config = {.min_version = TLS_1_2, .max_version = TLS_1_3};
	const struct tls_key key = {GNUTLS_PK_RSA, 256};
	struct tls_hello hello = {
		.versions = {version, 1}, .suites = {suite, 1}, .groups = {brainpool, 1}};
	struct tls_suites suites;
	char error[256];

	(void)state;
	hello.signatures = (struct tls_numbers){pss, 1};
	assert_int_equal(tls_suites_init(&suites, &config, error, sizeof(error)), 0);
	assert_int_equal(tls_suites_choose(&suites, NULL, &hello, &key),
			 REFUSAL_GROUP_OR_SIGNATURE);
	hello.groups = (struct tls_numbers){both, 2};
	assert_int_equal(tls_suites_choose(&suites, NULL, &hello, &key), REFUSAL_NONE);
	tls_suites_free(&suites);
}

/* A client up to TLS 1.1 may name suites of TLS 1.2, which are of no use to it. OpenSSL does not.
 */
static void suites_of_a_lower_version(void **state)
{
	static const uint8_t gcm[] = {0xc0, 0x2f}, both[] = {0xc0, 0x2f, 0xc0, 0x13};
	char gcm_name[] = "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256";
	char cbc_name[] = "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA";
	char *names[] = {gcm_name, cbc_name};
	const struct tls_key key = {GNUTLS_PK_RSA, 256};
	struct tls_config config = {.min_version = TLS_1_0, .max_version = TLS_1_3};
	struct tls_hello hello = {.version = 0x0302};
	struct tls_suites suites;
	gnutls_session_t session;
	char error[256];
	int listed;

	(void)state;
	for (listed = 0; listed < 2; listed++) {
		if (listed)
			config.cipher_suites = (struct string_list){names, 2, true};
		assert_int_equal(gnutls_init(&session, GNUTLS_SERVER), 0);
		assert_int_equal(tls_suites_init(&suites, &config, error, sizeof(error)), 0);
		hello.suites = (struct tls_numbers){gcm, 1};
		assert_int_equal(tls_suites_choose(&suites, session, &hello, &key), REFUSAL_CIPHER);
		hello.suites = (struct tls_numbers){both, 2};
		assert_int_equal(tls_suites_choose(&suites, session, &hello, &key), REFUSAL_NONE);
		gnutls_deinit(session);
		tls_suites_free(&suites);
	}
}

/* ---- clients */

#define VERIFY "  client_ca_file: ca.pem\n  client_auth_type: RequireAndVerifyClientCert\n"

static const char *client(const char *name, const char *more)
{
	static char arguments[128];

	snprintf(arguments, sizeof(arguments), "%s --cert client-%s.pem --key client-%s.key", more,
		 name, name);
	return arguments;
}

static void clients_with_certificates(void **state)
{
	static const char *const versions[] = {V13, V12};
	size_t i;

	(void)state;
	assert_int_equal(start_with("rsa", VERIFY), 0);
	for (i = 0; i < 2; i++) {
		check_status("good", client("good", versions[i]), 200);
		check_status("stranger", client("stranger", versions[i]), 200);
		/* As for our own certificate: only the purpose counts. */
		check_status("encipherment", client("encipherment", versions[i]), 200);
	}
	start_with("rsa", VERIFY
		   "  client_allowed_sans: [prometheus, 'spiffe://home/prometheus', 'fd00::10']\n");
	check_status("DNS", client("good", ""), 200);
	check_status("URI", client("uri", ""), 200);
	check_status("IP", client("ip", ""), 200);
	/* A certificate that is its own CA. */
	start_with("rsa", "  client_ca_file: client-self.pem\n"
			  "  client_auth_type: RequireAndVerifyClientCert\n");
	check_status("its own CA", client("self", ""), 200);
	start_with("rsa", "  client_auth_type: RequireClientCert\n");
	check_status("any", client("other-ca", ""), 200);
	check_status("any", "", 0);
	start_with("rsa",
		   "  client_ca_file: ca.pem\n  client_auth_type: VerifyClientCertIfGiven\n");
	check_status("if given", "", 200);
	check_status("if given", client("good", ""), 200);
	check_status("if given", client("other-ca", ""), 0);
	/* Without a CA of one's own, the system's, which has not signed this one. */
	start_with("rsa", "  client_auth_type: VerifyClientCertIfGiven\n");
	assert_true(logged("there is no client_ca_file"));
	check_status("the system's CA", "", 200);
	check_status("the system's CA", client("good", ""), 0);
}

/* Refused with both versions; what curl prints, and what is logged. */
static void check_refused(const char *name, const char *alert_1_3, const char *alert_1_2,
			  const char *words)
{
	static const char *const versions[] = {V13, V12};
	const char *const alerts[] = {alert_1_3, alert_1_2};
	size_t i;

	for (i = 0; i < 2; i++) {
		/* The log says each reason once a minute: of a server that is new. */
		release_log();
		catch_log();
		start_with("rsa", VERIFY "  client_allowed_sans: [prometheus]\n");
		check_status(name ? name : "none", name ? client(name, versions[i]) : versions[i],
			     0);
		if (!file_has(out_path, alerts[i]) || !logged(words) ||
		    !logged("refused the client 127.0.0.1:")) {
			show(out_path);
			show(log_path);
			fail_msg("%s: \"%s\" is not told, or \"%s\" not logged", name, alerts[i],
				 words);
		}
	}
}

static void clients_are_told_why_not(void **state)
{
	(void)state;
	check_refused(NULL, "certificate required", "handshake failure", "it has no certificate");
	check_refused("other-ca", "unknown ca", "unknown ca", "is of another CA");
	check_refused("expired", "certificate expired", "certificate expired", "has expired");
	check_refused("stranger", "bad certificate", "bad certificate", "CN=client-stranger");
	check_refused("server", "bad certificate", "bad certificate", "is not good for this");
}

static void a_client_that_does_not_trust_us(void **state)
{
	(void)state;
	start_with("rsa", "");
	check_status("no trust", "--no-insecure --cacert ca.pem " V12, 0);
	assert_true(logged("it ended the TLS handshake"));
	start_with("rsa", "");
	check_status("no trust", "--no-insecure --cacert ca.pem " V13, 0);
	assert_int_equal(http_refusals(http)->count[REFUSAL_HANDSHAKE], 1);
	start_with("P-256", "");
	check_status("no trust", "--no-insecure --cacert ca.pem " V13, 0);
	assert_int_equal(http_refusals(http)->count[REFUSAL_HANDSHAKE], 1);
}

/* A hello that GnuTLS does not take: it is not said that the client ended it. */
static void a_failure_without_a_cause(void **state)
{
	static const char hello[] =
		"\\026\\003\\001\\000\\010\\001\\000\\000\\004\\003\\003\\000\\000";
	char command[256];

	(void)state;
	start_with("rsa", "");
	snprintf(command, sizeof(command),
		 "bash -c 'exec 3<>/dev/tcp/127.0.0.1/%u; printf \"%s\" >&3; timeout 10 cat <&3'",
		 port, hello);
	run(command);
	assert_int_equal(http_refusals(http)->count[REFUSAL_UNFINISHED], 1);
	assert_true(logged("GnuTLS does not tell why"));
	assert_false(logged("it ended the TLS handshake"));
}

/* ---- the other protocol */

static void http_to_tls_and_back(void **state)
{
	char arguments[64];

	(void)state;
	start_with("rsa", "");
	snprintf(arguments, sizeof(arguments), "http://127.0.0.1:%u/", port);
	assert_int_equal(ask(arguments), 400);
	assert_true(logged("it speaks plain HTTP, and TLS is on"));
	snprintf(arguments, sizeof(arguments), "-X POST -d @rsa.pem http://127.0.0.1:%u/", port);
	assert_int_equal(ask(arguments), 400);
	start(NULL);
	assert_int_equal(ask_tls(""), 0);
	assert_true(file_has(out_path, "wrong version number"));
	assert_true(logged("it speaks TLS, and TLS is off"));
	snprintf(arguments, sizeof(arguments), "http://127.0.0.1:%u/", port);
	assert_int_equal(ask(arguments), 200);
}

/* The password is "secret". */
#define USERS                                                                                      \
	"basic_auth_users: {prom: $2y$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW}\n"

#define USER_A	   "prom: $2y$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW"
#define USER_B	   "two: $2y$05$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW"
#define PAIR	   "tls_server_config:\n  cert_file: rsa.pem\n  key_file: rsa.key\n"
#define OTHER_PAIR "tls_server_config:\n  cert_file: P-256.pem\n  key_file: P-256.key\n"
#define SANS	   "  client_allowed_sans: [prometheus]\n"
#define DENY	   "http_server_config: {headers: {X-Frame-Options: deny}}\n"

/* Names that stand for what is no text. */
static const char vanished[] = "vanished", a_fifo[] = "a FIFO", a_folder[] = "a folder";

/* Whatever the operator does to the files while the server runs, the server keeps a protection that
 * it has. What is said about a change; NULL: it is taken. */
static const struct {
	const char *before, *now, *said;
} changes[] = {
	{USERS, "", "has no users any more: restart bramble"},
	{USERS, "{", "line 2: "},
	{USERS, "\x01\x02", "line 1: control characters are not allowed"},
	{USERS, "users: x", "line 1: unknown key"},
	{USERS, vanished, "No such file"},
	{USERS, a_fifo, "it is a FIFO"},
	{USERS, a_folder, "Is a directory"},
	/* Such as are there while someone writes them in pieces. */
	{USERS, "# who may ask\n", "has no users any more"},
	{USERS, "---\n", "has no users any more"},
	{USERS, "basic_auth_users:\n", "has no users any more"},
	{USERS, "basic_auth_users: ~\n", "has no users any more"},
	{USERS, "basic_auth_users:\n  prom:", "line 2: the password of prom is no bcrypt hash"},
	{USERS, DENY, "has no users any more"},
	/* Also what is meant takes a restart. */
	{USERS, "{}\n", "has no users any more"},
	{USERS, "basic_auth_users: {}\n", "has no users any more"},
	{PAIR, "", "turns TLS off: restart bramble"},
	{PAIR, USERS, "turns TLS off"},
	{USERS, PAIR USERS, "turns TLS on: restart bramble"},
	{PAIR VERIFY SANS, PAIR, "has a weaker client_auth_type"},
	{PAIR VERIFY SANS, PAIR "  client_auth_type:\n", "has a weaker client_auth_type"},
	{PAIR VERIFY SANS, PAIR "  client_auth_type: NoClientCert\n",
	 "has a weaker client_auth_type"},
	{PAIR VERIFY, PAIR "  client_auth_type: RequireAnyClientCert\n",
	 "has a weaker client_auth_type"},
	{PAIR "  client_auth_type: RequireAnyClientCert\n",
	 PAIR "  client_auth_type: VerifyClientCertIfGiven\n", "has a weaker client_auth_type"},
	{PAIR VERIFY SANS, PAIR "  client_auth_type: RequireAndVerifyClientCert\n" SANS,
	 "has no client CA any more"},
	{PAIR VERIFY SANS, PAIR VERIFY, "has no client_allowed_sans any more"},
	{PAIR "  min_version: TLS13\n", PAIR, "has a lower min_version"},
	{PAIR "  cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256]\n", PAIR,
	 "has no cipher_suites any more"},
	{PAIR "  curve_preferences: [CurveP256]\n", PAIR, "has no curve_preferences any more"},
	{"rate_limit: {interval: 1s}\n", "", "has no rate_limit any more"},
	{DENY, "", "has not all of its headers any more"},
	/* What keeps the door as it is, or opens it to others. */
	{"", USERS, NULL},
	{"", DENY "rate_limit: {interval: 1s}\n", NULL},
	{USERS, "basic_auth_users: {" USER_B "}\n", NULL},
	{"basic_auth_users: {" USER_A ", " USER_B "}\n", USERS, NULL},
	{"rate_limit: {interval: 1s}\n", "rate_limit: {interval: 1ms}\n", NULL},
	{PAIR, OTHER_PAIR, NULL},
	{PAIR, PAIR VERIFY SANS "  min_version: TLS13\n", NULL},
	{PAIR "  client_auth_type: RequestClientCert\n", PAIR, NULL},
};

static void change_file(const char *name, const char *now)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", tree_root, name);
	if (now == vanished || now == a_fifo || now == a_folder)
		assert_int_equal(unlink(path), 0);
	if (now == a_fifo)
		assert_int_equal(mkfifo(path, 0600), 0);
	else if (now == a_folder)
		assert_int_equal(mkdir(path, 0700), 0);
	else if (now != vanished)
		tree_put(name, now);
}

/* How often the log has what is to be said about a change. */
static unsigned int said(const char *path, const char *words)
{
	char line[300];

	snprintf(line, sizeof(line), words ? "file: %s: %s" : "file: %s was read again%s", path,
		 words ?: "");
	return logged(line);
}

static void changes_while_it_runs(void **state)
{
	struct guard *guards[ARRAY_SIZE(changes)];
	char name[32], paths[ARRAY_SIZE(changes)][128];
	uint64_t now_ns = clock_monotonic_ns();
	size_t i, round;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(changes); i++) {
		snprintf(name, sizeof(name), "change-%zu.yml", i);
		snprintf(paths[i], sizeof(paths[i]), "%s/%s", tree_root, name);
		tree_put(name, changes[i].before);
		assert_int_equal(guard_open(paths[i], &guards[i]), 0);
		change_file(name, changes[i].now);
	}
	usleep(1100000);
	/* Each is said once. */
	for (round = 0; round < 3; round++)
		for (i = 0; i < ARRAY_SIZE(changes); i++)
			guard_refresh(guards[i], now_ns += 2 * NS_PER_S);
	for (i = 0; i < ARRAY_SIZE(changes); i++) {
		if (said(paths[i], changes[i].said) != 1 ||
		    (changes[i].said && said(paths[i], NULL))) {
			show(log_path);
			fail_msg("change %zu, to \"%s\"", i, changes[i].now);
		}
		guard_close(guards[i]);
	}
	assert_true(logged("stays in force"));
}

/* A file that was written just now may not be whole yet. */
static void a_change_settles(void **state)
{
	uint64_t now_ns = clock_monotonic_ns();

	(void)state;
	tree_put("web.yml", USERS);
	assert_int_equal(guard_open(config_path, &guard), 0);
	tree_put("web.yml", "");
	guard_refresh(guard, now_ns += 2 * NS_PER_S);
	tree_put("web.yml", DENY USERS);
	guard_refresh(guard, now_ns += 2 * NS_PER_S);
	assert_false(logged("level=error"));
	usleep(1100000);
	guard_refresh(guard, now_ns += 2 * NS_PER_S);
	assert_false(logged("level=error"));
	assert_int_equal(said(config_path, NULL), 1);
}

/* As Kubernetes updates a volume: the link to the folder is replaced. */
static void a_link_that_moves(void **state)
{
	char command[400];

	(void)state;
	snprintf(command, sizeof(command),
		 "cd %s && mkdir old new && cp rsa.pem rsa.key old && cp P-256.pem new/rsa.pem && "
		 "cp P-256.key new/rsa.key && ln -s old data && ln -s data/rsa.pem linked.pem && "
		 "ln -s data/rsa.key linked.key",
		 tree_root);
	assert_int_equal(system(command), 0);
	assert_int_equal(start_with("linked", ""), 0);
	check_status("before", ECDHE_RSA, 200);
	run("ln -s new data2 && mv -T data2 data");
	usleep(1100000);
	check_status("after", ECDHE_ECDS, 200);
}

/* A child that writes the configuration anew as soon as it was read. */
static pid_t change_after_reading(const char *config)
{
	int watch = inotify_init1(IN_CLOEXEC);
	struct inotify_event event[16];
	pid_t pid;

	assert_true(watch >= 0);
	assert_true(inotify_add_watch(watch, config_path, IN_CLOSE_NOWRITE) >= 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (read(watch, event, sizeof(event)) > 0)
			tree_put("web.yml", config);
		_exit(0);
	}
	close(watch);
	return pid;
}

static void a_change_while_it_is_read(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	/* The first reading sees no users: they come while the certificate is read. */
	tree_put("web.yml", PAIR);
	pid = change_after_reading(PAIR USERS);
	assert_int_equal(guard_open(config_path, &guard), 0);
	waitpid(pid, &status, 0);
	usleep(1100000);
	guard_refresh(guard, clock_monotonic_ns() + 2 * NS_PER_S);
	assert_true(logged("was read again"));
	assert_int_equal(guard_admit(guard, NULL, NULL, NULL, 1), GUARD_UNAUTHORIZED);
}

/* Others than the owner must not read a key or hashes of passwords. */
static void secrets_that_others_can_read(void **state)
{
	static const struct {
		mode_t config, key;
		const char *said[2];
	} modes[] = {
		{0600, 0600, {NULL, NULL}},
		{0600, 0644, {"the private key can be read by everyone", "/rsa.key, or"}},
		{0600, 0444, {"its mode is 0444", "defaultMode: 0400"}},
		{0644,
		 0600,
		 {"the hashes of passwords in it can be read by everyone", "/web.yml, or"}},
	};
	char key_path[128];
	size_t i, j;

	(void)state;
	snprintf(key_path, sizeof(key_path), "%s/rsa.key", tree_root);
	for (i = 0; i < ARRAY_SIZE(modes); i++) {
		tree_put("web.yml", PAIR USERS);
		assert_int_equal(chmod(config_path, modes[i].config), 0);
		assert_int_equal(chmod(key_path, modes[i].key), 0);
		assert_int_equal(guard_open(config_path, &guard), 0);
		stop();
		if (!modes[i].said[0])
			assert_false(logged("can be read by"));
		for (j = 0; j < 2 && modes[i].said[j]; j++)
			assert_true(logged(modes[i].said[j]));
	}
	chmod(config_path, 0644);
}

/* A file that a new configuration names may come after it. */
static void a_file_that_comes_late(void **state)
{
	(void)state;
	assert_int_equal(start_with("rsa", ""), 0);
	tree_put("web.yml", "tls_server_config: {cert_file: late.pem, key_file: P-256.key}\n");
	usleep(1100000);
	check_status("before", "--tls-max 1.2 --ciphers ECDHE-RSA-AES128-GCM-SHA256", 200);
	assert_true(logged("late.pem: No such file"));
	run("cp P-256.pem late.pem");
	usleep(1100000);
	check_status("after", "--tls-max 1.2 --ciphers ECDHE-ECDSA-AES128-GCM-SHA256", 200);
}

static bool is_needed(const struct sandbox_needs *needs, const char *path)
{
	size_t i;

	for (i = 0; i < needs->path_count; i++)
		if (strcmp(needs->paths[i].path, path) == 0)
			return true;
	return false;
}

/* What is read again at a change can be read in the sandbox: also the CAs of the system, which
 * clients are checked with if there is no client CA. */
static void what_is_read_again(void **state)
{
	struct sandbox_needs needs = {0};
	char real[PATH_MAX];

	(void)state;
	assert_int_equal(start_with("rsa", "  client_auth_type: RequireAndVerifyClientCert\n"), 0);
	guard_need(guard, &needs);
	assert_non_null(realpath(tree_root, real));
	assert_true(is_needed(&needs, real));
	assert_true(is_needed(&needs, "/etc/ssl/certs"));
	sandbox_needs_free(&needs);
	assert_int_equal(start(USERS), 0);
	guard_need(guard, &needs);
	assert_true(is_needed(&needs, real));
	assert_false(is_needed(&needs, "/etc/ssl/certs"));
	sandbox_needs_free(&needs);
}

/* A socket that sends something else. */
static void garbage(void **state)
{
	struct sockaddr_in to = {.sin_family = AF_INET};
	struct pollfd fd;
	char byte;
	int i, sock, turns;

	(void)state;
	start_with("rsa", "");
	to.sin_port = htons((uint16_t)port);
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	for (i = 0; i < 20; i++) {
		sock = socket(AF_INET, SOCK_STREAM, 0);
		assert_int_equal(connect(sock, (struct sockaddr *)&to, sizeof(to)), 0);
		assert_int_equal(write(sock, "\n\n\n\n", 4), 4);
		fd = (struct pollfd){.fd = http_event_fd(http, 0), .events = POLLIN};
		for (turns = 0; turns < TURNS_MAX; turns++) {
			poll(&fd, 1, 10);
			http_run(http);
			if (recv(sock, &byte, 1, MSG_DONTWAIT) >= 0 || errno == ECONNRESET)
				break;
		}
		close(sock);
		assert_true(turns < TURNS_MAX);
	}
	assert_true(logged("what it sends is no TLS"));
	/* Said once, counted always. */
	assert_int_equal(http_refusals(http)->count[REFUSAL_NO_TLS], 20);
	{
		struct buf log;
		const char *first;

		assert_int_equal(buf_read_file(&log, log_path, 1 << 20), 0);
		first = strstr(log.data, "refused the client");
		assert_non_null(first);
		assert_null(strstr(first + 1, "refused the client"));
		buf_free(&log);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(certificates_are_served),
		TEST(certificates_that_are_not),
		TEST(doubts_are_said),
		TEST(forward_secrecy),
		TEST(suites_are_those_listed),
		TEST(all_names_are_known),
		TEST(who_prefers),
		TEST(curves_and_versions),
		TEST(groups_and_signatures),
		TEST(groups_of_tls_1_3),
		TEST(suites_of_a_lower_version),
		TEST(clients_with_certificates),
		TEST(clients_are_told_why_not),
		TEST(a_client_that_does_not_trust_us),
		TEST(a_failure_without_a_cause),
		TEST(http_to_tls_and_back),
		TEST(changes_while_it_runs),
		TEST(secrets_that_others_can_read),
		TEST(a_change_settles),
		TEST(a_link_that_moves),
		TEST(a_change_while_it_is_read),
		TEST(a_file_that_comes_late),
		TEST(what_is_read_again),
		TEST(garbage),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, make_all, remove_all);
}
