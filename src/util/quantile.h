/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Quantiles of measurements. Any thread. */
#ifndef BRAMBLE_QUANTILE_H
#define BRAMBLE_QUANTILE_H

#include <stdlib.h>

static inline int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Sorts the values, of which there is at least one. q: from 0 to 1. */
static inline double quantile(double *values, int count, double q)
{
	qsort(values, (size_t)count, sizeof(*values), compare_doubles);
	return values[(int)(q * (count - 1) + 0.5)];
}

#endif
