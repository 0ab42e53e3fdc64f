/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "util/pages.h"

/* Resident pages of files, in kB. */
static long resident_file_kb(void)
{
	FILE *file = fopen("/proc/self/status", "re");
	char line[256];
	long kb = -1;

	assert_non_null(file);
	while (fgets(line, sizeof(line), file))
		if (strncmp(line, "RssFile:", 8) == 0)
			kb = strtol(line + 8, NULL, 10);
	fclose(file);
	return kb;
}

/* Text and constants are as before, and so is what was relocated. */
static void test_release(void **state)
{
	int (*volatile compare)(const char *, const char *) = strcmp;
	long before = resident_file_kb(), after;
	char text[32];

	(void)state;
	assert_true(before > 0);
	pages_release_files();
	after = resident_file_kb();
	assert_true(after < before);
	snprintf(text, sizeof(text), "%d and %s", 42, "constants");
	assert_int_equal(compare(text, "42 and constants"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_release)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
