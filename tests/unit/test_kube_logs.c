/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "kube/logs.h"
#include "skip.h"
#include "util/array.h"

#define UID	"8a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"
#define UID2	"00000000-1111-2222-3333-444444444444"
#define HASH	"0a1b2c3d4e5f60718293a4b5c6d7e8f9"
#define ID	"3f4b1c2d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7f809"
#define ID2	"aaaaaaaabbbbbbbbccccccccddddddddeeeeeeeeffffffff0000000011111111"
#define POD	"default_web-0_" UID
#define DOCKERD "/var/lib/docker/containers/"

static char root[PATH_MAX];
static struct kube_logs *logs;
static int64_t clock_skew_ns;

static int64_t skewed_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec + clock_skew_ns;
}

static int setup(void **state)
{
	const char *tmp = getenv("TMPDIR");

	(void)state;
	(void)snprintf(root, sizeof(root), "%s/kube_logs.XXXXXX", tmp ? tmp : "/tmp");
	clock_skew_ns = 0;
	if (!mkdtemp(root) || kube_logs_open(root, &logs) != 0)
		return -1;
	kube_logs_use_clock(logs, skewed_clock);
	return 0;
}

static int teardown(void **state)
{
	char command[PATH_MAX + 16];

	(void)state;
	kube_logs_close(logs);
	(void)snprintf(command, sizeof(command), "rm -rf '%s'", root);
	return system(command);
}

static const char *below(const char *path)
{
	static char full[2][2 * PATH_MAX];
	static int turn;

	turn = !turn;
	(void)snprintf(full[turn], sizeof(full[turn]), "%s/%s", root, path);
	return full[turn];
}

static void make_dir(const char *path)
{
	assert_int_equal(mkdir(below(path), 0755), 0);
}

static void make_file(const char *path)
{
	int fd = open(below(path), O_CREAT | O_WRONLY | O_EXCL, 0644);

	assert_true(fd >= 0);
	close(fd);
}

/* Time passes: more than the slack between two times. Returns when it is. */
static int64_t later(void)
{
	usleep(60000);
	return skewed_clock();
}

static bool births_are_kept(void)
{
	struct statx st;

	return statx(AT_FDCWD, root, 0, STATX_BTIME, &st) == 0 && (st.stx_mask & STATX_BTIME);
}

static int find_container(const char *id, int64_t born_ns, struct kube_name *name)
{
	const struct log_birth birth = {born_ns, skewed_clock() - born_ns, false};

	return kube_logs_find_container(logs, UID, id, &birth, name);
}

static void assert_container(const char *id, int64_t born_ns, const char *want)
{
	struct kube_name name;

	assert_int_equal(find_container(id, born_ns, &name), 0);
	assert_string_equal(name.namespace, "default");
	assert_string_equal(name.pod, "web-0");
	assert_string_equal(name.container, want);
}

static void assert_ambiguous(const char *id, int64_t born_ns)
{
	struct kube_name name;

	assert_int_equal(find_container(id, born_ns, &name), -EAGAIN);
	assert_string_equal(name.pod, "web-0");
	assert_string_equal(name.container, "");
}

static void pods_are_found_by_uid(void **state)
{
	struct kube_name name;

	(void)state;
	make_dir(POD);
	make_dir("kube-system_etcd-pi.local_" HASH);
	assert_int_equal(kube_logs_find_pod(logs, UID, &name), 0);
	assert_string_equal(name.namespace, "default");
	assert_string_equal(name.pod, "web-0");
	assert_string_equal(name.container, "");
	assert_int_equal(kube_logs_find_pod(logs, HASH, &name), 0);
	assert_string_equal(name.namespace, "kube-system");
	assert_string_equal(name.pod, "etcd-pi.local");

	assert_int_equal(kube_logs_find_pod(logs, UID2, &name), -ENOENT);
	assert_string_equal(name.pod, "");
	assert_int_equal(kube_logs_find_pod(logs, "", &name), -ENOENT);
	assert_int_equal(
		kube_logs_find_container(logs, UID2, ID, &(struct log_birth){1, 1, false}, &name),
		-ENOENT);
}

static void odd_names_are_no_pods(void **state)
{
	static const char *const odd[] = {
		"_a_" UID,
		"a__" UID,
		"a_" UID,
		"Upper_a_" UID,
		"a_b_c_" UID,
		"a_-b_" UID,
		"a_b-_" UID,
		"a_b..c_" UID,
		"a_b."
		"_" UID,
		"a.b_c_" UID,
		"a_b\n_" UID,
		"a_b_" UID "0",
		"a_\xff_" UID,
		UID,
		"a1234567890123456789012345678901234567890123456789012345678901234_b_" UID,
	};
	struct kube_name name;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(odd); i++)
		make_dir(odd[i]);
	assert_int_equal(kube_logs_find_pod(logs, UID, &name), -ENOENT);
}

