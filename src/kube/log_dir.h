/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Reads the log directory of one pod: <container>/<attempt>.log.
 *
 * A rotated log is <attempt>.log.<time>[.gz], and at least one of these stays
 * (pkg/kubelet/logs/container_log_manager.go). With docker, <attempt>.log is a link to
 * .../<container id>/<container id>-json.log (cri-dockerd).
 *
 * Times are births of files (statx(2)'s stx_btime; ext4, xfs, btrfs and f2fs keep them). If the
 * file system keeps none, the only known start of a container is the last change of its directory.
 * An earlier start may be lost.
 */
#ifndef BRAMBLE_KUBE_LOG_DIR_H
#define BRAMBLE_KUBE_LOG_DIR_H

#include "kube/log_match.h"

/* A pod with this many containers or more is refused. */
#define LOG_CONTAINERS_MAX 128

/* The containers belong to pod; log_dir_free() frees them. */
struct log_dir {
	struct log_pod pod;
	const struct log_container *matched; /* one of its logs is a link to the id; or NULL */
};

/*
 * Reads the directory name below dir_fd. Links are compared with container_id, which has 64 digits.
 * Anything else matches no link. Names that are not containers', and those that vanish during the
 * reading, are skipped.
 *
 * Returns 0, and the caller gives *out to log_dir_free(). Or returns -ENOENT, -EACCES, -ENOMEM,
 * -E2BIG or another error of open(2) and readdir(3).
 */
int log_dir_read(int dir_fd, const char *name, const char *container_id, struct log_dir *out);

void log_dir_free(struct log_dir *dir);

#endif
