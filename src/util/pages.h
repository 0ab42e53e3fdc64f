/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef BRAMBLE_PAGES_H
#define BRAMBLE_PAGES_H

/*
 * Unmaps, for now, all pages of the program's and its libraries' files that are mapped for
 * reading alone: those that only the start has touched are resident no more, the others come
 * back when they are used, from the page cache. Threads may run meanwhile.
 */
void pages_release_files(void);

#endif
