/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * usage: waits CASE [ARGUMENT...]
 *
 * Waits for one thing, over and over, until it is killed:
 *
 *   serve PORT DELAY_MS   answers requests, each after a sleep
 *   ask PORT              sends requests, and waits for the answers
 *   door PORT PAUSE_MS    accepts connections slowly, so that others wait to be let in
 *   knock PORT            opens connections, and closes them
 *   fsync FILE            writes 4 KiB, and brings them to the disk
 *   read FILE             reads 4 KiB somewhere in it, past the page cache
 *   write FILE            writes into it, and leaves it to the kernel
 *
 * Servers listen on 127.0.0.1, or on the address in the environment's WAITS_ADDRESS, and clients
 * ask there.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define BLOCK	    4096
#define FILE_BLOCKS 4096

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void sleep_ms(long ms)
{
	struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

	nanosleep(&t, NULL);
}

static struct sockaddr_in address_of(const char *port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_port = htons((unsigned short)atoi(port))};
	const char *other = getenv("WAITS_ADDRESS");

	if (other)
		inet_pton(AF_INET, other, &address.sin_addr);
	else
		address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return address;
}

static int listen_on(const char *port, int backlog)
{
	struct sockaddr_in address = address_of(port);
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) || listen(fd, backlog))
		die("listen");
	return fd;
}

static int connect_to(const char *port)
{
	struct sockaddr_in address = address_of(port);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0)
		die("socket");
	if (connect(fd, (struct sockaddr *)&address, sizeof(address))) {
		close(fd);
		return -1;
	}
	return fd;
}

static void serve(const char *port, long delay_ms)
{
	int fd = listen_on(port, 16);
	char byte;

	for (;;) {
		int client = accept(fd, NULL, NULL);

		while (read(client, &byte, 1) == 1) {
			sleep_ms(delay_ms);
			if (write(client, &byte, 1) != 1)
				break;
		}
		close(client);
	}
}

static void ask(const char *port)
{
	char byte = 0;
	int fd;

	while ((fd = connect_to(port)) < 0)
		sleep_ms(50);
	while (write(fd, &byte, 1) == 1 && read(fd, &byte, 1) == 1)
		;
	die("ask");
}

/* The queue of connections is full. The kernel drops new ones, and the client tries again after 1
 * s. */
static void door(const char *port, long pause_ms)
{
	int fd = listen_on(port, 0);

	for (;;) {
		sleep_ms(pause_ms);
		close(accept(fd, NULL, NULL));
	}
}

static void knock(const char *port)
{
	for (;;) {
		int fd = connect_to(port);

		if (fd < 0)
			sleep_ms(50);
		else
			close(fd);
	}
}

static int open_file(const char *path, int flags, char **block)
{
	int fd = open(path, O_RDWR | O_CREAT | flags, 0644);
	void *memory = NULL;

	if (fd < 0 || posix_memalign(&memory, BLOCK, BLOCK))
		die(path);
	*block = memory;
	memset(*block, 'x', BLOCK);
	return fd;
}

static void write_blocks(const char *path, int synced)
{
	char *block;
	int fd = open_file(path, 0, &block);
	off_t i;

	for (i = 0;; i = (i + 1) % FILE_BLOCKS) {
		if (pwrite(fd, block, BLOCK, i * BLOCK) != BLOCK || (synced && fsync(fd)))
			die(path);
		if (!synced)
			sleep_ms(1);
	}
}

static void read_blocks(const char *path)
{
	char *block;
	int fd = open_file(path, 0, &block);
	unsigned int seed = 1;
	off_t i;

	for (i = 0; i < FILE_BLOCKS; i++)
		if (pwrite(fd, block, BLOCK, i * BLOCK) != BLOCK)
			die(path);
	if (fsync(fd))
		die(path);
	close(fd);
	fd = open_file(path, O_DIRECT, &block);
	for (;;) {
		seed = seed * 1103515245 + 12345;
		if (pread(fd, block, BLOCK, (off_t)(seed >> 8) % FILE_BLOCKS * BLOCK) != BLOCK)
			die(path);
	}
}

int main(int argc, char **argv)
{
	const char *name = argc > 2 ? argv[1] : "", *argument = argc > 2 ? argv[2] : "";
	long ms = argc > 3 ? atol(argv[3]) : 0;

	if (strcmp(name, "serve") == 0)
		serve(argument, ms);
	else if (strcmp(name, "ask") == 0)
		ask(argument);
	else if (strcmp(name, "door") == 0)
		door(argument, ms);
	else if (strcmp(name, "knock") == 0)
		knock(argument);
	else if (strcmp(name, "fsync") == 0)
		write_blocks(argument, 1);
	else if (strcmp(name, "read") == 0)
		read_blocks(argument);
	else if (strcmp(name, "write") == 0)
		write_blocks(argument, 0);
	fputs("usage: waits serve|ask|door|knock|fsync|read|write ARGUMENT...\n", stderr);
	return 2;
}
