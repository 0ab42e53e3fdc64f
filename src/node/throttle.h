/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Why the CPUs may be slower than they could, as far as the kernel knows.
 *
 * under_voltage    the alarm of the Pi's hwmon driver "rpi_volt": the supply fell below
 *                  4.63 V at any time in the last 2 s (drivers/hwmon/raspberrypi-hwmon.c)
 * temperature      the SoC of a Raspberry Pi is so hot that its firmware slows it down: 80
 *                  degrees, or 60 on a 3 Model A+ or B+. The firmware does not tell the
 *                  kernel; this is its documented limit.
 * frequency_limit  the kernel allows a CPU less than its maximum: it cools, saves
 *                  power, or was told to
 *
 * The vendor kernel's /sys/devices/platform/soc/soc:firmware/get_throttled is not read. Its value
 * is what a driver last asked the firmware for, so it stays 0 where rpi_volt is not loaded.
 * Besides, the first read of it logs a kernel warning.
 */
#ifndef BRAMBLE_NODE_THROTTLE_H
#define BRAMBLE_NODE_THROTTLE_H

#include <stdbool.h>
#include <stdint.h>

#include "node/cpufreq.h"
#include "node/thermal.h"

enum throttle_reason {
	THROTTLE_UNDER_VOLTAGE,
	THROTTLE_TEMPERATURE,
	THROTTLE_FREQUENCY_LIMIT,
	THROTTLE_REASONS,
};

extern const char *const throttle_reasons[THROTTLE_REASONS];

struct throttle {
	int alarm_fd;		    /* of rpi_volt; negative: there is none */
	int64_t limit_millidegrees; /* of the firmware; 0: this is no Raspberry Pi */
	bool known[THROTTLE_REASONS];
	bool active[THROTTLE_REASONS];
};

void throttle_open(struct throttle *throttle, const char *procfs, const char *sysfs);

/* Uses what the other files of src/node have just read. */
void throttle_read(struct throttle *throttle, const struct thermal *thermal,
		   const struct cpufreq *cpufreq);
void throttle_close(struct throttle *throttle);

#endif
