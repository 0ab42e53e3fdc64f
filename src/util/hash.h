/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * uthash's tables, with memory that may run out. uthash.h by itself ends the program then. So this
 * is included instead of it, and elements are added with HASH_TRY_ADD() alone; `make lint` looks
 * for that. A table may be used by one thread at a time.
 */
#ifndef BRAMBLE_HASH_H
#define BRAMBLE_HASH_H

#include <stdbool.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

/* uthash leaves an element that it has not taken without a table. */
__attribute__((warn_unused_result)) static inline bool hash_taken(const UT_hash_handle *handle)
{
	return handle->tbl;
}

/*
 * Adds an element to the table head, by a key that must stay where it is. hh: the element's handle
 * for this table. False without memory: the table is as it was, the element is still the caller's.
 */
#define HASH_TRY_ADD(hh, head, keyptr, keylen, element)                                            \
	({                                                                                         \
		HASH_ADD_KEYPTR(hh, head, keyptr, keylen, element);                                \
		hash_taken(&(element)->hh);                                                        \
	})

/*
 * Gives an element of a table another key. It keeps its place in the table's order. Needs no
 * memory, and so cannot fail.
 */
static inline void hash_rekey(UT_hash_handle *handle, const void *key, size_t len)
{
	UT_hash_table *table = handle->tbl;
	unsigned int bucket, noexpand = table->noexpand;
	int out_of_memory = 0;

	HASH_TO_BKT(handle->hashv, table->num_buckets, bucket);
	HASH_DEL_IN_BKT(table->buckets[bucket], handle);
	handle->key = key;
	handle->keylen = (unsigned int)len;
	HASH_VALUE(key, handle->keylen, handle->hashv);
	HASH_TO_BKT(handle->hashv, table->num_buckets, bucket);
	table->noexpand = 1; /* the next element that is added may have it expand */
	HASH_ADD_TO_BKT(table->buckets[bucket], hh, handle, out_of_memory);
	table->noexpand = noexpand;
	(void)out_of_memory;
}

#endif
