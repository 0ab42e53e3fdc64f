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

static void begin_family(struct samples *samples)
{
	const struct family *family = samples->family;
	struct buf *out = text_of(samples)->out;

	buf_puts(out, "# HELP ");
	buf_puts(out, family->name);
	buf_putc(out, ' ');
	buf_puts(out, family->help);
	buf_puts(out, "\n# TYPE ");
	buf_puts(out, family->name);
	buf_putc(out, ' ');
	buf_puts(out, family_kind_name(family->kind));
	buf_putc(out, '\n');
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

/* All labels of a sample, without the braces, for its lines to share. */
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

/* Seconds without rounding: nanoseconds are never put into a float. */
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

/* What every line begins with: the name, and the labels. */
static void put_start(struct text *text, const char *suffix)
{
	struct buf *out = text->out;

	buf_puts(out, text->samples.family->name);
	buf_puts(out, suffix);
	if (text->labels.len) {
		buf_putc(out, '{');
		buf_add(out, text->labels.data, text->labels.len);
		buf_putc(out, '}');
	}
	buf_putc(out, ' ');
}

static void put_number(struct text *text, const char *suffix, uint64_t number)
{
	put_start(text, suffix);
	buf_uint(text->out, number);
	buf_putc(text->out, '\n');
}

/* A value as its family counts it. */
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

static const char *bound_text(unsigned int i)
{
	static char texts[CLASSIC_BOUNDS][32];

	if (!texts[i][0])
		snprintf(texts[i], sizeof(texts[i]), "%.17g", classic_bound(i));
	return texts[i];
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
		put_bucket(text, bound_text(i), counts[i]);
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
}

static void end_family(struct samples *samples)
{
	(void)samples;
}

void text_begin(struct text *text, struct buf *out)
{
	static const struct samples_writer writer = {begin_family, write_sample, end_family};

	*text = (struct text){.samples.writer = &writer, .out = out};
}

void text_end(struct text *text)
{
	buf_free(&text->labels);
}
