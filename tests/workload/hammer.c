/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * usage: hammer PORT scrape CLIENTS SCRAPES   each client scrapes so often, all at once
 *        hammer PORT slow CLIENTS SECONDS     ask, and take a byte every 100 ms
 *        hammer PORT dribble CLIENTS SECONDS  send a byte of a request every 100 ms
 *        hammer PORT abandon CLIENTS TIMES    ask, and go away in the middle of the reply
 *        hammer PORT malformed COUNT SEED     requests that are none: malformed.h
 *        hammer PORT mute CLIENTS SECONDS     ask, and take nothing; connect again when cut off
 *        hammer PORT partial RATE SECONDS     so many handshakes or requests a second, without end
 *
 * Clients of the loopback's PORT, from the address in the environment's HAMMER_FROM. Prints how
 * many requests were answered with which status; "whole" are replies of 200 that came to their end.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "../malformed.h"
#include "util/array.h"

#define TIMEOUT_S 60
#define REQUEST	  "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n"

static int port, count, times;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int answered[600], whole, unanswered;

static void note_status(int status, int is_whole)
{
	pthread_mutex_lock(&lock);
	if (status >= 100 && status < 600)
		answered[status]++;
	else
		unanswered++;
	whole += is_whole;
	pthread_mutex_unlock(&lock);
}

