/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The command line: subcommands and their flags. docs/flags.md is made from the help. */
#include <assert.h>
#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include "cgroup/explain.h"
#include "check/check.h"
#include "cli/address.h"
#include "cli/flags.h"
#include "kernel/mounts.h"
#include "kube/kubelet_url.h"
#include "obstacle/obstacle.h"
#include "probe/descriptors.h"
#include "report/report.h"
#include "serve.h"
#include "top/top.h"
#include "top/ui.h"
#include "util/array.h"
#include "util/clock.h"
#include "util/log.h"
#include "util/openfiles.h"
#include "util/output.h"
#include "util/pattern.h"
#include "version.h"
#include "why/watch.h"
#include "why/why.h"

enum exit_code {
	EXIT_DONE = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
	EXIT_FINDINGS = 3, /* of why --exit-code */
};

static const char *const log_levels[] = {"debug", "info", "warn", "error", NULL};
static const char *const log_formats[] = {"logfmt", "json", NULL};

/* In the order of enum kube_source. */
static const char *const kube_sources[] = {"auto", "kubelet", "logs", "none", NULL};

/* The values of flags that several commands have. */
static struct {
	int log_level, log_format;
	const char *btf, *log_dir;
	const char *path_cgroupfs, *path_procfs, *path_sysfs, *path_tracefs;
	int kube_source;
	const char *kubelet_url, *token_file, *ca_file, *server_name, *labels;
	struct flag_list cgroup_roots;
	bool insecure, sandboxes, sandbox;
	struct label_keys label_keys;
	uint64_t slots, retain_ns;
	bool probe[PROBES];
} shared;

/* clang-format off */
#define FLAGS_LOG \
	{"log.level", FLAG_CHOICE, {.choice = &shared.log_level}, .fallback = "info", \
	 .choices = log_levels, .help = "Print messages of this level and above."}, \
	{"log.format", FLAG_CHOICE, {.choice = &shared.log_format}, .fallback = "logfmt", \
	 .choices = log_formats, .help = "How messages are written."}

#define FLAG_BTF \
	{"btf", FLAG_STRING, {.string = &shared.btf}, .fallback = "auto", \
	 .placeholder = "auto|none|FILE", \
	 .help = "Where layouts of kernel records come from: the kernel's BTF or else tracefs " \
		 "(auto), tracefs (none), or a BTF file."}

#define FLAGS_CGROUP_PATH \
	{"path.cgroupfs", FLAG_STRING, {.string = &shared.path_cgroupfs}, .placeholder = "DIR", \
	 .help = "Where cgroup v2 is mounted, if not where /proc/self/mountinfo says. Where no " \
		 "cgroups are mounted, bramble mounts them for itself."}, \
	{"path.procfs", FLAG_STRING, {.string = &shared.path_procfs}, .fallback = "/proc", \
	 .placeholder = "DIR", .help = "Where procfs is mounted."}

#define FLAGS_PATH \
	FLAGS_CGROUP_PATH, \
	{"path.sysfs", FLAG_STRING, {.string = &shared.path_sysfs}, .fallback = "/sys", \
	 .placeholder = "DIR", .help = "Where sysfs is mounted."}, \
	{"path.tracefs", FLAG_STRING, {.string = &shared.path_tracefs}, .placeholder = "DIR", \
	 .help = "Where tracefs is mounted, if not below sysfs. Where nobody has mounted it, " \
		 "bramble mounts it for itself."}

#define FLAG_LOG_DIR \
	{"kube.log-dir", FLAG_STRING, {.string = &shared.log_dir}, .fallback = "/var/log/pods", \
	 .placeholder = "DIR", .help = "The kubelet's log directories, whose names name the pods."}

#define FLAGS_KUBELET \
	{"kube.source", FLAG_CHOICE, {.choice = &shared.kube_source}, .fallback = "auto", \
	 .choices = kube_sources, \
	 .help = "Where the names of pods come from: the node's kubelet, the log directories, or " \
		 "both (auto: the kubelet if there is a token for it)."}, \
	{"kube.kubelet-url", FLAG_STRING, {.string = &shared.kubelet_url}, \
	 .fallback = KUBELET_URL, .placeholder = "https://HOST:PORT", \
	 .help = "The node's kubelet."}, \
	{"kube.token-file", FLAG_STRING, {.string = &shared.token_file}, \
	 .fallback = KUBELET_TOKEN_FILE, .placeholder = "FILE", \
	 .help = "The service account's token for the kubelet; read anew for each request."}, \
	{"kube.ca-file", FLAG_STRING, {.string = &shared.ca_file}, \
	 .fallback = KUBELET_CA_FILE, .placeholder = "FILE", \
	 .help = "The CA that has signed the kubelet's certificate, PEM; no other is trusted."}, \
	{"kube.server-name", FLAG_STRING, {.string = &shared.server_name}, .placeholder = "NAME", \
	 .help = "What the kubelet's certificate must name, if not the host of " \
		 "--kube.kubelet-url: the node's name."}, \
	{"kube.insecure", FLAG_BOOL, {.boolean = &shared.insecure}, .fallback = "off", \
	 .help = "Accept any certificate from the kubelet. Whoever stands in between gets the token."}

