/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The limit of open files, RLIMIT_NOFILE. */
#ifndef BRAMBLE_OPENFILES_H
#define BRAMBLE_OPENFILES_H

/* As many as 1024 cgroups' files (CGROUP_FILES each) and all else take. */
#define OPEN_FILES_WANTED 8448

/*
 * Raises the soft limit to OPEN_FILES_WANTED or, if that is less, to the hard one; it is never
 * lowered. To be called before anything is opened. Failing is no error: the limit stays.
 */
void open_files_raise(void);

/* The soft limit; 0 if it is not known. */
unsigned long open_files_limit(void);

#endif
