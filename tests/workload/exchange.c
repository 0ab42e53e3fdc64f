/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * usage: exchange CASE [ARG]
 *
 * A client and a server that talk over one TCP connection on the loopback, one
 * case for each rule of docs/tcp.md. Prints how many bytes both have sent and
 * received together: "SENT RECEIVED". Exits with 3 if the kernel cannot do it.
 *
 * late FIFO: is connected before it reads a byte from FIFO, and asks after that.
 * give SOCKET, take SOCKET: an accepted connection goes through a Unix socket to
 * another process, which answers.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <stdint.h>
#include <time.h>
#include <unistd.h>

#include "util/array.h"

#define ASK    100  /* bytes of a question */
#define ANSWER 1000 /* bytes of an answer, or of a piece of one */
#define THINK  30   /* ms a server takes for an answer */
#define IDLE   240  /* ms a client takes until its next question, or until it reads */
#define TURNS  5
#define PIECES 20
#define BULK   (8 << 20)

#define CANNOT 3

static char *bytes; /* BULK of them */
static long sent, received;
static const char *argument;

static void die(const char *what)
{
	fprintf(stderr, "exchange: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void sleep_ms(long ms)
{
	struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

	nanosleep(&t, NULL);
}

static void put_with(int fd, size_t len, int flags)
{
	ssize_t n = send(fd, bytes, len, flags);

	if (n != (ssize_t)len)
		die("send");
	sent += n;
}

static void put(int fd, size_t len)
{
	put_with(fd, len, 0);
}

/* Reads so many bytes, or to the end. */
static void get(int fd, size_t len)
{
	while (len) {
		ssize_t n = recv(fd, bytes, len, 0);

		if (n < 0)
			die("recv");
		if (!n)
			return;
		received += n;
		len -= (size_t)n;
	}
}

static void close_half(int fd)
{
	if (shutdown(fd, SHUT_WR))
		die("shutdown");
}

/* What is sent from here on leaves with the next thing that is: also a FIN. */
static void cork(int fd)
{
	int on = 1;

	if (setsockopt(fd, IPPROTO_TCP, TCP_CORK, &on, sizeof(on)))
		die("TCP_CORK");
}

/* ---------------------------------------------------------------- questions and answers */

static void ask_in_turn(int fd)
{
	int i;

	for (i = 0; i < TURNS; i++) {
		put(fd, ASK);
		get(fd, ANSWER);
		sleep_ms(IDLE);
	}
}

static void answer_in_turn(int fd)
{
	int i;

	for (i = 0; i < TURNS; i++) {
		get(fd, ASK);
		sleep_ms(THINK);
		put(fd, ANSWER);
	}
}

/* All questions at once. */
static void ask_pipelined(int fd)
{
	put(fd, TURNS * ASK);
	get(fd, TURNS * ANSWER);
}

/* One question, and the others while the server works at it. */
static void ask_queued(int fd)
{
	put(fd, ASK);
	sleep_ms(THINK / 3);
	put(fd, (TURNS - 1) * ASK);
	get(fd, TURNS * ANSWER);
}

/* Two are on their way at a time, and the second one's answer comes first, as HTTP/2 may. */
static void ask_crossed(int fd)
{
	put(fd, ASK);
	sleep_ms(THINK);
	put(fd, ASK);
	get(fd, 2 * ANSWER);
}

static void answer_crossed(int fd)
{
	get(fd, 2 * ASK);
	put(fd, ANSWER);
	sleep_ms(THINK);
	put(fd, ANSWER);
}

static void ask_once(int fd)
{
	put(fd, ASK);
	get(fd, BULK);
}

static void answer_in_pieces(int fd)
{
	int i;

	get(fd, ASK);
	sleep_ms(THINK);
	for (i = 0; i < PIECES; i++) {
		put(fd, ANSWER);
		sleep_ms(2);
	}
}

/* ---------------------------------------------------------------- one way */

static void send_on(int fd)
{
	int i;

	for (i = 0; i < PIECES; i++) {
		put(fd, ANSWER);
		sleep_ms(2);
	}
}

static void read_on(int fd)
{
	get(fd, BULK);
}

static void hang_up(int fd)
{
	get(fd, ASK);
	sleep_ms(THINK);
}

/* ---------------------------------------------------------------- ends */

static void ask_and_close_half(int fd)
{
	put(fd, ASK);
	sleep_ms(THINK / 2);
	close_half(fd);
	get(fd, BULK);
}

/* The question and the FIN are one segment. */
static void ask_with_fin(int fd)
{
	cork(fd);
	put(fd, ASK);
	close_half(fd);
	get(fd, BULK);
}

static void answer_with_fin(int fd)
{
	get(fd, ASK);
	sleep_ms(THINK);
	cork(fd);
	put(fd, ANSWER);
	close_half(fd);
	get(fd, 1);
}

/* What the server says after the client's FIN answers nothing. */
static void ask_then_close_half(int fd)
{
	put(fd, ASK);
	get(fd, ANSWER);
	close_half(fd);
	get(fd, BULK);
}

static void answer_and_say_farewell(int fd)
{
	get(fd, ASK);
	sleep_ms(THINK);
	put(fd, ANSWER);
	get(fd, ASK);
	sleep_ms(THINK);
	put(fd, ANSWER);
}

/* ---------------------------------------------------------------- ways to send and receive */

static void peek_and_answer(int fd)
{
	int i;

	for (i = 0; i < 3; i++)
		if (recv(fd, bytes, ASK, MSG_PEEK) != ASK)
			die("peek");
	answer_in_turn(fd);
}

static void answer_by_sendfile(int fd)
{
	int file = memfd_create("answer", 0);
	ssize_t n;

	if (file < 0 || ftruncate(file, BULK))
		die("memfd");
	get(fd, ASK);
	sleep_ms(THINK);
	for (long left = BULK; left; left -= n) {
		n = sendfile(fd, file, NULL, (size_t)left);
		if (n <= 0)
			die("sendfile");
		sent += n;
	}
}

/* Does not read for a while, so that the server has to wait. */
static void ask_and_read_late(int fd)
{
	put(fd, ASK);
	sleep_ms(IDLE);
	get(fd, BULK);
}

/* In steps that the socket's buffer has room for, as servers with an event loop do. */
static void answer_in_steps(int fd)
{
	long left = BULK;

	get(fd, ASK);
	sleep_ms(THINK);
	while (left) {
		ssize_t n = send(fd, bytes, left < 16384 ? (size_t)left : 16384, 0);

		if (n < 0)
			die("send");
		sent += n;
		left -= n;
	}
}

/* One call that returns when the client has read most of it. */
static void answer_at_once(int fd)
{
	get(fd, ASK);
	sleep_ms(THINK);
	put(fd, BULK);
}

/* ---------------------------------------------------------------- io_uring */

struct ring {
	int fd;
	unsigned int *sq_tail, *sq_mask, *sq_array, *cq_head, *cq_mask;
	struct io_uring_sqe *sqes;
	struct io_uring_cqe *cqes;
};

static void *map_ring(int fd, size_t size, off_t offset)
{
	void *data = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, offset);

	if (data == MAP_FAILED)
		die("io_uring mmap");
	return data;
}

static void open_ring(struct ring *ring)
{
	struct io_uring_params p = {0};
	char *sq, *cq;

	ring->fd = (int)syscall(SYS_io_uring_setup, 4, &p);
	if (ring->fd < 0)
		exit(CANNOT);
	sq = map_ring(ring->fd, p.sq_off.array + p.sq_entries * sizeof(unsigned int),
		      IORING_OFF_SQ_RING);
	cq = map_ring(ring->fd, p.cq_off.cqes + p.cq_entries * sizeof(*ring->cqes),
		      IORING_OFF_CQ_RING);
	ring->sqes = map_ring(ring->fd, p.sq_entries * sizeof(*ring->sqes), IORING_OFF_SQES);
	ring->sq_tail = (void *)(sq + p.sq_off.tail);
	ring->sq_mask = (void *)(sq + p.sq_off.ring_mask);
	ring->sq_array = (void *)(sq + p.sq_off.array);
	ring->cq_head = (void *)(cq + p.cq_off.head);
	ring->cq_mask = (void *)(cq + p.cq_off.ring_mask);
	ring->cqes = (void *)(cq + p.cq_off.cqes);
}

/* One operation, and its result. */
static int ring_do(struct ring *ring, unsigned char opcode, int fd, size_t len)
{
	unsigned int tail = *ring->sq_tail, index = tail & *ring->sq_mask;
	int result;

	ring->sqes[index] = (struct io_uring_sqe){
		.opcode = opcode, .fd = fd, .addr = (unsigned long)bytes, .len = (unsigned int)len};
	ring->sq_array[index] = index;
	__atomic_store_n(ring->sq_tail, tail + 1, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, ring->fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) != 1)
		die("io_uring_enter");
	result = ring->cqes[*ring->cq_head & *ring->cq_mask].res;
	__atomic_store_n(ring->cq_head, *ring->cq_head + 1, __ATOMIC_RELEASE);
	if (result <= 0)
		die("io_uring");
	return result;
}

