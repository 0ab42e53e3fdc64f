/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "check/check.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/version.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "kernel/mounts.h"
#include "kube/kubelet_try.h"
#include "node/feature.h"
#include "obstacle/obstacle.h"
#include "probe/descriptors.h"
#include "probe/probe.h"
#include "sandbox/caps.h"
#include "sandbox/filter.h"
#include "sandbox/landlock.h"
#include "sandbox/sandbox.h"
#include "util/array.h"
#include "util/buf.h"
#include "util/given_file.h"
#include "util/output.h"

/* What this command has just tried. */
#define OWN_MOUNT     "not mounted; serve mounts it for itself"

#define OLDEST_KERNEL KERNEL_VERSION(5, 10, 0)

/* The data that the rows look at. */
struct context {
	const struct features *features;
	const char *procfs, *sysfs, *log_dir, *btf;
	const struct kubelet_options *kubelet;
	struct pod_roots pod_roots;
	struct mount_places places;
	struct machine machine;
	struct mounts mounts;
	struct node_place place;
};

struct row {
	const char *group, *name;
	bool needed;
	void (*find)(const struct context *context, const struct row *row, struct fact *fact);
	size_t feature; /* offset in struct features, for find_feature() and find_jit(); or an
			   enum node_feature */
	const char *purpose;
	const char *remedy; /* NULL: find() writes one where it is called for */
};

__attribute__((format(printf, 2, 3))) static void detail(struct fact *fact, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(fact->detail, sizeof(fact->detail), format, args);
	va_end(args);
}

__attribute__((format(printf, 2, 3))) static void remedy(struct fact *fact, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(fact->remedy, sizeof(fact->remedy), format, args);
	va_end(args);
}

static void set_obstacle(struct fact *fact, const struct obstacle *obstacle)
{
	fact->state = FACT_MISSING;
	detail(fact, "%s", obstacle->cause);
	remedy(fact, "%s", obstacle->remedy);
}

/* The state for the answer of a trial: 1, 0 or a negative errno. */
static void set_answer(struct fact *fact, int answer)
{
	fact->state = answer > 0 ? FACT_PRESENT : answer == 0 ? FACT_MISSING : FACT_UNKNOWN;
	if (answer < 0)
		detail(fact, "could not be tried: %s", strerrordesc_np(-answer));
}

/* What was found, in a text that this frees. Without the memory for it, nothing is known. */
static void detail_text(struct fact *fact, struct buf *text)
{
	if (buf_failed(text))
		set_answer(fact, -ENOMEM);
	else
		detail(fact, "%s", text->data);
	buf_free(text);
}

static void find_feature(const struct context *context, const struct row *row, struct fact *fact)
{
	int answer;

	memcpy(&answer, (const char *)context->features + row->feature, sizeof(answer));
	set_answer(fact, answer);
}

static void find_version(const struct context *context, const struct row *row, struct fact *fact)
{
	(void)row;
	detail(fact, "%s", context->features->release);
	if (!context->features->version)
		fact->state = FACT_UNKNOWN;
	else if (context->features->version < OLDEST_KERNEL)
		fact->state = FACT_MISSING;
}

static void find_page_size(const struct context *context, const struct row *row, struct fact *fact)
{
	(void)row;
	detail(fact, "%ld bytes", context->features->page_size);
}

static void find_cpus(const struct context *context, const struct row *row, struct fact *fact)
{
	(void)row;
	if (context->features->cpus_possible < 0)
		set_answer(fact, context->features->cpus_possible);
	else
		detail(fact, "%d possible, %d online", context->features->cpus_possible,
		       context->features->cpus_online);
}

static void find_tracing(const struct context *context, const struct row *row, struct fact *fact)
{
	int err = context->features->tracing;
	struct obstacle obstacle;

	(void)row;
	if (!err)
		return;
	obstacle_find(&context->machine, OBSTACLE_BPF, err, &obstacle);
	set_obstacle(fact, &obstacle);
}

