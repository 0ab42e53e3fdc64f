/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The server with users: requests that wait for a password to be checked, while others are served.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/socket.h>

#include <gnutls/gnutls.h>

#include "caught_log.h"
#include "http/guard.h"
#include "http/server.h"
#include "loopback.h"
#include "tree.h"
#include "util/array.h"

#define TURNS_MAX 6000

/* Of "secret" and "other". The second takes hundreds of milliseconds. */
#define QUICK	  "$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW"
#define SLOW	  "$2b$12$abcdefghijklmnopqrstuuQKqSsdYvK1Zt7kHb5Euj4kKkyZ0Gg2q"

static struct guard *guard;
static struct http *http;
static unsigned int port;
static char config_path[128];

static void handle(void *context, const struct http_request *request, struct http_reply *reply)
{
	(void)context;
	(void)request;
	reply->status = 200;
	reply->content_type = "text/plain";
	reply->body = strdup("hello\n");
	reply->len = 6;
}

static void stop(void)
{
	http_free(http);
	guard_close(guard);
	http = NULL;
	guard = NULL;
}

static void start(const char *config)
{
	struct address address = {.len = sizeof(struct sockaddr_in)};
	struct sockaddr_in *in = (struct sockaddr_in *)&address.sockaddr;

	tree_put("web.yml", config);
	assert_int_equal(guard_open(config_path, &guard), 0);
	http = http_new(handle, NULL, guard);
	assert_non_null(http);
	in->sin_family = AF_INET;
	in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(http_listen(http, &address), 0);
	port = ntohs(in->sin_port);
	assert_int_equal(guard_start(guard), 0);
}

static int setup(void **state)
{
	(void)state;
	if (tree_make())
		return -1;
	snprintf(config_path, sizeof(config_path), "%s/web.yml", tree_root);
	catch_log();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	stop();
	release_log();
	return tree_remove("");
}

static void serve(void)
{
	struct pollfd fds[2];
	nfds_t count = 0;

	for (; count < 2 && http_event_fd(http, count) >= 0; count++)
		fds[count] = (struct pollfd){.fd = http_event_fd(http, count), .events = POLLIN};
	poll(fds, count, 10);
	http_run(http);
}

/* Connects from 127.0.0.HOST and sends a request with "user:password". */
static int ask(unsigned char host, const char *credentials)
{
	gnutls_datum_t text = {(unsigned char *)credentials, (unsigned int)strlen(credentials)};
	gnutls_datum_t base64;
	char request[512];
	int fd = loopback_connect(host, port), len;

	assert_int_equal(gnutls_base64_encode2(&text, &base64), 0);
	len = snprintf(request, sizeof(request),
		       "GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Basic %s\r\n\r\n", base64.data);
	gnutls_free(base64.data);
	assert_int_equal(send(fd, request, (size_t)len, MSG_NOSIGNAL), len);
	return fd;
}

/* The status of the reply that is there; 0: none. */
static int status_of(int fd)
{
	char text[1024] = "";
	int status = 0;

	if (recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT | MSG_PEEK) > 12)
		assert_int_equal(sscanf(text, "HTTP/1.1 %d", &status), 1);
	if (status == 429)
		assert_non_null(strcasestr(text, "\r\nRetry-After: "));
	if (status == 401)
		assert_non_null(strcasestr(text, "\r\nWWW-Authenticate: Basic "));
	return status;
}

/* Serves until there is a reply. */
static int wait_for(int fd)
{
	int turns;

	for (turns = 0; turns < TURNS_MAX && !status_of(fd); turns++)
		serve();
	return status_of(fd);
}

static int status_for(unsigned char host, const char *credentials)
{
	int fd = ask(host, credentials), status = wait_for(fd);

	close(fd);
	return status;
}

