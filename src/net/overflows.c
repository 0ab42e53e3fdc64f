/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "net/overflows.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bramble/growth.h"
#include "util/buf.h"
#include "util/hash.h"
#include "util/slice.h"

/* The kernel's file has some 5 KB. */
#define NETSTAT_MAX 65536

struct net_namespace {
	uint64_t inode;
	uint64_t count; /* as read last */
	unsigned int round;
	UT_hash_handle hh;
};

struct overflows {
	const char *procfs, *cgroupfs;
	struct net_namespace *table;
	unsigned int round;
};

int overflows_open(const char *procfs, const char *cgroupfs, struct overflows **out)
{
	struct overflows *o = calloc(1, sizeof(*o));

	if (!o)
		return -ENOMEM;
	o->procfs = procfs;
	o->cgroupfs = cgroupfs;
	o->round = 1;
	*out = o;
	return 0;
}

/* Forgets the namespaces whose last reading was in the round before, or earlier. */
/* NOLINTBEGIN(clang-analyzer-unix.Malloc): it does not see uthash take them off its list */
static void forget(struct overflows *o, unsigned int before)
{
	struct net_namespace *ns, *next;

	HASH_ITER(hh, o->table, ns, next) {
		if (ns->round > before)
			continue;
		HASH_DEL(o->table, ns);
		free(ns);
	}
}
/* NOLINTEND(clang-analyzer-unix.Malloc) */

void overflows_close(struct overflows *o)
{
	if (!o)
		return;
	forget(o, UINT_MAX);
	free(o);
}

void overflows_next_round(struct overflows *o)
{
	forget(o, o->round - 1);
	o->round++;
}

/* The first process of a cgroup. 0 if none is visible from here. */
static long first_process(const struct overflows *o, const char *cgroup_path)
{
	char path[PATH_MAX], text[32];
	ssize_t len;
	int fd;

	if ((size_t)snprintf(path, sizeof(path), "%s%s/cgroup.procs", o->cgroupfs, cgroup_path) >=
	    sizeof(path))
		return 0;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	len = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[len > 0 ? len : 0] = '\0';
	return strtol(text, NULL, 10);
}

/*
 * A number that identifies a process's network namespace, or 0 if there is no such process: each
 * namespace has a netstat file of its own. ns/net would show it, too, but only to those who may
 * trace the process.
 */
static uint64_t namespace_of(const struct overflows *o, long pid)
{
	char path[PATH_MAX];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%ld/net/netstat", o->procfs, pid);
	return stat(path, &st) ? 0 : st.st_ino;
}

int overflows_parse(const char *text, uint64_t *count)
{
	struct slice rest = slice_of(text), names, values, name, value;

	/* A line of names, and one of their values. */
	slice_cut(&rest, '\n', &names);
	slice_cut(&rest, '\n', &values);
	if (!slice_drop_prefix(&names, "TcpExt:") || !slice_drop_prefix(&values, "TcpExt:"))
		return -EINVAL;
	while (slice_next_word(&names, ' ', &name) && slice_next_word(&values, ' ', &value))
		if (slice_is(name, "ListenOverflows"))
			return slice_number(value, UINT64_MAX, count) ? 0 : -EINVAL;
	return -EINVAL;
}

static int read_count(const struct overflows *o, long pid, uint64_t *count)
{
	char path[PATH_MAX];
	struct buf text;
	int err;

	snprintf(path, sizeof(path), "%s/%ld/net/netstat", o->procfs, pid);
	err = buf_read_file(&text, path, NETSTAT_MAX);
	if (err)
		return err;
	err = overflows_parse(text.data ? text.data : "", count);
	buf_free(&text);
	return err;
}

int overflows_read(struct overflows *o, const char *cgroup_path, bool is_new,
		   struct overflows_growth *growth)
{
	long pid = first_process(o, cgroup_path);
	uint64_t inode = pid > 0 ? namespace_of(o, pid) : 0, count;
	struct net_namespace *ns;
	int err;

	if (!inode)
		return -ESRCH;
	HASH_FIND(hh, o->table, &inode, sizeof(inode), ns);
	if (ns && ns->round == o->round)
		return -EALREADY;
	err = read_count(o, pid, &count);
	if (err)
		return err;
	if (!ns) {
		ns = calloc(1, sizeof(*ns));
		if (!ns)
			return -ENOMEM;
		ns->inode = inode;
		ns->count = is_new ? 0 : count;
		if (!HASH_TRY_ADD(hh, o->table, &ns->inode, sizeof(ns->inode), ns)) {
			free(ns);
			return -ENOMEM;
		}
	}
	ns->round = o->round;
	growth->count = grown(count, ns->count);
	growth->lower = count < ns->count;
	growth->host = inode == namespace_of(o, 1);
	ns->count = count;
	return 0;
}
