/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "util/wall.h"

#include <errno.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "util/clock.h"

/* Smaller steps cannot be distinguished from the time between the readings of the two clocks. */
#define STEP_MIN_NS INT64_C(1000000)

/* Two readings that are this close count as made at one moment. */
#define CLOSE_NS    UINT64_C(10000)

#define TRIES	    8

/* The timer exists only to be cancelled. It never expires, because the kernel's clock ends in 2262.
 */
#define FAR_AWAY_S  ((time_t)1 << 40)

/* Reads both clocks at one moment, or as close together as possible. */
static void read_clocks(uint64_t *boot_ns, uint64_t *real_ns)
{
	uint64_t best = UINT64_MAX;
	int i;

	for (i = 0; i < TRIES && best > CLOSE_NS; i++) {
		uint64_t before = clock_ns(CLOCK_BOOTTIME);
		uint64_t real = clock_realtime_ns();
		uint64_t apart = clock_ns(CLOCK_BOOTTIME) - before;

		if (apart >= best)
			continue;
		best = apart;
		*boot_ns = before + apart / 2;
		*real_ns = real;
	}
}

bool wall_look_at(struct wall *wall, uint64_t boot_ns, uint64_t real_ns)
{
	struct wall_setting now = {.from_ns = boot_ns, .offset_ns = real_ns - boot_ns};
	int64_t step;

	if (wall->count) {
		step = (int64_t)(now.offset_ns - wall->settings[wall->count - 1].offset_ns);
		if (step < STEP_MIN_NS && step > -STEP_MIN_NS)
			return false;
	}
	if (wall->count == WALL_SETTINGS)
		memmove(wall->settings, wall->settings + 1,
			--wall->count * sizeof(wall->settings[0]));
	wall->settings[wall->count++] = now;
	return wall->count > 1;
}

bool wall_look(struct wall *wall)
{
	uint64_t boot_ns = 0, real_ns = 0;

	read_clocks(&boot_ns, &real_ns);
	return wall_look_at(wall, boot_ns, real_ns);
}

uint64_t wall_time(const struct wall *wall, uint64_t boot_ns)
{
	if (!boot_ns || !wall->count)
		return 0;
	return boot_ns + wall->settings[wall->count - 1].offset_ns;
}

uint64_t wall_time_then(const struct wall *wall, uint64_t boot_ns)
{
	size_t i = wall->count;

	if (!boot_ns || !wall->count)
		return 0;
	while (i > 1 && wall->settings[i - 1].from_ns > boot_ns)
		i--;
	return boot_ns + wall->settings[i - 1].offset_ns;
}

bool wall_ran(const struct wall *wall, uint64_t from_ns, uint64_t to_ns)
{
	size_t i;

	if (!wall->count || wall->settings[0].from_ns > from_ns)
		return false;
	for (i = 1; i < wall->count; i++)
		if (wall->settings[i].from_ns > from_ns &&
		    wall->settings[i].from_ns < to_ns + NS_PER_S)
			return false;
	return true;
}

static int arm(int fd)
{
	const struct itimerspec when = {.it_value.tv_sec = FAR_AWAY_S};

	return timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &when, NULL)
		       ? -errno
		       : 0;
}

int wall_open_fd(void)
{
	int fd = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK), err;

	if (fd < 0)
		return -errno;
	err = arm(fd);
	if (err)
		close(fd);
	return err ? err : fd;
}

void wall_clear_fd(int fd)
{
	uint64_t expired;
	ssize_t len = read(fd, &expired, sizeof(expired));

	/* ECANCELED: the clock was set. The timer stays, and reports the next time, too. */
	(void)len;
}
