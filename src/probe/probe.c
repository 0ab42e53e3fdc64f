/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "probe/probe.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "probe/attach.h"
#include "probe/features.h"
#include "probe/tracefs_btf.h"
#include "util/buf.h"
#include "util/log.h"

#include "bramble.skel.h"

const char *const probe_names[PROBES] = {
	[PROBE_SCHED] = "sched",
	[PROBE_CGROUP] = "cgroup",
};

/* Every BPF program: whose it is, and for which kind of hooks (AUTO: for all). */
static const struct program {
	const char *name;
	enum probe_id probe;
	enum sched_hooks hooks;
} programs[] = {
	{"cgroup_mkdir", PROBE_CGROUP, SCHED_HOOKS_AUTO},
	{"cgroup_rmdir", PROBE_CGROUP, SCHED_HOOKS_AUTO},
	{"sched_cgroup_attach", PROBE_SCHED, SCHED_HOOKS_AUTO},
	{"sched_wakeup", PROBE_SCHED, SCHED_HOOKS_RAW},
	{"sched_wakeup_new", PROBE_SCHED, SCHED_HOOKS_RAW},
	{"sched_switch", PROBE_SCHED, SCHED_HOOKS_RAW},
	{"sched_wakeup_classic", PROBE_SCHED, SCHED_HOOKS_CLASSIC},
	{"sched_wakeup_new_classic", PROBE_SCHED, SCHED_HOOKS_CLASSIC},
	{"sched_switch_classic", PROBE_SCHED, SCHED_HOOKS_CLASSIC},
};

#define PROGRAMS (sizeof(programs) / sizeof(programs[0]))

struct probe {
	struct bramble_bpf *bpf;
	struct ring_buffer *ring;
	struct bpf_program *program[PROGRAMS]; /* NULL: not loaded */
	struct bpf_link *link[PROGRAMS];
	bool up[PROBES];
	enum sched_hooks hooks;
	unsigned int slots;
	unsigned int cpus;

	/* Maps of the kernel's arrays. */
	uint64_t *slot_cgroups;
	struct sched_cell *cells; /* [cpu * slots + slot] */
	struct sched_cpu *sched_cpus;

	/* One read of the map of pairs. */
	struct wait_pair *pair;
	uint64_t *pair_ns;
	unsigned int pairs_max;

	/* Who is called for the events of the running probe_poll(). */
	probe_cgroup_fn each;
	void *context;
	uint64_t cgroup_events;
};

static int on_libbpf_message(enum libbpf_print_level level, const char *format, va_list args)
{
	char line[512];
	size_t len;

	if (level == LIBBPF_DEBUG || !log_enabled(LOG_DEBUG))
		return 0;
	vsnprintf(line, sizeof(line), format, args);
	len = strlen(line);
	if (len && line[len - 1] == '\n')
		line[len - 1] = '\0';
	log_debug("%s", line);
	return 0;
}

/* One more than the highest possible CPU's number, which BPF programs index by. */
static int cpu_limit(void)
{
	FILE *file = fopen("/sys/devices/system/cpu/possible", "re");
	unsigned int last = 0;
	int c;

	if (!file)
		return libbpf_num_possible_cpus();
	while ((c = fgetc(file)) != EOF && c != '\n') {
		if (c >= '0' && c <= '9')
			last = last * 10 + (unsigned int)(c - '0');
		else
			last = 0;
	}
	fclose(file);
	return (int)last + 1;
}

/* Whole pages, which the kernel wants to see, of the 4 or 16 KiB of this machine. */
static size_t mapped_size(const struct bpf_map *map)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t size = (size_t)bpf_map__value_size(map) * bpf_map__max_entries(map);

	return (size + page - 1) / page * page;
}

static void *map_array(const struct bpf_map *map)
{
	void *data = mmap(NULL, mapped_size(map), PROT_READ | PROT_WRITE, MAP_SHARED,
			  bpf_map__fd(map), 0);
	return data == MAP_FAILED ? NULL : data;
}

