/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "metrics/pressure.h"

#include "bramble/growth.h"

size_t pressure_add_growth(const struct probe_pressure *now, struct probe_pressure *before,
			   size_t cpus, uint64_t some_ns[PRESSURE_RESOURCES])
{
	double waited[PRESSURE_RESOURCES] = {0}, needed = 0;
	size_t i, resource, lower = 0;

	for (i = 0; i < cpus; i++) {
		double needed_ns = (double)grown(now[i].needed_ns, before[i].needed_ns);

		for (resource = 0; resource < PRESSURE_RESOURCES; resource++) {
			uint64_t from = before[i].some_ns[resource], to = now[i].some_ns[resource];

			waited[resource] += needed_ns * (double)grown(to, from);
			lower += to < from;
		}
		needed += needed_ns;
		before[i] = now[i];
	}
	for (resource = 0; needed > 0 && resource < PRESSURE_RESOURCES; resource++)
		some_ns[resource] += (uint64_t)(waited[resource] / needed);
	return lower;
}
