/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* --metrics.max-containers, --metrics.include and --metrics.exclude. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "counts.h"
#include "expose/text.h"

static struct owners owners;
static const struct wall wall = {.count = 1}; /* it reads as CLOCK_BOOTTIME does */

static int setup(void **state)
{
	(void)state;
	owners = (struct owners){.max_containers = 2};
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	owners_free(&owners);
	return 0;
}

/* The sample lines of a family, without its name. */
static const char *lines_of(enum family_id id)
{
	static char lines[4096];
	struct scrape scrape = {.owners = &owners, .wall = &wall, .sum = owners_sum(&owners)};
	struct buf out = {0};
	struct text text;
	char *line, *next;

	text_begin(&text, &out, TEXT_PROMETHEUS);
	samples_write_family(&text.samples, &families[id], &scrape);
	text_end(&text);
	owners_free_sum(scrape.sum);
	lines[0] = '\0';
	for (line = out.data; line && *line; line = next) {
		next = strchr(line, '\n') + 1;
		if (*line == '#')
			continue;
		line += strlen(families[id].name);
		strncat(lines, line, (size_t)(next - line));
	}
	buf_free(&out);
	return lines;
}

#define A	    "{namespace=\"n\",pod=\"a\",container=\"c\""
#define B	    "{namespace=\"n\",pod=\"b\",container=\"c\""
#define OTHER	    "{namespace=\"\",pod=\"\",container=\"other\""
#define UNIT	    "{namespace=\"\",pod=\"\",container=\"\",unit=\"u\""
#define VOLUNTARY   ",kind=\"voluntary\"} "
#define INVOLUNTARY ",kind=\"involuntary\"} "

static void count(struct owner *owner, uint64_t n)
{
	switches_of(owner)[SWITCH_VOLUNTARY] += n;
}

static void test_sum(void **state)
{
	struct owner *d;

	(void)state;
	count(container_owner(&owners, "n", "a", "c"), 1);
	count(container_owner(&owners, "n", "b", "c"), 2);
	count(container_owner(&owners, "n", "c", "c"), 4);
	d = container_owner(&owners, "n", "d", "c");
	count(d, 8);
	assert_string_equal(lines_of(FAMILY_CPU_SWITCHES),
			    A VOLUNTARY "1\n" A INVOLUNTARY "0\n" B VOLUNTARY "2\n" B INVOLUNTARY
					"0\n" OTHER VOLUNTARY "12\n" OTHER INVOLUNTARY "0\n");
	assert_string_equal(lines_of(FAMILY_CONTAINERS),
			    "{series=\"own\"} 2\n{series=\"other\"} 2\n");
	/* The counts of a removed container stay in the sum. Otherwise the sum would fall. */
	owners_remove(&owners, d);
	assert_non_null(strstr(lines_of(FAMILY_CPU_SWITCHES), OTHER VOLUNTARY "12\n"));
	assert_string_equal(lines_of(FAMILY_CONTAINERS),
			    "{series=\"own\"} 2\n{series=\"other\"} 1\n");
}

/* A place that is free again is for those that come, not for those that are summed already. */
static void test_who_is_summed_stays_so(void **state)
{
	struct owner *a = container_owner(&owners, "n", "a", "c");

	(void)state;
	count(a, 1);
	container_owner(&owners, "n", "b", "c");
	count(container_owner(&owners, "n", "c", "c"), 4);
	owners_remove(&owners, a);
	count(container_owner(&owners, "n", "a", "c"), 3);
	assert_string_equal(lines_of(FAMILY_CPU_SWITCHES),
			    A VOLUNTARY "3\n" A INVOLUNTARY "0\n" OTHER VOLUNTARY
					"4\n" OTHER INVOLUNTARY "0\n");
}

static void add_outside(unsigned int first, unsigned int last)
{
	char name[16];

	for (; first <= last; first++) {
		snprintf(name, sizeof(name), "%u", first);
		container_owner(&owners, "", "", name);
	}
}

/* Anyone can make up containers outside of pods: where there are pods, these have half. */
static void test_pods_have_places_of_their_own(void **state)
{
	struct owner *pod;

	(void)state;
	owners.max_containers = 5;
	add_outside(1, 5);
	assert_string_equal(lines_of(FAMILY_CONTAINERS),
			    "{series=\"own\"} 5\n{series=\"other\"} 0\n");
	owners_free(&owners);
	owners = (struct owners){.max_containers = 5, .pods = true};
	add_outside(1, 9);
	assert_string_equal(lines_of(FAMILY_CONTAINERS),
			    "{series=\"own\"} 3\n{series=\"other\"} 6\n");
	pod = container_owner(&owners, "n", "a", "c");
	assert_false(pod->summed);
	assert_false(container_owner(&owners, "n", "b", "c")->summed);
	assert_true(container_owner(&owners, "n", "c", "c")->summed);
	/* A place that is free again is for a pod. */
	owners_remove(&owners, pod);
	add_outside(10, 10);
	assert_false(container_owner(&owners, "n", "a", "c")->summed);
	owners_remove(&owners, owners.table);
	add_outside(11, 11);
	assert_string_equal(lines_of(FAMILY_CONTAINERS),
			    "{series=\"own\"} 5\n{series=\"other\"} 8\n");
}

