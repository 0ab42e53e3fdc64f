/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * usage: tcppass give SOCKET ADDRESS PORT
 *        tcppass take SOCKET
 *        tcppass activate CGROUP_PROCS ADDRESS PORT PROGRAM ARGUMENT...
 *
 * Sockets that one process makes and another one uses.
 *
 *   give      listens on ADDRESS (IPv4), hands every connection it accepts to the process
 *             that listens on the Unix socket SOCKET (SCM_RIGHTS), and keeps none
 *   take      listens on SOCKET; to the first bytes on each connection it is given, it
 *             answers "taken\n", and so on until the other side closes
 *   activate  listens on ADDRESS, and starts PROGRAM with that socket as its standard
 *             input in the cgroup of the file CGROUP_PROCS, as systemd does; it then sleeps
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static void die(const char *what)
{
	fprintf(stderr, "tcppass: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int listen_on(const char *address, const char *port)
{
	struct sockaddr_in four = {.sin_family = AF_INET};
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	four.sin_port = htons((unsigned short)atoi(port));
	if (inet_pton(AF_INET, address, &four.sin_addr) != 1 || fd < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
	    bind(fd, (struct sockaddr *)&four, sizeof(four)) || listen(fd, 64))
		die(address);
	return fd;
}

static struct sockaddr_un unix_address(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	return address;
}

/* The file descriptor beside a byte: sent if fd is one, else received. */
static int pass(int channel, int fd)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = {{0}};
	char byte = 0;
	struct iovec part = {&byte, 1};
	struct msghdr message = {.msg_iov = &part,
				 .msg_iovlen = 1,
				 .msg_control = control.bytes,
				 .msg_controllen = sizeof(control.bytes)};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	if (fd < 0) {
		if (recvmsg(channel, &message, 0) != 1)
			return -1;
		header = CMSG_FIRSTHDR(&message);
		if (header)
			memcpy(&fd, CMSG_DATA(header), sizeof(fd));
		return fd;
	}
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	return sendmsg(channel, &message, 0) == 1 ? fd : -1;
}

static void give(const char *path, const char *host, const char *port)
{
	struct sockaddr_un address = unix_address(path);
	int channel = socket(AF_UNIX, SOCK_STREAM, 0);
	int listener = listen_on(host, port), fd;

	if (channel < 0 || connect(channel, (struct sockaddr *)&address, sizeof(address)))
		die(path);
	while ((fd = accept(listener, NULL, NULL)) >= 0) {
		if (pass(channel, fd) < 0)
			die("sendmsg");
		close(fd);
	}
	die("accept");
}

static void take(const char *path)
{
	static const char answer[] = "taken\n";
	struct sockaddr_un address = unix_address(path);
	int listener = socket(AF_UNIX, SOCK_STREAM, 0), channel, fd;
	char bytes[4096];

	if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof(address)) ||
	    listen(listener, 1))
		die(path);
	channel = accept(listener, NULL, NULL);
	while ((fd = pass(channel, -1)) >= 0) {
		while (recv(fd, bytes, sizeof(bytes), 0) > 0)
			if (send(fd, answer, sizeof(answer) - 1, MSG_NOSIGNAL) < 0)
				break;
		close(fd);
	}
}

static void activate(char **argv)
{
	int listener = listen_on(argv[3], argv[4]), procs;

	if (!fork()) {
		procs = open(argv[2], O_WRONLY | O_CLOEXEC);
		if (procs < 0 || write(procs, "0", 1) != 1)
			die(argv[2]);
		dup2(listener, STDIN_FILENO);
		close(listener);
		execv(argv[5], argv + 5);
		die(argv[5]);
	}
	wait(NULL);
}

int main(int argc, char **argv)
{
	if (argc == 5 && !strcmp(argv[1], "give")) {
		give(argv[2], argv[3], argv[4]);
	} else if (argc == 3 && !strcmp(argv[1], "take")) {
		take(argv[2]);
	} else if (argc > 5 && !strcmp(argv[1], "activate")) {
		activate(argv);
	} else {
		fprintf(stderr, "usage: tcppass give|take|activate ...\n");
		return 2;
	}
	return 0;
}
