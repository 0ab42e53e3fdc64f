/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "node/throttle.h"

#include <linux/limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "node/folder.h"
#include "util/livefile.h"

/*
 * raspberrypi.com/documentation, "Frequency management and thermal control": at 80 degrees the
 * cores get slower, and at 85 everything does. The 3 Model A+ and B+ have a soft limit of 60.
 */
#define LIMIT	   80000
#define LIMIT_SOFT 60000

/* The type of the zone of all Pis' SoCs, in their device trees. */
#define SOC_ZONE   "cpu-thermal"

const char *const throttle_reasons[THROTTLE_REASONS] = {
	[THROTTLE_UNDER_VOLTAGE] = "under_voltage",
	[THROTTLE_TEMPERATURE] = "temperature",
	[THROTTLE_FREQUENCY_LIMIT] = "frequency_limit",
};

static void open_alarm_of(void *context, const char *dir, const char *name)
{
	int *fd = context;
	char chip[32];

	(void)name;
	if (*fd < 0 && live_read_once(dir, "name", chip, sizeof(chip)) > 0 &&
	    strcmp(chip, "rpi_volt") == 0)
		*fd = live_open(dir, "in0_lcrit_alarm");
}

static int open_alarm(const char *sysfs)
{
	char dir[PATH_MAX];
	int fd = -1;

	snprintf(dir, sizeof(dir), "%s/class/hwmon", sysfs);
	folder_each(dir, "hwmon", open_alarm_of, &fd);
	return fd;
}

void throttle_open(struct throttle *throttle, const char *procfs, const char *sysfs)
{
	char model[64];

	*throttle = (struct throttle){.alarm_fd = open_alarm(sysfs)};
	if (live_read_once(procfs, "device-tree/model", model, sizeof(model)) <= 0 ||
	    strncmp(model, "Raspberry Pi ", 13) != 0)
		return;
	throttle->limit_millidegrees =
		strstr(model, " 3 Model A Plus") || strstr(model, " 3 Model B Plus") ? LIMIT_SOFT
										     : LIMIT;
}

void throttle_read(struct throttle *throttle, const struct thermal *thermal,
		   const struct cpufreq *cpufreq)
{
	const struct thermal_sensor *soc = thermal_zone(thermal, SOC_ZONE);
	int64_t alarm = 0;

	throttle->known[THROTTLE_UNDER_VOLTAGE] =
		throttle->alarm_fd >= 0 && live_read_number(throttle->alarm_fd, &alarm) == 0;
	throttle->active[THROTTLE_UNDER_VOLTAGE] = alarm != 0;
	throttle->known[THROTTLE_TEMPERATURE] = throttle->limit_millidegrees && soc && soc->known;
	throttle->active[THROTTLE_TEMPERATURE] = throttle->known[THROTTLE_TEMPERATURE] &&
						 soc->millidegrees >= throttle->limit_millidegrees;
	throttle->known[THROTTLE_FREQUENCY_LIMIT] =
		cpufreq_limited(cpufreq, &throttle->active[THROTTLE_FREQUENCY_LIMIT]);
}

void throttle_close(struct throttle *throttle)
{
	if (throttle->alarm_fd >= 0)
		close(throttle->alarm_fd);
	throttle->alarm_fd = -1;
}