static void a_password_is_checked(void **state)
{
	int fd;

	(void)state;
	start("basic_auth_users: {prom: " QUICK "}\n");
	assert_int_equal(status_for(1, "prom:secret"), 200);
	assert_int_equal(status_for(1, "prom:Secret"), 401);
	assert_int_equal(status_for(1, "other:secret"), 401);
	assert_int_equal(http_refusals(http)->count[REFUSAL_PASSWORD], 2);
	assert_int_equal(logged("refused the client 127.0.0.1:"), 1);
	assert_int_equal(logged("it sent no user and password, or wrong ones"), 1);
	/* Kept alive, and asked again. */
	fd = ask(1, "prom:wrong");
	assert_int_equal(wait_for(fd), 401);
	close(fd);
}

/* Who is known is answered while others wait, as is one who sends no password. */
static void others_are_served_meanwhile(void **state)
{
	int waits, known, none;

	(void)state;
	start("basic_auth_users: {prom: " QUICK ", two: " SLOW "}\n");
	assert_int_equal(status_for(1, "prom:secret"), 200);
	waits = ask(2, "two:other");
	serve();
	serve();
	known = ask(1, "prom:secret");
	none = ask(3, "");
	assert_int_equal(wait_for(known), 200);
	assert_int_equal(wait_for(none), 401);
	assert_int_equal(status_of(waits), 0);
	assert_int_equal(wait_for(waits), 200);
	close(waits);
	close(known);
	close(none);
}

/* Many guesses from one address: most are turned away at once. Another address is let in. */
static void guesses_of_one_address(void **state)
{
	char guess[32];
	int fds[20], i, later = 0, turns;

	(void)state;
	start("basic_auth_users: {prom: " QUICK ", two: " SLOW "}\n");
	for (i = 0; i < 20; i++) {
		snprintf(guess, sizeof(guess), "two:%d", i);
		fds[i] = ask(2, guess);
	}
	for (turns = 0; turns < 50; turns++)
		serve();
	for (i = 0; i < 20; i++)
		later += status_of(fds[i]) == 429;
	assert_int_equal(later, 20 - AUTH_JOBS_EACH);
	assert_int_equal(http_refusals(http)->count[REFUSAL_TOO_MANY], later);
	assert_int_equal(status_for(3, "prom:secret"), 200);
	for (i = 0; i < 20; i++)
		close(fds[i]);
}

/* A client that has gone while it waited passes at once when it comes again. */
static void a_client_that_goes(void **state)
{
	int fd, turns;

	(void)state;
	start("basic_auth_users: {two: " SLOW "}\n");
	fd = ask(1, "two:other");
	serve();
	serve();
	close(fd);
	for (turns = 0; turns < TURNS_MAX && http_timeout_ms(http) != -1; turns++)
		serve();
	assert_int_equal(http_timeout_ms(http), -1); /* its connection has ended */
	assert_int_equal(status_for(1, "two:other"), 200);
}

static void the_end_while_some_wait(void **state)
{
	int fds[3];
	size_t i;

	(void)state;
	start("basic_auth_users: {two: " SLOW "}\n");
	for (i = 0; i < ARRAY_SIZE(fds); i++)
		fds[i] = ask((unsigned char)(i + 1), i ? "two:wrong" : "two:other");
	serve();
	serve();
	stop();
	for (i = 0; i < ARRAY_SIZE(fds); i++)
		close(fds[i]);
}

/* Without its thread a server lets nobody in. */
static void before_the_start(void **state)
{
	struct address address = {.len = sizeof(struct sockaddr_in)};
	struct sockaddr_in *in = (struct sockaddr_in *)&address.sockaddr;

	(void)state;
	tree_put("web.yml", "basic_auth_users: {prom: " QUICK "}\n");
	assert_int_equal(guard_open(config_path, &guard), 0);
	http = http_new(handle, NULL, guard);
	in->sin_family = AF_INET;
	in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(http_listen(http, &address), 0);
	port = ntohs(in->sin_port);
	assert_int_equal(status_for(1, "prom:secret"), 429);
	assert_int_equal(guard_start(guard), 0);
	assert_int_equal(status_for(1, "prom:secret"), 200);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_password_is_checked),   TEST(others_are_served_meanwhile),
		TEST(guesses_of_one_address),  TEST(a_client_that_goes),
		TEST(the_end_while_some_wait), TEST(before_the_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
