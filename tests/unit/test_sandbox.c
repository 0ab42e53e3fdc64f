/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What a process in the sandbox can still do. A child enters it and tries; what it gives up, it
 * cannot get back.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "sandbox/caps.h"
#include "sandbox/filter.h"
#include "sandbox/landlock.h"
#include "sandbox/sandbox.h"
#include "skip.h"
#include "tree.h"
#include "util/array.h"

#define BIT(cap)   (UINT64_C(1) << (cap))

/* What a call said: 0, or its errno. */
#define said(call) ((call) < 0 ? errno : 0)

typedef int (*attempt_fn)(void);

static char inside[128], outside[128];

static void need_tree(struct sandbox_needs *needs)
{
	sandbox_need(needs, inside, SANDBOX_LIST | SANDBOX_READ);
}

/* Runs a function in a child of its own, and returns what it returned. */
static int in_child(attempt_fn attempt)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(attempt());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFSIGNALED(status))
		fail_msg("signal %d", WTERMSIG(status));
	return WEXITSTATUS(status);
}

static attempt_fn attempted;

/* With the filter and everything else. */
static int confined(void)
{
	struct sandbox_needs needs = {0};
	struct sandbox sandbox;

	need_tree(&needs);
	sandbox_confine(&needs, &sandbox);
	sandbox_filter(&needs, &sandbox);
	if (!sandbox.layer[SANDBOX_SECCOMP] || !sandbox.layer[SANDBOX_NO_NEW_PRIVS])
		return ENOSYS;
	return attempted();
}

static int in_sandbox(attempt_fn attempt)
{
	attempted = attempt;
	return in_child(confined);
}

/* ---------------------------------------------------------------- system calls */

static int try_execve(void)
{
	char *const argv[] = {(char *)"/bin/true", NULL};

	return said(execv(argv[0], argv));
}

static int try_fork(void)
{
	pid_t pid = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);

	if (pid == 0)
		_exit(0);
	return said(pid);
}

static int try_user_namespace_by_clone(void)
{
	pid_t pid = (pid_t)syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);

	if (pid == 0)
		_exit(0);
	return said(pid);
}

static int try_user_namespace(void)
{
	return said(unshare(CLONE_NEWUSER));
}

static int try_mount_namespace(void)
{
	return said(unshare(CLONE_NEWNS));
}

static int try_setns(void)
{
	return said(setns(STDERR_FILENO, 0));
}

static int try_mount(void)
{
	return said(mount("none", inside, "tmpfs", 0, NULL));
}

static int try_fsopen(void)
{
	return said(syscall(SYS_fsopen, "tmpfs", 0));
}

static int try_chroot(void)
{
	return said(chroot(inside));
}

static int try_ptrace(void)
{
	return said(ptrace(PTRACE_ATTACH, getppid(), NULL, NULL));
}

static int try_memory_of_another(void)
{
	char byte;
	struct iovec iov = {&byte, 1};

	return said(process_vm_readv(getppid(), &iov, 1, &iov, 1, 0));
}

static int try_pidfd(void)
{
	return said(syscall(SYS_pidfd_open, getppid(), 0));
}

static int try_kill(void)
{
	return said(kill(getppid(), 0));
}

static int try_tgkill(void)
{
	return said(syscall(SYS_tgkill, getppid(), getppid(), 0));
}

/* A file's owner gets the signal that it is set to send. */
static int try_to_set_owner(void)
{
	int fds[2];

	return pipe2(fds, O_CLOEXEC) ? EINVAL : said(fcntl(fds[0], F_SETOWN, getppid()));
}

static int try_to_set_signal(void)
{
	int fds[2];

	return pipe2(fds, O_CLOEXEC) ? EINVAL : said(fcntl(fds[0], F_SETSIG, SIGKILL));
}

static int try_packet_socket(void)
{
	return said(socket(AF_PACKET, SOCK_RAW, 0));
}

static int try_raw_socket(void)
{
	return said(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP));
}

static int try_other_netlink(void)
{
	return said(socket(AF_NETLINK, SOCK_RAW, 4)); /* NETLINK_SOCK_DIAG */
}

static int try_listen(void)
{
	return said(listen(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), 1));
}

