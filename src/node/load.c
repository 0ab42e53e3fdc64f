/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "node/load.h"

#include <unistd.h>

#include "util/livefile.h"
#include "util/slice.h"

/* The kernel writes hundredths. */
#define BILLIONTHS_PER_HUNDREDTH 10000000

void load_open(struct load *load, const char *procfs)
{
	*load = (struct load){.fd = live_open(procfs, "loadavg")};
}

/* "0.52" */
static bool take_average(struct slice *rest, int64_t *average)
{
	struct slice word, whole;
	uint64_t ones, hundredths;

	if (!slice_next_word(rest, ' ', &word) || !slice_cut(&word, '.', &whole) ||
	    !slice_number(whole, UINT32_MAX, &ones) || !slice_number(word, 99, &hundredths))
		return false;
	*average = (int64_t)(ones * 100 + hundredths) * BILLIONTHS_PER_HUNDREDTH;
	return true;
}

/* "0.52 0.58 0.59 1/613 12345" */
void load_read(struct load *load)
{
	struct slice rest;
	char text[64];

	load->known = false;
	if (load->fd < 0 || live_read(load->fd, text, sizeof(text)) <= 0)
		return;
	rest = slice_of(text);
	load->known = take_average(&rest, &load->average[0]) &&
		      take_average(&rest, &load->average[1]) &&
		      take_average(&rest, &load->average[2]);
}

void load_close(struct load *load)
{
	if (load->fd >= 0)
		close(load->fd);
}