static void find_fentry(const struct context *context, const struct row *row, struct fact *fact)
{
	int answer = context->features->fentry;
	struct obstacle obstacle;

	find_feature(context, row, fact);
	/* If no program could be loaded, nothing is known of it. */
	if (answer > 0 || context->features->tracing)
		return;
	obstacle_find(&context->machine, OBSTACLE_FUNCTION, answer ? answer : -EOPNOTSUPP,
		      &obstacle);
	set_obstacle(fact, &obstacle);
}

static void find_lockdown(const struct context *context, const struct row *row, struct fact *fact)
{
	struct obstacle obstacle;

	(void)row;
	if (!machine_locked_down(&context->machine))
		return;
	obstacle_of_lockdown(&obstacle);
	set_obstacle(fact, &obstacle);
}

static void find_jit(const struct context *context, const struct row *row, struct fact *fact)
{
	find_feature(context, row, fact);
	if (fact->state == FACT_MISSING)
		fact->state = FACT_OFF;
}

static bool has_btf(const char *path)
{
	libbpf_print_fn_t print = libbpf_set_print(NULL);
	struct btf *btf = btf__parse(path, NULL);

	libbpf_set_print(print);
	btf__free(btf);
	return btf != NULL;
}

/*
 * The file that serve is given. Whether it is this very kernel's, nobody can tell. Its path is not
 * shown: bramble report has all of this, and no path of its owner's.
 */
static void find_btf_file(const char *path, struct fact *fact)
{
	char reason[GIVEN_FILE_REASON_SIZE];

	if (given_file_look(path, BTF_FILE_MAX, reason, sizeof(reason))) {
		detail(fact, "--btf: %s", reason);
	} else if (!has_btf(path)) {
		detail(fact, "--btf: the file has no BTF");
	} else {
		detail(fact, "from the file of --btf");
		return;
	}
	fact->state = FACT_MISSING;
	fact->needed = true; /* serve ends if it cannot be read */
	remedy(fact, "name this kernel's BTF file, or leave --btf out");
}

static void find_btf(const struct context *context, const struct row *row, struct fact *fact)
{
	(void)row;
	if (!strcmp(context->btf, "none")) {
		fact->state = FACT_OFF;
		detail(fact, "not used, by --btf=none: the probe makes its own from tracefs");
		return;
	}
	if (strcmp(context->btf, "auto") != 0) {
		find_btf_file(context->btf, fact);
		return;
	}
	set_answer(fact, feature_kernel_btf(context->sysfs));
	if (fact->state == FACT_MISSING)
		detail(fact, "fine: the probe makes its own from tracefs");
}

static void find_user(const struct context *context, const struct row *row, struct fact *fact)
{
	(void)row;
	detail(fact, "uid %u", (unsigned)context->features->uid);
	if (context->features->uid != 0)
		fact->state = FACT_MISSING;
}

static void find_user_ns(const struct context *context, const struct row *row, struct fact *fact)
{
	struct obstacle obstacle;

	(void)row;
	if (!context->machine.user_namespace)
		return;
	obstacle_of_user_namespace(&obstacle);
	set_obstacle(fact, &obstacle);
}

static void find_caps(const struct context *context, const struct row *row, struct fact *fact)
{
	struct obstacle obstacle;

	(void)row;
	if (!context->machine.missing_cap_count)
		return;
	obstacle_of_caps(&context->machine, &obstacle);
	set_obstacle(fact, &obstacle);
}

static void find_open_files(const struct context *context, const struct row *row, struct fact *fact)
{
	unsigned long limit = context->machine.files;
	int needed = probe_files_needed();
	struct obstacle obstacle;

	(void)row;
	if (needed < 0) {
		set_answer(fact, needed);
	} else if (limit && limit < (unsigned long)needed) {
		obstacle_of_files(limit, (unsigned long)needed, &obstacle);
		set_obstacle(fact, &obstacle);
	} else {
		detail(fact, "%lu may be open", limit);
	}
}

