/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * usage: dm_delay NAME DEVICE SECTORS DELAY_MS
 *
 * What "dmsetup create NAME --table '0 SECTORS delay DEVICE 0 DELAY_MS'" does: a block device
 * that hands each request to DEVICE after DELAY_MS. Prints its name in /dev. Layout of the
 * messages: linux/dm-ioctl.h. Exits with 1, and says why, where the kernel has no dm-delay.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <sys/types.h>

struct message {
	struct dm_ioctl head;
	struct dm_target_spec target;
	char parameters[256];
};

/* Sends a message about the device of that name; returns 0, or -1 with errno. */
static int tell(int fd, unsigned long request, struct message *message, const char *name)
{
	message->head.version[0] = DM_VERSION_MAJOR;
	message->head.data_size = sizeof(*message);
	message->head.data_start = sizeof(message->head);
	snprintf(message->head.name, sizeof(message->head.name), "%s", name);
	return ioctl(fd, request, message);
}

static int load(int fd, const char *name, char **argv)
{
	struct message message = {.head = {.target_count = 1}};

	message.target.length = strtoull(argv[3], NULL, 10);
	snprintf(message.target.target_type, sizeof(message.target.target_type), "delay");
	snprintf(message.parameters, sizeof(message.parameters), "%s 0 %s", argv[2], argv[4]);
	return tell(fd, DM_TABLE_LOAD, &message, name);
}

int main(int argc, char **argv)
{
	struct message made = {0}, resumed = {0};
	int fd;

	if (argc != 5) {
		fprintf(stderr, "usage: dm_delay NAME DEVICE SECTORS DELAY_MS\n");
		return 2;
	}
	fd = open("/dev/mapper/control", O_RDWR | O_CLOEXEC);
	if (fd < 0 || tell(fd, DM_DEV_CREATE, &made, argv[1]) || load(fd, argv[1], argv) ||
	    tell(fd, DM_DEV_SUSPEND, &resumed, argv[1])) {
		fprintf(stderr, "dm_delay: %s: %s\n", argv[2], strerror(errno));
		return 1;
	}
	printf("dm-%u\n", minor((dev_t)resumed.head.dev));
	return 0;
}
