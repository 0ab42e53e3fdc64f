/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What the files of src/obstacle share. */
#ifndef BRAMBLE_OBSTACLE_INTERNAL_H
#define BRAMBLE_OBSTACLE_INTERNAL_H

#include <stdarg.h>

#include "obstacle/obstacle.h"

void obstacle_set(struct obstacle *out, const char *cause, const char *remedy);
__attribute__((format(printf, 2, 3))) void obstacle_cause(struct obstacle *out, const char *format,
							  ...);
__attribute__((format(printf, 2, 3))) void obstacle_remedy(struct obstacle *out, const char *format,
							   ...);

/* obstacle_log(), with its arguments as a list. */
__attribute__((format(printf, 3, 0))) void obstacle_vlog(enum log_level level,
							 const struct obstacle *obstacle,
							 const char *format, va_list args);

/* An errno that explains itself. */
void obstacle_of_file(int err, struct obstacle *out);

/* True if a limit or a lack of memory is in the way. That is possible in every step. */
bool obstacle_of_resources(const struct machine *machine, int err, struct obstacle *out);

#endif
