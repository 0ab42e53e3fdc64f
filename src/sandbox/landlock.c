/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "sandbox/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * The kernel's include/uapi/linux/landlock.h. The headers of Debian 12 lack the later parts. The
 * numbers of the system calls are the same on every machine.
 */
#define SYS_LANDLOCK_CREATE  444
#define SYS_LANDLOCK_ADD     445
#define SYS_LANDLOCK_ENFORCE 446

#define CREATE_VERSION	     1
#define RULE_PATH	     1
#define RULE_PORT	     2

enum access_fs {
	FS_EXECUTE = 1 << 0,
	FS_WRITE_FILE = 1 << 1,
	FS_READ_FILE = 1 << 2,
	FS_READ_DIR = 1 << 3,
	FS_REMOVE_DIR = 1 << 4,
	FS_REMOVE_FILE = 1 << 5,
	FS_FIRST_VERSION = (1 << 13) - 1, /* these, and making files of each kind */
	FS_REFER = 1 << 13,		  /* version 2 */
	FS_TRUNCATE = 1 << 14,		  /* version 3 */
	FS_IOCTL_DEV = 1 << 15,		  /* version 5 */
};

enum access_net {
	NET_BIND_TCP = 1 << 0, /* version 4 */
	NET_CONNECT_TCP = 1 << 1,
};

enum scope {
	SCOPE_ABSTRACT_UNIX_SOCKET = 1 << 0, /* version 6 */
	SCOPE_SIGNAL = 1 << 1,
};

struct ruleset {
	uint64_t fs;
	uint64_t net;
	uint64_t scoped;
};

struct path_rule {
	uint64_t allowed;
	int32_t parent_fd;
} __attribute__((packed));

struct port_rule {
	uint64_t allowed;
	uint64_t port;
};

int landlock_version(void)
{
	long version = syscall(SYS_LANDLOCK_CREATE, NULL, 0, CREATE_VERSION);

	return version < 0 ? -errno : (int)version;
}

/* Everything that this version can forbid. Returns the size of what the kernel knows. */
static size_t forbid_all(int version, struct ruleset *rules)
{
	*rules = (struct ruleset){.fs = FS_FIRST_VERSION};
	if (version >= 2)
		rules->fs |= FS_REFER;
	if (version >= 3)
		rules->fs |= FS_TRUNCATE;
	if (version >= 5)
		rules->fs |= FS_IOCTL_DEV;
	if (version >= 4)
		rules->net = NET_BIND_TCP | NET_CONNECT_TCP;
	if (version >= 6)
		rules->scoped = SCOPE_ABSTRACT_UNIX_SOCKET | SCOPE_SIGNAL;
	return version >= 6   ? sizeof(*rules)
	       : version >= 4 ? offsetof(struct ruleset, scoped)
			      : offsetof(struct ruleset, net);
}

/* A path that cannot be opened is left out: then nothing is allowed there. */
static int allow_path(int ruleset_fd, const struct sandbox_path *path)
{
	struct path_rule rule = {.parent_fd = open(path->path, O_PATH | O_CLOEXEC)};
	struct stat st;
	int err = 0;

	if (rule.parent_fd < 0)
		return 0;
	if (path->access & SANDBOX_READ)
		rule.allowed |= FS_READ_FILE;
	/* The rule for a file may name only what can be done with files. */
	if (fstat(rule.parent_fd, &st) == 0 && S_ISDIR(st.st_mode)) {
		if (path->access & SANDBOX_LIST)
			rule.allowed |= FS_READ_DIR;
		if (path->access & SANDBOX_REMOVE)
			rule.allowed |= FS_REMOVE_FILE;
	}
	if (rule.allowed && syscall(SYS_LANDLOCK_ADD, ruleset_fd, RULE_PATH, &rule, 0))
		err = -errno;
	close(rule.parent_fd);
	return err;
}

static int allow_port(int ruleset_fd, uint16_t port)
{
	struct port_rule rule = {.allowed = NET_CONNECT_TCP, .port = port};

	return syscall(SYS_LANDLOCK_ADD, ruleset_fd, RULE_PORT, &rule, 0) ? -errno : 0;
}

static int allow_all(int ruleset_fd, const struct ruleset *rules, const struct sandbox_needs *needs)
{
	size_t i;
	int err = 0;

	for (i = 0; i < needs->path_count && !err; i++)
		err = allow_path(ruleset_fd, &needs->paths[i]);
	for (i = 0; rules->net && i < needs->port_count && !err; i++)
		err = allow_port(ruleset_fd, needs->ports[i]);
	return err;
}

int landlock_confine(const struct sandbox_needs *needs)
{
	int fd, err, version = landlock_version();
	struct ruleset rules;
	size_t size;

	if (version < 0)
		return version;
	size = forbid_all(version, &rules);
	fd = (int)syscall(SYS_LANDLOCK_CREATE, &rules, size, 0);
	if (fd < 0)
		return -errno;
	err = allow_all(fd, &rules, needs);
	if (!err && syscall(SYS_LANDLOCK_ENFORCE, fd, 0))
		err = -errno;
	close(fd);
	return err;
}
