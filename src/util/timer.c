/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "util/timer.h"

#include <errno.h>
#include <stdint.h>
#include <sys/timerfd.h>
#include <unistd.h>

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

bool timer_expired(int fd)
{
	uint64_t times;

	return read(fd, &times, sizeof(times)) > 0;
}
