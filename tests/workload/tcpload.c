/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * usage: tcpload open ADDRESS PORT COUNT
 *        tcpload ask ADDRESS PORT COUNT BYTES [PAUSE_US [GO]]
 *        tcpload send ADDRESS PORT BYTES
 *        tcpload slow ADDRESS PORT CHUNK PAUSE_US
 *        tcpload churn ADDRESS PORT COUNT ADDRESSES
 *        tcpload hold ADDRESS PORT COUNT
 *
 * A client that knows what it did.
 *
 *   open   COUNT connections, one after the other: a byte is sent, the other side's end or
 *          answer awaited, and the connection closed
 *   ask    one connection: COUNT times it sends BYTES and waits for an answer; once connected
 *          it first waits for somebody to open the FIFO GO
 *   send   one connection: sends BYTES, ends its side, and awaits the other's end
 *   slow   one connection: asks once, then reads CHUNK bytes every PAUSE_US, to the end
 *   churn  COUNT connections, from and to ADDRESSES addresses of IPv4 from ADDRESS on, so that
 *          there are ports enough; every other one is ended by a reset
 *   hold   COUNT connections that stay open until SIGTERM, or for a minute
 *
 * TCP_PROTOCOL=262 in the environment makes open and ask use MPTCP.
 * At its end it prints "connected N refused N timeout N other N reset N sent BYTES
 * received BYTES"; reset: connections that the other side has reset.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CHUNK 65536

static struct done {
	unsigned long long connected, refused, timeout, other, reset, sent, received;
} done;

static union {
	struct sockaddr any;
	struct sockaddr_in four;
	struct sockaddr_in6 six;
} target;
static socklen_t target_len;

static char chunk[CHUNK];

static void die(const char *what)
{
	fprintf(stderr, "tcpload: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void set_target(const char *address, const char *port)
{
	unsigned short number = htons((unsigned short)atoi(port));

	if (inet_pton(AF_INET, address, &target.four.sin_addr) == 1) {
		target.four.sin_family = AF_INET;
		target.four.sin_port = number;
		target_len = sizeof(target.four);
	} else if (inet_pton(AF_INET6, address, &target.six.sin6_addr) == 1) {
		target.six.sin6_family = AF_INET6;
		target.six.sin6_port = number;
		target_len = sizeof(target.six);
	} else {
		die(address);
	}
}

static void count_failure(int error)
{
	if (error == ECONNREFUSED)
		done.refused++;
	else if (error == ETIMEDOUT)
		done.timeout++;
	else
		done.other++;
}

/* A connected socket, or -1. */
static int open_one(void)
{
	const char *protocol = getenv("TCP_PROTOCOL");
	int fd = socket(target.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC,
			protocol ? atoi(protocol) : 0);

	if (fd < 0)
		die("socket");
	if (connect(fd, &target.any, target_len)) {
		count_failure(errno);
		close(fd);
		return -1;
	}
	done.connected++;
	return fd;
}

/* Whether all were sent. */
static int send_bytes(int fd, long long bytes)
{
	ssize_t len;

	while (bytes > 0) {
		len = send(fd, chunk, bytes < CHUNK ? (size_t)bytes : CHUNK, MSG_NOSIGNAL);
		if (len < 0) {
			done.reset += errno == ECONNRESET;
			return 0;
		}
		bytes -= len;
		done.sent += (unsigned long long)len;
	}
	return 1;
}

/* As recv(): what is received is counted, and so is a reset. */
static ssize_t receive(int fd, size_t size)
{
	ssize_t len = recv(fd, chunk, size, 0);

	if (len > 0)
		done.received += (unsigned long long)len;
	else if (len < 0)
		done.reset += errno == ECONNRESET;
	return len;
}

static void open_many(long count)
{
	int fd;

	while (count--) {
		fd = open_one();
		if (fd < 0)
			continue;
		if (send_bytes(fd, 1))
			receive(fd, CHUNK);
		close(fd);
	}
}

static void ask(long count, long long bytes, long pause_us, const char *go)
{
	int fd = open_one();

	if (go && open(go, O_RDONLY | O_CLOEXEC) < 0)
		die(go);
	while (fd >= 0 && count-- && send_bytes(fd, bytes) && receive(fd, CHUNK) > 0)
		if (pause_us)
			usleep((useconds_t)pause_us);
	close(fd);
}

static void send_all(long long bytes)
{
	int fd = open_one();

	if (fd < 0 || !send_bytes(fd, bytes))
		return;
	shutdown(fd, SHUT_WR);
	while (receive(fd, CHUNK) > 0)
		;
	close(fd);
}

static void read_slowly(size_t size, long pause_us)
{
	int fd = socket(target.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0), window = 4096;

	/* Little is sent ahead of the reader. */
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &window, sizeof(window));
	if (connect(fd, &target.any, target_len))
		die("connect");
	done.connected++;
	send_bytes(fd, 1);
	while (receive(fd, size < CHUNK ? size : CHUNK) > 0)
		usleep((useconds_t)pause_us);
	close(fd);
}

static void churn(long count, long addresses)
{
	struct linger at_once = {.l_onoff = 1};
	struct sockaddr_in first = target.four, from = {.sin_family = AF_INET};
	int fd, on = 1;
	long i;

	for (i = 0; i < count; i++) {
		target.four.sin_addr.s_addr =
			htonl(ntohl(first.sin_addr.s_addr) + (unsigned int)(i % addresses));
		from.sin_addr = target.four.sin_addr;
		fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
		if (fd < 0 || bind(fd, (struct sockaddr *)&from, sizeof(from)))
			die("bind");
		if (connect(fd, &target.any, target_len)) {
			count_failure(errno);
		} else {
			done.connected++;
			if (send_bytes(fd, 1))
				receive(fd, CHUNK);
			if (i & 1)
				setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
		}
		close(fd);
	}
}

static void on_signal(int number)
{
	(void)number;
}

static void hold(long count)
{
	struct sigaction action = {.sa_handler = on_signal};

	sigaction(SIGTERM, &action, NULL);
	while (count--)
		open_one();
	sleep(60);
}

static int run(int argc, char **argv)
{
	const char *mode = argv[1];
	long count = atol(argv[4]);

	if (!strcmp(mode, "open"))
		open_many(count);
	else if (!strcmp(mode, "ask") && argc > 5)
		ask(count, atoll(argv[5]), argc > 6 ? atol(argv[6]) : 0, argc > 7 ? argv[7] : NULL);
	else if (!strcmp(mode, "send"))
		send_all(atoll(argv[4]));
	else if (!strcmp(mode, "slow") && argc > 5)
		read_slowly((size_t)count, atol(argv[5]));
	else if (!strcmp(mode, "churn") && argc > 5)
		churn(count, atol(argv[5]));
	else if (!strcmp(mode, "hold"))
		hold(count);
	else
		return -1;
	return 0;
}

int main(int argc, char **argv)
{
	if (argc > 4)
		set_target(argv[2], argv[3]);
	if (argc <= 4 || run(argc, argv)) {
		fprintf(stderr, "usage: tcpload MODE ADDRESS PORT COUNT ...\n");
		return 2;
	}
	printf("connected %llu refused %llu timeout %llu other %llu reset %llu sent %llu received "
	       "%llu\n",
	       done.connected, done.refused, done.timeout, done.other, done.reset, done.sent,
	       done.received);
	return 0;
}
