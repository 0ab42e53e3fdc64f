/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The kubelet's client against tests/kubelet/kubelet, over TLS, in good order and in
 * bad. Every bad thing is followed by a good one: the client must recover by itself.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "kube/kubelet.h"
#include "kube/kubelet_try.h"
#include "kube/kubelet_url.h"
#include "util/array.h"
#include "util/buf.h"
#include "util/clock.h"
#include "util/log.h"

#include "caught_log.h"
#include "kubelet_server.h"
#include "tree.h"

#define SERVER	    "tests/kubelet/kubelet"
#define CERTS	    "tests/kubelet/make-certs"
#define DOCUMENTS   "tests/kubelet/pods/"
#define UID	    "10000000-0000-4000-8000-000000000001"
#define MS	    UINT64_C(1000000)

/* Longer than any of this takes on a busy machine. */
#define PATIENCE_MS 60000

static struct label_keys keys;
static struct pods pods;
static struct kubelet *kubelet;

/* Of the client, and how many of them took over a second. */
static unsigned int runs, long_runs;

static int setup(void **state)
{
	(void)state;
	if (tree_make() || label_keys_parse("app", &keys))
		return -1;
	server_prepare();
	server_put_document("deployment");
	pods_init(&pods, &keys, NS_PER_S);
	runs = long_runs = 0;
	catch_log();
	server_start();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	release_log();
	kubelet_close(kubelet);
	kubelet = NULL;
	server_stop();
	pods_free(&pods);
	label_keys_free(&keys);
	/* It never waits, whatever the server does; but on a busy machine it may be made to. */
	assert_true(long_runs <= runs / 5);
	return tree_remove("");
}

static void open_with(const struct kubelet_options *options)
{
	const struct kubelet_options usual = server_options();
	struct kubelet_options all = *options;

	all.url = all.url ?: usual.url;
	all.token_file = all.token_file ?: usual.token_file;
	all.ca_file = all.ca_file ?: usual.ca_file;
	all.times = all.times ?: usual.times;
	assert_int_equal(kubelet_open(&all, &pods, &kubelet), 0);
}

static void open_kubelet(void)
{
	open_with(&(struct kubelet_options){.url = NULL});
}

/* A kubelet client that waits for at most a second and a half. */
static void open_impatient(void)
{
	static struct kubelet_times impatient;

	impatient = *server_options().times;
	impatient.connect_ns = impatient.total_ns = 1500 * MS;
	open_with(&(struct kubelet_options){.times = &impatient});
}

/* Runs the client for at most this long, until the counter has grown. Returns whether it has. */
static bool run_until_grown(const uint64_t *counter, uint64_t than, int timeout_ms)
{
	uint64_t end_ns = clock_monotonic_ns() + (uint64_t)timeout_ms * MS;
	struct pollfd fd = {.fd = kubelet_fd(kubelet), .events = POLLIN};

	while (*counter <= than && clock_monotonic_ns() < end_ns) {
		uint64_t begin_ns;

		poll(&fd, 1, 100);
		begin_ns = clock_monotonic_ns();
		kubelet_run(kubelet);
		runs++;
		long_runs += clock_monotonic_ns() - begin_ns > NS_PER_S;
	}
	return *counter > than;
}

static uint64_t successes(void)
{
	const struct kubelet_status *status = kubelet_status(kubelet);
	uint64_t failed = 0;

	for (int error = 0; error < KUBELET_BAD_POD; error++)
		failed += status->errors[error];
	return status->requests - failed;
}

static void run_until_success(void)
{
	uint64_t before = successes();
	const struct kubelet_status *status = kubelet_status(kubelet);

	for (int i = 0; i < 1000 && successes() == before; i++)
		assert_true(run_until_grown(&status->requests, status->requests, PATIENCE_MS));
	assert_true(successes() > before);
}

