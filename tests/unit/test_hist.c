/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * hist_bucket() against bounds that are computed here in integers of 256 bits,
 * so neither side has to trust a float.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "bramble/hist.h"

#define LIMBS	     4
#define SWEEP_VALUES 4000000

/* Least significant limb first. */
struct wide {
	uint64_t limb[LIMBS];
};

/* floor(2^(k/4) * 10^9), k from HIST_MIN_K to HIST_MAX_K */
static uint64_t bounds[HIST_BOUNDS];

static void wide_multiply(struct wide *w, uint64_t by)
{
	unsigned __int128 carry = 0;
	int i;

	for (i = 0; i < LIMBS; i++) {
		carry += (unsigned __int128)w->limb[i] * by;
		w->limb[i] = (uint64_t)carry;
		carry >>= 64;
	}
	assert_true(carry == 0);
}

static void wide_double(struct wide *w, int times)
{
	while (times-- > 0)
		wide_multiply(w, 2);
}

static int wide_compare(const struct wide *a, const struct wide *b)
{
	int i;

	for (i = LIMBS - 1; i >= 0; i--)
		if (a->limb[i] != b->limb[i])
			return a->limb[i] < b->limb[i] ? -1 : 1;
	return 0;
}

/* Whether ns <= 2^(k/4) * 10^9, by the fourth powers: ns^4 <= 2^k * 10^36. */
static int within(uint64_t ns, int k)
{
	struct wide left = {{1}}, right = {{1}};
	int i;

	for (i = 0; i < 4; i++) {
		wide_multiply(&left, ns);
		wide_multiply(&right, 1000000000);
	}
	wide_double(&left, -k);
	wide_double(&right, k);
	return wide_compare(&left, &right) <= 0;
}

static int compute_bounds(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < HIST_BOUNDS; i++) {
		uint64_t low = 0, high = 1ULL << 38; /* low is within the bound, high is not */

		while (high - low > 1) {
			uint64_t middle = low + (high - low) / 2;

			if (within(middle, HIST_MIN_K + i))
				low = middle;
			else
				high = middle;
		}
		bounds[i] = low;
	}
	return 0;
}

/* How many bounds are smaller than ns: an integer is above a bound if it is above its floor. */
static uint32_t reference(uint64_t ns)
{
	uint32_t low = 0, high = HIST_BOUNDS;

	while (low < high) {
		uint32_t middle = (low + high) / 2;

		if (bounds[middle] < ns)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void check(uint64_t ns)
{
	uint32_t got = hist_bucket(ns), expected = reference(ns);

	if (got != expected)
		fail_msg("%llu ns: bucket %u, not %u", (unsigned long long)ns, got, expected);
}

static void test_constants(void **state)
{
	(void)state;
	assert_int_equal(HIST_BOUNDS, 109);
	assert_int_equal(bounds[0], HIST_MIN_NS);
	assert_int_equal(bounds[HIST_BOUNDS - 1], HIST_MAX_NS);
	assert_int_equal(bounds[-HIST_MIN_K], 1000000000);
	assert_int_equal(bounds[-HIST_MIN_K + 4], 2000000000);
	assert_int_equal(bounds[-HIST_MIN_K + 2], 1414213562); /* the square root of 2 */
}

static void test_every_bound(void **state)
{
	uint32_t i;

	(void)state;
	for (i = 0; i < HIST_BOUNDS; i++) {
		assert_int_equal(hist_bucket(bounds[i]), i); /* le is inclusive */
		assert_int_equal(hist_bucket(bounds[i] + 1), i + 1);
		check(bounds[i] - 1);
		check(bounds[i] + 2);
	}
}

static void test_extremes(void **state)
{
	(void)state;
	assert_int_equal(hist_bucket(0), 0);
	assert_int_equal(hist_bucket(1), 0);
	assert_int_equal(hist_bucket(UINT64_MAX), HIST_BUCKETS - 1);
	assert_int_equal(hist_bucket(UINT64_MAX - 1), HIST_BUCKETS - 1);
	assert_int_equal(hist_bucket(INT64_MAX), HIST_BUCKETS - 1);
}

static void test_powers_of_two(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < 64; i++) {
		check((1ULL << i) - 1);
		check(1ULL << i);
		check((1ULL << i) + 1);
	}
}

/* Marsaglia's xorshift64: the same values in every run. */
static uint64_t next_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

static void test_sweep(void **state)
{
	uint64_t seed = 88172645463325252ULL;
	int i;

	(void)state;
	for (i = 0; i < SWEEP_VALUES; i++) {
		uint64_t value = next_random(&seed);

		check(value >> (value & 63)); /* as many of each length */
	}
	for (i = 0; i < 5000; i++) /* around the first bounds without a gap */
		check((uint64_t)i);
}

static void test_monotonic(void **state)
{
	uint32_t bucket = 0;
	uint64_t ns;

	(void)state;
	for (ns = 0; ns < 2 * HIST_MAX_NS; ns += 1 + ns / 4096) {
		uint32_t next = hist_bucket(ns);

		assert_true(next == bucket || next == bucket + 1);
		bucket = next;
	}
	assert_int_equal(bucket, HIST_BUCKETS - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_constants), cmocka_unit_test(test_every_bound),
		cmocka_unit_test(test_extremes),  cmocka_unit_test(test_powers_of_two),
		cmocka_unit_test(test_sweep),	  cmocka_unit_test(test_monotonic),
	};

	return cmocka_run_group_tests(tests, compute_bounds, NULL);
}