#define FLAG_CGROUP_ROOT \
	{"kube.cgroup-root", FLAG_LIST, {.list = &shared.cgroup_roots}, .placeholder = "PATH", \
	 .help = "The kubelet's --cgroup-root, if it has one: cgroups below PATH are believed to " \
		 "be pods'. So are those below the root of the hierarchy, below /kubelet, and " \
		 "wherever only root can make cgroups."}

#define FLAGS_KUBE \
	FLAGS_KUBELET, \
	FLAG_LOG_DIR, \
	FLAG_CGROUP_ROOT, \
	{"kube.labels", FLAG_STRING, {.string = &shared.labels}, .may_be_empty = true, \
	 .fallback = "app,app.kubernetes.io/name", .placeholder = "KEY,...", \
	 .help = "Labels of pods to show in bramble_pod_info, up to 16; needs the kubelet."}, \
	{"kube.sandbox", FLAG_BOOL, {.boolean = &shared.sandboxes}, .fallback = "off", \
	 .help = "Show the sandboxes of pods, as container=\"POD\"."}

/* Flags of serve and top that come after those of the single probes. */
static const struct flag common_flags[] = {
	FLAG_BTF,
	{"slots", FLAG_UINT, {.number = &shared.slots}, .fallback = "1024", .min = 16,
	 .max = SLOTS_MAX, .placeholder = "N",
	 .help = "How many cgroups are told apart at a time. Each takes 2.8 KiB, and 0.7 KiB a CPU."},
	{"retain", FLAG_DURATION, {.number = &shared.retain_ns}, .fallback = "5m",
	 .min = NS_PER_S, .placeholder = "TIME",
	 .help = "How long the counts of a container stay after its end."},
	{"sandbox", FLAG_BOOL, {.boolean = &shared.sandbox}, .fallback = "on",
	 .help = "Once the probe runs, give up all rights that are not needed any more: "
		 "capabilities, system calls, files. Off: for debugging."},
	FLAGS_KUBE,
	FLAGS_PATH,
	FLAGS_LOG,
};
/* clang-format on */

/* The flags of serve or top. */
struct flag_set {
	struct flag flags[FLAGS_MAX];
	size_t count;
};

static void add_flags(struct flag_set *set, const struct flag *flags, size_t count)
{
	assert(set->count + count <= FLAGS_MAX);
	memcpy(set->flags + set->count, flags, count * sizeof(*flags));
	set->count += count;
}

/* --probe.NAME for each probe that can be turned off: what it does is said by its descriptor. */
static void add_probe_flags(struct flag_set *set)
{
	static char names[PROBES][32];
	enum probe_id ids[PROBES];
	size_t i, count = probe_flags(ids);

	for (i = 0; i < count; i++) {
		snprintf(names[i], sizeof(names[i]), "probe.%s", probe_names[ids[i]]);
		add_flags(set,
			  &(struct flag){names[i],
					 FLAG_BOOL,
					 {.boolean = &shared.probe[ids[i]]},
					 .fallback = "on",
					 .help = probe_descriptors[ids[i]]->flag_help},
			  1);
	}
}

/* A command's own flags, those of the probes, and the common ones. */
static void put_flags_together(struct flag_set *set, const struct flag *own, size_t count)
{
	set->count = 0;
	add_flags(set, own, count);
	add_probe_flags(set);
	add_flags(set, common_flags, ARRAY_SIZE(common_flags));
}

/* Warns if the mount does not show the cgroups of other containers. */
static void warn_of_part(const struct cgroup2_mount *mount)
{
	struct obstacle obstacle;

	if (mount->whole)
		return;
	obstacle_of_part(mount, &obstacle);
	obstacle_log(LOG_WARN, &obstacle, "other containers that run already are unit=\"unknown\"");
}

/*
 * Finds the mounts the probe needs. Returns 0 or a negative errno after the
 * reason has been logged. The paths live as long as the program.
 */
