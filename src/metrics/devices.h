/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The names of block devices, by their numbers: mmcblk0 instead of 179:0. They are the names in
 * /proc/diskstats. A device that is gone keeps its name until another one takes its number. One
 * thread calls all of this.
 */
#ifndef BRAMBLE_DEVICES_H
#define BRAMBLE_DEVICES_H

#include <stdint.h>

#include "util/buf.h"
#include "util/hash.h"

struct device_name;
struct device;

struct devices {
	const char *procfs, *sysfs; /* where they are mounted; not owned */
	struct buf diskstats;	    /* as read in this round; empty if it was not */
	struct device_name *names;
	struct device *table;
	unsigned int round;
};

/* From now on names are looked up again, because a number may belong to another device by now. */
void devices_look_again(struct devices *devices);

/*
 * The name of a device by the kernel's number (BLOCK_MINOR_BITS). devices owns it, and equal names
 * have the same pointer. A device that the kernel does not list has its last name, or MAJOR:MINOR.
 * Number 0 is "unknown". NULL: no memory.
 */
const char *devices_name(struct devices *devices, uint32_t dev);

void devices_free(struct devices *devices);

#endif
