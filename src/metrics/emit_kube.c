/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Samples of what is known about pods and containers, and about its sources. */
#include "metrics/emit.h"
#include "metrics/info.h"

/* namespace, pod, container, uid, workload_kind, workload, qos and node come before the chosen
 * ones. */
#define POD_INFO_LABELS 8

_Static_assert(POD_INFO_LABELS + LABEL_KEYS_MAX <= SAMPLE_LABELS_MAX, "too many labels");

/*
 * container is empty for the same reason as an owner's labels. An unknown node is left out: if the
 * target has a label node, that is the node of all pods here.
 */
static void emit_pod(struct samples *out, const struct pod_info *info,
		     const struct label_keys *keys)
{
	const struct kube_pod *pod = info->pod;
	struct label labels[POD_INFO_LABELS + LABEL_KEYS_MAX] = {
		{"namespace", info->labels->name_space},
		{"pod", info->labels->pod},
		{"container", ""},
		{"uid", pod ? pod->uid : info->cgroup->pod_uid},
		{"workload_kind", pod ? pod->workload.kind : ""},
		{"workload", pod ? pod->workload.name : ""},
		{"qos", cgroup_qos_name(info->cgroup->qos)},
	};
	struct sample sample = {.labels = labels, .label_count = POD_INFO_LABELS - 1, .value = 1};
	size_t i;

	if (pod && pod->node[0])
		labels[sample.label_count++] = (struct label){"node", pod->node};
	for (i = 0; pod && i < pod->label_count; i++)
		if (pod->labels[i])
			labels[sample.label_count++] =
				(struct label){keys->list[i].name, pod->labels[i]};
	samples_add(out, &sample);
}

void emit_pod_info(struct samples *out, const struct scrape *scrape)
{
	const struct label_keys *keys = kube_names_labels(scrape->names);
	struct infos infos;
	size_t i;

	if (!scrape->names)
		return;
	if (infos_read(scrape->members, scrape->names, &infos)) {
		out->failed = true;
		return;
	}
	for (i = 0; i < infos.pod_count; i++)
		emit_pod(out, &infos.pods[i], keys);
	infos_free(&infos);
}

static void emit_container(struct samples *out, const struct container_info *info)
{
	struct label labels[OWNER_LABELS + 2];
	size_t count = owner_labels(info->labels, labels);

	labels[count++] = (struct label){"container_id", info->id};
	labels[count++] = (struct label){"image", info->image};
	samples_add(out, &(struct sample){.labels = labels, .label_count = count, .value = 1});
}

void emit_container_info(struct samples *out, const struct scrape *scrape)
{
	struct infos infos;
	size_t i;

	if (!scrape->names)
		return;
	if (infos_read(scrape->members, scrape->names, &infos)) {
		out->failed = true;
		return;
	}
	for (i = 0; i < infos.container_count; i++)
		emit_container(out, &infos.containers[i]);
	infos_free(&infos);
}

void emit_kube_last_success(struct samples *out, const struct scrape *scrape)
{
	const struct kubelet_status *status = scrape->kubelet;

	if (status && status->last_success_ns)
		samples_add(out, &(struct sample){.value = wall_time(scrape->wall,
								     status->last_success_ns)});
}

void emit_kube_requests(struct samples *out, const struct scrape *scrape)
{
	const struct kubelet_status *status = scrape->kubelet;

	if (status)
		samples_add(out, &(struct sample){.value = status->requests});
}

void emit_kube_errors(struct samples *out, const struct scrape *scrape)
{
	const struct kubelet_status *status = scrape->kubelet;
	int error;

	for (error = KUBELET_OK + 1; status && error < KUBELET_ERRORS; error++) {
		const struct label label = {out->family->label, kubelet_error_names[error]};

		samples_add(out, &(struct sample){.labels = &label,
						  .label_count = 1,
						  .value = status->errors[error]});
	}
}

void emit_kube_pods(struct samples *out, const struct scrape *scrape)
{
	if (scrape->kubelet)
		samples_add(out, &(struct sample){.value = scrape->kubelet_pods});
}
