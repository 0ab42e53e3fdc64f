/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "kube/json_items.h"

#include <errno.h>
#include <string.h>

/* The deepest nesting of brackets: the number of bits in json_items.arrays. A pod has about ten. */
#define DEPTH_MAX   64

/* The depths of the list's own keys and, in its array, of the items. */
#define DEPTH_KEYS  1
#define DEPTH_ITEMS 2

#define ITEMS_KEY   "items"

void json_items_begin(struct json_items *items, json_item_fn on_item, void *context)
{
	struct buf item = items->item;

	item.failed = false;
	if (item.data)
		buf_truncate(&item, 0);
	*items = (struct json_items){.on_item = on_item, .context = context, .item = item};
	items->key_differs = true;
}

void json_items_free(struct json_items *items)
{
	buf_free(&items->item);
}

/* A byte inside a string. When a string at the depth of keys ends, checks whether it is "items". */
static void take_string_byte(struct json_items *items, char c)
{
	if (items->escaped) {
		items->escaped = false;
	} else if (c == '\\') {
		items->escaped = true;
		items->key_differs = true;
	} else if (c == '"') {
		items->in_string = false;
		if (items->key_len != strlen(ITEMS_KEY))
			items->key_differs = true;
	} else if (items->key_len < strlen(ITEMS_KEY) && c == ITEMS_KEY[items->key_len]) {
		items->key_len++;
	} else {
		items->key_differs = true;
	}
}

static int open_bracket(struct json_items *items, bool array)
{
	if (items->depth == DEPTH_MAX || (items->depth == 0 && array))
		return -EINVAL;
	items->arrays = items->arrays << 1 | array;
	items->depth++;
	if (items->depth == DEPTH_ITEMS)
		items->in_items = array && items->after_items_key;
	else if (items->depth == DEPTH_ITEMS + 1 && items->in_items && !array)
		items->in_item = true;
	return 0;
}

/* Returns 1 if an item ends here. */
static int close_bracket(struct json_items *items, bool array)
{
	bool ended = items->in_item && items->depth == DEPTH_ITEMS + 1;

	if (items->depth == 0 || (items->arrays & 1) != array)
		return -EINVAL;
	items->arrays >>= 1;
	items->depth--;
	if (items->depth < DEPTH_ITEMS)
		items->in_items = false;
	if (ended)
		items->in_item = false;
	items->done = items->depth == 0;
	return ended;
}

/* A byte outside strings. Returns 1 if an item ends with it, else 0, or -EINVAL. */
static int take_byte(struct json_items *items, char c)
{
	if (c == ' ' || c == '\t' || c == '\n' || c == '\r')
		return 0;
	if (items->done || (items->depth == 0 && c != '{'))
		return -EINVAL;
	switch (c) {
	case '{':
	case '[':
		return open_bracket(items, c == '[');
	case '}':
	case ']':
		return close_bracket(items, c == ']');
	case '"':
		items->in_string = true;
		items->key_len = 0;
		items->key_differs = false;
		return 0;
	case ':':
		if (items->depth == DEPTH_KEYS) {
			items->after_items_key = !items->key_differs;
			items->found |= items->after_items_key;
		}
		return 0;
	case ',':
		if (items->depth == DEPTH_KEYS)
			items->after_items_key = false;
		return 0;
	default:
		return 0;
	}
}

static int add_to_item(struct json_items *items, const char *data, size_t len)
{
	if (items->item.len + len > JSON_ITEM_MAX)
		return -EMSGSIZE;
	buf_add(&items->item, data, len);
	return buf_failed(&items->item) ? -ENOMEM : 0;
}

static int end_item(struct json_items *items)
{
	items->on_item(items->context, items->item.data, items->item.len);
	buf_truncate(&items->item, 0);
	return 0;
}

int json_items_feed(struct json_items *items, const char *data, size_t len)
{
	size_t start = 0; /* of what is still to be added to the item */
	int err = 0;

	for (size_t i = 0; i < len; i++) {
		bool was_in_item = items->in_item;
		int ended;

		if (items->in_string) {
			take_string_byte(items, data[i]);
			continue;
		}
		ended = take_byte(items, data[i]);
		if (ended < 0)
			return ended;
		if (items->in_item && !was_in_item)
			start = i;
		if (!ended)
			continue;
		err = add_to_item(items, data + start, i + 1 - start);
		err = err ?: end_item(items);
		if (err)
			return err;
	}
	return items->in_item ? add_to_item(items, data + start, len - start) : 0;
}

int json_items_end(const struct json_items *items)
{
	if (!items->done)
		return -ENODATA;
	return items->found ? 0 : -EINVAL;
}
