/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Messages for the operator, on standard error: logfmt or JSON, one a line.
 */
#ifndef BRAMBLE_LOG_H
#define BRAMBLE_LOG_H

#include <stdbool.h>
#include <stdint.h>

enum log_level {
	LOG_DEBUG,
	LOG_INFO,
	LOG_WARN,
	LOG_ERROR,
};

enum log_format {
	LOG_LOGFMT,
	LOG_JSON,
};

/* Sets what is printed and how. Before it is called: info and above, logfmt. */
void log_setup(enum log_level level, enum log_format format);

/* Whether messages of this level are printed. */
bool log_enabled(enum log_level level);

/* Whether an error was logged since the start. A command that fails must not end silently. */
bool log_has_error(void);

/*
 * Prints one message. A message names the object, the cause and the remedy, and has no newline. It
 * is cut at 1 KiB. If there is no memory for a warning or an error, the line says just that.
 */
__attribute__((format(printf, 2, 3))) void log_at(enum log_level level, const char *format, ...);

/*
 * Whether a message is due that strangers can cause: once a minute. told_ns: when it was last
 * given, CLOCK_MONOTONIC; 0: never. If it is due, it is given now. now_ns is not 0.
 */
bool log_is_due(uint64_t *told_ns, uint64_t now_ns);

#define log_debug(...) log_at(LOG_DEBUG, __VA_ARGS__)
#define log_info(...)  log_at(LOG_INFO, __VA_ARGS__)
#define log_warn(...)  log_at(LOG_WARN, __VA_ARGS__)
#define log_error(...) log_at(LOG_ERROR, __VA_ARGS__)

#endif