static int try_unix_socket(void)
{
	return said(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

/* Unlike a pair of streams, its halves could be connected to others. */
static int try_unix_pair(void)
{
	int fds[2];

	return said(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, fds));
}

static int try_vsock(void)
{
	return said(socket(AF_VSOCK, SOCK_STREAM, 0));
}

static int try_bpf(int command)
{
	union bpf_attr attr = {0};

	return said(syscall(SYS_bpf, command, &attr, sizeof(attr)));
}

static int try_program(void)
{
	return try_bpf(BPF_PROG_LOAD);
}

static int try_map(void)
{
	return try_bpf(BPF_MAP_CREATE);
}

static int try_program_by_id(void)
{
	return try_bpf(BPF_PROG_GET_FD_BY_ID);
}

static int try_pin(void)
{
	return try_bpf(BPF_OBJ_PIN);
}

static int try_perf_event(void)
{
	struct perf_event_attr attr = {.size = sizeof(attr)};

	return said(syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0));
}

static int try_module(void)
{
	return said(syscall(SYS_init_module, "", 0, ""));
}

static int try_io_uring(void)
{
	return said(syscall(SYS_io_uring_setup, 1, NULL));
}

static int try_handle(void)
{
	return said(syscall(SYS_open_by_handle_at, AT_FDCWD, NULL, 0));
}

static int try_executable_memory(void)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return page == MAP_FAILED ? errno : 0;
}

static int try_to_make_executable(void)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return said(mprotect(page, 4096, PROT_READ | PROT_EXEC));
}

static int try_memfd(void)
{
	return said(memfd_create("code", 0));
}

static int try_write(void)
{
	return said(open(inside, O_WRONLY | O_TMPFILE | O_CLOEXEC, 0600));
}

static int try_create(void)
{
	char path[160];

	snprintf(path, sizeof(path), "%s/new", inside);
	return said(open(path, O_RDONLY | O_CREAT | O_CLOEXEC, 0600));
}

static int try_mkdir(void)
{
	char path[160];

	snprintf(path, sizeof(path), "%s/dir", inside);
	return said(mkdir(path, 0700));
}

static int try_chmod(void)
{
	return said(chmod(inside, 0777));
}

static int try_setuid(void)
{
	return said(syscall(SYS_setuid, 0));
}

static int try_limit(void)
{
	const struct rlimit limit = {1, 1};

	return said(setrlimit(RLIMIT_CORE, &limit));
}

static int try_typing(void)
{
	char key = 'x';

	return said(ioctl(STDIN_FILENO, TIOCSTI, &key));
}

static int try_reboot(void)
{
	return said(syscall(SYS_reboot, 0, 0, 0, NULL));
}

static int try_clock(void)
{
	return said(syscall(SYS_clock_settime, CLOCK_REALTIME, NULL));
}

static int try_keyring(void)
{
	return said(syscall(SYS_keyctl, 0, 0, 0, 0, 0));
}

static int try_userfaultfd(void)
{
	return said(syscall(SYS_userfaultfd, 0));
}

static const struct {
	const char *name;
	attempt_fn attempt;
} forbidden[] = {
	{"execve", try_execve},
	{"fork", try_fork},
	{"a user namespace by clone", try_user_namespace_by_clone},
	{"a user namespace", try_user_namespace},
	{"a mount namespace", try_mount_namespace},
	{"setns", try_setns},
	{"mount", try_mount},
	{"fsopen", try_fsopen},
	{"chroot", try_chroot},
	{"ptrace", try_ptrace},
	{"process_vm_readv", try_memory_of_another},
	{"pidfd_open", try_pidfd},
	{"kill", try_kill},
	{"tgkill of another process", try_tgkill},
	{"fcntl(F_SETOWN)", try_to_set_owner},
	{"fcntl(F_SETSIG)", try_to_set_signal},
	{"socket(AF_PACKET)", try_packet_socket},
	{"socket(SOCK_RAW)", try_raw_socket},
	{"socket(NETLINK_SOCK_DIAG)", try_other_netlink},
	{"listen", try_listen},
	{"socket(AF_UNIX)", try_unix_socket},
	{"socketpair(SOCK_DGRAM)", try_unix_pair},
	{"socket(AF_VSOCK)", try_vsock},
	{"bpf(BPF_PROG_LOAD)", try_program},
	{"bpf(BPF_MAP_CREATE)", try_map},
	{"bpf(BPF_PROG_GET_FD_BY_ID)", try_program_by_id},
	{"bpf(BPF_OBJ_PIN)", try_pin},
	{"perf_event_open", try_perf_event},
	{"init_module", try_module},
	{"io_uring_setup", try_io_uring},
	{"open_by_handle_at", try_handle},
	{"mmap(PROT_EXEC)", try_executable_memory},
	{"mprotect(PROT_EXEC)", try_to_make_executable},
	{"memfd_create", try_memfd},
	{"opening to write", try_write},
	{"creating a file", try_create},
	{"mkdir", try_mkdir},
	{"chmod", try_chmod},
	{"setuid", try_setuid},
	{"setrlimit", try_limit},
	{"ioctl(TIOCSTI)", try_typing},
	{"reboot", try_reboot},
	{"clock_settime", try_clock},
	{"keyctl", try_keyring},
	{"userfaultfd", try_userfaultfd},
};

