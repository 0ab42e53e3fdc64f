/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The server with a real client, libcurl, in turn in one thread; and with sockets that misbehave.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <curl/curl.h>

#include "caught_log.h"
#include "fds.h"
#include "http/connections.h"
#include "http/server.h"
#include "loopback.h"
#include "malformed.h"
#include "tree.h"
#include "util/array.h"
#include "util/buf.h"

#define BIG_SIZE    (8 * 1024 * 1024)
#define SHARED_SIZE (6 * 1024 * 1024) /* more than the kernel buffers of a connection */

static struct http *http;
static unsigned int port;
static char socket_path[128];
static unsigned int handled; /* calls of the handler */
static unsigned int made;    /* bodies for /shared */

/* The same reply for all who ask together. */
static void handle_shared(const struct http_request *request, struct http_reply *reply)
{
	reply->kind = 1;
	reply->negotiated = true;
	if (http_reply_again(request, reply))
		return;
	made++;
	reply->status = 200;
	reply->body = malloc(SHARED_SIZE);
	memset(reply->body, 's', SHARED_SIZE);
	reply->len = SHARED_SIZE;
}

static void handle_header(const struct http_request *request, struct http_reply *reply)
{
	const char *name = http_query(request, "name");
	struct buf values = {0};

	reply->status = 200;
	if (!name || !http_header(request, name, &values))
		buf_puts(&values, "none");
	reply->len = values.len;
	reply->body = buf_take(&values);
}

static void handle(void *context, const struct http_request *request, struct http_reply *reply)
{
	const char *path = request->path;

	(*(unsigned int *)context)++;
	reply->content_type = "text/plain";
	if (strcmp(path, "/hello") == 0) {
		reply->status = 200;
		reply->body = strdup("hello\n");
		reply->len = 6;
	} else if (strcmp(path, "/empty") == 0) {
		reply->status = 200;
		reply->body = strdup("");
	} else if (strcmp(path, "/busy") == 0) {
		reply->status = 503;
		reply->body = strdup("not yet\n");
		reply->len = 8;
	} else if (strcmp(path, "/no-header") == 0) {
		reply->status = 200;
		reply->content_type = "text/plain\nX: y"; /* libmicrohttpd refuses it */
		reply->body = strdup("hello\n");
		reply->len = 6;
	} else if (strcmp(path, "/no-memory") == 0) {
		reply->status = 200;
	} else if (strcmp(path, "/big") == 0) {
		reply->status = 200;
		reply->body = malloc(BIG_SIZE);
		memset(reply->body, 'b', BIG_SIZE);
		reply->len = BIG_SIZE;
	} else if (strcmp(path, "/shared") == 0) {
		handle_shared(request, reply);
	} else if (strcmp(path, "/header") == 0) {
		handle_header(request, reply);
	}
}

static int setup(void **state)
{
	(void)state;
	handled = 0;
	made = 0;
	http = http_new(handle, &handled, NULL);
	if (!http || tree_make())
		return -1;
	snprintf(socket_path, sizeof(socket_path), "%s/run/bramble.sock", tree_root);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	http_free(http);
	return tree_remove("");
}

static void listen_tcp(void)
{
	struct address address = {.len = sizeof(struct sockaddr_in)};
	struct sockaddr_in *in = (struct sockaddr_in *)&address.sockaddr;

	in->sin_family = AF_INET;
	in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(http_listen(http, &address), 0);
	port = ntohs(in->sin_port);
	assert_int_not_equal(port, 0);
}

/* Runs what the server has to do within some ms. */
static void serve(int ms)
{
	struct pollfd fds[2];
	nfds_t count = 0;

	while (count < 2 && http_event_fd(http, count) >= 0) {
		fds[count].fd = http_event_fd(http, count);
		fds[count++].events = POLLIN;
	}
	poll(fds, count, ms);
	http_run(http);
}

struct reply {
	long status;
	struct buf header, body;
};

static size_t on_data(char *data, size_t size, size_t count, void *to)
{
	buf_add(to, data, size * count);
	return size * count;
}