static void answer_by_ring(int fd)
{
	struct ring ring;
	int i;

	open_ring(&ring);
	for (i = 0; i < TURNS; i++) {
		received += ring_do(&ring, IORING_OP_RECV, fd, ASK);
		sleep_ms(THINK);
		sent += ring_do(&ring, IORING_OP_SEND, fd, ANSWER);
	}
}

/* ---------------------------------------------------------------- other processes */

/* Waits for a byte from a FIFO, with the connection made. */
static void ask_late(int fd)
{
	int fifo = open(argument, O_RDONLY);
	char c;

	if (fifo < 0 || read(fifo, &c, 1) != 1)
		die(argument);
	ask_in_turn(fd);
}

static int unix_socket(struct sockaddr_un *address)
{
	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	snprintf(address->sun_path, sizeof(address->sun_path), "%s", argument);
	return socket(AF_UNIX, SOCK_STREAM, 0);
}

union control {
	struct cmsghdr header;
	char room[CMSG_SPACE(sizeof(int))];
};

/* Gives the connection to the process that waits at the Unix socket. */
static void give_away(int fd)
{
	char c = 0;
	struct iovec one = {&c, 1};
	union control control = {.header = {CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS}};
	struct msghdr message = {.msg_iov = &one,
				 .msg_iovlen = 1,
				 .msg_control = &control,
				 .msg_controllen = sizeof(control)};
	struct sockaddr_un address;
	int taker = unix_socket(&address);

	get(fd, ASK);
	put(fd, ANSWER);
	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	if (connect(taker, (struct sockaddr *)&address, sizeof(address)) ||
	    sendmsg(taker, &message, 0) != 1)
		die(argument);
	read(taker, &c, 1); /* until the other one is done */
}

