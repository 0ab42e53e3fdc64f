/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "top/columns.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* clang-format off */
const struct column column_list[COLUMNS_ALL] = {
	[COLUMN_NAME] = {"NAME", "name", "namespace/pod/container, or the unit",
			 18, 70, 0, true},
	[COLUMN_CPU] = {"CPU%", "cpu", "use of CPUs; 100 is one CPU", 5, 5, 2, false},
	[COLUMN_WAIT] = {"WAIT%", "wait", "waiting for a CPU; 100 is one task all the time",
			 5, 5, 1, false},
	[COLUMN_P99] = {"W99", "p99", "99 of 100 waits for a CPU were shorter",
			6, 6, 9, false},
	[COLUMN_BAR] = {"WHERE TIME GOES", NULL, "what it waited for, by cause",
			10, 24, 4, true},
	[COLUMN_CAUSE] = {"CAUSED BY", NULL, "who ran while it waited for a CPU, most of all",
			  14, 60, 3, true},
	[COLUMN_DISK] = {"DISK", "disk", "99 of 100 reads and writes were shorter", 6, 6, 6, false},
	[COLUMN_FSYNC] = {"FSYNC", "fsync", "99 of 100 fsyncs were shorter", 6, 6, 5, false},
	[COLUMN_RESPONSE] = {"RESP", "response", "99 of 100 answers it gave were shorter",
			     6, 6, 7, false},
	[COLUMN_RATE] = {"REQ/s", "rate", "answers it gave, a second", 5, 5, 8, false},
	[COLUMN_RETRANSMITS] = {"RETR", "retransmits", "TCP segments sent again, a second",
				5, 5, 10, false},
	[COLUMN_STALL] = {"MEM%", "stall", "stalled for memory; 100 is one task all the time",
			  5, 5, 11, false},
	[COLUMN_WAITS] = {"WAIT/s", "waits", "waits for a CPU, a second", 6, 6, 12, false},
	[COLUMN_SWITCHES] = {"CSW/s", "switches", "context switches, a second", 5, 5, 13, false},
};

const char *const column_sort_names[] = {
	"wait", "cpu", "p99", "disk", "fsync", "response", "rate", "retransmits", "stall", "waits",
	"switches", "name", NULL,
};
/* clang-format on */

enum column_id column_of_sort(int sort)
{
	int i;

	for (i = 0; i < COLUMNS_ALL; i++)
		if (column_list[i].word &&
		    strcmp(column_list[i].word, column_sort_names[sort]) == 0)
			return (enum column_id)i;
	return COLUMN_WAIT;
}

bool column_measured(const struct rows *rows, enum column_id id)
{
	switch (id) {
	case COLUMN_CPU:
		return rows->value_measured[SIGNAL_CPU_USAGE];
	case COLUMN_WAIT:
	case COLUMN_P99:
	case COLUMN_CAUSE:
	case COLUMN_WAITS:
		return rows->hist_measured[SIGNAL_CPU_WAIT];
	case COLUMN_DISK:
		return rows->hist_measured[SIGNAL_BLOCK_READ] ||
		       rows->hist_measured[SIGNAL_BLOCK_WRITE];
	case COLUMN_FSYNC:
		return rows->hist_measured[SIGNAL_FSYNC];
	case COLUMN_RESPONSE:
	case COLUMN_RATE:
		return rows->hist_measured[SIGNAL_RESPONSE_SERVER];
	case COLUMN_RETRANSMITS:
		return rows->value_measured[SIGNAL_RETRANSMITS];
	case COLUMN_STALL:
		return rows->hist_measured[SIGNAL_MEMORY_STALL] ||
		       rows->value_measured[SIGNAL_PRESSURE_MEMORY];
	case COLUMN_SWITCHES:
		return rows->value_measured[SIGNAL_SWITCHES_VOLUNTARY];
	default:
		return true;
	}
}

/* Columns that are measured come first, then by their order. */
static int rank(const struct rows *rows, enum column_id id)
{
	return column_list[id].order + (column_measured(rows, id) ? 0 : COLUMNS_ALL);
}

/* Names need more room than the bar: for so many cells of theirs the bar gets one. */
#define BAR_TURNS 4

/* Gives the cells that are left to the columns that can grow, one to each in turn. */
static void grow(struct column_layout *layout, int left)
{
	bool grown = true;
	int i, turn;

	for (turn = 1; left > 0 && (grown || turn % BAR_TURNS != 1); turn++) {
		grown = false;
		for (i = 0; i < layout->count && left > 0; i++) {
			struct column_place *place = &layout->places[i];

			if (place->width >= column_list[place->id].most)
				continue;
			if (place->id == COLUMN_BAR && turn % BAR_TURNS)
				continue;
			place->width++;
			left--;
			grown = true;
		}
	}
}

