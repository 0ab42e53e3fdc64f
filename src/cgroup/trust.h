/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Whether a pod's path is believed. A path is only a shape: whoever may make cgroups can make one
 * that looks like a pod's, and a user's service manager gives its user a part of the hierarchy. So
 * a path is believed where nobody but root can make it:
 *
 *  - where kubelets have their pods: below the root of the hierarchy, and below
 *    "kubelet", which is kind's --cgroup-root (TRUST_KUBELET);
 *  - below a --kube.cgroup-root that was given (TRUST_KUBELET);
 *  - elsewhere if each cgroup above the pod belongs to whom the root of the hierarchy belongs
 *    to, and neither its group nor others may write to it (TRUST_OWNER). The kernel gives a
 *    cgroup to who makes it (cgroup_kn_set_ugid()), a part that is delegated to a user belongs
 *    to that user, and cgroups of version 2 cannot be renamed. A container with root's rights
 *    passes this test, too: a node of kind is one. That is why a pod has one place (claims.h).
 *
 * What the kubelet lists proves no path: uids and ids can be read in /proc/PID/cgroup, and copied.
 */
#ifndef BRAMBLE_CGROUP_TRUST_H
#define BRAMBLE_CGROUP_TRUST_H

#include <stdbool.h>
#include <stddef.h>

#include "cgroup/path.h"
#include "util/buf.h"

enum cgroup_trust {
	TRUST_NONE,
	TRUST_OWNER,
	TRUST_KUBELET,
};

/* Where pods may be. All zero: where kubelets have them, and nowhere else. */
struct pod_roots {
	const char *mount;	  /* of cgroup v2; NULL: nothing is looked up. Not owned */
	const char *const *given; /* --kube.cgroup-root; not owned */
	size_t given_count;
};

/* Whether it can be one: absolute, without "..", and shorter than CGROUP_PATH_LIMIT. */
bool pod_root_valid(const char *path);

/*
 * Which of the roots that were given are there, and which of the places where kubelets have pods:
 * adds them to found, with spaces between them. *missing is one of the given that is not there, or
 * NULL. Returns how many it has found. The mount of the roots is not NULL.
 */
size_t pod_roots_find(const struct pod_roots *roots, struct buf *found, const char **missing);

/* How much a path is believed that was read as name. Of a container outside of pods: TRUST_OWNER if
 * nobody but root can make cgroups beside it. */
enum cgroup_trust trust_path(const struct pod_roots *roots, const char *path,
			     const struct cgroup_name *name);

/* Whether nobody but root can make cgroups in the first len bytes of a path: see above. Returns 1,
 * 0, or a negative errno if that cannot be looked up. */
int trust_only_root(const struct pod_roots *roots, const char *path, size_t len);

#endif
