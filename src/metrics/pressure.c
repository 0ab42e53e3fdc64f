/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "metrics/pressure.h"

uint64_t pressure_growth(const struct probe_pressure *now, struct probe_pressure *before,
			 size_t cpus)
{
	double waiting = 0, needed = 0;
	size_t i;

	for (i = 0; i < cpus; i++) {
		double waited_ns = (double)(now[i].waiting_ns - before[i].waiting_ns);
		double needed_ns = (double)(now[i].needed_ns - before[i].needed_ns);

		waiting += waited_ns * needed_ns;
		needed += needed_ns;
		before[i] = now[i];
	}
	return needed > 0 ? (uint64_t)(waiting / needed) : 0;
}