static int find_mounts(struct collector_options *options)
{
	const struct mount_places places = {shared.path_procfs, shared.path_sysfs,
					    shared.path_cgroupfs, shared.path_tracefs};
	static struct mounts mounts;
	struct obstacle obstacle;

	mounts_close(&mounts);
	mounts_find(&places, &mounts);
	if (mounts.cgroup2_err) {
		obstacle_of_cgroup2(&places, &mounts, &obstacle);
		obstacle_log(LOG_ERROR, &obstacle, "cannot use cgroup v2");
		return mounts.cgroup2_err;
	}
	if (mounts.tracefs_err) {
		obstacle_of_tracefs(&places, &mounts, &obstacle);
		obstacle_log(LOG_ERROR, &obstacle, "cannot use tracefs");
		return mounts.tracefs_err;
	}
	mounts_log_own(&mounts);
	warn_of_part(&mounts.cgroup2);
	options->cgroupfs = mounts.cgroup2.path;
	options->probe.tracefs = mounts.tracefs;
	return 0;
}

/* What the flags say about the kubelet. */
static struct kubelet_options kubelet_options(void)
{
	return (struct kubelet_options){
		.url = shared.kubelet_url,
		.token_file = shared.token_file,
		.ca_file = shared.ca_file,
		.server_name = shared.server_name,
		.insecure = shared.insecure,
	};
}

/* Where the flags say that pods may be. */
static struct pod_roots pod_roots(void)
{
	return (struct pod_roots){
		.given = shared.cgroup_roots.values,
		.given_count = shared.cgroup_roots.count,
	};
}

/* What the flags say about the probe. */
static int collector_options(struct collector_options *options)
{
	*options = (struct collector_options){
		.probe = {.slots = (unsigned int)shared.slots,
			  .btf = shared.btf,
			  .procfs = shared.path_procfs,
			  .sysfs = shared.path_sysfs},
		.procfs = shared.path_procfs,
		.sysfs = shared.path_sysfs,
		.kube =
			{
				.source = (enum kube_source)shared.kube_source,
				.kubelet = kubelet_options(),
				.log_dir = shared.log_dir,
				.labels = shared.label_keys,
				.keep_ns = shared.retain_ns,
			},
		.pod_roots = pod_roots(),
		.sandboxes = shared.sandboxes,
		.sandbox = shared.sandbox,
		.retain_ns = shared.retain_ns,
	};
	memcpy(options->probe.enabled, shared.probe, sizeof(shared.probe));
	/* Check the rights first: without them nothing need be mounted. */
	return probe_can_load(&options->probe) ?: find_mounts(options);
}

/* The exit code of a command. No command fails silently: if no reason was logged, it is memory. */
static int exit_code(int err)
{
	if (!err)
		return EXIT_DONE;
	if (!log_has_error())
		log_error("bramble cannot go on: %s", strerror(-err));
	return EXIT_FAILED;
}

/* The command that runs, and which of its flags variables have set. */
static struct {
	const struct flag_command *command;
	uint64_t from_environment;
} given;

/* A flag as the user has written it, for messages. */
static struct flag_text written(const char *flag)
{
	return flag_given(given.command, given.from_environment, flag);
}

/* Reads a command's words. Returns -1 if it is to run, else an exit code. */
static int parse(const struct flag_command *command, int *argc, char **argv)
{
	struct buf help = {0};
	char error[512];
	int err;

	given.command = command;
	err = flags_parse(command, argc, argv, &given.from_environment, error, sizeof(error));
	log_setup((enum log_level)shared.log_level, (enum log_format)shared.log_format);
	if (err == FLAGS_HELP || err == FLAGS_TABLE) {
		err = err == FLAGS_HELP ? flags_help(command, &help) : flags_table(command, &help);
		if (!err)
			fputs(help.data, stdout);
		buf_free(&help);
		return exit_code(err);
	}
	if (err == -EINVAL)
		fprintf(stderr, "%s: %s\n", command->name, error);
	return err == -EINVAL ? EXIT_USAGE : err ? exit_code(err) : -1;
}

/* Out of memory is not wrong usage. Returns the exit code. */
static int no_memory_for(const char *command, const char *flag)
{
	fprintf(stderr, "%s: %s: out of memory\n", command, written(flag).text);
	return EXIT_FAILED;
}

static bool kubelet_url_right(const char *command)
{
	char url[KUBELET_URL_MAX];
	const char *reason = kubelet_url_read(shared.kubelet_url, url);

	if (reason)
		fprintf(stderr,
			"%s: %s=%s: %s; write https://HOST:PORT, and an IPv6 "
			"address in brackets: https://[fd00::5]:10250\n",
			command, written("kube.kubelet-url").text, shared.kubelet_url, reason);
	return !reason;
}

