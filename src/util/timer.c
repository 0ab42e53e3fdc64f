/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "util/timer.h"

#include <errno.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "util/clock.h"
#include "util/log.h"

int timer_open(int seconds)
{
	const struct itimerspec every = {.it_interval.tv_sec = seconds, .it_value.tv_sec = seconds};
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK), err;

	if (fd < 0)
		return -errno;
	if (timerfd_settime(fd, 0, &every, NULL) == 0)
		return fd;
	err = -errno;
	close(fd);
	return err;
}

int timer_open_once(void)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);

	return fd < 0 ? -errno : fd;
}

void timer_set(int fd, uint64_t at_ns)
{
	struct itimerspec when = {.it_value = {0}}; /* disarmed */

	if (at_ns != UINT64_MAX) {
		when.it_value.tv_sec = (time_t)(at_ns / NS_PER_S);
		when.it_value.tv_nsec = (long)(at_ns % NS_PER_S);
	}
	if (timerfd_settime(fd, TFD_TIMER_ABSTIME, &when, NULL))
		log_error("cannot set a timer: %s", strerror(errno));
}

bool timer_expired(int fd)
{
	uint64_t times;

	return read(fd, &times, sizeof(times)) > 0;
}
