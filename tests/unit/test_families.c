/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Every row of the table of signals keeps to the conventions of Prometheus:
 * "Metric and label naming", and what `promtool check metrics` looks for.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "metrics/emit.h"
#include "util/array.h"

#define LOWER  "abcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"

static bool ends(const char *text, const char *suffix)
{
	size_t len = strlen(text), suffix_len = strlen(suffix);

	return len >= suffix_len && strcmp(text + len - suffix_len, suffix) == 0;
}

/* Whether a name has this word between its underscores. */
static bool has_word(const char *name, const char *word)
{
	size_t len = strlen(word);

	for (; name; name = strchr(name, '_')) {
		name += *name == '_';
		if (strncmp(name, word, len) == 0 && (name[len] == '_' || !name[len]))
			return true;
	}
	return false;
}

static void each(void (*check)(const struct family *family))
{
	const struct family *family;

	for (family = families; family < families + FAMILIES; family++) {
		assert_non_null(family->name); /* a row that was forgotten is all zero */
		assert_non_null(family->help);
		print_message("%s\n", family->name);
		check(family);
	}
}

static void check_emitted(const struct family *family)
{
	bool of_owner = family->scope == SCOPE_OWNER || family->scope == SCOPE_PAIR;

	assert_int_equal(family->source != SOURCE_NONE, of_owner);
	assert_non_null(family->emit);
	assert_int_equal(family->emit == emit_owners, of_owner);
	assert_int_equal(family->source == SOURCE_CAUSED, family->scope == SCOPE_PAIR);
	if (family->real)
		assert_true(family->kind == KIND_GAUGE && !family->seconds &&
			    !family_in_cells(family));
}

static void test_emitted(void **state)
{
	(void)state;
	each(check_emitted);
}

static void check_name(const struct family *family)
{
	const struct family *other;

	assert_true(strncmp(family->name, "bramble_", 8) == 0 ||
		    strncmp(family->name, "process_", 8) == 0);
	assert_int_equal(strspn(family->name, LOWER DIGITS "_"), strlen(family->name));
	assert_null(strstr(family->name, "__"));
	for (other = families; other < family; other++)
		assert_string_not_equal(other->name, family->name);
}

static void test_names(void **state)
{
	(void)state;
	each(check_name);
}

static void check_suffix(const struct family *family)
{
	static const char *const reserved[] = {"_sum", "_count", "_bucket", "_created"};
	size_t i;

	assert_int_equal(ends(family->name, "_total"), family->kind == KIND_COUNTER);
	for (i = 0; i < ARRAY_SIZE(reserved); i++)
		assert_false(ends(family->name, reserved[i]));
	assert_false(has_word(family->name, family_kind_name(family->kind)));
}

static void test_suffixes(void **state)
{
	(void)state;
	each(check_suffix);
}

static void check_unit(const struct family *family)
{
	static const char *const not_base[] = {
		"ns",		"us",	     "ms",    "nanoseconds", "microseconds",
		"milliseconds", "minutes",   "hours", "kb",	     "mb",
		"kilobytes",	"megabytes", "bits",  "percent",     "celsius_milli"};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(not_base); i++)
		assert_false(has_word(family->name, not_base[i]));
	assert_int_equal(has_word(family->name, "seconds"), family->seconds);
	if (family->seconds) /* the unit is the last word, but for _total */
		assert_true(ends(family->name, "_seconds") || ends(family->name, "_seconds_total"));
	if (family->kind == KIND_HISTOGRAM || family->kind == KIND_SUMMARY)
		assert_true(family->seconds); /* these are times so far */
}

static void test_units(void **state)
{
	(void)state;
	each(check_unit);
}

static void check_help(const struct family *family)
{
	assert_true(ends(family->help, "."));
	assert_true(family->help[0] >= 'A' && family->help[0] <= 'Z');
	assert_null(strpbrk(family->help, "\\\n\t\"")); /* nothing to escape */
	assert_null(strstr(family->help, "  "));
}

static void test_help(void **state)
{
	(void)state;
	each(check_help);
}

