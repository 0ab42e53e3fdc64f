/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Damaged format files: they are refused, or give a BTF that is sound. */
#include "probe/tracefs_format.h"

#include "btf_sound.h"
#include "probe/tracefs_btf.h"
#include "util/array.h"
#include "util/buf.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define FORMATS "tests/unit/data/formats/"

static const char *const files[] = {
	FORMATS "debian-6.1/sched/sched_switch/format",
	FORMATS "debian-7.3/cgroup/cgroup_mkdir/format",
	FORMATS "debian-5.10/tcp/tcp_probe/format",
	FORMATS "debian-6.12/tcp/tcp_send_reset/format",
};

static void read_file(struct buf *text, const char *path)
{
	assert_int_equal(buf_read_file(text, path, 1 << 20), 0);
}

/* Adds a text that has nothing after its end. Checks that the BTF is sound, whatever the result. */
static int add(const char *text, size_t len)
{
	struct btf *btf = btf__new_empty();
	char *copy = malloc(len ? len : 1);
	int err;

	assert_non_null(btf);
	assert_non_null(copy);
	if (len)
		memcpy(copy, text, len);
	err = tracefs_btf_add(btf, copy, len, "it");
	free(copy);
	assert_true(btf_sound(btf));
	assert_int_equal(btf__find_by_name_kind(btf, "it", BTF_KIND_STRUCT) > 0, !err);
	btf__free(btf);
	return err;
}

static int add_text(const struct buf *text)
{
	return add(text->data, text->len);
}

/* A format with these lines of fields after the four common ones, which take 8 bytes. */
static int add_fields(const char *fields, size_t len)
{
	struct buf text = {0};
	int err;

	buf_puts(&text,
		 "name: it\nID: 1\nformat:\n"
		 "\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n"
		 "\tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;\n"
		 "\tfield:unsigned char common_preempt_count;\toffset:3;\tsize:1;\tsigned:0;\n"
		 "\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n\n");
	buf_add(&text, fields, len);
	buf_puts(&text, "\nprint fmt: \"\"\n");
	err = add_text(&text);
	buf_free(&text);
	return err;
}

static void test_truncated(void **state)
{
	struct buf text;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		size_t whole;

		read_file(&text, files[i]);
		whole = (size_t)(strstr(text.data, "print fmt:") - text.data) +
			strlen("print fmt:");
		for (size_t len = 0; len <= text.len; len++)
			assert_int_equal(add(text.data, len), len < whole ? -EINVAL : 0);
		buf_free(&text);
	}
}

/* Without a field's line the others stay where they were. */
static void test_line_removed(void **state)
{
	static struct tracefs_format whole, format;
	struct buf text;

	(void)state;
	read_file(&text, files[0]);
	assert_int_equal(tracefs_format_parse(&whole, text.data, text.len), 0);
	for (const char *line = text.data, *end; *line; line = end) {
		struct buf rest = {0};
		bool needed = !strncmp(line, "format:", 7) || !strncmp(line, "print fmt:", 10);

		end = strchr(line, '\n') + 1;
		buf_add(&rest, text.data, (size_t)(line - text.data));
		buf_puts(&rest, end);
		assert_int_equal(add_text(&rest), needed ? -EINVAL : 0);
		if (!needed) {
			assert_int_equal(tracefs_format_parse(&format, rest.data, rest.len), 0);
			assert_true(format.count + 1 >= whole.count);
			for (unsigned int i = 0, j = 0; i < format.count; i++, j++) {
				while (strcmp(format.fields[i].name, whole.fields[j].name) != 0)
					assert_true(++j < whole.count);
				assert_int_equal(format.fields[i].offset, whole.fields[j].offset);
			}
		}
		buf_free(&rest);
	}
	buf_free(&text);
}

/* Puts something in place of each number that follows the key. */
static void replace_numbers(const char *key, const char *with)
{
	struct buf text, damaged = {0};

	read_file(&text, files[0]);
	for (const char *at = text.data; (at = strstr(at, key));) {
		at += strlen(key);
		buf_add(&damaged, text.data, (size_t)(at - text.data));
		buf_puts(&damaged, with);
		buf_puts(&damaged, at + strspn(at, "0123456789"));
		assert_int_equal(add_text(&damaged), -EINVAL);
		buf_free(&damaged);
	}
	buf_free(&text);
}