static void an_unchanged_directory_is_not_read(void **state)
{
	struct timespec times[2];
	struct kube_name name;
	struct stat st;

	(void)state;
	clock_skew_ns = 10000000000LL;
	assert_int_equal(kube_logs_find_pod(logs, UID, &name), -ENOENT);
	assert_int_equal(stat(root, &st), 0);
	make_dir(POD);
	times[0] = st.st_atim;
	times[1] = st.st_mtim;
	assert_int_equal(utimensat(AT_FDCWD, root, times, 0), 0);
	assert_int_equal(kube_logs_find_pod(logs, UID, &name), -ENOENT);

	times[1].tv_nsec = (times[1].tv_nsec + 1) % 1000000000;
	assert_int_equal(utimensat(AT_FDCWD, root, times, 0), 0);
	assert_int_equal(kube_logs_find_pod(logs, UID, &name), 0);
}

/* Right after a change the time may stay the same at the next. */
static void a_fresh_directory_is_read_again(void **state)
{
	struct timespec times[2];
	struct kube_name name;
	struct stat st;

	(void)state;
	assert_int_equal(kube_logs_find_pod(logs, UID, &name), -ENOENT);
	assert_int_equal(stat(root, &st), 0);
	make_dir(POD);
	times[0] = st.st_atim;
	times[1] = st.st_mtim;
	assert_int_equal(utimensat(AT_FDCWD, root, times, 0), 0);
	assert_int_equal(kube_logs_find_pod(logs, UID, &name), 0);
}

static void pods_are_forgotten(void **state)
{
	struct kube_name name;

	(void)state;
	make_dir(POD);
	make_dir("default_b_" UID2);
	assert_int_equal(kube_logs_find_pod(logs, UID, &name), 0);
	assert_int_equal(rmdir(below(POD)), 0);
	assert_int_equal(kube_logs_find_pod(logs, UID, &name), 0);
	kube_logs_forget_pod(logs, UID);
	kube_logs_forget_pod(logs, UID);
	assert_int_equal(kube_logs_find_pod(logs, UID, &name), -ENOENT);
	assert_int_equal(kube_logs_find_pod(logs, UID2, &name), 0);

	/* A pod that was forgotten by mistake is found again, though nothing has changed. */
	clock_skew_ns = 10000000000LL;
	kube_logs_forget_pod(logs, UID2);
	assert_int_equal(kube_logs_find_pod(logs, UID2, &name), 0);
	kube_logs_forget_pod(logs, UID2);
	assert_int_equal(kube_logs_find_pod(logs, UID2, &name), 0);

	/* A container lookup sees it by itself. */
	assert_int_equal(rmdir(below("default_b_" UID2)), 0);
	assert_int_equal(
		kube_logs_find_container(logs, UID2, ID, &(struct log_birth){1, 1, false}, &name),
		-ENOENT);
	assert_string_equal(name.pod, "");
	assert_int_equal(kube_logs_find_pod(logs, UID2, &name), -ENOENT);
}

static void errors_are_told_once(void **state)
{
	struct kube_name name;

	(void)state;
	assert_int_equal(kube_logs_find_pod(logs, UID, &name), -ENOENT);
	assert_int_equal(kube_logs_error(logs), 0);
	assert_false(kube_logs_error_changed(logs));

	assert_int_equal(rmdir(root), 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(kube_logs_find_pod(logs, UID, &name), -ENOENT);
		assert_int_equal(kube_logs_error(logs), -ENOENT);
		assert_int_equal(kube_logs_error_changed(logs), i == 0);
	}
	assert_int_equal(mkdir(root, 0755), 0);
	make_dir(POD);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(kube_logs_find_pod(logs, UID, &name), 0);
		assert_int_equal(kube_logs_error(logs), 0);
		assert_int_equal(kube_logs_error_changed(logs), i == 0);
	}
}

static void no_access_is_told(void **state)
{
	bool is_root = geteuid() == 0;
	struct kube_name name;

	(void)state;
	/* Root can read anything, unless it becomes somebody else. */
	assert_int_equal(chmod(root, is_root ? 0700 : 0), 0);
	assert_int_equal(is_root ? seteuid(65534) : 0, 0);
	assert_int_equal(kube_logs_find_pod(logs, UID, &name), -EACCES);
	assert_int_equal(kube_logs_error(logs), -EACCES);
	assert_true(kube_logs_error_changed(logs));
	assert_int_equal(is_root ? seteuid(0) : chmod(root, 0700), 0);
	assert_int_equal(kube_logs_find_pod(logs, UID, &name), -ENOENT);
	assert_int_equal(kube_logs_error(logs), 0);
	assert_true(kube_logs_error_changed(logs));
}