static void test_forbidden_calls(void **state)
{
	size_t i;
	int err;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(forbidden); i++) {
		err = in_sandbox(forbidden[i].attempt);
		if (err != EPERM)
			fail_msg("%s: %s", forbidden[i].name, strerror(err));
	}
}

/* The same attempts, not in the sandbox: they must be ones that can tell. */
static void test_attempts_can_tell(void **state)
{
	(void)state;
	assert_int_equal(in_child(try_fork), 0);
	assert_int_equal(in_child(try_kill), 0);
	assert_int_equal(in_child(try_to_set_owner), 0);
	assert_int_equal(in_child(try_to_set_signal), 0);
	assert_int_equal(in_child(try_executable_memory), 0);
	assert_int_equal(in_child(try_to_make_executable), 0);
	assert_int_equal(in_child(try_memfd), 0);
	assert_int_equal(in_child(try_limit), 0);
	assert_int_equal(in_child(try_other_netlink), 0);
	assert_int_equal(in_child(try_listen), 0);
	assert_int_equal(in_child(try_unix_socket), 0);
	assert_int_equal(in_child(try_unix_pair), 0);
	assert_int_equal(in_child(try_create), 0);
}

static void *try_in_thread(void *result)
{
	*(int *)result = try_memfd();
	return NULL;
}

/* A thread can be made: by clone(), as clone3() is not there for it. */
static int try_thread(void)
{
	pthread_t thread;
	int result = 0;

	if (syscall(SYS_clone3, NULL, 0) != -1 || errno != ENOSYS)
		return EINVAL;
	if (pthread_create(&thread, NULL, try_in_thread, &result))
		return EAGAIN;
	pthread_join(thread, NULL);
	return result;
}

static void test_threads(void **state)
{
	(void)state;
	assert_int_equal(in_sandbox(try_thread), EPERM);
}

static pthread_barrier_t barrier;

static void *try_when_told(void *result)
{
	pthread_barrier_wait(&barrier);
	*(int *)result = try_memfd();
	return NULL;
}

/* The filter is for threads that exist, too. */
static int filter_with_thread(void)
{
	struct sandbox_needs needs = {0};
	struct sandbox sandbox;
	pthread_t thread;
	int result = 0;

	sandbox_confine(&needs, &sandbox);
	pthread_barrier_init(&barrier, NULL, 2);
	if (pthread_create(&thread, NULL, try_when_told, &result))
		return EAGAIN;
	sandbox_filter(&needs, &sandbox);
	pthread_barrier_wait(&barrier);
	pthread_join(thread, NULL);
	return result;
}

static void test_older_threads(void **state)
{
	(void)state;
	assert_int_equal(in_child(filter_with_thread), EPERM);
}

static int signal_itself(void)
{
	return said(syscall(SYS_tgkill, getpid(), gettid(), SIGSYS));
}

/* A SIGSYS that comes from elsewhere changes nothing. */
static void test_signal_from_outside(void **state)
{
	(void)state;
	assert_int_equal(in_sandbox(signal_itself), 0);
}

static int try_with_kill(void)
{
	setenv(FILTER_KILL_VARIABLE, "1", 1);
	attempted = try_memfd;
	return confined();
}

/* In the tests of the whole program a forbidden call ends it. */
static void test_kill(void **state)
{
	(void)state;
	assert_int_equal(in_child(try_with_kill), 159);
}

/* Both families of addresses can be used, for DNS and the kubelet. */
static int try_sockets(void)
{
	static const int families[] = {AF_INET, AF_INET6};
	int fd, fds[2];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(families); i++) {
		fd = socket(families[i], SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		if (fd < 0 && errno != EAFNOSUPPORT)
			return errno;
		close(fd);
		fd = socket(families[i], SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (fd < 0 && errno != EAFNOSUPPORT)
			return errno;
		close(fd);
	}
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds))
		return errno;
	return said(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0));
}

