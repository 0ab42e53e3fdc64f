/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "expose/text.h"

#include <stdio.h>
#include <string.h>

#include "expose/classic.h"
#include "util/clock.h"

static struct text *text_of(struct samples *samples)
{
	return (struct text *)samples; /* its first member */
}

static bool ends_with(const char *name, const char *end)
{
	size_t len = strlen(name), end_len = strlen(end);

	return len > end_len && strcmp(name + len - end_len, end) == 0;
}

/* Info is a kind of its own in OpenMetrics. */
static bool is_info(const struct family *family)
{
	return family->kind == KIND_GAUGE && ends_with(family->name, "_info");
}

/* "# TYPE bramble_cpu_wait_seconds " */
static void put_comment(struct text *text, const char *word)
{
	struct buf *out = text->out;

	buf_puts(out, "# ");
	buf_puts(out, word);
	buf_putc(out, ' ');
	buf_add(out, text->samples.family->name, text->base_len);
	buf_putc(out, ' ');
}

/* A quote needs no escape here in the text format. In OpenMetrics it does. Our texts have neither
 * backslashes nor newlines. */
static void put_help(struct text *text, const char *help)
{
	const char *quote;

	put_comment(text, "HELP");
	while (text->format == TEXT_OPENMETRICS && (quote = strchr(help, '"'))) {
		buf_add(text->out, help, (size_t)(quote - help));
		buf_puts(text->out, "\\\"");
		help = quote + 1;
	}
	buf_puts(text->out, help);
	buf_putc(text->out, '\n');
}

static void begin_family(struct samples *samples)
{
	const struct family *family = samples->family;
	struct text *text = text_of(samples);
	bool openmetrics = text->format == TEXT_OPENMETRICS;
	const char *unit = openmetrics ? family_unit(family) : NULL;

	text->base_len = strlen(family->name);
	if (openmetrics && family->kind == KIND_COUNTER && ends_with(family->name, "_total"))
		text->base_len -= strlen("_total");
	if (openmetrics && is_info(family))
		text->base_len -= strlen("_info");
	put_help(text, family->help);
	put_comment(text, "TYPE");
	buf_puts(text->out,
		 openmetrics && is_info(family) ? "info" : family_kind_name(family->kind));
	buf_putc(text->out, '\n');
	if (!unit)
		return;
	put_comment(text, "UNIT");
	buf_puts(text->out, unit);
	buf_putc(text->out, '\n');
}

/* name="value", with \, " and newline escaped. */
static void put_label(struct buf *out, const struct label *label)
{
	const char *value = label->value, *end;

	buf_puts(out, label->name);
	buf_add(out, "=\"", 2);
	while (*value) {
		end = value + strcspn(value, "\\\"\n");
		buf_add(out, value, (size_t)(end - value));
		value = end;
		if (!*value)
			break;
		buf_add(out, *value == '\n' ? "\\n" : *value == '"' ? "\\\"" : "\\\\", 2);
		value++;
	}
	buf_putc(out, '"');
}

/* Writes all labels of a sample, without the braces. All lines of the sample share them. */
static void set_labels(struct text *text, const struct sample *sample)
{
	size_t i;

	buf_truncate(&text->labels, 0);
	for (i = 0; i < sample->label_count; i++) {
		if (i)
			buf_putc(&text->labels, ',');
		put_label(&text->labels, &sample->labels[i]);
	}
	if (buf_failed(&text->labels))
		text->out->failed = true;
}

/* Writes seconds without rounding: nanoseconds are never converted to a float. */
static void put_seconds(struct buf *out, uint64_t ns)
{
	char fraction[10] = "000000000";
	uint64_t rest = ns % NS_PER_S;
	int i;

	for (i = 8; rest; i--, rest /= 10)
		fraction[i] = (char)('0' + rest % 10);
	buf_uint(out, ns / NS_PER_S);
	buf_putc(out, '.');
	buf_add(out, fraction, 9);
}

static void put_line_labels(struct text *text)
{
	struct buf *out = text->out;

	if (text->labels.len) {
		buf_putc(out, '{');
		buf_add(out, text->labels.data, text->labels.len);
		buf_putc(out, '}');
	}
	buf_putc(out, ' ');
}