/* The mode's effect is counted under its reason and logged once; then all is well again. */
static void assert_fails_and_recovers(const char *bad_mode, enum kubelet_error error)
{
	const struct kubelet_status *status = kubelet_status(kubelet);
	uint64_t before = status->errors[error];
	unsigned int lines;

	run_until_success();
	lines = logged("cannot read the pods");
	server_mode(bad_mode);
	assert_true(run_until_grown(&status->errors[error], before + 1, PATIENCE_MS));
	assert_int_equal(logged("cannot read the pods"), lines + 1);
	assert_non_null(pods_find(&pods, UID));
	lines = logged("are read from");
	server_mode("ok");
	run_until_success();
	assert_int_equal(logged("are read from"), lines + 1);
	assert_non_null(pods_find(&pods, UID));
}

static void pods_are_read(void **state)
{
	const struct kubelet_status *status;
	uint64_t before_ns = clock_boottime_ns();

	(void)state;
	open_kubelet();
	status = kubelet_status(kubelet);
	assert_true(status->in_use);
	assert_int_equal(status->last_success_ns, 0);
	run_until_success();
	assert_string_equal(pods_find(&pods, UID)->name, "web-7d4b9c6f5-x2x8k");
	assert_true(status->last_success_ns > before_ns);
	assert_true(kubelet_listed_ns(kubelet) > before_ns);
	assert_true(kubelet_has_answered(kubelet));
	assert_int_equal(logged("level=warn"), 0);
}

static void it_asks_again_by_itself_and_soon_when_wanted(void **state)
{
	struct kubelet_times slow = *server_options().times;

	(void)state;
	open_kubelet();
	run_until_success();
	server_put_document("crio");
	run_until_success();
	run_until_success();
	assert_int_equal(pods_count(&pods), 2);
	kubelet_close(kubelet);

	slow.interval_ns = 3600 * NS_PER_S;
	open_with(&(struct kubelet_options){.times = &slow});
	run_until_success();
	server_put_document("docker");
	kubelet_want(kubelet);
	kubelet_want(kubelet);
	run_until_success();
	assert_int_equal(pods_count(&pods), 3);
	/* Two wishes, one request. */
	assert_false(run_until_grown(&kubelet_status(kubelet)->requests, 2, 300));
}

static void wishes_are_rate_limited(void **state)
{
	struct kubelet_times limited = *server_options().times;
	uint64_t end_ns;

	(void)state;
	limited.interval_ns = 3600 * NS_PER_S;
	limited.gap_ns = 200 * MS;
	open_with(&(struct kubelet_options){.times = &limited});
	end_ns = clock_monotonic_ns() + NS_PER_S;
	while (clock_monotonic_ns() < end_ns) {
		struct pollfd fd = {.fd = kubelet_fd(kubelet), .events = POLLIN};

		poll(&fd, 1, 1);
		kubelet_run(kubelet);
		kubelet_want(kubelet);
	}
	/* 1 s of wishes, at most one request in 200 ms. */
	assert_in_range(kubelet_status(kubelet)->requests, 2, 7);
}

static void certificates_that_do_not_fit(void **state)
{
	(void)state;
	open_kubelet();
	assert_fails_and_recovers("other-ca", KUBELET_TLS);
	assert_fails_and_recovers("wrong-name", KUBELET_TLS);
	assert_fails_and_recovers("plain", KUBELET_TLS);
	assert_true(logged("--kube.insecure") > 0);
}

static void insecure_takes_any_certificate(void **state)
{
	(void)state;
	server_mode("other-ca");
	open_with(&(struct kubelet_options){.insecure = true, .ca_file = "/nonexistent"});
	run_until_success();
	assert_non_null(pods_find(&pods, UID));
}

/* The connection goes where the URL says; the certificate must name another host. */
static void server_name_in_place_of_the_address(void **state)
{
	(void)state;
	server_mode("wrong-name");
	open_with(&(struct kubelet_options){.server_name = "another-node"});
	run_until_success();
	assert_non_null(pods_find(&pods, UID));
	server_mode("other-ca");
	assert_true(run_until_grown(&kubelet_status(kubelet)->errors[KUBELET_TLS], 0, 20000));
}

static void server_name_that_does_not_fit(void **state)
{
	(void)state;
	server_mode("wrong-name");
	open_with(&(struct kubelet_options){.server_name = "this-node"});
	assert_true(run_until_grown(&kubelet_status(kubelet)->errors[KUBELET_TLS], 0, 20000));
	assert_true(logged("--kube.server-name") > 0);
}

