/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "metrics/devices.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bramble/cells.h"

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
static const char *intern(struct devices *devices, const char *text)
{
	size_t len = strlen(text);
	struct device_name *name;

	HASH_FIND(hh, devices->names, text, (unsigned int)len, name);
	if (!name) {
		name = calloc(1, sizeof(*name) + len + 1);
		if (!name)
			return NULL;
		memcpy(name->text, text, len + 1);
		HASH_ADD_KEYPTR(hh, devices->names, name->text, (unsigned int)len, name);
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

/*
 * A device number is a link to the device's folder, which has its name; a slash in
 * it is written as ! there (drivers/base/core.c). NULL if there is none.
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
	return intern(devices, name);
}

static const char *number_of(struct devices *devices, uint32_t dev)
{
	char text[32];

	if (!dev)
		return intern(devices, "unknown");
	snprintf(text, sizeof(text), "%u:%u", major_of(dev), minor_of(dev));
	return intern(devices, text);
}

void devices_look_again(struct devices *devices)
{
	devices->round++;
}

const char *devices_name(struct devices *devices, uint32_t dev)
{
	struct device *device;
	const char *name;

	HASH_FIND(hh, devices->table, &dev, sizeof(dev), device);
	if (device && device->round == devices->round)
		return device->name;
	name = dev ? look_for(devices, dev) : NULL;
	if (!device) {
		device = calloc(1, sizeof(*device));
		if (!device)
			return NULL;
		device->dev = dev;
		device->name = number_of(devices, dev);
		HASH_ADD(hh, devices->table, dev, sizeof(dev), device);
	}
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

	HASH_ITER(hh, devices->table, device, next)
	{
		HASH_DEL(devices->table, device);
		free(device);
	}
	HASH_ITER(hh, devices->names, name, next_name)
	{
		HASH_DEL(devices->names, name);
		free(name);
	}
}
/* NOLINTEND(clang-analyzer-unix.Malloc) */
