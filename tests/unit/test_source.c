/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Where top reads from: a socket of ours that answers what the test says, one request a connection.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>

#include "top/source.h"
#include "top/top.h"
#include "tree.h"
#include "util/buf.h"
#include "util/clock.h"

#define ANSWERS_MAX   8
#define PATIENCE_NS   (20 * NS_PER_S)

/* HTTP/1.0: the end of the connection is that of the answer. */
#define READING(time) "HTTP/1.0 200 OK\r\n\r\n{\"time_seconds\":" time ",\"containers\":[]}"
#define BUSY	      "HTTP/1.0 503 Service Unavailable\r\nRetry-After: 1\r\n\r\ntoo many\n"
#define NOT_FOUND     "HTTP/1.0 404 Not Found\r\n\r\n"
#define BROKEN	      "HTTP/1.0 200 OK\r\n\r\n[]"
#define CUT_OFF	      "HTTP/1.0 200 OK\r\nContent-Length: 100\r\n\r\n{\"time_seconds\":"
#define NOTHING	      "" /* it hangs up */

static struct {
	int fd;
	pthread_t thread;
	const char *answers[ANSWERS_MAX + 1]; /* the last one again and again */
	unsigned int answered;		      /* read after the thread has ended, or by it */
	char path[128];
} server;

static char log_path[128];

static void answer(int fd, const char *text)
{
	char request[4096];

	/* A request of curl's without a body comes in one piece. */
	if (recv(fd, request, sizeof(request), 0) <= 0)
		return;
	if (send(fd, text, strlen(text), MSG_NOSIGNAL) < 0)
		perror("send");
	server.answered++;
}

static void *serve(void *context)
{
	unsigned int next = 0;
	int fd;

	(void)context;
	while ((fd = accept(server.fd, NULL, NULL)) >= 0) {
		unsigned int before = server.answered;

		answer(fd, server.answers[next]);
		/* Whoever only looks whether somebody listens gets no answer. */
		if (server.answered > before && server.answers[next + 1])
			next++;
		close(fd);
	}
	return NULL;
}

static void start(const char *const *answers)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	unsigned int i;

	server.answered = 0;
	memset(server.answers, 0, sizeof(server.answers));
	for (i = 0; i < ANSWERS_MAX && answers[i]; i++)
		server.answers[i] = answers[i];
	snprintf(server.path, sizeof(server.path), "%s/s.sock", tree_root);
	memcpy(address.sun_path, server.path, strlen(server.path) + 1);
	server.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(server.fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(server.fd, 8), 0);
	assert_int_equal(pthread_create(&server.thread, NULL, serve, NULL), 0);
}

#define START(...) start((const char *const[]){__VA_ARGS__, NULL})

static void stop(void)
{
	/* It ends accept(). */
	shutdown(server.fd, SHUT_RDWR);
	pthread_join(server.thread, NULL);
	close(server.fd);
	unlink(server.path);
}

static int setup(void **state)
{
	(void)state;
	if (tree_make())
		return -1;
	snprintf(log_path, sizeof(log_path), "%s/log", tree_root);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	return tree_remove("");
}

static int no_probe(struct collector_options *options)
{
	(void)options;
	return -ENOSYS;
}

/* Runs top for one table. What it prints and logs is in the log. */
static int run_top(struct buf *log)
{
	const struct top_options options = {
		.collector_options = no_probe,
		.socket = server.path,
		.interval_ns = NS_PER_S / 100,
		.once = true,
	};
	int fd = open(log_path, O_CREAT | O_TRUNC | O_WRONLY | O_APPEND | O_CLOEXEC, 0644);
	int out = dup(1), err = dup(2), result;

	assert_true(fd >= 0);
	fflush(stdout);
	dup2(fd, 1);
	dup2(fd, 2);
	result = top_run(&options);
	fflush(stdout);
	dup2(out, 1);
	dup2(err, 2);
	close(out);
	close(err);
	close(fd);
	assert_int_equal(buf_read_file(log, log_path, 1 << 20), 0);
	return result;
}

/* serve answers 503 while too many replies are under way: top asks again, wherever that comes. */
static void busy_is_no_failure(void **state)
{
	struct buf log;

	(void)state;
	START(BUSY, READING("1"), READING("2"), BUSY, READING("3"));
	assert_int_equal(run_top(&log), 0);
	stop();
	assert_int_equal(server.answered, 5);
	assert_null(strstr(log.data, "level=error"));
	assert_non_null(strstr(log.data, "NAME"));
	buf_free(&log);
}

/* After two readings there is an answer that top can do nothing with. */
static void check_error(const char *bad, const char *cause, bool gone)
{
	char name[256];
	struct buf log;

	START(READING("1"), READING("2"), bad);
	assert_true(run_top(&log) < 0);
	stop();
	snprintf(name, sizeof(name), "cannot read serve at %s: ", server.path);
	assert_non_null(strstr(log.data, name));
	assert_non_null(strstr(log.data, cause));
	assert_int_equal(strstr(log.data, "does bramble serve still run?") != NULL, gone);
	buf_free(&log);
}

static void errors_have_their_own_cause(void **state)
{
	(void)state;
	check_error(BROKEN, "the reply is not what docs/api.md says", false);
	check_error(NOT_FOUND, "404", false);
	check_error(CUT_OFF, "", true);
	check_error(NOTHING, "", true);
}

static void await(struct source *source)
{
	uint64_t end_ns = clock_monotonic_ns() + PATIENCE_NS;

	source_ask(source);
	while (!source_wait(source, NULL, 0, 100))
		assert_true(clock_monotonic_ns() < end_ns);
}

/* The live view shows busy as long as serve says so, even while it is asked again. */
static void live_view_tells_busy_from_gone(void **state)
{
	static const volatile sig_atomic_t stopped;
	const struct source_options options = {
		.socket = server.path,
		.collector_options = no_probe,
		.live = true,
		.stopped = &stopped,
	};
	struct reading reading;
	struct source *source;

	(void)state;
	START(READING("1"), BUSY, READING("2"), NOTHING);
	assert_int_equal(source_open(&options, &source), 0);
	assert_false(source_is_busy(source));
	await(source);
	assert_int_equal(source_take(source, &reading), -EIO);
	assert_true(source_is_busy(source));
	assert_false(source_is_gone(source));
	source_ask(source);
	assert_true(source_is_busy(source));
	await(source);
	assert_int_equal(source_take(source, &reading), 0);
	reading_free(&reading);
	assert_false(source_is_busy(source));
	await(source);
	assert_int_equal(source_take(source, &reading), -EIO);
	assert_false(source_is_busy(source));
	assert_true(source_is_gone(source));
	stop();
	await(source);
	assert_int_equal(source_take(source, &reading), -EIO);
	assert_true(source_is_gone(source));
	source_close(source);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(busy_is_no_failure),
		TEST(errors_have_their_own_cause),
		TEST(live_view_tells_busy_from_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
