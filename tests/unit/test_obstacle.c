/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The cause and the remedy, for each step and errno, on machines that are given: what a kernel
 * says of itself is in a tree of /proc and /sys.
 */
#include <errno.h>
#include <string.h>

#include "obstacle/obstacle.h"
#include "tree.h"
#include "util/array.h"

/* A machine without obstacles, on which everything about obstacles is known. */
static const struct machine fine = {
	.lockdown = LOCKDOWN_NONE,
	.modules = "apparmor, bpf",
	.btf = true,
	.reads_kernel = true,
	.files = 1024,
};

static struct obstacle found;

static void contains(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("\"%s\" is not in \"%s\"", part, text);
}

/* A cause comes with a remedy. "" if none is known. */
static void is(const struct machine *machine, enum obstacle_step step, int err, const char *cause,
	       const char *remedy)
{
	obstacle_find(machine, step, err, &found);
	contains(found.cause, cause);
	contains(found.remedy, remedy);
	assert_true(*remedy || !found.remedy[0]);
}

static const enum obstacle_step steps[] = {
	OBSTACLE_BPF,	   OBSTACLE_PROGRAMS, OBSTACLE_PERF_EVENT, OBSTACLE_ATTACH,
	OBSTACLE_FUNCTION, OBSTACLE_TRACEFS,  OBSTACLE_FILE,
};

#define STEPS ARRAY_SIZE(steps)

/* No file and no memory is that, whatever was done, and never a mount, a capability or a kernel. */
static void test_resources(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < STEPS; i++) {
		is(&fine, steps[i], -EMFILE, "1024 files may be open", "ulimit -n");
		is(&fine, steps[i], -ENFILE, "no more open files", "fs.file-max");
		is(&fine, steps[i], -ENOMEM, "no memory", "memory limit");
	}
	obstacle_of_files(64, 300, &found);
	contains(found.cause, "64 files may be open");
	contains(found.cause, "needs 300");
}

/* Every step says something of every errno, and more than nothing. */
static void test_every_errno(void **state)
{
	size_t i;
	int err;

	(void)state;
	for (i = 0; i < STEPS; i++)
		for (err = 1; err < 134; err++) {
			if (!strerrordesc_np(err))
				continue;
			obstacle_find(&fine, steps[i], -err, &found);
			assert_true(strlen(found.cause) > 3);
			/* A file that is not there is no matter of capabilities or kernels. */
			if (steps[i] == OBSTACLE_FILE && err != EMFILE && err != ENFILE &&
			    err != ENOMEM)
				assert_string_equal(found.cause, strerrordesc_np(err));
		}
}

/* Refused: the most certain cause is reported, and not the next one. */
static void test_refusals(void **state)
{
	static const enum obstacle_step refusable[] = {OBSTACLE_BPF, OBSTACLE_PROGRAMS,
						       OBSTACLE_PERF_EVENT, OBSTACLE_ATTACH,
						       OBSTACLE_FUNCTION};
	struct machine machine;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(refusable); i++) {
		machine = fine;
		is(&machine, refusable[i], -EPERM, "a security module of this machine refuses it",
		   "policy");
		contains(found.cause, "apparmor, bpf");
		/* A filter that lets it through is not in the way. */
		machine.seccomp_filter = true;
		is(&machine, refusable[i], -EPERM, "a security module", "policy");
		machine.bpf_filtered = machine.perf_filtered = true;
		is(&machine, refusable[i], -EPERM, "a seccomp filter refuses the system call",
		   "seccomp=unconfined");
		machine.missing_caps[0] = "CAP_PERFMON";
		machine.missing_cap_count = 1;
		is(&machine, refusable[i], -EPERM, "missing CAP_PERFMON", "give it CAP_PERFMON");
		machine.user_namespace = true;
		is(&machine, refusable[i], -EPERM, "this is a user namespace", "outside of user");
	}
}