/* A filter can be recognised only if the kernel itself would not refuse the calls. */
static void find_filter(const struct context *context, const struct row *row, struct fact *fact)
{
	const struct machine *machine = &context->machine;
	struct obstacle obstacle;

	(void)row;
	if (!machine->seccomp_filter || machine->missing_cap_count ||
	    !(machine->bpf_filtered || machine->perf_filtered))
		return;
	obstacle_of_seccomp(machine->bpf_filtered ? "bpf" : "perf_event_open", &obstacle);
	set_obstacle(fact, &obstacle);
}

/* What serve would still have after its start. It is tried. */
static void find_kept_caps(const struct context *context, const struct row *row, struct fact *fact)
{
	struct buf text = {0};
	uint64_t left;
	int cap, err = caps_try(&left);

	(void)context;
	(void)row;
	if (err) {
		set_answer(fact, err);
		return;
	}
	buf_puts(&text, left ? "after the start these stay:" : "after the start none stays");
	for (cap = 0; cap < CAPABILITIES_MAX; cap++)
		if (left >> cap & 1)
			buf_printf(&text, " %s", sandbox_capability_name(cap) ?: "unknown");
	detail_text(fact, &text);
}

static void find_landlock(const struct context *context, const struct row *row, struct fact *fact)
{
	int version = landlock_version();

	(void)context;
	(void)row;
	if (version > 0) {
		detail(fact, "version %d%s", version, version < 4 ? ", which knows no ports" : "");
	} else if (version == -EOPNOTSUPP) {
		fact->state = FACT_OFF;
		remedy(fact, "add landlock to the list after lsm= on the kernel's command line");
	} else {
		set_answer(fact, version == -ENOSYS ? 0 : version);
	}
}

static void find_seccomp(const struct context *context, const struct row *row, struct fact *fact)
{
	(void)context;
	(void)row;
	set_answer(fact, filter_available());
}

static void find_tracefs(const struct context *context, const struct row *row, struct fact *fact)
{
	struct obstacle obstacle;

	(void)row;
	if (context->mounts.own_tracefs) {
		detail(fact, OWN_MOUNT);
		return;
	}
	if (!context->mounts.tracefs_err) {
		detail(fact, "%s", context->mounts.tracefs);
		return;
	}
	obstacle_of_tracefs(&context->places, &context->mounts, &obstacle);
	set_obstacle(fact, &obstacle);
	if (context->mounts.tracefs_err == -EACCES)
		fact->state = FACT_UNKNOWN;
}

/* The row's name is the event's. */
static void find_event(const struct context *context, const struct row *row, struct fact *fact)
{
	if (!context->mounts.tracefs_err) {
		set_answer(fact, feature_event(context->mounts.tracefs, row->name));
		return;
	}
	fact->state = FACT_UNKNOWN;
	detail(fact, "tracefs cannot be read");
}

static void find_cgroup2(const struct context *context, const struct row *row, struct fact *fact)
{
	const struct cgroup2_mount *mount = &context->place.cgroup2;
	struct obstacle obstacle;

	(void)row;
	if (context->mounts.own_cgroup2) {
		detail(fact, OWN_MOUNT);
		return;
	}
	if (!context->place.cgroup2_err) {
		detail(fact, "%s at %s", mount->v1 ? "hybrid" : "pure v2", mount->path);
		return;
	}
	obstacle_of_cgroup2(&context->places, &context->mounts, &obstacle);
	set_obstacle(fact, &obstacle);
}

static void find_whole(const struct context *context, const struct row *row, struct fact *fact)
{
	struct obstacle obstacle;

	(void)row;
	if (context->place.cgroup2_err) {
		set_answer(fact, context->place.cgroup2_err);
	} else if (!context->place.cgroup2.whole) {
		obstacle_of_part(&context->place.cgroup2, &obstacle);
		set_obstacle(fact, &obstacle);
	}
}

