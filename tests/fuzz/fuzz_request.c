/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Heads of requests that a stranger may send: METHOD, TARGET, then NAME and VALUE in turn, a line
 * each. Whatever passes has a path without control characters. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "http/request.h"
#include "http/target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The next line, in memory of its own, so that ASan sees its end. NULL: there is none. */
static char *next_line(const uint8_t **data, size_t *size)
{
	const uint8_t *end = *size ? memchr(*data, '\n', *size) : NULL;
	size_t len = end ? (size_t)(end - *data) : *size;
	char *line = *size ? strndup((const char *)*data, len) : NULL;

	*data += end ? len + 1 : len;
	*size -= end ? len + 1 : len;
	return line;
}

static void check_target(const char *method, const char *target)
{
	char *path, *c;

	if (target_parse(method, target, &path))
		return;
	for (c = path; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			abort();
	free(path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *method = next_line(&data, &size), *target = next_line(&data, &size), *name, *value;
	struct request_head head;

	if (method && target) {
		check_target(method, target);
		request_begin(&head, method, "HTTP/1.1");
		while ((name = next_line(&data, &size))) {
			value = next_line(&data, &size);
			request_header(&head, name, value ? value : "");
			free(name);
			free(value);
		}
		request_end(&head);
		if (!head.status && (head.hosts != 1 || head.encodings || head.lengths > 1))
			abort();
	}
	free(method);
	free(target);
	return 0;
}