static void test_units_are_not_limited(void **state)
{
	(void)state;
	container_owner(&owners, "n", "a", "c");
	container_owner(&owners, "n", "b", "c");
	count(unit_owner(&owners, "u"), 5);
	assert_string_equal(lines_of(FAMILY_CPU_SWITCHES),
			    UNIT VOLUNTARY "5\n" UNIT INVOLUNTARY "0\n");
}

static void test_no_limit(void **state)
{
	char pod[16];
	int i;

	(void)state;
	owners.max_containers = 0;
	for (i = 0; i < 100; i++) {
		snprintf(pod, sizeof(pod), "%d", i);
		count(container_owner(&owners, "n", pod, "c"), 1);
	}
	assert_null(owners_sum(&owners));
	assert_string_equal(lines_of(FAMILY_CONTAINERS),
			    "{series=\"own\"} 100\n{series=\"other\"} 0\n");
}

static void test_histograms(void **state)
{
	const struct hist_total *hist;
	struct owner *sum;

	(void)state;
	container_owner(&owners, "n", "a", "c");
	container_owner(&owners, "n", "b", "c");
	wait_of(container_owner(&owners, "n", "c", "c"))->bucket[5] = 3;
	wait_of(container_owner(&owners, "n", "d", "c"))->bucket[5] = 4;
	wait_of(container_owner(&owners, "n", "d", "c"))->sum_ns = 9;
	sum = owners_sum(&owners);
	hist = wait_of(sum);
	assert_int_equal(hist->bucket[5], 7);
	assert_int_equal(hist->sum_ns, 9);
	owners_free_sum(sum);
}

/* Whatever is summed or goes, all waits are in some series. */
static void test_causes(void **state)
{
	struct owner *a = container_owner(&owners, "n", "a", "c"),
		     *b = container_owner(&owners, "n", "b", "c");
	struct owner *c = container_owner(&owners, "n", "c", "c"),
		     *d = container_owner(&owners, "n", "d", "c");

	(void)state;
	owner_add_caused(a, b, 1000000000);
	owner_add_caused(a, c, 2000000000);
	owner_add_caused(a, d, 3000000000);
	owner_add_caused(c, a, 4000000000);
	owner_add_caused(d, c, 5000000000);
	assert_string_equal(lines_of(FAMILY_CPU_WAIT_CAUSED),
			    A ",by_namespace=\"n\",by_pod=\"b\",by_container=\"c\"} 1.000000000\n" A
			      ",by_unit=\"other\"} 5.000000000\n" OTHER
			      ",by_unit=\"other\"} 9.000000000\n");
	owners_remove(&owners, d);
	owners_remove(&owners, c);
	assert_string_equal(lines_of(FAMILY_CPU_WAIT_CAUSED),
			    A ",by_namespace=\"n\",by_pod=\"b\",by_container=\"c\"} 1.000000000\n" A
			      ",by_unit=\"other\"} 5.000000000\n" OTHER
			      ",by_unit=\"other\"} 9.000000000\n");
}

static uint64_t *open_connections(struct owner *owner)
{
	return numbers_of(owner, FAMILY_TCP_OPEN);
}

static uint64_t open_in_sum(void)
{
	struct owner *sum = owners_sum(&owners);
	uint64_t open = *open_connections(sum);

	owners_free_sum(sum);
	return open;
}

/* The value of a gauge goes with its container, and does not stay in the sum for ever. */
static void test_gauges(void **state)
{
	struct owner *a = container_owner(&owners, "n", "a", "c"), *c, *d;
	struct labels labels = a->labels;

	(void)state;
	container_owner(&owners, "n", "b", "c");
	c = container_owner(&owners, "n", "c", "c");
	d = container_owner(&owners, "n", "d", "c");
	*open_connections(a) = 1;
	*open_connections(c) = 2;
	*open_connections(d) = 3;
	assert_int_equal(open_in_sum(), 5);
	assert_ptr_equal(owners_rename(&owners, c, &labels), a);
	assert_int_equal(*open_connections(a), 3);
	assert_int_equal(open_in_sum(), 3);
	owners_remove(&owners, d);
	assert_int_equal(open_in_sum(), 0);
}

/* A cause that was shown as "other" turns out to be one with a name: "other" does not fall. */
static void test_cause_gets_a_name(void **state)
{
	struct owner *a = container_owner(&owners, "n", "a", "c"),
		     *b = container_owner(&owners, "n", "b", "c"),
		     *c = container_owner(&owners, "n", "c", "c");
	struct labels labels = b->labels;

	(void)state;
	owner_add_caused(a, c, 2000000000);
	assert_ptr_equal(owners_rename(&owners, c, &labels), b);
	owner_add_caused(a, b, 1000000000);
	assert_string_equal(lines_of(FAMILY_CPU_WAIT_CAUSED),
			    A ",by_namespace=\"n\",by_pod=\"b\",by_container=\"c\"} 1.000000000\n" A
			      ",by_unit=\"other\"} 2.000000000\n");
}

