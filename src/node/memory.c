/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "node/memory.h"

#include <string.h>
#include <unistd.h>

#include "util/livefile.h"

static const char *const words[MEMORY_VALUES] = {
	[MEMORY_TOTAL] = "MemTotal:",
	[MEMORY_AVAILABLE] = "MemAvailable:",
	[MEMORY_SWAP_TOTAL] = "SwapTotal:",
	[MEMORY_SWAP_FREE] = "SwapFree:",
};

void memory_open(struct memory *memory, const char *procfs)
{
	*memory = (struct memory){.fd = live_open(procfs, "meminfo")};
}

/* "MemTotal:         949444 kB": the kB are of 1024 bytes. */
void memory_read(struct memory *memory)
{
	char text[4096];
	uint64_t kib = 0;
	int i;

	memset(memory->known, 0, sizeof(memory->known));
	if (memory->fd < 0 || live_read(memory->fd, text, sizeof(text)) <= 0)
		return;
	for (i = 0; i < MEMORY_VALUES; i++) {
		memory->known[i] = line_number(text, words[i], &kib);
		memory->bytes[i] = kib * 1024;
	}
}

void memory_close(struct memory *memory)
{
	if (memory->fd >= 0)
		close(memory->fd);
}
