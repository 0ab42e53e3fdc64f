/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Lists, as they arrive. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "kube/json_items.h"
#include "util/array.h"

static struct buf seen;

static void on_item(void *context, const char *text, size_t len)
{
	(void)context;
	buf_add(&seen, text, len);
	buf_putc(&seen, '|');
}

/* Feeds the text in parts of this length. Returns the first error, or the end's. */
static int feed(const char *text, size_t part)
{
	struct json_items items = {0};
	size_t len = strlen(text);
	int err = 0;

	buf_free(&seen);
	buf_puts(&seen, "");
	json_items_begin(&items, on_item, NULL);
	for (size_t at = 0; !err && at < len; at += part)
		err = json_items_feed(&items, text + at, part < len - at ? part : len - at);
	err = err ?: json_items_end(&items);
	json_items_free(&items);
	return err;
}

static void items_are_found_however_they_arrive(void **state)
{
	static const struct {
		const char *text, *items;
		int err;
	} rows[] = {
		{"{\"items\":[{\"a\":1},{\"b\":[{}]}]}", "{\"a\":1}|{\"b\":[{}]}|", 0},
		{" {\"kind\" : \"PodList\", \"items\" : [ {\"a\" : \"}\\\"]\"} ] }\n",
		 "{\"a\" : \"}\\\"]\"}|", 0},
		{"{\"items\":[]}", "", 0},
		{"{\"items\":null}", "", 0},
		{"{\"items\":[null,1,\"x\",[{}],{}]}", "{}|", 0},
		{"{\"metadata\":{\"items\":[{\"no\":1}]},\"items\":[{}]}", "{}|", 0},
		{"{\"x\":\"items\",\"y\":[{\"no\":1}],\"items\":[{}],\"z\":[{\"no\":1}]}", "{}|",
		 0},
		{"{\"itemss\":[{\"no\":1}],\"item\":[{\"no\":1}]}", "", -EINVAL},
		{"{\"it\\u0065ms\":[{\"no\":1}]}", "", -EINVAL},
		{"{\"items\":{\"a\":{\"no\":1}}}", "", 0},
		{"{}", "", -EINVAL},
		{"", "", -ENODATA},
		{"   ", "", -ENODATA},
		{"[{}]", "", -EINVAL},
		{"null", "", -EINVAL},
		{"<html>", "", -EINVAL},
		{"{\"items\":[{}]", "{}|", -ENODATA},
		{"{\"items\":[{},{\"a\":", "{}|", -ENODATA},
		{"{\"items\":[{},{\"a", "{}|", -ENODATA},
		{"{\"items\":[{}]}}", "{}|", -EINVAL},
		{"{\"items\":[{}]} x", "{}|", -EINVAL},
		{"{\"items\":[{]}]}", "", -EINVAL},
		{"}", "", -EINVAL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		for (size_t part = 1; part < 40; part++) {
			assert_int_equal(feed(rows[i].text, part), rows[i].err);
			assert_string_equal(seen.data, rows[i].items);
		}
	}
	buf_free(&seen);
}

static void items_are_bounded(void **state)
{
	struct buf text = {0};

	(void)state;
	for (int i = 0; i < 100; i++)
		buf_puts(&text, "{\"a\":");
	assert_int_equal(feed(text.data, 64), -EINVAL);
	buf_truncate(&text, 0);
	buf_puts(&text, "{\"items\":[{\"a\":\"");
	while (text.len < JSON_ITEM_MAX + 100)
		buf_puts(&text, "0123456789abcdef");
	assert_int_equal(feed(text.data, 16384), -EMSGSIZE);
	buf_free(&text);
	buf_free(&seen);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(items_are_found_however_they_arrive),
		cmocka_unit_test(items_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
