/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Names of containers outside Kubernetes, from files that docker and podman keep. Their daemons are
 * not asked.
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
 * Finds the name of a container by its id. root is put before the paths above; "" for this
 * machine's own paths. Returns 0, or -ENOENT: then *out is the short id.
 */
int plain_find(const char *root, enum cgroup_runtime runtime, const char *id,
	       char out[PLAIN_NAME_SIZE]);

/* The same from the text of a file of docker or podman. Returns 0, -ENOENT or -EINVAL. */
int plain_read_docker(const char *text, size_t len, const char *id, char out[PLAIN_NAME_SIZE]);
int plain_read_podman(const char *text, size_t len, const char *id, char out[PLAIN_NAME_SIZE]);

#endif
