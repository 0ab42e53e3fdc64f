/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * usage: hog MIB [THREADS [SECONDS]]
 *
 * Allocates MIB of memory and touches all of it, with THREADS threads (1) that each touch a part.
 * Then sleeps for SECONDS (0), and ends.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static size_t part;

static void *take(void *unused)
{
	volatile char *at =
		mmap(NULL, part, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	size_t i;

	(void)unused;
	if (at == MAP_FAILED)
		exit(1);
	for (i = 0; i < part; i += 4096)
		at[i] = 1;
	return NULL;
}

int main(int argc, char **argv)
{
	long mib = argc > 1 ? atol(argv[1]) : 0, threads = argc > 2 ? atol(argv[2]) : 1, i;
	pthread_t thread[64];

	if (mib < 1 || threads < 1 || threads > 64) {
		fprintf(stderr, "usage: hog MIB [THREADS [SECONDS]]\n");
		return 2;
	}
	part = ((size_t)mib << 20) / (size_t)threads;
	for (i = 0; i < threads; i++)
		if (pthread_create(&thread[i], NULL, take, NULL))
			return 1;
	for (i = 0; i < threads; i++)
		pthread_join(thread[i], NULL);
	sleep(argc > 3 ? (unsigned)atoi(argv[3]) : 0);
	return 0;
}
