/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A line on standard error that says what is going on, and for how long, until it is done. */
#ifndef BRAMBLE_TOP_PROGRESS_H
#define BRAMBLE_TOP_PROGRESS_H

struct progress;

/* The text must live until progress_stop(), which takes NULL, too. NULL: it cannot be shown. */
struct progress *progress_start(const char *text);
void progress_stop(struct progress *progress);

#endif
