/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "kube/names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kube/kubelet_url.h"
#include "kube/logs.h"
#include "util/clock.h"
#include "util/log.h"

/*
 * The kubelet knows a container's id a second or two after its start, when it has asked the
 * runtime. If it does not list a cgroup for this long after the cgroup was made, it never will.
 */
#define SETTLED_NS (INT64_C(10) * 1000000000)

struct kube_names {
	struct kube_options options;
	struct pods pods;
	struct kubelet *kubelet; /* NULL: not a source */
	struct kube_logs *logs;	 /* NULL: no source */
};

static int open_kubelet(struct kube_names *names)
{
	struct kubelet_options options = names->options.kubelet;
	int err;

	options.optional = names->options.source == KUBE_AUTO;
	if (options.insecure)
		log_warn("--kube.insecure: whoever stands between bramble and the kubelet at %s "
			 "gets "
			 "the token of its service account",
			 options.url);
	err = kubelet_open(&options, &names->pods, &names->kubelet);
	if (err)
		log_error("cannot ask the kubelet at %s: %s", options.url, strerror(-err));
	return err;
}

int kube_names_open(const struct kube_options *options, struct kube_names **out)
{
	struct kube_names *names = calloc(1, sizeof(*names));
	enum kube_source source = options->source;
	int err = 0;

	*out = NULL;
	if (!names)
		return -ENOMEM;
	names->options = *options;
	pods_init(&names->pods, &names->options.labels, options->keep_ns);
	if (source == KUBE_AUTO || source == KUBE_LOGS)
		err = kube_logs_open(options->log_dir, &names->logs);
	if (!err && (source == KUBE_AUTO || source == KUBE_KUBELET))
		err = open_kubelet(names);
	if (err) {
		kube_names_close(names);
		return err;
	}
	*out = names;
	return 0;
}

void kube_names_close(struct kube_names *names)
{
	if (!names)
		return;
	kubelet_close(names->kubelet);
	kube_logs_close(names->logs);
	pods_free(&names->pods);
	free(names);
}

void kube_names_need(const struct kube_options *options, struct sandbox_needs *needs)
{
	const struct kubelet_options *kubelet = &options->kubelet;

	if (options->source == KUBE_AUTO || options->source == KUBE_LOGS)
		sandbox_need_later(needs, options->log_dir, SANDBOX_LIST);
	if (options->source != KUBE_AUTO && options->source != KUBE_KUBELET)
		return;
	sandbox_need_file(needs, kubelet->token_file);
	sandbox_need_file(needs, kubelet->ca_file);
	sandbox_need_names(needs);
	sandbox_need_port(needs, kubelet_url_port(kubelet->url));
}

int kube_names_fd(const struct kube_names *names)
{
	return names->kubelet ? kubelet_fd(names->kubelet) : -1;
}

bool kube_names_run(struct kube_names *names)
{
	return names->kubelet && kubelet_run(names->kubelet);
}

bool kube_names_known(const struct kube_names *names)
{
	return names->kubelet || names->logs;
}

const struct kubelet_status *kube_names_kubelet(const struct kube_names *names)
{
	const struct kubelet_status *status;

	if (!names->kubelet)
		return NULL;
	status = kubelet_status(names->kubelet);
	return status->in_use ? status : NULL;
}

const struct label_keys *kube_names_labels(const struct kube_names *names)
{
	return &names->options.labels;
}

size_t kube_names_pods(const struct kube_names *names)
{
	return pods_count(&names->pods);
}

const struct kube_pod *kube_names_pod(const struct kube_names *names, const char *pod_uid)
{
	return pods_find(&names->pods, pod_uid);
}

const struct kube_pod *kube_names_pod_at(struct kube_names *names, const uint32_t words[4])
{
	return pods_find_address(&names->pods, words);
}

void kube_names_end_pod(struct kube_names *names, const char *pod_uid)
{
	pods_end(&names->pods, pod_uid);
}

uint64_t kube_names_addresses_changed(const struct kube_names *names)
{
	return pods_addresses_changed(&names->pods);
}

static bool kubelet_in_use(const struct kube_names *names)
{
	return names->kubelet && kubelet_status(names->kubelet)->in_use;
}

/* Logs once that the directory cannot be read, and once that it can be read again. */
static void report_logs(struct kube_names *names)
{
	const char *dir = names->options.log_dir;
	int err;

	if (!kube_logs_error_changed(names->logs))
		return;
	err = kube_logs_error(names->logs);
	if (err && kubelet_in_use(names))
		log_info("cannot read the log directories of pods in %s: %s; the kubelet alone "
			 "tells their names",
			 dir, strerror(-err));
	else if (err)
		log_warn("cannot read the names of pods in %s: %s; pods are shown by their uid, "
			 "and it is tried again; --kube.log-dir names another place",
			 dir, strerror(-err));
	else
		log_info("the names of pods are read in %s", dir);
}

