/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "util/signals.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "util/array.h"

static const struct {
	int number;
	enum signal_wish wish;
	const char *name;
} known[] = {
	{SIGTERM, SIGNAL_END, "SIGTERM"},  {SIGINT, SIGNAL_END, "SIGINT"},
	{SIGQUIT, SIGNAL_END, "SIGQUIT"},  {SIGXCPU, SIGNAL_END, "SIGXCPU"},
	{SIGHUP, SIGNAL_RELOAD, "SIGHUP"},
};

static const int ignored[] = {SIGUSR1, SIGUSR2, SIGALRM, SIGVTALRM, SIGPROF,
			      SIGIO,   SIGPWR,	SIGPIPE, SIGXFSZ};

/* The error output is asked, too: a shell may have put another input in place of the terminal. */
static bool has_terminal(void)
{
	return isatty(STDIN_FILENO) || isatty(STDERR_FILENO);
}

/* By default each of them, and each real-time signal, would end the program in the middle. */
static int ignore_others(void)
{
	int number;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(ignored); i++)
		if (signal(ignored[i], SIG_IGN) == SIG_ERR)
			return -errno;
	for (number = SIGRTMIN; number <= SIGRTMAX; number++)
		if (signal(number, SIG_IGN) == SIG_ERR)
			return -errno;
	return 0;
}

int signals_open(struct signals *signals)
{
	struct sigaction hangup;
	sigset_t set;
	size_t i;
	int err;

	sigemptyset(&set);
	for (i = 0; i < ARRAY_SIZE(known); i++)
		sigaddset(&set, known[i].number);
	/* A signal that is blocked arrives, even if it is ignored. */
	if (sigaction(SIGHUP, NULL, &hangup) == 0 && hangup.sa_handler == SIG_IGN)
		sigdelset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, NULL))
		return -errno;
	err = ignore_others();
	if (err)
		return err;
	signals->terminal = has_terminal();
	signals->fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return signals->fd < 0 ? -errno : 0;
}

void signals_close(struct signals *signals)
{
	if (signals->fd >= 0)
		close(signals->fd);
	signals->fd = -1;
}

/* A terminal that has closed is no terminal any more. */
static enum signal_wish wish_of(const struct signals *signals, size_t i)
{
	if (known[i].number == SIGHUP && signals->terminal && !has_terminal())
		return SIGNAL_END;
	return known[i].wish;
}

enum signal_wish signals_read(const struct signals *signals, const char **name)
{
	enum signal_wish wish = SIGNAL_NONE;
	struct signalfd_siginfo info;
	size_t i;

	while (read(signals->fd, &info, sizeof(info)) == sizeof(info))
		for (i = 0; i < ARRAY_SIZE(known); i++)
			if ((int)info.ssi_signo == known[i].number && wish_of(signals, i) > wish) {
				wish = wish_of(signals, i);
				*name = known[i].name;
			}
	return wish;
}