/* The other one: its connection comes from elsewhere. */
static int take(void)
{
	char c;
	struct iovec one = {&c, 1};
	union control control;
	struct msghdr message = {.msg_iov = &one,
				 .msg_iovlen = 1,
				 .msg_control = &control,
				 .msg_controllen = sizeof(control)};
	struct sockaddr_un address;
	int listener = unix_socket(&address), giver, fd;

	if (bind(listener, (struct sockaddr *)&address, sizeof(address)) || listen(listener, 1))
		die(argument);
	giver = accept(listener, NULL, NULL);
	if (recvmsg(giver, &message, 0) != 1)
		die("recvmsg");
	memcpy(&fd, CMSG_DATA(&control.header), sizeof(fd));
	answer_in_turn(fd);
	printf("%ld %ld\n", sent, received);
	return 0;
}

static void ask_once_and_in_turn(int fd)
{
	put(fd, ASK);
	get(fd, ANSWER);
	ask_in_turn(fd);
}

/* ---------------------------------------------------------------- the cases */

static const struct test_case {
	const char *name;
	void (*client)(int fd), (*server)(int fd);
} cases[] = {
	{"keepalive", ask_in_turn, answer_in_turn},
	{"mapped", ask_in_turn, answer_in_turn},
	{"ipv6", ask_in_turn, answer_in_turn},
	{"pipelined", ask_pipelined, answer_in_turn},
	{"queued", ask_queued, answer_in_turn},
	{"crossed", ask_crossed, answer_crossed},
	{"download", ask_once, answer_in_pieces},
	{"upload", send_on, read_on},
	{"push", read_on, send_on},
	{"unanswered", ask_once, hang_up},
	{"half-closed", ask_and_close_half, answer_in_pieces},
	{"ask-with-fin", ask_with_fin, answer_in_pieces},
	{"answer-with-fin", ask_once, answer_with_fin},
	{"farewell", ask_then_close_half, answer_and_say_farewell},
	{"peek", ask_in_turn, peek_and_answer},
	{"sendfile", ask_once, answer_by_sendfile},
	{"slow-reader", ask_and_read_late, answer_in_steps},
	{"long-send", ask_and_read_late, answer_at_once},
	{"io-uring", ask_in_turn, answer_by_ring},
	{"late", ask_late, answer_in_turn},
	{"give", ask_once_and_in_turn, give_away},
};

