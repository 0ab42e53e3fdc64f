/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "top/rows.h"

#include <errno.h>
#include <math.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "bramble/hist.h"
#include "util/buf.h"

const char *const top_sort_names[] = {"wait", "p99", "waits", "switches", "name", NULL};

static const char *string_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

static double number_of(const json_t *object, const char *key)
{
	return json_number_value(json_object_get(object, key));
}

/* "namespace/pod/container", a container outside of Kubernetes, or the unit; the caller frees it.
 */
static char *name_of(const json_t *labels)
{
	struct buf name = {0};

	if (string_of(labels, "unit")[0])
		buf_puts(&name, string_of(labels, "unit"));
	else if (!string_of(labels, "pod")[0])
		buf_puts(&name, string_of(labels, "container"));
	else
		buf_printf(&name, "%s/%s/%s", string_of(labels, "namespace"),
			   string_of(labels, "pod"), string_of(labels, "container"));
	return buf_take(&name);
}

static int same_labels(const json_t *a, const json_t *b)
{
	static const char *const keys[] = {"unit", "namespace", "pod", "container"};
	size_t i;

	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (strcmp(string_of(a, keys[i]), string_of(b, keys[i])) != 0)
			return 0;
	return 1;
}

/* The object of the list with the same labels, or NULL. Lists keep their order, so it is near i. */
static const json_t *find_same(const json_t *list, const json_t *labels, size_t i)
{
	size_t n, size = json_array_size(list);

	for (n = 0; n < size; n++) {
		const json_t *item = json_array_get(list, (i + n) % size);

		if (same_labels(item, labels))
			return item;
	}
	return NULL;
}

static void add_buckets(double count[HIST_BUCKETS], const json_t *hist, double sign)
{
	const json_t *pair;
	size_t i;

	json_array_foreach(json_object_get(hist, "buckets"), i, pair)
	{
		json_int_t k = json_integer_value(json_array_get(pair, 0)) - HIST_MIN_K;

		if (k >= 0 && k < HIST_BUCKETS)
			count[k] += sign * json_number_value(json_array_get(pair, 1));
	}
}

/* The upper bound of the bucket that the quantile lies in. Above the last bound: infinity. */
static double quantile(const double count[HIST_BUCKETS], double total, double q)
{
	double below = 0;
	int i;

	for (i = 0; i < HIST_BUCKETS - 1; i++) {
		below += count[i];
		if (below >= q * total)
			return exp2((HIST_MIN_K + i) / 4.0);
	}
	return INFINITY;
}

static int worse_cause(const void *a, const void *b)
{
	const struct top_cause *x = a, *y = b;

	return (x->seconds < y->seconds) - (x->seconds > y->seconds);
}

static int make_causes(struct top_row *row, const json_t *before, const json_t *now)
{
	const json_t *now_list = json_object_get(now, "cpu_wait_caused");
	const json_t *before_list = json_object_get(before, "cpu_wait_caused");
	const json_t *cause;
	size_t i;

	row->causes = calloc(json_array_size(now_list) + 1, sizeof(*row->causes));
	if (!row->causes)
		return -ENOMEM;
	json_array_foreach(now_list, i, cause)
	{
		const json_t *earlier = find_same(before_list, cause, i);
		double seconds = number_of(cause, "seconds") - number_of(earlier, "seconds");

		if (seconds <= 0)
			continue;
		row->causes[row->cause_count].name = name_of(cause);
		if (!row->causes[row->cause_count].name)
			return -ENOMEM;
		row->causes[row->cause_count++].seconds = seconds;
	}
	if (row->cause_count)
		qsort(row->causes, row->cause_count, sizeof(*row->causes), worse_cause);
	return 0;
}

