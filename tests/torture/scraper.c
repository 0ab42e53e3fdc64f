/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * usage: scraper PORT INTERVAL_MS PID MARK FILE COUNTER...
 *
 * Scrapes the loopback's PORT as Prometheus does, until SIGTERM, after which it scrapes once more.
 * After each scrape it replaces FILE by what it found until then:
 *
 *   scrapes N, failed N        a scrape fails if it is not whole after SCRAPE_TIMEOUT_S
 *   worst_ms N, mean_ms N      from the request to the last byte
 *   worst_own_ms N             the same, without the time in which either side waited for a CPU
 *   worst_cpu_ms N             of CPU time that the process PID took during one scrape
 *   bytes N                    of the largest scrape
 *   alive_worst_ms N           of /healthz, which a second thread asks for every 500 ms
 *   alive_failed N             not answered after the kubelet's 10 s
 *   anon_kb N, anon_worst_kb N RssAnon of the process PID
 *   twice N                    series that stood twice in one scrape
 *   COUNTER GROUP N            by how much these series grew since the first scrape
 *
 * GROUP is ours (namespace torture, or a pod whose name begins with MARK), overflow, unknown, or
 * others. A series that vanishes keeps what it had, and one that begins anew counts from zero, as
 * for Prometheus.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define SCRAPE_TIMEOUT_S 600
#define ALIVE_TIMEOUT_S	 10
#define COUNTERS	 16
#define SERIES		 (1 << 20)

enum group { OURS, OVERFLOW, UNKNOWN, OTHERS, GROUPS };
static const char *const group_names[] = {"ours", "overflow", "unknown", "others"};

struct series {
	uint64_t hash; /* of its name and labels; two alike among 10^6 are unlikely: 3 in 10^8 */
	double last;
	long scrape; /* that had it last */
};

static struct series *table; /* open addressing */
static size_t used;
static char **counters;
static int counter_count, port;
static double grown[COUNTERS][GROUPS];
static const char *mark, *out_path, *pid;
static volatile sig_atomic_t stopped;

static struct {
	long scrapes, failed, twice;
	double worst_ms, worst_own_ms, worst_cpu_ms, sum_ms;
	size_t bytes;
	long anon, anon_worst;
} found;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static double alive_worst_ms;
static long alive_failed;

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* ---------------------------------------------------------------- HTTP */

/* Asks for a path and reads the answer to its end into *text, which is the caller's and grows.
 * Returns its length, or -1.
 */