static bool server_name_right(const char *command)
{
	if (!shared.server_name || kubelet_url_is_name(shared.server_name))
		return true;
	fprintf(stderr,
		"%s: %s=%s: must be the name of a host, without a port: the "
		"node's, as in `kubectl get nodes`\n",
		command, written("kube.server-name").text, shared.server_name);
	return false;
}

static bool cgroup_roots_right(const char *command)
{
	size_t i;

	for (i = 0; i < shared.cgroup_roots.count; i++) {
		if (pod_root_valid(shared.cgroup_roots.values[i]))
			continue;
		fprintf(stderr,
			"%s: %s=%s: must be a path from the root of the hierarchy: "
			"it begins with a / and has no .. in it\n",
			command, written("kube.cgroup-root").text, shared.cgroup_roots.values[i]);
		return false;
	}
	return true;
}

static bool kubelet_flags_right(const char *command)
{
	return kubelet_url_right(command) && server_name_right(command) &&
	       cgroup_roots_right(command);
}

/*
 * A mistake in the Kubernetes flags is wrong usage, and is reported before a probe is loaded.
 * Returns -1 if there is none, else an exit code.
 */
static int check_kube_flags(const char *command)
{
	const struct flag_text labels = written("kube.labels");
	int err;

	if (!kubelet_flags_right(command))
		return EXIT_USAGE;
	err = label_keys_parse(shared.labels, &shared.label_keys);
	if (!err)
		return -1;
	if (err == -ENOMEM)
		return no_memory_for(command, "kube.labels");
	if (err == -E2BIG)
		fprintf(stderr, "%s: %s: more than %d keys\n", command, labels.text,
			LABEL_KEYS_MAX);
	else
		fprintf(stderr,
			"%s: %s=%s: must be keys of Kubernetes, each once, with "
			"commas between\n",
			command, labels.text, shared.labels);
	return EXIT_USAGE;
}

/*
 * An address that cannot be parsed is wrong usage, and is reported before a probe is loaded. An
 * address with an unknown host is not: serve() reports it.
 */
static bool addresses_valid(const struct flag_list *addresses)
{
	struct address_list list;
	char reason[256];
	size_t i;
	int err;

	for (i = 0; i < addresses->count; i++) {
		err = address_parse(addresses->values[i], &list, reason, sizeof(reason));
		if (err == -EINVAL) {
			fprintf(stderr, "bramble serve: %s: %s\n",
				written("web.listen-address").text, reason);
			return false;
		}
		address_list_free(&list);
	}
	return true;
}

/* Without a probe there is nothing to run. */
static bool probes_valid(const char *command)
{
	const struct flag_command *own = given.command;
	size_t i;
	int id;

	for (id = 0; id < PROBES; id++)
		if (shared.probe[id])
			return true;
	fprintf(stderr, "%s: all probes are turned off; turn one of them on:", command);
	for (i = 0; i < own->flag_count; i++)
		if (strncmp(own->flags[i].name, "probe.", strlen("probe.")) == 0)
			fprintf(stderr, " %s", written(own->flags[i].name).text);
	fputc('\n', stderr);
	return false;
}

static int check_families(struct family_filter *filter, const char *include, const char *exclude)
{
	const struct flag_text included = written("metrics.include");
	const struct flag_text excluded = written("metrics.exclude");
	char reason[512];
	int err = filter_set(filter, &(struct family_pattern){include, included.text},
			     &(struct family_pattern){exclude, excluded.text}, reason,
			     sizeof(reason));

	if (!err)
		return -1;
	if (err == -ENOMEM)
		return no_memory_for("bramble serve", "metrics.include, --metrics.exclude");
	fprintf(stderr, "bramble serve: %s\n", reason);
	return EXIT_USAGE;
}

/* Reports meaningless flags before anything is opened. Returns -1 or an exit code. */
static int check_serve_usage(const char *command, struct serve_options *options,
			     const char *include, const char *exclude)
{
	int code;

	if (options->telemetry_path[0] != '/') {
		fprintf(stderr, "%s: %s=%s: must begin with a /\n", command,
			written("web.telemetry-path").text, options->telemetry_path);
		return EXIT_USAGE;
	}
	if (!addresses_valid(&options->listen) || !probes_valid(command))
		return EXIT_USAGE;
	code = check_kube_flags(command);
	return code < 0 ? check_families(&options->filter, include, exclude) : code;
}

static int serve_with(struct serve_options *options, size_t max_containers)
{
	int err = collector_options(&options->collector);

	options->collector.max_containers = max_containers;
	return err ?: serve(options);
}

