/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "util/procstat.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/clock.h"

uint64_t proc_stat_field(const char *text, int n)
{
	/* The command's name, the second field, may have spaces and parentheses in it. */
	const char *at = strrchr(text, ')');
	int i;

	for (i = 2; at && i < n; i++)
		at = strchr(at + 1, ' ');
	return at ? strtoull(at, NULL, 10) : 0;
}

uint64_t proc_ticks_ns(uint64_t ticks)
{
	return ticks * (NS_PER_S / (uint64_t)sysconf(_SC_CLK_TCK));
}