static int size_maps(struct probe *probe)
{
	struct bramble_bpf *bpf = probe->bpf;
	int err;

	err = bpf_map__set_max_entries(bpf->maps.slot_cgroups, probe->slots);
	err = err ?: bpf_map__set_max_entries(bpf->maps.slot_by_cgroup, probe->slots);
	err = err ?: bpf_map__set_max_entries(bpf->maps.slot_free, probe->slots);
	err = err ?: bpf_map__set_max_entries(bpf->maps.sched_cells, probe->slots * probe->cpus);
	err = err ?: bpf_map__set_max_entries(bpf->maps.sched_cpus, probe->cpus);
	return err;
}

static bool wanted(const struct probe *probe, const struct program *program,
		   const struct probe_options *options)
{
	if (program->probe != PROBE_CGROUP && !options->enabled[program->probe])
		return false;
	return program->hooks == SCHED_HOOKS_AUTO || program->hooks == probe->hooks;
}

static int choose_programs(struct probe *probe, const struct probe_options *options)
{
	size_t i;

	probe->hooks = options->hooks;
	if (probe->hooks == SCHED_HOOKS_AUTO)
		probe->hooks = feature_prev_state() > 0 ? SCHED_HOOKS_RAW : SCHED_HOOKS_CLASSIC;
	for (i = 0; i < PROGRAMS; i++) {
		struct bpf_program *program;

		if (!wanted(probe, &programs[i], options))
			continue;
		program = bpf_object__find_program_by_name(probe->bpf->obj, programs[i].name);
		if (!program)
			return -ENOENT;
		bpf_program__set_autoload(program, true);
		probe->program[i] = program;
	}
	return 0;
}

static int fill_free_slots(struct probe *probe)
{
	int fd = bpf_map__fd(probe->bpf->maps.slot_free);
	unsigned int slot;

	for (slot = SLOT_OVERFLOW + 1; slot < probe->slots; slot++)
		if (bpf_map_update_elem(fd, NULL, &slot, BPF_ANY))
			return -errno;
	return 0;
}

static int map_arrays(struct probe *probe)
{
	struct bramble_bpf *bpf = probe->bpf;
	unsigned int cpu;

	probe->slot_cgroups = map_array(bpf->maps.slot_cgroups);
	probe->cells = map_array(bpf->maps.sched_cells);
	probe->sched_cpus = map_array(bpf->maps.sched_cpus);
	for (cpu = 0; probe->sched_cpus && cpu < probe->cpus; cpu++)
		probe->sched_cpus[cpu].first_cell = cpu * probe->slots;
	probe->pairs_max = bpf_map__max_entries(bpf->maps.wait_pairs);
	probe->pair = calloc(probe->pairs_max, sizeof(*probe->pair));
	probe->pair_ns = calloc(probe->pairs_max, sizeof(*probe->pair_ns));
	if (!probe->slot_cgroups || !probe->cells || !probe->sched_cpus || !probe->pair ||
	    !probe->pair_ns)
		return -ENOMEM;
	return 0;
}

static int on_cgroup_event(void *context, void *data, size_t size)
{
	struct probe *probe = context;

	if (size >= offsetof(struct cgroup_event, path)) {
		probe->cgroup_events++;
		if (probe->each)
			probe->each(probe->context, data);
	}
	return 0;
}

/* Attaches one probe's programs; all or none. */
static int attach(struct probe *probe, enum probe_id id, const char *tracefs)
{
	size_t i;
	int err = 0;

	for (i = 0; i < PROGRAMS && !err; i++) {
		if (programs[i].probe != id || !probe->program[i])
			continue;
		probe->link[i] = attach_program(probe->program[i], tracefs, &err);
		probe->up[id] = true;
	}
	if (!err)
		return 0;
	probe->up[id] = false;
	for (i = 0; i < PROGRAMS; i++) {
		if (programs[i].probe != id)
			continue;
		bpf_link__destroy(probe->link[i]);
		probe->link[i] = NULL;
	}
	return err;
}

