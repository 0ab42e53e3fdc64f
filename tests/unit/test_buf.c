/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <stdlib.h>

#include "tree.h"
#include "util/array.h"
#include "util/buf.h"

static int setup(void **state)
{
	(void)state;
	return tree_make();
}

static int teardown(void **state)
{
	(void)state;
	return tree_remove("");
}

static void test_grows(void **state)
{
	struct buf buf = {0};
	int i;

	(void)state;
	for (i = 0; i < 100000; i++) {
		buf_putc(&buf, (char)('a' + i % 26));
		assert_int_equal(buf.data[buf.len], '\0');
	}
	assert_int_equal(buf.len, 100000);
	for (i = 0; i < 100000; i++)
		assert_int_equal(buf.data[i], 'a' + i % 26);
	assert_false(buf_failed(&buf));
	buf_free(&buf);
	assert_null(buf.data);
	assert_int_equal(buf.len, 0);
}

/* At every length around the sizes it grows to, the NUL has a place. */
static void test_edges(void **state)
{
	char text[1100];
	size_t len;

	(void)state;
	memset(text, 'x', sizeof(text));
	for (len = 0; len < sizeof(text); len++) {
		struct buf buf = {0};

		buf_add(&buf, text, len);
		buf_printf(&buf, "%.*s", (int)len, text);
		assert_int_equal(buf.len, 2 * len);
		assert_int_equal(strlen(buf.data), 2 * len);
		buf_free(&buf);
	}
}

static void test_printf(void **state)
{
	struct buf buf = {0};

	(void)state;
	buf_puts(&buf, "a");
	buf_printf(&buf, "%d,%s", -7, "b");
	buf_printf(&buf, "%s", "");
	assert_string_equal(buf.data, "a-7,b");
	buf_truncate(&buf, 2);
	assert_string_equal(buf.data, "a-");
	buf_puts(&buf, "z");
	assert_string_equal(buf.data, "a-z");
	buf_truncate(&buf, 0);
	assert_string_equal(buf.data, "");
	buf_free(&buf);
}

static void test_binary(void **state)
{
	struct buf buf = {0};

	(void)state;
	buf_add(&buf, "a\0b", 3);
	assert_int_equal(buf.len, 3);
	assert_memory_equal(buf.data, "a\0b", 4);
	buf_free(&buf);
}

static void test_take(void **state)
{
	struct buf buf = {0};
	char *text;

	(void)state;
	buf_puts(&buf, "mine");
	text = buf_take(&buf);
	assert_string_equal(text, "mine");
	free(text);
	assert_null(buf.data);
	buf_puts(&buf, "next");
	assert_string_equal(buf.data, "next");
	buf_free(&buf);
}

static void test_take_of_nothing_is_empty(void **state)
{
	struct buf buf = {0};
	char *text = buf_take(&buf);

	(void)state;
	assert_string_equal(text, "");
	free(text);
	buf_truncate(&buf, 0); /* nothing there to cut */
	buf_free(&buf);
}

/* An allocation that fails changes nothing, and is remembered until buf_free(). */
static void test_failure(void **state)
{
	struct buf buf = {0};

	(void)state;
	buf_puts(&buf, "kept");
	buf_add(&buf, "", SIZE_MAX - 2);
	assert_true(buf_failed(&buf));
	assert_string_equal(buf.data, "kept");
	buf_puts(&buf, "ignored");
	buf_putc(&buf, 'x');
	buf_printf(&buf, "%d", 1);
	assert_string_equal(buf.data, "kept");
	assert_null(buf_take(&buf));
	assert_false(buf_failed(&buf));
	buf_puts(&buf, "again");
	assert_string_equal(buf.data, "again");
	buf_free(&buf);
}

static char *path_of(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", tree_root, name);
	return path;
}

static void test_read_file(void **state)
{
	struct buf buf;

	(void)state;
	tree_put("text", "one\ntwo\n");
	assert_int_equal(buf_read_file(&buf, path_of("text"), 100), 0);
	assert_string_equal(buf.data, "one\ntwo\n");
	assert_int_equal(buf.len, 8);
	buf_free(&buf);
}

static void test_read_empty_file(void **state)
{
	struct buf buf;

	(void)state;
	tree_put("empty", "");
	assert_int_equal(buf_read_file(&buf, path_of("empty"), 100), 0);
	assert_int_equal(buf.len, 0);
	assert_string_equal(buf.data, "");
	buf_free(&buf);
}

static void test_read_limits(void **state)
{
	char *text = calloc(1, 20001);
	struct buf buf;

	(void)state;
	memset(text, 'y', 20000);
	tree_put("long", text);
	assert_int_equal(buf_read_file(&buf, path_of("long"), 20000), 0);
	assert_string_equal(buf.data, text);
	buf_free(&buf);
	assert_int_equal(buf_read_file(&buf, path_of("long"), 19999), -EFBIG);
	assert_null(buf.data);
	assert_int_equal(buf_read_file(&buf, path_of("long"), 1), -EFBIG);
	free(text);
}

static void test_read_errors(void **state)
{
	struct buf buf;

	(void)state;
	assert_int_equal(buf_read_file(&buf, path_of("missing"), 100), -ENOENT);
	assert_null(buf.data);
	assert_int_equal(buf_read_file(&buf, tree_root, 100), -EISDIR);
	assert_null(buf.data);
}

/* A file of the kernel's says it has 0 bytes and gives some. */
static void test_read_proc(void **state)
{
	struct buf buf;

	(void)state;
	assert_int_equal(buf_read_file(&buf, "/proc/self/stat", 4096), 0);
	assert_true(buf.len > 50);
	buf_free(&buf);
}

static void test_uint(void **state)
{
	static const uint64_t numbers[] = {0, 9, 10, 12345678901234567, UINT64_MAX};
	struct buf buf = {0};
	char expected[32];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(numbers); i++) {
		buf_truncate(&buf, 0);
		buf_uint(&buf, numbers[i]);
		snprintf(expected, sizeof(expected), "%llu", (unsigned long long)numbers[i]);
		assert_string_equal(buf.data, expected);
	}
	buf_free(&buf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_uint),
		cmocka_unit_test(test_grows),
		cmocka_unit_test(test_edges),
		cmocka_unit_test(test_printf),
		cmocka_unit_test(test_binary),
		cmocka_unit_test(test_take),
		cmocka_unit_test(test_take_of_nothing_is_empty),
		cmocka_unit_test(test_failure),
		cmocka_unit_test_setup_teardown(test_read_file, setup, teardown),
		cmocka_unit_test_setup_teardown(test_read_empty_file, setup, teardown),
		cmocka_unit_test_setup_teardown(test_read_limits, setup, teardown),
		cmocka_unit_test_setup_teardown(test_read_errors, setup, teardown),
		cmocka_unit_test(test_read_proc),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