static void docker_links_are_exact(void **state)
{
	(void)state;
	make_dir(POD);
	make_dir(POD "/app");
	make_dir(POD "/side");
	assert_int_equal(symlink(DOCKERD ID "/" ID "-json.log", below(POD "/app/0.log")), 0);
	assert_int_equal(symlink(DOCKERD ID2 "/" ID2 "-json.log", below(POD "/side/7.log")), 0);
	assert_container(ID, 0, "app");
	assert_container(ID2, 0, "side");
	assert_ambiguous("3f4b1c2d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7f800", 0);
	assert_ambiguous("3f4b", 0);
	assert_ambiguous("", skewed_clock());
}

static void times_tell_the_container(void **state)
{
	int64_t sandbox, app, side, again;

	(void)state;
	if (!births_are_kept())
		skip_because("the file system of /tmp does not keep times of birth");
	make_dir(POD);
	sandbox = later();
	assert_container(ID, sandbox, "POD");
	later();
	make_dir(POD "/app");
	make_file(POD "/app/0.log");
	app = later();
	assert_container(ID, app, "app");
	later();
	make_dir(POD "/side");
	later();
	make_file(POD "/side/0.log");
	side = later();
	later();
	make_file(POD "/app/1.log");
	again = later();
	make_file(POD "/app/not.log");
	make_dir(POD "/Not_a_container");
	make_file(POD "/file");

	assert_container(ID, sandbox, "POD");
	assert_container(ID, app, "app");
	assert_container(ID, side, "side");
	assert_container(ID, again, "app");
	assert_ambiguous(ID, 0);
	assert_ambiguous(ID, again + 60000000000LL);
}

static void a_rotated_log_is_no_start(void **state)
{
	int64_t app, side;

	(void)state;
	if (!births_are_kept())
		skip_because("the file system of /tmp does not keep times of birth");
	make_dir(POD);
	later();
	make_dir(POD "/app");
	make_file(POD "/app/0.log");
	app = later();
	later();
	make_dir(POD "/side");
	make_file(POD "/side/1.log");
	side = later();
	assert_container(ID, side, "side");

	later();
	assert_int_equal(rename(below(POD "/app/0.log"), below(POD "/app/0.log.20240101-120000")),
			 0);
	make_file(POD "/app/0.log");
	make_file(POD "/app/0.log.20231231-120000.gz");
	assert_container(ID, app, "app");
	assert_container(ID, side, "side");

	assert_int_equal(rename(below(POD "/side/1.log"), below(POD "/side/1.log.20240101-120000")),
			 0);
	make_file(POD "/side/1.log");
	assert_ambiguous(ID, side);
}

/* In a pod of one container that is rotated, the time need not fit. */
static void an_only_container_is_certain(void **state)
{
	int64_t sandbox, app;

	(void)state;
	if (!births_are_kept())
		skip_because("the file system of /tmp does not keep times of birth");
	make_dir(POD);
	sandbox = later();
	later();
	make_dir(POD "/app");
	make_file(POD "/app/1.log.20240101-120000.gz");
	make_file(POD "/app/1.log");
	app = later() + 60000000000LL;
	clock_skew_ns = 65000000000LL;
	assert_ambiguous(ID, app);
	clock_skew_ns = 75000000000LL;
	assert_container(ID, app, "app");
	assert_container(ID, sandbox, "POD");
	assert_ambiguous(ID, 0);
}

static void many_attempts_keep_the_latest(void **state)
{
	int64_t last;

	(void)state;
	if (!births_are_kept())
		skip_because("the file system of /tmp does not keep times of birth");
	make_dir(POD);
	make_dir(POD "/app");
	make_dir(POD "/other");
	for (int i = 0; i < 12; i++) {
		char name[64];

		(void)snprintf(name, sizeof(name), POD "/app/%d.log", (i * 7) % 12);
		make_file(name);
	}
	make_file(POD "/app/4294967296.log");
	later();
	make_file(POD "/app/12.log");
	last = later();
	assert_container(ID, last, "app");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(pods_are_found_by_uid, setup, teardown),
		cmocka_unit_test_setup_teardown(odd_names_are_no_pods, setup, teardown),
		cmocka_unit_test_setup_teardown(an_unchanged_directory_is_not_read, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_fresh_directory_is_read_again, setup, teardown),
		cmocka_unit_test_setup_teardown(pods_are_forgotten, setup, teardown),
		cmocka_unit_test_setup_teardown(errors_are_told_once, setup, teardown),
		cmocka_unit_test_setup_teardown(no_access_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(docker_links_are_exact, setup, teardown),
		cmocka_unit_test_setup_teardown(times_tell_the_container, setup, teardown),
		cmocka_unit_test_setup_teardown(a_rotated_log_is_no_start, setup, teardown),
		cmocka_unit_test_setup_teardown(an_only_container_is_certain, setup, teardown),
		cmocka_unit_test_setup_teardown(many_attempts_keep_the_latest, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
