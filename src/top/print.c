/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "top/print.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include <jansson.h>

#include "diagnose/sentence.h"
#include "top/table.h"
#include "diagnose/waits.h"

int top_print_table(const struct rows *rows, int width, FILE *out)
{
	struct column_layout layout;
	struct grid grid = {0};
	size_t i;
	int err = grid_resize(&grid, (int)rows->count + 1, width);

	if (err)
		return err;
	columns_fit(rows, width, &layout);
	table_put_titles(&grid, 0, &layout, COLUMNS_ALL);
	for (i = 0; i < rows->count; i++)
		table_put_row(&grid, (int)i + 1, &layout, rows, &rows->rows[i], false);
	grid_print(&grid, out);
	if (!rows->count)
		fputs("(nothing ran)\n", out);
	grid_free(&grid);
	return 0;
}

static void set_string(json_t *object, const char *key, const char *text)
{
	if (text[0])
		json_object_set_new(object, key, json_string(text));
}

static json_t *hist_json(const struct row_hist *hist, double seconds)
{
	double p50 = row_hist_quantile(hist, 0.5), p99 = row_hist_quantile(hist, 0.99);
	json_t *object = json_object();

	json_object_set_new(object, "ratio", json_real(hist->sum_seconds / seconds));
	json_object_set_new(object, "per_second", json_real(hist->count / seconds));
	/* JSON has no infinity, so a quantile above the last bound is null. */
	json_object_set_new(object, "p50_seconds", isinf(p50) ? json_null() : json_real(p50));
	json_object_set_new(object, "p99_seconds", isinf(p99) ? json_null() : json_real(p99));
	return object;
}

static void set_hists(json_t *object, const struct row *row, double seconds)
{
	static const char *const names[SIGNAL_HISTS] = {
		[SIGNAL_CPU_WAIT] = "cpu_wait",
		[SIGNAL_BLOCK_READ] = "block_read",
		[SIGNAL_BLOCK_WRITE] = "block_write",
		[SIGNAL_QUEUE_READ] = "block_queue_read",
		[SIGNAL_QUEUE_WRITE] = "block_queue_write",
		[SIGNAL_FSYNC] = "fsync",
		[SIGNAL_CONNECT] = "tcp_connect",
		[SIGNAL_RESPONSE_SERVER] = "tcp_response_server",
		[SIGNAL_RESPONSE_CLIENT] = "tcp_response_client",
		[SIGNAL_RTT] = "tcp_rtt",
		[SIGNAL_MEMORY_STALL] = "memory_stall",
		[SIGNAL_BLOCKED] = "task_blocked",
	};
	int i;

	for (i = 0; i < SIGNAL_HISTS; i++)
		json_object_set_new(object, names[i],
				    row->hist[i].known ? hist_json(&row->hist[i], seconds)
						       : json_null());
}

static void set_values(json_t *object, const struct row *row, double seconds)
{
	static const char *const names[SIGNAL_VALUES] = {
		[SIGNAL_SWITCHES_VOLUNTARY] = "voluntary_switches_per_second",
		[SIGNAL_SWITCHES_INVOLUNTARY] = "involuntary_switches_per_second",
		[SIGNAL_CPU_USAGE] = "cpu_usage_ratio",
		[SIGNAL_CPU_THROTTLED] = "cpu_throttled_ratio",
		[SIGNAL_RETRANSMITS] = "tcp_retransmits_per_second",
		[SIGNAL_RESETS] = "tcp_resets_per_second",
		[SIGNAL_CONNECT_FAILURES] = "tcp_connect_failures_per_second",
		[SIGNAL_QUEUE_OVERFLOWS] = "tcp_accept_queue_overflows_per_second",
		[SIGNAL_OOM_KILLS] = "memory_oom_kills_per_second",
		[SIGNAL_OOM_EVENTS] = "memory_oom_events_per_second",
		[SIGNAL_LIMIT_HITS] = "memory_limit_hits_per_second",
		[SIGNAL_PRESSURE_MEMORY] = "memory_pressure_ratio",
		[SIGNAL_OPEN_CONNECTIONS] = "tcp_open_connections",
		[SIGNAL_WORKING_SET] = "memory_working_set_bytes",
		[SIGNAL_MEMORY_LIMIT] = "memory_limit_bytes",
	};
	int i;

	for (i = 0; i < SIGNAL_VALUES; i++)
		json_object_set_new(
			object, names[i],
			row->value_known[i]
				? json_real(row->value[i] / (i < SIGNAL_COUNTERS ? seconds : 1))
				: json_null());
}

static json_t *waits_json(const struct row *row, double seconds)
{
	json_t *object = json_object();
	struct waits waits;
	int i;

	waits_find(row, &waits);
	for (i = 0; i < WAIT_CAUSES; i++)
		json_object_set_new(object, cause_kinds[i].word,
				    waits.known[i] ? json_real(waits.seconds[i] / seconds)
						   : json_null());
	return object;
}

static json_t *causes_json(const struct row *row)
{
	json_t *causes = json_array();
	size_t i;

	for (i = 0; i < row->cause_count; i++)
		json_array_append_new(causes, json_pack("{s:s, s:f}", "name", row->causes[i].name,
							"seconds", row->causes[i].seconds));
	return causes;
}

static json_t *row_json(const struct rows *rows, const struct row *row)
{
	json_t *object = json_object();
	struct buf sentence = {0};
	struct finding finding;

	set_string(object, "name", row->name);
	/* A row of several containers has no labels of its own. */
	if (row->members == 1) {
		set_string(object, "unit", row->labels.unit);
		set_string(object, "namespace", row->labels.name_space);
		set_string(object, "pod", row->labels.pod);
		set_string(object, "container", row->labels.container);
	}
	set_hists(object, row, rows->seconds);
	set_values(object, row, rows->seconds);
	json_object_set_new(object, "waits", waits_json(row, rows->seconds));
	json_object_set_new(object, "caused_by", causes_json(row));
	finding_make(rows, row, &finding);
	finding_sentence(&sentence, &finding);
	if (!buf_failed(&sentence) && sentence.data)
		json_object_set_new(object, "sentence", json_string(sentence.data));
	buf_free(&sentence);
	return object;
}

int top_print_json(const struct rows *rows, FILE *out)
{
	json_t *list = json_array();
	json_t *root;
	size_t i;
	int err = 0;

	for (i = 0; i < rows->count; i++)
		err |= json_array_append_new(list, row_json(rows, &rows->rows[i]));
	root = json_pack("{s:f, s:o}", "interval_seconds", rows->seconds, "containers", list);
	if (!root || err ||
	    json_dumpf(root, out, JSON_COMPACT | JSON_REAL_PRECISION(9) | JSON_PRESERVE_ORDER))
		err = -ENOMEM;
	fputc('\n', out);
	json_decref(root);
	return err;
}
