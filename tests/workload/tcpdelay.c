/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * usage: tcpdelay NETNS_A NETNS_B DELAY_US
 *
 * A path with a delay, for kernels without netem: a TUN device "path" in each of two
 * network namespaces (files such as /proc/PID/ns/net). What is sent into one comes out of the
 * other DELAY_US later. Prints "ready" when both are there, and runs until it is killed;
 * the devices go with it.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#define PACKETS	    1024 /* on their way, in each direction; those beyond are dropped */
#define PACKET_SIZE 2048

struct packet {
	long long due_ns;
	size_t len;
	char bytes[PACKET_SIZE];
};

struct direction {
	int from, to;
	unsigned int first, last;
	struct packet packets[PACKETS];
};

static struct direction directions[2];

static void die(const char *what)
{
	fprintf(stderr, "tcpdelay: %s: %s\n", what, strerror(errno));
	exit(1);
}

static long long now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static int open_device(const char *netns)
{
	struct ifreq request = {.ifr_name = "path", .ifr_flags = IFF_TUN | IFF_NO_PI};
	int ns = open(netns, O_RDONLY | O_CLOEXEC), fd;

	if (ns < 0 || setns(ns, CLONE_NEWNET))
		die(netns);
	close(ns);
	fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || ioctl(fd, TUNSETIFF, &request))
		die("/dev/net/tun");
	return fd;
}

/* Takes in what was sent. */
static void take(struct direction *direction, long long delay_ns)
{
	struct packet *packet, dropped;
	ssize_t len;

	for (;;) {
		packet = direction->last - direction->first < PACKETS
				 ? &direction->packets[direction->last % PACKETS]
				 : &dropped;
		len = read(direction->from, packet->bytes, PACKET_SIZE);
		if (len <= 0)
			return;
		packet->len = (size_t)len;
		packet->due_ns = now_ns() + delay_ns;
		direction->last += packet != &dropped;
	}
}

/* Lets out what is due. When the next one is; 0 if there is none. */
static long long let_out(struct direction *direction)
{
	struct packet *packet;

	while (direction->first != direction->last) {
		packet = &direction->packets[direction->first % PACKETS];
		if (packet->due_ns > now_ns())
			return packet->due_ns;
		/* A device that is not up yet refuses it: a lost packet. */
		if (write(direction->to, packet->bytes, packet->len) < 0 && errno != EIO)
			die("write");
		direction->first++;
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct direction *there = &directions[0], *back = &directions[1];
	struct pollfd polled[2] = {{.events = POLLIN}, {.events = POLLIN}};
	long long delay_ns, a, b, due_ns, left_ns;
	struct sched_param first = {.sched_priority = 1};
	struct timespec left;

	if (argc != 4) {
		fprintf(stderr, "usage: tcpdelay NETNS_A NETNS_B DELAY_US\n");
		return 2;
	}
	delay_ns = atoll(argv[3]) * 1000;
	prctl(PR_SET_TIMERSLACK, 1);
	/* To be in time on a busy machine, if it is allowed. */
	sched_setscheduler(0, SCHED_FIFO, &first);
	there->from = back->to = polled[0].fd = open_device(argv[1]);
	there->to = back->from = polled[1].fd = open_device(argv[2]);
	puts("ready");
	fflush(stdout);
	for (;;) {
		a = let_out(there);
		b = let_out(back);
		due_ns = !a || (b && b < a) ? b : a;
		left_ns = due_ns ? due_ns - now_ns() : 0;
		left_ns = left_ns < 0 ? 0 : left_ns;
		left = (struct timespec){left_ns / 1000000000, left_ns % 1000000000};
		if (ppoll(polled, 2, due_ns ? &left : NULL, NULL) < 0)
			die("poll");
		take(there, delay_ns);
		take(back, delay_ns);
	}
}
