/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What is wrong with the machine at the moment. */
#ifndef BRAMBLE_MACHINE_H
#define BRAMBLE_MACHINE_H

#include <stdbool.h>
#include <stddef.h>

#include "diagnose/cause.h"
#include "node/node.h"

#define MACHINE_STATES_MAX 16
#define MACHINE_WHERE_SIZE 64

struct machine_state {
	enum cause cause;		/* from CAUSES_OF_OWNERS on */
	char where[MACHINE_WHERE_SIZE]; /* a mount point, which may be cut; "": all of the machine
					 */
};

/* All zeros at first. One thread. */
struct machine {
	struct machine_state states[MACHINE_STATES_MAX]; /* further ones are left out */
	size_t count;
	bool root_was_writable; /* at an earlier look */
};

/*
 * Looks at the node's last reading. A root file system that cannot be written to is a trouble only
 * if it could be before: some systems have it so.
 */
void machine_look(struct machine *machine, const struct node *node);

#endif
