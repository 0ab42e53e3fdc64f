/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Reads the log directory of one pod: <container>/<attempt>.log.
 *
 * A rotated log is <attempt>.log.<time>[.gz], and at least one of them stays
 * (pkg/kubelet/logs/container_log_manager.go). With docker, <attempt>.log is a
 * link to .../<container id>/<container id>-json.log (cri-dockerd). Times are
 * births (statx(2)'s stx_btime; ext4, xfs, btrfs and f2fs keep them); where the
 * file system keeps none, a container's only start is when its directory was
 * changed last, and an earlier one may be lost.
 */
#ifndef BRAMBLE_KUBE_LOG_DIR_H
#define BRAMBLE_KUBE_LOG_DIR_H

#include "kube/log_match.h"

/* A pod of as many containers or more is refused. */
#define LOG_CONTAINERS_MAX 128

/* The containers belong to pod; log_dir_free() frees them. */
struct log_dir {
	struct log_pod pod;
	const struct log_container *matched; /* one of its logs is a link to the id; or NULL */
};

/*
 * Reads the directory name below dir_fd. container_id is what links are
 * compared with: 64 digits, anything else matches none. What is no container's
 * name, or vanishes while being read, is left out.
 *
 * Returns 0, and *out is to be given to log_dir_free(), or -ENOENT, -EACCES,
 * -ENOMEM, -E2BIG and what else open(2) and readdir(3) say.
 */
int log_dir_read(int dir_fd, const char *name, const char *container_id, struct log_dir *out);

void log_dir_free(struct log_dir *dir);

#endif
