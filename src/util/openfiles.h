/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The limit of open files, RLIMIT_NOFILE. */
#ifndef BRAMBLE_OPENFILES_H
#define BRAMBLE_OPENFILES_H

/* Enough for the files of cgroups that are kept open (src/cgroup/files.c) and everything else. */
#define OPEN_FILES_WANTED 2304

/*
 * Raises the soft limit to OPEN_FILES_WANTED, or to the hard limit if that is lower. Never lowers
 * it. Call this before anything is opened. A failure is not an error: the limit stays as it is.
 */
void open_files_raise(void);

/* The soft limit; 0 if it is not known. */
unsigned long open_files_limit(void);

#endif
