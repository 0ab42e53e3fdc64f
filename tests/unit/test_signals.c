/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What each signal asks for, and that none that comes from outside ends the program on the spot. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "util/array.h"
#include "util/signals.h"

static struct signals signals;
static const char *name;

static enum signal_wish after(int number)
{
	name = NULL;
	assert_int_equal(raise(number), 0);
	return signals_read(&signals, &name);
}

static void test_wishes(void **state)
{
	(void)state;
	assert_int_equal(signals_read(&signals, &name), SIGNAL_NONE);
	assert_int_equal(after(SIGHUP), SIGNAL_RELOAD);
	assert_string_equal(name, "SIGHUP");
	assert_int_equal(after(SIGTERM), SIGNAL_END);
	assert_string_equal(name, "SIGTERM");
	assert_int_equal(after(SIGINT), SIGNAL_END);
	assert_int_equal(after(SIGQUIT), SIGNAL_END);
	assert_int_equal(after(SIGXCPU), SIGNAL_END);
	assert_int_equal(signals_read(&signals, &name), SIGNAL_NONE);
}

/* The order in which they are read is not the order in which they came. */
static void test_the_gravest_counts(void **state)
{
	(void)state;
	assert_int_equal(raise(SIGTERM), 0);
	assert_int_equal(after(SIGHUP), SIGNAL_END);
	assert_string_equal(name, "SIGTERM");
	assert_int_equal(raise(SIGHUP), 0);
	assert_int_equal(after(SIGTERM), SIGNAL_END);
	assert_string_equal(name, "SIGTERM");
}

static void test_others_do_nothing(void **state)
{
	static const int numbers[] = {SIGUSR1, SIGUSR2, SIGALRM, SIGVTALRM, SIGPROF, SIGIO,
				      SIGPWR,  SIGPIPE, SIGXFSZ, SIGWINCH,  SIGCHLD, SIGURG};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(numbers); i++)
		assert_int_equal(after(numbers[i]), SIGNAL_NONE);
	assert_int_equal(after(SIGRTMIN), SIGNAL_NONE);
	assert_int_equal(after(SIGRTMAX), SIGNAL_NONE);
}

/* nohup starts a program with SIGHUP ignored. */
static void test_ignored_stays_ignored(void **state)
{
	int status;
	pid_t child = fork();

	(void)state;
	if (child == 0) {
		struct signals mine;
		sigset_t none;

		sigemptyset(&none);
		signal(SIGHUP, SIG_IGN);
		if (sigprocmask(SIG_SETMASK, &none, NULL) || signals_open(&mine) || raise(SIGHUP))
			_exit(100);
		_exit((int)signals_read(&mine, &name));
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), SIGNAL_NONE);
}

/* The child's part: its terminal, then its parent closes it. */
static void wait_for_hangup(const char *terminal, int told)
{
	struct signals mine;
	const char *unused;
	enum signal_wish wish;
	int i;

	if (setsid() < 0 || !freopen(terminal, "r", stdin) || signals_open(&mine) ||
	    write(told, "r", 1) != 1)
		_exit(100);
	for (i = 0; i < 500; i++) {
		wish = signals_read(&mine, &unused);
		if (wish != SIGNAL_NONE)
			_exit((int)wish);
		usleep(10000);
	}
	_exit(101);
}

static void check_hangup(int closes, enum signal_wish expected)
{
	int told[2], status, master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	char byte;
	pid_t child;

	assert_true(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
	assert_int_equal(pipe(told), 0);
	child = fork();
	if (child == 0) {
		char terminal[64];

		snprintf(terminal, sizeof(terminal), "%s", ptsname(master));
		close(master);
		/* Only the terminal itself, not what the test was started from. */
		if (!freopen("/dev/null", "w", stderr))
			_exit(102);
		wait_for_hangup(terminal, told[1]);
	}
	assert_int_equal(read(told[0], &byte, 1), 1);
	if (closes)
		close(master);
	else
		kill(child, SIGHUP);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), expected);
	if (!closes)
		close(master);
	close(told[0]);
	close(told[1]);
}

static void test_terminal(void **state)
{
	(void)state;
	check_hangup(0, SIGNAL_RELOAD);
	check_hangup(1, SIGNAL_END);
}

static int setup(void **state)
{
	(void)state;
	return signals_open(&signals);
}

static int teardown(void **state)
{
	(void)state;
	signals_close(&signals);
	return signals.fd != -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wishes),
		cmocka_unit_test(test_the_gravest_counts),
		cmocka_unit_test(test_others_do_nothing),
		cmocka_unit_test(test_ignored_stays_ignored),
		cmocka_unit_test(test_terminal),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
