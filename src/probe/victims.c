/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The tasks that the kernel has sent a SIGKILL, for the memory probe. Some of them are never seen
 * to exit: a task that had already exited when it got the signal (the end of a container's first
 * process kills all others, even zombies), and a task that the LRU map has forgotten. As long as
 * such a task seems to be there, each exit of a task on the machine costs a look-up.
 */
#include "probe/victims.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>

#include "bramble/cells.h"
#include "bramble/growth.h"
#include "util/clock.h"

/* The OOM killer marks its victim at once. A task that was killed this long ago is not a victim. */
#define UNMARKED_OLD_NS (60 * NS_PER_S)

/* One reading of the map. */
struct killed_tasks {
	uint64_t *task;
	struct killed_task *killed;
	uint32_t count;
};

static int read_killed(int fd, uint32_t max, struct killed_tasks *tasks)
{
	uint32_t position = 0;

	tasks->count = max;
	tasks->task = calloc(max, sizeof(*tasks->task));
	tasks->killed = calloc(max, sizeof(*tasks->killed));
	if (!tasks->task || !tasks->killed)
		return -ENOMEM;
	/* ENOENT: the end of the map. */
	if (bpf_map_lookup_batch(fd, NULL, &position, tasks->task, tasks->killed, &tasks->count,
				 NULL) == 0)
		return -EAGAIN;
	return errno == ENOENT ? 0 : -errno;
}

/* Deletes tasks that are not victims. Returns how many of the rest have not exited. */
static uint64_t delete_old(int fd, const struct killed_tasks *tasks, uint64_t now_ns,
			   uint64_t *deleted)
{
	uint64_t left = 0;
	uint32_t i;

	for (i = 0; i < tasks->count; i++) {
		const struct killed_task *killed = &tasks->killed[i];
		bool exited = killed_exited(killed->state);
		bool old = !(killed->state & KILLED_MARKS) &&
			   grown(now_ns, killed->at_ns) > UNMARKED_OLD_NS;

		if (old && !bpf_map_delete_elem(fd, &tasks->task[i]))
			*deleted += !exited;
		else
			left += !exited;
	}
	return left;
}

/*
 * How many have not exited, as the kernel side counts them. If a task exits while it is deleted
 * here, both sides subtract it. If the number falls below zero, it is set back.
 */
static uint64_t running_tasks(const struct victims *victims)
{
	uint64_t running = __atomic_load_n(victims->running, __ATOMIC_ACQUIRE);

	if ((int64_t)running >= 0)
		return running;
	__atomic_add_fetch(victims->running, -running, __ATOMIC_RELEASE);
	return 0;
}

int victims_tidy(struct victims *victims, uint64_t now_ns)
{
	uint64_t total = __atomic_load_n(victims->total, __ATOMIC_ACQUIRE);
	uint64_t running, left, deleted = 0;
	struct killed_tasks tasks;
	int err;

	if (!running_tasks(victims))
		return 0;
	if (total != victims->total_before) {
		victims->total_before = total;
		return 0;
	}
	err = read_killed(victims->map_fd, victims->map_size, &tasks);
	if (!err) {
		left = delete_old(victims->map_fd, &tasks, now_ns, &deleted);
		running = running_tasks(victims);
		/* A task that exits meanwhile is in neither number, or only in left. */
		if (__atomic_load_n(victims->total, __ATOMIC_ACQUIRE) == total && running > left) {
			__atomic_sub_fetch(victims->running, running - left, __ATOMIC_RELEASE);
			victims->forgotten += grown(running - left, deleted);
		}
	}
	free(tasks.task);
	free(tasks.killed);
	return err;
}