/* Where pods are believed to be. Nothing is said where there are none, and no place was given. */
static void find_pods(const struct context *context, const struct row *row, struct fact *fact)
{
	struct pod_roots roots = context->pod_roots;
	const char *missing = NULL;
	struct buf found = {0};
	size_t count;

	(void)row;
	fact->state = FACT_UNSUITED;
	if (context->place.cgroup2_err)
		return;
	roots.mount = context->place.cgroup2.path;
	count = pod_roots_find(&roots, &found, &missing);
	if (missing) {
		fact->state = FACT_MISSING;
		detail(fact, "--kube.cgroup-root=%s: there is no such cgroup", missing);
	} else if (count) {
		fact->state = FACT_PRESENT;
		detail_text(fact, &found);
		return;
	}
	buf_free(&found);
}

/* The row's feature is an enum node_feature. */
static void find_node(const struct context *context, const struct row *row, struct fact *fact)
{
	static const enum fact_state states[] = {
		[NODE_FEATURE_PRESENT] = FACT_PRESENT,
		[NODE_FEATURE_OFF] = FACT_OFF,
		[NODE_FEATURE_MISSING] = FACT_MISSING,
		[NODE_FEATURE_UNSUITED] = FACT_UNSUITED,
	};
	enum node_feature feature = (enum node_feature)row->feature;
	struct node_fact found;

	if (context->place.cgroup2_err &&
	    (feature == NODE_FEATURE_MEMORY || feature == NODE_FEATURE_CPU)) {
		set_answer(fact, context->place.cgroup2_err);
		return;
	}
	node_feature_find(&context->place, feature, &found);
	fact->state = states[found.state];
	detail(fact, "%s", found.detail);
	remedy(fact, "%s", found.remedy);
}

/* cgroup v2's io controller: then a bio knows whose it is. */
static void find_io(const struct context *context, const struct row *row, struct fact *fact)
{
	int io_cgroups;

	(void)row;
	fact->state = FACT_MISSING;
	if (context->place.cgroup2_err)
		return;
	if (node_has_controller(&context->place, "io"))
		fact->state = FACT_PRESENT;
	if (fact->state == FACT_PRESENT)
		return;
	io_cgroups = feature_io_cgroups(context->procfs);
	if (io_cgroups) {
		set_answer(fact, io_cgroups < 0 ? io_cgroups : 0);
		return;
	}
	fact->state = FACT_OFF;
	detail(fact, "it is mounted as cgroup v1 (blkio), or there is none");
	boot_remedy(&context->place.boot, "systemd.unified_cgroup_hierarchy=1", fact->remedy,
		    sizeof(fact->remedy));
}

static void find_log_dir(const struct context *context, const struct row *row, struct fact *fact)
{
	(void)row;
	/* access() would ignore the capabilities of every user but root. */
	if (faccessat(AT_FDCWD, context->log_dir, R_OK | X_OK, AT_EACCESS) == 0) {
		detail(fact, "%s", context->log_dir);
		return;
	}
	fact->state = errno == EACCES ? FACT_UNKNOWN : FACT_MISSING;
	detail(fact, "%s: %s", context->log_dir, strerrordesc_np(errno));
}

/* In the words of serve. Without a token there is no Kubernetes here, and nothing to say. */
static void find_kubelet(const struct context *context, const struct row *row, struct fact *fact)
{
	struct kubelet_trial trial;
	int err;

	(void)row;
	fact->state = FACT_UNSUITED;
	if (!context->kubelet)
		return;
	err = kubelet_try(context->kubelet, &trial);
	if (err) {
		set_answer(fact, err);
	} else if (trial.asked && trial.error) {
		fact->state = FACT_MISSING;
		detail(fact, "%s: %s", trial.url, trial.problem);
		remedy(fact, "%s", trial.remedy);
	} else if (trial.asked) {
		fact->state = FACT_PRESENT;
		detail(fact, "%zu pods at %s", trial.pods, trial.url);
	}
}

#define FEATURE(name) offsetof(struct features, name)

