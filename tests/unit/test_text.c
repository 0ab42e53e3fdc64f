/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What is written is read back by a small parser of the text format 0.0.4. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "counts.h"
#include "expose/text.h"
#include "util/array.h"

#define SAMPLES_MAX	  512
#define PARSED_LABELS_MAX 8

struct parsed {
	char name[80];
	struct {
		char name[32];
		char value[300];
	} label[PARSED_LABELS_MAX];
	size_t labels;
	char value[40];
};

static struct owners owners;
static const struct wall wall = {.count = 1}; /* it reads as CLOCK_BOOTTIME does */
static struct parsed samples[SAMPLES_MAX];
static size_t sample_count;

static int setup(void **state)
{
	(void)state;
	owners = (struct owners){0};
	sample_count = 0;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	owners_free(&owners);
	return 0;
}

/* Copies what stops at one of the characters; returns what comes behind. */
static const char *take(const char *text, const char *stop, char *out, size_t size)
{
	size_t len = strcspn(text, stop);

	assert_true(len < size);
	memcpy(out, text, len);
	out[len] = '\0';
	return text + len;
}

/* Reads a quoted value with its escapes; text is behind the first quote. */
static const char *take_quoted(const char *text, char *out, size_t size)
{
	while (*text != '"') {
		assert_true(*text && *text != '\n' && size-- > 1);
		if (*text != '\\') {
			*out++ = *text++;
			continue;
		}
		text++;
		assert_non_null(memchr("\\\"n", *text, 3));
		*out++ = *text == 'n' ? '\n' : *text;
		text++;
	}
	*out = '\0';
	return text + 1;
}

static const char *parse_sample(const char *line, struct parsed *sample)
{
	memset(sample, 0, sizeof(*sample));
	line = take(line, "{ ", sample->name, sizeof(sample->name));
	if (*line == '{') {
		do {
			size_t i = sample->labels++;

			assert_true(i < PARSED_LABELS_MAX);
			line = take(line + 1, "=", sample->label[i].name,
				    sizeof(sample->label[i].name));
			assert_memory_equal(line, "=\"", 2);
			line = take_quoted(line + 2, sample->label[i].value,
					   sizeof(sample->label[i].value));
		} while (*line == ',');
		assert_int_equal(*line, '}');
		line++;
	}
	assert_int_equal(*line, ' ');
	line = take(line + 1, " \n", sample->value, sizeof(sample->value));
	assert_int_equal(*line, '\n');
	return line + 1;
}

/* Whether the sample's name is the family's, or one of those a histogram has. */
static bool of_family(const struct parsed *sample, const char *family)
{
	size_t len = strlen(family);
	const char *suffix = sample->name + len;

	if (strncmp(sample->name, family, len) != 0)
		return false;
	return !*suffix || strcmp(suffix, "_bucket") == 0 || strcmp(suffix, "_sum") == 0 ||
	       strcmp(suffix, "_count") == 0;
}

/* Each family has HELP, then TYPE, then at least one sample, and stands once. */
static void parse(const char *text)
{
	char family[80] = "", word[80], seen[1024] = " ";
	size_t of_this = 1;

	sample_count = 0;
	while (*text) {
		if (*text == '#') {
			assert_true(of_this > 0);
			assert_memory_equal(text, "# HELP ", 7);
			text = take(text + 7, " ", family, sizeof(family));
			snprintf(word, sizeof(word), "%.77s ", family);
			assert_null(strstr(seen, word));
			strncat(seen, word, sizeof(seen) - strlen(seen) - 1);
			text += strcspn(text, "\n") + 1;
			assert_memory_equal(text, "# TYPE ", 7);
			text = take(text + 7, " ", word, sizeof(word));
			assert_string_equal(word, family);
			text = take(text + 1, "\n", word, sizeof(word)) + 1;
			assert_non_null(strstr("counter gauge histogram summary", word));
			of_this = 0;
			continue;
		}
		assert_true(sample_count < SAMPLES_MAX);
		text = parse_sample(text, &samples[sample_count]);
		assert_true(of_family(&samples[sample_count], family));
		sample_count++;
		of_this++;
	}
	assert_true(of_this > 0);
}

/* The families of owners; there is no collector here for the others. */
static void write_owners(struct buf *out)
{
	struct scrape scrape = {.owners = &owners, .wall = &wall};
	const struct family *family;
	struct text text;

	text_begin(&text, out, TEXT_PROMETHEUS);
	for (family = families; family < families + FAMILIES; family++)
		if (family->scope == SCOPE_OWNER || family->scope == SCOPE_PAIR)
			samples_write_family(&text.samples, family, &scrape);
	text_end(&text);
}

static void write_and_parse(void)
{
	struct buf text = {0};

	write_owners(&text);
	assert_false(buf_failed(&text));
	parse(text.data ? text.data : "");
	buf_free(&text);
}

