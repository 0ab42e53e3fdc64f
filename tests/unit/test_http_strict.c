/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The server and the rules of RFC 9112 and 9110: the bytes of a request, and what they get. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "http/exchange.h"
#include "http/server.h"
#include "loopback.h"
#include "util/array.h"
#include "util/buf.h"

static struct http *http;
static unsigned int port;
static unsigned int handled;

static void handle(void *context, const struct http_request *request, struct http_reply *reply)
{
	const char *a = http_query(request, "a");
	struct buf body = {0};

	(void)context;
	handled++;
	if (strcmp(request->path, "/metrics") != 0)
		return;
	buf_printf(&body, "path %s a %s\n", request->path, a ?: "-");
	reply->status = 200;
	reply->content_type = "text/plain";
	reply->len = body.len;
	reply->body = buf_take(&body);
}

static int setup(void **state)
{
	struct address address = {.len = sizeof(struct sockaddr_in)};
	struct sockaddr_in *in = (struct sockaddr_in *)&address.sockaddr;

	(void)state;
	handled = 0;
	in->sin_family = AF_INET;
	in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	http = http_new(handle, NULL, NULL);
	if (!http || http_listen(http, &address))
		return -1;
	port = ntohs(in->sin_port);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	http_free(http);
	return 0;
}

static void serve(int ms)
{
	struct pollfd fd = {.fd = http_event_fd(http, 0), .events = POLLIN};

	poll(&fd, 1, ms);
	assert_int_equal(http_run(http), 0);
}

static int connect_tcp(void)
{
	return loopback_connect(1, port);
}

/* What came back. */
struct answer {
	char text[65536];
	size_t len;
	bool closed;
};

/* Reads until all of a reply is there, as its Content-Length says, or the connection has ended. */
static bool is_whole(const struct answer *answer)
{
	const char *end = strstr(answer->text, "\r\n\r\n"), *length;

	if (!end)
		return false;
	length = strcasestr(answer->text, "\r\ncontent-length: ");
	return !length || length > end ||
	       answer->len - (size_t)(end + 4 - answer->text) >= strtoul(length + 18, NULL, 10);
}

static void read_answer(int fd, struct answer *answer, int turns)
{
	while (turns-- > 0 && !answer->closed) {
		ssize_t got = recv(fd, answer->text + answer->len,
				   sizeof(answer->text) - 1 - answer->len, MSG_DONTWAIT);

		if (got > 0)
			answer->len += (size_t)got;
		answer->closed = got == 0;
		answer->text[answer->len] = '\0';
		serve(1);
	}
}

static void ask(const char *bytes, size_t len, struct answer *answer)
{
	int fd = connect_tcp(), turns;

	memset(answer, 0, sizeof(*answer));
	serve(5);
	assert_int_equal(send(fd, bytes, len, MSG_NOSIGNAL), len);
	for (turns = 0; turns < 500 && !answer->closed && !is_whole(answer); turns++)
		read_answer(fd, answer, 1);
	/* Does it end by itself? */
	read_answer(fd, answer, 3);
	close(fd);
	serve(0);
}

static int status_of(const struct answer *answer)
{
	int status = 0;

	if (sscanf(answer->text, "HTTP/1.%*d %d", &status) != 1)
		return answer->closed ? -1 : 0;
	return status;
}

#define HOST		     "Host: a\r\n"
#define CLOSED		     (-1) /* the connection, without an answer */

/* What libmicrohttpd answers by itself from 0.9.77 on. */
#define LATER(status, later) (EXCHANGE_FINDS_LINE_ENDS ? (later) : (status))

/* A NUL in a request stands at its place: sizeof knows the length. */
#define REQUEST(rule, bytes, status)                                                               \
	{                                                                                          \
		rule, bytes, sizeof(bytes) - 1, status                                             \
	}