static void test_numbers_replaced(void **state)
{
	static const char *const keys[] = {"offset:", "size:", "signed:"};
	static const char *const values[] = {"",
					     "-1",
					     "+1",
					     " 1",
					     "0x8",
					     "1e3",
					     "NaN",
					     "8;8",
					     "2147483647",
					     "65536",
					     "4294967295",
					     "4294967304",
					     "18446744073709551624",
					     "\xff",
					     "1 2"};

	(void)state;
	for (size_t k = 0; k < ARRAY_SIZE(keys); k++)
		for (size_t v = 0; v < ARRAY_SIZE(values); v++)
			replace_numbers(keys[k], values[v]);
	replace_numbers("size:", "0");
	replace_numbers("signed:", "2");
}

static void test_damaged_fields(void **state)
{
	static const char *const bad[] = {
		"\tfield:int x;\toffset:4;\tsize:4;\tsigned:1;\n", /* over common_pid */
		"\tfield:int x;\toffset:7;\tsize:4;\tsigned:1;\n",
		("\tfield:int x;\toffset:12;\tsize:4;\tsigned:1;\n"
		 "\tfield:int y;\toffset:8;\tsize:4;\tsigned:1;\n"),
		("\tfield:int x;\toffset:8;\tsize:4;\tsigned:1;\n"
		 "\tfield:int x;\toffset:12;\tsize:4;\tsigned:1;\n"),
		"\tfield:int x;\toffset:65535;\tsize:2;\tsigned:1;\n",
		"\tfield:int x;\toffset:8;\tsize:4;\n",
		"\tfield:int x;\tsize:4;\toffset:8;\tsigned:1;\n",
		"\tfield:int x;\toffset:8;\tsize:4;\tsigned:1; more\n",
		"\tfield:x;\toffset:8;\tsize:4;\tsigned:1;\n",
		"\tfield:int ;\toffset:8;\tsize:4;\tsigned:1;\n",
		"\tfield:;\toffset:8;\tsize:4;\tsigned:1;\n",
		"\tfield:int 2x;\toffset:8;\tsize:4;\tsigned:1;\n",
		"\tfield:int x-y\xc3\xa4;\toffset:8;\tsize:4;\tsigned:1;\n",
		"\tfield:int x];\toffset:8;\tsize:4;\tsigned:1;\n",
		"\tfield:];\toffset:8;\tsize:4;\tsigned:1;\n",
		"\tfield:[];\toffset:8;\tsize:4;\tsigned:1;\n",
		"\tfield:int x[3];\toffset:8;\tsize:4;\tsigned:1;\n",
		"\tfield:int x[0];\toffset:8;\tsize:4;\tsigned:1;\n",
		"\tfield:int x[];\toffset:8;\tsize:4;\tsigned:1;\n",
		"\tfield:int x[N];\toffset:8;\tsize:8;\tsigned:1;\n",
		"\tfield:int x[4];\toffset:8;\tsize:0;\tsigned:1;\n",
		"\tfield:int x[4294967297];\toffset:8;\tsize:4;\tsigned:1;\n",
		"\tfield:void * x;\toffset:8;\tsize:2;\tsigned:0;\n",
		("\tfield:void * x;\toffset:8;\tsize:4;\tsigned:0;\n"
		 "\tfield:void * y;\toffset:16;\tsize:8;\tsigned:0;\n"),
		"\tfield:enum x;\toffset:8;\tsize:4;\tsigned:0;\n",
		"\tfield:enum a b x;\toffset:8;\tsize:4;\tsigned:0;\n",
		"\tfield:enum a x;\toffset:8;\tsize:3;\tsigned:0;\n",
		("\tfield:enum a x;\toffset:8;\tsize:4;\tsigned:0;\n"
		 "\tfield:enum a y;\toffset:16;\tsize:8;\tsigned:0;\n"),
		"\tfield:__data_loc char[] x;\toffset:8;\tsize:8;\tsigned:0;\n",
		"\tfield:__data_loc x;\toffset:8;\tsize:4;\tsigned:0;\n",
		"\tfield:__data_loc char x[4];\toffset:8;\tsize:4;\tsigned:0;\n",
		"\tfiel:int x;\toffset:8;\tsize:4;\tsigned:1;\n",
		"more\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (add_fields(bad[i], strlen(bad[i])) != -EINVAL)
			fail_msg("taken: %s", bad[i]);
	assert_int_equal(add_fields("\tfield:int x\0;\toffset:8;\tsize:4;\tsigned:1;\n", 43),
			 -EINVAL);
	assert_int_equal(add_fields("\0\n", 2), -EINVAL);
	assert_int_equal(add_fields("", 0), 0); /* some events have no fields */
}

static void test_line_ends(void **state)
{
	struct buf text, crlf = {0};

	(void)state;
	read_file(&text, files[1]);
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] == '\n')
			buf_putc(&crlf, '\r');
		buf_putc(&crlf, text.data[i]);
	}
	assert_int_equal(add_text(&crlf), 0);
	assert_int_equal(add(text.data, strcspn(text.data, "\n")), -EINVAL);
	assert_int_equal(text.data[text.len - 1], '\n');
	assert_int_equal(add(text.data, text.len - 1), 0);
	buf_free(&crlf);
	buf_free(&text);
}

