/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Splits a JSON list of Kubernetes while it arrives: {..., "items": [{...}, ...]}. Each item is
 * passed on as soon as it is complete. So a list of megabytes needs only the memory of its largest
 * item.
 *
 * Text outside the items is parsed only as far as needed to find them. An item is text with
 * balanced brackets, which another parser reads.
 */
#ifndef BRAMBLE_JSON_ITEMS_H
#define BRAMBLE_JSON_ITEMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/buf.h"

/* More than an object of Kubernetes can have: etcd refuses requests of over 1.5 MiB. */
#define JSON_ITEM_MAX ((size_t)2 << 20)

/* Takes one item. The text has no NUL at its end, and is gone after the call. */
typedef void (*json_item_fn)(void *context, const char *text, size_t len);

struct json_items {
	json_item_fn on_item;
	void *context;

	/* The rest is private. */
	struct buf item;
	uint64_t arrays; /* a bit for each open bracket, the innermost lowest: 1 if it is a [ */
	unsigned int depth;
	unsigned int key_len; /* of the string at depth 1, while it is that of "items" */
	bool in_string, escaped;
	bool key_differs;
	bool after_items_key; /* the value that follows is that of "items" */
	bool in_items, in_item;
	bool found, done;
};

/* Begins a list. Zero the struct before the first list, and free it after the last one. */
void json_items_begin(struct json_items *items, json_item_fn on_item, void *context);

/*
 * Takes the next bytes. Returns 0; -EINVAL if this cannot become a JSON object; -EMSGSIZE if an
 * item is too large; -ENOMEM. After an error, feed nothing more.
 */
int json_items_feed(struct json_items *items, const char *data, size_t len);

/* The bytes have ended. Returns 0; -ENODATA if the object is incomplete; -EINVAL if it has no
 * items. */
int json_items_end(const struct json_items *items);

void json_items_free(struct json_items *items);

#endif