/* A handle of curl's for a path on one of the two sockets. */
static CURL *new_request(const char *path, bool over_unix, struct reply *reply)
{
	CURL *curl = curl_easy_init();
	char url[200];

	memset(reply, 0, sizeof(*reply));
	snprintf(url, sizeof(url), "http://127.0.0.1:%u%s", over_unix ? 80 : port, path);
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_data);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, &reply->body);
	curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_data);
	curl_easy_setopt(curl, CURLOPT_HEADERDATA, &reply->header);
	if (over_unix)
		curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, socket_path);
	return curl;
}

/* Runs the request to its end, the server in turn, and frees it. */
static void perform(CURL *curl, struct reply *reply)
{
	CURLM *multi = curl_multi_init();
	int turns, running = 1;
	CURLMsg *done;

	curl_multi_add_handle(multi, curl);
	for (turns = 0; running && turns < 20000; turns++) {
		curl_multi_perform(multi, &running);
		serve(running ? 1 : 0);
	}
	assert_int_equal(running, 0);
	done = curl_multi_info_read(multi, &running);
	assert_non_null(done);
	assert_int_equal(done->data.result, CURLE_OK);
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &reply->status);
	curl_multi_remove_handle(multi, curl);
	curl_easy_cleanup(curl);
	curl_multi_cleanup(multi);
}

static void free_reply(struct reply *reply)
{
	buf_free(&reply->header);
	buf_free(&reply->body);
}

static void check_get(const char *path, bool over_unix, long status, const char *body)
{
	struct reply reply;

	perform(new_request(path, over_unix, &reply), &reply);
	assert_int_equal(reply.status, status);
	assert_string_equal(reply.body.data ? reply.body.data : "", body);
	free_reply(&reply);
}

static void test_get(void **state)
{
	struct reply reply;

	(void)state;
	listen_tcp();
	perform(new_request("/hello?a=b", false, &reply), &reply);
	assert_int_equal(reply.status, 200);
	assert_string_equal(reply.body.data, "hello\n");
	assert_non_null(strcasestr(reply.header.data, "\r\ncontent-type: text/plain\r\n"));
	assert_non_null(strcasestr(reply.header.data, "\r\ncontent-length: 6\r\n"));
	assert_int_equal(handled, 1);
	free_reply(&reply);
	check_get("/empty", false, 200, "");
	check_get("/busy", false, 503, "not yet\n");
}

static void test_unix_socket(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(http_listen_unix(http, socket_path), 0); /* its directory is made */
	assert_int_equal(stat(socket_path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0660);
	check_get("/hello", true, 200, "hello\n");
	http_free(http);
	http = NULL;
	assert_int_equal(stat(socket_path, &st), -1);
}

static void test_both(void **state)
{
	(void)state;
	assert_int_equal(http_event_fd(http, 0), -1);
	assert_int_equal(http_timeout_ms(http), -1);
	listen_tcp();
	assert_int_equal(http_listen_unix(http, socket_path), 0);
	assert_true(http_event_fd(http, 0) >= 0);
	assert_true(http_event_fd(http, 1) >= 0);
	assert_int_equal(http_event_fd(http, 2), -1);
	check_get("/hello", true, 200, "hello\n");
	check_get("/hello", false, 200, "hello\n");
}

static void test_head(void **state)
{
	struct reply reply;
	CURL *curl;

	(void)state;
	listen_tcp();
	curl = new_request("/hello", false, &reply);
	curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
	perform(curl, &reply);
	assert_int_equal(reply.status, 200);
	assert_int_equal(reply.body.len, 0);
	assert_non_null(strcasestr(reply.header.data, "\r\ncontent-length: 6\r\n"));
	free_reply(&reply);
}

static void test_not_found(void **state)
{
	(void)state;
	listen_tcp();
	check_get("/nowhere", false, 404, "not found; see / for what is here\n");
	check_get("/hello/../nowhere", false, 404, "not found; see / for what is here\n");
}

static void test_no_memory(void **state)
{
	(void)state;
	listen_tcp();
	check_get("/no-memory", false, 500, "out of memory\n");
}

/* A reply without one of its headers would be a wrong one. */
static void test_header_that_cannot_be_added(void **state)
{
	(void)state;
	listen_tcp();
	check_get("/no-header", false, 500,
		  "a header of the reply cannot be sent; see bramble's log\n");
}

/* What one server has said does not keep another one from saying it. */
static void test_each_server_says_it(void **state)
{
	int i;

	catch_log();
	for (i = 0; i < 2; i++) {
		test_header_that_cannot_be_added(state);
		check_get("/no-header", false, 500,
			  "a header of the reply cannot be sent; see bramble's log\n");
		http_free(http);
		http = http_new(handle, &handled, NULL);
		assert_non_null(http);
	}
	release_log();
	assert_int_equal(logged("the header Content-Type cannot be sent"), 2);
}

static void test_other_methods(void **state)
{
	static const char *const methods[] = {"POST", "PUT", "DELETE", "PATCH"};
	struct reply reply;
	size_t i;

	(void)state;
	listen_tcp();
	for (i = 0; i < ARRAY_SIZE(methods); i++) {
		CURL *curl = new_request("/hello", false, &reply);

		curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, methods[i]);
		perform(curl, &reply);
		assert_int_equal(reply.status, 405);
		assert_non_null(strcasestr(reply.header.data, "\r\nallow: GET, HEAD, OPTIONS\r\n"));
		assert_string_equal(reply.body.data, "only GET and HEAD are served\n");
		free_reply(&reply);
	}
	assert_int_equal(handled, 0);
}

