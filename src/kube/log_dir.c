/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "kube/log_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cgroup/path.h"

/* The kubelet keeps the logs of one dead attempt, or of a few if configured to. */
#define ATTEMPTS_MAX	   (LOG_STARTS_MAX - 1)

#define ATTEMPT_DIGITS_MAX 9
#define LOG_SUFFIX	   ".log"

/* What the file names in a container's directory say about one start. */
struct attempt {
	unsigned int number;
	bool has_log; /* <number>.log is there */
	bool rotated; /* <number>.log.<time> is there */
};

struct attempts {
	struct attempt list[ATTEMPTS_MAX];
	size_t count;
};

struct times {
	int64_t born_ns; /* 0 if the file system keeps none */
	int64_t changed_ns;
	bool is_link;
};

static int64_t ns_of(struct statx_timestamp time)
{
	return time.tv_sec * 1000000000LL + time.tv_nsec;
}

/* The times of a file below fd; of fd itself if the name is empty. */
static int read_times(int fd, const char *name, struct times *out)
{
	int flags = AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH;
	struct statx st;

	if (statx(fd, name, flags, STATX_TYPE | STATX_MTIME | STATX_BTIME, &st) != 0)
		return -errno;
	out->born_ns = st.stx_mask & STATX_BTIME ? ns_of(st.stx_btime) : 0;
	out->changed_ns = ns_of(st.stx_mtime);
	out->is_link = S_ISLNK(st.stx_mode);
	return 0;
}

/* Reads <number>.log or <number>.log.<anything>. */
static bool read_log_name(const char *name, struct attempt *out)
{
	struct slice rest = slice_of(name), digits = slice_take(&rest, SLICE_DIGITS);
	uint64_t number;

	if (digits.len > ATTEMPT_DIGITS_MAX || !slice_number(digits, UINT_MAX, &number) ||
	    !slice_drop_prefix(&rest, LOG_SUFFIX))
		return false;
	out->number = (unsigned int)number;
	out->has_log = !rest.len;
	out->rotated = slice_starts(rest, ".");
	return out->has_log || out->rotated;
}

/* Merges what one file name says. If there are too many attempts, the latest stay. */
static void add_attempt(struct attempts *attempts, struct attempt seen)
{
	struct attempt *oldest = &attempts->list[0];

	for (size_t i = 0; i < attempts->count; i++) {
		struct attempt *attempt = &attempts->list[i];

		if (attempt->number == seen.number) {
			attempt->has_log |= seen.has_log;
			attempt->rotated |= seen.rotated;
			return;
		}
		if (attempt->number < oldest->number)
			oldest = attempt;
	}
	if (attempts->count < ATTEMPTS_MAX)
		attempts->list[attempts->count++] = seen;
	else if (seen.number > oldest->number)
		*oldest = seen;
}

/* Opens a directory for reading its names. NULL and errno on errors. */
static DIR *open_dir(int dir_fd, const char *name)
{
	int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir;
	int err;

	if (fd < 0)
		return NULL;
	dir = fdopendir(fd);
	if (dir)
		return dir;
	err = errno;
	close(fd);
	errno = err;
	return NULL;
}

static int list_attempts(DIR *dir, struct attempts *out)
{
	struct attempt attempt;
	struct dirent *entry;

	errno = 0;
	while ((entry = readdir(dir))) {
		if (read_log_name(entry->d_name, &attempt))
			add_attempt(out, attempt);
		errno = 0;
	}
	return -errno;
}

static bool links_to(int fd, const char *name, const char *container_id)
{
	char target[PATH_MAX];
	ssize_t len = readlinkat(fd, name, target, sizeof(target) - 1);

	if (len < 0 || !container_id_valid(slice_of(container_id)))
		return false;
	target[len] = '\0';
	return strstr(target, container_id) != NULL;
}

static void add_start(struct log_container *container, unsigned int attempt, int64_t at_ns)
{
	struct log_start start = {attempt, at_ns};

	if (at_ns && container->start_count < LOG_STARTS_MAX)
		container->starts[container->start_count++] = start;
}

static void add_lost(struct log_container *container, int64_t before_ns)
{
	container->lost_after_ns = container->made_ns;
	if (before_ns > container->lost_before_ns)
		container->lost_before_ns = before_ns;
}