static void test_seccomp_names_the_call(void **state)
{
	struct machine machine = fine;

	(void)state;
	machine.seccomp_filter = true;
	machine.perf_filtered = true;
	is(&machine, OBSTACLE_PERF_EVENT, -EACCES, "system call perf_event_open", "seccomp");
	/* docker's profile answers ENOSYS to what it does not know. */
	is(&machine, OBSTACLE_PERF_EVENT, -ENOSYS, "system call perf_event_open", "seccomp");
	is(&machine, OBSTACLE_BPF, -ENOSYS, "CONFIG_BPF_SYSCALL", "CONFIG_BPF_SYSCALL");
	machine.bpf_filtered = true;
	is(&machine, OBSTACLE_BPF, -ENOSYS, "system call bpf", "seccomp");
}

static void test_caps_by_other_means(void **state)
{
	struct machine machine = fine;

	(void)state;
	machine.missing_caps[0] = "CAP_SYS_ADMIN";
	machine.missing_caps[1] = "CAP_SYS_RESOURCE";
	machine.missing_cap_count = 2;
	is(&machine, OBSTACLE_BPF, -EPERM, "missing CAP_SYS_ADMIN, CAP_SYS_RESOURCE",
	   "sysctl kernel.perf_event_paranoid=2");
	contains(found.remedy, "ulimit -l");
}

/* Where securityfs does not say it, what the kernel refuses does. */
static void test_lockdown(void **state)
{
	struct machine machine = fine;

	(void)state;
	is(&machine, OBSTACLE_PROGRAMS, -EINVAL, "verifier", "--log.level=debug");
	machine.lockdown = LOCKDOWN_CONFIDENTIALITY;
	is(&machine, OBSTACLE_PROGRAMS, -EINVAL, "locked down", "lockdown=integrity");
	is(&machine, OBSTACLE_FUNCTION, -EINVAL, "locked down", "lockdown=integrity");
	is(&machine, OBSTACLE_TRACEFS, -EPERM, "locked down", "lockdown=integrity");
	machine.lockdown = LOCKDOWN_UNKNOWN;
	is(&machine, OBSTACLE_PROGRAMS, -EINVAL, "verifier", "--log.level=debug");
	machine.reads_kernel = false;
	is(&machine, OBSTACLE_PROGRAMS, -EINVAL, "locked down", "lockdown=integrity");
	machine.lockdown = LOCKDOWN_INTEGRITY;
	is(&machine, OBSTACLE_PROGRAMS, -EINVAL, "verifier", "--log.level=debug");
}

static void test_kernels(void **state)
{
	struct machine machine = fine;

	(void)state;
	is(&machine, OBSTACLE_BPF, -EINVAL, "CONFIG_BPF_EVENTS", "CONFIG_BPF_EVENTS");
	is(&machine, OBSTACLE_PERF_EVENT, -ENOENT, "CONFIG_PERF_EVENTS", "CONFIG_PERF_EVENTS");
	is(&machine, OBSTACLE_ATTACH, -ENOENT, "does not have it", "another kernel");
	is(&machine, OBSTACLE_FUNCTION, -EOPNOTSUPP, "cannot hook its functions", "6.4");
	is(&machine, OBSTACLE_FUNCTION, -524, "cannot hook its functions", "6.4");
	is(&machine, OBSTACLE_FUNCTION, -ESRCH, "no function of that name", "another kernel");
	machine.btf = false;
	is(&machine, OBSTACLE_FUNCTION, -EOPNOTSUPP, "no BTF", "CONFIG_DEBUG_INFO_BTF");
}

static void test_addresses(void **state)
{
	(void)state;
	obstacle_of_address(-EADDRINUSE, 9810, &found);
	contains(found.cause, "in use");
	obstacle_of_address(-EACCES, 80, &found);
	contains(found.cause, "port 80");
	contains(found.remedy, "CAP_NET_BIND_SERVICE");
	obstacle_of_address(-EADDRNOTAVAIL, 9810, &found);
	contains(found.cause, "no such address");
	obstacle_of_address(-EAFNOSUPPORT, 9810, &found);
	contains(found.cause, "IPv6");
}

