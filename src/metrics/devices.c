/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "metrics/devices.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bramble/cells.h"
#include "util/slice.h"

#define DISKSTATS_MAX	(1 << 20)

/* The major number of disks whose driver has none of its own (include/uapi/linux/major.h). */
#define BLOCK_EXT_MAJOR 259

struct device_name {
	UT_hash_handle hh;
	char text[];
};

struct device {
	uint32_t dev;
	unsigned int round; /* when its name was looked for */
	const char *name;
	UT_hash_handle hh;
};

/* The one copy of a name. */
static const char *intern(struct devices *devices, struct slice text)
{
	struct device_name *name;

	HASH_FIND(hh, devices->names, text.at, (unsigned int)text.len, name);
	if (!name) {
		name = calloc(1, sizeof(*name) + text.len + 1);
		if (!name)
			return NULL;
		memcpy(name->text, text.at, text.len);
		if (!HASH_TRY_ADD(hh, devices->names, name->text, text.len, name)) {
			free(name);
			return NULL;
		}
	}
	return name->text;
}

static unsigned int major_of(uint32_t dev)
{
	return dev >> BLOCK_MINOR_BITS;
}

static unsigned int minor_of(uint32_t dev)
{
	return dev & ((1U << BLOCK_MINOR_BITS) - 1);
}

/* The name in a line "MAJOR MINOR NAME ...". False if the line has another number. */
static bool name_on_line(struct slice line, unsigned int major, unsigned int minor,
			 struct slice *name)
{
	uint64_t line_major, line_minor;
	struct slice word;

	return slice_next_word(&line, ' ', &word) && slice_number(word, UINT_MAX, &line_major) &&
	       slice_next_word(&line, ' ', &word) && slice_number(word, UINT_MAX, &line_minor) &&
	       line_major == major && line_minor == minor && slice_next_word(&line, ' ', name);
}

/* The name in the only line with this number. False if there is none, or more than one. */
static bool only_name(struct slice text, unsigned int major, unsigned int minor, struct slice *name)
{
	struct slice line, other;
	bool found = false;

	while (text.len) {
		slice_cut(&text, '\n', &line);
		if (!name_on_line(line, major, minor, &other))
			continue;
		if (found)
			return false;
		found = true;
		*name = other;
	}
	return found;
}

/*
 * A hidden disk cannot be opened, and has no number in sysfs. An example is a path to an NVMe
 * namespace that has several. It still has a number in requests and in diskstats. But before
 * kernel 6.2 diskstats shows 0:0 (commit a0a6314ae774). Then its name is known only if it is the
 * only such disk.
 */
static const char *look_in_diskstats(struct devices *devices, uint32_t dev)
{
	struct slice text, name;
	char path[PATH_MAX];

	if (!devices->diskstats.data && ((size_t)snprintf(path, sizeof(path), "%s/diskstats",
							  devices->procfs) >= sizeof(path) ||
					 buf_read_file(&devices->diskstats, path, DISKSTATS_MAX)))
		return NULL;
	text = (struct slice){devices->diskstats.data, devices->diskstats.len};
	if (only_name(text, major_of(dev), minor_of(dev), &name) ||
	    (major_of(dev) == BLOCK_EXT_MAJOR && only_name(text, 0, 0, &name)))
		return intern(devices, name);
	return NULL;
}

/*
 * In sysfs, a device number is a link to the device's folder, which has the device's name. A slash
 * in the name is written as ! there (drivers/base/core.c). NULL if there is none.
 */
static const char *look_for(struct devices *devices, uint32_t dev)
{
	char path[PATH_MAX], target[PATH_MAX], *name;
	ssize_t len;

	if ((size_t)snprintf(path, sizeof(path), "%s/dev/block/%u:%u", devices->sysfs,
			     major_of(dev), minor_of(dev)) >= sizeof(path))
		return NULL;
	len = readlink(path, target, sizeof(target) - 1);
	if (len <= 0)
		return NULL;
	target[len] = '\0';
	name = strrchr(target, '/');
	name = name ? name + 1 : target;
	for (len = 0; name[len]; len++)
		if (name[len] == '!')
			name[len] = '/';
	return intern(devices, slice_of(name));
}

static const char *number_of(struct devices *devices, uint32_t dev)
{
	char text[32];

	if (!dev)
		return intern(devices, slice_of("unknown"));
	snprintf(text, sizeof(text), "%u:%u", major_of(dev), minor_of(dev));
	return intern(devices, slice_of(text));
}

/* Adds a device that has its number for a name. NULL without memory. */
static struct device *add_device(struct devices *devices, uint32_t dev)
{
	struct device *device = calloc(1, sizeof(*device));

	if (!device)
		return NULL;
	device->dev = dev;
	device->name = number_of(devices, dev);
	if (device->name && HASH_TRY_ADD(hh, devices->table, &device->dev, sizeof(dev), device))
		return device;
	free(device);
	return NULL;
}

void devices_look_again(struct devices *devices)
{
	devices->round++;
	buf_free(&devices->diskstats);
}

const char *devices_name(struct devices *devices, uint32_t dev)
{
	struct device *device;
	const char *name;

	HASH_FIND(hh, devices->table, &dev, sizeof(dev), device);
	if (device && device->round == devices->round)
		return device->name;
	name = dev ? look_for(devices, dev) : NULL;
	if (dev && !name)
		name = look_in_diskstats(devices, dev);
	if (!device)
		device = add_device(devices, dev);
	if (!device)
		return NULL;
	if (name)
		device->name = name;
	device->round = devices->round;
	return device->name;
}

/* The analyzer does not see that an element is off uthash's list before it is freed. */
/* NOLINTBEGIN(clang-analyzer-unix.Malloc) */
void devices_free(struct devices *devices)
{
	struct device_name *name, *next_name;
	struct device *device, *next;

	buf_free(&devices->diskstats);
	HASH_ITER(hh, devices->table, device, next) {
		HASH_DEL(devices->table, device);
		free(device);
	}
	HASH_ITER(hh, devices->names, name, next_name) {
		HASH_DEL(devices->names, name);
		free(name);
	}
}
/* NOLINTEND(clang-analyzer-unix.Malloc) */