static const struct {
	const char *rule;
	const char *bytes;
	size_t len;
	int status;
} requests[] = {
	/* RFC 9112, 2.2: lines */
	REQUEST("a request", "GET /metrics HTTP/1.1\r\n" HOST "\r\n", 200),
	REQUEST("an empty line before it", "\r\nGET /metrics HTTP/1.1\r\n" HOST "\r\n", 200),
	REQUEST("LF after the request line", "GET /metrics HTTP/1.1\n" HOST "\r\n", 400),
	REQUEST("LF after a header", "GET /metrics HTTP/1.1\r\nHost: a\n\r\n", 400),
	REQUEST("LF after an inner header", "GET /metrics HTTP/1.1\r\nA: b\n" HOST "\r\n", 400),
	REQUEST("LF at the end", "GET /metrics HTTP/1.1\r\n" HOST "\n", 400),
	REQUEST("LF everywhere", "GET /metrics HTTP/1.1\nHost: a\n\n", 400),
	REQUEST("LF and no header", "GET /metrics HTTP/1.0\n\n", 400),
	REQUEST("LF, and no space to make up for it",
		"GET /metrics HTTP/1.1\r\nHost:a\nA:  b\r\n\r\n", 400),
	REQUEST("bare CR in a header", "GET /metrics HTTP/1.1\r\n" HOST "A: b\rC: d\r\n\r\n", 400),
	REQUEST("bare CR in the target", "GET /met\rrics HTTP/1.1\r\n" HOST "\r\n", 400),
	REQUEST("space before the first header", "GET /metrics HTTP/1.1\r\n A: b\r\n" HOST "\r\n",
		400),
	REQUEST("NUL in a header", "GET /metrics HTTP/1.1\r\n" HOST "A: b\0c\r\n\r\n", 400),
	REQUEST("NUL in a name", "GET /metrics HTTP/1.1\r\n" HOST "A\0: b\r\n\r\n", 400),
	REQUEST("NUL before a header", "GET /metrics HTTP/1.1\r\n" HOST "\0A: b\r\n\r\n", 400),
	REQUEST("NUL in the target", "GET /metrics\0x HTTP/1.1\r\n" HOST "\r\n",
		LATER(400, CLOSED)),

	/* 3: the request line */
	REQUEST("two spaces before the target", "GET  /metrics HTTP/1.1\r\n" HOST "\r\n", 400),
	REQUEST("two spaces behind it", "GET /metrics  HTTP/1.1\r\n" HOST "\r\n", 400),
	REQUEST("a space at the end", "GET /metrics HTTP/1.1 \r\n" HOST "\r\n", 400),
	REQUEST("a space in the target", "GET /met rics HTTP/1.1\r\n" HOST "\r\n", 400),
	REQUEST("a tab", "GET\t/metrics HTTP/1.1\r\n" HOST "\r\n", LATER(400, CLOSED)),
	REQUEST("no version", "GET /metrics\r\n\r\n", 400),
	REQUEST("no target", "GET HTTP/1.1\r\n" HOST "\r\n", 400),

	/* 2.3: the version */
	REQUEST("HTTP/1.0", "GET /metrics HTTP/1.0\r\n\r\n", 200),
	REQUEST("HTTP/1.0 with Host", "GET /metrics HTTP/1.0\r\n" HOST "\r\n", 200),
	REQUEST("HTTP/1.2", "GET /metrics HTTP/1.2\r\n" HOST "\r\n", 200),
	REQUEST("HTTP/2.0", "GET /metrics HTTP/2.0\r\n" HOST "\r\n", 505),
	REQUEST("HTTP/0.9", "GET /metrics HTTP/0.9\r\n" HOST "\r\n", 505),
	REQUEST("HTTP/1.10", "GET /metrics HTTP/1.10\r\n" HOST "\r\n", 400),
	REQUEST("lower case", "GET /metrics http/1.1\r\n" HOST "\r\n", 400),
	REQUEST("no HTTP", "GET /metrics FTP/1.1\r\n" HOST "\r\n", 400),

	/* RFC 9110, 9.1: methods */
	REQUEST("HEAD", "HEAD /metrics HTTP/1.1\r\n" HOST "\r\n", 200),
	REQUEST("OPTIONS", "OPTIONS /metrics HTTP/1.1\r\n" HOST "\r\n", 204),
	REQUEST("POST", "POST /metrics HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n", 405),
	REQUEST("PUT", "PUT /metrics HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\nx", 405),
	REQUEST("DELETE", "DELETE /metrics HTTP/1.1\r\n" HOST "\r\n", 405),
	REQUEST("PATCH", "PATCH /metrics HTTP/1.1\r\n" HOST "\r\n", 405),
	REQUEST("TRACE", "TRACE /metrics HTTP/1.1\r\n" HOST "\r\n", 405),
	REQUEST("an unknown one", "BREW /metrics HTTP/1.1\r\n" HOST "\r\n", 501),
	REQUEST("methods have a case", "get /metrics HTTP/1.1\r\n" HOST "\r\n", 501),
	REQUEST("no token", "G(T /metrics HTTP/1.1\r\n" HOST "\r\n", 400),

	/* RFC 9112, 3.2.1: origin-form */
	REQUEST("a query", "GET /metrics?a=b HTTP/1.1\r\n" HOST "\r\n", 200),
	REQUEST("brackets in it", "GET /metrics?a[]=b HTTP/1.1\r\n" HOST "\r\n", 200),
	REQUEST("an empty query", "GET /metrics? HTTP/1.1\r\n" HOST "\r\n", 200),
	REQUEST("an escaped letter", "GET /%6detrics HTTP/1.1\r\n" HOST "\r\n", 200),
	REQUEST("another path", "GET /metrics/ HTTP/1.1\r\n" HOST "\r\n", 404),
	REQUEST("dots", "GET /a/../metrics HTTP/1.1\r\n" HOST "\r\n", 404),
	REQUEST("%00 at the end", "GET /metrics%00 HTTP/1.1\r\n" HOST "\r\n", 400),
	REQUEST("%00 in it", "GET /metrics%00.html HTTP/1.1\r\n" HOST "\r\n", 400),
	REQUEST("%00 in the query", "GET /metrics?a=%00b HTTP/1.1\r\n" HOST "\r\n", 400),
	REQUEST("%0a", "GET /metrics%0a HTTP/1.1\r\n" HOST "\r\n", 400),
	REQUEST("a lonely %", "GET /metrics?a=% HTTP/1.1\r\n" HOST "\r\n", 400),
	REQUEST("%zz", "GET /metrics%zz HTTP/1.1\r\n" HOST "\r\n", 400),
	REQUEST("a fragment", "GET /metrics#a HTTP/1.1\r\n" HOST "\r\n", 400),
	REQUEST("quotes", "GET /metrics?a=\"b\" HTTP/1.1\r\n" HOST "\r\n", 400),
	REQUEST("no ASCII", "GET /metrics\xc3\xa4 HTTP/1.1\r\n" HOST "\r\n", 400),
	REQUEST("a control character", "GET /metrics\x01 HTTP/1.1\r\n" HOST "\r\n", 400),
	REQUEST("no slash", "GET metrics HTTP/1.1\r\n" HOST "\r\n", 400),

	/* 3.2.2: absolute-form */
	REQUEST("absolute", "GET http://host:9810/metrics HTTP/1.1\r\nHost: other\r\n\r\n", 200),
	REQUEST("its query", "GET http://host/metrics?a=b HTTP/1.1\r\n" HOST "\r\n", 200),
	REQUEST("https", "GET HTTPS://host/metrics HTTP/1.1\r\n" HOST "\r\n", 200),
	REQUEST("IPv6", "GET http://[::1]:9810/metrics HTTP/1.1\r\n" HOST "\r\n", 200),
	REQUEST("in HTTP/1.0", "GET http://host/metrics HTTP/1.0\r\n\r\n", 200),
	REQUEST("Host is still needed", "GET http://host/metrics HTTP/1.1\r\n\r\n", 400),
	REQUEST("no path is /", "GET http://host HTTP/1.1\r\n" HOST "\r\n", 404),
	REQUEST("no host", "GET http:///metrics HTTP/1.1\r\n" HOST "\r\n", 400),
	REQUEST("a port alone", "GET http://:80/metrics HTTP/1.1\r\n" HOST "\r\n", 400),
	REQUEST("a user", "GET http://me@host/metrics HTTP/1.1\r\n" HOST "\r\n", 400),
	REQUEST("no port", "GET http://host:99999/metrics HTTP/1.1\r\n" HOST "\r\n", 400),
	REQUEST("another scheme", "GET ftp://host/metrics HTTP/1.1\r\n" HOST "\r\n", 400),

	/* 3.2.3: authority-form */
	REQUEST("CONNECT", "CONNECT host:443 HTTP/1.1\r\n" HOST "\r\n", 405),
	REQUEST("CONNECT without a port", "CONNECT host HTTP/1.1\r\n" HOST "\r\n", 400),
	REQUEST("CONNECT with a path", "CONNECT /metrics HTTP/1.1\r\n" HOST "\r\n", 400),
	REQUEST("GET of an authority", "GET host:9810 HTTP/1.1\r\n" HOST "\r\n", 400),

	/* 3.2.4: asterisk-form */
	REQUEST("OPTIONS *", "OPTIONS * HTTP/1.1\r\n" HOST "\r\n", 204),
	REQUEST("OPTIONS of a host", "OPTIONS http://host HTTP/1.1\r\n" HOST "\r\n", 204),
	REQUEST("GET *", "GET * HTTP/1.1\r\n" HOST "\r\n", 400),

	/* 3.2: Host */
	REQUEST("none", "GET /metrics HTTP/1.1\r\n\r\n", 400),
	REQUEST("none, but another", "GET /metrics HTTP/1.1\r\nA: b\r\n\r\n", 400),
	REQUEST("two", "GET /metrics HTTP/1.1\r\n" HOST HOST "\r\n", 400),
	REQUEST("two in HTTP/1.0", "GET /metrics HTTP/1.0\r\n" HOST HOST "\r\n", 400),
	REQUEST("empty", "GET /metrics HTTP/1.1\r\nHost:\r\n\r\n", 200),
	REQUEST("with a port", "GET /metrics HTTP/1.1\r\nHost: a.b:9810\r\n\r\n", 200),
	REQUEST("IPv6 with a port", "GET /metrics HTTP/1.1\r\nHost: [::1]:9810\r\n\r\n", 200),
	REQUEST("a path", "GET /metrics HTTP/1.1\r\nHost: a/b\r\n\r\n", 400),
	REQUEST("a list", "GET /metrics HTTP/1.1\r\nHost: a, b\r\n\r\n", 400),

	/* 5: headers */
	REQUEST("no space", "GET /metrics HTTP/1.1\r\nHost:a\r\nA:\r\nB:c\r\n\r\n", 200),
	REQUEST("spaces around a value", "GET /metrics HTTP/1.1\r\nHost: \t a \t\r\n\r\n", 200),
	REQUEST("a space before the colon", "GET /metrics HTTP/1.1\r\nHost : a\r\n\r\n", 400),
	REQUEST("a tab before the colon", "GET /metrics HTTP/1.1\r\n" HOST "A\t: b\r\n\r\n", 400),
	REQUEST("a folded line", "GET /metrics HTTP/1.1\r\n" HOST "A: b\r\n c\r\n\r\n", 400),
	REQUEST("a folded line before others",
		"GET /metrics HTTP/1.1\r\nA: b\r\n\tc\r\n" HOST "\r\n", 400),
	REQUEST("no name", "GET /metrics HTTP/1.1\r\n" HOST ": b\r\n\r\n", 400),
	REQUEST("no colon", "GET /metrics HTTP/1.1\r\n" HOST "A\r\n\r\n", 400),
	REQUEST("a name that is no token", "GET /metrics HTTP/1.1\r\n" HOST "A(b): c\r\n\r\n", 400),
	REQUEST("a control character", "GET /metrics HTTP/1.1\r\n" HOST "A: b\x01\r\n\r\n", 400),
	REQUEST("DEL", "GET /metrics HTTP/1.1\r\n" HOST "A: b\x7f\r\n\r\n", 400),
	REQUEST("other bytes", "GET /metrics HTTP/1.1\r\n" HOST "A: \xc3\xa4\r\n\r\n", 200),

	/* 6: bodies */
	REQUEST("a body", "GET /metrics HTTP/1.1\r\n" HOST "Content-Length: 4\r\n\r\nbody", 200),
	REQUEST("two lengths",
		"GET /metrics HTTP/1.1\r\n" HOST
		"Content-Length: 4\r\nContent-Length: 5\r\n\r\nbody!",
		400),
	REQUEST("twice the same",
		"GET /metrics HTTP/1.1\r\n" HOST
		"Content-Length: 4\r\nContent-Length: 4\r\n\r\nbody",
		400),
	REQUEST("a list of lengths",
		"GET /metrics HTTP/1.1\r\n" HOST "Content-Length: 4, 4\r\n\r\nbody", 400),
	REQUEST("a sign", "GET /metrics HTTP/1.1\r\n" HOST "Content-Length: +4\r\n\r\nbody", 400),
	REQUEST("negative", "GET /metrics HTTP/1.1\r\n" HOST "Content-Length: -1\r\n\r\n", 400),
	REQUEST("hexadecimal", "GET /metrics HTTP/1.1\r\n" HOST "Content-Length: 0x4\r\n\r\nbody",
		400),
	REQUEST("an empty length", "GET /metrics HTTP/1.1\r\n" HOST "Content-Length:\r\n\r\n", 400),
	REQUEST("too large", "GET /metrics HTTP/1.1\r\n" HOST "Content-Length: 65537\r\n\r\n", 413),
	REQUEST("far too large",
		"GET /metrics HTTP/1.1\r\n" HOST "Content-Length: 99999999999999999999\r\n\r\n",
		413),
	REQUEST("length and chunks",
		"POST /metrics HTTP/1.1\r\n" HOST
		"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		400),
	REQUEST("chunks and length",
		"POST /metrics HTTP/1.1\r\n" HOST
		"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
		400),
	REQUEST("chunks",
		"POST /metrics HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		411),
	REQUEST("chunks in HTTP/1.0",
		"POST /metrics HTTP/1.0\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		400),
	REQUEST("another coding",
		"POST /metrics HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip\r\n\r\n",
		LATER(501, 400)),
	REQUEST("two codings",
		"POST /metrics HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip, chunked\r\n\r\n",
		LATER(501, 400)),
	REQUEST("two codings in two lines",
		"POST /metrics HTTP/1.1\r\n" HOST
		"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
		501),
	REQUEST("a hidden coding",
		"POST /metrics HTTP/1.1\r\n" HOST "Transfer-Encoding: xchunked\r\n\r\n",
		LATER(501, 400)),

	/* RFC 9110, 10.1.1: Expect */
	REQUEST("100-continue",
		"GET /metrics HTTP/1.1\r\n" HOST
		"Expect: 100-continue\r\nContent-Length: 4\r\n\r\n",
		100),
	REQUEST("something else", "GET /metrics HTTP/1.1\r\n" HOST "Expect: wonders\r\n\r\n", 417),
	REQUEST("not what will be refused",
		"POST /metrics HTTP/1.1\r\n" HOST
		"Expect: 100-continue\r\nContent-Length: 70000\r\n\r\n",
		413),

	/* Not HTTP at all */
	REQUEST("HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
	REQUEST("a word", "hello\r\n\r\n", CLOSED),
};

static void test_table(void **state)
{
	static struct answer answer;
	size_t i, wrong = 0;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(requests); i++) {
		ask(requests[i].bytes, requests[i].len, &answer);
		if (status_of(&answer) != requests[i].status) {
			print_error("%s: %d and not %d: %.60s\n", requests[i].rule,
				    status_of(&answer), requests[i].status, requests[i].bytes);
			wrong++;
		} else if (status_of(&answer) == 400 && !answer.closed) {
			print_error("%s: the connection goes on\n", requests[i].rule);
			wrong++;
		}
	}
	assert_int_equal(wrong, 0);
}

static void check_get(const char *bytes, const char *body)
{
	static struct answer answer;

	ask(bytes, strlen(bytes), &answer);
	assert_int_equal(status_of(&answer), 200);
	assert_non_null(strstr(answer.text, "\r\n\r\n"));
	assert_string_equal(strstr(answer.text, "\r\n\r\n") + 4, body);
}

static void test_path_and_query(void **state)
{
	(void)state;
	check_get("GET /metrics?a=b%20c&d HTTP/1.1\r\n" HOST "\r\n", "path /metrics a b c\n");
	check_get("GET http://h:1/metrics?a=b HTTP/1.1\r\n" HOST "\r\n", "path /metrics a b\n");
	check_get("GET http://h/%6Detrics HTTP/1.1\r\n" HOST "\r\n", "path /metrics a -\n");
	check_get("HEAD /metrics HTTP/1.1\r\n" HOST "\r\n", "");
}

/* RFC 9110, 10.2.1. */
static void test_allow(void **state)
{
	static const char *const asked[] = {"POST /metrics", "TRACE /metrics", "OPTIONS *",
					    "CONNECT a:1"};
	static struct answer answer;
	char bytes[100];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(asked); i++) {
		snprintf(bytes, sizeof(bytes), "%s HTTP/1.1\r\n" HOST "\r\n", asked[i]);
		ask(bytes, strlen(bytes), &answer);
		assert_non_null(strstr(answer.text, "\r\nAllow: GET, HEAD, OPTIONS\r\n"));
	}
	assert_int_equal(handled, 0);
}

/* A header that comes in pieces, and makes the buffer grow, is as good as any other. */
static void test_long_and_in_pieces(void **state)
{
	static char text[12000];
	static struct answer answer;
	int fd = connect_tcp(), i;
	size_t sent, len;

	(void)state;
	snprintf(text, sizeof(text), "GET /metrics?a=%0300d HTTP/1.1\r\n" HOST, 1);
	for (i = 0; i < 20; i++)
		snprintf(text + strlen(text), 600, "X-%d: %0400d\r\n", i, i);
	strcat(text, "\r\n");
	len = strlen(text);
	memset(&answer, 0, sizeof(answer));
	for (sent = 0; sent < len; sent += 97) {
		size_t piece = len - sent < 97 ? len - sent : 97;

		assert_int_equal(send(fd, text + sent, piece, MSG_NOSIGNAL), piece);
		serve(0);
	}
	read_answer(fd, &answer, 10);
	assert_int_equal(status_of(&answer), 200);
	close(fd);
}

static void check_too_long(const char *before, size_t count, const char *behind, int status)
{
	static struct answer answer;
	struct buf text = {0};

	buf_puts(&text, before);
	while (count--)
		buf_putc(&text, 'x');
	buf_puts(&text, behind);
	ask(text.data, text.len, &answer);
	assert_int_equal(status_of(&answer), status);
	buf_free(&text);
}

/* RFC 9112, 3: 414; RFC 6585, 5: 431. */
static void test_too_long(void **state)
{
	(void)state;
	check_too_long("GET /", 20000, " HTTP/1.1\r\n" HOST "\r\n", 414);
	check_too_long("GET /metrics HTTP/1.1\r\n" HOST "A: ", 20000, "\r\n\r\n", 431);
}

/* RFC 9112, 9.3: the connection goes on after a right request, also when the next ones are there
 * already, and ends at the first that is wrong. */
static void test_pipeline(void **state)
{
	static const char right[] = "GET /metrics HTTP/1.1\r\n" HOST "\r\n";
	static const char wrong[] = "GET /metrics HTTP/1.1\nHost: a\r\n\r\n";
	static struct answer answer;
	int fd = connect_tcp();
	const char *at;
	size_t count = 0;
	char text[512];

	(void)state;
	memset(&answer, 0, sizeof(answer));
	snprintf(text, sizeof(text), "%s%s%s%s", right, right, wrong, right);
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
	read_answer(fd, &answer, 100);
	assert_true(answer.closed);
	for (at = answer.text; (at = strstr(at, "HTTP/1.1 200 OK")); at++)
		count++;
	assert_int_equal(count, 2);
	assert_non_null(strstr(answer.text, "HTTP/1.1 400 "));
	assert_int_equal(handled, 2);
	close(fd);
}

static void check_closes(const char *bytes, bool closes)
{
	static struct answer answer;

	ask(bytes, strlen(bytes), &answer);
	assert_int_equal(status_of(&answer), 200);
	assert_int_equal(answer.closed, closes);
}

static void test_keep_alive(void **state)
{
	(void)state;
	check_closes("GET /metrics HTTP/1.1\r\n" HOST "\r\n", false);
	check_closes("GET /metrics HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n", true);
	check_closes("GET /metrics HTTP/1.0\r\n\r\n", true);
	check_closes("GET /metrics HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", false);
}

/* The body that was announced comes after the word to go on. */
static void test_continue(void **state)
{
	static const char head[] = "GET /metrics HTTP/1.1\r\n" HOST
				   "Expect: 100-continue\r\nContent-Length: 4\r\n\r\n";
	static struct answer answer;
	int fd = connect_tcp();

	(void)state;
	memset(&answer, 0, sizeof(answer));
	assert_int_equal(send(fd, head, strlen(head), MSG_NOSIGNAL), strlen(head));
	read_answer(fd, &answer, 20);
	assert_string_equal(answer.text, "HTTP/1.1 100 Continue\r\n\r\n");
	assert_int_equal(send(fd, "body", 4, MSG_NOSIGNAL), 4);
	read_answer(fd, &answer, 20);
	assert_non_null(strstr(answer.text, "HTTP/1.1 200 OK"));
	close(fd);
}

/* Also what libmicrohttpd refuses by itself, if the first line could be read. */
static void test_refusals_are_counted(void **state)
{
	static const char *const wrong[] = {"GET /metrics%00 HTTP/1.1\r\n" HOST "\r\n",
					    "GET /metrics HTTP/1.1\r\n" HOST "no colon\r\n\r\n",
					    "GET /metrics HTTP/1.1\r\n\r\n"};
	static struct answer answer;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		ask(wrong[i], strlen(wrong[i]), &answer);
		assert_int_equal(status_of(&answer), 400);
		assert_int_equal(http_refusals(http)->count[REFUSAL_BAD_REQUEST], i + 1);
	}
	assert_int_equal(handled, 0);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_table),
		TEST(test_path_and_query),
		TEST(test_allow),
		TEST(test_long_and_in_pieces),
		TEST(test_too_long),
		TEST(test_pipeline),
		TEST(test_keep_alive),
		TEST(test_continue),
		TEST(test_refusals_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