static void test_sockets(void **state)
{
	(void)state;
	obstacle_of_socket(-ENOENT, "/run/none/there/b.sock", &found);
	contains(found.cause, "/run/none/there is not there");
	contains(found.remedy, "mkdir -p /run/none/there,");
	obstacle_of_socket(-EROFS, "/run/b.sock", &found);
	contains(found.cause, "/run is on a read-only file system");
	obstacle_of_socket(-EROFS, "/b.sock", &found);
	contains(found.cause, "/ is on a read-only file system");
	obstacle_of_socket(-EACCES, "b.sock", &found);
	contains(found.cause, "write to .");
	obstacle_of_socket(-ENAMETOOLONG, "/a/long/one", &found);
	contains(found.cause, "11 bytes, and a socket's has 107 at most");
	obstacle_of_socket(-EEXIST, "/run/b.sock", &found);
	contains(found.cause, "no socket");
	obstacle_of_socket(-EADDRINUSE, "/run/b.sock", &found);
	contains(found.cause, "another bramble");
}

/* ---- what the machine says */

static int setup(void **state)
{
	(void)state;
	if (tree_make())
		return -1;
	tree_put("proc/self/uid_map", "         0          0 4294967295\n");
	tree_put("proc/self/status", "Name:\tbramble\nNoNewPrivs:\t0\nSeccomp:\t0\n");
	tree_put("sys/kernel/security/lockdown", "[none] integrity confidentiality\n");
	tree_put("sys/kernel/security/lsm", "lockdown,capability,landlock,yama,apparmor,bpf,ima\n");
	tree_put("sys/kernel/btf/vmlinux", "BTF");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	return tree_remove("");
}

static char procfs[96], sysfs[96];

static struct machine read_tree(const struct features *features)
{
	struct machine machine;

	snprintf(procfs, sizeof(procfs), "%s/proc", tree_root);
	snprintf(sysfs, sizeof(sysfs), "%s/sys", tree_root);
	machine_read(&(struct machine_place){procfs, sysfs}, features, &machine);
	return machine;
}

static void test_machine(void **state)
{
	struct features features = {.reads_kernel = 1};
	struct machine machine = read_tree(&features);

	(void)state;
	assert_int_equal(machine.lockdown, LOCKDOWN_NONE);
	assert_string_equal(machine.modules, "apparmor, bpf");
	assert_false(machine.seccomp_filter);
	assert_false(machine.user_namespace);
	assert_false(machine_locked_down(&machine));
	assert_true(machine.btf);
	assert_true(machine.files > 0);

	tree_put("proc/self/status", "Name:\tbramble\nNoNewPrivs:\t1\nSeccomp:\t2\n");
	tree_put("proc/self/uid_map", "         0       1000          1\n");
	tree_put("sys/kernel/security/lockdown", "none integrity [confidentiality]\n");
	features.bpf_filtered = true;
	features.missing_caps[0] = "CAP_BPF";
	features.missing_cap_count = 1;
	machine = read_tree(&features);
	assert_int_equal(machine.lockdown, LOCKDOWN_CONFIDENTIALITY);
	assert_true(machine_locked_down(&machine));
	assert_true(machine.seccomp_filter);
	assert_true(machine.user_namespace);
	assert_true(machine.bpf_filtered);
	assert_string_equal(machine.missing_caps[0], "CAP_BPF");
}

/* A container sees little: what is not told is not claimed. */
static void test_machine_tells_nothing(void **state)
{
	struct features features = {.reads_kernel = -EPERM};
	struct machine machine;

	(void)state;
	assert_int_equal(tree_remove("proc"), 0);
	assert_int_equal(tree_remove("sys"), 0);
	machine = read_tree(&features);
	assert_int_equal(machine.lockdown, LOCKDOWN_UNKNOWN);
	assert_false(machine_locked_down(&machine));
	assert_string_equal(machine.modules, "");
	assert_false(machine.seccomp_filter || machine.user_namespace || machine.btf);
	is(&machine, OBSTACLE_BPF, -EPERM, "such as SELinux, AppArmor or bpf", "policy");
}

/* ---- mounts */

