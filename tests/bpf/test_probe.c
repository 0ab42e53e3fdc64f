/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The probe in action: attached, with real events of this machine, in cgroups of the test's own.
 */
#include <dirent.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

#include <bpf/bpf.h>

#include "fds.h"
#include "kernel/features.h"
#include "own_cgroup.h"
#include "probe/probe.h"
#include "util/clock.h"

#define NAPS	    200
#define EVENTS_MAX  64
#define PROGRAM_MAX 64
#define DEADLINE_NS (5 * NS_PER_S)

static const char *skip_reason;
static char tracefs[PATH_MAX];
static struct probe *probe;

/* Events of the test's own cgroups; a machine has others. */
static struct {
	uint64_t id;
	uint64_t time_ns;
	uint32_t kind;
	uint32_t path_len;
	char path[CGROUP_PATH_MAX];
} events[EVENTS_MAX];
static size_t event_count;

static int group_setup(void **state)
{
	(void)state;
	skip_reason = own_setup_for_probe();
	strcpy(tracefs, own_mounts.tracefs);
	return 0;
}

static int group_teardown(void **state)
{
	(void)state;
	if (own_dir[0])
		own_remove("");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	probe_close(probe);
	probe = NULL;
	event_count = 0;
	return 0;
}

static void need_kernel(void)
{
	if (!skip_reason)
		return;
	skip_because("%s", skip_reason);
}

static int try_open(const char *btf, enum sched_hooks hooks, unsigned int slots)
{
	const struct probe_options options = {
		.slots = slots,
		.btf = btf,
		.tracefs = tracefs,
		.enabled = {[PROBE_SCHED] = true, [PROBE_CGROUP] = true},
		.hooks = hooks,
	};

	return probe_open(&options, &probe);
}

static void open_probe(void)
{
	assert_int_equal(try_open("auto", SCHED_HOOKS_AUTO, 256), 0);
}

