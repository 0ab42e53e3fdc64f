/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * An update reads. What else is to be done is the event loop's: to attach to file systems that
 * come later, and to ask the kubelet. With the real probe, cgroups of the test's own, a kubelet
 * for tests, and a tracefs that lacks the file systems at first.
 */
#include <dirent.h>
#include <poll.h>
#include <sys/wait.h>

#include "kernel/features.h"
#include "kubelet_server.h"
#include "metrics/collector.h"
#include "metrics/kernel_jobs.h"
#include "own_cgroup.h"
#include "util/clock.h"
#include "util/log.h"

#define MS	  UINT64_C(1000000)
#define UPDATES	  50
#define PAUSE_US  10000
#define POD	  "10000000-0000-4000-8000-000000000001" /* deployment.json */
#define POD_NAME  "web-7d4b9c6f5-x2x8k"
#define POD_PATH  "/kubepods/pod" POD
#define NAMESPACE "shop"
#define SLOTS	  1024
#define LEAVES	  600 /* cgroups that make more events than the ring has room for */

static const char *skip_reason;
static struct collector *collector;
static char tracefs[128];

/* No request but the first, those that are wanted, and (impatient) those that are always due. */
static const struct kubelet_times patient = {
	.interval_ns = 3600 * NS_PER_S,
	.debounce_ns = MS,
	.gap_ns = MS,
	.retry_min_ns = MS,
	.retry_max_ns = MS,
	.connect_ns = 60 * NS_PER_S,
	.total_ns = 60 * NS_PER_S,
};
static struct kubelet_times impatient;

static int group_setup(void **state)
{
	(void)state;
	log_setup(LOG_ERROR, LOG_LOGFMT);
	skip_reason = own_setup_for_probe();
	impatient = patient;
	impatient.interval_ns = MS;
	return 0;
}

static int group_teardown(void **state)
{
	(void)state;
	if (own_dir[0])
		own_remove("");
	return 0;
}

/* Makes those events of the real tracefs visible in the test's whose names begin so. */
static void show_events(const char *prefix)
{
	char from[PATH_MAX + 300], to[512];
	struct dirent *entry;
	DIR *dir;

	snprintf(from, sizeof(from), "%s/events", own_mounts.tracefs);
	dir = opendir(from);
	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.' || strncmp(entry->d_name, prefix, strlen(prefix)) != 0)
			continue;
		snprintf(from, sizeof(from), "%s/events/%s", own_mounts.tracefs, entry->d_name);
		snprintf(to, sizeof(to), "%s/events/%s", tracefs, entry->d_name);
		if (symlink(from, to))
			assert_int_equal(errno, EEXIST);
	}
	closedir(dir);
}

static void hide_events(const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/events/%s", tracefs, name);
	unlink(path);
}

static int setup(void **state)
{
	(void)state;
	if (skip_reason)
		return 0;
	if (tree_make())
		return -1;
	tree_put("tracefs/events/nothing", "");
	in_tree("tracefs", tracefs);
	show_events("");
	hide_events("ext4");
	hide_events("f2fs");
	hide_events("btrfs");
	hide_events("xfs");
	server_prepare();
	server_start();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	collector_close(collector);
	collector = NULL;
	if (skip_reason)
		return 0;
	server_stop();
	own_remove(POD_PATH);
	own_remove("/kubepods");
	return tree_remove("");
}

static void open_collector(const struct kubelet_times *times)
{
	struct collector_options options = {
		.probe = {.slots = SLOTS,
			  .btf = "auto",
			  .tracefs = tracefs,
			  .enabled = {[PROBE_SCHED] = true, [PROBE_FSYNC] = true}},
		.cgroupfs = own_mount.path,
		.procfs = "/proc",
		.sysfs = "/sys",
		.kube = {.source = KUBE_KUBELET, .kubelet = server_options()},
		.retain_ns = NS_PER_S,
	};

	options.kube.kubelet.times = times;
	assert_int_equal(collector_open(&options, &collector), 0);
}

/* The loop, until something is so. */
static bool run_until(bool (*is_so)(void))
{
	struct pollfd fd = {.fd = collector_event_fd(collector), .events = POLLIN};
	uint64_t start_ns = clock_monotonic_ns();

	while (!is_so()) {
		if (clock_monotonic_ns() - start_ns > PATIENCE_MS * MS)
			return false;
		if (poll(&fd, 1, 100) > 0)
			collector_poll(collector);
	}
	return true;
}

/* Scrapes between which the loop has no turn; for longer than a request takes. */
static void update_often(void)
{
	int i;

	for (i = 0; i < UPDATES; i++) {
		collector_update(collector);
		usleep(PAUSE_US);
	}
}

static bool measures_fsyncs(void)
{
	return probe_is_up(collector_probe(collector), PROBE_FSYNC);
}

static bool was_answered(void)
{
	const struct kubelet_status *status = kube_names_kubelet(collector_names(collector));

	return status && status->last_success_ns;
}

/* How many requests the kubelet has read. */
static size_t requests(void)
{
	char path[128];
	struct buf text;
	size_t i, count = 0;

	if (buf_read_file(&text, in_tree("requests", path), 1 << 20))
		return 0;
	for (i = 0; i < text.len; i++)
		count += text.data[i] == '\n';
	buf_free(&text);
	return count;
}

static bool is_named(void)
{
	const struct owner *owner;

	for (owner = collector_owners(collector)->table; owner; owner = owner->hh.next)
		if (strcmp(owner->labels.pod, POD_NAME) == 0 &&
		    strcmp(owner->labels.name_space, NAMESPACE) == 0)
			return true;
	return false;
}

static void need_kernel(void)
{
	if (skip_reason)
		skip_because("%s", skip_reason);
}

