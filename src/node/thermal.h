/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Temperatures of the thermal zones, and of those chips known to the kernel's hardware monitoring
 * that are not zones (a PC's cores, an NVMe disk, the Pi 5's RP1).
 */
#ifndef BRAMBLE_NODE_THERMAL_H
#define BRAMBLE_NODE_THERMAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define THERMAL_SENSORS_MAX 64

/*
 * chip and sensor are the same as in node_exporter, so that the two can be joined. The chip is
 * named by its device's path, because the number in hwmon2 depends on the order in which drivers
 * are loaded. No two sensors have the same chip and sensor.
 */
struct thermal_sensor {
	char chip[128];	    /* "nvme_nvme0", "platform_coretemp_0", "thermal_thermal_zone0" */
	char chip_name[32]; /* the driver's name of it, or the zone's type: "nvme", "cpu-thermal" */
	char sensor[16];    /* "temp1" */
	char label[48]; /* the driver's name of the sensor: "Composite", "Core 0"; may be empty */
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
