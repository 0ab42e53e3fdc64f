/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "node/load.h"

#include <stdio.h>
#include <unistd.h>

#include "util/livefile.h"

/* The kernel writes hundredths. */
#define BILLIONTHS_PER_HUNDREDTH 10000000

void load_open(struct load *load, const char *procfs)
{
	*load = (struct load){.fd = live_open(procfs, "loadavg")};
}

/* "0.52 0.58 0.59 1/613 12345" */
void load_read(struct load *load)
{
	unsigned int whole[3], hundredth[3];
	char text[64];
	int i;

	load->known = false;
	if (load->fd < 0 || live_read(load->fd, text, sizeof(text)) <= 0)
		return;
	// NOLINTNEXTLINE(cert-err34-c): the numbers are the kernel's
	if (sscanf(text, "%u.%2u %u.%2u %u.%2u", &whole[0], &hundredth[0], &whole[1], &hundredth[1],
		   &whole[2], &hundredth[2]) != 6)
		return;
	for (i = 0; i < 3; i++)
		load->average[i] =
			((int64_t)whole[i] * 100 + hundredth[i]) * BILLIONTHS_PER_HUNDREDTH;
	load->known = true;
}

void load_close(struct load *load)
{
	if (load->fd >= 0)
		close(load->fd);
}
