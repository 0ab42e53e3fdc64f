/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "why/why.h"

#include <errno.h>
#include <limits.h>

#include <jansson.h>

#include "util/buf.h"
#include "util/clock.h"
#include "util/log.h"
#include "why/ask.h"
#include "why/print.h"

/* When the answer's time was, by the wall clock. It has the monotonic clock's. */
static uint64_t wall_of(const json_t *answer)
{
	double seconds = json_number_value(json_object_get(answer, "time_seconds"));
	uint64_t now_ns = clock_monotonic_ns(), then_ns = (uint64_t)(seconds * (double)NS_PER_S);

	return clock_realtime_ns() - (then_ns < now_ns ? now_ns - then_ns : 0);
}

static int print(const struct why_options *options, const struct buf *reply, const json_t *answer,
		 FILE *out)
{
	size_t count = json_array_size(json_object_get(answer, "findings"));
	struct buf text = {0};
	int err;

	if (options->json) {
		fprintf(out, "%s\n", reply->data);
		return (int)count;
	}
	err = why_print(answer, wall_of(answer), &text);
	if (!err && buf_failed(&text))
		err = -ENOMEM;
	if (!err)
		fputs(text.data, out);
	buf_free(&text);
	return err ?: (int)count;
}

int why_run(const struct why_options *options, FILE *out)
{
	struct buf reply = {0};
	json_t *answer;
	int err = why_ask(options->socket, options->who, options->since_ns, &reply);

	if (err)
		return err;
	answer = json_loads(reply.data, 0, NULL);
	err = answer ? print(options, &reply, answer, out) : -EINVAL;
	if (err == -EINVAL)
		log_error("serve at %s answers what docs/api.md does not say: is it of another "
			  "version?",
			  options->socket);
	json_decref(answer);
	buf_free(&reply);
	return err;
}
