/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Files that an operator names: what is taken, and that nothing blocks. */
#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "tree.h"
#include "util/array.h"
#include "util/given_file.h"

static char error[512];

static int setup(void **state)
{
	(void)state;
	/* What blocks ends the test. */
	alarm(60);
	return tree_make();
}

static int teardown(void **state)
{
	(void)state;
	return tree_remove("");
}

static const char *path_of(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", tree_root, name);
	return path;
}

static void check_good(const char *path, const char *content)
{
	struct buf text;

	assert_int_equal(given_file_check(path, 100, error, sizeof(error)), 0);
	assert_int_equal(given_file_read(path, 100, &text, error, sizeof(error)), 0);
	assert_string_equal(text.data, content);
	buf_free(&text);
}

static void check_bad(const char *path, int err, const char *words)
{
	char line[300];
	struct buf text;

	snprintf(line, sizeof(line), "%s: %s", path, words);
	assert_int_equal(given_file_check(path, 100, error, sizeof(error)), err);
	assert_string_equal(error, line);
	assert_int_equal(given_file_read(path, 100, &text, error, sizeof(error)), err);
	assert_string_equal(error, line);
	assert_null(text.data);
}

static void test_regular_files(void **state)
{
	(void)state;
	tree_put("file", "text");
	tree_put("empty", "");
	check_good(path_of("file"), "text");
	check_good(path_of("empty"), "");
	/* As Kubernetes has them in a volume. */
	assert_int_equal(symlink("file", path_of("link")), 0);
	assert_int_equal(symlink("link", path_of("link-to-link")), 0);
	check_good(path_of("link-to-link"), "text");
}

static void test_other_kinds(void **state)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)state;
	assert_int_equal(mkfifo(path_of("fifo"), 0600), 0);
	check_bad(path_of("fifo"), -EMEDIUMTYPE, "it is a FIFO; name a regular file");
	assert_int_equal(symlink("fifo", path_of("link")), 0);
	check_bad(path_of("link"), -EMEDIUMTYPE, "it is a FIFO; name a regular file");
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/socket", tree_root);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	check_bad(path_of("socket"), -EMEDIUMTYPE, "it is a socket; name a regular file");
	close(fd);
	check_bad("/dev/zero", -EMEDIUMTYPE, "it is a device; name a regular file");
	check_bad("/dev/ptmx", -EMEDIUMTYPE, "it is a device; name a regular file");
	check_bad(tree_root, -EISDIR, "Is a directory");
	check_bad(path_of("missing"), -ENOENT, "No such file or directory");
	check_bad("", -ENOENT, "No such file or directory");
	assert_int_equal(symlink("loop", path_of("loop")), 0);
	check_bad(path_of("loop"), -ELOOP, "Too many levels of symbolic links");
}

static void test_sizes(void **state)
{
	char text[102];

	(void)state;
	memset(text, 'x', sizeof(text));
	text[100] = '\0';
	tree_put("most", text);
	check_good(path_of("most"), text);
	text[100] = 'x';
	text[101] = '\0';
	tree_put("more", text);
	check_bad(path_of("more"), -EFBIG, "it has more than 100 bytes");
	/* Nothing of it is read. */
	tree_put("huge", "");
	assert_int_equal(truncate(path_of("huge"), (off_t)1 << 40), 0);
	check_bad(path_of("huge"), -EFBIG, "it has more than 100 bytes");
}

/* Files of procfs say that they are empty. */
static void test_size_that_is_not_said(void **state)
{
	struct buf text;

	(void)state;
	assert_int_equal(given_file_read("/proc/self/status", 10, &text, error, sizeof(error)),
			 -EFBIG);
	assert_string_equal(error, "/proc/self/status: it has more than 10 bytes");
	assert_int_equal(given_file_read("/proc/self/status", 65536, &text, error, sizeof(error)),
			 0);
	assert_int_equal(strncmp(text.data, "Name:", 5), 0);
	buf_free(&text);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_regular_files),
		TEST(test_other_kinds),
		TEST(test_sizes),
		TEST(test_size_that_is_not_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
