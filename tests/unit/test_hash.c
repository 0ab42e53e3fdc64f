/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Tables without memory stay as they were. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

static bool refuse;
static size_t asked;

static void *table_malloc(size_t size)
{
	asked++;
	return refuse ? NULL : malloc(size);
}

#define uthash_malloc(size) table_malloc(size)

#include "util/hash.h"

#define ELEMENTS 4000

static struct element {
	int key;
	UT_hash_handle hh;
} elements[ELEMENTS], *table;

static struct element *find(int key)
{
	struct element *found;

	HASH_FIND(hh, table, &key, sizeof(key), found);
	return found;
}

static bool add(int i)
{
	elements[i].key = i;
	return HASH_TRY_ADD(hh, table, &elements[i].key, sizeof(int), &elements[i]);
}

static void check_all(int count, int offset)
{
	struct element *element;
	int i;

	assert_int_equal(HASH_COUNT(table), count);
	for (i = 0; i < count; i++)
		assert_ptr_equal(find(i + offset), &elements[i]);
	assert_null(find(count + offset));
	for (element = table, i = 0; element; element = element->hh.next)
		assert_ptr_equal(element, &elements[i++]);
	assert_int_equal(i, count);
}

/* Each time the table wants memory, it is refused first. */
static void test_refused(void **state)
{
	int i, refusals = 0;

	(void)state;
	for (i = 0; i < ELEMENTS; i++) {
		refuse = true;
		if (!add(i)) {
			refusals++;
			check_all(i, 0);
			refuse = false;
			assert_true(add(i));
		}
		refuse = false;
	}
	check_all(ELEMENTS, 0);
	assert_in_range(refusals, 2, 20);
	HASH_CLEAR(hh, table);
}

/* The table's first memory is in two pieces. */
static void test_first_refused(void **state)
{
	(void)state;
	refuse = true;
	assert_false(add(0));
	assert_null(table);
	refuse = false;
	assert_true(add(0));
	check_all(1, 0);
	HASH_CLEAR(hh, table);
}

/* Another key needs no memory, even where a table is about to grow or has one element. */
static void test_rekey(void **state)
{
	int i, count, last;

	(void)state;
	for (count = 1; count < ELEMENTS; count += count < 700 ? 1 : 500) {
		for (i = (int)HASH_COUNT(table); i < count; i++)
			assert_true(add(i));
		if (count > 1 && count % 50)
			continue;
		asked = 0;
		refuse = true;
		for (i = 0; i < count; i++) {
			elements[i].key = i + 10 * ELEMENTS;
			hash_rekey(&elements[i].hh, &elements[i].key, sizeof(int));
		}
		check_all(count, 10 * ELEMENTS);
		for (i = count; i > 0; i--) {
			elements[i - 1].key = i - 1;
			hash_rekey(&elements[i - 1].hh, &elements[i - 1].key, sizeof(int));
		}
		refuse = false;
		assert_int_equal(asked, 0);
		check_all(count, 0);
	}
	last = (int)HASH_COUNT(table);
	assert_true(add(last)); /* it still grows */
	check_all(last + 1, 0);
	HASH_CLEAR(hh, table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_first_refused),
		cmocka_unit_test(test_rekey),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
