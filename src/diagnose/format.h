/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Numbers as short text. */
#ifndef BRAMBLE_FORMAT_H
#define BRAMBLE_FORMAT_H

#include <stdint.h>

#define FORMAT_SIZE 24

/* A duration in at most 6 columns: "950ns", "12ms", "1.2s"; "-" for 0, ">128s" for infinity. */
void format_seconds(char text[FORMAT_SIZE], double seconds);

/* A ratio in percent, without the sign, in at most 5 columns: "0.4", "38", "1250". "0" means
 * exactly nothing. */
void format_percent(char text[FORMAT_SIZE], double ratio);

/* A number in at most 5 columns: "0.3", "12", "1.2k", "34M". */
void format_count(char text[FORMAT_SIZE], double count);

/* The length of an interval as people say it: "1 s", "2.5 s", "1 min". */
void format_interval(char text[FORMAT_SIZE], double seconds);

/* The local time of day: "12:00:01". wall_ns: CLOCK_REALTIME. */
void format_clock(char text[FORMAT_SIZE], uint64_t wall_ns);

#endif
