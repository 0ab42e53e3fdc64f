/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Fields of /proc/PID/stat, by their numbers in proc(5). Any thread. */
#ifndef BRAMBLE_PROCSTAT_H
#define BRAMBLE_PROCSTAT_H

#include <stdint.h>

#define PROC_STAT_START_TICKS 22 /* after boot */
#define PROC_STAT_VSIZE	      23 /* bytes */
#define PROC_STAT_RSS	      24 /* pages */

/* The nth field of the file's text, n from 3 on, as a number; 0 if it is not there. */
uint64_t proc_stat_field(const char *text, int n);

/* Converts clock ticks, the kernel's unit of time for user space, to nanoseconds. */
uint64_t proc_ticks_ns(uint64_t ticks);

#endif
