/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * usage: tcpserve ADDRESS PORT answer FILE DELAY_US [TIMES]
 *        tcpserve ADDRESS PORT source BYTES
 *        tcpserve ADDRESS PORT sink
 *        tcpserve ADDRESS PORT reset
 *        tcpserve ADDRESS PORT stall
 *
 * A server whose behaviour is known. ADDRESS is of IPv4 or IPv6; "fd" listens on
 * standard input, which is a listening socket then.
 *
 *   answer  for what each read() of a connection returns, after DELAY_US, the content of
 *           FILE: any protocol whose requests come one at a time. On SIGTERM the file
 *           TIMES gets a line for each answer: the ns from when the kernel received
 *           the request (SO_TIMESTAMPNS) to just before the answer is sent.
 *   source  for the first bytes of a request, BYTES bytes; then the connection is closed
 *   sink    reads until the other side closes
 *   reset   resets the connection at the first bytes
 *   stall   listens with a queue of one, and never accepts
 *
 * TCP_PROTOCOL=262 in the environment listens on a socket of MPTCP's.
 * On SIGTERM it prints "accepted N received BYTES sent BYTES".
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define TIMES_MAX   (1 << 20)
#define CHUNK	    65536
#define CONNECTIONS 4096

enum mode { ANSWER, SOURCE, SINK, RESET, STALL, MODES };

static const char *const mode_names[MODES] = {"answer", "source", "sink", "reset", "stall"};

static struct server {
	enum mode mode;
	char answer[CHUNK];
	size_t answer_len;
	long delay_us;
	const char *times_path;
	unsigned int times[TIMES_MAX];
	size_t time_count;
	long long source_bytes;
	long long to_send[CONNECTIONS]; /* by file descriptor */
	unsigned long long accepted, received, sent;
} server;

static volatile sig_atomic_t ended;

static void on_signal(int number)
{
	(void)number;
	ended = 1;
}

static void die(const char *what)
{
	fprintf(stderr, "tcpserve: %s: %s\n", what, strerror(errno));
	exit(1);
}

static long long realtime_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static int listen_on(const char *address, const char *port, int queue)
{
	struct sockaddr_in6 six = {.sin6_family = AF_INET6};
	struct sockaddr_in four = {.sin_family = AF_INET};
	struct sockaddr *any = (struct sockaddr *)&four;
	const char *protocol = getenv("TCP_PROTOCOL");
	socklen_t len = sizeof(four);
	int fd, on = 1;

	if (!strcmp(address, "fd"))
		return STDIN_FILENO;
	four.sin_port = six.sin6_port = htons((unsigned short)atoi(port));
	if (inet_pton(AF_INET, address, &four.sin_addr) != 1) {
		any = (struct sockaddr *)&six;
		len = sizeof(six);
		if (inet_pton(AF_INET6, address, &six.sin6_addr) != 1)
			die(address);
	}
	fd = socket(any->sa_family, SOCK_STREAM, protocol ? atoi(protocol) : 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
	    bind(fd, any, len) || listen(fd, queue))
		die(address);
	return fd;
}

/* The time at which the kernel received what was read last, or 0. */
static long long receive_time_ns(struct msghdr *message)
{
	struct cmsghdr *header;
	struct timespec t;

	for (header = CMSG_FIRSTHDR(message); header; header = CMSG_NXTHDR(message, header))
		if (header->cmsg_level == SOL_SOCKET && header->cmsg_type == SO_TIMESTAMPNS) {
			memcpy(&t, CMSG_DATA(header), sizeof(t));
			return t.tv_sec * 1000000000LL + t.tv_nsec;
		}
	return 0;
}

static ssize_t receive(int fd, long long *time_ns)
{
	static char chunk[CHUNK];
	char control[256];
	struct iovec part = {chunk, sizeof(chunk)};
	struct msghdr message = {.msg_iov = &part,
				 .msg_iovlen = 1,
				 .msg_control = control,
				 .msg_controllen = sizeof(control)};
	ssize_t len = recvmsg(fd, &message, 0);

	*time_ns = len > 0 && server.times_path ? receive_time_ns(&message) : 0;
	if (len > 0)
		server.received += (unsigned long long)len;
	return len;
}

