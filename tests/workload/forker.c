/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * usage: forker SECONDS GO RESULT
 *
 * The truth about run-queue waits, to compare bramble with. Waits until a byte
 * can be read from the FIFO GO, then for SECONDS forks children that work,
 * sleep, and exit, a few at a time; beside them, threads of its own that do the
 * same and stay. It then writes to the file RESULT one line
 *
 *   exited RUN_DELAY_NS WAITS VOLUNTARY INVOLUNTARY TASKS
 *
 * which is the sum over all tasks that have exited, and sleeps until it is
 * killed. The tasks that are still there are read by the caller before and
 * after, from /proc/PID/task/TID: all of them are asleep then.
 *
 * A child is read when it is a zombie, before it is reaped: nothing is added to
 * its run_delay any more. (Nearly: between becoming a zombie and its last
 * context switch it can be preempted once more.) A child's second thread is
 * reaped by the kernel at once, so it reads itself as the last thing it does.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CHILDREN 4
#define THREADS	 2

struct truth {
	unsigned long long run_delay_ns, waits, voluntary, involuntary, tasks;
};

/* What the second thread of each child read of itself. Shared with the children. */
static struct truth *of_threads;

static volatile int ended;

static double now(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void sleep_us(long us)
{
	struct timespec t = {.tv_nsec = us * 1000};

	nanosleep(&t, NULL);
}

static void work_us(double us)
{
	double until = now(CLOCK_THREAD_CPUTIME_ID) + us / 1e6;

	while (now(CLOCK_THREAD_CPUTIME_ID) < until)
		;
}

static void die(const char *what)
{
	fprintf(stderr, "forker: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void read_file(const char *dir, const char *name, char *text, size_t size)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? -1 : read(fd, text, size - 1);

	if (len < 0)
		die(path);
	text[len] = '\0';
	close(fd);
}

static unsigned long long status_field(const char *status, const char *name)
{
	const char *field = strstr(status, name);

	return field ? strtoull(field + strlen(name), NULL, 10) : 0;
}

/* Adds what the kernel has counted for a task; dir is its directory in /proc. */
static void add_task(struct truth *truth, const char *dir)
{
	char text[4096];
	unsigned long long run_delay_ns, waits;

	read_file(dir, "status", text, sizeof(text));
	truth->voluntary += status_field(text, "\nvoluntary_ctxt_switches:");
	truth->involuntary += status_field(text, "\nnonvoluntary_ctxt_switches:");
	truth->tasks++;

	read_file(dir, "schedstat", text, sizeof(text));
	if (sscanf(text, "%*u %llu %llu", &run_delay_ns, &waits) != 2)
		die("schedstat");
	truth->run_delay_ns += run_delay_ns;
	truth->waits += waits;
}

static void *second_thread(void *slot)
{
	struct truth *truth = slot;
	int i;

	for (i = 0; i < 3; i++) {
		work_us(200);
		sleep_us(100);
	}
	add_task(truth, "/proc/thread-self");
	return NULL;
}

static void child(int slot)
{
	pthread_t thread;
	int i;

	if (pthread_create(&thread, NULL, second_thread, &of_threads[slot]))
		die("pthread_create");
	for (i = 0; i < 5; i++) {
		work_us(300);
		sleep_us(50);
	}
	pthread_join(thread, NULL);
	_exit(0);
}

static void *lasting_thread(void *unused)
{
	(void)unused;
	while (!ended) {
		work_us(100);
		sleep_us(300);
	}
	/* Not to exit: the caller still reads this task. */
	for (;;)
		pause();
	return NULL;
}

static void reap(struct truth *exited, pid_t *pids)
{
	siginfo_t info;
	char dir[64];
	int slot;

	if (waitid(P_ALL, 0, &info, WEXITED | WNOWAIT))
		die("waitid");
	snprintf(dir, sizeof(dir), "/proc/%d", info.si_pid);
	add_task(exited, dir);
	waitpid(info.si_pid, NULL, 0);

	for (slot = 0; slot < CHILDREN; slot++) {
		if (pids[slot] != info.si_pid)
			continue;
		pids[slot] = 0;
		exited->run_delay_ns += of_threads[slot].run_delay_ns;
		exited->waits += of_threads[slot].waits;
		exited->voluntary += of_threads[slot].voluntary;
		exited->involuntary += of_threads[slot].involuntary;
		exited->tasks += of_threads[slot].tasks;
	}
}

static void run(double seconds, struct truth *exited)
{
	double end = now(CLOCK_MONOTONIC) + seconds;
	pid_t pids[CHILDREN] = {0};
	int slot, left = 1;

	while (left) {
		left = 0;
		for (slot = 0; slot < CHILDREN; slot++) {
			if (!pids[slot] && now(CLOCK_MONOTONIC) < end) {
				memset(&of_threads[slot], 0, sizeof(of_threads[slot]));
				pids[slot] = fork();
				if (pids[slot] < 0)
					die("fork");
				if (!pids[slot])
					child(slot);
			}
			left += pids[slot] != 0;
		}
		if (left)
			reap(exited, pids);
	}
}

int main(int argc, char **argv)
{
	struct truth exited = {0};
	pthread_t threads[THREADS];
	char go;
	int i;

	if (argc != 4) {
		fprintf(stderr, "usage: forker SECONDS GO RESULT\n");
		return 2;
	}
	of_threads = mmap(NULL, CHILDREN * sizeof(*of_threads), PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (of_threads == MAP_FAILED)
		die("mmap");

	int fd = open(argv[2], O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, &go, 1) != 1)
		die(argv[2]);
	for (i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, lasting_thread, NULL))
			die("pthread_create");
	run(atof(argv[1]), &exited);
	ended = 1;
	sleep_us(50000);

	FILE *result = fopen(argv[3], "w");

	if (!result)
		die(argv[3]);
	fprintf(result, "exited %llu %llu %llu %llu %llu\n", exited.run_delay_ns, exited.waits,
		exited.voluntary, exited.involuntary, exited.tasks);
	fclose(result);
	for (;;)
		pause();
}
