/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Temperatures: of the thermal zones, and of the chips that the kernel's hardware
 * monitoring knows and that are no zone (a PC's cores, an NVMe disk, the Pi 5's RP1).
 */
#ifndef BRAMBLE_NODE_THERMAL_H
#define BRAMBLE_NODE_THERMAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define THERMAL_SENSORS_MAX 64

struct thermal_sensor {
	char chip[32];	 /* "cpu-thermal", "nvme" */
	char sensor[48]; /* "thermal_zone0"; of a chip: "hwmon2/temp1", or its label "Core 0" */
	bool zone;
	int fd;
	bool known;
	int64_t millidegrees; /* Celsius */
};

struct thermal {
	size_t count;
	struct thermal_sensor sensors[THERMAL_SENSORS_MAX];
};

void thermal_open(struct thermal *thermal, const char *sysfs);
void thermal_read(struct thermal *thermal);
void thermal_close(struct thermal *thermal);

/* The zone of this type, or NULL. */
const struct thermal_sensor *thermal_zone(const struct thermal *thermal, const char *type);

#endif