static void test_tracefs(void **state)
{
	struct mounts mounts = {.tracefs = "/sys/kernel/tracing", .tracefs_err = -ENOENT};
	struct features features = {.reads_kernel = 1};
	struct mount_places places = {procfs, sysfs, NULL, NULL};

	(void)state;
	read_tree(&features);
	places.sysfs = "/nowhere";
	obstacle_of_tracefs(&places, &mounts, &found);
	contains(found.cause, "there is no sysfs at /nowhere");
	contains(found.remedy, "--path.sysfs");
	places.sysfs = sysfs;
	obstacle_of_tracefs(&places, &mounts, &found);
	assert_string_equal(found.cause, "it is not mounted");
	contains(found.remedy, "mount -t tracefs tracefs ");
	mounts.own_tracefs_err = -EPERM;
	obstacle_of_tracefs(&places, &mounts, &found);
	contains(found.cause, "may not mount it for itself");
	contains(found.remedy, "CAP_SYS_ADMIN");
	mounts.own_tracefs_err = -ENODEV;
	obstacle_of_tracefs(&places, &mounts, &found);
	contains(found.cause, "this kernel does not have tracefs");
	mounts.own_tracefs_err = -EMFILE;
	obstacle_of_tracefs(&places, &mounts, &found);
	contains(found.remedy, "ulimit -n");
	mounts.own_tracefs_err = 0;

	mounts.tracefs_err = -EACCES;
	obstacle_of_tracefs(&places, &mounts, &found);
	contains(found.remedy, "CAP_DAC_READ_SEARCH");
	/* Mounted, and empty: of the kernel's config, or locked down. */
	mounts.tracefs_err = -EPERM;
	obstacle_of_tracefs(&places, &mounts, &found);
	contains(found.cause, "no events in /sys/kernel/tracing");
	tree_put("sys/kernel/security/lockdown", "none integrity [confidentiality]\n");
	obstacle_of_tracefs(&places, &mounts, &found);
	contains(found.cause, "locked down");
	contains(found.remedy, "lockdown=integrity");

	places.tracefs = "/nowhere";
	mounts.tracefs_err = -ENOENT;
	obstacle_of_tracefs(&places, &mounts, &found);
	contains(found.cause, "/nowhere");
	contains(found.remedy, "--path.tracefs");
}

static void test_cgroup2(void **state)
{
	struct mounts mounts = {.cgroup2_err = -ENOENT, .cgroup2 = {.v1 = true}};
	struct features features = {.reads_kernel = 1};
	struct mount_places places = {procfs, sysfs, NULL, NULL};

	(void)state;
	read_tree(&features);
	obstacle_of_cgroup2(&places, &mounts, &found);
	contains(found.cause, "there is no procfs at ");
	contains(found.remedy, "--path.procfs");
	tree_put("proc/self/mountinfo", "1 2 0:3 / / rw - tmpfs none rw\n");
	obstacle_of_cgroup2(&places, &mounts, &found);
	contains(found.cause, "cgroup v1 alone");
	contains(found.remedy, "systemd.unified_cgroup_hierarchy=1");
	contains(found.remedy, "/sys/fs/cgroup/unified");
	mounts.cgroup2.v1 = false;
	obstacle_of_cgroup2(&places, &mounts, &found);
	contains(found.remedy, "mount -t cgroup2");
	mounts.own_cgroup2_err = -EPERM;
	obstacle_of_cgroup2(&places, &mounts, &found);
	contains(found.cause, "may not mount it for itself");
	places.cgroupfs = "/tmp";
	mounts.cgroup2_err = -EMEDIUMTYPE;
	obstacle_of_cgroup2(&places, &mounts, &found);
	contains(found.cause, "/tmp: no cgroup2");
	contains(found.remedy, "--path.cgroupfs");
}

#define TREE_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_resources),
		cmocka_unit_test(test_every_errno),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_seccomp_names_the_call),
		cmocka_unit_test(test_caps_by_other_means),
		cmocka_unit_test(test_lockdown),
		cmocka_unit_test(test_kernels),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_sockets),
		TREE_TEST(test_machine),
		TREE_TEST(test_machine_tells_nothing),
		TREE_TEST(test_tracefs),
		TREE_TEST(test_cgroup2),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
