/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * usage: network [ROUNDS [LOAD]]
 *
 * LOAD: wrk, redis or iperf3 alone.
 *
 * What the probe takes from programs that do nothing but talk over TCP, both ends on
 * this machine: wrk and nginx, redis-benchmark and redis-server, iperf3. Beside it,
 * on the very hooks that the probe has chosen here: programs that do nothing, and
 * programs that read the clock once (the floor).
 *
 * All variants are measured in turn in each round, with none before and after each. What
 * a variant costs is the throughput that is missing to the mean of these two. It all
 * happens in a network namespace of its own, so that any port is free, and under SCHED_FIFO, so
 * that nothing else gets on the CPUs in the middle of a measurement.
 */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "probe/probe.h"
#include "report/floor.h"
#include "util/array.h"
#include "util/log.h"

#include "bench.h"

#define ROUNDS_MAX 99

enum variant {
	EMPTY,
	FLOOR,
	TCP,
	FLOOR_ALL,
	ALL,
	VARIANTS,
};

/* The programs of which probes, and what hangs on their hooks. */
static const struct {
	const char *name;
	bool all; /* all probes; else the network's alone */
	enum { PROGRAM_EMPTY, PROGRAM_CLOCK, PROGRAM_OWN } program;
	enum variant floor;
} variants[VARIANTS] = {
	[EMPTY] = {"empty programs on the network's hooks", false, PROGRAM_EMPTY, FLOOR},
	[FLOOR] = {"floor: a clock read an event, the same hooks", false, PROGRAM_CLOCK, FLOOR},
	[TCP] = {"bramble, the network's probe alone", false, PROGRAM_OWN, FLOOR},
	[FLOOR_ALL] = {"floor: a clock read an event, all probes' hooks", true, PROGRAM_CLOCK,
		       FLOOR_ALL},
	[ALL] = {"bramble, all probes", true, PROGRAM_OWN, FLOOR_ALL},
};

/* A load: a server that runs throughout, a client, and where its rate is in what it prints. */
static const struct load {
	const char *name;
	const char *unit;
	const char *server;
	const char *client;
	const char *before, *after; /* the line of the rate, and what follows the number in it */
} loads[] = {
	{"wrk, nginx", "requests/s", "exec nginx -c \"$PWD/nginx.conf\" -e error.log -p .",
	 "wrk -t 1 -c 16 -d 1 http://127.0.0.1:8080/", "Requests/sec:", "\n"},
	{"redis-benchmark, redis-server", "GET/s",
	 "exec redis-server --bind 127.0.0.1 --port 6379 --save '' --appendonly no",
	 "redis-benchmark -p 6379 -t get -c 50 -n 80000 -q", "requests per second",
	 " requests per second"},
	{"iperf3", "Gbit/s", "exec iperf3 -s -B 127.0.0.1 -p 5201",
	 "iperf3 -c 127.0.0.1 -p 5201 -t 1 -f g", "receiver", " Gbits/sec"},
};
#define LOADS ARRAY_SIZE(loads)

static const char nginx_conf[] =
	"daemon off; worker_processes 1; user root; pid nginx.pid;\n"
	"events {}\n"
	"http { access_log off; keepalive_requests 1000000000;\n"
	"  server { listen 127.0.0.1:8080; location / { return 200 'bramble\\n'; } } }\n";

static char dir[] = "/tmp/bramble-bench.XXXXXX";