/* kubeadm's kubelets sign their own certificates, which lie on the node. */
static void certificate_that_the_kubelet_made_for_itself(void **state)
{
	char file[128];

	(void)state;
	server_mode("self-signed");
	open_with(&(struct kubelet_options){.server_name = "pi-1",
					    .ca_file = in_tree("kubelet.crt", file)});
	run_until_success();
	assert_non_null(pods_find(&pods, UID));
}

static void replies_that_do_not_come(void **state)
{
	(void)state;
	open_impatient();
	assert_fails_and_recovers("silent", KUBELET_TIMEOUT);
	assert_fails_and_recovers("slow 10", KUBELET_TIMEOUT);
	assert_fails_and_recovers("slow 0.01", KUBELET_TIMEOUT);
}

static void a_handshake_that_does_not_come(void **state)
{
	(void)state;
	server_mode("hang");
	open_impatient();
	assert_true(
		run_until_grown(&kubelet_status(kubelet)->errors[KUBELET_TIMEOUT], 0, PATIENCE_MS));
	server_mode("ok");
	run_until_success();
}

static void replies_that_end_too_early(void **state)
{
	(void)state;
	open_kubelet();
	assert_fails_and_recovers("truncated", KUBELET_TRUNCATED);
}

static void a_reply_of_200_mb(void **state)
{
	(void)state;
	open_kubelet();
	assert_fails_and_recovers("huge 209715200", KUBELET_TOO_LARGE);
}

static void many_small_pods_are_bounded_too(void **state)
{
	(void)state;
	server_put_document("init");
	open_with(&(struct kubelet_options){.reply_max = 1000});
	assert_true(run_until_grown(&kubelet_status(kubelet)->errors[KUBELET_TOO_LARGE], 0,
				    PATIENCE_MS));
}

static void statuses(void **state)
{
	(void)state;
	open_kubelet();
	assert_fails_and_recovers("status 401", KUBELET_UNAUTHORIZED);
	assert_true(logged("cannot ask the API server") > 0);
	assert_fails_and_recovers("status 403", KUBELET_FORBIDDEN);
	assert_true(logged("nodes/pods") > 0 && logged("nodes/proxy") > 0);
	assert_fails_and_recovers("status 404", KUBELET_NOT_FOUND);
	assert_fails_and_recovers("status 503", KUBELET_STATUS);
	assert_fails_and_recovers("status 302", KUBELET_STATUS);
}

static void assert_body_fails(const char *body, enum kubelet_error error)
{
	const struct kubelet_status *status = kubelet_status(kubelet);
	uint64_t before = status->errors[error];

	run_until_success();
	tree_put("body", body);
	assert_true(run_until_grown(&status->errors[error], before, PATIENCE_MS));
	tree_remove("body");
	run_until_success();
	assert_non_null(pods_find(&pods, UID));
}

static void bodies_that_are_no_list(void **state)
{
	(void)state;
	open_kubelet();
	assert_body_fails("<html>no</html>", KUBELET_MALFORMED);
	assert_body_fails("{}", KUBELET_MALFORMED);
	assert_body_fails("{\"kind\":\"Status\",\"status\":\"Failure\"}", KUBELET_MALFORMED);
	assert_body_fails("{\"items\":[{}]}}", KUBELET_MALFORMED);
	assert_body_fails("[]", KUBELET_MALFORMED);
	assert_body_fails("{\"items\":[{\"metadata\":", KUBELET_TRUNCATED);
	assert_body_fails("", KUBELET_TRUNCATED);
}

/* One pod that cannot be read does not keep the others from being known. */
static void bad_pods_are_left_out(void **state)
{
	const struct kubelet_status *status;

	(void)state;
	tree_put("pods/0-bad.json", "{\"metadata\":{\"name\":\"no uid\"}}");
	tree_put("pods/1-syntax.json", "{\"metadata\":}");
	tree_put("pods/2-null.json", "null");
	tree_put("pods/z-twin.json", "{\"metadata\":{\"name\":\"twin\",\"namespace\":\"shop\","
				     "\"uid\":\"" UID "\"}}");
	server_put_document("nulls");
	server_put_document("odd");
	open_kubelet();
	status = kubelet_status(kubelet);
	run_until_success();
	run_until_success();
	assert_int_equal(pods_count(&pods), 3);
	assert_string_equal(pods_find(&pods, UID)->name, "web-7d4b9c6f5-x2x8k");
	assert_true(status->errors[KUBELET_BAD_POD] >= 4);
	assert_true(status->errors[KUBELET_DUPLICATE] >= 2);
	assert_int_equal(logged("cannot be read"), 1);
}