/* Naps, each a voluntary switch and a wait, in a cgroup. */
static void nap_in(const char *cgroup, int naps)
{
	pid_t child = fork();
	int status;

	if (!child) {
		if (!own_join(cgroup))
			_exit(1);
		while (naps-- > 0)
			usleep(100);
		_exit(0);
	}
	assert_true(child > 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static unsigned int slot_of(uint64_t id)
{
	unsigned int slot;

	for (slot = SLOT_OVERFLOW + 1; slot < probe_slots(probe); slot++)
		if (probe_slot_cgroup(probe, slot) == id)
			return slot;
	return SLOT_OVERFLOW;
}

static int close_slot(unsigned int slot)
{
	return probe_close_slots(probe, &slot, 1);
}

static uint64_t wait_count(const struct sched_cell *cell)
{
	uint64_t count = 0;
	size_t i;

	for (i = 0; i < HIST_BUCKETS; i++)
		count += cell->wait.bucket[i];
	return count;
}

static void read_sched(unsigned int slot, struct sched_cell *cell)
{
	union probe_cell read;

	assert_int_equal(probe_read_cell(probe, PROBE_SCHED, slot, &read), sizeof(*cell));
	*cell = read.sched;
}

static uint64_t lost(const char *reason)
{
	struct probe_lost rows[PROBE_LOST_MAX];
	uint64_t count = 0;
	size_t i, n = probe_read_lost(probe, rows);

	for (i = 0; i < n; i++) {
		assert_non_null(rows[i].reason);
		if (strcmp(rows[i].reason, reason) == 0)
			count += rows[i].count;
	}
	return count;
}

/* The event of a removed cgroup has no path. Was its making one of the events here? */
static bool was_made_here(uint64_t id)
{
	size_t i;

	for (i = 0; i < event_count; i++)
		if (events[i].id == id && events[i].kind == CGROUP_MADE)
			return true;
	return false;
}

static void on_event(void *context, const struct cgroup_event *event)
{
	size_t i = event_count;

	(void)context;
	if (event->kind == CGROUP_REMOVED) {
		assert_int_equal(event->path_len, 0);
		if (!was_made_here(event->id))
			return;
	} else {
		assert_int_equal(strnlen(event->path, CGROUP_PATH_MAX), event->path_len);
		if (strncmp(event->path, own_dir, strlen(own_dir)) != 0)
			return;
	}
	assert_true(i < EVENTS_MAX);
	events[i].id = event->id;
	events[i].time_ns = event->time_ns;
	events[i].kind = event->kind;
	events[i].path_len = event->path_len;
	memcpy(events[i].path, event->path, event->path_len + 1);
	event_count++;
}

static void check_event(size_t i, enum cgroup_event_kind kind, uint64_t id, const char *name)
{
	char path[2 * PATH_MAX];

	assert_true(i < event_count);
	snprintf(path, sizeof(path), "%s%s", own_dir, name);
	assert_int_equal(events[i].kind, kind);
	assert_int_equal(events[i].id, id);
	if (kind == CGROUP_MADE)
		assert_string_equal(events[i].path, path);
}

/* Loads in this way, counts this machine's switches, and reports cgroups. */
static void check_mode(const char *btf, enum sched_hooks hooks, const char *attribution)
{
	uint64_t id, missed, voluntary, involuntary;
	struct sched_cell cell;
	unsigned int slot;

	assert_int_equal(try_open(btf, hooks, 256), 0);
	assert_true(probe_is_up(probe, PROBE_SCHED));
	assert_true(probe_is_up(probe, PROBE_CGROUP));
	if (attribution)
		assert_string_equal(probe_attribution(probe, PROBE_SCHED), attribution);
	id = own_make("/mode");
	nap_in("/mode", NAPS);
	assert_true(own_remove("/mode"));

	slot = slot_of(id);
	assert_int_not_equal(slot, SLOT_OVERFLOW);
	read_sched(slot, &cell);
	/*
	 * Each switch and each wait is counted, or counted as lost. A task that is preempted just
	 * before it blocks, and whose timer has expired by then, does not block: that nap is one
	 * involuntary switch.
	 */
	missed = lost("no_wakeup") + lost("no_switch") + lost("recursion");
	voluntary = cell.switches[SWITCH_VOLUNTARY];
	involuntary = cell.switches[SWITCH_INVOLUNTARY];
	if (voluntary + involuntary + missed < NAPS || wait_count(&cell) + missed < NAPS)
		fail_msg("of %d naps %" PRIu64 " voluntary and %" PRIu64 " involuntary switches "
			 "and %" PRIu64 " waits were counted, and %" PRIu64 " were lost",
			 NAPS, voluntary, involuntary, wait_count(&cell), missed);
	/* A busy machine preempts few of them. */
	assert_true(voluntary + missed >= NAPS * 9 / 10);
	assert_in_range(wait_count(&cell), 1,
			cell.switches[SWITCH_VOLUNTARY] + cell.switches[SWITCH_INVOLUNTARY]);
	assert_true(cell.wait.sum_ns > 0);
	assert_true(probe_events(probe, PROBE_SCHED) >= NAPS);

	assert_int_equal(probe_poll(probe, on_event, NULL), 0);
	assert_int_equal(event_count, 2);
	check_event(0, CGROUP_MADE, id, "/mode");
	check_event(1, CGROUP_REMOVED, id, "/mode");
	assert_true(probe_events(probe, PROBE_CGROUP) >= 2);
	assert_int_equal(lost("ring_full"), 0);
	assert_int_equal(lost("no_slot"), 0);
}

static void need_raw(void)
{
	need_kernel();
	if (feature_prev_state() == 1)
		return;
	skip_because("this kernel's raw sched_switch has no prev_state (5.18)");
}

static void test_auto(void **state)
{
	(void)state;
	need_kernel();
	check_mode("auto", SCHED_HOOKS_AUTO, NULL);
}

static void test_raw(void **state)
{
	(void)state;
	need_raw();
	check_mode("auto", SCHED_HOOKS_RAW, "current_task");
}

static void test_raw_without_btf(void **state)
{
	(void)state;
	need_raw();
	check_mode("none", SCHED_HOOKS_RAW, "current_task");
}

static void test_classic(void **state)
{
	(void)state;
	need_kernel();
	check_mode("auto", SCHED_HOOKS_CLASSIC, "current_task_by_id");
}

static void test_classic_without_btf(void **state)
{
	(void)state;
	need_kernel();
	check_mode("none", SCHED_HOOKS_CLASSIC, "current_task_by_id");
}

static void test_kernel_btf_as_a_file(void **state)
{
	(void)state;
	need_kernel();
	if (feature_kernel_btf("/sys") != 1)
		skip_because("this kernel has no BTF");
	check_mode("/sys/kernel/btf/vmlinux", SCHED_HOOKS_AUTO, NULL);
}

static void test_without_sched(void **state)
{
	const struct probe_options options = {
		.slots = 16, .btf = "auto", .tracefs = tracefs, .enabled = {false}};
	uint64_t id;

	(void)state;
	need_kernel();
	assert_int_equal(probe_open(&options, &probe), 0);
	assert_false(probe_is_up(probe, PROBE_SCHED));
	assert_true(probe_is_up(probe, PROBE_CGROUP)); /* always on */
	id = own_make("/only");
	nap_in("/only", 10);
	assert_true(own_remove("/only"));
	assert_int_equal(slot_of(id), SLOT_OVERFLOW);
	assert_int_equal(probe_events(probe, PROBE_SCHED), 0);
	probe_poll(probe, on_event, NULL);
	assert_int_equal(event_count, 2);
}

static void test_wrong_options(void **state)
{
	char path[] = "/tmp/bramble-test-XXXXXX";
	int fd;

	(void)state;
	need_kernel();
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "no BTF at all", 13), 13);
	close(fd);
	assert_true(try_open(path, SCHED_HOOKS_AUTO, 16) < 0);
	unlink(path);
	assert_true(try_open("/no/such/btf", SCHED_HOOKS_AUTO, 16) < 0);
	strcpy(tracefs, "/no/such/tracefs");
	assert_int_equal(try_open("none", SCHED_HOOKS_AUTO, 16), -ENOENT);
	assert_int_equal(try_open("auto", SCHED_HOOKS_AUTO, 16), -ENOENT);
	strcpy(tracefs, own_mounts.tracefs);
	assert_null(probe);
}

