/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "why/print.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "diagnose/format.h"
#include "util/clock.h"
#include "util/utf8.h"

#define WIDTH  80
#define INDENT 3

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

static double number_of(const json_t *object, const char *key)
{
	return json_number_value(json_object_get(object, key));
}

/* Names are what others have made up: nothing of them may move the cursor. */
static void put_words(struct buf *out, const char *text)
{
	struct buf clean = {0};
	uint32_t code;
	size_t len;

	for (; *text; text += len) {
		len = utf8_decode(text, &code); /* JSON is UTF-8 */
		if (len && !utf8_is_control(code)) {
			buf_add(&clean, text, len);
			continue;
		}
		buf_putc(&clean, '?');
		len = len ?: 1;
	}
	buf_wrap(out, clean.data ? clean.data : "", INDENT, WIDTH);
	out->failed |= buf_failed(&clean);
	buf_free(&clean);
}

static void put_indented(struct buf *out, const char *text)
{
	buf_printf(out, "%*s", INDENT, "");
	put_words(out, text);
}

/* A line of several words, and a text behind them. */
static void put_labelled(struct buf *out, const char *label, const char *text)
{
	struct buf line = {0};

	if (!text[0])
		return;
	buf_printf(&line, "%s: %s", label, text);
	put_indented(out, line.data ? line.data : "");
	out->failed |= buf_failed(&line);
	buf_free(&line);
}

static void put_clock(char text[FORMAT_SIZE], uint64_t now_wall_ns, double seconds_ago)
{
	double ns = seconds_ago * (double)NS_PER_S;

	format_clock(text, ns < (double)now_wall_ns ? now_wall_ns - (uint64_t)ns : 0);
}

static void put_since(struct buf *out, const json_t *finding, uint64_t now_wall_ns)
{
	double began = number_of(finding, "began_seconds_ago");
	double ended = number_of(finding, "ended_seconds_ago");
	char from[FORMAT_SIZE], to[FORMAT_SIZE], lasts[FORMAT_SIZE];

	put_clock(from, now_wall_ns, began);
	put_clock(to, now_wall_ns, ended);
	format_interval(lasts, began - ended);
	if (json_is_true(json_object_get(finding, "goes_on")))
		buf_printf(out, "%*ssince %s (%s), and it goes on\n", INDENT, "", from, lasts);
	else
		buf_printf(out, "%*sfrom %s to %s (%s)\n", INDENT, "", from, to, lasts);
}

static void put_finding(struct buf *out, size_t number, const json_t *finding, uint64_t now_wall_ns)
{
	buf_printf(out, "%zu. ", number);
	put_words(out, text_of(finding, "sentence"));
	put_since(out, finding, now_wall_ns);
	put_labelled(out, "what helps", text_of(finding, "advice"));
	put_labelled(out, "a hint only", text_of(finding, "hint"));
}

static void put_findings(struct buf *out, const json_t *list, size_t most, uint64_t now_wall_ns)
{
	size_t i, count = json_array_size(list);

	for (i = 0; i < count && i < most; i++)
		put_finding(out, i + 1, json_array_get(list, i), now_wall_ns);
	if (count > most)
		buf_printf(out,
			   "and %zu more: `bramble why POD` has those of a pod, --json has all\n",
			   count - most);
}

static void put_caused(struct buf *out, const json_t *list, const char *who)
{
	size_t i;

	if (!json_array_size(list))
		return;
	buf_printf(out, "What others lost because of %s:\n", who);
	for (i = 0; i < json_array_size(list); i++) {
		buf_puts(out, "-  ");
		put_words(out, text_of(json_array_get(list, i), "sentence"));
	}
}

static void put_missing(struct buf *out, const json_t *list)
{
	size_t i;

	for (i = 0; i < json_array_size(list); i++)
		buf_printf(out, "%s%s", i ? ", " : "not measured here: ",
			   json_string_value(json_array_get(list, i)));
	if (i)
		buf_putc(out, '\n');
}

int why_print(const json_t *answer, uint64_t now_wall_ns, struct buf *out)
{
	const json_t *findings = json_object_get(answer, "findings");
	const json_t *who = json_object_get(answer, "who");
	const char *name = who ? text_of(answer, "who") : "this node";
	char window[FORMAT_SIZE];

	if (!json_is_array(findings))
		return -EINVAL;
	format_interval(window, number_of(answer, "window_seconds"));
	if (number_of(answer, "window_seconds") <= 0)
		buf_puts(out, "serve has only just begun to watch: ask again in 20 s\n");
	else if (!json_array_size(findings))
		buf_printf(out, "Nothing was wrong with %s in the last %s.\n", name, window);
	else
		put_findings(out, findings, who ? SIZE_MAX : WHY_WORST, now_wall_ns);
	put_caused(out, json_object_get(answer, "causes"), name);
	if (number_of(answer, "window_seconds") > 0)
		put_missing(out, json_object_get(answer, "not_measured"));
	return 0;
}
