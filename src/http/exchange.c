/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "http/exchange.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "http/line_ends.h"
#include "http/request.h"
#include "http/target.h"

struct exchange *exchange_new(struct MHD_Connection *connection, const char *target)
{
	struct exchange *exchange = calloc(1, sizeof(*exchange));

	if (!exchange)
		return NULL;
	exchange->connection = connection;
	exchange->came = target;
	exchange->target = strdup(target ?: "");
	if (exchange->target)
		return exchange;
	free(exchange);
	return NULL;
}

void exchange_free(struct exchange *exchange)
{
	if (!exchange)
		return;
	free(exchange->target);
	free(exchange->path);
	free(exchange);
}

/* The checks of a head while its headers are gone through. */
struct checks {
	struct request_head head;
	struct line_ends ends;
};

static enum MHD_Result check_header(void *context, enum MHD_ValueKind kind, const char *name,
				    const char *value)
{
	struct checks *checks = context;

	(void)kind;
	request_header(&checks->head, name, value ?: "");
	line_ends_header(&checks->ends, name, value ?: "");
	return MHD_YES;
}

/* Whether every line ended as it should. */
static bool lines_right(const struct line_ends *ends, struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);

	return EXCHANGE_FINDS_LINE_ENDS || (info && line_ends_right(ends, info->header_size));
}

unsigned int exchange_check(struct exchange *exchange, const char *method, const char *version,
			    const char **fault)
{
	struct checks checks;
	int err;

	exchange->checked = true;
	request_begin(&checks.head, method, version);
	line_ends_begin(&checks.ends, method, exchange->came, strlen(exchange->target), version);
	MHD_get_connection_values(exchange->connection, MHD_HEADER_KIND, check_header, &checks);
	request_end(&checks.head);
	*fault = "a line of the head has another end than CR LF, a fold, a NUL or a space too many";
	if (!lines_right(&checks.ends, exchange->connection))
		return MHD_HTTP_BAD_REQUEST;
	*fault = checks.head.fault;
	if (checks.head.status)
		return checks.head.status;
	err = target_parse(method, exchange->target, &exchange->path);
	*fault = err == -ENOMEM ? "out of memory" : "the target is wrong";
	return err == -ENOMEM ? MHD_HTTP_INTERNAL_SERVER_ERROR : err ? MHD_HTTP_BAD_REQUEST : 0;
}