static const char *label_of(const struct parsed *sample, const char *name)
{
	const char *value = NULL;
	size_t i;

	for (i = 0; i < sample->labels; i++) {
		if (strcmp(sample->label[i].name, name) != 0)
			continue;
		assert_null(value); /* a label stands once */
		value = sample->label[i].value;
	}
	return value;
}

/* The one sample of this name whose label has the value; NULL if there is none. */
static const struct parsed *find(const char *name, const char *label, const char *value)
{
	const struct parsed *found = NULL;
	size_t i;

	for (i = 0; i < sample_count; i++) {
		const char *has = label_of(&samples[i], label);

		if (strcmp(samples[i].name, name) != 0 || !has || strcmp(has, value) != 0)
			continue;
		assert_null(found);
		found = &samples[i];
	}
	return found;
}

static void check_value(const char *name, const char *label, const char *value,
			const char *expected)
{
	const struct parsed *sample = find(name, label, value);

	if (!sample)
		fail_msg("no %s{%s=\"%s\"}", name, label, value);
	assert_string_equal(sample->value, expected);
}

#define WAIT	 "bramble_cpu_wait_seconds"
#define SWITCHES "bramble_cpu_context_switches_total"
#define CAUSED	 "bramble_cpu_wait_caused_seconds_total"

static void test_nothing_is_empty(void **state)
{
	struct buf text = {0};

	(void)state;
	write_owners(&text);
	assert_int_equal(text.len, 0);
	unit_owner(&owners, "never-ran.service");
	write_owners(&text);
	assert_int_equal(text.len, 0);
	buf_free(&text);
}

/* All owners have the first three labels, so that no scraper puts its target's there. */
static void check_owner(const struct parsed *sample, const char *name_space, const char *pod,
			const char *container, const char *unit)
{
	static const char *const names[] = {"namespace", "pod", "container", "unit"};
	const char *values[] = {name_space, pod, container, unit};
	size_t i;

	assert_non_null(sample);
	for (i = 0; i < 4 && values[i]; i++) {
		assert_true(i < sample->labels);
		assert_string_equal(sample->label[i].name, names[i]);
		assert_string_equal(sample->label[i].value, values[i]);
	}
	if (!unit)
		assert_null(label_of(sample, "unit"));
}

static void test_container_outside_of_kubernetes(void **state)
{
	const struct parsed *sample;

	(void)state;
	switches_of(container_owner(&owners, "", "", "home-assistant"))[SWITCH_VOLUNTARY] = 1;
	write_and_parse();
	sample = find("bramble_cpu_context_switches_total", "kind", "voluntary");
	assert_non_null(sample);
	check_owner(sample, "", "", "home-assistant", NULL);
	assert_int_equal(sample->labels, 4);
}

static void test_hidden(void **state)
{
	struct owner *sandbox = container_owner(&owners, "shop", "web-0", "POD");
	struct owner *web = container_owner(&owners, "shop", "web-0", "nginx");

	(void)state;
	owners_hide(&owners, sandbox);
	owners_hide(&owners, sandbox);
	assert_int_equal(owners.containers, 1);
	switches_of(sandbox)[SWITCH_VOLUNTARY] = 1;
	switches_of(web)[SWITCH_VOLUNTARY] = 1;
	owner_add_caused(sandbox, web, 1000);
	owner_add_caused(web, sandbox, 1000);
	write_and_parse();
	assert_null(find("bramble_cpu_context_switches_total", "container", "POD"));
	assert_null(find("bramble_cpu_wait_caused_seconds_total", "container", "POD"));
	/* It is exported as a cause. */
	assert_non_null(find("bramble_cpu_wait_caused_seconds_total", "by_container", "POD"));
}

static void test_counters(void **state)
{
	struct owner *pod = container_owner(&owners, "shop", "web-0", "nginx");
	struct owner *unit = unit_owner(&owners, "ssh.service");

	(void)state;
	switches_of(pod)[SWITCH_VOLUNTARY] = UINT64_MAX;
	switches_of(unit)[SWITCH_INVOLUNTARY] = 7;
	write_and_parse();
	assert_int_equal(sample_count, 4);
	assert_string_equal(samples[0].name, SWITCHES);
	check_owner(&samples[0], "shop", "web-0", "nginx", NULL);
	assert_string_equal(label_of(&samples[0], "kind"), "voluntary");
	assert_int_equal(samples[0].labels, 4);
	assert_string_equal(samples[0].value, "18446744073709551615");
	assert_string_equal(samples[1].value, "0"); /* a counter that is known starts at 0 */
	check_owner(&samples[3], "", "", "", "ssh.service");
	assert_int_equal(samples[3].labels, 5);
	assert_string_equal(label_of(&samples[3], "kind"), "involuntary");
	assert_string_equal(samples[3].value, "7");
}