static void a_file_system_that_comes_later_is_the_loops(void **state)
{
	(void)state;
	need_kernel();
	if (feature_event(own_mounts.tracefs, "ext4/ext4_sync_file_enter") != 1)
		skip_because("this kernel has no ext4");
	open_collector(&patient);
	update_often();
	assert_true(run_until(was_answered));
	assert_false(measures_fsyncs());

	show_events("ext4");
	update_often();
	assert_false(measures_fsyncs());
	assert_true(run_until(measures_fsyncs)); /* without an update */
}

static void a_request_that_is_due_is_the_loops(void **state)
{
	size_t before;

	(void)state;
	need_kernel();
	open_collector(&impatient);
	assert_true(run_until(was_answered));
	before = requests();
	update_often();
	/* One may have been under way. */
	assert_in_range(requests(), before, before + 1);
}

static void a_name_that_is_wanted_is_asked_for_after_the_update(void **state)
{
	size_t before;

	(void)state;
	need_kernel();
	open_collector(&patient);
	assert_true(run_until(was_answered));
	server_put_document("deployment");
	own_make("/kubepods");
	own_make(POD_PATH);
	before = requests();
	update_often();
	assert_int_equal(requests(), before);
	assert_false(is_named());
	assert_true(run_until(is_named)); /* without an update */
	assert_int_equal(requests(), before + 1);
}

/* A path of so many long names, so that its events fill the ring soon. */
static const char *long_path(int depth)
{
	static char path[1024];
	size_t len = 0;
	int i;

	path[0] = '\0';
	for (i = 0; i < depth; i++)
		len += (size_t)snprintf(path + len, sizeof(path) - len, "/%0200d", i);
	return path;
}

#define DEPTH 4

static const char *leaf(int i)
{
	static char path[1200];

	snprintf(path, sizeof(path), "%s/%d", long_path(DEPTH), i);
	return path;
}

/* A process in the cgroup sleeps once and ends: two switches. */
static void run_in(const char *name)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (!pid) {
		bool joined = own_join(name);

		usleep(100);
		_exit(!joined);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* Of all units whose names begin so. */
static uint64_t switches_of(const char *units)
{
	const struct owners *owners = collector_owners(collector);
	const struct family *family = &families[FAMILY_CPU_SWITCHES];
	union ledger_word *account;
	struct owner *owner;
	uint64_t sum = 0;

	for (owner = owners->table; owner; owner = owner->hh.next) {
		account = ledger_find(&owner->ledger, SOURCE_OF_PROBE(PROBE_SCHED), NULL);
		if (account && strncmp(owner->labels.unit, units, strlen(units)) == 0)
			sum += *account_number(account, family, SWITCH_VOLUNTARY) +
			       *account_number(account, family, SWITCH_INVOLUNTARY);
	}
	return sum;
}

/*
 * The loop had no turn while more cgroups came and went than the ring has room for. After one
 * update every slot has an owner. They are nested in one cgroup, so most of them share one slot.
 */
static void what_the_ring_lost_is_counted(void **state)
{
	const struct probe *probe;
	const struct member *member;
	unsigned int slot;
	uint64_t id;
	int i;

	(void)state;
	need_kernel();
	open_collector(&patient);
	probe = collector_probe(collector);
	for (i = 1; i <= DEPTH; i++)
		own_make(long_path(i));
	for (i = 0; i < LEAVES; i++) {
		own_make(leaf(i));
		run_in(leaf(i));
		assert_true(own_remove(leaf(i)));
	}
	for (i = DEPTH; i > 0; i--)
		assert_true(own_remove(long_path(i)));
	assert_true(probe_cgroup_events_lost(probe) > 0);

	sleep(1); /* the walk at the start was just now */
	collector_update(collector);
	for (slot = SLOT_OVERFLOW + 1; slot < probe_slots(probe); slot++) {
		id = probe_slot_cgroup(probe, slot);
		member = members_find(collector_members(collector), id);
		if (id && !is_kernel_id(id))
			assert_true(member && member->owner);
	}
	assert_true(switches_of("unknown") >= 2 * collector_unnamed(collector));
	assert_true(switches_of("unknown") + switches_of(own_dir + 1) >= 2 * LEAVES);
}

#define PAUSE_NS (20 * MS) /* between two readings of events */

/*
 * A turn of the loop for each of thousands of events a second would cost more than the events. In
 * a pause there is a turn for the first event, one when it is over, and one for other timers.
 */
static void events_come_in_batches(void **state)
{
	struct pollfd fd = {.events = POLLIN};
	uint64_t begin_ns, most;
	unsigned int turns = 0;
	int i;

	(void)state;
	need_kernel();
	open_collector(&patient);
	assert_true(run_until(was_answered));
	fd.fd = collector_event_fd(collector);
	begin_ns = clock_monotonic_ns();
	for (i = 0; i < LEAVES; i++) {
		own_make("/short");
		assert_true(own_remove("/short"));
		if (poll(&fd, 1, 0) > 0) {
			collector_poll(collector);
			turns++;
		}
	}
	most = 4 + 3 * (clock_monotonic_ns() - begin_ns) / PAUSE_NS;
	if (most >= LEAVES)
		skip_because("this machine is too slow to make cgroups");
	assert_in_range(turns, 1, most);
	/* None is left behind: half a second later nothing of them is known. */
	sleep(1);
	collector_poll(collector);
	collector_update(collector);
	assert_null(collector_members(collector)->removed);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_file_system_that_comes_later_is_the_loops),
		TEST(a_request_that_is_due_is_the_loops),
		TEST(a_name_that_is_wanted_is_asked_for_after_the_update),
		TEST(what_the_ring_lost_is_counted),
		TEST(events_come_in_batches),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
