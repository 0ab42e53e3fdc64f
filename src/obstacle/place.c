/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Obstacles at files, mounts and addresses. */
#include <errno.h>
#include <linux/un.h>
#include <stdio.h>
#include <string.h>

#include "obstacle/internal.h"

#define PARENT_MAX 256

void obstacle_of_files(unsigned long limit, unsigned long needed, struct obstacle *out)
{
	obstacle_cause(out, "%lu files may be open (RLIMIT_NOFILE), which is too few", limit);
	if (needed)
		obstacle_cause(out, "%lu files may be open (RLIMIT_NOFILE), and it needs %lu",
			       limit, needed);
	obstacle_remedy(out, "raise the hard limit: ulimit -n (a shell), --ulimit nofile= (docker, "
			     "podman), LimitNOFILE= (systemd; also of the container runtime)");
}

void obstacle_of_file(int err, struct obstacle *out)
{
	obstacle_set(out, strerrordesc_np(-err), "");
}

void obstacle_of_part(const struct cgroup2_mount *mount, struct obstacle *out)
{
	obstacle_cause(out,
		       "%.160s shows a part of the hierarchy alone (a cgroup namespace, or a mount "
		       "of a part)",
		       mount->path);
	obstacle_remedy(
		out, "mount the host's /sys/fs/cgroup and name it with --path.cgroupfs, or leave "
		     "the cgroup namespace (docker: --cgroupns=host)");
}

void obstacle_of_address(int err, unsigned int port, struct obstacle *out)
{
	*out = (struct obstacle){.cause = ""};
	switch (-err) {
	case EADDRINUSE:
		obstacle_set(out, "the address is in use, perhaps by another bramble",
			     "choose another one with --web.listen-address");
		break;
	case EACCES:
		obstacle_cause(out, "this user may not listen on port %u", port);
		obstacle_remedy(out, "choose one from 1024 on with --web.listen-address, or give "
				     "it CAP_NET_BIND_SERVICE");
		break;
	case EADDRNOTAVAIL:
		obstacle_set(out, "this machine has no such address",
			     "name one of `ip address` with --web.listen-address; :PORT is all");
		break;
	case EAFNOSUPPORT:
		obstacle_set(out, "this kernel has no IPv6, or it is turned off",
			     "name an IPv4 address with --web.listen-address");
		break;
	case EMFILE:
		obstacle_set(out, strerrordesc_np(-err),
			     "raise the limit of open files (ulimit -n)");
		break;
	default:
		obstacle_of_file(err, out);
	}
}

/* The directory that a file is in. */
static void parent_of(const char *path, char parent[PARENT_MAX])
{
	const char *slash = strrchr(path, '/');

	snprintf(parent, PARENT_MAX, "%.*s", slash ? (int)(slash - path) : 1, slash ? path : ".");
	if (!parent[0])
		snprintf(parent, PARENT_MAX, "/");
}

void obstacle_of_socket(int err, const char *path, struct obstacle *out)
{
	char parent[PARENT_MAX];

	*out = (struct obstacle){.cause = ""};
	parent_of(path, parent);
	switch (-err) {
	case EADDRINUSE:
		obstacle_set(out, "another bramble serves there",
			     "name another one with --web.socket");
		break;
	case ENAMETOOLONG:
		obstacle_cause(out, "its path has %zu bytes, and a socket's has %d at most",
			       strlen(path), UNIX_PATH_MAX - 1);
		obstacle_remedy(out, "name a shorter one with --web.socket");
		break;
	case ENOENT:
		obstacle_cause(out, "%.200s is not there and cannot be made", parent);
		obstacle_remedy(out, "mkdir -p %.200s, or name another one with --web.socket",
				parent);
		break;
	case ENOTDIR:
		obstacle_cause(out, "%.200s is no directory", parent);
		obstacle_remedy(out, "name another one with --web.socket");
		break;
	case EROFS:
		obstacle_cause(out, "%.200s is on a read-only file system", parent);
		obstacle_remedy(out, "mount a volume there (emptyDir, hostPath), or name another "
				     "one with --web.socket");
		break;
	case EEXIST:
		obstacle_set(out, "a file is there that is no socket",
			     "remove it, or name another one with --web.socket");
		break;
	case EACCES:
	case EPERM:
		obstacle_cause(out, "this user may not write to %.200s", parent);
		obstacle_remedy(out, "run bramble as root, or name another one with --web.socket");
		break;
	default:
		obstacle_of_file(err, out);
	}
}