static int run_serve(int argc, char **argv)
{
	static struct serve_options options;
	static const char *include, *exclude;
	static uint64_t max_containers;
	static const struct flag flags[] = {
		{"web.listen-address",
		 FLAG_LIST,
		 {.list = &options.listen},
		 .fallback = ":9810",
		 .placeholder = "HOST:PORT",
		 .help = "Address to serve on."},
		{"web.telemetry-path",
		 FLAG_STRING,
		 {.string = &options.telemetry_path},
		 .fallback = "/metrics",
		 .placeholder = "PATH",
		 .help = "Path of the metrics."},
		{"web.config.file",
		 FLAG_STRING,
		 {.string = &options.web_config},
		 .may_be_empty = true,
		 .placeholder = "FILE",
		 .help = "Says who may ask, in the format of the Prometheus exporter-toolkit: "
			 "TLS, client certificates, users with passwords."},
		{"web.socket",
		 FLAG_STRING,
		 {.string = &options.socket},
		 .fallback = "/run/bramble/bramble.sock",
		 .may_be_empty = true,
		 .placeholder = "FILE",
		 .help = "Unix socket that `bramble top` reads; empty for none."},
		{"metrics.include",
		 FLAG_STRING,
		 {.string = &include},
		 .placeholder = "REGEX",
		 .help = "Export only families whose whole name matches."},
		{"metrics.exclude",
		 FLAG_STRING,
		 {.string = &exclude},
		 .placeholder = "REGEX",
		 .help = "Do not export families whose whole name matches."},
		{"metrics.max-containers",
		 FLAG_UINT,
		 {.number = &max_containers},
		 .fallback = "0",
		 .max = SLOTS_MAX,
		 .placeholder = "N",
		 .help = "How many containers have series of their own; further ones are summed "
			 "as container=\"other\". 0: no limit."},
		{"metrics.created",
		 FLAG_BOOL,
		 {.boolean = &options.created_samples},
		 .fallback = "off",
		 .help = "In OpenMetrics, write since when each counter and histogram counts, as "
			 "one more series."},
		{"metrics.classic-histograms",
		 FLAG_BOOL,
		 {.boolean = &options.classic_histograms},
		 .fallback = "on",
		 .help = "In protobuf, write classic histograms beside native ones, for scrapers "
			 "that read protobuf but not native ones."},
	};
	static struct flag_set set;
	struct flag_command command = {
		.name = "bramble serve",
		.help = "Runs the probe and serves its metrics to Prometheus.",
		.flags = set.flags,
	};
	int code;

	put_flags_together(&set, flags, ARRAY_SIZE(flags));
	command.flag_count = set.count;
	code = parse(&command, &argc, argv);
	if (code < 0)
		code = check_serve_usage(command.name, &options, include, exclude);
	if (code < 0)
		code = exit_code(serve_with(&options, max_containers));
	flag_list_free(&options.listen);
	return code;
}

/*
 * A filter that is not a regular expression is wrong usage, and is reported before a probe is
 * loaded. Returns -1 or an exit code.
 */
static int check_filter(const char *filter)
{
	char reason[256];
	regex_t regex;
	int err;

	if (!filter)
		return -1;
	if (strlen(filter) >= UI_FILTER_SIZE) {
		fprintf(stderr, "bramble top: %s has at most %d bytes\n", written("filter").text,
			UI_FILTER_SIZE - 1);
		return EXIT_USAGE;
	}
	err = pattern_compile(&regex, filter, reason, sizeof(reason));
	if (err == -ENOMEM)
		return no_memory_for("bramble top", "filter");
	if (err) {
		fprintf(stderr, "bramble top: %s=%s: %s\n", written("filter").text, filter, reason);
		return EXIT_USAGE;
	}
	regfree(&regex);
	return -1;
}

/* Checks for a path that no socket can have: unix(7). */
static bool socket_valid(const char *command, const char *path)
{
	const size_t most = sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1;

	if (strlen(path) <= most)
		return true;
	fprintf(stderr, "%s: %s: the path of a socket has at most %zu bytes\n", command,
		written("socket").text, most);
	return false;
}

static struct top_options top_options;
static int top_sort, row_level;

