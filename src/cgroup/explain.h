/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Shows how a cgroup path is read, for people and scripts: "bramble explain".
 */
#ifndef BRAMBLE_CGROUP_EXPLAIN_H
#define BRAMBLE_CGROUP_EXPLAIN_H

#include <stdio.h>

#include "cgroup/trust.h"

/*
 * Writes one JSON object and a newline. Its keys, in this order, are those of struct cgroup_name.
 * Keys that do not apply or are not known are left out:
 *
 *   path          as given; each byte that is not UTF-8 is written as U+FFFD
 *   kind          "root", "pod", "container" or "unit"
 *   pod_uid, container_id
 *   runtime       "containerd", "cri-o", "docker" or "podman"
 *   qos           "guaranteed", "burstable" or "besteffort"
 *   unit
 *   cgroup_root   what a pod's path has above the kubelet's own cgroups
 *   because       why the path is, or is not, believed to be a pod's: see trust.h
 *   error         the only key after path: why the path cannot be read
 *
 * Who may make cgroups is looked up below roots->mount. For a path that is not on this machine the
 * answer says on what it depends.
 *
 * Returns 0, what cgroup_path_parse() returned (the object has an error then),
 * -ENOMEM, or -EIO if writing to the stream failed.
 */
int explain_path(const struct pod_roots *roots, const char *path, FILE *out);

#endif
