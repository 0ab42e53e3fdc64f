/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The names of block devices, by their numbers: mmcblk0, and not 179:0; they are those of
 * /proc/diskstats. A device that is gone keeps its name as long as no other one takes its
 * number. One thread calls all of this.
 */
#ifndef BRAMBLE_DEVICES_H
#define BRAMBLE_DEVICES_H

#include <stdint.h>

#include <uthash.h>

#include "util/buf.h"

struct device_name;
struct device;

struct devices {
	const char *procfs, *sysfs; /* where they are mounted; not owned */
	struct buf diskstats;	    /* as read in this round; empty if it was not */
	struct device_name *names;
	struct device *table;
	unsigned int round;
};

/* Names are looked for again from now on: a number may be another device's by now. */
void devices_look_again(struct devices *devices);

/*
 * The name of a device by the kernel's number of it (BLOCK_MINOR_BITS), owned by
 * devices and the same pointer for equal names. One that the kernel does not list is
 * called as it was last, or MAJOR:MINOR; number 0 is "unknown". NULL: no memory.
 */
const char *devices_name(struct devices *devices, uint32_t dev);

void devices_free(struct devices *devices);

#endif
