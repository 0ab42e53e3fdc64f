/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * usage: forker SECONDS GO RESULT CHILDREN
 *
 * Measures run-queue waits as the kernel counts them, to compare bramble with. Waits until a byte
 * can be read from the FIFO GO. Then, for SECONDS, it forks children that work, sleep, and exit,
 * CHILDREN at a time. Beside them, threads of its own do the same and stay. It then writes one line
 * to the file RESULT:
 *
 *   exited RUN_DELAY_NS WAITS VOLUNTARY INVOLUNTARY TASKS
 *
 * which is the sum over all tasks that have exited, and sleeps until it is
 * killed. The tasks that are still there are read by the caller before and
 * after, from /proc/PID/task/TID: all of them are asleep then.
 *
 * A child is read and reaped some time after it became a zombie: on the way to
 * its last context switch it wakes its parent, and may be preempted once more and
 * wait. Threads that exit are reaped by the kernel at once, so none does.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CHILDREN_MAX 16
#define THREADS	     2
#define ZOMBIES	     4096
#define SETTLE_S     0.3 /* from becoming a zombie to being off the CPU for ever, at the most */

struct truth {
	unsigned long long run_delay_ns, waits, voluntary, involuntary, tasks;
};

/* A child that has exited, in the order of their ends. */
struct zombie {
	pid_t pid;
	double since;
};

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

/* Some work between two looks at the clock, which take longest on an emulated machine. */
static void work_a_little(void)
{
	for (volatile int i = 0; i < 300; i++)
		;
}

static void work_us(double us)
{
	double until = now(CLOCK_THREAD_CPUTIME_ID) + us / 1e6;

	while (now(CLOCK_THREAD_CPUTIME_ID) < until)
		work_a_little();
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

static void child(void)
{
	int i;

	for (i = 0; i < 5; i++) {
		work_us(300);
		sleep_us(50);
	}
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

static int is_zombie(pid_t pid)
{
	siginfo_t info = {0};

	if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT | WNOHANG))
		die("waitid");
	return info.si_pid == pid;
}

static void reap(struct truth *exited, pid_t pid)
{
	char dir[64];

	snprintf(dir, sizeof(dir), "/proc/%d", pid);
	add_task(exited, dir);
	waitpid(pid, NULL, 0);
}

static void run(double seconds, int children, struct truth *exited)
{
	static struct zombie zombies[ZOMBIES];
	double end = now(CLOCK_MONOTONIC) + seconds;
	unsigned int first = 0, last = 0;
	pid_t pids[CHILDREN_MAX] = {0};
	int slot, left = 1;

	while (left || first != last) {
		left = 0;
		for (slot = 0; slot < children; slot++) {
			if (pids[slot] && is_zombie(pids[slot])) {
				zombies[last++ % ZOMBIES] =
					(struct zombie){pids[slot], now(CLOCK_MONOTONIC)};
				pids[slot] = 0;
			}
			if (!pids[slot] && now(CLOCK_MONOTONIC) < end && last - first < ZOMBIES) {
				pids[slot] = fork();
				if (pids[slot] < 0)
					die("fork");
				if (!pids[slot])
					child();
			}
			left += pids[slot] != 0;
		}
		while (first != last &&
		       now(CLOCK_MONOTONIC) - zombies[first % ZOMBIES].since > SETTLE_S)
			reap(exited, zombies[first++ % ZOMBIES].pid);
		sleep_us(500);
	}
}

int main(int argc, char **argv)
{
	struct truth exited = {0};
	pthread_t threads[THREADS];
	int children = argc == 5 ? (int)strtol(argv[4], NULL, 10) : 0;
	char go;
	int i;

	if (children < 1 || children > CHILDREN_MAX) {
		fprintf(stderr, "usage: forker SECONDS GO RESULT CHILDREN\n");
		return 2;
	}
	int fd = open(argv[2], O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, &go, 1) != 1)
		die(argv[2]);
	for (i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, lasting_thread, NULL))
			die("pthread_create");
	run(atof(argv[1]), children, &exited);
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
