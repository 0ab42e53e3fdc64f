/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * usage: clients passwords FROM PORT THREADS SECONDS   ask with wrong passwords, one after the
 * other clients silent FROM PORT COUNT SECONDS        ask for much, and read nothing clients
 * handshakes FROM PORT PER_SECOND SECONDS begin a TLS handshake, and leave it
 *
 * Clients of the loopback's PORT that mean harm, from the address FROM (127.x.y.z). If FROM is
 * 127.0.0.0, passwords and silent take another address of the loopback for each connection. Each
 * that the server turns away comes again at once. Prints how many requests or connections there
 * were.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MAX  1024
/* How long a handshake that was begun is kept. */
#define OPEN 4096

static struct sockaddr_in from = {.sin_family = AF_INET}, to = {.sin_family = AF_INET};
static double end;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static long made;

/* What every TLS client says first: 3 of some 200 bytes. */
static const char hello[] = {0x16, 0x03, 0x01};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void sleep_ms(int ms)
{
	nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L}, NULL);
}

/* Where the next connection comes from. */
static struct sockaddr_in next_from(void)
{
	static atomic_uint seed = 1;
	struct sockaddr_in next = from;

	if (from.sin_addr.s_addr == htonl(0x7f000000))
		next.sin_addr.s_addr |= htonl(((seed += 1) * 2654435761u) >> 8);
	return next;
}

static int begin_connection(int small_window)
{
	const struct sockaddr_in own = next_from();
	struct timeval timeout = {.tv_sec = 10};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), size = 2048, on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	if (small_window)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (fd >= 0 && bind(fd, (const struct sockaddr *)&own, sizeof(own)) == 0 &&
	    connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0)
		return fd;
	close(fd);
	return -1;
}

static void count_one(void)
{
	pthread_mutex_lock(&lock);
	made++;
	pthread_mutex_unlock(&lock);
}

/* Three bytes are four letters: there is no rest here. */
static void encode_base64(const char *text, char *out)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (; *text; text += 3) {
		unsigned int bits = (unsigned int)text[0] << 16 | (unsigned int)text[1] << 8 |
				    (unsigned int)text[2];

		for (int shift = 18; shift >= 0; shift -= 6)
			*out++ = letters[bits >> shift & 63];
	}
	*out = '\0';
}

/* A password that was never tried, of a user that there is. */
static void make_guess(char *request, size_t size)
{
	static long number;
	char credentials[32], base64[64];

	pthread_mutex_lock(&lock);
	snprintf(credentials, sizeof(credentials), "prom:%010ld", ++number);
	pthread_mutex_unlock(&lock);
	encode_base64(credentials, base64);
	snprintf(request, size,
		 "GET /metrics HTTP/1.1\r\nHost: a\r\nAuthorization: Basic %s\r\n\r\n", base64);
}

static void *guess(void *unused)
{
	char request[256], answer[4096];
	int fd = -1;

	while (now() < end) {
		if (fd < 0)
			fd = begin_connection(0);
		if (fd < 0) {
			sleep_ms(10);
			continue;
		}
		count_one();
		make_guess(request, sizeof(request));
		if (send(fd, request, strlen(request), MSG_NOSIGNAL) < 0 ||
		    recv(fd, answer, sizeof(answer), 0) <= 0) {
			close(fd);
			fd = -1;
		}
	}
	close(fd);
	return unused;
}

static void *be_silent(void *unused)
{
	static const char request[] = "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n";
	int fd = -1;

	while (now() < end) {
		struct pollfd poll_end = {.events = POLLRDHUP};

		if (fd < 0) {
			fd = begin_connection(1);
			count_one();
			for (int i = 0; i < 16 && fd >= 0; i++)
				if (send(fd, request, strlen(request), MSG_NOSIGNAL) < 0)
					break;
		}
		poll_end.fd = fd;
		if (fd < 0)
			sleep_ms(10);
		else if (poll(&poll_end, 1, 100) > 0 &&
			 poll_end.revents & (POLLRDHUP | POLLHUP | POLLERR)) {
			close(fd);
			fd = -1;
		}
	}
	close(fd);
	return unused;
}

static void run_threads(int count, void *(*client)(void *))
{
	static pthread_t threads[MAX];
	int i;

	for (i = 0; i < count; i++)
		if (pthread_create(&threads[i], NULL, client, NULL))
			exit(1);
	for (i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
}

static void begin_handshakes(double per_second)
{
	static int open_fds[OPEN];
	double begin = now();
	int i;

	for (i = 0; now() < end; i++) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), on = 1;
		struct pollfd connected = {.fd = fd, .events = POLLOUT};

		if (open_fds[i % OPEN])
			close(open_fds[i % OPEN]);
		open_fds[i % OPEN] = fd;
		setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
		if (fd >= 0 && !bind(fd, (struct sockaddr *)&from, sizeof(from)) &&
		    (!connect(fd, (struct sockaddr *)&to, sizeof(to)) || errno == EINPROGRESS) &&
		    poll(&connected, 1, 5) > 0)
			(void)!send(fd, hello, sizeof(hello), MSG_NOSIGNAL);
		made++;
		while (now() < begin + (double)i / per_second)
			sleep_ms(1);
	}
}

int main(int argc, char **argv)
{
	int count = argc == 6 ? atoi(argv[4]) : 0;

	if (argc != 6 || count <= 0 || inet_pton(AF_INET, argv[2], &from.sin_addr) != 1) {
		fprintf(stderr,
			"usage: clients passwords|silent|handshakes FROM PORT COUNT SECONDS\n");
		return 2;
	}
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	to.sin_port = htons((unsigned short)atoi(argv[3]));
	end = now() + atof(argv[5]);
	if (strcmp(argv[1], "passwords") == 0)
		run_threads(count < MAX ? count : MAX, guess);
	else if (strcmp(argv[1], "silent") == 0)
		run_threads(count < MAX ? count : MAX, be_silent);
	else if (strcmp(argv[1], "handshakes") == 0)
		begin_handshakes(count);
	else
		return 2;
	printf("%ld\n", made);
	return 0;
}