static void check_labels(const struct family *family)
{
	static const char *const taken[] = {"namespace", "pod", "container", "unit", "probe", "le",
					    "quantile",	 "job", "instance"};
	size_t i, k;

	assert_int_equal(family->values != NULL, family->value_count > 0);
	assert_int_equal(family->inner_values != NULL, family->inner_count > 0);
	assert_int_equal(family->inner_values != NULL, family->inner_label != NULL);
	if (family->source)
		assert_int_equal(family->values != NULL, family->label != NULL);
	if (family->inner_values)
		assert_non_null(family->values);
	if (family->values)
		assert_non_null(family->label);
	assert_int_equal(family->emit == emit_node, family->scope == SCOPE_NODE);
	if (!family->label)
		return;
	assert_int_equal(strspn(family->label, LOWER "_, ."), strlen(family->label));
	for (i = 0; i < ARRAY_SIZE(taken); i++)
		assert_string_not_equal(family->label, taken[i]);
	for (i = 0; i < family->value_count; i++) {
		assert_non_null(family->values[i]);
		assert_true(family->values[i][0]);
		for (k = 0; k < i; k++)
			assert_string_not_equal(family->values[i], family->values[k]);
	}
}

static void test_labels(void **state)
{
	(void)state;
	each(check_labels);
}

/*
 * Labels that discovery gives to targets: Prometheus' own, those of the Prometheus Operator and of
 * the usual configurations by annotations, and those that people add. Ours are kept with
 * honor_labels, without it they would be renamed; so none is called like that but whom a series is
 * about. bramble_pod_info has a node, which is that of the target or of nobody.
 */
static void check_no_target_label(const struct family *family, const char *name, size_t len)
{
	static const char *const of_targets[] = {
		"job",	     "instance",  "endpoint",	 "service",    "node",	   "cluster",
		"app",	     "component", "host",	 "hostname",   "nodename", "region",
		"zone",	     "env",	  "environment", "prometheus", "replica",  "metrics_path",
		"namespace", "pod",	  "container",	 "unit"};
	size_t i;

	assert_true(len > 0 && strncmp(name, "__", 2) != 0 && strncmp(name, "exported_", 9) != 0);
	for (i = 0; i < ARRAY_SIZE(of_targets); i++)
		if (strlen(of_targets[i]) == len && strncmp(name, of_targets[i], len) == 0 &&
		    !(family->scope == SCOPE_POD && strcmp(of_targets[i], "node") == 0))
			fail_msg("%s has the label %s", family->name, of_targets[i]);
}

static void check_target_labels(const struct family *family)
{
	const char *const *of_node =
		family->scope == SCOPE_NODE ? node_label_names(family->node) : NULL;
	const char *name;
	size_t i;

	for (name = family->label; name && *name; name += strspn(name, ", ")) {
		check_no_target_label(family, name, strcspn(name, ","));
		name += strcspn(name, ",");
	}
	if (family->inner_label)
		check_no_target_label(family, family->inner_label, strlen(family->inner_label));
	for (i = 0; family->source && (name = family_account_labels(family)[i]); i++) {
		assert_true(i < ACCOUNT_LABELS_MAX);
		check_no_target_label(family, name, strlen(name));
	}
	for (i = 0; of_node && i < NODE_LABELS_MAX && of_node[i]; i++)
		check_no_target_label(family, of_node[i], strlen(of_node[i]));
}

static void test_target_labels(void **state)
{
	(void)state;
	each(check_target_labels);
}

static void test_kind_names(void **state)
{
	(void)state;
	assert_string_equal(family_kind_name(KIND_COUNTER), "counter");
	assert_string_equal(family_kind_name(KIND_GAUGE), "gauge");
	assert_string_equal(family_kind_name(KIND_HISTOGRAM), "histogram");
	assert_string_equal(family_kind_name(KIND_SUMMARY), "summary");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_emitted),	      cmocka_unit_test(test_names),
		cmocka_unit_test(test_suffixes),      cmocka_unit_test(test_units),
		cmocka_unit_test(test_help),	      cmocka_unit_test(test_labels),
		cmocka_unit_test(test_target_labels), cmocka_unit_test(test_kind_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
