/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "kube/kubelet_try.h"

#include <poll.h>
#include <stdio.h>

#include "util/clock.h"

/* One request, and none after it. */
static const struct kubelet_times once = {
	.interval_ns = 3600 * NS_PER_S,
	.retry_min_ns = 3600 * NS_PER_S,
	.retry_max_ns = 3600 * NS_PER_S,
	.connect_ns = KUBELET_TRY_CONNECT_S * NS_PER_S,
	.total_ns = KUBELET_TRY_S * NS_PER_S,
};

static void run(struct kubelet *kubelet)
{
	/* A second more than the request may take, because it ends by itself. */
	uint64_t end_ns = clock_monotonic_ns() + (KUBELET_TRY_S + 1) * NS_PER_S;
	struct pollfd fd = {.fd = kubelet_fd(kubelet), .events = POLLIN};

	while (!kubelet_has_answered(kubelet) && clock_monotonic_ns() < end_ns) {
		poll(&fd, 1, 100);
		kubelet_run(kubelet);
	}
}

int kubelet_try(const struct kubelet_options *options, struct kubelet_trial *trial)
{
	struct kubelet_options asked = *options;
	struct label_keys no_labels = {0};
	struct kubelet *kubelet;
	struct pods pods;
	int err;

	*trial = (struct kubelet_trial){0};
	asked.times = &once;
	asked.quiet = true;
	pods_init(&pods, &no_labels, NS_PER_S);
	err = kubelet_open(&asked, &pods, &kubelet);
	if (!err) {
		run(kubelet);
		trial->asked = kubelet_status(kubelet)->in_use;
		trial->error = kubelet_last_error(kubelet);
		trial->pods = pods_count(&pods);
		trial->remedy = trial->error ? kubelet_remedy(trial->error) : NULL;
		snprintf(trial->url, sizeof(trial->url), "%s", kubelet_url(kubelet));
		snprintf(trial->problem, sizeof(trial->problem), "%s", kubelet_problem(kubelet));
		kubelet_close(kubelet);
	}
	pods_free(&pods);
	return err;
}
