/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * How slots are given and taken back: with the real probe, attached, and with real switches of
 * processes in cgroups of the test's own. Whatever happens to its slots, an owner must have counted
 * what its processes did.
 */
#include <inttypes.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "bramble/growth.h"
#include "caught_log.h"
#include "counts.h"
#include "kernel/features.h"
#include "metrics/naming.h"
#include "metrics/slots.h"
#include "own_cgroup.h"
#include "util/clock.h"

#define MS UINT64_C(1000000)

static const char *skip_reason;
static struct probe *probe;
static struct members members;
static struct owners owners;
static struct slots slots;
/* Shared with children. */
static struct {
	uint64_t joined;  /* switches of the child that ran last, when it had joined its cgroup */
	uint64_t joining; /* the most that a child had while it joined: some of these count, too */
} * shared;

static int group_setup(void **state)
{
	(void)state;
	skip_reason = own_setup_for_probe();
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	return shared == MAP_FAILED ? -1 : 0;
}

static int group_teardown(void **state)
{
	(void)state;
	munmap(shared, sizeof(*shared));
	if (own_dir[0])
		own_remove("");
	return 0;
}

static int setup(void **state)
{
	(void)state;
	return tree_make() ? -1 : 0;
}

static int teardown(void **state)
{
	(void)state;
	release_log();
	/* A test that has failed must not make the next one fail: paths of pods claim their ids. */
	if (own_dir[0]) {
		own_remove_all("");
		own_remove_all("-crowd.slice");
		mkdir(own_path(""), 0755);
	}
	if (probe) {
		slots_close(&slots);
		members_free(&members);
		owners_free(&owners);
		probe_close(probe);
	}
	probe = NULL;
	owners = (struct owners){0};
	return tree_remove("");
}

static void on_event(void *context, const struct cgroup_event *event)
{
	struct member *made = members_take_event(&members, event);

	(void)context;
	if (made)
		slots_take_made(&slots, made);
}

/* Pods go by their ids here. */
static struct owner *owner_of(const struct cgroup_name *name)
{
	struct labels labels;

	naming_unit(&labels, name->unit);
	if (name->pod_uid[0]) {
		memset(&labels, 0, sizeof(labels));
		snprintf(labels.pod, sizeof(labels.pod), "%s", name->pod_uid);
		snprintf(labels.container, sizeof(labels.container), "%.12s", name->container_id);
	}
	return owners_get(&owners, &labels);
}

static struct member *find(void *context, uint64_t id)
{
	struct member *member;

	(void)context;
	probe_poll(probe, on_event, NULL);
	member = members_find(&members, id);
	if (member && !member->owner)
		member->owner = owner_of(&member->cgroup.name);
	return member;
}

/* How the programs see ancestors. */
enum sight {
	SIGHT_BTF,
	SIGHT_NO_BTF, /* by the helper alone */
	SIGHT_NONE,
};

static void open_with(unsigned int count, enum sight sight)
{
	const struct probe_options options = {
		.slots = count,
		.btf = sight == SIGHT_NO_BTF ? "none" : "auto",
		.blind = sight == SIGHT_NONE,
		.tracefs = own_mounts.tracefs,
		.procfs = "/proc",
		.sysfs = "/sys",
		.enabled = {[PROBE_SCHED] = true, [PROBE_TCP] = true},
	};

	if (skip_reason)
		skip_because("%s", skip_reason);
	assert_int_equal(probe_open(&options, &probe), 0);
	members_open(&members, own_mount.path, "/proc");
	members.registry.claims.roots.mount = own_mount.path;
	members_walk(&members, clock_monotonic_ns());
	assert_int_equal(slots_open(&slots, probe, &owners,
				    &(struct slots_places){own_mount.path, "/proc", "/sys"}),
			 0);
	slots_take_walked(&slots, &members);
	if (sight != SIGHT_NONE && !probe_sees_ancestors(probe))
		skip_because("this kernel's programs see no ancestors of a cgroup (5.15)");
}

static void open_all(unsigned int count)
{
	open_with(count, SIGHT_BTF);
}

static uint64_t switches_in(const struct rusage *usage)
{
	return (uint64_t)usage->ru_nvcsw + (uint64_t)usage->ru_nivcsw;
}