static ssize_t get(const char *path, int timeout_s, char **text, size_t *size)
{
	struct sockaddr_in in = {.sin_family = AF_INET,
				 .sin_port = htons((unsigned short)port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct timeval timeout = {.tv_sec = timeout_s};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char request[256];
	size_t len = 0;
	ssize_t got = -1;

	snprintf(request, sizeof(request),
		 "GET %s HTTP/1.1\r\nHost: torture\r\nConnection: close\r\n\r\n", path);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
	if (connect(fd, (struct sockaddr *)&in, sizeof(in)) == 0 &&
	    send(fd, request, strlen(request), MSG_NOSIGNAL) == (ssize_t)strlen(request)) {
		do {
			if (*size - len < 65536)
				*text = realloc(*text, *size = *size * 2 + 131072);
			got = *text ? recv(fd, *text + len, *size - len - 1, 0) : -1;
			len += got > 0 ? (size_t)got : 0;
		} while (got > 0);
	}
	close(fd);
	if (got < 0 || len < 12 || strncmp(*text + 9, "200", 3) != 0)
		return -1;
	(*text)[len] = '\0';
	return (ssize_t)len;
}

/* Whether all bytes are there that its header promises. */
static int is_whole(const char *text, size_t len)
{
	const char *body = strstr(text, "\r\n\r\n"),
		   *length = strcasestr(text, "\r\nContent-Length: ");

	return body && length && length < body &&
	       strtoul(length + 18, NULL, 10) == len - (size_t)(body + 4 - text);
}

static void *ask_whether_alive(void *unused)
{
	size_t size = 0;
	char *text = NULL;

	while (!stopped) {
		double begin = now_ms(), took;
		ssize_t len = get("/healthz", ALIVE_TIMEOUT_S, &text, &size);

		took = now_ms() - begin;
		pthread_mutex_lock(&lock);
		alive_failed += len < 0;
		alive_worst_ms = took > alive_worst_ms ? took : alive_worst_ms;
		pthread_mutex_unlock(&lock);
		usleep(500000);
	}
	free(text);
	return unused;
}

/* ---------------------------------------------------------------- series */

static enum group group_of(const char *labels, size_t len)
{
	char line[2048], ours[32];

	len = len < sizeof(line) - 1 ? len : sizeof(line) - 1;
	memcpy(line, labels, len);
	line[len] = '\0';
	snprintf(ours, sizeof(ours), ",pod=\"%s", mark);
	if (strstr(line, "{namespace=\"torture\"") || strstr(line, ours))
		return OURS;
	if (strstr(line, "unit=\"overflow\""))
		return OVERFLOW;
	return strstr(line, "unit=\"unknown\"") ? UNKNOWN : OTHERS;
}

static uint64_t hash_of(const char *text, size_t len)
{
	uint64_t hash = 14695981039346656037u; /* FNV-1a */

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (unsigned char)text[i]) * 1099511628211u;
	return hash ? hash : 1;
}

static struct series *series_of(uint64_t hash)
{
	size_t i = hash % SERIES;

	while (table[i].hash && table[i].hash != hash)
		i = (i + 1) % SERIES;
	if (!table[i].hash && ++used > SERIES / 2) {
		fprintf(stderr, "scraper: more than %d series\n", SERIES / 2);
		exit(1);
	}
	return &table[i];
}

static void take_sample(int counter, const char *line, size_t len, double value)
{
	struct series *s = series_of(hash_of(line, len));
	double *sum = &grown[counter][group_of(line, len)];

	if (!s->hash) {
		s->hash = hash_of(line, len);
		s->last = found.scrapes ? 0 : value;
	} else if (s->scrape == found.scrapes) {
		found.twice++;
	}
	*sum += value >= s->last ? value - s->last : value;
	s->last = value;
	s->scrape = found.scrapes;
}

static void take_line(const char *line, size_t len)
{
	const char *space = memrchr(line, ' ', len);
	size_t name;

	if (len < 8 || strncmp(line, "bramble_", 8) != 0 || !space)
		return;
	for (name = 8; name < len && line[name] != '{' && line[name] != ' '; name++)
		;
	for (int i = 0; i < counter_count; i++)
		if (strlen(counters[i]) == name && memcmp(counters[i], line, name) == 0)
			take_sample(i, line, (size_t)(space - line), strtod(space + 1, NULL));
}

static void take_text(const char *text)
{
	const char *end;

	for (; *text; text = end + 1) {
		end = strchrnul(text, '\n');
		take_line(text, (size_t)(end - text));
		if (!*end)
			break;
	}
}

/* ---------------------------------------------------------------- what was found */

static void read_memory(void)
{
	char path[64], line[256];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%s/status", pid);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "RssAnon: %ld", &found.anon) == 1 && found.anon > found.anon_worst)
			found.anon_worst = found.anon;
	if (file)
		fclose(file);
}

/* Of a task: its CPU time, and how long it waited for a CPU. */
struct sched_times {
	double cpu_ms, wait_ms;
};

static struct sched_times sched_times(const char *task)
{
	struct sched_times times = {0};
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%s/schedstat", task);
	file = fopen(path, "re");
	if (!file || fscanf(file, "%lf %lf", &times.cpu_ms, &times.wait_ms) != 2)
		times = (struct sched_times){0};
	if (file)
		fclose(file);
	times.cpu_ms /= 1e6;
	times.wait_ms /= 1e6;
	return times;
}

static void report(void)
{
	char path[4096];
	FILE *out;

	snprintf(path, sizeof(path), "%s.new", out_path);
	out = fopen(path, "we");
	if (!out) {
		perror(path);
		exit(1);
	}
	fprintf(out, "scrapes %ld\nfailed %ld\nworst_ms %.0f\n", found.scrapes, found.failed,
		found.worst_ms);
	fprintf(out, "worst_own_ms %.0f\nworst_cpu_ms %.0f\n", found.worst_own_ms,
		found.worst_cpu_ms);
	fprintf(out, "mean_ms %.1f\nbytes %zu\n",
		found.scrapes ? found.sum_ms / (double)found.scrapes : 0, found.bytes);
	fprintf(out, "anon_kb %ld\nanon_worst_kb %ld\ntwice %ld\n", found.anon, found.anon_worst,
		found.twice);
	pthread_mutex_lock(&lock);
	fprintf(out, "alive_worst_ms %.0f\nalive_failed %ld\n", alive_worst_ms, alive_failed);
	pthread_mutex_unlock(&lock);
	for (int i = 0; i < counter_count; i++)
		for (int group = 0; group < GROUPS; group++)
			fprintf(out, "%s %s %.0f\n", counters[i], group_names[group],
				grown[i][group]);
	fclose(out);
	rename(path, out_path);
}

static void raise_to(double *most, double value)
{
	*most = value > *most ? value : *most;
}

static void scrape(char **text, size_t *size)
{
	struct sched_times theirs = sched_times(pid), ours = sched_times("thread-self"), after;
	double begin = now_ms(), took, waits;
	ssize_t len = get("/metrics", SCRAPE_TIMEOUT_S, text, size);

	took = now_ms() - begin;
	after = sched_times(pid);
	waits = after.wait_ms - theirs.wait_ms + sched_times("thread-self").wait_ms - ours.wait_ms;
	raise_to(&found.worst_ms, took);
	raise_to(&found.worst_own_ms, took - waits);
	raise_to(&found.worst_cpu_ms, after.cpu_ms - theirs.cpu_ms);
	if (len < 0 || !is_whole(*text, (size_t)len)) {
		found.failed++;
	} else {
		take_text(*text);
		found.scrapes++;
		found.sum_ms += took;
		found.bytes = (size_t)len > found.bytes ? (size_t)len : found.bytes;
	}
	read_memory();
	report();
}

static void stop(int signal)
{
	stopped = signal;
}

int main(int argc, char **argv)
{
	size_t size = 0;
	char *text = NULL;
	pthread_t alive;
	double next;

	if (argc < 7 || argc - 6 > COUNTERS) {
		fprintf(stderr, "usage: scraper PORT INTERVAL_MS PID MARK FILE COUNTER...\n");
		return 2;
	}
	port = atoi(argv[1]);
	pid = argv[3];
	mark = argv[4];
	out_path = argv[5];
	counters = argv + 6;
	counter_count = argc - 6;
	table = calloc(SERIES, sizeof(*table));
	if (!table || pthread_create(&alive, NULL, ask_whether_alive, NULL))
		return 1;
	signal(SIGTERM, stop);
	for (next = now_ms(); !stopped; next += atof(argv[2])) {
		scrape(&text, &size);
		while (!stopped && now_ms() < next + atof(argv[2]))
			usleep(20000);
	}
	scrape(&text, &size);
	pthread_join(alive, NULL);
	free(text);
	return 0;
}