static void send_body(const char *method, size_t size, long expected)
{
	char *body = malloc(size);
	struct reply reply;
	CURL *curl = new_request("/hello", false, &reply);

	memset(body, 'x', size);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)size);
	curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
	perform(curl, &reply);
	assert_int_equal(reply.status, expected);
	free_reply(&reply);
	free(body);
}

static void test_bodies_are_ignored(void **state)
{
	(void)state;
	listen_tcp();
	send_body("GET", 10, 200);
	send_body("GET", 64 * 1024, 200);
	send_body("POST", 64 * 1024, 405);
	send_body("GET", 3000000, 413);
	check_get("/hello", false, 200, "hello\n");
	assert_int_equal(handled, 3);
}

static void test_large_reply(void **state)
{
	struct reply reply;
	size_t i;

	(void)state;
	listen_tcp();
	perform(new_request("/big", false, &reply), &reply);
	assert_int_equal(reply.body.len, BIG_SIZE);
	for (i = 0; i < BIG_SIZE; i++)
		assert_true(reply.body.data[i] == 'b');
	free_reply(&reply);
}

static void test_keep_alive(void **state)
{
	CURLM *multi = curl_multi_init();
	long connects = 0;
	int i, turns;

	(void)state;
	listen_tcp();
	for (i = 0; i < 5; i++) {
		struct reply reply;
		CURL *curl = new_request("/hello", false, &reply);
		int running = 1;
		long more;

		curl_multi_add_handle(multi, curl);
		for (turns = 0; running && turns < 2000; turns++) {
			curl_multi_perform(multi, &running);
			serve(running ? 1 : 0);
		}
		curl_easy_getinfo(curl, CURLINFO_NUM_CONNECTS, &more);
		connects += more;
		assert_string_equal(reply.body.data, "hello\n");
		curl_multi_remove_handle(multi, curl);
		curl_easy_cleanup(curl);
		free_reply(&reply);
	}
	assert_int_equal(connects, 1);
	curl_multi_cleanup(multi);
}

/* From 127.0.0.N. */
static int connect_from(unsigned int n)
{
	return loopback_connect(n, port);
}

static int connect_tcp(void)
{
	return loopback_connect(1, port);
}

static void serve_turns(int turns)
{
	while (turns-- > 0)
		serve(1);
}

