/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Which programs are loaded on this kernel, and with whose types. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "probe/features.h"
#include "probe/internal.h"
#include "probe/tracefs_btf.h"
#include "util/log.h"

#include "bramble.skel.h"

/* What must be true for a program to be the right one. */
enum need {
	NEED_PREV_STATE = 1 << 0, /* the raw tracepoint sched_switch passes prev_state */
	NEED_NO_PREV_STATE = 1 << 1,
	NEED_BTF = 1 << 2, /* the kernel's types are known */
	NEED_NO_BTF = 1 << 3,
	NEED_EVENT = 1 << 4, /* left out where tracefs does not have the event */
};

/* Every BPF program, and whose it is. Those of a probe are attached in this order. */
static const struct {
	const char *name;
	enum probe_id probe;
	unsigned int needs;
} programs[] = {
	{"cgroup_mkdir", PROBE_CGROUP, 0},
	{"cgroup_rmdir", PROBE_CGROUP, 0},
	{"sched_cgroup_attach", PROBE_SCHED, 0},
	{"sched_wakeup", PROBE_SCHED, NEED_PREV_STATE},
	{"sched_wakeup_new", PROBE_SCHED, NEED_PREV_STATE},
	{"sched_switch", PROBE_SCHED, NEED_PREV_STATE},
	{"sched_wakeup_classic", PROBE_SCHED, NEED_NO_PREV_STATE},
	{"sched_wakeup_new_classic", PROBE_SCHED, NEED_NO_PREV_STATE},
	{"sched_switch_classic", PROBE_SCHED, NEED_NO_PREV_STATE},
	{"tcp_destroy", PROBE_TCP, 0},
	{"tcp_set_state", PROBE_TCP, 0},
	{"tcp_retransmit", PROBE_TCP, 0},
	{"tcp_retransmit_synack", PROBE_TCP, 0},
	{"tcp_reset_sent", PROBE_TCP, 0},
	{"tcp_reset_received", PROBE_TCP, 0},
	{"tcp_data_ready", PROBE_TCP, NEED_EVENT},
	{"tcp_sock_recv", PROBE_TCP, NEED_EVENT},
	{"tcp_sock_send", PROBE_TCP, NEED_EVENT},
};

#define PROGRAMS (sizeof(programs) / sizeof(programs[0]))
_Static_assert(PROGRAMS <= PROGRAMS_MAX, "more programs than struct probe has places for");

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

static bool has_event(const struct bpf_program *program, const char *tracefs)
{
	const char *section = bpf_program__section_name(program);
	char event[128];

	if (strncmp(section, "tp/", 3) == 0)
		return feature_event(tracefs, section + 3) != 0;
	/* A raw tracepoint's section does not name the group. Those that are optional are in this
	 * one. */
	snprintf(event, sizeof(event), "sock/%s", strchr(section, '/') + 1);
	return feature_event(tracefs, event) != 0;
}

static unsigned int what_holds(const struct probe *probe)
{
	return (probe->hooks == SCHED_HOOKS_RAW ? NEED_PREV_STATE : NEED_NO_PREV_STATE) |
	       (probe->btf ? NEED_BTF : NEED_NO_BTF) | NEED_EVENT;
}

static int choose_programs(struct probe *probe, const struct probe_options *options)
{
	unsigned int holds;
	size_t i;

	probe->hooks = options->hooks;
	if (probe->hooks == SCHED_HOOKS_AUTO)
		probe->hooks = feature_prev_state() > 0 ? SCHED_HOOKS_RAW : SCHED_HOOKS_CLASSIC;
	holds = what_holds(probe);
	for (i = 0; i < PROGRAMS; i++) {
		struct bpf_program *program;

		if (!probe->enabled[programs[i].probe] || (programs[i].needs & ~holds))
			continue;
		program = bpf_object__find_program_by_name(probe->bpf->obj, programs[i].name);
		if (!program)
			return -ENOENT;
		if (programs[i].needs & NEED_EVENT && !has_event(program, options->tracefs)) {
			log_info(
				"the probe %s runs without %s, which this kernel has not; `bramble "
				"check` says what is missing then",
				probe_names[programs[i].probe], bpf_program__section_name(program));
			continue;
		}
		bpf_program__set_autoload(program, true);
		probe->program[probe->programs++] =
			(struct probe_program){programs[i].probe, program, NULL};
	}
	return 0;
}

