/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Names of containers outside of Kubernetes, from the files that docker and
 * podman keep of them: their daemons are not asked.
 *
 *   docker  /var/lib/docker/containers/<id>/config.v2.json: "Name"
 *           (daemon/container/container.go of moby)
 *   podman  <storage>/<driver>-containers/[volatile-]containers.json: "id", "names"
 *           (containers.go of containers/storage), root's storage first, then
 *           those of users
 *
 * Any thread.
 */
#ifndef BRAMBLE_PLAIN_H
#define BRAMBLE_PLAIN_H

#include "cgroup/path.h"

#define PLAIN_NAME_SIZE 64 /* longer names are cut */

/*
 * Finds the name of a container by its id. root is put before the paths above, ""
 * if they are this machine's. Returns 0, or -ENOENT: *out is the short id then.
 */
int plain_find(const char *root, enum cgroup_runtime runtime, const char *id,
	       char out[PLAIN_NAME_SIZE]);

/* The same from a file's text: what docker and podman keep. Returns 0, -ENOENT or -EINVAL. */
int plain_read_docker(const char *text, size_t len, const char *id, char out[PLAIN_NAME_SIZE]);
int plain_read_podman(const char *text, size_t len, const char *id, char out[PLAIN_NAME_SIZE]);

#endif
