/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * How slots are given and taken back: with the real probe, attached, and with real switches of
 * processes in cgroups of the test's own. Whatever happens to its slots, an owner must have counted
 * what its processes did.
 */
#include <bpf/bpf.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
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
#include "probe/internal.h"
#include "util/clock.h"

#include "bramble.skel.h"

#define MS	   UINT64_C(1000000)
#define MANY_ROOTS 520 /* counting roots */

static const char *skip_reason;
static struct probe *probe;
static struct members members;
static struct owners owners;
static struct slots slots;
/* How far a hog and its victim are. */
enum stage { STARTING, VICTIM_SLEEPS, HOG_RUNS, VICTIM_RUNS, OVER };
/* Shared with children. */
static struct {
	uint64_t joined;  /* switches of the child that ran last, when it had joined its cgroup */
	uint64_t joining; /* the most that a child had while it joined: some of these count, too */
	enum stage stage; /* of start_hog_and_victim() */
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

/* Those that a failed test has left. */
static void remove_roots(void)
{
	char name[32];
	int i;

	for (i = 0; i < MANY_ROOTS; i++) {
		snprintf(name, sizeof(name), "-root-%d.service", i);
		rmdir(own_path(name));
	}
}

static int teardown(void **state)
{
	(void)state;
	release_log();
	/* A test that has failed must not make the next one fail: paths of pods claim their ids. */
	if (own_dir[0]) {
		own_remove_all("");
		own_remove_all("-crowd.slice");
		remove_roots();
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

/*
 * Turns with an update, until an idle slot is closed. The last switch of a task comes after its
 * parent knows its end: on a busy machine the slot is in use for longer.
 */
static void retire_until_closed(unsigned int slot)
{
	int turns;

	for (turns = 0; turns < 40 && !probe_slot_is_closed(probe, slot); turns++) {
		usleep(turns ? 50000 : 0);
		update_and_retire(MS);
	}
	assert_true(probe_slot_is_closed(probe, slot));
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
		retire_until_closed(slot);
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
		prctl(PR_SET_PDEATHSIG, SIGKILL); /* a check that fails leaves it behind */
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

static void what_helps_is_said(void **state)
{
	char remedy[SLOT_REMEDY_SIZE];

	(void)state;
	slot_warnings_remedy(remedy, SLOTS_MAX / 2 + 1);
	assert_string_equal(remedy, "give it more with --slots=32768");
	slot_warnings_remedy(remedy, SLOTS_MAX);
	assert_string_equal(remedy, "that is the most that there may be");
}

/* ---- slots that cannot be freed at once */

/* In place of a map of the kernel, until it is given back. */
static int take_away(int fd)
{
	int kept = dup(fd), other = open("/dev/null", O_RDWR | O_CLOEXEC);

	assert_true(kept >= 0 && other >= 0);
	assert_int_equal(dup2(other, fd), fd);
	close(other);
	return kept;
}

static void give_back(int fd, int kept)
{
	assert_int_equal(dup2(kept, fd), fd);
	close(kept);
}

/* The kernel refuses what is needed to free a slot: it stays closed, and is freed later. */
static void what_cannot_be_freed_stays_closed(void **state)
{
	unsigned int slot, round;
	uint64_t id, switches;
	char name[16];
	int kept, fd;

	(void)state;
	open_all(64);
	catch_log();
	for (round = 0; round < 2; round++) {
		fd = bpf_map__fd(round ? probe->bpf->maps.slot_free : probe->bpf->maps.wait_pairs);
		snprintf(name, sizeof(name), "/round-%u", round);
		id = own_make(name);
		switches = nap_in(name, 50);
		slot = slot_of(id);
		assert_true(own_remove(name));
		usleep(10000);
		retire(MS);
		assert_true(probe_slot_is_closed(probe, slot));
		pause_closing();
		kept = take_away(fd);
		retire(MS);
		give_back(fd, kept);
		assert_true(probe_slot_is_closed(probe, slot));
		assert_int_equal(members_find(&members, id)->slot, slot);
		assert_int_equal(logged("cannot free all slots"), round + 1);
		pause_closing();
		retire(MS);
		assert_false(probe_slot_is_closed(probe, slot));
		assert_int_equal(members_find(&members, id)->slot, 0);
		update();
		check_counted(name, switches, 1);
	}
	for (slot = SLOT_OVERFLOW + 1, round = 0; slot < probe_slots(probe); slot++)
		round += probe_slot_cgroup(probe, slot) || probe_slot_is_closed(probe, slot);
	assert_in_range(probe_slots_used(probe), round, round + 2);
}

#define HOG	  "/hog"
#define VICTIM	  "/victim"
#define VICTIM_MS 800

/* Runs as soon as it can, on one CPU, and for as long as it likes. */
static bool go_first_on(int cpu)
{
	const struct sched_param first = {.sched_priority = 1};
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(cpu, &cpus);
	return !sched_setaffinity(0, sizeof(cpus), &cpus) &&
	       !sched_setscheduler(0, SCHED_FIFO, &first);
}

static void spin(uint64_t ns)
{
	uint64_t end = clock_monotonic_ns() + ns;

	while (clock_monotonic_ns() < end)
		;
}

static enum stage stage(void)
{
	return __atomic_load_n(&shared->stage, __ATOMIC_ACQUIRE);
}

static void set_stage(enum stage to)
{
	__atomic_store_n(&shared->stage, to, __ATOMIC_RELEASE);
}

/* Until a child is so far, or has ended. */
static void wait_for_stage(enum stage wanted, pid_t child)
{
	siginfo_t ended = {0};

	while (stage() < wanted && !ended.si_pid) {
		usleep(1000);
		waitid(P_PID, (id_t)child, &ended, WEXITED | WNOHANG | WNOWAIT);
	}
}

/*
 * Two processes on CPU 0. The victim wakes up while the hog runs, which ends a few ms later. Then
 * the victim runs alone, and it is known why it has waited.
 */
static void start_hog_and_victim(pid_t *hog, pid_t *victim)
{
	int wake[2];
	char byte = 0;

	set_stage(STARTING);
	assert_int_equal(pipe(wake), 0);
	*victim = fork();
	if (!*victim) {
		if (!own_join(VICTIM) || !go_first_on(0))
			_exit(1);
		set_stage(VICTIM_SLEEPS);
		if (read(wake[0], &byte, 1) != 1)
			_exit(1);
		set_stage(VICTIM_RUNS);
		spin(VICTIM_MS * MS);
		set_stage(OVER);
		_exit(0);
	}
	wait_for_stage(VICTIM_SLEEPS, *victim);
	usleep(20000);
	*hog = fork();
	if (!*hog) {
		if (!own_join(HOG) || !go_first_on(0))
			_exit(1);
		set_stage(HOG_RUNS);
		spin(30 * MS);
		_exit(0);
	}
	wait_for_stage(HOG_RUNS, *hog);
	usleep(5000);
	assert_int_equal(write(wake[1], &byte, 1), 1);
	close(wake[0]), close(wake[1]);
}

static uint64_t cause_ns;

static void on_cause(void *context, const struct ledger_value *value)
{
	if (value->cause == context)
		cause_ns += value->number;
}

static uint64_t victim_waited_for(const char *name)
{
	char path[PATH_MAX];
	struct cgroup_name victim, cause;

	snprintf(path, sizeof(path), "%s" VICTIM, own_dir);
	assert_int_equal(cgroup_path_parse(path, &victim), 0);
	snprintf(path, sizeof(path), "%s%s", own_dir, name);
	assert_int_equal(cgroup_path_parse(path, &cause), 0);
	cause_ns = 0;
	ledger_visit(&owner_of(&victim)->ledger, &families[FAMILY_CPU_WAIT_CAUSED], on_cause,
		     owner_of(&cause));
	return cause_ns;
}

static void run_as_others(void)
{
	const struct sched_param none = {0};
	cpu_set_t cpus;
	int cpu;

	CPU_ZERO(&cpus);
	for (cpu = 0; cpu < CPU_SETSIZE; cpu++)
		CPU_SET(cpu, &cpus);
	sched_setscheduler(0, SCHED_OTHER, &none);
	sched_setaffinity(0, sizeof(cpus), &cpus);
}

/*
 * A task runs on for longer than a slot is closed. It has waited because of the cgroup that had the
 * slot, which is counted when it is switched out: until then nobody else gets the slot.
 */
static void who_caused_a_wait_keeps_its_slot(void **state)
{
	unsigned int slot, second;
	pid_t hog, victim;
	uint64_t id, next;
	enum stage reached;

	(void)state;
	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		skip_because("it takes two CPUs");
	open_all(64);
	if (!go_first_on(1)) {
		run_as_others();
		skip_because("this kernel does not let a process run first");
	}
	id = own_make(HOG);
	own_make(VICTIM);
	start_hog_and_victim(&hog, &victim);
	waitpid(hog, NULL, 0);
	slot = slot_of(id);
	assert_int_not_equal(slot, SLOT_OVERFLOW);
	/* It is idle, and its slot is closed. Then it gets another one, and ends. */
	update();
	usleep(5000);
	retire_until_closed(slot);
	nap_in(HOG, 5);
	second = slot_of(id);
	update();
	assert_true(own_remove(HOG));
	probe_poll(probe, on_event, NULL);
	pause_closing();
	retire(MS);
	pause_closing();
	retire(MS);
	next = own_make("/next");
	nap_in("/next", 5);
	if (stage() == VICTIM_RUNS) {
		assert_true(probe_slot_is_closed(probe, slot));
		assert_false(probe_slot_is_closed(probe, second));
		assert_int_equal(members_find(&members, id)->slot, slot);
		assert_int_not_equal(slot_of(next), slot);
	}
	reached = stage();
	waitpid(victim, NULL, 0);
	run_as_others();
	update();
	if (reached != VICTIM_RUNS)
		skip_because("this machine was too busy");
	assert_true(victim_waited_for(HOG) > 0);
	assert_int_equal(victim_waited_for("/next"), 0);
	retire(MS);
	pause_closing();
	retire(MS);
	assert_false(probe_slot_is_closed(probe, slot));
	assert_int_equal(members_find(&members, id)->slot, 0);
	assert_true(own_remove("/next"));
	assert_true(own_remove(VICTIM));
}

/* ---- counting roots */

static bool is_root(uint64_t id)
{
	struct slot_root root;

	return !bpf_map_lookup_elem(bpf_map__fd(probe->bpf->maps.slot_roots), &id, &root);
}

#define NEW_ROOTS 80

/* There is room for so many roots. One that finds none is added when others have ended. */
static void a_root_without_room_is_added_later(void **state)
{
	uint64_t id[MANY_ROOTS], now_ns;
	unsigned int i, missing = 0;
	char name[32];

	(void)state;
	open_all(256); /* there is room for 512 */
	for (i = 0; i < MANY_ROOTS; i++) {
		snprintf(name, sizeof(name), "-root-%u.service", i);
		id[i] = own_make(name);
	}
	update();
	if (!is_root(id[0]))
		skip_because("this machine has more units than there is room for");
	for (i = 0; i < MANY_ROOTS; i++)
		missing += !is_root(id[i]);
	assert_true(missing > 0);
	assert_false(is_root(id[MANY_ROOTS - 1]));
	for (i = 0; i < MANY_ROOTS - 2; i++) {
		snprintf(name, sizeof(name), "-root-%u.service", i);
		assert_true(own_remove(name));
	}
	update();
	now_ns = clock_monotonic_ns() + ROOTS_RETRY_NS;
	slots_retire(&slots, find, NULL, 3600 * NS_PER_S, now_ns);
	assert_true(is_root(id[MANY_ROOTS - 1]));
	assert_true(is_root(id[MANY_ROOTS - 2]));
	for (; i < MANY_ROOTS; i++) {
		snprintf(name, sizeof(name), "-root-%u.service", i);
		assert_true(own_remove(name));
	}
}

static uint32_t generation(void)
{
	return __atomic_load_n(&probe->bpf->data->membership_generation, __ATOMIC_ACQUIRE) /
	       SLOTS_MAX;
}

/* However many roots a turn adds, tasks look up their slots again once. Others may move, too. */
static void many_new_roots_are_one_change(void **state)
{
	uint32_t before;
	char name[32];
	int i;

	(void)state;
	open_all(256);
	update();
	for (i = 0; i < NEW_ROOTS; i++) {
		snprintf(name, sizeof(name), "-root-%d.service", i);
		own_make(name);
	}
	before = generation();
	update();
	assert_in_range(generation() - before, 1, NEW_ROOTS / 2);
	for (i = 0; i < NEW_ROOTS; i++) {
		snprintf(name, sizeof(name), "-root-%d.service", i);
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
	assert_true(slots_of(POD_1) >= NESTED - 2);
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
		TEST(what_helps_is_said),
		TEST(what_cannot_be_freed_stays_closed),
		TEST(who_caused_a_wait_keeps_its_slot),
		TEST(a_root_without_room_is_added_later),
		TEST(many_new_roots_are_one_change),
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
