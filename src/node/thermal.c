/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "node/thermal.h"

#include <dirent.h>
#include <linux/limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/livefile.h"

static int is_zone(const struct dirent *entry)
{
	return strncmp(entry->d_name, "thermal_zone", 12) == 0;
}

static int is_chip(const struct dirent *entry)
{
	return strncmp(entry->d_name, "hwmon", 5) == 0;
}

/* temp1_input */
static int is_input(const struct dirent *entry)
{
	const char *end = strchr(entry->d_name, '_');

	return strncmp(entry->d_name, "temp", 4) == 0 && end && strcmp(end, "_input") == 0;
}

static struct thermal_sensor *add(struct thermal *thermal, const char *dir, const char *file)
{
	struct thermal_sensor *sensor = &thermal->sensors[thermal->count];

	if (thermal->count == THERMAL_SENSORS_MAX)
		return NULL;
	*sensor = (struct thermal_sensor){.fd = live_open(dir, file)};
	if (sensor->fd < 0)
		return NULL;
	thermal->count++;
	return sensor;
}

static void open_zone(struct thermal *thermal, const char *dir, const char *name)
{
	struct thermal_sensor *sensor;
	char type[sizeof(sensor->chip)];

	if (live_read_once(dir, "type", type, sizeof(type)) <= 0)
		return;
	sensor = add(thermal, dir, "temp");
	if (!sensor)
		return;
	memcpy(sensor->chip, type, sizeof(type));
	snprintf(sensor->sensor, sizeof(sensor->sensor), "%s", name);
	sensor->zone = true;
}

/* A zone is a chip too, of the same name, with _ for - (drivers/thermal/thermal_hwmon.c). */
static bool is_also_a_zone(const struct thermal *thermal, const char *chip)
{
	size_t i, at;

	for (i = 0; i < thermal->count; i++) {
		const char *type = thermal->sensors[i].chip;

		for (at = 0; type[at] && (type[at] == '-' ? '_' : type[at]) == chip[at];)
			at++;
		if (thermal->sensors[i].zone && !type[at] && !chip[at])
			return true;
	}
	return false;
}

/* The label that the driver gives an input, or the chip's and the input's own names. */
static void name_input(struct thermal_sensor *sensor, const char *dir, const char *input)
{
	int len = (int)strcspn(input, "_");
	char file[32];

	snprintf(file, sizeof(file), "%.*s_label", len, input);
	if (live_read_once(dir, file, sensor->sensor, sizeof(sensor->sensor)) <= 0)
		snprintf(sensor->sensor, sizeof(sensor->sensor), "%s/%.*s", strrchr(dir, '/') + 1,
			 len, input);
}

static void open_chip(struct thermal *thermal, const char *dir, const char *name)
{
	struct thermal_sensor *sensor;
	struct dirent **inputs;
	char chip[sizeof(sensor->chip)];
	int i, count;

	(void)name;
	/* To read drivetemp may keep a disk from sleeping: Documentation/hwmon/drivetemp.rst */
	if (live_read_once(dir, "name", chip, sizeof(chip)) <= 0 || is_also_a_zone(thermal, chip) ||
	    strcmp(chip, "drivetemp") == 0)
		return;
	count = scandir(dir, &inputs, is_input, versionsort);
	for (i = 0; i < count; i++) {
		sensor = add(thermal, dir, inputs[i]->d_name);
		if (sensor) {
			memcpy(sensor->chip, chip, sizeof(chip));
			name_input(sensor, dir, inputs[i]->d_name);
		}
		free(inputs[i]);
	}
	if (count >= 0)
		free(inputs);
}

static void open_all(struct thermal *thermal, const char *sysfs, const char *class,
		     int (*filter)(const struct dirent *),
		     void (*open_one)(struct thermal *, const char *dir, const char *name))
{
	char dir[PATH_MAX], path[PATH_MAX];
	struct dirent **names;
	int i, count;

	snprintf(dir, sizeof(dir), "%s/class/%s", sysfs, class);
	count = scandir(dir, &names, filter, versionsort);
	for (i = 0; i < count; i++) {
		if ((size_t)snprintf(path, sizeof(path), "%s/%s", dir, names[i]->d_name) <
		    sizeof(path))
			open_one(thermal, path, names[i]->d_name);
		free(names[i]);
	}
	if (count >= 0)
		free(names);
}

void thermal_open(struct thermal *thermal, const char *sysfs)
{
	thermal->count = 0;
	open_all(thermal, sysfs, "thermal", is_zone, open_zone);
	open_all(thermal, sysfs, "hwmon", is_chip, open_chip);
}

/* A sensor of a device that is asleep or off has no temperature: it is not known then. */
void thermal_read(struct thermal *thermal)
{
	struct thermal_sensor *sensor;

	for (sensor = thermal->sensors; sensor < thermal->sensors + thermal->count; sensor++)
		sensor->known = live_read_number(sensor->fd, &sensor->millidegrees) == 0;
}

const struct thermal_sensor *thermal_zone(const struct thermal *thermal, const char *type)
{
	size_t i;

	for (i = 0; i < thermal->count; i++)
		if (thermal->sensors[i].zone && strcmp(thermal->sensors[i].chip, type) == 0)
			return &thermal->sensors[i];
	return NULL;
}

void thermal_close(struct thermal *thermal)
{
	size_t i;

	for (i = 0; i < thermal->count; i++)
		close(thermal->sensors[i].fd);
	thermal->count = 0;
}
