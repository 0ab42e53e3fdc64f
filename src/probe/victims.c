/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The memory probe's tasks that the kernel has sent a SIGKILL. A task that had exited when it was
 * sent one (the first process of a container kills all others, zombies too) never exits again,
 * and one that an LRU map has forgotten is not seen to. Each exit of a task on the machine costs a
 * look-up as long as there seems to be one.
 */
#include "probe/victims.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>

#include "bramble/cells.h"
#include "bramble/growth.h"
#include "util/clock.h"

/* The OOM killer marks its victim at once: a task that was killed so long ago is none. */
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
	/* ENOENT: that was the end of the map. */
	if (bpf_map_lookup_batch(fd, NULL, &position, tasks->task, tasks->killed, &tasks->count,
				 NULL) == 0)
		return -EAGAIN;
	return errno == ENOENT ? 0 : -errno;
}

/* Deletes what is no victim. Returns how many tasks are left that have not exited. */
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
 * How many have not exited, as the kernel side counts them. One that exits as it is deleted here
 * is taken off by both: what falls below zero is put back.
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
		/* A task that exits meanwhile is in neither, or in left alone. */
		if (__atomic_load_n(victims->total, __ATOMIC_ACQUIRE) == total && running > left) {
			__atomic_sub_fetch(victims->running, running - left, __ATOMIC_RELEASE);
			victims->forgotten += grown(running - left, deleted);
		}
	}
	free(tasks.task);
	free(tasks.killed);
	return err;
}
