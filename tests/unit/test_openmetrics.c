/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What OpenMetrics writes otherwise than the text format. That it is OpenMetrics as a whole is
 * asked of a parser of another project, in tests/integration/31-formats.sh.
 */
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

static struct owner *add_unit(const char *name)
{
	struct owner *owner = unit_owner(&owners, name);

	owner->made_ns = UINT64_C(1500000000000000001);
	return owner;
}

static int teardown(void **state)
{
	(void)state;
	owners_free(&owners);
	owners = (struct owners){0};
	return 0;
}

static void check_family(enum family_id id, bool created, const char *expected)
{
	struct scrape scrape = {.owners = &owners, .wall = &wall};
	struct buf out = {0};
	struct text text;

	text_begin(&text, &out, TEXT_OPENMETRICS);
	text.created = created;
	samples_write_family(&text.samples, &families[id], &scrape);
	text_end(&text);
	assert_false(buf_failed(&out));
	assert_string_equal(out.data, expected);
	buf_free(&out);
}

#define A	 "namespace=\"\",pod=\"\",container=\"\",unit=\"a\""
#define SWITCHES "bramble_cpu_context_switches"
#define SWITCHES_HEADER                                                                            \
	"# HELP " SWITCHES " Times a task left its CPU: voluntary when it blocked, involuntary "   \
	"when it was preempted or yielded.\n# TYPE " SWITCHES " counter\n"

static void test_counter(void **state)
{
	(void)state;
	switches_of(add_unit("a"))[SWITCH_VOLUNTARY] = 3;
	check_family(FAMILY_CPU_SWITCHES, true,
		     SWITCHES_HEADER SWITCHES
		     "_total{" A ",kind=\"voluntary\"} 3\n" SWITCHES "_created{" A
		     ",kind=\"voluntary\"} 1500000000.000000001\n" SWITCHES "_total{" A
		     ",kind=\"involuntary\"} 0\n" SWITCHES "_created{" A
		     ",kind=\"involuntary\"} 1500000000.000000001\n# EOF\n");
	check_family(FAMILY_CPU_SWITCHES, false,
		     SWITCHES_HEADER SWITCHES "_total{" A ",kind=\"voluntary\"} 3\n" SWITCHES
					      "_total{" A ",kind=\"involuntary\"} 0\n# EOF\n");
}

#define WAIT "bramble_cpu_wait_seconds"

static void test_histogram(void **state)
{
	struct hist_total *hist = wait_of(add_unit("a"));

	(void)state;
	hist->bucket[hist_bucket(1000000000)] = 2;
	hist->sum_ns = 2000000000;
	check_family(
		FAMILY_CPU_WAIT, true,
		"# HELP " WAIT " Time tasks were ready to run and waited for a CPU.\n# TYPE " WAIT
		" histogram\n# UNIT " WAIT " seconds\n" WAIT "_bucket{" A
		",le=\"9.5367431640625e-07\"} 0\n" WAIT "_bucket{" A
		",le=\"3.814697265625e-06\"} 0\n" WAIT "_bucket{" A
		",le=\"1.52587890625e-05\"} 0\n" WAIT "_bucket{" A
		",le=\"6.103515625e-05\"} 0\n" WAIT "_bucket{" A ",le=\"0.000244140625\"} 0\n" WAIT
		"_bucket{" A ",le=\"0.0009765625\"} 0\n" WAIT "_bucket{" A
		",le=\"0.00390625\"} 0\n" WAIT "_bucket{" A ",le=\"0.015625\"} 0\n" WAIT
		"_bucket{" A ",le=\"0.0625\"} 0\n" WAIT "_bucket{" A ",le=\"0.25\"} 0\n" WAIT
		"_bucket{" A ",le=\"1.0\"} 2\n" WAIT "_bucket{" A ",le=\"4.0\"} 2\n" WAIT
		"_bucket{" A ",le=\"16.0\"} 2\n" WAIT "_bucket{" A ",le=\"64.0\"} 2\n" WAIT
		"_bucket{" A ",le=\"+Inf\"} 2\n" WAIT "_sum{" A "} 2.000000000\n" WAIT "_count{" A
		"} 2\n" WAIT "_created{" A "} 1500000000.000000001\n# EOF\n");
}

static void test_info(void **state)
{
	struct buf out = {0};
	struct text text;

	(void)state;
	text_begin(&text, &out, TEXT_OPENMETRICS);
	samples_write_family(&text.samples, &families[FAMILY_BUILD_INFO], &(struct scrape){0});
	text_end(&text);
	assert_non_null(
		strstr(out.data, "\n# TYPE bramble_build info\nbramble_build_info{version="));
	buf_free(&out);
}

static void test_nothing(void **state)
{
	(void)state;
	check_family(FAMILY_CPU_WAIT, true, "# EOF\n");
}

#define TEST(function) cmocka_unit_test_teardown(function, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_counter),
		TEST(test_histogram),
		TEST(test_info),
		TEST(test_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