static void nap(int naps)
{
	while (naps-- > 0)
		usleep(100);
}

/* For a child: it moves, and tells its switches. */
static void join(const char *cgroup)
{
	struct rusage before, after;

	getrusage(RUSAGE_SELF, &before);
	if (!own_join(cgroup))
		_exit(1);
	getrusage(RUSAGE_SELF, &after);
	shared->joined = switches_in(&after);
	if (shared->joined - switches_in(&before) > shared->joining)
		shared->joining = shared->joined - switches_in(&before);
}

/* Naps in a cgroup. Returns how many switches the kernel counted for that until it was over. */
static uint64_t nap_in(const char *cgroup, int naps)
{
	pid_t pid = fork();
	struct rusage usage;
	int status;

	if (!pid) {
		join(cgroup);
		nap(naps);
		_exit(0);
	}
	assert_true(pid > 0);
	assert_int_equal(wait4(pid, &status, 0, &usage), pid);
	assert_int_equal(status, 0);
	return switches_in(&usage) - shared->joined;
}

/* As the collector: first the events. */
static void update(void)
{
	probe_poll(probe, on_event, NULL);
	slots_update(&slots, find, NULL, clock_monotonic_ns());
}

/* One turn with an update, and one without, as the collector makes them. */
static void update_and_retire(uint64_t retain_ns)
{
	uint64_t now_ns = clock_monotonic_ns();

	probe_poll(probe, on_event, NULL);
	slots_update(&slots, find, NULL, now_ns);
	slots_retire(&slots, find, NULL, retain_ns, now_ns);
}

static void retire(uint64_t retain_ns)
{
	slots_retire(&slots, find, NULL, retain_ns, clock_monotonic_ns());
}

/* What is closed by then is free afterwards. */
static void pause_closing(void)
{
	usleep(PROBE_CLOSING_NS / 1000 + 20000);
}

static unsigned int slot_of(uint64_t id)
{
	unsigned int slot;

	for (slot = SLOT_OVERFLOW + 1; slot < probe_slots(probe); slot++)
		if (probe_slot_cgroup(probe, slot) == id)
			return slot;
	return SLOT_OVERFLOW;
}

/* What an owner has counted. */
static uint64_t counted_for(const char *name)
{
	char path[PATH_MAX];
	struct cgroup_name parsed;
	uint64_t *switches;

	snprintf(path, sizeof(path), "%s%s", own_dir, name);
	assert_int_equal(cgroup_path_parse(path, &parsed), 0);
	switches = switches_of(owner_of(&parsed));
	return switches[SWITCH_VOLUNTARY] + switches[SWITCH_INVOLUNTARY];
}

/* The last switch of a process may not be in the kernel's books yet; nor one while it joins. */
static void check_counted(const char *name, uint64_t switches, uint64_t processes)
{
	uint64_t counted = counted_for(name);

	if (counted < switches || counted > switches + (2 + shared->joining) * processes)
		fail_msg("%s: %" PRIu64 " switches were counted; the kernel says %" PRIu64
			 " for its %" PRIu64 " processes",
			 name, counted, switches, processes);
}

/* A slot of a removed cgroup is freed without an update, and its next cgroup begins at zero. */
static void removed_cgroups_give_their_slots_back(void **state)
{
	uint64_t id, first, second;
	unsigned int slot;

	(void)state;
	open_all(64);
	id = own_make("/first");
	first = nap_in("/first", 50);
	slot = slot_of(id);
	assert_int_not_equal(slot, SLOT_OVERFLOW);
	assert_true(own_remove("/first"));
	usleep(10000);
	retire(3600 * NS_PER_S);
	assert_false(probe_slot_is_closed(probe, slot));
	retire(MS);
	assert_true(probe_slot_is_closed(probe, slot));
	retire(MS); /* too soon */
	assert_true(probe_slot_is_closed(probe, slot));
	pause_closing();
	retire(MS);
	assert_false(probe_slot_is_closed(probe, slot));
	assert_int_equal(members_find(&members, id)->slot, 0);
	check_counted("/first", first, 1);

	second = 0;
	id = own_make("/second");
	while (slot_of(id) != slot && second < 2000)
		second += nap_in("/second", 20);
	update();
	check_counted("/second", second, 1 + second / 20);
	check_counted("/first", first, 1);
	assert_true(own_remove("/second"));
}