/* Values that the kernel counts for a cgroup. Absent if it does not count them. */
static void test_files(void **state)
{
	struct owner *pod = container_owner(&owners, "shop", "web-0", "nginx");
	struct owner *unit = unit_owner(&owners, "ssh.service");

	(void)state;
	add_file(pod, CGROUP_CPU_USAGE, 5012345000);
	add_file(pod, PRESSURE_VALUE(PRESSURE_MEMORY, PRESSURE_FULL), 1000);
	add_file(pod, PRESSURE_VALUE(PRESSURE_IO, PRESSURE_SOME), 0);
	add_file(pod, CGROUP_MEMORY_WORKING_SET, 0);
	add_file(pod, CGROUP_MEMORY_EVENTS_OOM_KILL, 2);
	add_file(unit, CGROUP_CPU_THROTTLED_PERIODS, 0);
	add_file(unit, CGROUP_MEMORY_LIMIT, 1048576);
	write_and_parse();
	assert_int_equal(sample_count, 6);
	check_value("bramble_cpu_usage_seconds_total", "pod", "web-0", "5.012345000");
	check_value("bramble_pressure_seconds_total", "resource", "memory", "0.000001000");
	check_value("bramble_pressure_seconds_total", "kind", "full", "0.000001000");
	check_value("bramble_pressure_seconds_total", "resource", "io", "0.000000000");
	check_value("bramble_pressure_seconds_total", "kind", "some", "0.000000000");
	check_value("bramble_memory_working_set_bytes", "pod", "web-0", "0");
	check_value("bramble_memory_events_total", "event", "oom_kill", "2");
	check_value("bramble_memory_limit_bytes", "unit", "ssh.service", "1048576");
}

/* A histogram that has not counted is absent, one beside it is there. */
static void test_histogram_without_counts_is_absent(void **state)
{
	struct owner *ran = unit_owner(&owners, "ran"), *waited = unit_owner(&owners, "waited");

	(void)state;
	switches_of(ran)[0] = 1;
	write_and_parse();
	assert_int_equal(sample_count, SWITCH_KINDS);
	wait_of(waited)->bucket[3] = 1;
	write_and_parse();
	check_value(WAIT "_count", "unit", "waited", "1");
	assert_null(find(WAIT "_count", "unit", "ran"));
}

static const char *const le[] = {"9.5367431640625e-07",
				 "3.814697265625e-06",
				 "1.52587890625e-05",
				 "6.103515625e-05",
				 "0.000244140625",
				 "0.0009765625",
				 "0.00390625",
				 "0.015625",
				 "0.0625",
				 "0.25",
				 "1",
				 "4",
				 "16",
				 "64",
				 "+Inf"};
#define LE ARRAY_SIZE(le)

/* 14 bounds, every second power of two, written so that reading them gives the same double. */
static void test_bounds(void **state)
{
	struct owner *unit = unit_owner(&owners, "a");
	double bound = 1.0 / (1 << 20);
	char *end;
	size_t i;

	(void)state;
	wait_of(unit)->bucket[0] = 1;
	write_and_parse();
	assert_int_equal(sample_count, LE + 2);
	for (i = 0; i < LE; i++) {
		assert_string_equal(samples[i].name, WAIT "_bucket");
		assert_string_equal(label_of(&samples[i], "le"), le[i]);
		if (i == LE - 1)
			break;
		assert_true(strtod(le[i], &end) == bound);
		assert_int_equal(*end, '\0');
		bound *= 4;
	}
	assert_string_equal(samples[LE].name, WAIT "_sum");
	assert_string_equal(samples[LE + 1].name, WAIT "_count");
	assert_null(label_of(&samples[LE], "le"));
}

/* A value counts in its own bucket and in all buckets with a higher bound. */
static void test_every_bucket_is_where_it_belongs(void **state)
{
	struct owner *unit = unit_owner(&owners, "a");
	struct hist_total *hist = wait_of(unit);
	size_t bucket, i;

	(void)state;
	for (bucket = 0; bucket < HIST_BUCKETS; bucket++) {
		memset(hist, 0, sizeof(*hist));
		hist->bucket[bucket] = 5;
		write_and_parse();
		for (i = 0; i < LE; i++) {
			bool below = i == LE - 1 || bucket <= 8 * i;

			assert_string_equal(samples[i].value, below ? "5" : "0");
		}
		assert_string_equal(samples[LE + 1].value, "5");
	}
}