/* Adds the start of one attempt, or notes that it is lost. Returns whether its log names the id. */
static bool add_log(struct log_container *container, int fd, const struct attempt *attempt,
		    const char *container_id)
{
	char name[ATTEMPT_DIGITS_MAX + sizeof(LOG_SUFFIX)];
	struct times times = {
		.born_ns = INT64_MAX}; /* the log is just being rotated: it started at any time */

	(void)snprintf(name, sizeof(name), "%u" LOG_SUFFIX, attempt->number);
	if (attempt->has_log && read_times(fd, name, &times) != 0)
		return false;
	if (times.is_link) {
		container->linked = true;
		return links_to(fd, name, container_id);
	}
	/* The first start is still known, because the directory was made for it. */
	if (!attempt->rotated)
		add_start(container, attempt->number, times.born_ns);
	else if (attempt->number > 0)
		add_lost(container, times.born_ns);
	return false;
}

/* Whether the directory's birth is a start. Not if there are links, or that start's log is gone. */
static bool is_first_start(const struct log_container *container, const struct attempts *attempts)
{
	for (size_t i = 0; i < attempts->count; i++)
		if (attempts->list[i].number == 0)
			return !container->linked;
	return attempts->count == 0;
}

/* Reads one container's directory. Sets *matched if a log of it is a link to the id. */
static int read_container(DIR *dir, const char *container_id, struct log_container *out,
			  bool *matched)
{
	struct attempts attempts = {.count = 0};
	int fd = dirfd(dir);
	struct times times = {0};
	int err;

	err = read_times(fd, "", &times);
	if (!err)
		err = list_attempts(dir, &attempts);
	if (err)
		return err;
	out->made_ns = times.born_ns;
	for (size_t i = 0; i < attempts.count; i++)
		*matched |= add_log(out, fd, &attempts.list[i], container_id);

	if (out->made_ns) {
		if (is_first_start(out, &attempts))
			add_start(out, 0, out->made_ns);
	} else if (!out->linked) {
		out->start_count = 0;
		add_start(out, 0, times.changed_ns);
		add_lost(out, times.changed_ns);
	}
	return 0;
}

/* Adds the container of this name. Skips what is not a container, or has vanished. */
static int add_container(struct log_dir *out, int fd, const char *name, const char *container_id)
{
	struct log_container *container = &out->pod.containers[out->pod.count];
	bool matched = false;
	DIR *dir;
	int err;

	if (!kube_label_valid(slice_of(name)))
		return 0;
	dir = open_dir(fd, name);
	if (!dir)
		return errno == ENOENT || errno == ENOTDIR || errno == ELOOP ? 0 : -errno;

	*container = (struct log_container){0};
	memcpy(container->name, name, strlen(name) + 1);
	err = read_container(dir, container_id, container, &matched);
	closedir(dir);
	if (err)
		return err;
	if (matched)
		out->matched = container;
	out->pod.count++;
	return 0;
}

static int read_containers(DIR *dir, const char *container_id, struct log_dir *out)
{
	struct dirent *entry;
	int err = 0;

	while (!err && out->pod.count < LOG_CONTAINERS_MAX) {
		errno = 0;
		entry = readdir(dir);
		if (!entry)
			return -errno;
		err = add_container(out, dirfd(dir), entry->d_name, container_id);
	}
	return err ? err : -E2BIG;
}

int log_dir_read(int dir_fd, const char *name, const char *container_id, struct log_dir *out)
{
	struct times times = {0};
	DIR *dir;
	int err;

	*out = (struct log_dir){0};
	dir = open_dir(dir_fd, name);
	if (!dir)
		return -errno;
	out->pod.containers = calloc(LOG_CONTAINERS_MAX, sizeof(*out->pod.containers));
	err = out->pod.containers ? read_times(dirfd(dir), "", &times) : -ENOMEM;
	if (!err) {
		out->pod.made_ns = times.born_ns;
		err = read_containers(dir, container_id, out);
	}
	closedir(dir);
	if (err)
		log_dir_free(out);
	return err;
}

void log_dir_free(struct log_dir *dir)
{
	free(dir->pod.containers);
	*dir = (struct log_dir){0};
}
