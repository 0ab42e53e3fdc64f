/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "probe/load.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernel/features.h"
#include "obstacle/obstacle.h"
#include "probe/cells.h"
#include "probe/descriptors.h"
#include "probe/programs.h"
#include "probe/records.h"
#include "probe/roots.h"
#include "probe/slots.h"
#include "probe/tracefs_btf.h"
#include "util/given_file.h"
#include "util/log.h"

#include "bramble.skel.h"

static int on_libbpf_message(enum libbpf_print_level level, const char *format, va_list args)
{
	char *text, *line, *rest;

	if (level == LIBBPF_DEBUG || !log_enabled(LOG_DEBUG) || vasprintf(&text, format, args) < 0)
		return 0;
	/* The verifier's output is one message of many lines. The last ones matter. */
	for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		log_debug("%s", line);
	free(text);
	return 0;
}

/* Whether the program is left out on this kernel, which is logged. */
static bool is_left_out(enum probe_id id, const struct program_row *row,
			const struct bpf_program *program, const char *tracefs)
{
	if (!row->optional || feature_event(tracefs, row->event) != 0)
		return false;
	log_info("the probe %s runs without %s, which this kernel lacks; `bramble check` says "
		 "what is missing then",
		 probe_names[id], bpf_program__section_name(program));
	return true;
}

static int choose_program(struct probe *probe, enum probe_id id, const struct program_row *row)
{
	struct bpf_program *program = bpf_object__find_program_by_name(probe->bpf->obj, row->name);

	if (!program)
		return -ENOENT;
	if (is_left_out(id, row, program, probe->tracefs))
		return 0;
	bpf_program__set_autoload(program, true);
	return probe_add_program(probe, id, program);
}

/* Programs that hook kernel functions are loaded later. */
static int choose_programs(struct probe *probe)
{
	enum probe_id id;
	size_t i;
	int err = 0;

	for (id = 0; id < PROBES; id++) {
		const struct probe_descriptor *descriptor = probe_descriptors[id];

		for (i = 0; probe->enabled[id] && i < descriptor->program_count && !err; i++)
			if (!descriptor->programs[i].function &&
			    !(descriptor->programs[i].needs & ~probe->holds[id]))
				err = choose_program(probe, id, &descriptor->programs[i]);
	}
	return err;
}

static int size_maps(struct probe *probe)
{
	int err = probe_size_slots(probe) ?: probe_size_cells(probe);
	enum probe_id id;

	for (id = 0; id < PROBES && !err; id++)
		if (probe->enabled[id] && probe_descriptors[id]->size)
			err = probe_descriptors[id]->size(probe);
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

/* Whether the kernel's types are known. Otherwise the layouts of records come from tracefs. */
static bool has_btf(const char *btf)
{
	return strcmp(btf, "none") != 0 &&
	       (strcmp(btf, "auto") != 0 || feature_kernel_btf("/sys") > 0);
}

/* For a directory, libbpf would only say EIO. It would wait for a writer of a FIFO. */
static int check_btf_file(const char *btf)
{
	char error[512];
	int err;

	if (strcmp(btf, "auto") == 0 || strcmp(btf, "none") == 0)
		return 0;
	err = given_file_check(btf, BTF_FILE_MAX, error, sizeof(error));
	if (err)
		log_error("cannot read --btf=%s", error);
	return err;
}

static void log_load_error(const struct machine_place *place, int err, const char *btf)
{
	char reason[128];

	if (strcmp(btf, "auto") == 0 || strcmp(btf, "none") == 0) {
		obstacle_report(LOG_ERROR, place, OBSTACLE_PROGRAMS, err,
				"cannot load the BPF programs");
	} else {
		libbpf_strerror(err, reason, sizeof(reason));
		log_error("cannot load the BPF programs with --btf=%s: %s; is it the BTF of this "
			  "kernel?",
			  btf, reason);
	}
}

/* One try with the enabled probes. If it fails, it leaves nothing behind. */
static int try_load(struct probe *probe, const struct probe_options *options, int btf_fd)
{
	int err = open_object(probe, options, btf_fd);

	probe->programs = 0;
	err = err ?: size_maps(probe);
	err = err ?: choose_programs(probe);
	err = err ?: bramble_bpf__load(probe->bpf);
	if (err) {
		bramble_bpf__destroy(probe->bpf);
		probe->bpf = NULL;
		probe->programs = 0;
	}
	return err;
}

/*
 * The kernel accepts all programs or none. If it refuses, the probes that are not essential are
 * added one by one, and those that it refuses are left out.
 */
static int load_what_can_be(struct probe *probe, const struct probe_options *options, int btf_fd)
{
	bool wanted[PROBES];
	enum probe_id id;
	int err = try_load(probe, options, btf_fd);

	memcpy(wanted, probe->enabled, sizeof(wanted));
	if (!err)
		return 0;
	for (id = 0; id < PROBES; id++)
		probe->enabled[id] = wanted[id] && probe_descriptors[id]->essential;
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
		obstacle_report(LOG_WARN, &probe->place, OBSTACLE_PROGRAMS, err,
				"the probe %s is not running: its BPF programs cannot be loaded",
				probe_names[id]);
		probe->enabled[id] = false;
		err = try_load(probe, options, btf_fd);
	}
	return err;
}

static void find_what_holds(struct probe *probe, const struct probe_options *options)
{
	enum probe_id id;

	for (id = 0; id < PROBES; id++)
		if (probe->enabled[id] && probe_descriptors[id]->holds)
			probe->holds[id] = probe_descriptors[id]->holds(probe, options);
}

int probe_load(struct probe *probe, const struct probe_options *options)
{
	int btf_fd = -1;
	int err;

	err = check_btf_file(options->btf);
	if (err)
		return err;
	libbpf_set_print(on_libbpf_message);
	probe->btf = has_btf(options->btf);
	probe->ancestors = probe_find_ancestors(probe, options);
	find_what_holds(probe, options);
	if (!probe->btf) {
		btf_fd = probe_build_records(options->tracefs);
		if (btf_fd < 0) {
			err = btf_fd;
			obstacle_report(LOG_ERROR, &probe->place, OBSTACLE_TRACEFS, err,
					"cannot read the tracepoints' formats under %s/events",
					options->tracefs);
			return err;
		}
	}
	err = load_what_can_be(probe, options, btf_fd);
	if (btf_fd >= 0)
		close(btf_fd);
	if (err)
		log_load_error(&probe->place, err, options->btf);
	return err;
}