/* Clients that go away at every point of an exchange; the next one is served all the same. */
static void test_abandoned(void **state)
{
	static const char *const sent[] = {
		"",
		"G",
		"GET /big HTTP/1.1\r\n",
		"GET /big HTTP/1.1\r\nHost: a\r\n\r\n",
		"POST /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nhalf",
		"GET /big HTTP/1.0\r\n\r\n",
		"\x16\x03\x01\x02\x01\x01", /* TLS */
		"\r\n\r\n\r\n",
	};
	const struct linger reset = {.l_onoff = 1};
	size_t i, round;

	(void)state;
	listen_tcp();
	for (round = 0; round < 2; round++) {
		for (i = 0; i < ARRAY_SIZE(sent); i++) {
			int fd = connect_tcp();

			assert_int_equal(send(fd, sent[i], strlen(sent[i]), MSG_NOSIGNAL),
					 strlen(sent[i]));
			serve_turns(5);
			if (round)
				setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
			close(fd);
			serve_turns(5);
		}
		check_get("/hello", false, 200, "hello\n");
	}
}

/* Still connected, and in the middle of a reply, when the server ends. */
static void test_freed_while_serving(void **state)
{
	static const char request[] = "GET /big HTTP/1.1\r\nHost: a\r\n\r\n";
	int idle, busy;

	(void)state;
	listen_tcp();
	idle = connect_tcp();
	busy = connect_tcp();
	assert_int_equal(send(busy, request, strlen(request), MSG_NOSIGNAL), strlen(request));
	serve_turns(10);
	assert_int_equal(handled, 1);
	http_free(http);
	http = NULL;
	close(idle);
	close(busy);
}

static void test_header_too_long(void **state)
{
	struct curl_slist *headers;
	char *header = malloc(40001);
	struct reply reply;
	CURL *curl;

	(void)state;
	memset(header, 'h', 40000);
	memcpy(header, "X-Long: ", 8);
	header[40000] = '\0';
	listen_tcp();
	curl = new_request("/hello", false, &reply);
	headers = curl_slist_append(NULL, header);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	perform(curl, &reply);
	assert_in_range(reply.status, 400, 499);
	assert_int_equal(handled, 0);
	free_reply(&reply);
	curl_slist_free_all(headers);
	free(header);
	check_get("/hello", false, 200, "hello\n");
}

/* Requests without an end, from one address: the oldest give way, and others are served. */
static void test_many_connections(void **state)
{
	size_t i, ended = 0, bound = connections_tcp.unfinished_per_network;
	int fds[200];
	char byte;

	(void)state;
	listen_tcp();
	for (i = 0; i < 200; i++) {
		fds[i] = connect_tcp();
		assert_int_equal(send(fds[i], "GET /he", 7, MSG_NOSIGNAL), 7);
		serve(1);
	}
	check_get("/hello", false, 200, "hello\n");
	for (i = 0; i < 200; i++)
		ended += recv(fds[i], &byte, 1, MSG_DONTWAIT) == 0;
	assert_in_range(ended, 200 - bound, 200 - bound + 1);
	assert_int_equal(recv(fds[0], &byte, 1, MSG_DONTWAIT), 0);
	assert_int_equal(recv(fds[199], &byte, 1, MSG_DONTWAIT), -1);
	assert_int_equal(http_refusals(http)->count[REFUSAL_CONNECTIONS], ended);
	for (i = 0; i < 200; i++)
		close(fds[i]);
	serve_turns(5);
	assert_int_equal(http_timeout_ms(http), -1); /* none is left */
}

static void send_get(int fd, const char *path)
{
	char request[100];
	int len = snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", path);

	assert_int_equal(send(fd, request, (size_t)len, MSG_NOSIGNAL), len);
}

/* The status of the reply that is there to be read; 0 for none. */
static int status_of(int fd)
{
	char text[13] = "";
	int status = 0;

	if (recv(fd, text, 12, MSG_DONTWAIT | MSG_PEEK) == 12)
		assert_int_equal(sscanf(text, "HTTP/1.1 %d", &status), 1);
	return status;
}

