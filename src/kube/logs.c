/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "kube/logs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cgroup/path.h"
#include "kube/log_dir.h"
#include "kube/log_match.h"

/*
 * A directory that changed this recently may change again without a new mtime. FAT counts in 2 s,
 * other file systems in ticks.
 */
#define MTIME_SETTLE_NS 2000000000LL

struct pod_dir {
	char uid[POD_UID_SIZE];
	char namespace[KUBE_LABEL_MAX + 1];
	char pod[KUBE_SUBDOMAIN_MAX + 1];
	bool gone; /* it was forgotten since */
};

/* The pods from one reading of the directory, sorted by uid. */
struct pod_list {
	struct pod_dir *pods;
	size_t count;
	size_t room;
};

/* What shows whether a directory has changed. */
struct dir_state {
	dev_t dev;
	ino_t inode;
	int64_t changed_ns;
};

struct kube_logs {
	char *dir;
	int64_t (*now_ns)(void);

	struct pod_list list;
	struct dir_state state; /* before the list was read */
	bool settled;		/* if the state is the same, so is the list */

	bool rounds;	/* look-ups are made in rounds */
	bool refreshed; /* in this round */
	uint64_t reads;

	int error;
	int error_told;
};

static int64_t realtime_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

int kube_logs_open(const char *dir, struct kube_logs **out)
{
	struct kube_logs *logs = calloc(1, sizeof(*logs));

	*out = NULL;
	if (!logs)
		return -ENOMEM;
	logs->now_ns = realtime_ns;
	logs->dir = strdup(dir);
	if (!logs->dir) {
		free(logs);
		return -ENOMEM;
	}
	*out = logs;
	return 0;
}

void kube_logs_close(struct kube_logs *logs)
{
	if (!logs)
		return;
	free(logs->list.pods);
	free(logs->dir);
	free(logs);
}

void kube_logs_use_clock(struct kube_logs *logs, int64_t (*now_ns)(void))
{
	logs->now_ns = now_ns;
}

int kube_logs_error(const struct kube_logs *logs)
{
	return logs->error;
}

bool kube_logs_error_changed(struct kube_logs *logs)
{
	bool changed = logs->error != logs->error_told;

	logs->error_told = logs->error;
	return changed;
}

/* Reads <namespace>_<pod>_<uid>; no part can have a '_' in it. */
static bool read_pod_name(const char *name, struct pod_dir *out)
{
	struct slice pod = slice_of(name), namespace, uid;

	return slice_cut(&pod, '_', &namespace) && slice_cut_last(&pod, '_', &uid) &&
	       kube_label_valid(namespace) && kube_subdomain_valid(pod) &&
	       pod_uid_read(uid, out->uid) &&
	       slice_copy(namespace, out->namespace, sizeof(out->namespace)) &&
	       slice_copy(pod, out->pod, sizeof(out->pod));
}

static int add_pod(struct pod_list *list, const struct pod_dir *pod)
{
	if (list->count == list->room) {
		size_t room = list->room ? list->room * 2 : 16;
		struct pod_dir *pods = reallocarray(list->pods, room, sizeof(*pods));

		if (!pods)
			return -ENOMEM;
		list->pods = pods;
		list->room = room;
	}
	list->pods[list->count++] = *pod;
	return 0;
}

static int by_uid(const void *a, const void *b)
{
	return strcmp(((const struct pod_dir *)a)->uid, ((const struct pod_dir *)b)->uid);
}

/* Reads all pods' names. On an error the list is empty. */
static int read_pods(DIR *dir, struct pod_list *list)
{
	struct dirent *entry;
	struct pod_dir pod = {.gone = false};
	int err = 0;

	while (!err) {
		errno = 0;
		entry = readdir(dir);
		if (!entry) {
			err = -errno;
			break;
		}
		if (read_pod_name(entry->d_name, &pod))
			err = add_pod(list, &pod);
	}
	if (err) {
		free(list->pods);
		*list = (struct pod_list){0};
	}
	if (list->count)
		qsort(list->pods, list->count, sizeof(*list->pods), by_uid);
	return err;
}

static int read_state(int fd, struct dir_state *out)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return -errno;
	out->dev = st.st_dev;
	out->inode = st.st_ino;
	out->changed_ns = st.st_mtim.tv_sec * 1000000000LL + st.st_mtim.tv_nsec;
	return 0;
}

