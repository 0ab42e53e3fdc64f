/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "metrics/self.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/clock.h"
#include "util/procstat.h"

static void set(struct self *self, enum family_id id, uint64_t value)
{
	self->value[id] = value;
	self->known[id] = true;
}

static void read_stat(struct self *self, const struct wall *wall)
{
	char text[1024]; /* it has some 52 numbers; no buffer, so that it needs no memory */
	int fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
	ssize_t len;

	if (fd < 0)
		return;
	len = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (len <= 0)
		return;
	text[len] = '\0';
	set(self, FAMILY_PROCESS_VIRTUAL, proc_stat_field(text, PROC_STAT_VSIZE));
	set(self, FAMILY_PROCESS_RESIDENT,
	    proc_stat_field(text, PROC_STAT_RSS) * (uint64_t)sysconf(_SC_PAGESIZE));
	set(self, FAMILY_PROCESS_START,
	    wall_time(wall, proc_ticks_ns(proc_stat_field(text, PROC_STAT_START_TICKS))));
}

/* The number of open descriptors, -1 if it cannot be known. */
static int64_t count_open(void)
{
	struct stat st;
	int64_t count = 0;
	DIR *dir;

	/* Since 6.2 the directory's size is what we want; counting its entries takes long. */
	if (stat("/proc/self/fd", &st) == 0 && st.st_size > 0)
		return st.st_size;
	dir = opendir("/proc/self/fd");
	if (!dir)
		return -1;
	while (readdir(dir))
		count++;
	closedir(dir);
	return count - 3; /* ".", ".." and dir itself */
}

static void count_fds(struct self *self)
{
	int64_t count = count_open();
	struct rlimit limit;

	if (count >= 0)
		set(self, FAMILY_PROCESS_OPEN_FDS, (uint64_t)count);
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
		set(self, FAMILY_PROCESS_MAX_FDS, limit.rlim_cur);
}

void self_read(struct self *self, const struct wall *wall)
{
	memset(self, 0, sizeof(*self));
	set(self, FAMILY_PROCESS_CPU, clock_ns(CLOCK_PROCESS_CPUTIME_ID));
	read_stat(self, wall);
	count_fds(self);
}

bool self_known(const struct self *self, enum family_id id)
{
	return id < FAMILY_PROCESS_CPU || self->known[id];
}

uint64_t self_value(const struct self *self, enum family_id id)
{
	return self->value[id];
}
