/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* usage: spin SECONDS: burns the CPU it is on. */
#include <stdlib.h>
#include <time.h>

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Some work between two looks at the clock, which take longest on an emulated machine. */
static void work_a_little(void)
{
	for (volatile int i = 0; i < 300; i++)
		;
}

int main(int argc, char **argv)
{
	double end = now() + (argc > 1 ? atof(argv[1]) : 1);

	while (now() < end)
		work_a_little();
	return 0;
}