/* Nobody has seen the part of one that was held back. */
static void test_held_cause_gets_a_name(void **state)
{
	struct owner *a = container_owner(&owners, "n", "a", "c"),
		     *b = container_owner(&owners, "n", "b", "c"),
		     *c = container_owner(&owners, "n", "c", "c");
	struct labels labels = b->labels;

	(void)state;
	owners_hold(c);
	owner_add_caused(a, c, 2000000000);
	assert_ptr_equal(owners_rename(&owners, c, &labels), b);
	assert_string_equal(lines_of(FAMILY_CPU_WAIT_CAUSED),
			    A ",by_namespace=\"n\",by_pod=\"b\",by_container=\"c\"} 2.000000000\n");
}

/* Two owners turn out to be one: the sum does not fall. */
static void test_rename(void **state)
{
	struct owner *a = container_owner(&owners, "n", "a", "c"), *c;
	struct labels labels = a->labels;

	(void)state;
	container_owner(&owners, "n", "b", "c");
	c = container_owner(&owners, "n", "c", "c");
	count(a, 1);
	count(c, 4);
	assert_ptr_equal(owners_rename(&owners, c, &labels), a);
	assert_string_equal(lines_of(FAMILY_CPU_SWITCHES),
			    A VOLUNTARY "1\n" A INVOLUNTARY "0\n" OTHER VOLUNTARY
					"4\n" OTHER INVOLUNTARY "0\n");
	assert_string_equal(lines_of(FAMILY_CONTAINERS),
			    "{series=\"own\"} 2\n{series=\"other\"} 0\n");
}

/* ---- families */

static struct family_filter filter;
static char error[256];

static int set_filter(const char *include, const char *exclude)
{
	return filter_set(&filter, &(struct family_pattern){include, "--include"},
			  &(struct family_pattern){exclude, "EXCLUDE"}, error, sizeof(error));
}

static size_t count_left(const char *include, const char *exclude)
{
	size_t i, left = 0;

	assert_int_equal(set_filter(include, exclude), 0);
	for (i = 0; i < FAMILIES; i++)
		left += !filter.dropped[i];
	return left;
}

static void test_filter(void **state)
{
	(void)state;
	assert_int_equal(count_left(NULL, NULL), FAMILIES);
	assert_int_equal(count_left("bramble_cpu_wait_seconds", NULL), 1);
	assert_false(filter.dropped[FAMILY_CPU_WAIT]);
	assert_int_equal(count_left(NULL, "bramble_cpu_wait_seconds"), FAMILIES - 1);
	assert_true(filter.dropped[FAMILY_CPU_WAIT]);
	assert_int_equal(count_left(NULL, "bramble_cpu_wait"), FAMILIES); /* whole names */
	assert_int_equal(count_left(NULL, "x|bramble_build_info"), FAMILIES - 1);
	assert_int_equal(count_left("process_.*|bramble_slots", "process_open_fds"), 6);
}

static void test_wrong_filters(void **state)
{
	(void)state;
	assert_int_equal(set_filter("(", NULL), -EINVAL);
	assert_non_null(strstr(error, "--include=(: not a regular expression"));
	assert_int_equal(set_filter(NULL, "*["), -EINVAL);
	assert_non_null(strstr(error, "EXCLUDE=*[: "));
	assert_int_equal(set_filter("nothing", NULL), -EINVAL);
	assert_ptr_equal(strstr(error, "--include: no family is left"), error);
	assert_int_equal(set_filter(NULL, ".*"), -EINVAL);
	assert_ptr_equal(strstr(error, "EXCLUDE: no family is left"), error);
	assert_int_equal(set_filter("a", "b"), -EINVAL);
	assert_ptr_equal(strstr(error, "--include, EXCLUDE: no family is left"), error);
}

static void test_filtered(void **state)
{
	struct scrape scrape = {.owners = &owners, .wall = &wall, .filter = &filter};
	struct buf out = {0};
	struct text text;

	(void)state;
	count(unit_owner(&owners, "u"), 1);
	wait_of(unit_owner(&owners, "u"))->bucket[0] = 1;
	count_left("bramble_cpu_(wait_seconds|context_switches_total)", ".*_switches_.*");
	text_begin(&text, &out, TEXT_PROMETHEUS);
	samples_write(&text.samples, &scrape);
	text_end(&text);
	assert_non_null(strstr(out.data, "bramble_cpu_wait_seconds_count"));
	assert_null(strstr(out.data, "bramble_cpu_context_switches_total"));
	buf_free(&out);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_sum),
		TEST(test_who_is_summed_stays_so),
		TEST(test_gauges),
		TEST(test_cause_gets_a_name),
		TEST(test_held_cause_gets_a_name),
		TEST(test_pods_have_places_of_their_own),
		TEST(test_units_are_not_limited),
		TEST(test_no_limit),
		TEST(test_histograms),
		TEST(test_causes),
		TEST(test_rename),
		TEST(test_filter),
		TEST(test_wrong_filters),
		TEST(test_filtered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