/* before is NULL for what is new. A row of zeros is one that did not run. */
static int make_row(struct top_row *row, const json_t *before, const json_t *now, double seconds)
{
	const json_t *wait = json_object_get(now, "cpu_wait");
	const json_t *wait_before = json_object_get(before, "cpu_wait");
	const json_t *switches = json_object_get(now, "cpu_context_switches");
	const json_t *switches_before = json_object_get(before, "cpu_context_switches");
	double count[HIST_BUCKETS] = {0};
	double waits = number_of(wait, "count") - number_of(wait_before, "count");

	row->name_space = string_of(now, "namespace");
	row->pod = string_of(now, "pod");
	row->container = string_of(now, "container");
	row->unit = string_of(now, "unit");
	row->wait_seconds = number_of(wait, "sum_seconds") - number_of(wait_before, "sum_seconds");
	row->wait_ratio = row->wait_seconds / seconds;
	row->waits = waits / seconds;
	row->voluntary =
		(number_of(switches, "voluntary") - number_of(switches_before, "voluntary")) /
		seconds;
	row->involuntary =
		(number_of(switches, "involuntary") - number_of(switches_before, "involuntary")) /
		seconds;
	add_buckets(count, wait, 1);
	add_buckets(count, wait_before, -1);
	if (waits > 0) {
		row->p50 = quantile(count, waits, 0.5);
		row->p99 = quantile(count, waits, 0.99);
	}
	row->name = name_of(now);
	return row->name ? make_causes(row, before, now) : -ENOMEM;
}

static void free_row(struct top_row *row)
{
	size_t i;

	for (i = 0; i < row->cause_count; i++)
		free((char *)row->causes[i].name);
	free(row->causes);
	free(row->name);
}

int top_rows_make(const json_t *before, const json_t *now, struct top_rows *out)
{
	const json_t *list = json_object_get(now, "containers");
	const json_t *list_before = json_object_get(before, "containers");
	const json_t *item;
	size_t i;
	int err = 0;

	*out = (struct top_rows){0};
	out->seconds = number_of(now, "time_seconds") - number_of(before, "time_seconds");
	if (!json_is_array(list) || !json_is_array(list_before) || out->seconds <= 0)
		return -EINVAL;
	out->rows = calloc(json_array_size(list) + 1, sizeof(*out->rows));
	if (!out->rows)
		return -ENOMEM;
	json_array_foreach(list, i, item)
	{
		struct top_row *row = &out->rows[out->count];

		err = make_row(row, find_same(list_before, item, i), item, out->seconds);
		out->count++;
		if (err)
			break;
		if (row->waits <= 0 && row->voluntary + row->involuntary <= 0) {
			free_row(row);
			memset(row, 0, sizeof(*row));
			out->count--;
		}
	}
	if (err)
		top_rows_free(out);
	return err;
}

void top_rows_free(struct top_rows *rows)
{
	size_t i;

	for (i = 0; i < rows->count; i++)
		free_row(&rows->rows[i]);
	free(rows->rows);
	*rows = (struct top_rows){0};
}

static double sort_key(const struct top_row *row, enum top_sort sort)
{
	switch (sort) {
	case TOP_SORT_P99:
		return row->p99;
	case TOP_SORT_WAITS:
		return row->waits;
	case TOP_SORT_SWITCHES:
		return row->voluntary + row->involuntary;
	default:
		return row->wait_ratio;
	}
}

static int compare_rows(const void *a, const void *b, void *context)
{
	enum top_sort sort = *(const enum top_sort *)context;
	const struct top_row *x = a, *y = b;
	double difference = sort_key(y, sort) - sort_key(x, sort);

	if (sort == TOP_SORT_NAME || difference == 0)
		return strcmp(x->name, y->name);
	return difference > 0 ? 1 : -1;
}

int top_rows_arrange(struct top_rows *rows, const char *filter, enum top_sort sort)
{
	size_t i, kept = 0;
	regex_t regex;

	if (filter) {
		if (regcomp(&regex, filter, REG_EXTENDED | REG_NOSUB))
			return -EINVAL;
		for (i = 0; i < rows->count; i++) {
			if (regexec(&regex, rows->rows[i].name, 0, NULL, 0) == 0)
				rows->rows[kept++] = rows->rows[i];
			else
				free_row(&rows->rows[i]);
		}
		rows->count = kept;
		regfree(&regex);
	}
	if (rows->count)
		qsort_r(rows->rows, rows->count, sizeof(*rows->rows), compare_rows, &sort);
	return 0;
}
