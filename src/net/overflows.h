/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Connections that a full accept queue turned away. The kernel counts them only for a network
 * namespace, as ListenOverflows in /proc/PID/net/netstat. So they are read there, through a process
 * of each namespace.
 *
 * Reading one namespace takes some tens of microseconds. So namespaces are read in rounds. In each
 * round every namespace is read once, a few at a time. No descriptor is kept open, because that
 * would keep the namespace of a removed pod alive.
 *
 * One thread calls all of this.
 */
#ifndef BRAMBLE_OVERFLOWS_H
#define BRAMBLE_OVERFLOWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct overflows;

/* The strings must outlive it. The caller gives *out to overflows_close(). Returns 0 or -ENOMEM. */
int overflows_open(const char *procfs, const char *cgroupfs, struct overflows **out);
void overflows_close(struct overflows *overflows);

/* Begins a new round. Every namespace may be read again. Those that the last round missed go. */
void overflows_next_round(struct overflows *overflows);

struct overflows_growth {
	uint64_t count; /* since it was read last */
	bool lower;	/* it is below what it was then: nothing is counted */
	bool host;	/* it is the namespace of the first process, and not a pod's */
};

/*
 * Reads the namespace of a cgroup's first process, unless this round has already read it. is_new:
 * the namespace is younger than this program, so everything it has at first counts. Otherwise only
 * later overflows count. Returns 0; -EALREADY if it was read; -ESRCH if the cgroup has no process;
 * or another negative errno.
 */
int overflows_read(struct overflows *overflows, const char *cgroup_path, bool is_new,
		   struct overflows_growth *growth);

/* ListenOverflows in the text of a netstat file. Returns 0 or -EINVAL. */
int overflows_parse(const char *text, uint64_t *count);

#endif
