/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "kube/log_match.h"

#include <errno.h>

/* The container's last start at or before the limit; NULL if it has none. */
static const struct log_start *last_start(const struct log_container *container, int64_t limit_ns)
{
	const struct log_start *last = NULL;

	for (size_t i = 0; i < container->start_count; i++) {
		const struct log_start *start = &container->starts[i];

		if (start->at_ns <= limit_ns && (!last || start->at_ns > last->at_ns))
			last = start;
	}
	return last;
}

/* Whether the container may have been started after since_ns and at or before limit_ns. */
static bool may_have_started(const struct log_container *container, int64_t since_ns,
			     int64_t limit_ns)
{
	const struct log_start *last = last_start(container, limit_ns);

	if (last && last->at_ns > since_ns)
		return true;
	return container->lost_before_ns > since_ns && container->lost_after_ns < limit_ns;
}

/* Finds the container that was started last before the limit, if that is plausible. */
static bool last_started(const struct log_pod *pod, int64_t born_ns, int64_t limit_ns,
			 const struct log_container **out, int64_t *start_ns)
{
	bool found = false;

	*start_ns = born_ns - LOG_START_GAP_NS;
	for (size_t i = 0; i < pod->count; i++) {
		const struct log_start *last = last_start(&pod->containers[i], limit_ns);

		if (last && last->at_ns >= *start_ns) {
			found = true;
			*out = &pod->containers[i];
			*start_ns = last->at_ns;
		}
	}
	return found;
}

/* Whether another container may have been started as late as this one, and before the limit. */
static bool is_contested(const struct log_pod *pod, const struct log_container *container,
			 int64_t start_ns, int64_t limit_ns)
{
	for (size_t i = 0; i < pod->count; i++) {
		const struct log_container *other = &pod->containers[i];

		if (other != container &&
		    may_have_started(other, start_ns - LOG_CLOCK_SLACK_NS, limit_ns))
			return true;
	}
	return false;
}

/* Between the pod's directory and the first container's: only the sandbox is made then. */
static bool is_first_sandbox(const struct log_pod *pod, int64_t born_ns)
{
	if (!pod->made_ns || born_ns < pod->made_ns - LOG_CLOCK_SLACK_NS)
		return false;
	for (size_t i = 0; i < pod->count; i++)
		if (pod->containers[i].made_ns <= born_ns)
			return false;
	return true;
}

/* Whether the container was certainly not started shortly before: no attempt is missing. */
static bool is_between_starts(const struct log_container *container, int64_t born_ns)
{
	int64_t limit_ns = born_ns + LOG_CLOCK_SLACK_NS;
	const struct log_start *last = last_start(container, limit_ns);

	if (container->lost_before_ns)
		return false;
	if (container->made_ns > limit_ns)
		return true;
	for (size_t i = 0; last && i < container->start_count; i++) {
		const struct log_start *start = &container->starts[i];

		if (start->attempt == last->attempt + 1 && start->at_ns > limit_ns)
			return true;
	}
	return false;
}

/* Whether all that is known of the container's starts is long before. */
static bool is_resting(const struct log_container *container, int64_t born_ns)
{
	const struct log_start *last = last_start(container, born_ns + LOG_CLOCK_SLACK_NS);

	return !container->linked && last && last->at_ns < born_ns - LOG_REST_NS &&
	       container->lost_before_ns < born_ns - LOG_REST_NS;
}

/*
 * The sandbox is made again, and then every container is started again, as after a reboot. They may
 * not have been started yet: a static pod comes back under its uid.
 */
static bool is_later_sandbox(const struct log_pod *pod, const struct log_birth *birth)
{
	for (size_t i = 0; i < pod->count; i++) {
		const struct log_container *container = &pod->containers[i];

		if (!is_between_starts(container, birth->at_ns) &&
		    !(birth->exact && is_resting(container, birth->at_ns)))
			return false;
	}
	return pod->count > 0 && pod->made_ns && pod->made_ns <= birth->at_ns;
}

/* Whether it must be the pod's only container: another one's log would have appeared by now. */
static bool is_only_container(const struct log_pod *pod, const struct log_birth *birth)
{
	return pod->count == 1 && !pod->containers[0].linked &&
	       pod->containers[0].made_ns <= birth->at_ns + LOG_CLOCK_SLACK_NS &&
	       birth->age_ns > LOG_START_GAP_NS;
}

int log_match(const struct log_pod *pod, const struct log_birth *birth,
	      const struct log_container **out)
{
	const struct log_container *container;
	const int64_t born_ns = birth->at_ns;
	int64_t start_ns, limit_ns = born_ns;

	/*
	 * A file's time is never later than the time was. So what was started after the cgroup was
	 * made is another container, even if it comes very soon. Only if there is no other, the
	 * clocks may have been apart.
	 */
	if (!last_started(pod, born_ns, limit_ns, &container, &start_ns))
		limit_ns += LOG_CLOCK_SLACK_NS;
	if (last_started(pod, born_ns, limit_ns, &container, &start_ns)) {
		if (is_contested(pod, container, start_ns, limit_ns))
			return -EAGAIN;
		*out = container;
		return 0;
	}
	if (is_first_sandbox(pod, born_ns) || is_later_sandbox(pod, birth)) {
		*out = NULL;
		return 0;
	}
	if (is_only_container(pod, birth)) {
		*out = &pod->containers[0];
		return 0;
	}
	return -EAGAIN;
}