static const struct flag top_flags[] = {
	{"once",
	 FLAG_BOOL,
	 {.boolean = &top_options.once},
	 .fallback = "off",
	 .help = "Print one interval and end."},
	{"batch",
	 FLAG_UINT,
	 {.number = &top_options.batch},
	 .fallback = "0",
	 .placeholder = "N",
	 .help = "Print N intervals and end. 0: a live view in a terminal; elsewhere, print "
		 "until a signal comes."},
	{"json",
	 FLAG_BOOL,
	 {.boolean = &top_options.json},
	 .fallback = "off",
	 .help = "Print JSON, one object for each interval."},
	{"interval",
	 FLAG_DURATION,
	 {.number = &top_options.interval_ns},
	 .fallback = "1s",
	 .min = NS_PER_S / 10,
	 .max = 3600 * NS_PER_S,
	 .placeholder = "TIME",
	 .help = "How long an interval is."},
	{"sort",
	 FLAG_CHOICE,
	 {.choice = &top_sort},
	 .fallback = "wait",
	 .choices = column_sort_names,
	 .placeholder = "COLUMN",
	 .help = "What to sort by: wait, cpu, p99, disk, fsync, response, rate, retransmits, "
		 "stall, "
		 "waits, switches or name."},
	{"group",
	 FLAG_CHOICE,
	 {.choice = &row_level},
	 .fallback = "container",
	 .choices = row_level_names,
	 .placeholder = "container|pod|workload|namespace",
	 .help = "What a row is."},
	{"filter",
	 FLAG_STRING,
	 {.string = &top_options.filter},
	 .may_be_empty = true,
	 .placeholder = "REGEX",
	 .help = "Show names that match this extended regular expression."},
	{"socket",
	 FLAG_STRING,
	 {.string = &top_options.socket},
	 .fallback = "/run/bramble/bramble.sock",
	 .may_be_empty = true,
	 .placeholder = "FILE",
	 .help = "The socket of a running serve. If nobody listens there, or FILE is empty, "
		 "top loads a probe of its own."},
	{"ascii",
	 FLAG_BOOL,
	 {.boolean = &top_options.ascii},
	 .fallback = "off",
	 .help = "Draw with ASCII characters only, as is done without a UTF-8 locale."},
	{"mouse",
	 FLAG_BOOL,
	 {.boolean = &top_options.mouse},
	 .fallback = "off",
	 .help = "Select rows by clicks; the terminal's own selecting then needs Shift."},
};

static int run_top(int argc, char **argv)
{
	static struct flag_set set;
	struct flag_command command = {
		.name = "bramble top",
		.help = "Shows which pod is slow, and why: live in a terminal, or as tables or "
			"JSON for scripts.",
		.flags = set.flags,
	};
	int code;

	put_flags_together(&set, top_flags, ARRAY_SIZE(top_flags));
	command.flag_count = set.count;
	code = parse(&command, &argc, argv);
	if (code >= 0)
		return code;
	if (top_options.once && top_options.batch) {
		fprintf(stderr, "bramble top: %s and %s exclude each other\n", written("once").text,
			written("batch").text);
		return EXIT_USAGE;
	}
	code = check_filter(top_options.filter);
	if (code >= 0)
		return code;
	if (!socket_valid(command.name, top_options.socket) || !probes_valid(command.name))
		return EXIT_USAGE;
	code = check_kube_flags(command.name);
	if (code >= 0)
		return code;
	top_options.sort = column_of_sort(top_sort);
	top_options.level = (enum row_level)row_level;
	top_options.collector_options = collector_options;
	return exit_code(top_run(&top_options));
}

static int run_why(int argc, char **argv)
{
	static struct why_options options;
	static bool exit_findings;
	static const struct flag flags[] = {
		{"since",
		 FLAG_DURATION,
		 {.number = &options.since_ns},
		 .fallback = "10m",
		 .min = WATCH_SINCE_LEAST * NS_PER_S,
		 .max = WATCH_SINCE_MOST * NS_PER_S,
		 .placeholder = "TIME",
		 .help = "How far to look back."},
		{"json",
		 FLAG_BOOL,
		 {.boolean = &options.json},
		 .fallback = "off",
		 .help = "Print one JSON object, with all findings."},
		{"exit-code",
		 FLAG_BOOL,
		 {.boolean = &exit_findings},
		 .fallback = "off",
		 .help = "Exit with 3 if there are findings."},
		{"socket",
		 FLAG_STRING,
		 {.string = &options.socket},
		 .fallback = "/run/bramble/bramble.sock",
		 .placeholder = "PATH",
		 .help = "The socket of the running serve, which is asked."},
		FLAGS_LOG,
	};
	static const struct flag_command command = {
		.name = "bramble why",
		.help = "Tells what a pod, a container or a unit lost time to, because of whom, "
			"since when, and what helps. Without a name: the three worst troubles of "
			"the node. It asks a running `bramble serve`.",
		.flags = flags,
		.flag_count = ARRAY_SIZE(flags),
		.args = "[[NAMESPACE/]POD]",
	};
	int code = parse(&command, &argc, argv), count;

	if (code >= 0)
		return code;
	if (argc > 1) {
		fprintf(stderr, "bramble why: takes one name, and not \"%s\" as well\n", argv[1]);
		return EXIT_USAGE;
	}
	if (!socket_valid(command.name, options.socket))
		return EXIT_USAGE;
	options.who = argc ? argv[0] : NULL;
	count = why_run(&options, stdout);
	if (count < 0)
		return exit_code(count);
	return exit_findings && count ? EXIT_FINDINGS : EXIT_DONE;
}