static void a_kubelet_that_is_down(void **state)
{
	const struct kubelet_status *status;
	char port[16];

	(void)state;
	open_kubelet();
	status = kubelet_status(kubelet);
	run_until_success();
	(void)snprintf(port, sizeof(port), "%s", strrchr(server_url, ':') + 1);
	server_stop();
	assert_true(run_until_grown(&status->errors[KUBELET_CONNECT], 2, PATIENCE_MS));
	assert_int_equal(logged("cannot read the pods"), 1);
	assert_non_null(pods_find(&pods, UID));
	tree_put("listen", port);
	server_start();
	run_until_success();
	assert_int_equal(logged("are read from"), 2);
}

static void tokens(void **state)
{
	const struct kubelet_status *status;

	(void)state;
	open_kubelet();
	status = kubelet_status(kubelet);
	run_until_success();

	/* The token is rotated: the server accepts only the new one, and the file has it soon
	 * after. */
	tree_put("token", "another.token\n");
	run_until_success();
	/* Half-way: empty, cut (which is another token), with a newline in it; then whole. */
	tree_put("my-token", "");
	kubelet_close(kubelet);
	in_tree("my-token", token_path);
	open_kubelet();
	status = kubelet_status(kubelet);
	assert_true(run_until_grown(&status->errors[KUBELET_TOKEN], 0, PATIENCE_MS));
	tree_put("my-token", "another.tok");
	assert_true(run_until_grown(&status->errors[KUBELET_UNAUTHORIZED], 0, PATIENCE_MS));
	tree_put("my-token", "another.token\r\nX-Evil: 1\r\n");
	assert_true(run_until_grown(&status->errors[KUBELET_TOKEN], status->errors[KUBELET_TOKEN],
				    PATIENCE_MS));
	tree_put("my-token", "another.token");
	run_until_success();
	tree_remove("my-token");
	assert_true(run_until_grown(&status->errors[KUBELET_TOKEN], status->errors[KUBELET_TOKEN],
				    PATIENCE_MS));
	tree_put("my-token", "another.token");
	run_until_success();
	assert_int_equal(logged("another.tok"), 0); /* it is a secret */
}

static void without_a_token_there_is_no_kubernetes(void **state)
{
	(void)state;
	in_tree("no-token", token_path);
	open_with(&(struct kubelet_options){.optional = true});
	assert_false(run_until_grown(&kubelet_status(kubelet)->requests, 0, 300));
	assert_false(kubelet_status(kubelet)->in_use);
	assert_true(kubelet_has_answered(kubelet));
	assert_int_equal(logged("level="), 0);
	/* It comes later, and stays wanted from then on. */
	tree_put("no-token", "a.good.token");
	run_until_success();
	tree_remove("no-token");
	assert_true(
		run_until_grown(&kubelet_status(kubelet)->errors[KUBELET_TOKEN], 0, PATIENCE_MS));
}

/* Nothing waits for a writer. */
static void files_that_would_block(void **state)
{
	const struct kubelet_status *status;
	char fifo[128];

	(void)state;
	in_tree("fifo", fifo);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	open_with(&(struct kubelet_options){.ca_file = fifo});
	status = kubelet_status(kubelet);
	assert_true(run_until_grown(&status->errors[KUBELET_CA], 0, PATIENCE_MS));
	assert_true(logged("/fifo: it is a FIFO; name a regular file; name the cluster's CA"));
	kubelet_close(kubelet);
	in_tree("fifo", token_path);
	open_kubelet();
	status = kubelet_status(kubelet);
	assert_true(run_until_grown(&status->errors[KUBELET_TOKEN], 0, PATIENCE_MS));
	assert_true(logged("/fifo: it is a FIFO; name a regular file; the pod needs"));
	unlink(fifo);
}

