/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What tasks are short of, in the order and by the names of the kernel's PSI. */
#ifndef BRAMBLE_PRESSURE_H
#define BRAMBLE_PRESSURE_H

enum pressure_resource {
	PRESSURE_CPU,
	PRESSURE_MEMORY,
	PRESSURE_IO,
	PRESSURE_RESOURCES,
};

#endif
