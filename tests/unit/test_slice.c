/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "util/array.h"
#include "util/slice.h"

#define assert_slice(slice, text)                                                                  \
	do {                                                                                       \
		char copy[64];                                                                     \
		assert_true(slice_copy(slice, copy, sizeof(copy)));                                \
		assert_string_equal(copy, text);                                                   \
	} while (0)

/* The first len bytes of text, which go on behind the slice. */
static struct slice first(const char *text, size_t len)
{
	return (struct slice){text, len};
}

static void slices_are_compared(void **state)
{
	struct slice pod = first("pod-uid", 3);

	(void)state;
	assert_true(slice_is(pod, "pod"));
	assert_false(slice_is(pod, "po"));
	assert_false(slice_is(pod, "pod-"));
	assert_false(slice_is(pod, "Pod"));
	assert_true(slice_is(first("pod", 0), ""));

	assert_true(slice_is_nocase(slice_of("gZip"), "GziP"));
	assert_false(slice_is_nocase(slice_of("gzip"), "gzi"));
	/* These differ in bit 0x20, too, but they are not letters. */
	assert_false(slice_is_nocase(slice_of("[@"), "{`"));

	assert_true(slice_starts(pod, "po"));
	assert_true(slice_starts(pod, ""));
	assert_false(slice_starts(pod, "pod-"));
	assert_true(slice_ends(pod, "od"));
	assert_true(slice_ends(pod, ""));
	assert_false(slice_ends(pod, "-pod"));
	assert_false(slice_ends(pod, "uid"));

	assert_true(slice_has(pod, 'd'));
	assert_false(slice_has(pod, '-'));
	assert_false(slice_has(pod, '\0'));
	assert_true(slice_only(pod, "dop"));
	assert_false(slice_only(pod, "do"));
	assert_true(slice_only(first("pod", 0), ""));
	assert_false(slice_only(first("a\0b", 3), "ab"));
}

static void prefixes_and_suffixes_are_dropped(void **state)
{
	struct slice text = slice_of("pod1.slice");

	(void)state;
	assert_false(slice_drop_prefix(&text, "cri-"));
	assert_slice(text, "pod1.slice");
	assert_true(slice_drop_prefix(&text, "pod"));
	assert_slice(text, "1.slice");
	assert_false(slice_drop_suffix(&text, ".scope"));
	assert_true(slice_drop_suffix(&text, ".slice"));
	assert_slice(text, "1");
	assert_true(slice_drop_suffix(&text, "1"));
	assert_false(slice_drop_suffix(&text, "1"));
	assert_false(slice_drop_prefix(&text, ".slice"));
}

static void bytes_are_trimmed_and_taken(void **state)
{
	struct slice text = slice_of("42.log.gz");

	(void)state;
	assert_slice(slice_trim(slice_of(" \ta b\t "), " \t"), "a b");
	assert_slice(slice_trim(slice_of("  "), " "), "");
	assert_slice(slice_trim(slice_of(""), " "), "");
	assert_slice(slice_take(&text, SLICE_DIGITS), "42");
	assert_slice(text, ".log.gz");
	assert_slice(slice_take(&text, SLICE_DIGITS), "");
	assert_slice(text, ".log.gz");
	assert_slice(slice_take(&text, ".logz"), ".log.gz");
	assert_slice(text, "");
}

static void a_text_is_cut_at_the_first_separator(void **state)
{
	struct slice rest = slice_of("a,,b"), head;

	(void)state;
	assert_true(slice_cut(&rest, ',', &head));
	assert_slice(head, "a");
	assert_true(slice_cut(&rest, ',', &head));
	assert_slice(head, "");
	assert_false(slice_cut(&rest, ',', &head));
	assert_slice(head, "b");
	assert_slice(rest, "");
	assert_false(slice_cut(&rest, ',', &head));
	assert_slice(head, "");

	/* A separator at the end has something empty behind it. */
	rest = slice_of("a,");
	assert_true(slice_cut(&rest, ',', &head));
	assert_slice(rest, "");
	/* Text after the slice does not belong to it. */
	rest = first("ab,c", 2);
	assert_false(slice_cut(&rest, ',', &head));
	assert_slice(head, "ab");
}

static void a_text_is_cut_at_the_last_separator(void **state)
{
	struct slice rest = slice_of("a:b:c"), tail;

	(void)state;
	assert_true(slice_cut_last(&rest, ':', &tail));
	assert_slice(tail, "c");
	assert_slice(rest, "a:b");
	assert_true(slice_cut_last(&rest, ':', &tail));
	assert_slice(tail, "b");
	assert_false(slice_cut_last(&rest, ':', &tail));
	assert_slice(tail, "");
	assert_slice(rest, "a");
	rest = slice_of(":");
	assert_true(slice_cut_last(&rest, ':', &tail));
	assert_slice(rest, "");
	assert_slice(tail, "");
}

static void words_stand_between_any_number_of_separators(void **state)
{
	struct slice rest = slice_of("//a/bc///d/"), word;

	(void)state;
	assert_true(slice_next_word(&rest, '/', &word));
	assert_slice(word, "a");
	assert_true(slice_next_word(&rest, '/', &word));
	assert_slice(word, "bc");
	assert_true(slice_next_word(&rest, '/', &word));
	assert_slice(word, "d");
	assert_false(slice_next_word(&rest, '/', &word));
	rest = slice_of("//");
	assert_false(slice_next_word(&rest, '/', &word));
}

static void numbers_are_digits_alone(void **state)
{
	static const char *const bad[] = {"",	 " 1", "1 ", "+1",  "-1",
					  "0x1", "1a", "1.", "256", "18446744073709551616"};
	uint64_t number = 7;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(slice_number(slice_of(bad[i]), 255, &number));
	assert_int_equal(number, 7);
	assert_true(slice_number(slice_of("0"), 255, &number));
	assert_int_equal(number, 0);
	assert_true(slice_number(first("00255", 5), 255, &number));
	assert_int_equal(number, 255);
	assert_true(slice_number(first("1234", 2), 255, &number));
	assert_int_equal(number, 12);
	assert_true(slice_number(slice_of("18446744073709551615"), UINT64_MAX, &number));
	assert_true(number == UINT64_MAX);
	assert_false(slice_number(slice_of("18446744073709551616"), UINT64_MAX, &number));
	assert_false(slice_number(slice_of("99999999999999999999999"), UINT64_MAX, &number));
}

static void a_copy_fits_or_is_empty(void **state)
{
	char out[4] = "xxx";

	(void)state;
	assert_true(slice_copy(first("abcdef", 3), out, sizeof(out)));
	assert_string_equal(out, "abc");
	assert_false(slice_copy(first("abcdef", 4), out, sizeof(out)));
	assert_string_equal(out, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slices_are_compared),
		cmocka_unit_test(prefixes_and_suffixes_are_dropped),
		cmocka_unit_test(bytes_are_trimmed_and_taken),
		cmocka_unit_test(a_text_is_cut_at_the_first_separator),
		cmocka_unit_test(a_text_is_cut_at_the_last_separator),
		cmocka_unit_test(words_stand_between_any_number_of_separators),
		cmocka_unit_test(numbers_are_digits_alone),
		cmocka_unit_test(a_copy_fits_or_is_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
