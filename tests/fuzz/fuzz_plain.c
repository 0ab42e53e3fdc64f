/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Any bytes as the files of docker and podman, which a user without root can write. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "kube/plain.h"

#define ID "0000000000000000000000000000000000000000000000000000000000000001"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int err, const char *name)
{
	if (err != 0 && err != -ENOENT && err != -EINVAL)
		abort();
	if (!err && (!name[0] || strlen(name) >= PLAIN_NAME_SIZE || strpbrk(name, "\"\\\n /")))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char name[PLAIN_NAME_SIZE] = "";

	check(plain_read_docker((const char *)data, size, ID, name), name);
	name[0] = '\0';
	check(plain_read_podman((const char *)data, size, ID, name), name);
	return 0;
}