static void test_buckets_are_cumulative(void **state)
{
	struct owner *unit = unit_owner(&owners, "a");
	struct hist_total *hist = wait_of(unit);
	char expected[24];
	size_t i;

	(void)state;
	for (i = 0; i < HIST_BUCKETS; i++)
		hist->bucket[i] = 1;
	hist->sum_ns = 1;
	write_and_parse();
	for (i = 0; i < LE - 1; i++) {
		snprintf(expected, sizeof(expected), "%zu", 8 * i + 1);
		assert_string_equal(samples[i].value, expected);
	}
	assert_string_equal(samples[LE - 1].value, "110");
	check_value(WAIT "_count", "unit", "a", "110");
}

/* Seconds have all nine digits: a float would lose them in a sum that grew for long. */
static void test_seconds_are_exact(void **state)
{
	static const struct {
		uint64_t ns;
		const char *seconds;
	} rows[] = {
		{0, "0.000000000"},
		{1, "0.000000001"},
		{999999999, "0.999999999"},
		{1000000000, "1.000000000"},
		{12345678901234567, "12345678.901234567"},
		{UINT64_MAX, "18446744073.709551615"},
	};
	struct owner *unit = unit_owner(&owners, "a");
	size_t i;

	(void)state;
	wait_of(unit)->bucket[0] = 1;
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		wait_of(unit)->sum_ns = rows[i].ns;
		write_and_parse();
		check_value(WAIT "_sum", "unit", "a", rows[i].seconds);
	}
}

static void test_causes(void **state)
{
	struct owner *victim = container_owner(&owners, "shop", "web-0", "nginx");
	struct owner *hog = container_owner(&owners, "batch", "hog-1", "spin");
	struct owner *unit = unit_owner(&owners, "k3s.service");

	(void)state;
	owner_add_caused(victim, hog, 2500000000);
	owner_add_caused(victim, unit, 1000000);
	owner_add_caused(victim, &owner_other, 3);
	write_and_parse();
	assert_int_equal(sample_count, 3);
	assert_string_equal(samples[0].name, CAUSED);
	assert_string_equal(label_of(&samples[0], "pod"), "web-0");
	assert_string_equal(label_of(&samples[0], "by_namespace"), "batch");
	assert_string_equal(label_of(&samples[0], "by_pod"), "hog-1");
	assert_string_equal(label_of(&samples[0], "by_container"), "spin");
	assert_null(label_of(&samples[0], "by_unit"));
	assert_string_equal(samples[0].value, "2.500000000");
	assert_string_equal(label_of(&samples[1], "by_unit"), "k3s.service");
	assert_string_equal(label_of(&samples[1], "container"), "nginx");
	assert_null(label_of(&samples[1], "by_pod"));
	check_value(CAUSED, "by_unit", "other", "0.000000003");
}

/* Escapes as the format has them, and no others: the parser here refuses these. */
static void test_label_escapes(void **state)
{
	static const char *const values[] = {
		"back\\slash",
		"\"quoted\"",
		"two\nlines",
		"\\n",
		"\\",
		"\"",
		"\n",
		"\\\"\n\\",
		"a=\"b\",c=\"d\"}",
		"{}, #",
		"tab\t",
		"Gr\xc3\xb6\xc3\x9f"
		"e \xe2\x82\xac",
	};
	size_t i, count = ARRAY_SIZE(values);

	(void)state;
	for (i = 0; i < count; i++)
		switches_of(unit_owner(&owners, values[i]))[0] = i + 1;
	write_and_parse();
	assert_int_equal(sample_count, SWITCH_KINDS * count);
	for (i = 0; i < count; i++)
		assert_string_equal(label_of(&samples[SWITCH_KINDS * i], "unit"), values[i]);
}

static void test_escapes_are_written_as_specified(void **state)
{
	struct buf text = {0};

	(void)state;
	switches_of(unit_owner(&owners, "a\\b\"c\nd"))[0] = 1;
	write_owners(&text);
	assert_non_null(strstr(text.data, ",unit=\"a\\\\b\\\"c\\nd\",kind=\"voluntary\"} 1\n"));
	buf_free(&text);
}

/* A buffer without memory stays without a family cut in half being hidden. */
static void test_out_of_memory(void **state)
{
	struct buf text = {.failed = true};

	(void)state;
	wait_of(unit_owner(&owners, "a"))->bucket[0] = 1;
	write_owners(&text);
	assert_true(buf_failed(&text));
	assert_int_equal(text.len, 0);
	buf_free(&text);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_nothing_is_empty),
		TEST(test_container_outside_of_kubernetes),
		TEST(test_hidden),
		TEST(test_counters),
		TEST(test_files),
		TEST(test_histogram_without_counts_is_absent),
		TEST(test_bounds),
		TEST(test_every_bucket_is_where_it_belongs),
		TEST(test_buckets_are_cumulative),
		TEST(test_seconds_are_exact),
		TEST(test_causes),
		TEST(test_label_escapes),
		TEST(test_escapes_are_written_as_specified),
		TEST(test_out_of_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