void columns_fit(const struct rows *rows, int screen_width, struct column_layout *layout)
{
	bool chosen[COLUMNS_ALL] = {[COLUMN_NAME] = true};
	int left = screen_width - column_list[COLUMN_NAME].width;
	int i, next, at = 0;

	for (;;) {
		for (next = -1, i = 0; i < COLUMNS_ALL; i++)
			if (!chosen[i] && (next < 0 || rank(rows, (enum column_id)i) <
							       rank(rows, (enum column_id)next)))
				next = i;
		/* If a column has no room, no less important one takes its place. */
		if (next < 0 || left < column_list[next].width + 1)
			break;
		left -= column_list[next].width + 1;
		chosen[next] = true;
	}
	layout->count = 0;
	for (i = 0; i < COLUMNS_ALL; i++)
		if (chosen[i])
			layout->places[layout->count++] = (struct column_place){
				.id = (enum column_id)i, .width = column_list[i].width};
	if (left < 0)
		layout->places[0].width += left;
	grow(layout, left);
	for (i = 0; i < layout->count; i++) {
		layout->places[i].at = at;
		at += layout->places[i].width + 1;
	}
}

/* The value that a column shows and is sorted by. NAN: not measured. */
static double column_value(const struct rows *rows, const struct row *row, enum column_id id)
{
	const struct row_hist *wait = &row->hist[SIGNAL_CPU_WAIT];
	double value;

	if (!column_measured(rows, id))
		return NAN;
	switch (id) {
	case COLUMN_CPU:
		return row->value_known[SIGNAL_CPU_USAGE]
			       ? row->value[SIGNAL_CPU_USAGE] / rows->seconds
			       : NAN;
	case COLUMN_WAIT:
		return wait->sum_seconds / rows->seconds;
	case COLUMN_P99:
		return row_hist_quantile(wait, 0.99);
	case COLUMN_DISK:
		return fmax(row_hist_quantile(&row->hist[SIGNAL_BLOCK_READ], 0.99),
			    row_hist_quantile(&row->hist[SIGNAL_BLOCK_WRITE], 0.99));
	case COLUMN_FSYNC:
		return row_hist_quantile(&row->hist[SIGNAL_FSYNC], 0.99);
	case COLUMN_RESPONSE:
		return row_hist_quantile(&row->hist[SIGNAL_RESPONSE_SERVER], 0.99);
	case COLUMN_RATE:
		return row->hist[SIGNAL_RESPONSE_SERVER].count / rows->seconds;
	case COLUMN_RETRANSMITS:
		return row->value[SIGNAL_RETRANSMITS] / rows->seconds;
	case COLUMN_STALL:
		value = row->hist[SIGNAL_MEMORY_STALL].known
				? row->hist[SIGNAL_MEMORY_STALL].sum_seconds
				: row->value[SIGNAL_PRESSURE_MEMORY];
		return value / rows->seconds;
	case COLUMN_WAITS:
		return wait->count / rows->seconds;
	case COLUMN_SWITCHES:
		return (row->value[SIGNAL_SWITCHES_VOLUNTARY] +
			row->value[SIGNAL_SWITCHES_INVOLUNTARY]) /
		       rows->seconds;
	default:
		return 0;
	}
}

void column_format(const struct rows *rows, const struct row *row, enum column_id id,
		   char text[FORMAT_SIZE])
{
	double value = column_value(rows, row, id);

	if (isnan(value)) {
		snprintf(text, FORMAT_SIZE, "-");
		return;
	}
	switch (id) {
	case COLUMN_CPU:
	case COLUMN_WAIT:
	case COLUMN_STALL:
		format_percent(text, value);
		break;
	case COLUMN_RATE:
	case COLUMN_RETRANSMITS:
	case COLUMN_WAITS:
	case COLUMN_SWITCHES:
		format_count(text, value);
		break;
	default:
		/* Without any value there is no quantile: that does not make it zero. */
		format_seconds(text, value);
		if (value <= 0)
			snprintf(text, FORMAT_SIZE, ".");
	}
}

struct order {
	const struct rows *rows;
	enum column_id id;
	bool reverse;
};

static int compare_rows(const void *a, const void *b, void *context)
{
	const struct order *order = context;
	const struct row *x = a, *y = b;
	double p = column_value(order->rows, x, order->id);
	double q = column_value(order->rows, y, order->id);
	int sign = order->reverse ? -1 : 1;

	if (isnan(p) != isnan(q))
		return isnan(p) ? 1 : -1;
	if (order->id == COLUMN_NAME && order->reverse)
		return strcmp(y->name, x->name);
	if (isnan(p) || p == q)
		return strcmp(x->name, y->name);
	return p < q ? sign : -sign;
}

void columns_sort(struct rows *rows, enum column_id id, bool reverse)
{
	struct order order = {.rows = rows, .id = id, .reverse = reverse};

	if (rows->count)
		qsort_r(rows->rows, rows->count, sizeof(*rows->rows), compare_rows, &order);
}
