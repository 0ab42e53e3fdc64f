/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "report/pair.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "util/clock.h"

#define MESSAGE_MAX 64

#define TCP_ASK	    40
#define TCP_ANSWER  8

static int read_all(int fd, char *data, size_t len)
{
	ssize_t done;

	while (len) {
		done = read(fd, data, len);
		if (done <= 0)
			return done < 0 ? -errno : -EPIPE;
		len -= (size_t)done;
	}
	return 0;
}

static int write_all(int fd, const char *data, size_t len)
{
	ssize_t done = write(fd, data, len);

	return done == (ssize_t)len ? 0 : done < 0 ? -errno : -EPIPE;
}

/* The child. It ends with its parent, or when its end of the pipe or the connection is closed. */
static _Noreturn void answer(const struct pair *pair, int from, int to, uint64_t wait_ns)
{
	const struct timespec wait = {.tv_nsec = (long)wait_ns};
	char message[MESSAGE_MAX] = "";

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (!read_all(from, message, pair->ask)) {
		if (wait_ns)
			nanosleep(&wait, NULL);
		if (write_all(to, message, pair->answer))
			break;
	}
	_exit(0);
}

int pair_open_pipes(struct pair *pair)
{
	int there[2], back[2];

	if (pipe2(there, O_CLOEXEC))
		return -errno;
	if (pipe2(back, O_CLOEXEC)) {
		int err = -errno;

		close(there[0]);
		close(there[1]);
		return err;
	}
	*pair = (struct pair){.to = there[1], .from = back[0], .ask = 1, .answer = 1};
	pair->child = fork();
	if (!pair->child) {
		close(there[1]);
		close(back[0]);
		answer(pair, there[0], back[1], 0);
	}
	close(there[0]);
	close(back[1]);
	if (pair->child > 0)
		return 0;
	close(pair->to);
	close(pair->from);
	return -EAGAIN;
}

/* Both ends of a connection on the loopback, whose client is fd[0]. Returns 0 or a negative errno.
 */
static int connect_loopback(int fd[2])
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), err = 0;
	socklen_t len = sizeof(address);

	fd[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	fd[1] = -1;
	if (listener < 0 || fd[0] < 0 ||
	    bind(listener, (struct sockaddr *)&address, sizeof(address)) || listen(listener, 1) ||
	    getsockname(listener, (struct sockaddr *)&address, &len) ||
	    connect(fd[0], (struct sockaddr *)&address, sizeof(address)) ||
	    (fd[1] = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) < 0)
		err = -errno;
	if (listener >= 0)
		close(listener);
	if (err && fd[0] >= 0)
		close(fd[0]);
	return err;
}

int pair_open_tcp(struct pair *pair, uint64_t wait_ns)
{
	const int on = 1;
	int fd[2], err = connect_loopback(fd);

	if (err)
		return err;
	setsockopt(fd[0], IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd[1], IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	*pair = (struct pair){.to = fd[0], .from = fd[0], .ask = TCP_ASK, .answer = TCP_ANSWER};
	pair->child = fork();
	if (!pair->child) {
		close(fd[0]);
		answer(pair, fd[1], fd[1], wait_ns);
	}
	close(fd[1]);
	if (pair->child > 0)
		return 0;
	close(fd[0]);
	return -EAGAIN;
}

int pair_turns(const struct pair *pair, unsigned int count)
{
	char message[MESSAGE_MAX] = "";
	int err = 0;

	while (!err && count--)
		err = write_all(pair->to, message, pair->ask)
			      ?: read_all(pair->from, message, pair->answer);
	return err;
}

void pair_close(struct pair *pair)
{
	close(pair->to);
	if (pair->from != pair->to)
		close(pair->from);
	waitpid(pair->child, NULL, 0);
}