static void answer(int fd, long long received_ns)
{
	ssize_t len;

	if (server.delay_us)
		usleep((useconds_t)server.delay_us);
	if (received_ns && server.time_count < TIMES_MAX)
		server.times[server.time_count++] = (unsigned int)(realtime_ns() - received_ns);
	len = send(fd, server.answer, server.answer_len, MSG_NOSIGNAL);
	if (len > 0)
		server.sent += (unsigned long long)len;
}

static void reset(int fd)
{
	struct linger at_once = {.l_onoff = 1};

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	close(fd);
}

/* Sends what fits. Whether all is sent. */
static int send_more(int fd)
{
	static const char zeros[CHUNK];
	long long *left = &server.to_send[fd];
	ssize_t len;

	while (*left) {
		len = send(fd, zeros, *left < CHUNK ? (size_t)*left : CHUNK,
			   MSG_NOSIGNAL | MSG_DONTWAIT);
		if (len < 0)
			return errno != EAGAIN;
		*left -= len;
		server.sent += (unsigned long long)len;
	}
	return 1;
}

static void accept_one(int listener, int epoll)
{
	struct epoll_event event = {.events = EPOLLIN};
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC), on = 1;

	if (fd < 0)
		return;
	server.accepted++;
	if (server.times_path)
		setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on));
	if (fd >= CONNECTIONS)
		die("too many connections");
	server.to_send[fd] = 0;
	event.data.fd = fd;
	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event))
		die("epoll");
}

static void serve(int fd, unsigned int events, int epoll)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLOUT, .data.fd = fd};
	long long time_ns;
	ssize_t len;

	if (server.to_send[fd] && events & EPOLLOUT) {
		if (send_more(fd))
			close(fd);
		return;
	}
	if (!(events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
		return;
	len = receive(fd, &time_ns);
	if (len <= 0) {
		close(fd);
		return;
	}
	switch (server.mode) {
	case ANSWER:
		answer(fd, time_ns);
		break;
	case RESET:
		reset(fd);
		break;
	case SOURCE:
		server.to_send[fd] = server.source_bytes;
		epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &event);
		break;
	default:
		break;
	}
}

static void loop(int listener)
{
	struct epoll_event event = {.events = EPOLLIN, .data.fd = listener}, ready[64];
	int epoll = epoll_create1(EPOLL_CLOEXEC), count, i;

	if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event))
		die("epoll");
	while (!ended) {
		count = epoll_wait(epoll, ready, 64, -1);
		for (i = 0; i < count; i++)
			if (ready[i].data.fd == listener)
				accept_one(listener, epoll);
			else
				serve(ready[i].data.fd, ready[i].events, epoll);
	}
}

static void read_answer(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? -1 : read(fd, server.answer, sizeof(server.answer));

	if (len <= 0)
		die(path);
	server.answer_len = (size_t)len;
	close(fd);
}

static void write_times(void)
{
	FILE *file = fopen(server.times_path, "w");
	size_t i;

	if (!file)
		die(server.times_path);
	for (i = 0; i < server.time_count; i++)
		fprintf(file, "%u\n", server.times[i]);
	fclose(file);
}

int main(int argc, char **argv)
{
	struct sigaction action = {.sa_handler = on_signal};
	int mode = 0, listener;

	while (argc > 3 && mode < MODES && strcmp(argv[3], mode_names[mode]) != 0)
		mode++;
	if (argc < 4 || mode == MODES || (mode == ANSWER && argc < 6) ||
	    (mode == SOURCE && argc < 5)) {
		fprintf(stderr, "usage: tcpserve ADDRESS PORT MODE ...\n");
		return 2;
	}
	server.mode = (enum mode)mode;
	if (mode == ANSWER) {
		read_answer(argv[4]);
		server.delay_us = atol(argv[5]);
		server.times_path = argv[6];
	}
	if (mode == SOURCE)
		server.source_bytes = atoll(argv[4]);
	sigaction(SIGTERM, &action, NULL);
	listener = listen_on(argv[1], argv[2], mode == STALL ? 1 : 1024);
	while (mode == STALL && !ended)
		pause();
	if (mode != STALL)
		loop(listener);
	printf("accepted %llu received %llu sent %llu\n", server.accepted, server.received,
	       server.sent);
	if (server.times_path)
		write_times();
	return 0;
}