static int size_maps(struct probe *probe)
{
	struct bramble_bpf *bpf = probe->bpf;
	int err;

	err = bpf_map__set_max_entries(bpf->maps.slot_cgroups, probe->slots);
	err = err ?: bpf_map__set_max_entries(bpf->maps.slot_by_cgroup, probe->slots);
	err = err ?: bpf_map__set_max_entries(bpf->maps.slot_free, probe->slots);
	err = err ?: bpf_map__set_max_entries(bpf->maps.sched_cpus, probe->cpus);
	err = err ?: bpf_map__set_max_entries(bpf->maps.tcp_cpus, probe->cpus);
	if (probe->enabled[PROBE_TCP])
		err = err ?: bpf_map__set_max_entries(bpf->maps.tcp_sockets, SOCKET_SETS);
	return err ?: probe_size_cells(probe);
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

/* Whether the kernel's types are known, or the layouts of records have to come from tracefs. */
static bool has_btf(const char *btf)
{
	return strcmp(btf, "none") != 0 &&
	       (strcmp(btf, "auto") != 0 || feature_kernel_btf("/sys") > 0);
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

/* One try, with the probes that are enabled. On failure nothing of it is left. */
static int try_load(struct probe *probe, const struct probe_options *options, int btf_fd)
{
	int err = open_object(probe, options, btf_fd);

	probe->programs = 0;
	err = err ?: size_maps(probe);
	err = err ?: choose_programs(probe, options);
	err = err ?: bramble_bpf__load(probe->bpf);
	if (err) {
		bramble_bpf__destroy(probe->bpf);
		probe->bpf = NULL;
	}
	return err;
}

/*
 * The kernel takes all programs or none. If it refuses, the probes that are
 * not essential are added one by one, and those that cannot be are left out.
 */
static int load_what_can_be(struct probe *probe, const struct probe_options *options, int btf_fd)
{
	bool wanted[PROBES];
	int id, err = try_load(probe, options, btf_fd);

	memcpy(wanted, probe->enabled, sizeof(wanted));
	if (!err)
		return 0;
	for (id = 0; id < PROBES; id++)
		probe->enabled[id] = wanted[id] && probe_is_essential((enum probe_id)id);
	if (!memcmp(wanted, probe->enabled, sizeof(wanted)))
		return err;
	err = try_load(probe, options, btf_fd);
	for (id = 0; id < PROBES && !err; id++) {
		if (!wanted[id] || probe->enabled[id])
			continue;
		bramble_bpf__destroy(probe->bpf);
		probe->enabled[id] = true;
		err = try_load(probe, options, btf_fd);
		if (!err)
			continue;
		log_warn("the probe %s is not running: its BPF programs cannot be loaded (%s); "
			 "--log.level=debug shows what the kernel's verifier says",
			 probe_names[id], strerror(-err));
		probe->enabled[id] = false;
		err = try_load(probe, options, btf_fd);
	}
	return err;
}

int probe_load(struct probe *probe, const struct probe_options *options)
{
	int btf_fd = -1;
	int err;

	libbpf_set_print(on_libbpf_message);
	probe->btf = has_btf(options->btf);
	if (!probe->btf) {
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
	err = load_what_can_be(probe, options, btf_fd);
	if (btf_fd >= 0)
		close(btf_fd);
	if (err)
		log_load_error(err, options->btf);
	return err;
}
