/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "report/agree.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bramble/cells.h"
#include "metrics/families.h"
#include "report/floor.h"
#include "report/pair.h"
#include "report/tasks.h"
#include "util/clock.h"

#define COMPUTE_NS    NS_PER_S
#define COMPUTERS_MAX 64

#define FSYNCS	      100
#define FSYNCS_NS     (10 * NS_PER_S)

#define REQUESTS      500
#define REQUEST_NS    UINT64_C(1000000)

/* Of a family's values those with one index: TCP_SERVER, or 0. */
struct search {
	size_t index;
	struct tally found;
};

static void on_value(void *context, const struct ledger_value *value)
{
	struct search *search = context;

	if (value->index != search->index || !value->hist)
		return;
	search->found.count += value->number;
	search->found.sum_ns += value->hist->sum_ns;
}

/* What the probe has counted until now. */
static struct tally read_probe(const struct witness *witness, enum family_id family, size_t index)
{
	struct search search = {.index = index};
	const struct member *member;

	collector_update(witness->collector);
	member = members_find(collector_members(witness->collector), witness->cgroup);
	if (member && member->owner)
		ledger_visit(&member->owner->ledger, &families[family], on_value, &search);
	return search.found;
}

static struct tally minus(struct tally a, struct tally b)
{
	return (struct tally){a.count - b.count, a.sum_ns - b.sum_ns};
}

int witness_open(struct witness *witness, struct collector *collector, const char *procfs)
{
	*witness = (struct witness){.collector = collector, .procfs = procfs};
	return floor_own_cgroup(&witness->cgroup)
		       ?: members_find(collector_members(collector), witness->cgroup) ? 0
										      : -ENOENT;
}

/* ---- waits */

static _Noreturn void compute(int start)
{
	uint64_t end_ns;
	char byte;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (read(start, &byte, 1) < 0)
		_exit(1);
	end_ns = clock_monotonic_ns() + COMPUTE_NS;
	while (clock_monotonic_ns() < end_ns)
		;
	/* What a task has waited is in /proc as long as the task is there. */
	for (;;)
		pause();
}

static int fork_computers(pid_t pids[], int count, int start[2])
{
	int i;

	if (pipe2(start, O_CLOEXEC))
		return -errno;
	for (i = 0; i < count; i++) {
		pids[i] = fork();
		if (!pids[i]) {
			close(start[1]);
			compute(start[0]);
		}
		if (pids[i] < 0)
			return -EAGAIN;
	}
	return 0;
}

static void end_computers(const pid_t pids[], int count)
{
	int i;

	for (i = 0; i < count; i++)
		if (pids[i] > 0)
			kill(pids[i], SIGKILL);
	for (i = 0; i < count; i++)
		if (pids[i] > 0)
			waitpid(pids[i], NULL, 0);
}

int agree_on_waits(const struct witness *witness, struct agreement *out)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	int count = cpus * 2 > COMPUTERS_MAX ? COMPUTERS_MAX : (int)cpus * 2;
	pid_t pids[COMPUTERS_MAX] = {0};
	uint64_t before_ns, after_ns;
	struct tally before;
	int start[2], err = fork_computers(pids, count, start);

	if (!err) {
		usleep(200000); /* until all of them wait for the start */
		err = tasks_run_delay(witness->procfs, &before_ns);
		before = read_probe(witness, FAMILY_CPU_WAIT, 0);
		close(start[0]);
		close(start[1]);
		usleep((COMPUTE_NS * 2 + NS_PER_S / 2) / 1000);
		out->probe = minus(read_probe(witness, FAMILY_CPU_WAIT, 0), before);
		err = err ?: tasks_run_delay(witness->procfs, &after_ns);
		out->other = (struct tally){.sum_ns = err ? 0 : after_ns - before_ns};
	}
	end_computers(pids, count);
	return err ?: out->other.sum_ns ? err : -EOPNOTSUPP;
}

/* ---- fsyncs */

static int fsync_often(int fd, struct tally *calls)
{
	uint64_t end_ns = clock_monotonic_ns() + FSYNCS_NS, start_ns;
	static const char page[4096];

	while (calls->count < FSYNCS && clock_monotonic_ns() < end_ns) {
		if (pwrite(fd, page, sizeof(page), 0) != (ssize_t)sizeof(page))
			return -errno;
		start_ns = clock_monotonic_ns();
		if (fsync(fd))
			return -errno;
		calls->sum_ns += clock_monotonic_ns() - start_ns;
		calls->count++;
	}
	return 0;
}

/* Not all file systems have files without a name. */
static int open_file(const char *dir)
{
	char path[4096];
	int fd = open(dir, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);

	if (fd >= 0)
		return fd;
	if ((size_t)snprintf(path, sizeof(path), "%s/bramble-report.XXXXXX", dir) >= sizeof(path))
		return -ENAMETOOLONG;
	fd = mkostemp(path, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	unlink(path);
	return fd;
}

int agree_on_fsyncs(const struct witness *witness, const char *dir, struct agreement *out)
{
	struct tally before;
	int fd = open_file(dir), err;

	if (fd < 0)
		return fd;
	before = read_probe(witness, FAMILY_FSYNC, 0);
	out->other = (struct tally){0};
	err = fsync_often(fd, &out->other);
	out->probe = minus(read_probe(witness, FAMILY_FSYNC, 0), before);
	close(fd);
	return err;
}

/* ---- requests */

int agree_on_requests(const struct witness *witness, struct agreement *out)
{
	struct tally before;
	struct pair pair;
	uint64_t start_ns;
	int err = pair_open_tcp(&pair, REQUEST_NS);

	if (err)
		return err;
	before = read_probe(witness, FAMILY_TCP_RESPONSE, TCP_SERVER);
	start_ns = clock_monotonic_ns();
	err = pair_turns(&pair, REQUESTS);
	out->other = (struct tally){REQUESTS, clock_monotonic_ns() - start_ns};
	out->probe = minus(read_probe(witness, FAMILY_TCP_RESPONSE, TCP_SERVER), before);
	pair_close(&pair);
	return err;
}
