/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "util/openfiles.h"

#include <sys/resource.h>

void open_files_raise(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur >= OPEN_FILES_WANTED)
		return;
	limit.rlim_cur = limit.rlim_max < OPEN_FILES_WANTED ? limit.rlim_max : OPEN_FILES_WANTED;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

unsigned long open_files_limit(void)
{
	struct rlimit limit;

	return getrlimit(RLIMIT_NOFILE, &limit) ? 0 : (unsigned long)limit.rlim_cur;
}