/* Names what the kernel or the user's rights lack, before libbpf fails with a bare errno. */
static int check_can_load(void)
{
	const char *names[FEATURES_CAPS_MAX];
	size_t i, count = features_missing_caps(names);
	struct buf missing = {0};
	int err;

	for (i = 0; i < count; i++)
		buf_printf(&missing, "%s%s", i ? ", " : "", names[i]);
	if (count)
		log_error("cannot load BPF programs: missing %s; run bramble as root, or in a "
			  "privileged container",
			  missing.data ? missing.data : "capabilities");
	buf_free(&missing);
	if (count)
		return -EPERM;
	err = feature_tracing();
	if (err)
		log_error("cannot load BPF programs: %s; run `bramble check` for details",
			  feature_tracing_reason(err));
	return err;
}

static int open_object(struct probe *probe, const struct probe_options *options, int btf_fd)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts);
	char path[TRACEFS_BTF_PATH_SIZE];

	if (btf_fd >= 0) {
		tracefs_btf_path(path, btf_fd);
		opts.btf_custom_path = path;
	} else if (strcmp(options->btf, "auto") != 0) {
		opts.btf_custom_path = options->btf;
	}
	probe->bpf = bramble_bpf__open_opts(&opts);
	return probe->bpf ? 0 : -errno;
}

/* Whether the layouts of tracepoint records have to come from tracefs. */
static bool needs_tracefs_btf(const char *btf)
{
	return strcmp(btf, "none") == 0 ||
	       (strcmp(btf, "auto") == 0 && feature_kernel_btf("/sys") <= 0);
}

static void log_load_error(int err, const char *btf)
{
	char reason[128];

	libbpf_strerror(err, reason, sizeof(reason));
	if (strcmp(btf, "auto") != 0 && strcmp(btf, "none") != 0)
		log_error("cannot load the BPF programs with --btf=%s: %s; is it the BTF of this "
			  "kernel?",
			  btf, reason);
	else
		log_error("cannot load the BPF programs: %s; --log.level=debug shows what the "
			  "kernel's verifier says",
			  reason);
}

static int load(struct probe *probe, const struct probe_options *options)
{
	int btf_fd = -1;
	int err;

	if (needs_tracefs_btf(options->btf)) {
		btf_fd = tracefs_btf_build(options->tracefs);
		if (btf_fd < 0) {
			err = btf_fd;
			log_error("cannot read the tracepoints' formats under %s/events: %s; mount "
				  "it with `mount -t tracefs tracefs /sys/kernel/tracing`, or name "
				  "its place with --path.tracefs",
				  options->tracefs, strerror(-err));
			return err;
		}
	}
	err = open_object(probe, options, btf_fd);
	err = err ?: size_maps(probe);
	err = err ?: choose_programs(probe, options);
	err = err ?: bramble_bpf__load(probe->bpf);
	if (btf_fd >= 0)
		close(btf_fd);
	if (err)
		log_load_error(err, options->btf);
	return err;
}

static int start(struct probe *probe, const struct probe_options *options)
{
	int err, id;

	err = fill_free_slots(probe);
	err = err ?: map_arrays(probe);
	if (!err) {
		probe->ring = ring_buffer__new(bpf_map__fd(probe->bpf->maps.cgroup_events),
					       on_cgroup_event, probe, NULL);
		err = probe->ring ? 0 : -errno;
	}
	if (err) {
		log_error("cannot map the probe's memory: %s", strerror(-err));
		return err;
	}
	/* The events of cgroups first, so that none is missed between them and the first sample. */
	for (id = PROBES - 1; id >= 0 && !err; id--)
		err = attach(probe, (enum probe_id)id, options->tracefs);
	return err;
}

int probe_open(const struct probe_options *options, struct probe **out)
{
	struct probe *probe;
	int err;

	libbpf_set_print(on_libbpf_message);
	err = check_can_load();
	if (err)
		return err;
	probe = calloc(1, sizeof(*probe));
	if (!probe)
		return -ENOMEM;
	probe->slots = options->slots;
	probe->cpus = (unsigned int)cpu_limit();
	err = load(probe, options);
	err = err ?: start(probe, options);
	if (err) {
		probe_close(probe);
		return err;
	}
	*out = probe;
	return 0;
}