static bool same_state(const struct dir_state *a, const struct dir_state *b)
{
	return a->dev == b->dev && a->inode == b->inode && a->changed_ns == b->changed_ns;
}

/* Reads the directory if it may have changed since the last time. The old list stays on errors. */
static int refresh_list(struct kube_logs *logs, DIR *dir)
{
	struct pod_list list = {0};
	struct dir_state state = {0};
	int64_t now_ns = logs->now_ns();
	int err;

	err = read_state(dirfd(dir), &state);
	if (err)
		return err;
	if (logs->settled && same_state(&state, &logs->state))
		return 0;
	err = read_pods(dir, &list);
	if (err)
		return err;
	free(logs->list.pods);
	logs->list = list;
	logs->state = state;
	logs->settled = now_ns - state.changed_ns > MTIME_SETTLE_NS;
	return 0;
}

static int refresh(struct kube_logs *logs)
{
	DIR *dir;

	if (logs->rounds && logs->refreshed)
		return logs->error;
	logs->refreshed = true;
	logs->reads++;
	dir = opendir(logs->dir);
	logs->error = dir ? refresh_list(logs, dir) : -errno;
	if (dir)
		closedir(dir);
	return logs->error;
}

void kube_logs_begin_round(struct kube_logs *logs)
{
	logs->rounds = true;
	logs->refreshed = false;
}

uint64_t kube_logs_reads(const struct kube_logs *logs)
{
	return logs->reads;
}

static struct pod_dir *known_pod(const struct kube_logs *logs, const char *pod_uid)
{
	struct pod_dir key, *pod;

	if (!logs->list.count || !slice_copy(slice_of(pod_uid), key.uid, sizeof(key.uid)))
		return NULL;
	pod = bsearch(&key, logs->list.pods, logs->list.count, sizeof(key), by_uid);
	return pod && !pod->gone ? pod : NULL;
}

void kube_logs_forget_pod(struct kube_logs *logs, const char *pod_uid)
{
	struct pod_dir *pod = known_pod(logs, pod_uid);

	if (!pod)
		return;
	pod->gone = true;
	logs->settled = false;
}

int kube_logs_find_pod(struct kube_logs *logs, const char *pod_uid, struct kube_name *out)
{
	const struct pod_dir *pod = known_pod(logs, pod_uid);
	int err;

	*out = (struct kube_name){0};
	if (!pod) {
		err = refresh(logs);
		if (err)
			return err;
		pod = known_pod(logs, pod_uid);
	}
	if (!pod)
		return -ENOENT;
	memcpy(out->namespace, pod->namespace, sizeof(out->namespace));
	memcpy(out->pod, pod->pod, sizeof(out->pod));
	return 0;
}

/* Reads the directory of a pod that was found. */
static int read_pod_dir(struct kube_logs *logs, const struct kube_name *pod, const char *pod_uid,
			const char *container_id, struct log_dir *out)
{
	char name[NAME_MAX + 1];
	int fd, len, err;

	len = snprintf(name, sizeof(name), "%s_%s_%s", pod->namespace, pod->pod, pod_uid);
	if (len < 0 || (size_t)len >= sizeof(name))
		return -ENAMETOOLONG;
	logs->reads++;
	fd = open(logs->dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	err = log_dir_read(fd, name, container_id, out);
	close(fd);
	return err;
}

/* Chooses the container, by its link or by the time. */
static int choose_container(const struct log_dir *dir, const struct log_birth *birth,
			    struct kube_name *out)
{
	const struct log_container *container = dir->matched;
	int err = 0;

	if (!container)
		err = birth->at_ns ? log_match(&dir->pod, birth, &container) : -EAGAIN;
	if (err)
		return err;
	if (container)
		memcpy(out->container, container->name, sizeof(out->container));
	else
		memcpy(out->container, KUBE_SANDBOX, sizeof(KUBE_SANDBOX));
	return 0;
}

int kube_logs_find_container(struct kube_logs *logs, const char *pod_uid, const char *container_id,
			     const struct log_birth *birth, struct kube_name *out)
{
	struct log_dir dir = {0};
	int err;

	err = kube_logs_find_pod(logs, pod_uid, out);
	if (err)
		return err;
	err = read_pod_dir(logs, out, pod_uid, container_id, &dir);
	if (err == -ENOENT) {
		kube_logs_forget_pod(logs, pod_uid);
		*out = (struct kube_name){0};
	}
	if (err)
		return err;
	err = choose_container(&dir, birth, out);
	log_dir_free(&dir);
	return err;
}
