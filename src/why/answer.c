/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "why/answer.h"

#include <math.h>

#include "diagnose/telling.h"
#include "expose/json_text.h"

#define BILLION 1e9

/* What is above all bounds has no number. */
static void put_real(struct json_text *json, const char *key, double value)
{
	if (!isfinite(value))
		return;
	json_text_key(json, key);
	json_text_billionths(json, llround(value * BILLION));
}

static void put_string(struct json_text *json, const char *key, const char *text)
{
	if (!text || !text[0])
		return;
	json_text_key(json, key);
	json_text_string(json, text);
}

static void put_bool(struct json_text *json, const char *key, bool value)
{
	json_text_key(json, key);
	json_text_bool(json, value);
}

static void put_unsigned(struct json_text *json, const char *key, uint64_t value)
{
	json_text_key(json, key);
	json_text_unsigned(json, value);
}

static void put_who(struct json_text *json, const char *name, const struct reading_labels *labels)
{
	put_string(json, "name", name);
	put_string(json, "namespace", labels->name_space);
	put_string(json, "pod", labels->pod);
	put_string(json, "container", labels->container);
	put_string(json, "unit", labels->unit);
}

static void put_by(struct json_text *json, const struct verdict *verdict)
{
	size_t i;

	json_text_key(json, "by");
	json_text_open(json, '[');
	for (i = 0; i < verdict->by_count; i++) {
		json_text_open(json, '{');
		put_who(json, verdict->by[i].name, &verdict->by[i].labels);
		if (!verdict->by_is_hint)
			put_real(json, "seconds", verdict->by[i].seconds);
		put_real(json, "share", verdict->by[i].share);
		json_text_close(json, '}');
	}
	json_text_close(json, ']');
	if (verdict->by_count)
		put_bool(json, "by_is_hint", verdict->by_is_hint);
	if (verdict->by_bytes > 0)
		put_unsigned(json, "by_bytes", (uint64_t)verdict->by_bytes);
}

/* What the numbers are of is said by the field of the API that they come from. */
static void put_evidence(struct json_text *json, const struct verdict *verdict)
{
	const struct evidence *evidence = &verdict->evidence;

	json_text_key(json, "evidence");
	json_text_open(json, '{');
	if (verdict->cause < CAUSES_TIMED) {
		put_string(json, "field",
			   signal_field_name(evidence->is_hist, evidence->is_hist
									? (int)evidence->hist
									: (int)evidence->counter));
		if (evidence->is_hist) {
			put_unsigned(json, "count", (uint64_t)evidence->count);
			put_real(json, "per_second", evidence->per_second);
			put_real(json, "p99_seconds", evidence->p99_seconds);
		}
		put_real(json, "worst_minute_share", verdict->worst_share);
	} else if (verdict->cause < CAUSES_OF_OWNERS) {
		put_unsigned(json, "count", (uint64_t)verdict->count);
	}
	if (verdict->memory_limit > 0)
		put_unsigned(json, "memory_limit_bytes", (uint64_t)verdict->memory_limit);
	json_text_close(json, '}');
}

static void put_text(struct json_text *json, const char *key, struct buf *text)
{
	json->buf.failed |= buf_failed(text);
	put_string(json, key, text->data);
	buf_free(text);
}

static void put_verdict(struct json_text *json, const struct verdict *verdict, double now_seconds)
{
	struct buf sentence = {0}, advice = {0};

	json_text_open(json, '{');
	put_string(json, "cause", cause_kinds[verdict->cause].name);
	put_who(json, verdict->name, &verdict->labels);
	put_string(json, "where", verdict->where);
	put_real(json, "seconds", verdict->seconds);
	put_real(json, "share", verdict->share);
	put_real(json, "since_seconds", verdict->since_seconds);
	put_real(json, "until_seconds", verdict->until_seconds);
	put_real(json, "began_seconds_ago", now_seconds - verdict->since_seconds);
	put_real(json, "ended_seconds_ago", now_seconds - verdict->until_seconds);
	put_bool(json, "goes_on", verdict->goes_on);
	put_by(json, verdict);
	put_evidence(json, verdict);
	verdict_sentence(&sentence, verdict);
	put_text(json, "sentence", &sentence);
	verdict_advice(&advice, verdict);
	put_text(json, "advice", &advice);
	put_string(json, "hint", verdict_hint(verdict));
	json_text_close(json, '}');
}

static void put_list(struct json_text *json, const char *key, const struct verdict *list,
		     size_t count, double now_seconds)
{
	size_t i;

	json_text_key(json, key);
	json_text_open(json, '[');
	for (i = 0; i < count; i++)
		put_verdict(json, &list[i], now_seconds);
	json_text_close(json, ']');
}

char *why_answer(const struct record *record, const struct verdicts *verdicts, const char *who)
{
	size_t own = verdicts->count - verdicts->caused_count;
	struct json_text json = {0};
	int i;

	json_text_open(&json, '{');
	put_string(&json, "who", who);
	put_real(&json, "time_seconds", verdicts->now_seconds);
	put_real(&json, "window_seconds", verdicts->window_seconds);
	json_text_key(&json, "not_measured");
	json_text_open(&json, '[');
	for (i = 0; i < WAIT_CAUSES; i++)
		if (!record->measured[i])
			json_text_string(&json, cause_kinds[i].name);
	json_text_close(&json, ']');
	put_unsigned(&json, "left_out", record->left_out);
	put_list(&json, "findings", verdicts->list, own, verdicts->now_seconds);
	put_list(&json, "causes", verdicts->list + own, verdicts->caused_count,
		 verdicts->now_seconds);
	json_text_close(&json, '}');
	return buf_take(&json.buf);
}