static void unmap_array(const struct bpf_map *map, void *data)
{
	if (data)
		munmap(data, mapped_size(map));
}

void probe_close(struct probe *probe)
{
	size_t i;

	if (!probe)
		return;
	for (i = 0; i < PROGRAMS; i++)
		bpf_link__destroy(probe->link[i]);
	if (probe->bpf) {
		unmap_array(probe->bpf->maps.slot_cgroups, probe->slot_cgroups);
		unmap_array(probe->bpf->maps.sched_cells, probe->cells);
		unmap_array(probe->bpf->maps.sched_cpus, probe->sched_cpus);
	}
	ring_buffer__free(probe->ring);
	bramble_bpf__destroy(probe->bpf);
	free(probe->pair);
	free(probe->pair_ns);
	free(probe);
}

bool probe_is_up(const struct probe *probe, enum probe_id id)
{
	return probe->up[id];
}

const char *probe_attribution(const struct probe *probe, enum probe_id id)
{
	if (id != PROBE_SCHED)
		return "event";
	return probe->hooks == SCHED_HOOKS_RAW ? "current_task" : "current_task_by_id";
}

unsigned int probe_slots(const struct probe *probe)
{
	return probe->slots;
}

uint64_t probe_slot_cgroup(const struct probe *probe, unsigned int slot)
{
	return __atomic_load_n(&probe->slot_cgroups[slot], __ATOMIC_ACQUIRE);
}

void probe_read_sched(const struct probe *probe, unsigned int slot, struct sched_cell *sum)
{
	unsigned int cpu;
	size_t i;

	memset(sum, 0, sizeof(*sum));
	for (cpu = 0; cpu < probe->cpus; cpu++) {
		const volatile struct sched_cell *cell =
			&probe->cells[(size_t)cpu * probe->slots + slot];

		for (i = 0; i < SWITCH_KINDS; i++)
			sum->switches[i] += cell->switches[i];
		sum->caused_other_ns += cell->caused_other_ns;
		sum->caused_other += cell->caused_other;
		sum->wait.sum_ns += cell->wait.sum_ns;
		for (i = 0; i < HIST_BUCKETS; i++)
			sum->wait.bucket[i] += cell->wait.bucket[i];
	}
}

/* Reads the map of pairs into probe->pair and pair_ns. Returns how many, or a negative errno. */
static int read_pairs(struct probe *probe)
{
	int fd = bpf_map__fd(probe->bpf->maps.wait_pairs);
	uint32_t position = 0, count = probe->pairs_max;

	if (bpf_map_lookup_batch(fd, NULL, &position, probe->pair, probe->pair_ns, &count, NULL) &&
	    errno != ENOENT)
		return -errno;
	return (int)count;
}

int probe_read_pairs(struct probe *probe, probe_pair_fn each, void *context)
{
	int i, count = read_pairs(probe);

	for (i = 0; i < count; i++)
		each(context, probe->pair[i], probe->pair_ns[i]);
	return count < 0 ? count : 0;
}

static int free_pairs(struct probe *probe, unsigned int slot)
{
	int fd = bpf_map__fd(probe->bpf->maps.wait_pairs);
	int i, count = read_pairs(probe);

	for (i = 0; i < count; i++)
		if (probe->pair[i].victim == slot || probe->pair[i].cause == slot)
			bpf_map_delete_elem(fd, &probe->pair[i]);
	return count < 0 ? count : 0;
}