/* Requests that are there together share a reply; a later one gets a new one. */
static void test_shared_reply(void **state)
{
	struct reply reply;
	int fds[10];
	size_t i;

	(void)state;
	listen_tcp();
	for (i = 0; i < 10; i++)
		fds[i] = connect_tcp();
	serve_turns(20);
	for (i = 0; i < 10; i++)
		send_get(fds[i], "/shared");
	serve_turns(20);
	assert_int_equal(handled, 10);
	assert_int_equal(made, 1);
	for (i = 0; i < 10; i++) {
		assert_int_equal(status_of(fds[i]), 200);
		close(fds[i]);
	}
	serve_turns(5);
	perform(new_request("/shared", false, &reply), &reply);
	assert_int_equal(made, 2);
	assert_int_equal(reply.body.len, SHARED_SIZE);
	assert_non_null(strcasestr(reply.header.data, "\r\nvary: accept, accept-encoding\r\n"));
	free_reply(&reply);
}

/* Clients that take nothing cannot make the server hold more and more. */
static void test_replies_under_way_are_bounded(void **state)
{
	const int small = 4096;
	int fds[60];
	size_t i;

	(void)state;
	listen_tcp();
	for (i = 0; i < 60; i++) {
		fds[i] = connect_tcp();
		setsockopt(fds[i], SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
		serve_turns(2);
		send_get(fds[i], "/shared");
		serve_turns(2);
		assert_in_range(status_of(fds[i]), 200,
				503); /* 503 if the last body is old by now */
	}
	assert_in_range(made, 2, 3);
	for (i = 0; i < 60; i++)
		close(fds[i]);
	serve_turns(5);
	check_get("/hello", false, 200, "hello\n");
}

/* One address fills the memory for replies. Another one gets a new one all the same. */
static void test_others_get_replies_when_the_memory_is_full(void **state)
{
	const int small = 4096;
	int fds[16], other;
	size_t i;

	(void)state;
	listen_tcp();
	for (i = 0; i < 16; i++) {
		fds[i] = connect_from(2);
		setsockopt(fds[i], SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
		serve_turns(2);
		send_get(fds[i], "/shared");
		serve_turns(2);
	}
	usleep(1100000); /* what was made is not sent again after a second */
	other = connect_from(3);
	setsockopt(other, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	send_get(other, "/shared");
	serve_turns(4);
	assert_int_equal(status_of(other), 200);
	/* But only one of its own. */
	i = (size_t)connect_from(3);
	usleep(1100000);
	send_get((int)i, "/shared");
	serve_turns(4);
	assert_int_equal(status_of((int)i), 503);
	close((int)i);
	close(other);
	for (i = 0; i < 16; i++)
		close(fds[i]);
	serve_turns(5);
}

/* One address asks, again and again, and takes nothing. The others get their answers, also through
 * the Unix socket, and a client that was let in keeps its connection. */
static void test_those_who_do_not_read(void **state)
{
	const int small = 4096;
	int fds[300], known;
	size_t i;

	(void)state;
	listen_tcp();
	assert_int_equal(http_listen_unix(http, socket_path), 0);
	known = connect_from(1);
	send_get(known, "/hello");
	serve_turns(5);
	assert_int_equal(status_of(known), 200);
	for (i = 0; i < 300; i++) {
		fds[i] = connect_from(2);
		setsockopt(fds[i], SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
		send_get(fds[i], "/big");
		serve_turns(2);
		if (i % 30 == 29) {
			check_get("/hello", false, 200, "hello\n");
			check_get("/hello", true, 200, "hello\n");
		}
	}
	send_get(known, "/hello");
	serve_turns(5);
	for (i = 0; i < 300; i++)
		close(fds[i]);
	assert_in_range(http_refusals(http)->count[REFUSAL_CONNECTIONS],
			300 - connections_tcp.per_network, 300);
	assert_true(recv(known, (char[4096]){0}, 4096, MSG_DONTWAIT) > 200);
	close(known);
}

/* Whatever comes, nothing leaks and nothing is written where it should not; the next one is served.
 */
static void test_malformed_requests(void **state)
{
	static char text[MALFORMED_MAX];
	unsigned int i;
	size_t len;
	int fd;

	(void)state;
	listen_tcp();
	for (i = 0; i < 10000; i++) {
		fd = connect_tcp();
		len = malformed_request(i, text);
		send(fd, text, len, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (i % 2)
			shutdown(fd, SHUT_WR);
		serve(1);
		serve(0);
		close(fd);
		if (i % 500 == 0)
			check_get("/hello", false, 200, "hello\n");
	}
	serve_turns(5);
	check_get("/hello", false, 200, "hello\n");
}

static void check_header(const char *first, const char *second, const char *expected)
{
	struct curl_slist *headers = curl_slist_append(NULL, first);
	struct reply reply;
	CURL *curl = new_request("/header?x&name=Accept&name2=b", false, &reply);

	headers = second ? curl_slist_append(headers, second) : headers;
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	perform(curl, &reply);
	assert_string_equal(reply.body.data, expected);
	free_reply(&reply);
	curl_slist_free_all(headers);
}

static void test_header_lists(void **state)
{
	(void)state;
	listen_tcp();
	check_header("Accept:", NULL, "none");
	check_header("ACCEPT: text/plain", NULL, "text/plain");
	check_header("Accept: text/plain", "accept: a/b;q=0.1, c/d", "text/plain, a/b;q=0.1, c/d");
}

static void test_idle_server_need_not_run(void **state)
{
	int fd;

	(void)state;
	listen_tcp();
	assert_int_equal(http_timeout_ms(http), -1);
	fd = connect_tcp();
	serve_turns(5);
	assert_in_range(http_timeout_ms(http), 1000, 10000); /* an idle connection ends some time */
	close(fd);
	serve_turns(5);
	assert_int_equal(http_timeout_ms(http), -1);
}

static void test_port_in_use(void **state)
{
	struct address address = {.len = sizeof(struct sockaddr_in)};
	struct sockaddr_in *in = (struct sockaddr_in *)&address.sockaddr;
	struct http *other = http_new(handle, &handled, NULL);

	(void)state;
	listen_tcp();
	in->sin_family = AF_INET;
	in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	in->sin_port = htons((uint16_t)port);
	assert_int_equal(http_listen(other, &address), -EADDRINUSE);
	http_free(other);
	check_get("/hello", false, 200, "hello\n");
}

static int bind_unix_socket(bool listening, int backlog)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memcpy(address.sun_path, socket_path, strlen(socket_path));
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	if (listening)
		assert_int_equal(listen(fd, backlog), 0);
	return fd;
}

/* A socket that a killed process left behind. */
static void test_stale_socket_is_replaced(void **state)
{
	(void)state;
	tree_put("run/x", "");
	close(bind_unix_socket(true, 1));
	assert_int_equal(http_listen_unix(http, socket_path), 0);
	check_get("/hello", true, 200, "hello\n");
}

static void test_live_socket_is_left_alone(void **state)
{
	struct http *other = http_new(handle, &handled, NULL);

	(void)state;
	assert_int_equal(http_listen_unix(http, socket_path), 0);
	assert_int_equal(http_listen_unix(other, socket_path), -EADDRINUSE);
	http_free(other);
	check_get("/hello", true, 200, "hello\n");
}

/* Alive, but it does not take connections just now. */
static void test_busy_socket_is_left_alone(void **state)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int clients[8], live;
	size_t i;

	(void)state;
	tree_put("run/x", "");
	live = bind_unix_socket(true, 0);
	memcpy(address.sun_path, socket_path, strlen(socket_path));
	for (i = 0; i < 8; i++) {
		clients[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		(void)connect(clients[i], (struct sockaddr *)&address, sizeof(address));
	}
	assert_int_equal(http_listen_unix(http, socket_path), -EADDRINUSE);
	assert_int_equal(access(socket_path, F_OK), 0);
	for (i = 0; i < 8; i++)
		close(clients[i]);
	close(live);
}

/* A wrong --web.socket must not cost a file. */
static void test_file_is_left_alone(void **state)
{
	struct stat st;

	(void)state;
	tree_put("run/bramble.sock", "precious");
	assert_int_equal(http_listen_unix(http, socket_path), -EEXIST);
	assert_int_equal(stat(socket_path, &st), 0);
	assert_true(S_ISREG(st.st_mode));
	assert_int_equal(st.st_size, 8);
}

/* The path of the lock on the socket's file. */
static const char *lock_path(void)
{
	static char path[sizeof(socket_path) + 8];

	snprintf(path, sizeof(path), "%s.lock", socket_path);
	return path;
}

/* What is at the path by then is another server's: somebody removed ours. */
static void test_another_ones_socket_is_left_alone(void **state)
{
	struct http *other = http_new(handle, &handled, NULL);

	(void)state;
	assert_int_equal(http_listen_unix(other, socket_path), 0);
	assert_int_equal(unlink(socket_path), 0);
	assert_int_equal(unlink(lock_path()), 0);
	assert_int_equal(http_listen_unix(http, socket_path), 0);
	http_free(other);
	check_get("/hello", true, 200, "hello\n");
}

/* Somebody else is about to bind, or still removes its socket: its file looks stale. */
static void test_locked_socket_is_left_alone(void **state)
{
	int fd;

	(void)state;
	tree_put("run/x", "");
	close(bind_unix_socket(true, 1));
	fd = open(lock_path(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	assert_int_equal(http_listen_unix(http, socket_path), -EADDRINUSE);
	assert_int_equal(access(socket_path, F_OK), 0);
	close(fd);
	assert_int_equal(http_listen_unix(http, socket_path), 0);
	check_get("/hello", true, 200, "hello\n");
	http_free(http);
	http = NULL;
	assert_int_equal(access(socket_path, F_OK), -1);
	assert_int_equal(access(lock_path(), F_OK), -1);
}

#define RACERS 8

/* Starts a server when told to, says whether it has the place, and keeps it until the end. */
static void race(int go, int verdicts, int end)
{
	struct http *mine = http_new(handle, &handled, NULL);
	char word, verdict;

	if (read(go, &word, 1) != 1)
		_exit(1);
	verdict = http_listen_unix(mine, socket_path) ? 'n' : 'y';
	if (write(verdicts, &verdict, 1) != 1)
		_exit(1);
	while (read(end, &word, 1) > 0)
		;
	_exit(0); /* as if killed */
}

static unsigned int count_winners(void)
{
	int go[2], verdicts[2], end[2], i;
	unsigned int winners = 0;
	char verdict;

	assert_true(pipe(go) == 0 && pipe(verdicts) == 0 && pipe(end) == 0);
	for (i = 0; i < RACERS; i++)
		if (fork() == 0) {
			close(end[1]);
			race(go[0], verdicts[1], end[0]);
		}
	assert_int_equal(write(go[1], "gggggggg", RACERS), RACERS);
	for (i = 0; i < RACERS; i++) {
		assert_int_equal(read(verdicts[0], &verdict, 1), 1);
		winners += verdict == 'y';
	}
	close(end[1]);
	for (i = 0; i < RACERS; i++)
		wait(NULL);
	close(end[0]);
	close(go[0]);
	close(go[1]);
	close(verdicts[0]);
	close(verdicts[1]);
	return winners;
}

/* Several start at once, over what a killed one left behind. */
static void test_one_of_many_gets_the_socket(void **state)
{
	int round;

	(void)state;
	tree_put("run/x", "");
	for (round = 0; round < 20; round++)
		assert_int_equal(count_winners(), 1);
	assert_int_equal(http_listen_unix(http, socket_path), 0);
	check_get("/hello", true, 200, "hello\n");
}

/* A link must not lead us to change, serve or remove what it points to. */
static void test_links_are_not_followed(void **state)
{
	char target[160];
	struct stat st;

	(void)state;
	tree_put("run/x", "precious");
	snprintf(target, sizeof(target), "%s/run/x", tree_root);
	assert_int_equal(symlink(target, socket_path), 0);
	assert_int_equal(http_listen_unix(http, socket_path), -EEXIST);
	assert_int_equal(unlink(socket_path), 0);
	assert_int_equal(access(lock_path(), F_OK), -1);
	assert_int_equal(symlink(target, lock_path()), 0);
	assert_int_equal(http_listen_unix(http, socket_path), -ELOOP);
	assert_int_equal(unlink(lock_path()), 0);
	assert_int_equal(mkfifo(lock_path(), 0600), 0);
	assert_int_equal(http_listen_unix(http, socket_path), -EEXIST);
	assert_int_equal(stat(target, &st), 0);
	assert_int_equal(st.st_size, 8);
	assert_int_equal(st.st_mode & 0777, 0644);
}

static void test_unix_errors(void **state)
{
	char path[200];

	(void)state;
	memset(path, 'p', sizeof(path));
	path[0] = '/';
	path[199] = '\0';
	assert_int_equal(http_listen_unix(http, path), -ENAMETOOLONG);
	snprintf(path, sizeof(path), "%s/no/such/dir/sock", tree_root);
	assert_int_equal(http_listen_unix(http, path), -ENOENT);
	tree_put("file", "");
	snprintf(path, sizeof(path), "%s/file/sock", tree_root);
	assert_int_equal(http_listen_unix(http, path), -ENOTDIR);
	snprintf(path, sizeof(path), "%s/run", tree_root);
	tree_put("run/x", "");
	assert_true(http_listen_unix(http, path) < 0); /* a directory */
	assert_int_equal(http_event_fd(http, 0), -1);
}

/* The longest path a socket may have, which leaves no place for a NUL. */
static void test_longest_unix_path(void **state)
{
	size_t len = sizeof(((struct sockaddr_un *)0)->sun_path) - 1;

	(void)state;
	tree_put("run/x", "");
	snprintf(socket_path, sizeof(socket_path), "%s/run/", tree_root);
	memset(socket_path + strlen(socket_path), 's', len - strlen(socket_path));
	socket_path[len] = '\0';
	assert_int_equal(http_listen_unix(http, socket_path), 0);
	check_get("/hello", true, 200, "hello\n");
}

static void test_no_fd_is_left(void **state)
{
	size_t before = count_fds();
	int i;

	(void)state;
	for (i = 0; i < 20; i++) {
		http_free(http);
		http = http_new(handle, &handled, NULL);
		listen_tcp();
		assert_int_equal(http_listen_unix(http, socket_path), 0);
		check_get("/hello", false, 200, "hello\n");
		check_get("/hello", true, 200, "hello\n");
	}
	http_free(http);
	http = NULL;
	assert_int_equal(count_fds(), before);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_get),
		TEST(test_unix_socket),
		TEST(test_both),
		TEST(test_head),
		TEST(test_not_found),
		TEST(test_no_memory),
		TEST(test_header_that_cannot_be_added),
		TEST(test_each_server_says_it),
		TEST(test_other_methods),
		TEST(test_bodies_are_ignored),
		TEST(test_large_reply),
		TEST(test_keep_alive),
		TEST(test_abandoned),
		TEST(test_freed_while_serving),
		TEST(test_header_too_long),
		TEST(test_many_connections),
		TEST(test_shared_reply),
		TEST(test_replies_under_way_are_bounded),
		TEST(test_others_get_replies_when_the_memory_is_full),
		TEST(test_those_who_do_not_read),
		TEST(test_header_lists),
		TEST(test_malformed_requests),
		TEST(test_idle_server_need_not_run),
		TEST(test_port_in_use),
		TEST(test_stale_socket_is_replaced),
		TEST(test_live_socket_is_left_alone),
		TEST(test_busy_socket_is_left_alone),
		TEST(test_file_is_left_alone),
		TEST(test_another_ones_socket_is_left_alone),
		TEST(test_locked_socket_is_left_alone),
		TEST(test_one_of_many_gets_the_socket),
		TEST(test_links_are_not_followed),
		TEST(test_unix_errors),
		TEST(test_longest_unix_path),
		TEST(test_no_fd_is_left),
	};
	int failed;

	curl_global_init(CURL_GLOBAL_DEFAULT);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	curl_global_cleanup();
	return failed;
}
