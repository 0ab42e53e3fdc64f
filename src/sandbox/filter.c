/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "sandbox/filter.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <termios.h>
#include <ucontext.h>
#include <unistd.h>

#include "util/array.h"
#include "util/log.h"

#define EXIT_KILLED  (128 + SIGSYS)
#define CONDITIONS   2
#define CALLS_MAX    1024

/* Without SOCK_NONBLOCK and SOCK_CLOEXEC. */
#define SOCKET_TYPES 0xf

/* A new namespace makes no thread. */
#define CLONE_WHAT                                                                                 \
	(CLONE_THREAD | CLONE_VM | CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC |   \
	 CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET)

/* The old numbers of calls whose libseccomp constant may be missing are not needed: calls are
 * named. */
struct call {
	const char *name;
	enum { ALWAYS, IF_LOADS, IF_TERMINAL } when;
	unsigned int count;
	struct scmp_arg_cmp conditions[CONDITIONS];
};

/* Where a system call's result is, for a handler that stands in for the kernel. */
#if defined(__x86_64__)
#define RESULT(context) ((context)->uc_mcontext.gregs[REG_RAX])
#elif defined(__aarch64__)
#define RESULT(context) ((context)->uc_mcontext.regs[0])
#elif defined(__arm__)
#define RESULT(context) ((context)->uc_mcontext.arm_r0)
#endif

#ifdef RESULT

/* SYS_SECCOMP of the kernel's include/uapi/asm-generic/siginfo.h, which C libraries may lack. */
#define CODE_SECCOMP 1

static bool kills;

/* Whether a call was refused for the first time. */
static bool is_first(int number)
{
	static atomic_bool refused[CALLS_MAX];

	return number < 0 || number >= CALLS_MAX || !atomic_exchange(&refused[number], true);
}

/*
 * The kernel sends SIGSYS in place of a call that the filter refuses. It comes from this thread's
 * own call. So it interrupts nothing that holds a lock that is needed here: the C library makes
 * only calls of the list while it holds one.
 */
static void on_refused(int signal_number, siginfo_t *info, void *context)
{
	int saved_errno = errno;
	char *name;

	(void)signal_number;
	/* From kill(): it interrupts something else, whose registers are to be left alone. */
	if (info->si_code != CODE_SECCOMP)
		return;
	if (is_first(info->si_syscall)) {
		name = seccomp_syscall_resolve_num_arch(info->si_arch, info->si_syscall);
		log_error("the sandbox refuses the system call %s (%d), which bramble is not known "
			  "to make: please report this; --no-sandbox allows it",
			  name ? name : "of an unknown name", info->si_syscall);
		free(name);
	}
	if (kills)
		_exit(EXIT_KILLED);
	RESULT((ucontext_t *)context) = -EPERM;
	errno = saved_errno;
}

static int default_action(uint32_t *action)
{
	struct sigaction handler = {.sa_sigaction = on_refused, .sa_flags = SA_SIGINFO};

	kills = getenv(FILTER_KILL_VARIABLE);
	*action = SCMP_ACT_TRAP;
	return sigaction(SIGSYS, &handler, NULL) ? -errno : 0;
}

#else

/* On other machines the kernel's own log is all there is. */
static int default_action(uint32_t *action)
{
	*action = getenv(FILTER_KILL_VARIABLE) ? SCMP_ACT_KILL_PROCESS : SCMP_ACT_ERRNO(EPERM);
	return 0;
}

#endif

static int allow(scmp_filter_ctx filter, const struct call *call)
{
	int number = seccomp_syscall_resolve_name(call->name);

	if (number == __NR_SCMP_ERROR)
		return 0;
	return seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, number, call->count,
				      call->conditions);
}

#define ARGUMENTS(...)                                                                             \
	.count = sizeof((struct scmp_arg_cmp[]){__VA_ARGS__}) / sizeof(struct scmp_arg_cmp),       \
	.conditions = {__VA_ARGS__}

/*
 * Calls that are refused without a word, because the C library does without them:
 * - It makes a thread by clone3(), whose flags no filter can see, or else by clone().
 * - getaddrinfo() asks nscd over a Unix socket, or else by itself. Who else listens at one (a
 *   container runtime, D-Bus) does for root what it asks for, whatever capabilities it has; and
 *   Landlock does not see it.
 */
static int refuse_quietly(scmp_filter_ctx filter)
{
	int err = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);

	return err
		       ?: seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(socket), 1,
					   SCMP_A0(SCMP_CMP_EQ, AF_UNIX));
}

static int allow_all(scmp_filter_ctx filter, const struct sandbox_needs *needs)
{
	const struct call calls[] = {
#define CALL(call, why)		      {.name = #call, .when = ALWAYS},
#define CALL_IF(call, why, ...)	      {.name = #call, .when = ALWAYS, ARGUMENTS(__VA_ARGS__)},
#define CALL_LOADS(call, why, ...)    {.name = #call, .when = IF_LOADS, ARGUMENTS(__VA_ARGS__)},
#define CALL_TERMINAL(call, why, ...) {.name = #call, .when = IF_TERMINAL, ARGUMENTS(__VA_ARGS__)},
#include "sandbox/calls.def"
	};
	size_t i;
	int err = 0;

	for (i = 0; i < ARRAY_SIZE(calls) && !err; i++)
		if (calls[i].when == ALWAYS || (calls[i].when == IF_LOADS && needs->loads) ||
		    (calls[i].when == IF_TERMINAL && needs->terminal))
			err = allow(filter, &calls[i]);
	return err ?: refuse_quietly(filter);
}

int filter_install(const struct sandbox_needs *needs)
{
	scmp_filter_ctx filter;
	uint32_t action;
	int err = default_action(&action);

	if (err)
		return err;
	filter = seccomp_init(action);
	if (!filter)
		return -ENOMEM;
	/* In the kernel's log, too, where it has that (4.14). */
	(void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_LOG, 1);
	err = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
	/* A binary search in place of a list: fewer steps for each call. */
	(void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	err = err ?: allow_all(filter, needs);
	err = err ?: seccomp_load(filter);
	seccomp_release(filter);
	return err;
}

int filter_available(void)
{
	uint32_t action = SECCOMP_RET_TRAP;

	if (syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0)
		return 1;
	return errno == ENOSYS || errno == EINVAL || errno == EOPNOTSUPP ? 0 : -errno;
}