/* Names and types that are too long, and more fields than there is room for. */
static void test_huge(void **state)
{
	struct buf text = {0};

	(void)state;
	for (unsigned int i = 0; i <= TRACEFS_FIELDS_MAX; i++) {
		assert_int_equal(add_fields(text.data ? text.data : "", text.len), 0);
		buf_printf(&text, "\tfield:int x%u;\toffset:%u;\tsize:4;\tsigned:1;\n", i,
			   8 + 4 * i);
	}
	assert_int_equal(add_fields(text.data, text.len), -EINVAL);
	buf_free(&text);
	for (unsigned int len = 1; len < 1 << 20; len = len * 2 + 1) {
		buf_puts(&text, "\tfield:int ");
		for (unsigned int i = 0; i < len; i++)
			buf_putc(&text, 'x');
		buf_puts(&text, ";\toffset:8;\tsize:4;\tsigned:1;\n");
		assert_int_equal(add_fields(text.data, text.len),
				 len < TRACEFS_NAME_MAX ? 0 : -EINVAL);
		buf_free(&text);
	}
}

static uint32_t random_number(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

/* Changes, drops or repeats a few bytes. */
static void mutate(struct buf *out, const struct buf *in, uint32_t *state)
{
	static const char likely[] = "0123456789;:[]\t\n _*-x\r";
	size_t at = random_number(state) % in->len;
	size_t len = random_number(state) % 16;

	if (len > in->len - at)
		len = in->len - at;
	buf_add(out, in->data, at);
	switch (random_number(state) % 4) {
	case 0:
		buf_putc(out, (char)random_number(state));
		break;
	case 1:
		buf_putc(out, likely[random_number(state) % (sizeof(likely) - 1)]);
		break;
	case 2: /* drop */
		break;
	default:
		buf_add(out, in->data + at, len);
		len = 0;
	}
	buf_add(out, in->data + at + len, in->len - at - len);
}

static void test_mutated(void **state)
{
	uint32_t random = 1;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		struct buf text;

		read_file(&text, files[i]);
		for (int round = 0; round < 5000; round++) {
			struct buf once = {0}, twice = {0};
			int err;

			mutate(&once, &text, &random);
			mutate(&twice, &once, &random);
			err = add_text(&twice);
			assert_true(!err || err == -EINVAL);
			buf_free(&once);
			buf_free(&twice);
		}
		buf_free(&text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_truncated),	 cmocka_unit_test(test_line_removed),
		cmocka_unit_test(test_numbers_replaced), cmocka_unit_test(test_damaged_fields),
		cmocka_unit_test(test_line_ends),	 cmocka_unit_test(test_huge),
		cmocka_unit_test(test_mutated),
	};

	libbpf_set_print(NULL);
	return cmocka_run_group_tests_name("tracefs_format", tests, NULL, NULL);
}