static void die(const char *what)
{
	fprintf(stderr, "network: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* ---- variants */

/* What hangs in the kernel while a variant is measured. */
struct hung {
	struct probe *probe;
	struct floor *floor;
};

static void set_options(struct probe_options *options, bool all)
{
	int i;

	*options = (struct probe_options){
		.slots = 1024,
		.btf = "auto",
		.tracefs = tracefs_path(),
		.enabled = {[PROBE_TCP] = true},
	};
	for (i = 0; all && i < PROBES; i++)
		options->enabled[i] = true;
}

static void hang(struct hung *hung, enum variant variant)
{
	static struct floor_hooks hooks[2]; /* of all probes, and of the network's */
	bool all = variants[variant].all;
	struct probe_options options;

	*hung = (struct hung){0};
	set_options(&options, all);
	if (variants[variant].program == PROGRAM_OWN) {
		if (probe_open(&options, &hung->probe))
			exit(1);
		return;
	}
	if (!hooks[all].count && floor_find_hooks(&options, &hooks[all]))
		exit(1);
	if (floor_open(&options, &hooks[all],
		       variants[variant].program == PROGRAM_CLOCK ? FLOOR_CLOCK : FLOOR_EMPTY,
		       &hung->floor))
		die("cannot attach the floor's programs");
}

static void take_down(struct hung *hung)
{
	floor_close(hung->floor);
	if (hung->probe)
		probe_close(hung->probe);
}

/* ---- loads */

static pid_t start_server(const struct load *load)
{
	pid_t pid = fork();
	int out;

	if (pid < 0)
		die("fork");
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	out = open("server.log", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	dup2(out, STDOUT_FILENO);
	dup2(out, STDERR_FILENO);
	execl("/bin/sh", "sh", "-c", load->server, (char *)NULL);
	_exit(127);
}

/* The number that ends where load->after begins, or that follows load->before; 0: none. */
static double rate_in(const struct load *load, const char *line)
{
	const char *at = strstr(line, load->before), *end;

	if (!at)
		return 0;
	if (load->after[0] == '\n')
		return strtod(at + strlen(load->before), NULL);
	end = strstr(line, load->after);
	while (end && end > line && (end[-1] == '.' || (end[-1] >= '0' && end[-1] <= '9')))
		end--;
	return end ? strtod(end, NULL) : 0;
}

/* 0: the client failed. */
static double try_load(const struct load *load)
{
	char *line = NULL, *part, *rest;
	size_t size = 0;
	FILE *out = popen(load->client, "r");
	double rate = 0, found;

	if (!out)
		die("popen");
	while (getline(&line, &size, out) > 0) {
		/* redis-benchmark writes over its line as it goes. */
		for (rest = line; (part = strsep(&rest, "\r"));) {
			found = rate_in(load, part);
			rate = found > 0 ? found : rate;
		}
	}
	free(line);
	pclose(out);
	return rate;
}

static double measure(const struct load *load)
{
	double rate = try_load(load);

	if (rate <= 0) {
		fprintf(stderr, "network: \"%s\" says no rate; its server's log is above\n",
			load->client);
		exit(1);
	}
	return rate;
}

static void wait_for_server(const struct load *load, pid_t pid)
{
	int tries = 50;

	while (tries-- && waitpid(pid, NULL, WNOHANG) == 0) {
		usleep(100000);
		if (try_load(load) > 0)
			return;
	}
	fflush(stdout);
	if (system("cat server.log >&2"))
		die("server.log");
	fprintf(stderr, "network: \"%s\" does not serve\n", load->server);
	exit(1);
}

/* ---- rounds */

struct round {
	double off;
	double missing[VARIANTS]; /* per cent of the throughput without any */
};

static void run_round(const struct load *load, struct round *round, int first)
{
	double before = measure(load), with, after;
	struct hung hung;
	int i;

	round->off = before;
	for (i = 0; i < VARIANTS; i++) {
		int variant = (first + i) % VARIANTS;

		hang(&hung, (enum variant)variant);
		with = measure(load);
		take_down(&hung);
		after = measure(load);
		round->missing[variant] = (1 - with / ((before + after) / 2)) * 100;
		before = after;
	}
}

static void print_table(const struct load *load, const struct round *rounds, int count)
{
	double missing[VARIANTS][ROUNDS_MAX], off[ROUNDS_MAX], median[VARIANTS];
	int i, v;

	for (i = 0; i < count; i++)
		off[i] = rounds[i].off;
	for (v = 0; v < VARIANTS; v++) {
		for (i = 0; i < count; i++)
			missing[v][i] = rounds[i].missing[v];
		median[v] = quantile(missing[v], count, 0.5);
	}
	printf("%s: without any probe %.*f %s (median of %d rounds; quartiles %.*f to %.*f).\n\n",
	       load->name, quantile(off, count, 0.5) < 1000 ? 2 : 0, quantile(off, count, 0.5),
	       load->unit, count, quantile(off, count, 0.5) < 1000 ? 2 : 0,
	       quantile(off, count, 0.25), quantile(off, count, 0.5) < 1000 ? 2 : 0,
	       quantile(off, count, 0.75));
	printf("| variant | throughput lost, median | quartiles | x its floor "
	       "|\n|---|---|---|---|\n");
	for (v = 0; v < VARIANTS; v++)
		printf("| %s | %.2f %% | %.2f to %.2f %% | %.2f |\n", variants[v].name, median[v],
		       quantile(missing[v], count, 0.25), quantile(missing[v], count, 0.75),
		       median[v] / median[variants[v].floor]);
	printf("\n");
	fflush(stdout);
}

static void run_load(const struct load *load, int count)
{
	static struct round rounds[ROUNDS_MAX];
	pid_t pid = start_server(load);
	int i;

	wait_for_server(load, pid);
	for (i = 0; i < count; i++)
		run_round(load, &rounds[i], i); /* each round begins with another variant */
	kill(pid, SIGTERM);
	waitpid(pid, NULL, 0);
	print_table(load, rounds, count);
}

static void leave_dir(void)
{
	static const char *const files[] = {"nginx.conf", "nginx.pid", "error.log", "server.log"};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(files); i++)
		unlink(files[i]);
	/* nginx makes folders for what it buffers. */
	if (system("rmdir ./*_temp 2>/dev/null") >= 0)
		rmdir(dir);
}

static void enter_dir(void)
{
	FILE *file;

	if (!mkdtemp(dir) || chdir(dir))
		die(dir);
	file = fopen("nginx.conf", "we");
	if (!file || fputs(nginx_conf, file) < 0 || fclose(file))
		die("nginx.conf");
	atexit(leave_dir);
}

int main(int argc, char **argv)
{
	int count = argc > 1 ? atoi(argv[1]) : 11;
	struct sched_param first = {.sched_priority = 1};
	size_t i;

	if (count < 3 || count > ROUNDS_MAX) {
		fprintf(stderr, "usage: network [ROUNDS [LOAD]], 3 to %d\n", ROUNDS_MAX);
		return 2;
	}
	log_setup(LOG_ERROR, LOG_LOGFMT);
	if (sched_setscheduler(0, SCHED_FIFO, &first))
		die("cannot take the CPUs (run it as root)");
	if (unshare(CLONE_NEWNET) || system("ip link set lo up"))
		die("a network namespace (run it as root)");
	enter_dir();
	print_machine();
	for (i = 0; i < LOADS; i++)
		if (argc < 3 || strstr(loads[i].name, argv[2]))
			run_load(&loads[i], count);
	return 0;
}
