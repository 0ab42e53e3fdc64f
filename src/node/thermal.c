/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "node/thermal.h"

#include <linux/limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "node/folder.h"
#include "util/livefile.h"
#include "util/slice.h"
#include "util/utf8.h"

/* Makes a name as node_exporter does: lower case, with "_" for what Prometheus does not allow. */
static void clean_name(char *name)
{
	size_t begin = 0, len = strlen(name), i;

	for (i = 0; i < len; i++) {
		if (name[i] >= 'A' && name[i] <= 'Z')
			name[i] = (char)(name[i] - 'A' + 'a');
		else if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789:_", name[i]))
			name[i] = '_';
	}
	while (len && name[len - 1] == '_')
		len--;
	while (begin < len && name[begin] == '_')
		begin++;
	memmove(name, name + begin, len - begin);
	name[len - begin] = '\0';
}

/* Cuts the last component off a path, and cleans it. */
static void take_last(char *path, char *name, size_t size)
{
	char *slash = strrchr(path, '/');

	snprintf(name, size, "%s", slash ? slash + 1 : "");
	clean_name(name);
	if (slash)
		*slash = '\0';
}

/* Names a device by its folder and the one above. Returns false if there is no such device. */
static bool name_device(const char *dir, const char *link, char *chip, size_t size)
{
	char path[PATH_MAX], real[PATH_MAX], device[NAME_MAX + 1], bus[NAME_MAX + 1];

	if ((size_t)snprintf(path, sizeof(path), "%s/%s", dir, link) >= sizeof(path) ||
	    !realpath(path, real))
		return false;
	take_last(real, device, sizeof(device));
	take_last(real, bus, sizeof(bus));
	snprintf(chip, size, "%.60s%s%.60s", bus, bus[0] ? "_" : "", device);
	return device[0] != '\0';
}

static bool has_chip(const struct thermal *thermal, const char *chip)
{
	size_t i;

	for (i = 0; i < thermal->count; i++)
		if (strcmp(thermal->sensors[i].chip, chip) == 0)
			return true;
	return false;
}

/* A device may have two chips, and a chip may have no device. Then the name in sysfs identifies it.
 */
static void name_chip(const struct thermal *thermal, const char *dir, const char *entry,
		      struct thermal_sensor *chip)
{
	size_t size = sizeof(chip->chip), len;

	if (!name_device(dir, "device", chip->chip, size)) {
		snprintf(chip->chip, size, "%s", chip->chip_name);
		clean_name(chip->chip);
	}
	if (!chip->chip[0])
		snprintf(chip->chip, size, "%s", entry);
	if (!has_chip(thermal, chip->chip))
		return;
	len = strlen(chip->chip);
	if (len > size - 2 - strlen(entry))
		len = size - 2 - strlen(entry);
	snprintf(chip->chip + len, size - len, "_%s", entry);
}

/* Adds a sensor of a chip that is like the one given. */
static struct thermal_sensor *add(struct thermal *thermal, const struct thermal_sensor *chip,
				  const char *dir, const char *file)
{
	struct thermal_sensor *sensor = &thermal->sensors[thermal->count];

	if (thermal->count == THERMAL_SENSORS_MAX)
		return NULL;
	*sensor = *chip;
	sensor->fd = live_open(dir, file);
	if (sensor->fd < 0)
		return NULL;
	thermal->count++;
	return sensor;
}

static void open_zone(void *thermal, const char *dir, const char *name)
{
	struct thermal_sensor zone = {.sensor = "temp1", .zone = true};

	if (live_read_once(dir, "type", zone.chip_name, sizeof(zone.chip_name)) <= 0)
		return;
	utf8_clean(zone.chip_name);
	snprintf(zone.chip, sizeof(zone.chip), "thermal_%s", name);
	add(thermal, &zone, dir, "temp");
}

/* A zone is also a chip with the same name, with _ for - (drivers/thermal/thermal_hwmon.c). */
static bool is_also_a_zone(const struct thermal *thermal, const char *chip_name)
{
	size_t i, at;

	for (i = 0; i < thermal->count; i++) {
		const char *type = thermal->sensors[i].chip_name;

		for (at = 0; type[at] && (type[at] == '-' ? '_' : type[at]) == chip_name[at];)
			at++;
		if (thermal->sensors[i].zone && !type[at] && !chip_name[at])
			return true;
	}
	return false;
}

/* What open_input() adds an input to. */
struct chip_folder {
	struct thermal *thermal;
	const struct thermal_sensor *chip;
	const char *dir;
};

/* Adds temp1_input and its like. The label comes from the driver, if the driver has one. */
static void open_input(void *context, const char *path, const char *name)
{
	const struct chip_folder *folder = context;
	struct slice rest = slice_of(name), input;
	struct thermal_sensor *sensor;
	uint64_t number;
	char file[32];

	(void)path;
	if (!slice_cut(&rest, '_', &input) || !slice_is(rest, "input"))
		return;
	rest = input;
	slice_drop_prefix(&rest, "temp");
	if (!slice_number(rest, 99999, &number))
		return;
	sensor = add(folder->thermal, folder->chip, folder->dir, name);
	if (!sensor)
		return;
	slice_copy(input, sensor->sensor, sizeof(sensor->sensor));
	snprintf(file, sizeof(file), "%s_label", sensor->sensor);
	if (live_read_once(folder->dir, file, sensor->label, sizeof(sensor->label)) <= 0)
		sensor->label[0] = '\0';
	utf8_clean(sensor->label);
}

static void open_chip(void *thermal, const char *dir, const char *name)
{
	struct thermal_sensor chip = {.fd = -1};
	struct chip_folder folder = {thermal, &chip, dir};

	/* Reading drivetemp may keep a disk from sleeping: Documentation/hwmon/drivetemp.rst */
	if (live_read_once(dir, "name", chip.chip_name, sizeof(chip.chip_name)) <= 0 ||
	    is_also_a_zone(thermal, chip.chip_name) || strcmp(chip.chip_name, "drivetemp") == 0)
		return;
	utf8_clean(chip.chip_name);
	name_chip(thermal, dir, name, &chip);
	if (!has_chip(thermal, chip.chip)) /* better none than two with one name */
		folder_each(dir, "temp", open_input, &folder);
}

void thermal_open(struct thermal *thermal, const char *sysfs)
{
	char dir[PATH_MAX];

	thermal->count = 0;
	snprintf(dir, sizeof(dir), "%s/class/thermal", sysfs);
	folder_each(dir, "thermal_zone", open_zone, thermal);
	snprintf(dir, sizeof(dir), "%s/class/hwmon", sysfs);
	folder_each(dir, "hwmon", open_chip, thermal);
}

/* If a device is asleep or off, its sensor has no temperature. Then it is not known. */
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
		if (thermal->sensors[i].zone && strcmp(thermal->sensors[i].chip_name, type) == 0)
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
