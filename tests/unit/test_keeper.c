/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What the first process takes from the keeper, over the kind of socket that they have. The test is
 * the keeper. A whole one runs in the virtual machines: tests/vm/inside/sandbox.sh.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <cmocka.h>

#include "caught_log.h"
#include "fds.h"
#include "probe/internal.h"
#include "probe/keeper.h"
#include "util/array.h"

static struct probe *probe;
static int keeper; /* its end */
static rlim_t saved_limit;

static int setup(void **state)
{
	int fds[2];

	(void)state;
	probe = calloc(1, sizeof(*probe));
	if (!probe || tree_make() || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds))
		return -1;
	probe->keeper_fd = fds[0];
	keeper = fds[1];
	catch_log();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	release_log();
	keeper_stop(probe);
	free(probe);
	if (keeper >= 0)
		close(keeper);
	tree_remove(tree_root);
	return 0;
}

static void send_message(enum probe_id what, const int *fds, size_t count)
{
	struct iovec data = {&what, sizeof(what)};
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(2 * sizeof(int))];
	} control = {.space = {0}};
	struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1};

	if (count) {
		message.msg_control = &control;
		message.msg_controllen = CMSG_SPACE(count * sizeof(int));
		control.header = (struct cmsghdr){.cmsg_len = CMSG_LEN(count * sizeof(int)),
						  .cmsg_level = SOL_SOCKET,
						  .cmsg_type = SCM_RIGHTS};
		memcpy(CMSG_DATA(&control.header), fds, count * sizeof(int));
	}
	assert_int_equal(sendmsg(keeper, &message, 0), sizeof(what));
}

/* A program and its link, in the place of which two ends of a pipe do. */
static void send_program(void)
{
	int fds[2];

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	send_message(PROBE_FSYNC, fds, 2);
	close(fds[0]);
	close(fds[1]);
}

static void send_all_is_done(void)
{
	send_message(PROBES, NULL, 0);
}

static void end_keeper(void)
{
	close(keeper);
	keeper = -1;
}

static void limit_files(rlim_t more)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	if (more) {
		saved_limit = limit.rlim_cur;
		limit.rlim_cur = (rlim_t)dup(0) + more;
		close((int)(limit.rlim_cur - more));
	} else {
		limit.rlim_cur = saved_limit;
	}
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

static void test_programs_are_taken(void **state)
{
	(void)state;
	send_program();
	send_program();
	keeper_take(probe);
	assert_int_equal(probe->kept_count, 2);
	assert_true(probe->up[PROBE_FSYNC]);
	assert_true(fcntl(probe->kept[1].fd, F_GETFD) & FD_CLOEXEC);
	assert_true(fcntl(probe->kept[1].link_fd, F_GETFD) & FD_CLOEXEC);
	assert_true(keeper_fd(probe) >= 0);
}

static void test_its_end(void **state)
{
	(void)state;
	send_program();
	send_all_is_done();
	end_keeper();
	keeper_take(probe);
	assert_int_equal(probe->kept_count, 1);
	assert_int_equal(keeper_fd(probe), -1);
	assert_int_equal(logged("bramble-keeper"), 0);
}

/* What it has not attached yet will not be measured: that must not be silent. */
static void test_it_was_killed(void **state)
{
	(void)state;
	send_program();
	end_keeper();
	keeper_take(probe);
	keeper_take(probe);
	assert_int_equal(probe->kept_count, 1);
	assert_int_equal(keeper_fd(probe), -1);
	assert_int_equal(logged("(bramble-keeper) has ended before its time"), 1);
}

/* The keeper has it, and must stay. */
static void test_no_more_files(void **state)
{
	const rlim_t places[] = {1, 2};
	size_t before, i;

	(void)state;
	send_program();
	send_program();
	before = count_fds();
	limit_files(places[0]);
	keeper_take(probe);
	limit_files(0);
	assert_int_equal(probe->kept_count, 0);
	assert_int_equal(count_fds(), before);
	assert_true(probe->up[PROBE_FSYNC]);
	assert_true(keeper_fd(probe) >= 0);
	assert_int_equal(logged("this process may open no more files"), 1);
	send_all_is_done();
	keeper_take(probe);
	assert_true(keeper_fd(probe) >= 0);
	/* With room for them, it goes on. */
	for (i = 0; i < ARRAY_SIZE(places); i++)
		send_program();
	keeper_take(probe);
	assert_int_equal(probe->kept_count, 2);
	assert_int_equal(logged("has ended before its time"), 0);
}

static void test_more_than_there_is_room_for(void **state)
{
	size_t i, before;

	(void)state;
	for (i = 0; i < KEPT_MAX; i++)
		send_program();
	keeper_take(probe);
	assert_int_equal(probe->kept_count, KEPT_MAX);
	before = count_fds();
	send_program();
	keeper_take(probe);
	assert_int_equal(probe->kept_count, KEPT_MAX);
	assert_int_equal(count_fds(), before);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_programs_are_taken),
		TEST(test_its_end),
		TEST(test_it_was_killed),
		TEST(test_no_more_files),
		TEST(test_more_than_there_is_room_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
