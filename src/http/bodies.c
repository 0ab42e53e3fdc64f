/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "http/bodies.h"

#include <stdlib.h>

#include <utlist.h>

#include "util/clock.h"

struct http_body *body_new(struct bodies *all, char *data, size_t len, unsigned int kind)
{
	struct http_body *body = calloc(1, sizeof(*body));

	if (!body) {
		free(data);
		return NULL;
	}
	body->all = all;
	body->data = data;
	body->len = len;
	body->kind = kind;
	body->turn = all->turn;
	body->made_ns = clock_monotonic_ns();
	body->refs = kind ? 1 : 0;
	all->bytes += len;
	DL_PREPEND(all->list, body);
	return body;
}

void body_unref(void *context)
{
	struct http_body *body = context;

	if (--body->refs)
		return;
	DL_DELETE(body->all->list, body);
	body->all->bytes -= body->len;
	free(body->data);
	free(body);
}

struct http_body *bodies_find(const struct bodies *all, unsigned int kind)
{
	struct http_body *body;

	DL_FOREACH(all->list, body)
		if (body->kind == kind)
			break;
	return body;
}

void bodies_end_turn(struct bodies *all)
{
	struct http_body *body, *next;

	DL_FOREACH_SAFE(all->list, body, next) {
		if (body->turn != all->turn)
			break;
		if (body->kind)
			body_unref(body);
	}
}
