/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A reading from the text of the API: docs/api.md. */
#ifndef BRAMBLE_READING_JSON_H
#define BRAMBLE_READING_JSON_H

#include "diagnose/reading.h"

/*
 * Reads a text of len bytes, with a NUL behind it. The reading owns the text from now on, whatever
 * is returned; the caller gives the reading to reading_free(). Returns 0, -EINVAL if the text is
 * not what the API gives, or -ENOMEM.
 */
int reading_parse(struct reading *reading, char *text, size_t len);

#endif