static void copy_pod_names(const struct kube_pod *pod, struct kube_name *out)
{
	*out = (struct kube_name){0};
	memcpy(out->namespace, pod->namespace, sizeof(out->namespace));
	memcpy(out->pod, pod->name, sizeof(out->pod));
}

/*
 * Whether the kubelet must by now list a container that was made then, if it ever will. One with an
 * unknown time counts as old.
 */
static bool is_settled(const struct kube_names *names, int64_t born_ns)
{
	int64_t listed_ns = (int64_t)kubelet_listed_ns(names->kubelet);

	return listed_ns && (!born_ns || listed_ns - born_ns > SETTLED_NS);
}

/* Asks the kubelet soon. What stays unlisted for long waits for the next regular request. */
static void want(struct kube_names *names, int64_t born_ns)
{
	if (!is_settled(names, born_ns))
		kubelet_want(names->kubelet);
}

int kube_names_find_pod(struct kube_names *names, const char *pod_uid, int64_t born_ns,
			struct kube_name *out)
{
	const struct kube_pod *pod = kube_names_pod(names, pod_uid);
	int err = -ENOENT;

	*out = (struct kube_name){0};
	if (pod) {
		copy_pod_names(pod, out);
		return 0;
	}
	if (names->kubelet)
		want(names, born_ns);
	if (names->logs) {
		err = kube_logs_find_pod(names->logs, pod_uid, out);
		report_logs(names);
	}
	return err ? -ENOENT : 0;
}

/*
 * The runtime makes the sandbox before the containers. So the sandbox is the oldest of the pod, and
 * the kubelet lists all the others.
 */
static bool is_sandbox(const struct kube_names *names, const struct kube_pod *pod,
		       const struct kube_cgroup *cgroup)
{
	return cgroup->oldest && pod->complete && !pod->unlisted_ns &&
	       is_settled(names, cgroup->born_ns);
}

/* Finds the container in what the kubelet lists. *out is what is known of it. */
static int find_by_kubelet(struct kube_names *names, const struct kube_cgroup *cgroup,
			   struct kube_name *out)
{
	const struct kube_pod *pod = kube_names_pod(names, cgroup->pod_uid);
	const struct pod_container *container;

	*out = (struct kube_name){0};
	if (pod)
		copy_pod_names(pod, out);
	container = pod ? pod_find_container(pod, cgroup->container_id) : NULL;
	if (container) {
		memcpy(out->container, container->name, sizeof(out->container));
		return 0;
	}
	if (pod && is_sandbox(names, pod, cgroup)) {
		memcpy(out->container, KUBE_SANDBOX, sizeof(KUBE_SANDBOX));
		return 0;
	}
	want(names, cgroup->born_ns);
	return pod ? -EAGAIN : -ENOENT;
}

/*
 * Finds the container by its time only. For a container that has just begun, that is certain. For
 * an older one, this waits for the kubelet's first answer.
 */
static bool may_ask_logs(const struct kube_names *names, const struct kube_cgroup *cgroup)
{
	if (!names->kubelet || kubelet_has_answered(names->kubelet))
		return true;
	return cgroup->born_ns && (int64_t)clock_boottime_ns() - cgroup->born_ns < SETTLED_NS;
}

int kube_names_find_container(struct kube_names *names, const struct kube_cgroup *cgroup,
			      struct kube_name *out)
{
	const struct log_birth birth = {
		.at_ns = cgroup->born_wall_ns,
		.age_ns = (int64_t)clock_boottime_ns() - cgroup->born_ns,
		.exact = cgroup->born_exact,
	};
	struct kube_name by_logs;
	int err = -ENOENT;

	*out = (struct kube_name){0};
	if (names->kubelet)
		err = find_by_kubelet(names, cgroup, out);
	if (!err || !names->logs)
		return err;
	if (may_ask_logs(names, cgroup))
		err = kube_logs_find_container(names->logs, cgroup->pod_uid, cgroup->container_id,
					       &birth, &by_logs);
	else if (!kube_logs_find_pod(names->logs, cgroup->pod_uid, &by_logs))
		err = -EAGAIN;
	report_logs(names);
	if (by_logs.pod[0])
		*out = by_logs;
	if (!err)
		return 0;
	return out->pod[0] ? -EAGAIN : -ENOENT;
}

void kube_names_begin_round(struct kube_names *names)
{
	if (names->logs)
		kube_logs_begin_round(names->logs);
}

uint64_t kube_names_reads(const struct kube_names *names)
{
	return names->logs ? kube_logs_reads(names->logs) : 0;
}

void kube_names_forget_pod(struct kube_names *names, const char *pod_uid)
{
	if (names->logs)
		kube_logs_forget_pod(names->logs, pod_uid);
}