static const struct row rows[] = {
	{"kernel", "version", true, find_version, 0, "5.10 or later: older ones lack what follows",
	 "upgrade the kernel to 5.10 or later"},
	{"kernel", "page size", false, find_page_size, 0, "buffers are sized by it", NULL},
	{"kernel", "CPUs", false, find_cpus, 0, "buffers are sized by the possible ones", NULL},
	{"kernel", "BPF programs", true, find_tracing, 0, "all signals", NULL},
	{"kernel", "raw tracepoints", true, find_feature, FEATURE(raw_tracepoint), "run-queue wait",
	 "use a kernel with CONFIG_BPF_EVENTS and CONFIG_TRACEPOINTS"},
	{"kernel", "cgroup id helper", true, find_feature, FEATURE(cgroup_id),
	 "telling containers apart", "use a kernel with CONFIG_CGROUPS"},
	{"kernel", "ring buffer", true, find_feature, FEATURE(ringbuf),
	 "names of short-lived containers", "upgrade the kernel to 5.8 or later"},
	{"kernel", "mapped arrays", true, find_feature, FEATURE(mmapable),
	 "scrapes without a system call", "upgrade the kernel to 5.5 or later"},
	{"kernel", "perf events", true, find_feature, FEATURE(perf_events), "classic tracepoints",
	 "use a kernel with CONFIG_PERF_EVENTS"},
	{"kernel", "prev_state", false, find_feature, FEATURE(prev_state),
	 "a cheaper hook of sched_switch; without it, its classic tracepoint is used",
	 "none needed; kernels since 5.18 have it"},
	{"kernel", "JIT", false, find_jit, FEATURE(jit), "low cost: programs are not interpreted",
	 "sysctl net.core.bpf_jit_enable=1, or use a kernel with CONFIG_BPF_JIT"},
	{"kernel", "fentry", false, find_fentry, FEATURE(fentry),
	 "fsyncs on XFS and btrfs (ext4 and f2fs do without)", NULL},
	{"kernel", "BTF", false, find_btf, 0, "more exact attribution",
	 "none needed; a kernel with CONFIG_DEBUG_INFO_BTF has it, --btf=FILE reads it from a "
	 "file"},
	{"kernel", "no lockdown", true, find_lockdown, 0, "reading tracefs and names of cgroups",
	 NULL},
	{"privileges", "root", false, find_user, 0, "reading tracefs and the logs' directory",
	 "run as root; capabilities can stand in for it"},
	{"privileges", "user namespace", true, find_user_ns, 0, "loading and attaching programs",
	 NULL},
	{"privileges", "capabilities", true, find_caps, 0, "loading and attaching programs", NULL},
	{"privileges", "open files", true, find_open_files, 0, "maps, programs, files of cgroups",
	 NULL},
	{"privileges", "system calls", true, find_filter, 0, "loading and attaching programs",
	 NULL},
	{"sandbox", "capabilities", false, find_kept_caps, 0,
	 "giving up the capabilities that a running probe does not use", NULL},
	{"sandbox", "seccomp", false, find_seccomp, 0,
	 "giving up the system calls that a running probe does not make",
	 "use a kernel with CONFIG_SECCOMP_FILTER"},
	{"sandbox", "landlock", false, find_landlock, 0,
	 "giving up the files that a running probe does not read",
	 "none needed; a kernel since 5.13 with CONFIG_SECURITY_LANDLOCK has it"},
	{"files", "tracefs", true, find_tracefs, 0, "events and their layouts", NULL},
	{"files", NULL, false, NULL, 0, NULL, NULL}, /* the events of the probes */
	{"files", "log directory", false, find_log_dir, 0, "names of pods without the API",
	 "on a Kubernetes node: mount it in the container, or set --kube.log-dir; elsewhere it "
	 "is not needed"},
	{"files", "kubelet", false, find_kubelet, 0, "names, workloads and labels of pods", NULL},
	{"cgroups", "cgroup v2", true, find_cgroup2, 0, "telling containers apart", NULL},
	{"cgroups", "whole hierarchy", false, find_whole, 0,
	 "containers and units outside of this one", NULL},
	{"cgroups", "pods", false, find_pods, 0, "believing that a cgroup is a pod's",
	 "give it as the kubelet's --cgroup-root or cgroupRoot has it; it is there once the "
	 "kubelet runs"},
	{"cgroups", "memory controller", false, find_node, NODE_FEATURE_MEMORY,
	 "memory figures of containers", NULL},
	{"cgroups", "cpu controller", false, find_node, NODE_FEATURE_CPU,
	 "throttling of containers with a CPU limit", NULL},
	{"cgroups", "io controller", false, find_io, 0,
	 "charging written-back pages to who made them dirty (with BTF)",
	 "use a kernel with CONFIG_BLK_CGROUP"},
	{"cgroups", "PSI", false, find_node, NODE_FEATURE_PSI,
	 "pressure (stall) times of containers", NULL},
	{"node", "temperature", false, find_node, NODE_FEATURE_TEMPERATURE, "heat of the node",
	 NULL},
	{"node", "CPU frequency", false, find_node, NODE_FEATURE_CPU_FREQUENCY,
	 "how fast the CPUs run", NULL},
	{"node", "under-voltage alarm", false, find_node, NODE_FEATURE_UNDER_VOLTAGE,
	 "a weak power supply", NULL},
};