int probe_free_slot(struct probe *probe, unsigned int slot)
{
	uint64_t id = probe_slot_cgroup(probe, slot);
	unsigned int cpu;
	int err;

	if (!id)
		return -ENOENT;
	/* First no way leads to the slot any more, then it is cleared. */
	if (bpf_map_delete_elem(bpf_map__fd(probe->bpf->maps.slot_by_cgroup), &id))
		return -errno;
	__atomic_store_n(&probe->slot_cgroups[slot], 0, __ATOMIC_RELEASE);
	__atomic_add_fetch(&probe->bpf->data->membership_generation, 1, __ATOMIC_RELEASE);
	err = free_pairs(probe, slot);
	for (cpu = 0; cpu < probe->cpus; cpu++)
		memset(&probe->cells[(size_t)cpu * probe->slots + slot], 0, sizeof(*probe->cells));
	if (bpf_map_update_elem(bpf_map__fd(probe->bpf->maps.slot_free), NULL, &slot, BPF_ANY))
		return -errno;
	return err;
}

static int program_info(const struct bpf_program *program, struct bpf_prog_info *info)
{
	uint32_t len = sizeof(*info);

	memset(info, 0, sizeof(*info));
	return bpf_obj_get_info_by_fd(bpf_program__fd(program), info, &len) ? -errno : 0;
}

/* Runs the kernel skipped because the program was running on that CPU already (since 5.12). */
static uint64_t recursion_misses(const struct probe *probe, enum probe_id id)
{
	struct bpf_prog_info info;
	uint64_t misses = 0;
	size_t i;

	for (i = 0; i < PROGRAMS; i++)
		if (programs[i].probe == id && probe->link[i] &&
		    !program_info(probe->program[i], &info))
			misses += info.recursion_misses;
	return misses;
}

void probe_read_lost(const struct probe *probe, struct probe_lost lost[PROBE_LOST_REASONS])
{
	static const char *const sched_reasons[SCHED_LOST_REASONS] = {
		[SCHED_LOST_NO_WAKEUP] = "no_wakeup",
		[SCHED_LOST_NO_SWITCH] = "no_switch",
		[SCHED_LOST_COLLISION] = "collision",
		[SCHED_LOST_CLOCK] = "clock",
	};
	static const char *const cgroup_reasons[CGROUP_LOST_REASONS] = {
		[CGROUP_LOST_RING_FULL] = "ring_full",
		[CGROUP_LOST_NO_SLOT] = "no_slot",
	};
	unsigned int cpu;
	size_t i, n = 0;

	for (i = 0; i < SCHED_LOST_REASONS; i++, n++) {
		lost[n] = (struct probe_lost){PROBE_SCHED, sched_reasons[i], 0};
		for (cpu = 0; cpu < probe->cpus; cpu++)
			lost[n].count += probe->sched_cpus[cpu].lost[i];
	}
	for (i = 0; i < CGROUP_LOST_REASONS; i++, n++)
		lost[n] = (struct probe_lost){PROBE_CGROUP, cgroup_reasons[i],
					      probe->bpf->bss->cgroup_lost[i]};
	for (i = 0; i < PROBES; i++, n++)
		lost[n] = (struct probe_lost){(enum probe_id)i, "recursion",
					      recursion_misses(probe, (enum probe_id)i)};
}

uint64_t probe_events(const struct probe *probe, enum probe_id id)
{
	uint64_t events = 0;
	unsigned int cpu;

	if (id == PROBE_CGROUP)
		return probe->cgroup_events;
	for (cpu = 0; cpu < probe->cpus; cpu++)
		events += probe->sched_cpus[cpu].events;
	return events;
}

int probe_cpu_ns(const struct probe *probe, enum probe_id id, uint64_t *ns)
{
	struct bpf_prog_info info;
	size_t i;

	*ns = 0;
	for (i = 0; i < PROGRAMS; i++)
		if (programs[i].probe == id && probe->link[i] &&
		    !program_info(probe->program[i], &info))
			*ns += info.run_time_ns;
	return *ns ? 0 : -ENODATA;
}

int probe_event_fd(const struct probe *probe)
{
	return ring_buffer__epoll_fd(probe->ring);
}

int probe_poll(struct probe *probe, probe_cgroup_fn each, void *context)
{
	int got;

	probe->each = each;
	probe->context = context;
	got = ring_buffer__consume(probe->ring);
	probe->each = NULL;
	return got < 0 ? got : 0;
}
