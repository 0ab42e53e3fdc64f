/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef BRAMBLE_PROBE_RECORDS_H
#define BRAMBLE_PROBE_RECORDS_H

/*
 * Makes BTF from tracefs of the records that any probe's programs read. Returns what
 * tracefs_btf_build() does.
 */
int probe_build_records(const char *tracefs);

#endif
