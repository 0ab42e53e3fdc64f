/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The layout of a classic tracepoint's record, as the running kernel gives it in tracefs:
 * events/<category>/<name>/format, printed by f_show() in the kernel's kernel/trace/trace_events.c.
 * The parser is strict. It refuses a text that is cut short or damaged, because nothing would show
 * that an offset is wrong.
 */
#ifndef BRAMBLE_TRACEFS_FORMAT_H
#define BRAMBLE_TRACEFS_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

enum {
	TRACEFS_FIELDS_MAX = 128,      /* of an event; the most that was seen is 54 */
	TRACEFS_RECORD_MAX = 64 << 10, /* bytes; a record fits in a page of the kernel */
	TRACEFS_NAME_MAX = 64,	       /* bytes of a field's or enum's name, with the NUL */
};

enum tracefs_kind {
	TRACEFS_INT,	 /* size is 1, 2, 4 or 8 */
	TRACEFS_POINTER, /* size is 4 or 8 */
	TRACEFS_ENUM,	 /* size is 1, 2, 4 or 8; tag is its name */
	TRACEFS_BYTES,	 /* anything else: a struct, a uuid_t */
};

/* One field of a record: a value, or an array of count values. */
struct tracefs_field {
	char name[TRACEFS_NAME_MAX]; /* as the kernel's struct has it: __data_loc_path */
	char tag[TRACEFS_NAME_MAX];
	enum tracefs_kind kind;
	bool is_signed;
	bool is_bool;
	bool is_array;
	__u32 offset; /* bytes from the record's start, where the common fields are */
	__u32 size;   /* bytes of one value */
	__u32 count;  /* of an array; may be 0 */
};

struct tracefs_format {
	struct tracefs_field fields[TRACEFS_FIELDS_MAX];
	unsigned int count;
	__u32 size; /* bytes up to the end of the last field */
};

/*
 * Parses a format file of len bytes. The common fields are checked like the others, but left out.
 * The others keep their offsets. Returns 0, or -EINVAL when the text is damaged.
 */
int tracefs_format_parse(struct tracefs_format *format, const char *text, size_t len);

#endif