static void a_ca_that_cannot_be_used(void **state)
{
	const struct kubelet_status *status;

	(void)state;
	open_with(&(struct kubelet_options){.ca_file = "/nonexistent/ca.crt"});
	status = kubelet_status(kubelet);
	assert_true(run_until_grown(&status->errors[KUBELET_CA], 0, PATIENCE_MS));
	assert_int_equal(pods_count(&pods), 0);
	assert_true(logged("--kube.ca-file") > 0);
}

static void it_can_end_at_any_moment(void **state)
{
	(void)state;
	for (int turns = 0; turns < 12; turns++) {
		open_kubelet();
		for (int i = 0; i < turns; i++) {
			struct pollfd fd = {.fd = kubelet_fd(kubelet), .events = POLLIN};

			poll(&fd, 1, 20);
			kubelet_run(kubelet);
		}
		kubelet_close(kubelet);
		kubelet = NULL;
	}
}

/* As the manifest writes the URL: the address, a colon, the port. */
static void over_ipv6(void **state)
{
	static char url[64];

	(void)state;
	server_stop();
	tree_put("address", "::1");
	server_start();
	(void)snprintf(url, sizeof(url), "https://::1:%s", strrchr(server_url, ':') + 1);
	open_with(&(struct kubelet_options){.url = url});
	run_until_success();
	assert_non_null(pods_find(&pods, UID));
	assert_int_equal(logged("https://[::1]:"), 1);
}

static struct kubelet_trial try_with(const char *bad_mode)
{
	const struct kubelet_options options = server_options();
	struct kubelet_trial trial;

	server_mode(bad_mode);
	assert_int_equal(kubelet_try(&options, &trial), 0);
	assert_true(trial.asked);
	return trial;
}

/* What check says: the same words as in the log. */
static void one_try(void **state)
{
	static const struct {
		const char *mode;
		enum kubelet_error error;
		const char *remedy;
	} bad[] = {
		{"other-ca", KUBELET_TLS, "--kube.insecure"},
		{"plain", KUBELET_TLS, "--kube.ca-file"},
		{"status 401", KUBELET_UNAUTHORIZED, "cannot ask the API server"},
		{"status 403", KUBELET_FORBIDDEN, "nodes/pods"},
		{"status 404", KUBELET_NOT_FOUND, "debugging handlers"},
		{"status 500", KUBELET_STATUS, "cannot ask the API server"},
		{"silent", KUBELET_TIMEOUT, "overloaded"},
	};
	const struct kubelet_options no_token = {.url = server_url,
						 .token_file = "/nonexistent",
						 .ca_file = ca_path,
						 .optional = true};
	struct kubelet_trial trial = try_with("ok");

	(void)state;
	assert_int_equal(trial.error, KUBELET_OK);
	assert_int_equal(trial.pods, 1);
	assert_null(trial.remedy);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		trial = try_with(bad[i].mode);
		assert_int_equal(trial.error, bad[i].error);
		assert_true(trial.problem[0]);
		if (!strstr(trial.remedy, bad[i].remedy))
			fail_msg("%s: %s", bad[i].mode, trial.remedy);
	}
	server_stop();
	{
		const struct kubelet_options options = server_options();

		assert_int_equal(kubelet_try(&options, &trial), 0);
		assert_int_equal(trial.error, KUBELET_CONNECT);
	}
	assert_int_equal(kubelet_try(&no_token, &trial), 0);
	assert_false(trial.asked);
	assert_int_equal(logged("level="), 0);
}