/* Writes the beginning of a line: the name and the labels. */
static void put_start(struct text *text, const char *suffix)
{
	buf_puts(text->out, text->samples.family->name);
	buf_puts(text->out, suffix);
	put_line_labels(text);
}

static void put_number(struct text *text, const char *suffix, uint64_t number)
{
	put_start(text, suffix);
	buf_uint(text->out, number);
	buf_putc(text->out, '\n');
}

/* Writes a value in the unit of its family. */
static void put_value(struct text *text, const char *suffix, uint64_t value)
{
	if (!text->samples.family->seconds) {
		put_number(text, suffix, value);
		return;
	}
	put_start(text, suffix);
	put_seconds(text->out, value);
	buf_putc(text->out, '\n');
}

/* In OpenMetrics, the time of creation is a sample of its own, for the kinds that count up. */
static void put_created(struct text *text, const struct sample *sample)
{
	struct buf *out = text->out;

	if (text->format != TEXT_OPENMETRICS || !text->created || !sample->created_ns)
		return;
	buf_add(out, text->samples.family->name, text->base_len);
	buf_puts(out, "_created");
	put_line_labels(text);
	put_seconds(out, sample->created_ns);
	buf_putc(out, '\n');
}

/* OpenMetrics writes bounds that are whole numbers with a fraction. */
static const char *bound_text(const struct text *text, unsigned int i)
{
	static char texts[2][CLASSIC_BOUNDS][32];
	char *bound = texts[text->format][i];

	if (!bound[0])
		snprintf(bound, sizeof(texts[0][0]),
			 text->format == TEXT_OPENMETRICS && classic_bound(i) >= 1 ? "%.1f"
										   : "%.17g",
			 classic_bound(i));
	return bound;
}

static void put_bucket(struct text *text, const char *bound, uint64_t count)
{
	struct buf *out = text->out;

	buf_puts(out, text->samples.family->name);
	buf_puts(out, "_bucket{");
	buf_add(out, text->labels.data, text->labels.len);
	buf_puts(out, text->labels.len ? ",le=\"" : "le=\"");
	buf_puts(out, bound);
	buf_add(out, "\"} ", 3);
	buf_uint(out, count);
	buf_putc(out, '\n');
}

static void put_histogram(struct text *text, const struct hist_total *hist)
{
	uint64_t counts[CLASSIC_BOUNDS + 1];
	unsigned int i;

	classic_counts(hist, counts);
	for (i = 0; i < CLASSIC_BOUNDS; i++)
		put_bucket(text, bound_text(text, i), counts[i]);
	put_bucket(text, "+Inf", counts[CLASSIC_BOUNDS]);
	put_value(text, "_sum", hist->sum_ns);
	put_number(text, "_count", counts[CLASSIC_BOUNDS]);
}

static void write_sample(struct samples *samples, const struct sample *sample)
{
	const struct family *family = samples->family;
	struct text *text = text_of(samples);

	set_labels(text, sample);
	if (family->kind == KIND_HISTOGRAM) {
		put_histogram(text, sample->hist);
	} else if (family->kind == KIND_SUMMARY) {
		put_value(text, "_sum", sample->value);
		put_number(text, "_count", sample->count);
	} else if (family->real) {
		put_start(text, "");
		buf_printf(text->out, "%.15g\n", sample->real);
	} else {
		put_value(text, "", sample->value);
	}
	if (family->kind != KIND_GAUGE)
		put_created(text, sample);
}

static void end_family(struct samples *samples)
{
	(void)samples;
}

void text_begin(struct text *text, struct buf *out, enum text_format format)
{
	static const struct samples_writer writer = {begin_family, write_sample, end_family};

	*text = (struct text){
		.samples.writer = &writer, .out = out, .format = format, .created = true};
}

void text_end(struct text *text)
{
	if (text->format == TEXT_OPENMETRICS)
		buf_puts(text->out, "# EOF\n");
	buf_free(&text->labels);
}