/* A cgroup that sleeps gives its slot back, and gets another when it wakes: nothing is missed. */
static void idle_cgroups_give_their_slots_back(void **state)
{
	uint64_t id, switches = 0, before;
	unsigned int slot;
	int round;

	(void)state;
	open_all(64);
	id = own_make("/idle");
	for (round = 1; round <= 3; round++) {
		switches += nap_in("/idle", 30);
		usleep(10000); /* the last switch of a task comes after its parent knows its end */
		update_and_retire(3600 * NS_PER_S);
		slot = slot_of(id);
		assert_int_not_equal(slot, SLOT_OVERFLOW);
		usleep(50000);
		retire(MS); /* without an update it is not known which are idle */
		assert_false(probe_slot_is_closed(probe, slot));
		update_and_retire(MS);
		assert_true(probe_slot_is_closed(probe, slot));
		assert_int_equal(slot_of(id), SLOT_OVERFLOW);
		/* It wakes up while its slot is closed. */
		switches += nap_in("/idle", 30);
		assert_int_not_equal(slot_of(id), SLOT_OVERFLOW);
		update();
		check_counted("/idle", switches, 2 * (uint64_t)round);
		pause_closing();
		retire(3600 * NS_PER_S);
		assert_false(probe_slot_is_closed(probe, slot));
		before = counted_for("/idle");
		update();
		assert_int_equal(counted_for("/idle"), before);
	}
	assert_true(own_remove("/idle"));
}