static const char *or_default(const char *path, const char *fallback)
{
	return path ? path : fallback;
}

static void look_around(const struct check_options *options, const struct features *features,
			struct context *context)
{
	*context = (struct context){
		.features = features,
		.procfs = or_default(options->path_procfs, "/proc"),
		.sysfs = or_default(options->path_sysfs, "/sys"),
		.log_dir = or_default(options->log_dir, "/var/log/pods"),
		.btf = or_default(options->btf, "auto"),
		.kubelet = options->kubelet,
		.pod_roots = options->pod_roots,
	};
	machine_read(&(struct machine_place){context->procfs, context->sysfs}, features,
		     &context->machine);
	context->places = (struct mount_places){context->procfs, context->sysfs,
						options->path_cgroupfs, options->path_tracefs};
	mounts_find(&context->places, &context->mounts);
	node_place_find(&context->place, context->procfs, context->sysfs, options->path_cgroupfs,
			or_default(options->path_boot, "/boot"));
	context->place.cgroup2 = context->mounts.cgroup2;
	context->place.cgroup2_err = context->mounts.cgroup2_err;
}

static void add_fact(const struct context *context, const struct row *row,
		     struct check_report *report)
{
	struct fact *fact = &report->facts[report->count];

	if (report->count == CHECK_FACTS_MAX)
		return;
	*fact = (struct fact){.name = row->name,
			      .group = row->group,
			      .purpose = row->purpose,
			      .needed = row->needed};
	row->find(context, row, fact);
	if (fact->state == FACT_UNSUITED)
		return;
	report->count++;
	if (fact->state != FACT_MISSING && fact->state != FACT_OFF)
		return;
	if (!fact->remedy[0] && row->remedy)
		remedy(fact, "%s", row->remedy);
	report->lacking += fact->needed;
}

/* Each event that programs of a probe hang on, in the words of the probe's descriptor. */
static void add_events(const struct context *context, const char *group,
		       const struct probe_descriptor *probe, struct check_report *report)
{
	const struct program_row *program;

	for (program = probe->programs; program < probe->programs + probe->program_count; program++)
		if (program->purpose)
			add_fact(context,
				 &(struct row){group, program->event,
					       probe->essential && !program->optional, find_event,
					       0, program->purpose, program->remedy},
				 report);
}

void check_collect(const struct check_options *options, const struct features *features,
		   struct check_report *report)
{
	struct context context;
	size_t i, id;

	look_around(options, features, &context);
	*report = (struct check_report){0};
	for (i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].find)
			add_fact(&context, &rows[i], report);
		else
			for (id = 0; id < PROBES; id++)
				add_events(&context, rows[i].group, probe_descriptors[id], report);
	mounts_close(&context.mounts);
}

int check_run(const struct check_options *options, FILE *out)
{
	struct check_report report;
	struct features features;
	int err = 0;

	features_probe(&features);
	check_collect(options, &features, &report);
	if (options->json)
		err = check_print_json(&report, out);
	else
		check_print(&report, out);
	err = output_flush(out) ?: err;
	return err ? err : report.lacking > 0;
}