static const struct test_case *find_case(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++)
		if (strcmp(cases[i].name, name) == 0)
			return &cases[i];
	fprintf(stderr, "usage: exchange CASE [ARG]\n");
	exit(2);
}

/*
 * Listens on a free port below those that clients get, as servers do. The
 * address is where a client reaches it.
 */
static int listen_at(const char *name, struct sockaddr_in6 *address)
{
	bool mapped = strcmp(name, "mapped") == 0;
	struct sockaddr_in *v4 = (struct sockaddr_in *)address;
	socklen_t len = sizeof(*address);
	int fd, tries = 0;

	memset(address, 0, sizeof(*address));
	if (mapped || strcmp(name, "ipv6") == 0) {
		address->sin6_family = AF_INET6;
		address->sin6_addr = mapped ? in6addr_any : in6addr_loopback;
	} else {
		v4->sin_family = AF_INET;
		v4->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		len = sizeof(*v4);
	}
	fd = socket(address->sin6_family, SOCK_STREAM, 0);
	do
		v4->sin_port = htons((uint16_t)(20000 + (getpid() + tries) % 12000));
	while (bind(fd, (struct sockaddr *)address, len) && errno == EADDRINUSE && ++tries < 12000);
	if (listen(fd, 8))
		exit(CANNOT);
	if (mapped)
		inet_pton(AF_INET6, "::ffff:127.0.0.1", &address->sin6_addr);
	return fd;
}

/* The server's side, in a process of its own. What it counted comes back through a pipe. */
static pid_t start_server(const struct test_case *test, int listener, int result)
{
	long counts[2];
	pid_t pid = fork();
	int fd;

	if (pid)
		return pid;
	fd = accept(listener, NULL, NULL);
	if (fd < 0)
		die("accept");
	test->server(fd);
	close(fd);
	counts[0] = sent;
	counts[1] = received;
	if (write(result, counts, sizeof(counts)) != sizeof(counts))
		die("pipe");
	exit(0);
}

static int run(const struct test_case *test)
{
	struct sockaddr_in6 address;
	int listener = listen_at(test->name, &address), result[2], status, fd;
	long counts[2];
	pid_t server;

	if (pipe(result))
		die("pipe");
	server = start_server(test, listener, result[1]);
	fd = socket(address.sin6_family, SOCK_STREAM, 0);
	if (connect(fd, (struct sockaddr *)&address,
		    address.sin6_family == AF_INET6 ? sizeof(address) : sizeof(struct sockaddr_in)))
		die("connect");
	close(listener);
	test->client(fd);
	close(fd);
	if (waitpid(server, &status, 0) != server || !WIFEXITED(status) || WEXITSTATUS(status))
		return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
	if (read(result[0], counts, sizeof(counts)) != sizeof(counts))
		die("pipe");
	printf("%ld %ld\n", sent + counts[0], received + counts[1]);
	return 0;
}

int main(int argc, char **argv)
{
	bytes = calloc(1, BULK);
	argument = argc == 3 ? argv[2] : NULL;
	if (argc < 2 || argc > 3 || !bytes)
		return 2;
	if (strcmp(argv[1], "take") == 0)
		return take();
	return run(find_case(argv[1]));
}