/* Where the flags say that it looks. */
static void set_check_places(struct check_options *options)
{
	options->path_procfs = shared.path_procfs;
	options->path_sysfs = shared.path_sysfs;
	options->path_tracefs = shared.path_tracefs;
	options->path_cgroupfs = shared.path_cgroupfs;
	options->log_dir = shared.log_dir;
	options->btf = shared.btf;
}

static int run_check(int argc, char **argv)
{
	static struct check_options options;
	static const struct flag flags[] = {
		{"json",
		 FLAG_BOOL,
		 {.boolean = &options.json},
		 .fallback = "off",
		 .help = "Print one JSON object."},
		FLAG_BTF,
		FLAGS_KUBELET,
		FLAG_LOG_DIR,
		FLAG_CGROUP_ROOT,
		FLAGS_PATH,
		FLAGS_LOG,
	};
	static struct kubelet_options kubelet;
	static const struct flag_command command = {
		.name = "bramble check",
		.help = "Tells what this kernel and node offer, what is missing and how to turn it "
			"on. Exits with 1 if the probe cannot run here.",
		.flags = flags,
		.flag_count = ARRAY_SIZE(flags),
	};
	int code = parse(&command, &argc, argv);

	if (code >= 0)
		return code;
	if (!kubelet_flags_right(command.name))
		return EXIT_USAGE;
	kubelet = kubelet_options();
	kubelet.optional = shared.kube_source == KUBE_AUTO;
	if (shared.kube_source == KUBE_AUTO || shared.kube_source == KUBE_KUBELET)
		options.kubelet = &kubelet;
	set_check_places(&options);
	options.pod_roots = pod_roots();
	code = check_run(&options, stdout);
	return code < 0 ? exit_code(code) : code ? EXIT_FAILED : EXIT_DONE;
}

/* All probes, as serve has them by default. Nobody is named, so nobody is asked for names. */
static void set_report_defaults(void)
{
	enum probe_id id;

	shared.kube_source = KUBE_NONE;
	shared.log_dir = "/var/log/pods";
	shared.slots = 1024;
	shared.retain_ns = 300 * NS_PER_S;
	for (id = 0; id < PROBES; id++)
		shared.probe[id] = true;
}

static int run_report(int argc, char **argv)
{
	static struct report_options options;
	static const struct flag flags[] = {
		{"dir",
		 FLAG_STRING,
		 {.string = &options.dir},
		 .fallback = "/var/tmp",
		 .placeholder = "DIR",
		 .help = "Where a file is written, a hundred times, to time fsyncs."},
		{"time",
		 FLAG_DURATION,
		 {.number = &options.cost_ns},
		 .fallback = "20s",
		 .min = NS_PER_S / 10,
		 .max = 30 * NS_PER_S,
		 .placeholder = "TIME",
		 .help = "How long the cost of a switch is measured, and that of an exchange over "
			 "TCP; three rounds each, at least."},
		{"socket",
		 FLAG_STRING,
		 {.string = &options.socket},
		 .fallback = "/run/bramble/bramble.sock",
		 .may_be_empty = true,
		 .placeholder = "FILE",
		 .help = "The socket of a serve that may be running: the report says so."},
		FLAG_BTF,
		FLAGS_PATH,
		FLAGS_LOG,
	};
	static const struct flag_command command = {
		.name = "bramble report",
		.help = "Measures for two minutes at most what the probe costs on this board and "
			"whether its numbers agree with the kernel's, and prints that as text to "
			"send to the project. It names nothing that you have named.",
		.flags = flags,
		.flag_count = ARRAY_SIZE(flags),
	};
	int code = parse(&command, &argc, argv);

	if (code >= 0)
		return code;
	set_report_defaults();
	set_check_places(&options.check);
	options.collector_options = collector_options;
	return exit_code(report_run(&options));
}