static void urls(void **state)
{
	/* A URL as it is written, and as it is read. NULL: it is not valid. */
	static const char *const urls[][2] = {
		{"https://127.0.0.1:10250", "https://127.0.0.1:10250"},
		{"https://pi-1", "https://pi-1"},
		{"https://pi_1.home.arpa:10250/", "https://pi_1.home.arpa:10250"},
		{"https://[::1]:10250/", "https://[::1]:10250"},
		{"https://[fd00:10::5]", "https://[fd00:10::5]"},
		/* As the manifest makes them of the node's address. */
		{"https://fd00:10::5:10250", "https://[fd00:10::5]:10250"},
		{"https://2001:db8:1:2:3:4:5:6:10250", "https://[2001:db8:1:2:3:4:5:6]:10250"},
		{"https://::1:10250", "https://[::1]:10250"},
		{"https://fd00:10::5:443", "https://[fd00:10::5]:443"},
		{"https://fd00:10::5:10250/", "https://[fd00:10::5]:10250"},
		/* The text before the last colon is not an address. */
		{"https://2001:db8:1:2:3:4:5:6", "https://[2001:db8:1:2:3:4:5:6]"},
		{"https://fd00:10::", "https://[fd00:10::]"},
		{"https://::ffff:10.0.0.1:10250", "https://[::ffff:10.0.0.1]:10250"},
		/* An address that is valid on one interface only. */
		{"https://fe80::1%eth0:10250", "https://[fe80::1%25eth0]:10250"},
		{"https://[fe80::1%eth0]:10250", "https://[fe80::1%25eth0]:10250"},
		{"https://[fe80::1%25eth0]", "https://[fe80::1%25eth0]"},
		{"", NULL},
		{"https://", NULL},
		{"https:///", NULL},
		{"https://:10250", NULL},
		{"http://127.0.0.1:10255", NULL},
		{"127.0.0.1", NULL},
		{"https:///pods", NULL},
		{"https://a/pods", NULL},
		{"https://u@a", NULL},
		{"https://a?b", NULL},
		{"https://a b", NULL},
		{"https://a:", NULL},
		{"https://a:0", NULL},
		{"https://a:65536", NULL},
		{"https://a:port", NULL},
		{"https://a:10250:10250", NULL},
		{"https://$(NODE_IP):10250", NULL}, /* what a wrong manifest leaves */
		{"https://[a]:10250", NULL},
		{"https://[::1", NULL},
		{"https://[::1]10250", NULL},
		{"https://[::1]:", NULL},
		{"https://fd00:10::5:99999", NULL},
		{"https://fd00::5::6:10250", NULL},
		{"https://fe80::1%:10250", NULL},
		{"https://fe80::1%a/b:10250", NULL},
	};
	const struct kubelet_options options = {.url = "http://127.0.0.1:1", .token_file = "t"};
	char url[KUBELET_URL_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(urls); i++) {
		const char *wrong = kubelet_url_read(urls[i][0], url);

		if (!wrong != (urls[i][1] != NULL))
			fail_msg("%s: %s", urls[i][0], wrong ? wrong : url);
		if (urls[i][1])
			assert_string_equal(url, urls[i][1]);
	}
	assert_int_equal(kubelet_open(&options, &pods, &kubelet), -EINVAL);
	assert_true(kubelet_url_is_name("pi-1.home"));
	assert_false(kubelet_url_is_name(""));
	assert_false(kubelet_url_is_name("pi-1:10250"));
	assert_false(kubelet_url_is_name("pi-1/pods"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(pods_are_read),
		TEST(it_asks_again_by_itself_and_soon_when_wanted),
		TEST(wishes_are_rate_limited),
		TEST(certificates_that_do_not_fit),
		TEST(insecure_takes_any_certificate),
		TEST(server_name_in_place_of_the_address),
		TEST(server_name_that_does_not_fit),
		TEST(certificate_that_the_kubelet_made_for_itself),
		TEST(replies_that_do_not_come),
		TEST(a_handshake_that_does_not_come),
		TEST(replies_that_end_too_early),
		TEST(a_reply_of_200_mb),
		TEST(many_small_pods_are_bounded_too),
		TEST(statuses),
		TEST(bodies_that_are_no_list),
		TEST(bad_pods_are_left_out),
		TEST(a_kubelet_that_is_down),
		TEST(tokens),
		TEST(without_a_token_there_is_no_kubernetes),
		TEST(a_ca_that_cannot_be_used),
		TEST(files_that_would_block),
		TEST(it_can_end_at_any_moment),
		TEST(over_ipv6),
		TEST(one_try),
		cmocka_unit_test(urls),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