static void test_allowed_sockets(void **state)
{
	(void)state;
	assert_int_equal(in_sandbox(try_sockets), 0);
}

/* As ncurses does: it asks who has the terminal, and stops this process, but no other one. */
static int try_ctrl_z(void)
{
	struct sandbox_needs needs = {.terminal = true};
	struct sandbox sandbox;

	sandbox_confine(&needs, &sandbox);
	sandbox_filter(&needs, &sandbox);
	if (tcgetpgrp(STDIN_FILENO) < 0 && errno == EPERM)
		return 1;
	if (getpgrp() < 0)
		return 2;
	if (kill(getpid(), SIGTSTP))
		return 3;
	if (said(kill(getppid(), SIGTSTP)) != EPERM)
		return 4;
	return said(kill(getpid(), SIGWINCH)) != EPERM ? 5 : 0;
}

static void test_ctrl_z(void **state)
{
	(void)state;
	signal(SIGTSTP, SIG_IGN); /* the child's, too */
	assert_int_equal(in_child(try_ctrl_z), 0);
	signal(SIGTSTP, SIG_DFL);
}

/* ---------------------------------------------------------------- files: Landlock alone */

static struct sandbox_needs landlock_needs;

static int landlocked(void)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return errno;
	return -landlock_confine(&landlock_needs) ?: attempted();
}

static int in_landlock(attempt_fn attempt)
{
	attempted = attempt;
	return in_child(landlocked);
}

static int open_in(const char *dir, const char *name, int flags)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, flags | O_CLOEXEC, 0600);
	if (fd >= 0)
		close(fd);
	return said(fd);
}

static int read_inside(void)
{
	return open_in(inside, "file", O_RDONLY) ?: open_in(inside, "", O_RDONLY | O_DIRECTORY);
}

static int write_inside(void)
{
	return open_in(inside, "file", O_WRONLY);
}

static int create_inside(void)
{
	return open_in(inside, "new", O_RDWR | O_CREAT);
}

static int read_outside(void)
{
	return open_in(outside, "file", O_RDONLY);
}

static int list_outside(void)
{
	return open_in(outside, "", O_RDONLY | O_DIRECTORY);
}

static int read_shadow(void)
{
	return open_in("/etc", "shadow", O_RDONLY);
}

static int read_through_proc(void)
{
	return open_in("/proc/self/root/etc", "shadow", O_RDONLY);
}

static int make_cgroup(void)
{
	return said(mkdir("/sys/fs/cgroup/bramble-test-sandbox", 0700));
}

static int unlink_in(const char *dir, const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return said(unlink(path));
}

static int unlink_inside(void)
{
	return unlink_in(inside, "file");
}

static int unlink_socket(void)
{
	return unlink_in(inside, "socket/file");
}

static bool no_landlock(void)
{
	return landlock_version() < 0;
}

static void test_files(void **state)
{
	char path[256];

	(void)state;
	if (no_landlock())
		skip_because("this kernel has no Landlock");
	need_tree(&landlock_needs);
	snprintf(path, sizeof(path), "%s/socket", inside);
	sandbox_need(&landlock_needs, path, SANDBOX_REMOVE);
	sandbox_need(&landlock_needs, "/proc", SANDBOX_LIST | SANDBOX_READ);
	sandbox_need(&landlock_needs, "/sys", SANDBOX_LIST | SANDBOX_READ);
	sandbox_need(&landlock_needs, "/nonexistent", SANDBOX_READ);
	assert_int_equal(in_landlock(read_inside), 0);
	assert_int_equal(in_landlock(write_inside), EACCES);
	assert_int_equal(in_landlock(create_inside), EACCES);
	assert_int_equal(in_landlock(read_outside), EACCES);
	assert_int_equal(in_landlock(list_outside), EACCES);
	assert_int_equal(in_landlock(read_shadow), EACCES);
	assert_int_equal(in_landlock(read_through_proc), EACCES);
	assert_int_equal(in_landlock(make_cgroup), EACCES);
	assert_int_equal(in_landlock(unlink_inside), EACCES);
	assert_int_equal(in_landlock(unlink_socket), 0);
	sandbox_needs_free(&landlock_needs);
}