static int run_explain(int argc, char **argv)
{
	static const struct flag flags[] = {FLAG_CGROUP_ROOT, FLAGS_CGROUP_PATH};
	static const struct flag_command command = {
		.name = "bramble explain",
		.help = "Prints how cgroup paths are read: one JSON object a line.",
		.flags = flags,
		.flag_count = ARRAY_SIZE(flags),
		.args = "CGROUP_PATH...",
		.min_args = 1,
	};
	int i, code = parse(&command, &argc, argv), err;
	struct cgroup2_mount mount;
	struct pod_roots roots;

	if (code >= 0)
		return code;
	if (!cgroup_roots_right(command.name))
		return EXIT_USAGE;
	roots = pod_roots();
	if (!cgroup2_find(shared.path_procfs, shared.path_cgroupfs, &mount))
		roots.mount = mount.path;
	code = EXIT_DONE;
	for (i = 0; i < argc; i++) {
		err = explain_path(&roots, argv[i], stdout);
		if (err == -ENOMEM)
			return exit_code(err);
		/* If a path cannot be read, its JSON object says why. */
		if (err)
			code = EXIT_FAILED;
	}
	return code;
}

static int run_version(int argc, char **argv)
{
	static const struct flag_command command = {
		.name = "bramble version",
		.help = "Prints the version.",
	};
	int code = parse(&command, &argc, argv);

	if (code < 0)
		printf("bramble %s (%s)\n", bramble_version, bramble_revision);
	return code < 0 ? EXIT_DONE : code;
}

static int run_help(int argc, char **argv);
static int unknown_command(const char *name);

static const struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *help;
} commands[] = {
	{"serve", run_serve, "run the probe and the exporter"},
	{"top", run_top, "which pod is slow, and why, in the terminal"},
	{"why", run_why, "what is slow, because of whom, since when, and what helps"},
	{"check", run_check, "what this machine offers, and what is missing"},
	{"report", run_report, "what the probe costs on this board, as text to send"},
	{"explain", run_explain, "how a cgroup path is read"},
	{"version", run_version, "print the version"},
	{"help", run_help, "list the commands, or show the help of one"},
};

static void print_help(FILE *out)
{
	size_t i;

	fputs("bramble tells which pod is slow, and why.\n\nUsage: bramble COMMAND [FLAGS]\n\n"
	      "Commands:\n",
	      out);
	for (i = 0; i < ARRAY_SIZE(commands); i++)
		fprintf(out, "  %-8s  %s\n", commands[i].name, commands[i].help);
	fputs("\nbramble COMMAND --help prints the flags of a command.\n", out);
}

/* For the tools that make man pages and completions: each command, and the table of its flags. */
static int print_tables(void)
{
	char word[] = "--help-table";
	int code = EXIT_DONE;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(commands) && code == EXIT_DONE; i++) {
		char *words[] = {word, NULL};

		printf("command\t%s\t%s\n", commands[i].name, commands[i].help);
		code = commands[i].run(1, words);
	}
	return code;
}

static const struct command *find_command(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(commands); i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

static int run_help(int argc, char **argv)
{
	static const struct flag_command command = {
		.name = "bramble help",
		.help = "Prints the commands, or the flags of one.",
		.args = "[COMMAND]",
	};
	char help[] = "--help";
	char *words[] = {help, NULL};
	const struct command *wanted;
	int code = parse(&command, &argc, argv);

	if (code >= 0)
		return code;
	if (argc > 1) {
		fprintf(stderr, "bramble help: takes one command, and not \"%s\" as well\n",
			argv[1]);
		return EXIT_USAGE;
	}
	wanted = argc ? find_command(argv[0]) : NULL;
	if (argc && !wanted)
		return unknown_command(argv[0]);
	if (wanted)
		return wanted->run(1, words);
	print_help(stdout);
	return EXIT_DONE;
}

static int unknown_command(const char *name)
{
	const char *names[ARRAY_SIZE(commands)], *near;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(commands); i++)
		names[i] = commands[i].name;
	near = closest_word(name, names, ARRAY_SIZE(names));
	fprintf(stderr, "bramble: unknown command \"%s\"%s%s%s; `bramble help` lists them\n", name,
		near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
	return EXIT_USAGE;
}

static int run_command(int argc, char **argv)
{
	const struct command *command;

	if (argc < 2) {
		fputs("bramble: a command is missing; `bramble help` lists them\n", stderr);
		return EXIT_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
		return run_help(0, argv + argc);
	if (strcmp(argv[1], "--version") == 0)
		return run_version(0, argv + argc);
	if (strcmp(argv[1], "--help-table") == 0)
		return print_tables();
	command = find_command(argv[1]);
	if (!command)
		return unknown_command(argv[1]);
	return command->run(argc - 2, argv + 2);
}

int main(int argc, char **argv)
{
	int code;

	output_open_standard();
	open_files_raise();
	setlocale(LC_CTYPE, "");
	code = run_command(argc, argv);
	flag_list_free(&shared.cgroup_roots);
	return output_flush(stdout) ? EXIT_FAILED : code;
}
