/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "top/print.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include <jansson.h>

/* WAIT%, P50, P99, WAITS/s and CSW/s with their gaps; the rest is for two names. */
#define NUMBERS_WIDTH 39
#define WIDTH_MIN     80

void top_format_seconds(char text[16], double seconds)
{
	static const struct {
		double unit;
		const char *name;
	} units[] = {{1, "s"}, {1e-3, "ms"}, {1e-6, "us"}, {1e-9, "ns"}};
	size_t i = 0;

	if (seconds <= 0) {
		snprintf(text, 16, "-");
		return;
	}
	if (isinf(seconds)) {
		snprintf(text, 16, ">128s");
		return;
	}
	while (i < 3 && seconds < 0.9995 * units[i].unit)
		i++;
	seconds /= units[i].unit;
	snprintf(text, 16, "%.*f%s", seconds < 9.95 ? 1 : 0, seconds, units[i].name);
}

/* The bytes of a character of UTF-8, which JSON's strings are. */
static size_t char_len(const char *text)
{
	size_t len = 1;

	while (((unsigned char)text[len] & 0xc0) == 0x80)
		len++;
	return len;
}

static int count_chars(const char *text)
{
	int count = 0;

	for (; *text; text += char_len(text))
		count++;
	return count;
}

/* Control characters (C0, DEL and C1) would command the terminal. */
static bool is_control(const char *text)
{
	unsigned char c = (unsigned char)text[0];

	return c < 0x20 || c == 0x7f || (c == 0xc2 && (unsigned char)text[1] < 0xa0);
}

/*
 * Prints text in width columns, one a character. What is too long loses its
 * middle: both ends tell names apart.
 */
static void put_name(FILE *out, const char *text, int width)
{
	int count = count_chars(text), head = (width - 1) / 2;
	int tail = count > width ? count - (width - 1 - head) : head;
	int i;

	for (i = 0; *text; i++, text += char_len(text)) {
		if (i >= head && i < tail) {
			if (i == head)
				fputc('~', out);
		} else if (is_control(text)) {
			fputc('?', out);
		} else {
			fwrite(text, 1, char_len(text), out);
		}
	}
	if (count < width)
		fprintf(out, "%*s", width - count, "");
}

static void put_cause(FILE *out, const struct top_row *row, int width)
{
	if (!row->cause_count) {
		put_name(out, "-", width);
		return;
	}
	width -= fprintf(out, "%.0f%% ", 100 * fmin(1, row->causes[0].seconds / row->wait_seconds));
	put_name(out, row->causes[0].name, width);
}

static void put_row(FILE *out, const struct top_row *row, int name_width, int cause_width)
{
	double percent = 100 * row->wait_ratio;
	char p50[16], p99[16];

	top_format_seconds(p50, row->p50);
	top_format_seconds(p99, row->p99);
	put_name(out, row->name, name_width);
	fprintf(out, " %6.*f %6s %6s %7.0f %7.0f  ", percent < 9999.95 ? 1 : 0, percent, p50, p99,
		row->waits, row->voluntary + row->involuntary);
	put_cause(out, row, cause_width);
	fputc('\n', out);
}

void top_print_table(const struct top_rows *rows, unsigned int width, FILE *out)
{
	int names = (int)(width < WIDTH_MIN ? WIDTH_MIN : width) - NUMBERS_WIDTH;
	int name_width = names / 2, cause_width = names - name_width;
	size_t i;

	fprintf(out, "%-*s %6s %6s %6s %7s %7s  %s\n", name_width, "CONTAINER OR UNIT", "WAIT%",
		"P50", "P99", "WAITS/s", "CSW/s", "CAUSED BY");
	for (i = 0; i < rows->count; i++)
		put_row(out, &rows->rows[i], name_width, cause_width);
	if (!rows->count)
		fputs("(nothing ran)\n", out);
}

static json_t *row_json(const struct top_row *row)
{
	json_t *object = json_object(), *causes = json_array();
	size_t i;

	if (row->unit[0]) {
		json_object_set_new(object, "unit", json_string(row->unit));
	} else {
		json_object_set_new(object, "namespace", json_string(row->name_space));
		json_object_set_new(object, "pod", json_string(row->pod));
		json_object_set_new(object, "container", json_string(row->container));
	}
	json_object_set_new(object, "wait_ratio", json_real(row->wait_ratio));
	json_object_set_new(object, "waits_per_second", json_real(row->waits));
	/* JSON has no infinity: a wait longer than the last bucket's bound has no bound. */
	json_object_set_new(object, "wait_p50_seconds",
			    isinf(row->p50) ? json_null() : json_real(row->p50));
	json_object_set_new(object, "wait_p99_seconds",
			    isinf(row->p99) ? json_null() : json_real(row->p99));
	json_object_set_new(object, "voluntary_switches_per_second", json_real(row->voluntary));
	json_object_set_new(object, "involuntary_switches_per_second", json_real(row->involuntary));
	for (i = 0; i < row->cause_count; i++)
		json_array_append_new(causes, json_pack("{s:s, s:f}", "name", row->causes[i].name,
							"seconds", row->causes[i].seconds));
	json_object_set_new(object, "caused_by", causes);
	return object;
}

int top_print_json(const struct top_rows *rows, FILE *out)
{
	json_t *list = json_array();
	json_t *root;
	size_t i;
	int err;

	for (i = 0; i < rows->count; i++)
		json_array_append_new(list, row_json(&rows->rows[i]));
	root = json_pack("{s:f, s:o}", "interval_seconds", rows->seconds, "containers", list);
	err = root && json_dumpf(root, out, JSON_COMPACT | JSON_REAL_PRECISION(9)) == 0 ? 0
											: -ENOMEM;
	fputc('\n', out);
	json_decref(root);
	return err;
}
