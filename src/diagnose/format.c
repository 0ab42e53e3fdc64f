/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "diagnose/format.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <time.h>

#include "util/clock.h"

void format_seconds(char text[FORMAT_SIZE], double seconds)
{
	static const struct {
		double unit;
		const char *name;
	} units[] = {{1, "s"}, {1e-3, "ms"}, {1e-6, "us"}, {1e-9, "ns"}};
	size_t i = 0;

	if (seconds <= 0) {
		snprintf(text, FORMAT_SIZE, "-");
		return;
	}
	if (isinf(seconds)) {
		snprintf(text, FORMAT_SIZE, ">128s");
		return;
	}
	while (i < 3 && seconds < 0.9995 * units[i].unit)
		i++;
	seconds /= units[i].unit;
	snprintf(text, FORMAT_SIZE, "%.*f%s", seconds < 9.95 ? 1 : 0, seconds, units[i].name);
}

void format_percent(char text[FORMAT_SIZE], double ratio)
{
	double percent = 100 * ratio;

	if (percent <= 0)
		snprintf(text, FORMAT_SIZE, "0");
	else if (percent < 0.05)
		snprintf(text, FORMAT_SIZE, "<0.1");
	else if (percent > 99999)
		snprintf(text, FORMAT_SIZE, ">10^5");
	else
		snprintf(text, FORMAT_SIZE, "%.*f", percent < 9.95 ? 1 : 0, percent);
}

void format_count(char text[FORMAT_SIZE], double count)
{
	static const char units[] = " kMGT";
	size_t i = 0;

	if (count <= 0) {
		snprintf(text, FORMAT_SIZE, "0");
		return;
	}
	while (units[i + 1] && count >= 999.5) {
		count /= 1000;
		i++;
	}
	if (i == 0 && count < 0.05)
		snprintf(text, FORMAT_SIZE, "<0.1");
	else if (i == 0)
		snprintf(text, FORMAT_SIZE, "%.*f", count < 9.95 && count != floor(count) ? 1 : 0,
			 count);
	else
		snprintf(text, FORMAT_SIZE, "%.*f%c", count < 9.95 ? 1 : 0, count, units[i]);
}

void format_interval(char text[FORMAT_SIZE], double seconds)
{
	if (seconds < 9.95)
		snprintf(text, FORMAT_SIZE, "%.*f s", fabs(seconds - round(seconds)) < 0.05 ? 0 : 1,
			 seconds);
	else if (seconds < 119.5)
		snprintf(text, FORMAT_SIZE, "%.0f s", seconds);
	else
		snprintf(text, FORMAT_SIZE, "%.0f min", seconds / 60);
}

void format_clock(char text[FORMAT_SIZE], uint64_t wall_ns)
{
	time_t seconds = (time_t)(wall_ns / NS_PER_S);
	struct tm local;

	text[0] = '\0';
	if (localtime_r(&seconds, &local))
		(void)strftime(text, FORMAT_SIZE, "%H:%M:%S", &local);
}