/* As a kubelet replaces the files of a projected volume. */
static void point_data_to(const char *dir)
{
	char link[256], new_link[256];

	snprintf(link, sizeof(link), "%s/secret/..data", outside);
	snprintf(new_link, sizeof(new_link), "%s/secret/..data_tmp", outside);
	assert_int_equal(symlink(dir, new_link), 0);
	assert_int_equal(rename(new_link, link), 0);
}

/* The rules are made before the file is replaced: a pipe says when. */
static int told_fd;

static int wait_and_read(void)
{
	char byte;

	return read(told_fd, &byte, 1) == 1 ? open_in(outside, "secret/token", O_RDONLY) : EINVAL;
}

static void test_replaced_files(void **state)
{
	char path[256];
	int fds[2], status;
	pid_t pid;

	(void)state;
	if (no_landlock())
		skip_because("this kernel has no Landlock");
	tree_put("outside/secret/..1/token", "one");
	snprintf(path, sizeof(path), "%s/secret/token", outside);
	point_data_to("..1");
	assert_int_equal(symlink("..data/token", path), 0);
	sandbox_need_file(&landlock_needs, path);
	assert_int_equal(pipe(fds), 0);
	told_fd = fds[0];
	attempted = wait_and_read;
	pid = fork();
	if (pid == 0)
		_exit(landlocked());
	tree_put("outside/secret/..2/token", "two");
	point_data_to("..2");
	assert_int_equal(write(fds[1], "", 1), 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	close(fds[0]);
	close(fds[1]);
	sandbox_needs_free(&landlock_needs);
}

static void make_home(const char *user, uid_t uid)
{
	char path[256];

	snprintf(path, sizeof(path), "outside/home/%s/.keep", user);
	tree_put(path, "");
	snprintf(path, sizeof(path), "%s/home/%s", outside, user);
	assert_int_equal(chown(path, uid, uid), 0);
}

/* A user's link to what is another's is not followed; one to what is the user's own is. */
static void test_links_of_users(void **state)
{
	struct sandbox_needs needs = {0};
	char path[256], link[256], pattern[256];

	(void)state;
	if (geteuid() != 0)
		skip_because("only root can make files of other users");
	make_home("a", 65533);
	make_home("b", 65534);
	make_home("c", 65533);
	snprintf(path, sizeof(path), "%s/home/a/store", outside);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(chown(path, 65533, 65533), 0);
	snprintf(link, sizeof(link), "%s/home/b/store", outside);
	assert_int_equal(symlink("/", link), 0);
	snprintf(link, sizeof(link), "%s/home/c/store", outside);
	assert_int_equal(symlink(path, link), 0);
	snprintf(pattern, sizeof(pattern), "%s/home/*/store", outside);
	sandbox_need_matching(&needs, pattern, SANDBOX_READ);
	assert_int_equal(needs.path_count, 2);
	assert_true(strstr(needs.paths[0].path, "/b/") == NULL);
	assert_true(strstr(needs.paths[1].path, "/b/") == NULL);
	sandbox_needs_free(&needs);
}

static int bind_tcp(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return said(bind(fd, (struct sockaddr *)&address, sizeof(address)));
}

static int connect_to(uint16_t port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_port = htons(port),
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return said(connect(fd, (struct sockaddr *)&address, sizeof(address)));
}

/* Nobody listens on these. */
static int connect_needed(void)
{
	return connect_to(1);
}

static int connect_other(void)
{
	return connect_to(2);
}

static void test_ports(void **state)
{
	(void)state;
	if (landlock_version() < 4)
		skip_because("Landlock knows no ports here (it does from Linux 6.7 on)");
	sandbox_need_port(&landlock_needs, 1);
	assert_int_equal(in_landlock(bind_tcp), EACCES);
	assert_int_equal(in_landlock(connect_other), EACCES);
	assert_int_equal(in_landlock(connect_needed), ECONNREFUSED);
	sandbox_needs_free(&landlock_needs);
}

/* ---------------------------------------------------------------- capabilities alone */

static struct sandbox_needs caps_needs;

/* Of what is left, in a byte: 1: BPF, 2: PERFMON, 4: SYS_ADMIN, 8: DAC_READ_SEARCH, 128: others. */
static int left_over(void)
{
	uint64_t left;
	int known = 0;

	if (caps_drop(&caps_needs))
		return 255;
	left = caps_effective();
	known |= left & BIT(CAP_BPF) ? 1 : 0;
	known |= left & BIT(CAP_PERFMON) ? 2 : 0;
	known |= left & BIT(CAP_SYS_ADMIN) ? 4 : 0;
	known |= left & BIT(CAP_DAC_READ_SEARCH) ? 8 : 0;
	left &= ~(BIT(CAP_BPF) | BIT(CAP_PERFMON) | BIT(CAP_SYS_ADMIN) | BIT(CAP_DAC_READ_SEARCH));
	return known | (left ? 128 : 0);
}

/* Nothing is left to be had back, either. */
static int bounding_left(void)
{
	int cap;

	if (caps_drop(&caps_needs))
		return 255;
	for (cap = 0; cap_get_bound(cap) >= 0; cap++)
		if (cap_get_bound(cap) == 1)
			return 1;
	return 0;
}

static void test_capabilities(void **state)
{
	char path[256];

	(void)state;
	if (!(caps_effective() & BIT(CAP_DAC_READ_SEARCH)) ||
	    !(caps_effective() & BIT(CAP_SETPCAP)))
		skip_because("this process has no capabilities to give up");
	need_tree(&caps_needs);
	assert_int_equal(in_child(left_over), 0);
	assert_int_equal(in_child(bounding_left), 0);
	caps_needs.loads = true;
	assert_int_equal(in_child(left_over), 1 + 2 + 4);
	caps_needs.loads = false;
	/* A directory of another user's. */
	tree_put("outside/private/file", "");
	snprintf(path, sizeof(path), "%s/private", outside);
	assert_int_equal(chmod(path, 0700), 0);
	assert_int_equal(chown(path, 65534, 65534), 0);
	sandbox_need(&caps_needs, path, SANDBOX_LIST);
	assert_int_equal(in_child(left_over), 8);
	sandbox_needs_free(&caps_needs);
	/* A file of another user's, say a private key, where everybody can look. */
	tree_put("outside/key", "");
	snprintf(path, sizeof(path), "%s/key", outside);
	sandbox_need_file(&caps_needs, path);
	assert_int_equal(in_child(left_over), 0);
	assert_int_equal(chmod(path, 0600), 0);
	assert_int_equal(chown(path, 65534, 65534), 0);
	assert_int_equal(in_child(left_over), 8);
	sandbox_needs_free(&caps_needs);
}

/* ---------------------------------------------------------------- what is said of it */

static int all_layers(void)
{
	struct sandbox_needs needs = {0};
	struct sandbox sandbox;
	int layer, missing = 0;

	sandbox_none(&sandbox);
	for (layer = 0; layer < SANDBOX_LAYERS; layer++)
		if (sandbox.layer[layer] && layer != SANDBOX_NO_NEW_PRIVS)
			return 255;
	sandbox_confine(&needs, &sandbox);
	sandbox_filter(&needs, &sandbox);
	for (layer = 0; layer < SANDBOX_LAYERS; layer++)
		missing |= !sandbox.layer[layer] << layer;
	return missing;
}

static void test_layers(void **state)
{
	(void)state;
	assert_int_equal(in_child(all_layers), no_landlock() ? 1 << SANDBOX_LANDLOCK : 0);
	assert_string_equal(sandbox_capability_name(CAP_BPF), "cap_bpf");
	assert_string_equal(sandbox_capability_name(CAP_SYS_ADMIN), "cap_sys_admin");
	assert_string_equal(sandbox_capability_name(CAP_CHOWN), "cap_chown");
	assert_string_equal(sandbox_capability_name(CAP_CHECKPOINT_RESTORE),
			    "cap_checkpoint_restore");
	assert_null(sandbox_capability_name(63));
}

static int set_up(void **state)
{
	(void)state;
	if (tree_make())
		return -1;
	snprintf(inside, sizeof(inside), "%s/inside", tree_root);
	snprintf(outside, sizeof(outside), "%s/outside", tree_root);
	tree_put("inside/file", "");
	tree_put("inside/socket/file", "");
	tree_put("outside/file", "");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	return tree_remove("");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forbidden_calls),
		cmocka_unit_test(test_attempts_can_tell),
		cmocka_unit_test(test_threads),
		cmocka_unit_test(test_older_threads),
		cmocka_unit_test(test_signal_from_outside),
		cmocka_unit_test(test_kill),
		cmocka_unit_test(test_allowed_sockets),
		cmocka_unit_test(test_ctrl_z),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_replaced_files),
		cmocka_unit_test(test_links_of_users),
		cmocka_unit_test(test_ports),
		cmocka_unit_test(test_capabilities),
		cmocka_unit_test(test_layers),
	};

	unsetenv(FILTER_KILL_VARIABLE);
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
