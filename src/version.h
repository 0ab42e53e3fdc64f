/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef BRAMBLE_VERSION_H
#define BRAMBLE_VERSION_H

extern const char bramble_version[];  /* "0.1.0" */
extern const char bramble_revision[]; /* the commit, "unknown" if not built from a checkout */

#endif