static int connect_to(int timeout_ms)
{
	struct sockaddr_in in = {.sin_family = AF_INET,
				 .sin_port = htons((unsigned short)port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct timeval timeout = {.tv_sec = timeout_ms / 1000, .tv_usec = timeout_ms % 1000 * 1000};
	struct sockaddr_in from = {.sin_family = AF_INET};
	const char *address = getenv("HAMMER_FROM");
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd >= 0 && address && inet_pton(AF_INET, address, &from.sin_addr) == 1)
		bind(fd, (struct sockaddr *)&from, sizeof(from));
	if (fd < 0 || connect(fd, (struct sockaddr *)&in, sizeof(in))) {
		perror("connect");
		exit(1);
	}
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
	return fd;
}

static void nap(void)
{
	nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
}

static int send_all(int fd, const char *text, size_t len)
{
	return send(fd, text, len, MSG_NOSIGNAL) == (ssize_t)len;
}

/* Reads the header. Returns the status, 0 for none; *left is what the body lacks yet. */
static int read_header(int fd, long *left)
{
	char text[8192], *end, *length;
	size_t len = 0;
	ssize_t got;
	int status = 0;

	while (len < sizeof(text) - 1) {
		got = recv(fd, text + len, sizeof(text) - 1 - len, 0);
		if (got <= 0)
			break;
		len += (size_t)got;
		text[len] = '\0';
		end = strstr(text, "\r\n\r\n");
		if (!end)
			continue;
		length = strcasestr(text, "\r\nContent-Length: ");
		*left = length ? strtol(length + 18, NULL, 10) - (text + len - end - 4) : 0;
		break;
	}
	return sscanf(text, "HTTP/1.%*d %d", &status) == 1 && len ? status : 0;
}

static void *scrape(void *unused)
{
	int i, fd = connect_to(TIMEOUT_S * 1000);
	char piece[65536];

	for (i = 0; i < times; i++) {
		long left = 0;
		int status = send_all(fd, REQUEST, strlen(REQUEST)) ? read_header(fd, &left) : 0;

		while (left > 0) {
			ssize_t got =
				recv(fd, piece,
				     left < (long)sizeof(piece) ? (size_t)left : sizeof(piece), 0);

			if (got <= 0)
				break;
			left -= got;
		}
		note_status(status, status == 200 && left == 0);
		if (status == 0 || left) {
			close(fd);
			fd = connect_to(TIMEOUT_S * 1000);
		}
	}
	close(fd);
	return unused;
}

static void *take_slowly(void *unused)
{
	int i, fd = connect_to(TIMEOUT_S * 1000), small = 2048;
	char byte;

	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	send_all(fd, REQUEST, strlen(REQUEST));
	for (i = 0; i < times * 10 && recv(fd, &byte, 1, 0) == 1; i++)
		nap();
	close(fd);
	return unused;
}

static void *dribble(void *unused)
{
	int i, fd = connect_to(TIMEOUT_S * 1000);

	for (i = 0; i < times * 10 && send_all(fd, "G", 1); i++)
		nap();
	close(fd);
	return unused;
}

static void *abandon(void *unused)
{
	const struct linger reset = {.l_onoff = 1};
	char piece[1000];
	int i;

	for (i = 0; i < times; i++) {
		int fd = connect_to(TIMEOUT_S * 1000);

		send_all(fd, REQUEST, strlen(REQUEST));
		if (i % 3 && recv(fd, piece, sizeof(piece), 0) < 0)
			break;
		if (i % 2)
			setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
		close(fd);
	}
	return unused;
}

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void *take_nothing(void *unused)
{
	double end = now_s() + times;
	int i, fd, small = 2048;

	while (now_s() < end) {
		struct pollfd cut = {.events = POLLRDHUP};

		fd = cut.fd = connect_to(1000);
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
		/* Enough replies to fill the buffers of both sides. */
		for (i = 0; i < 200; i++)
			send_all(fd, REQUEST, strlen(REQUEST));
		while (now_s() < end && poll(&cut, 1, 100) == 0)
			;
		close(fd);
		nap();
	}
	return unused;
}

#define PARTIAL_MAX 2000

/* The oldest are closed, so that there are never too many. */
static void begin_many(void)
{
	static const char hello[] = "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03";
	static int fds[PARTIAL_MAX];
	double start = now_s();
	int i;

	for (i = 0; i < count * times; i++) {
		while (now_s() < start + (double)i / count)
			usleep(1000);
		if (i >= PARTIAL_MAX)
			close(fds[i % PARTIAL_MAX]);
		fds[i % PARTIAL_MAX] = connect_to(1000);
		/* Half of them TLS, half of them HTTP. */
		send_all(fds[i % PARTIAL_MAX], i % 2 ? hello : "GET /metr", i % 2 ? 11 : 9);
	}
}

static void send_malformed(unsigned int seed)
{
	static char text[MALFORMED_MAX];
	size_t len = malformed_request(seed, text);
	int fd = connect_to(3);
	long left;

	send_all(fd, text, len);
	if (seed % 8) /* the end of what we say: the server need not wait for more */
		shutdown(fd, SHUT_WR);
	note_status(read_header(fd, &left), 0);
	close(fd);
}

static void run_clients(void *(*client)(void *))
{
	pthread_t threads[1000];
	int i;

	if (count > 1000)
		exit(2);
	for (i = 0; i < count; i++)
		if (pthread_create(&threads[i], NULL, client, NULL))
			exit(1);
	for (i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void *(*client)(void *);
	} modes[] = {
		{"scrape", scrape},   {"slow", take_slowly},  {"dribble", dribble},
		{"abandon", abandon}, {"mute", take_nothing},
	};
	size_t i;
	int status;

	if (argc != 5) {
		fprintf(stderr, "usage: hammer PORT MODE COUNT TIMES\n");
		return 2;
	}
	port = atoi(argv[1]);
	count = atoi(argv[3]);
	times = atoi(argv[4]);
	for (i = 0; i < ARRAY_SIZE(modes); i++)
		if (strcmp(argv[2], modes[i].name) == 0)
			run_clients(modes[i].client);
	if (strcmp(argv[2], "partial") == 0)
		begin_many();
	for (status = 0; strcmp(argv[2], "malformed") == 0 && status < count; status++)
		send_malformed((unsigned int)(times + status));
	for (status = 0; status < 600; status++)
		if (answered[status])
			printf("%d %d\n", status, answered[status]);
	printf("none %d\nwhole %d\n", unanswered, whole);
	return 0;
}