/* Whoever waits for connections keeps its slot: an owner of its sockets is needed. */
static void a_cgroup_with_sockets_is_not_idle(void **state)
{
	uint64_t id;
	pid_t child;
	int ready[2];
	char c;

	(void)state;
	open_all(64);
	id = own_make("/server");
	assert_int_equal(pipe(ready), 0);
	child = fork();
	if (!child) {
		int fd = socket(AF_INET, SOCK_STREAM, 0);

		if (!own_join("/server") || listen(fd, 1) || write(ready[1], "", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	assert_int_equal(read(ready[0], &c, 1), 1);
	update();
	usleep(50000);
	update_and_retire(3600 * NS_PER_S);
	usleep(50000);
	update_and_retire(MS);
	assert_int_not_equal(slot_of(id), SLOT_OVERFLOW);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	close(ready[0]);
	close(ready[1]);
	usleep(50000);
	update();
	usleep(50000);
	update_and_retire(MS);
	assert_int_equal(slot_of(id), SLOT_OVERFLOW);
	assert_true(own_remove("/server"));
}

/* All slots are in use, again and again. What ends makes room at once, without an update. */
#define CROWD 120

static void a_full_house_is_cleared_in_one_pass(void **state)
{
	uint64_t switches[CROWD];
	char name[64];
	int round, i;

	(void)state;
	open_all(CROWD + CROWD / 4); /* others on this machine have some, too */
	own_make("-crowd.slice");
	for (round = 0; round < 3; round++) {
		for (i = 0; i < CROWD; i++) {
			snprintf(name, sizeof(name), "-crowd.slice/%d-%d.service", round, i);
			own_make(name);
			switches[i] = nap_in(name, 3);
			assert_true(own_remove(name));
			if (!slots_are_scarce(&slots))
				continue;
			retire(3600 * NS_PER_S);
			pause_closing();
			retire(3600 * NS_PER_S);
			assert_false(slots_are_scarce(&slots));
		}
		update();
		for (i = 0; i < CROWD; i++) {
			snprintf(name, sizeof(name), "-crowd.slice/%d-%d.service", round, i);
			check_counted(name, switches[i], 1);
		}
	}
	assert_int_equal(probe_slots_missed(probe), 0);
	assert_true(own_remove("-crowd.slice"));
}

/* More cgroups are active than there are slots: all is counted, and the log says so, once. */
static void what_has_no_slot_is_counted_and_told(void **state)
{
	uint64_t now_ns = clock_monotonic_ns(), *switches;
	char name[32];
	int i;

	(void)state;
	open_all(8);
	catch_log();
	for (i = 0; i < 12; i++) {
		snprintf(name, sizeof(name), "/many-%d", i);
		own_make(name);
		nap_in(name, 20);
	}
	update();
	switches = switches_of(slots.overflow);
	assert_true(switches[SWITCH_VOLUNTARY] >= UINT64_C(5) * 18);
	slot_warnings_look(&slots.warnings, probe, now_ns);
	nap_in("/many-11", 20);
	slot_warnings_look(&slots.warnings, probe, now_ns + 59 * NS_PER_S);
	assert_int_equal(logged("--slots=16"), 1);
	slot_warnings_look(&slots.warnings, probe, now_ns + 61 * NS_PER_S);
	slot_warnings_look(&slots.warnings, probe, now_ns + 61 * NS_PER_S);
	assert_int_equal(logged("--slots=16"), 2);
	for (i = 0; i < 12; i++) {
		snprintf(name, sizeof(name), "/many-%d", i);
		assert_true(own_remove(name));
	}
}

/* ---- nested cgroups */

#define PODS   "/kubepods"
#define POD_1  PODS "/pod10000000-0000-4000-8000-000000000001"
#define POD_2  PODS "/pod20000000-0000-4000-8000-000000000002"
#define ID_1   "1111111111111111111111111111111111111111111111111111111111111111"
#define ID_2   "2222222222222222222222222222222222222222222222222222222222222222"
#define NESTED 100

/* Slots whose cgroup is in this one of the test's, or is it. */
static unsigned int slots_of(const char *name)
{
	char path[PATH_MAX];
	unsigned int slot, count = 0;

	probe_poll(probe, on_event, NULL);
	snprintf(path, sizeof(path), "%s%s", own_dir, name);
	for (slot = SLOT_OVERFLOW + 1; slot < probe_slots(probe); slot++) {
		const struct member *member =
			members_find(&members, probe_slot_cgroup(probe, slot));

		count += member && strncmp(member->cgroup.path, path, strlen(path)) == 0;
	}
	return count;
}

/*
 * One process makes nested cgroups and does something in each. Nobody else has a turn meanwhile.
 * Returns how many switches the kernel counted for it.
 */
static uint64_t wander_in(const char *cgroup, int count)
{
	char name[256];
	struct rusage usage;
	pid_t pid = fork();
	int i, status;

	if (!pid) {
		join(cgroup);
		for (i = 0; i < count; i++) {
			snprintf(name, sizeof(name), "%s/n%d", cgroup, i);
			if ((mkdir(own_path(name), 0755) && errno != EEXIST) || !own_join(name))
				_exit(1);
			nap(1);
		}
		_exit(0);
	}
	assert_true(pid > 0);
	assert_int_equal(wait4(pid, &status, 0, &usage), pid);
	assert_int_equal(status, 0);
	return switches_in(&usage) - shared->joined;
}

static void remove_nested(const char *cgroup, int count)
{
	char name[256];

	while (count-- > 0) {
		snprintf(name, sizeof(name), "%s/n%d", cgroup, count);
		assert_true(own_remove(name));
	}
	assert_true(own_remove(cgroup));
}

/* A pod that was there before, so that it is known where pods are. */
static void make_pods(void)
{
	own_make(PODS);
	own_make(POD_1);
	update();
}

/* Of a pod and its container nothing is known yet when the first nested cgroup is used. */
static void check_container(enum sight sight)
{
	uint64_t switches, more, counted;

	open_with(256, sight);
	make_pods();
	own_make(POD_2);
	own_make(POD_2 "/" ID_2);
	switches = wander_in(POD_2 "/" ID_2, NESTED);
	assert_int_equal(slots_of(POD_2), 1);
	update();
	check_counted(POD_2 "/" ID_2, switches, 1);
	counted = counted_for(POD_2 "/" ID_2);
	more = nap_in(POD_2 "/" ID_2, 20) + nap_in(POD_2 "/" ID_2 "/n1", 20);
	update();
	assert_in_range(counted_for(POD_2 "/" ID_2) - counted, more,
			more + 4 + 2 * shared->joining);
	/* The pod's own cgroup is no part of the container, and another container has its own. */
	own_make(POD_2 "/" ID_1);
	switches = nap_in(POD_2 "/" ID_1, 20);
	more = nap_in(POD_2, 20);
	update();
	check_counted(POD_2 "/" ID_1, switches, 1);
	check_counted(POD_2, more, 1);
	assert_int_equal(slots_of(POD_2), 3);
	assert_int_equal(probe_slots_missed(probe), 0);
	assert_true(own_remove(POD_2 "/" ID_1));
	remove_nested(POD_2 "/" ID_2, NESTED);
	assert_true(own_remove(POD_2));
	assert_true(own_remove(POD_1));
	assert_true(own_remove(PODS));
}

static void a_container_and_what_is_nested_in_it_have_one_slot(void **state)
{
	(void)state;
	check_container(SIGHT_BTF);
}

static void so_they_have_without_btf(void **state)
{
	(void)state;
	check_container(SIGHT_NO_BTF);
}

#define BURSTABLE PODS "/burstable"
#define POD_3	  BURSTABLE "/pod30000000-0000-4000-8000-000000000003"

/* Naps in a cgroup before and after user space has a turn. Returns the second half's switches. */
static uint64_t nap_around_a_turn(const char *cgroup, int naps)
{
	int ready[2], go[2], status;
	struct rusage usage;
	char byte = 0;
	pid_t pid;

	assert_int_equal(pipe(ready) || pipe(go), 0);
	pid = fork();
	if (!pid) {
		join(cgroup);
		nap(naps);
		if (write(ready[1], &byte, 1) != 1 || read(go[0], &byte, 1) != 1)
			_exit(1);
		getrusage(RUSAGE_SELF, &usage);
		shared->joined = switches_in(&usage);
		nap(naps);
		_exit(0);
	}
	assert_true(pid > 0);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	update();
	assert_int_equal(write(go[1], &byte, 1), 1);
	assert_int_equal(wait4(pid, &status, 0, &usage), pid);
	assert_int_equal(status, 0);
	close(ready[0]), close(ready[1]), close(go[0]), close(go[1]);
	return switches_in(&usage) - shared->joined;
}

/*
 * A kubelet's first pod: its process runs before user space knows that "burstable" holds pods. From
 * the next turn on it counts for its container, although it never moves again.
 */
static void the_first_pod_counts_for_its_container(void **state)
{
	uint64_t switches;

	(void)state;
	open_with(256, SIGHT_BTF);
	make_pods();
	own_make(BURSTABLE);
	own_make(POD_3);
	own_make(POD_3 "/" ID_1);
	switches = nap_around_a_turn(POD_3 "/" ID_1, 50);
	update();
	check_counted(POD_3 "/" ID_1, switches, 1);
	assert_true(own_remove(POD_3 "/" ID_1));
	assert_true(own_remove(POD_3));
	assert_true(own_remove(BURSTABLE));
	assert_true(own_remove(POD_1));
	assert_true(own_remove(PODS));
}

/*
 * A unit has a few slots more, and then shares its own. What has a name below it has a quota. The
 * unit is one of the uppermost level: what is in the directory of the test is part of a unit.
 */
static void a_unit_has_a_quota(void **state)
{
	uint64_t switches;
	char name[256];
	int i;

	(void)state;
	open_with(256, SIGHT_BTF);
	own_make("-unit.service");
	update();
	switches = wander_in("-unit.service", NESTED);
	assert_in_range(slots_of("-unit.service"), 2, 1 + SLOT_NESTED_MAX + 1);
	update();
	check_counted("-unit.service", switches, 1);
	for (i = 0; i < SLOT_MEMBERS_MAX + 20; i++) {
		snprintf(name, sizeof(name), "-unit.service/docker-%064d.scope", i);
		own_make(name);
		update();
		nap_in(name, 2);
	}
	assert_in_range(slots_of("-unit.service"), SLOT_MEMBERS_MAX, 1 + SLOT_MEMBERS_MAX + 2);
	assert_int_equal(probe_slots_missed(probe), 0);

	/* Those that end make room for others. */
	for (i = 0; i < SLOT_MEMBERS_MAX + 20; i++) {
		snprintf(name, sizeof(name), "-unit.service/docker-%064d.scope", i);
		assert_true(own_remove(name));
	}
	remove_nested("-unit.service", NESTED);
	update_and_retire(0);
	pause_closing();
	retire(0);
	assert_int_equal(slots_of("-unit.service"), 0);
}

#define SHORT_LIVED 1200

/* That they were made is read when they are gone. They leave nothing in the maps of the kernel. */
static void check_short_lived(enum sight sight, const char *above)
{
	char name[64];
	int i;

	open_with(256, sight);
	own_make(above);
	for (i = 0; i < SHORT_LIVED; i++) {
		snprintf(name, sizeof(name), "%s/x%d.service", above, i);
		own_make(name);
		assert_true(own_remove(name));
		if (i == SHORT_LIVED / 2)
			probe_poll(probe, on_event, NULL);
	}
	probe_poll(probe, on_event, NULL);
	assert_int_equal(probe_add_root(probe, UINT64_C(1) << 60, SLOT_ROOT_UNIT, 0), 0);
	if (sight == SIGHT_NONE)
		assert_int_equal(probe_add_alias(probe, UINT64_C(1) << 60, 1, 1), 0);
	assert_true(own_remove(above));
}

static void short_lived_units_leave_room_for_others(void **state)
{
	(void)state;
	check_short_lived(SIGHT_BTF, "-short.slice");
}

static void short_lived_nested_ones_leave_room_for_others(void **state)
{
	(void)state;
	check_short_lived(SIGHT_NONE, "-short.service");
}

/*
 * The programs see no ancestors, and user space had no turn. So each nested cgroup has a slot. The
 * next turn takes them back, and from then on they share their container's.
 */
static void without_ancestors_the_surplus_is_taken_back(void **state)
{
	uint64_t switches;
	char name[256];
	int i;

	(void)state;
	open_with(256, SIGHT_NONE);
	make_pods();
	own_make(POD_1 "/" ID_1);
	switches = wander_in(POD_1 "/" ID_1, NESTED);
	assert_true(slots_of(POD_1) >= NESTED);
	assert_true(slots_are_scarce(&slots));
	retire(3600 * NS_PER_S);
	assert_in_range(slots_of(POD_1), 1, 2 + SLOT_NESTED_MAX);
	/* They do more, partly while their slots are closed. */
	switches += wander_in(POD_1 "/" ID_1, NESTED);
	pause_closing();
	retire(3600 * NS_PER_S);
	switches += wander_in(POD_1 "/" ID_1, NESTED);
	update_and_retire(3600 * NS_PER_S);
	assert_in_range(slots_of(POD_1), 1, 2 + SLOT_NESTED_MAX);
	check_counted(POD_1 "/" ID_1, switches, 3);
	assert_int_equal(probe_slots_missed(probe), 0);

	/* One that is made when user space has a turn takes no slot at all. */
	snprintf(name, sizeof(name), "%s/%s/later", POD_1, ID_1);
	i = (int)slots_of(POD_1);
	own_make(name);
	update();
	nap_in(name, 10);
	assert_int_equal(slots_of(POD_1), i);
	assert_true(own_remove(name));
	remove_nested(POD_1 "/" ID_1, NESTED);
	assert_true(own_remove(POD_1));
	assert_true(own_remove(PODS));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(removed_cgroups_give_their_slots_back),
		TEST(idle_cgroups_give_their_slots_back),
		TEST(a_cgroup_with_sockets_is_not_idle),
		TEST(a_full_house_is_cleared_in_one_pass),
		TEST(what_has_no_slot_is_counted_and_told),
		TEST(a_container_and_what_is_nested_in_it_have_one_slot),
		TEST(so_they_have_without_btf),
		TEST(the_first_pod_counts_for_its_container),
		TEST(a_unit_has_a_quota),
		TEST(short_lived_units_leave_room_for_others),
		TEST(short_lived_nested_ones_leave_room_for_others),
		TEST(without_ancestors_the_surplus_is_taken_back),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
