/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * usage: lives SECONDS GO RESULT
 *
 * Spends time in every state, and knows how much: a thread that runs, some that sleep, one that is
 * blocked as the parent in vfork(), one that forks children, and one that starts threads. These
 * work, sleep and end.
 *
 * Waits until a byte can be read from the FIFO GO, and begins. Then it writes one line to the file
 * RESULT, and sleeps until it is killed:
 *
 *   LIVED_NS RAN_NS WAITED_NS BLOCKED_NS SLEPT_NS TASKS
 *
 * which is the sum over all tasks: how long they were there, ran and waited for a CPU by the
 * kernel's clocks, and how long they were in calls that block or sleep less what they ran and
 * waited meanwhile. The times of the first thread begin with GO.
 */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"

#define STACK_SIZE 65536
#define NS_PER_MS  1000000LL

/* Of all tasks that have ended. Written with atomics, in memory that the children share. */
static struct sums {
	int64_t lived_ns, ran_ns, waited_ns, blocked_ns, slept_ns, tasks, first_ns;
} * sums;

static int64_t until_ns;

/* What a task has done so far. */
struct times {
	int64_t at_ns, ran_ns, waited_ns;
};

static __thread int schedstat = -1;
static __thread int64_t blocked_ns, slept_ns;

static struct times times_now(void)
{
	struct times times;
	char text[128], *end;
	ssize_t len = pread(schedstat, text, sizeof(text) - 1, 0);

	if (len <= 0)
		die("schedstat");
	text[len] = '\0';
	strtoll(text, &end, 10);
	times.waited_ns = strtoll(end, NULL, 10);
	times.ran_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	times.at_ns = clock_ns(CLOCK_MONOTONIC);
	return times;
}

/* The time since then in which this task neither ran nor waited. */
static int64_t off_cpu_ns(const struct times *from)
{
	struct times now = times_now();

	return now.at_ns - from->at_ns - (now.ran_ns - from->ran_ns) -
	       (now.waited_ns - from->waited_ns);
}

static void begin(void)
{
	schedstat = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
	blocked_ns = slept_ns = 0;
}

static void add(int64_t *sum, int64_t ns)
{
	__atomic_add_fetch(sum, ns, __ATOMIC_RELAXED);
}

/* from: what it had done when its time begins. A task that began later has waited and run before.
 */
static void end(struct times from)
{
	struct times now = times_now();

	close(schedstat);
	add(&sums->lived_ns, now.at_ns - from.at_ns);
	add(&sums->ran_ns, now.ran_ns - from.ran_ns);
	add(&sums->waited_ns, now.waited_ns - from.waited_ns);
	add(&sums->blocked_ns, blocked_ns);
	add(&sums->slept_ns, slept_ns);
	add(&sums->tasks, 1);
}

/* When the calling task was created. */
static struct times birth(void)
{
	struct times now = times_now();

	return (struct times){.at_ns = now.at_ns - now.ran_ns - now.waited_ns};
}

static void sleep_ms(long ms)
{
	struct timespec t = {.tv_nsec = ms * NS_PER_MS};
	struct times from = times_now();

	nanosleep(&t, NULL);
	slept_ns += off_cpu_ns(&from);
}

static void work_ms(long ms)
{
	int64_t until = clock_ns(CLOCK_THREAD_CPUTIME_ID) + ms * NS_PER_MS;

	while (clock_ns(CLOCK_THREAD_CPUTIME_ID) < until)
		;
}

static int is_over(void)
{
	return clock_ns(CLOCK_MONOTONIC) >= until_ns;
}

static void *run(void *unused)
{
	struct times from;

	begin();
	from = birth();
	while (!is_over())
		work_ms(1);
	end(from);
	return unused;
}

static void *sleep_often(void *unused)
{
	struct times from;

	begin();
	from = birth();
	while (!is_over())
		sleep_ms(20);
	end(from);
	return unused;
}

/* Shares the memory of its parent, and what is the thread's own. */
static int stay(void *unused)
{
	int parents_file = schedstat;
	int64_t parents_blocked_ns = blocked_ns, parents_slept_ns = slept_ns;
	struct times from;

	(void)unused;
	begin();
	from = birth();
	sleep_ms(10);
	end(from);
	schedstat = parents_file;
	blocked_ns = parents_blocked_ns;
	slept_ns = parents_slept_ns;
	return 0;
}

static void *block(void *unused)
{
	char *stack = aligned_alloc(16, STACK_SIZE);
	struct times from, before;
	pid_t pid;

	begin();
	from = birth();
	while (stack && !is_over()) {
		before = times_now();
		pid = clone(stay, stack + STACK_SIZE, CLONE_VM | CLONE_VFORK | SIGCHLD, NULL);
		blocked_ns += off_cpu_ns(&before);
		waitpid(pid, NULL, 0);
	}
	end(from);
	free(stack);
	return unused;
}

static void *work_and_sleep(void *unused)
{
	struct times from;

	begin();
	from = birth();
	work_ms(2);
	sleep_ms(30);
	end(from);
	return unused;
}

static void *fork_children(void *unused)
{
	struct times from, before;
	pid_t pid;

	begin();
	from = birth();
	while (!is_over()) {
		pid = fork();
		if (!pid) {
			work_and_sleep(NULL);
			_exit(0);
		}
		before = times_now();
		waitpid(pid, NULL, 0);
		slept_ns += off_cpu_ns(&before);
	}
	end(from);
	return unused;
}

static void *start_threads(void *unused)
{
	struct times from, before;
	pthread_t thread;

	begin();
	from = birth();
	while (!is_over()) {
		if (pthread_create(&thread, NULL, work_and_sleep, NULL))
			die("thread");
		before = times_now();
		pthread_join(thread, NULL);
		slept_ns += off_cpu_ns(&before);
	}
	end(from);
	return unused;
}

static void live(void)
{
	void *(*const all[])(void *) = {run,   sleep_often,   sleep_often,
					block, fork_children, start_threads};
	const size_t count = sizeof(all) / sizeof(all[0]);
	pthread_t threads[sizeof(all) / sizeof(all[0])];
	struct times from, before;
	size_t i;

	begin();
	from = times_now();
	for (i = 0; i < count; i++)
		if (pthread_create(&threads[i], NULL, all[i], NULL))
			die("thread");
	before = times_now();
	for (i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
	slept_ns += off_cpu_ns(&before);
	sums->first_ns = times_now().at_ns - from.at_ns;
	end(from);
}

int main(int argc, char **argv)
{
	FILE *result;
	char go;
	int fd;

	if (argc != 4) {
		fputs("usage: lives SECONDS GO RESULT\n", stderr);
		return 2;
	}
	sums = mmap(NULL, sizeof(*sums), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	fd = open(argv[2], O_RDONLY | O_CLOEXEC);
	if (sums == MAP_FAILED || fd < 0 || read(fd, &go, 1) != 1)
		die(argv[2]);
	until_ns = clock_ns(CLOCK_MONOTONIC) + (int64_t)(atof(argv[1]) * 1e9);
	live();
	result = fopen(argv[3], "w");
	if (!result)
		die(argv[3]);
	fprintf(result, "%lld %lld %lld %lld %lld %lld %lld\n", (long long)sums->lived_ns,
		(long long)sums->ran_ns, (long long)sums->waited_ns, (long long)sums->blocked_ns,
		(long long)sums->slept_ns, (long long)sums->tasks, (long long)sums->first_ns);
	fclose(result);
	for (;;)
		pause();
}
