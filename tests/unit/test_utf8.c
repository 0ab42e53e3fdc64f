/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "util/array.h"
#include "util/utf8.h"

/* Writes a code point, surrogates and all, in this many bytes, be they too many or not. */
static void encode(uint32_t code, size_t len, char out[5])
{
	static const unsigned char first[] = {0, 0, 0xc0, 0xe0, 0xf0};

	memset(out, 0, 5);
	for (size_t i = len - 1; i > 0; i--, code >>= 6)
		out[i] = (char)(0x80 | (code & 0x3f));
	out[0] = (char)(first[len] | code);
}

/* The lengths in bytes by RFC 3629, section 3. 0 for what is not a character. */
static size_t right_len(uint32_t code)
{
	if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
		return 0;
	return code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
}

static void every_code_point_has_one_form(void **state)
{
	static const uint32_t room[] = {0, 0x80, 0x800, 0x10000, 0x200000};

	(void)state;
	for (size_t len = 1; len <= 4; len++) {
		for (uint32_t code = 0; code < room[len]; code++) {
			size_t want = right_len(code) == len ? len : 0;
			uint32_t found;
			char text[5];

			encode(code, len, text);
			if (utf8_decode(text, &found) != want || (want && found != code))
				fail_msg("U+%04X in %zu bytes", code, len);
		}
	}
}

static void a_character_that_is_cut_is_none(void **state)
{
	static const char *const bad[] = {"\x80",     "\xbfx",	   "\xc3",	   "\xc3x",
					  "\xe2\x82", "\xe2\x82x", "\xf0\x9f\x98", "\xff"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(utf8_len(bad[i]), 0);
	assert_int_equal(utf8_len(""), 1);
}

static void bytes_of_no_character_are_replaced(void **state)
{
	char text[] = "a\xc3\xa4\xff"
		      "b\xe2\x82";

	(void)state;
	utf8_clean(text);
	assert_string_equal(text, "a\xc3\xa4?b??");
}

static void a_text_is_cut_between_characters(void **state)
{
	(void)state;
	assert_int_equal(utf8_cut("abc", 5), 3);
	assert_int_equal(utf8_cut("abc", 3), 3);
	assert_int_equal(utf8_cut("abc", 2), 2);
	assert_int_equal(utf8_cut("a\xc3\xa4z", 3), 3);
	assert_int_equal(utf8_cut("a\xc3\xa4z", 2), 1);
	assert_int_equal(utf8_cut("\xf0\x9f\x98\x80", 3), 0);
	assert_int_equal(utf8_cut("", 0), 0);
	assert_int_equal(utf8_cut("abc", 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_code_point_has_one_form),
		cmocka_unit_test(a_character_that_is_cut_is_none),
		cmocka_unit_test(bytes_of_no_character_are_replaced),
		cmocka_unit_test(a_text_is_cut_between_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