/* Makes parent/child below the test's directory by file descriptor: the path may be any length. */
static int make_below(int parent, const char *name)
{
	assert_int_equal(mkdirat(parent, name, 0755), 0);
	return openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void test_path_of_250(void **state)
{
	char name[252] = "/";
	uint64_t id;

	(void)state;
	need_kernel();
	open_probe();
	memset(name + 1, 'n', 250 - strlen(own_dir) - 1);
	name[250 - strlen(own_dir)] = '\0';
	id = own_make(name);
	assert_true(own_remove(name));
	probe_poll(probe, on_event, NULL);
	assert_int_equal(event_count, 2);
	check_event(0, CGROUP_MADE, id, name);
	check_event(1, CGROUP_REMOVED, id, name);
	assert_int_equal(events[0].path_len, 250);
	assert_true(events[0].time_ns <= events[1].time_ns);
	assert_in_range(events[1].time_ns, clock_monotonic_ns() - DEADLINE_NS,
			clock_monotonic_ns());
}

#define LEVELS 6

/* A path that is too long for an event: its beginning is sent, and the event is not lost. */
static void test_path_too_long(void **state)
{
	char name[201], whole[LEVELS * 201 + 1] = "";
	int fds[LEVELS + 1], level;
	uint64_t ids[LEVELS];
	struct stat st;

	(void)state;
	need_kernel();
	open_probe();
	fds[0] = open(own_path(""), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (level = 0; level < LEVELS; level++) {
		memset(name, 'a' + level, 200);
		name[200] = '\0';
		fds[level + 1] = make_below(fds[level], name);
		assert_true(fds[level + 1] >= 0);
		assert_int_equal(fstat(fds[level + 1], &st), 0);
		ids[level] = st.st_ino;
	}
	for (level = LEVELS - 1; level >= 0; level--) {
		memset(name, 'a' + level, 200);
		close(fds[level + 1]);
		assert_int_equal(unlinkat(fds[level], name, AT_REMOVEDIR), 0);
	}
	close(fds[0]);
	probe_poll(probe, on_event, NULL);
	assert_int_equal(event_count, 2 * LEVELS);
	for (level = 0; level < LEVELS; level++) {
		size_t len = strlen(own_dir), i = (size_t)level;

		memset(name, 'a' + level, 200);
		strcat(strcat(whole, "/"), name);
		assert_int_equal(events[i].id, ids[level]);
		assert_int_equal(events[i].kind, CGROUP_MADE);
		assert_int_equal(events[2 * LEVELS - 1 - i].id, ids[level]);
		assert_int_equal(events[2 * LEVELS - 1 - i].kind, CGROUP_REMOVED);
		assert_memory_equal(events[i].path + len, whole, events[i].path_len - len);
		if (len + strlen(whole) < CGROUP_PATH_MAX)
			assert_int_equal(events[i].path_len, len + strlen(whole));
		else
			assert_in_range(events[i].path_len, 1000, CGROUP_PATH_MAX - 1);
	}
	assert_int_equal(lost("ring_full"), 0);
}

/* Where a v1 hierarchy is mounted that takes a new cgroup; false if there is none. */
static bool find_v1(char path[PATH_MAX])
{
	FILE *file = fopen("/proc/self/mounts", "re");
	char line[2 * PATH_MAX], type[32];
	bool found = false;

	while (!found && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%*s %4000s %31s", path, type) != 2 || strcmp(type, "cgroup") != 0)
			continue;
		strcat(path, own_dir);
		found = mkdir(path, 0755) == 0;
	}
	fclose(file);
	return found;
}

static void test_v1_is_not_reported(void **state)
{
	char path[PATH_MAX];

	(void)state;
	need_kernel();
	open_probe();
	if (!find_v1(path))
		skip_because("no cgroup v1 hierarchy is mounted: there is none to be left out");
	assert_int_equal(rmdir(path), 0);
	own_make("/v2");
	assert_true(own_remove("/v2"));
	probe_poll(probe, on_event, NULL);
	assert_int_equal(event_count, 2);
	assert_non_null(strstr(events[0].path, "/v2"));
}

/* While nobody reads, events wait in the ring, and its descriptor becomes readable. */
static void test_many_events(void **state)
{
	char name[16];
	uint64_t ids[EVENTS_MAX / 2];
	size_t i;

	(void)state;
	need_kernel();
	open_probe();
	for (i = 0; i < EVENTS_MAX / 2; i++) {
		snprintf(name, sizeof(name), "/m%zu", i);
		ids[i] = own_make(name);
		assert_true(own_remove(name));
	}
	probe_poll(probe, on_event, NULL);
	assert_int_equal(event_count, EVENTS_MAX);
	for (i = 0; i < EVENTS_MAX / 2; i++) {
		snprintf(name, sizeof(name), "/m%zu", i);
		check_event(2 * i, CGROUP_MADE, ids[i], name);
		check_event(2 * i + 1, CGROUP_REMOVED, ids[i], name);
	}
	probe_poll(probe, on_event, NULL);
	assert_int_equal(event_count, EVENTS_MAX);
}

#define MORE_MAX 20000

/* While events are read, there are more and more. */
static void make_more(void *context, const struct cgroup_event *event)
{
	unsigned int *made = context;

	if (event->kind != CGROUP_REMOVED || *made == MORE_MAX)
		return;
	++*made;
	own_make("/more");
	assert_true(own_remove("/more"));
}

/* A reading ends even if somebody makes cgroups as fast as they are read. */
static void test_a_reading_ends(void **state)
{
	unsigned int made = 0;

	(void)state;
	need_kernel();
	open_probe();
	own_make("/more");
	assert_true(own_remove("/more"));
	assert_int_equal(probe_poll(probe, make_more, &made), 1);
	assert_in_range(made, 1000, MORE_MAX / 2);
	made = MORE_MAX;
	assert_int_equal(probe_poll(probe, make_more, &made), 0);
	assert_int_equal(lost("ring_full"), 0);
}

/* Two slots, one of them for the overflow: cgroups without a slot are counted there. */
static void test_overflow(void **state)
{
	struct sched_cell cell;
	uint64_t a, b;

	(void)state;
	need_kernel();
	assert_int_equal(try_open("auto", SCHED_HOOKS_AUTO, 2), 0);
	a = own_make("/a");
	b = own_make("/b");
	nap_in("/a", NAPS);
	nap_in("/b", NAPS);
	assert_true(own_remove("/a"));
	assert_true(own_remove("/b"));
	assert_true(slot_of(a) == SLOT_OVERFLOW || slot_of(b) == SLOT_OVERFLOW);
	read_sched(SLOT_OVERFLOW, &cell);
	assert_true(cell.switches[SWITCH_VOLUNTARY] >= NAPS);
	assert_true(lost("no_slot") >= NAPS);
	assert_int_equal(probe_slot_cgroup(probe, SLOT_OVERFLOW), 0);
	assert_int_equal(close_slot(SLOT_OVERFLOW), -ENOENT);
}

static pid_t spin_in(const char *name, const cpu_set_t *cpu)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	if (sched_setaffinity(0, sizeof(*cpu), cpu) || !own_join(name))
		_exit(1);
	for (;;)
		;
}

/* Two spinners on one CPU: each waits whole time slices because of the other. */
static void contend(const char *victim, const char *hog)
{
	pid_t spinners[2];
	cpu_set_t one;
	int i;

	CPU_ZERO(&one);
	CPU_SET((size_t)sched_getcpu(), &one);
	spinners[0] = spin_in(victim, &one);
	spinners[1] = spin_in(hog, &one);
	usleep(300000);
	for (i = 0; i < 2; i++) {
		kill(spinners[i], SIGKILL);
		waitpid(spinners[i], NULL, 0);
	}
}

static uint64_t pair_total, pairs_with_slot;
static unsigned int slot_asked;

static void on_pair(void *context, struct wait_pair pair, uint64_t wait_ns)
{
	(void)context;
	pair_total++;
	assert_true(wait_ns == 0 || wait_ns >= WAIT_CAUSED_MIN_NS);
	if (pair.victim == slot_asked || pair.cause == slot_asked)
		pairs_with_slot++;
}

static void count_pairs(unsigned int slot)
{
	pair_total = pairs_with_slot = 0;
	slot_asked = slot;
	assert_int_equal(probe_read_pairs(probe, on_pair, NULL), 0);
}

/*
 * When a slot is freed, its pairs are deleted and its cells cleared, and another cgroup gets the
 * slot later. A closed slot keeps its counts until then.
 */
static void test_free_slot(void **state)
{
	struct sched_cell cell;
	unsigned int slot, given = SLOT_OVERFLOW;
	cpu_set_t all;
	uint64_t id;
	int i;

	(void)state;
	need_kernel();
	assert_int_equal(try_open("auto", SCHED_HOOKS_AUTO, 32), 0);
	sched_getaffinity(0, sizeof(all), &all);
	id = own_make("/victim");
	own_make("/hog");
	contend("/victim", "/hog");
	sched_setaffinity(0, sizeof(all), &all);
	assert_true(own_remove("/hog"));
	assert_true(own_remove("/victim"));
	slot = slot_of(id);
	assert_int_not_equal(slot, SLOT_OVERFLOW);
	count_pairs(slot);
	assert_true(pairs_with_slot > 0);

	assert_int_equal(close_slot(slot), 0);
	assert_true(probe_slot_is_closed(probe, slot));
	assert_int_equal(probe_slot_cgroup(probe, slot), 0);
	assert_int_equal(slot_of(id), SLOT_OVERFLOW);
	assert_int_equal(close_slot(slot), -ENOENT); /* not twice */
	read_sched(slot, &cell);
	assert_true(cell.switches[SWITCH_INVOLUNTARY] > 0); /* until it is free */
	count_pairs(slot);
	assert_true(pairs_with_slot > 0);
	assert_int_equal(probe_free_slots(probe), 0);
	assert_false(probe_slot_is_closed(probe, slot));
	count_pairs(slot);
	assert_int_equal(pairs_with_slot, 0);
	read_sched(slot, &cell);
	assert_memory_equal(&cell, &(struct sched_cell){0}, sizeof(cell));

	for (i = 0; i < 40 && given != slot; i++) {
		id = own_make("/next");
		nap_in("/next", 20);
		assert_true(own_remove("/next"));
		given = slot_of(id);
	}
	assert_int_equal(given, slot);
	read_sched(slot, &cell);
	/* Only its own. */
	assert_in_range(cell.switches[SWITCH_VOLUNTARY], 20, 60);
}

/* Ids of the BPF programs that this process has open. */
static size_t open_programs(uint32_t ids[PROGRAM_MAX])
{
	DIR *dir = opendir("/proc/self/fdinfo");
	struct dirent *entry;
	char path[300], line[128];
	size_t count = 0;

	while ((entry = readdir(dir))) {
		FILE *file;

		snprintf(path, sizeof(path), "/proc/self/fdinfo/%s", entry->d_name);
		file = fopen(path, "re");
		while (file && count < PROGRAM_MAX && fgets(line, sizeof(line), file))
			if (sscanf(line, "prog_id: %u", &ids[count]) == 1)
				count++;
		if (file)
			fclose(file);
	}
	closedir(dir);
	return count;
}

/* Whether the kernel forgets a program; it takes a moment. */
static bool program_goes(uint32_t id)
{
	uint64_t until = clock_monotonic_ns() + DEADLINE_NS;

	while (clock_monotonic_ns() < until) {
		int fd = bpf_prog_get_fd_by_id(id);

		if (fd < 0)
			return errno == ENOENT;
		close(fd);
		usleep(10000);
	}
	return false;
}

static void test_close_leaves_nothing(void **state)
{
	uint32_t ids[PROGRAM_MAX];
	size_t fds, programs, i;
	int round;

	(void)state;
	need_kernel();
	fds = count_fds();
	for (round = 0; round < 50; round++) {
		assert_int_equal(try_open(round % 2 ? "auto" : "none", SCHED_HOOKS_AUTO, 1024), 0);
		programs = open_programs(ids);
		assert_true(programs >= 6);
		probe_close(probe);
		probe = NULL;
		assert_int_equal(count_fds(), fds);
	}
	for (i = 0; i < programs; i++)
		assert_true(program_goes(ids[i]));
}

static void test_failed_open_leaves_nothing(void **state)
{
	size_t fds;

	(void)state;
	need_kernel();
	fds = count_fds();
	assert_true(try_open("/no/such/btf", SCHED_HOOKS_AUTO, 16) < 0);
	strcat(tracefs, "/no/such"); /* loads, and cannot attach */
	assert_true(try_open("auto", SCHED_HOOKS_CLASSIC, 16) < 0);
	strcpy(tracefs, own_mounts.tracefs);
	assert_int_equal(count_fds(), fds);
}

#define TEST(function) cmocka_unit_test_teardown(function, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_auto),
		TEST(test_raw),
		TEST(test_raw_without_btf),
		TEST(test_classic),
		TEST(test_classic_without_btf),
		TEST(test_kernel_btf_as_a_file),
		TEST(test_without_sched),
		TEST(test_wrong_options),
		TEST(test_path_of_250),
		TEST(test_path_too_long),
		TEST(test_v1_is_not_reported),
		TEST(test_many_events),
		TEST(test_a_reading_ends),
		TEST(test_overflow),
		TEST(test_free_slot),
		TEST(test_close_leaves_nothing),
		TEST(test_failed_open_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
