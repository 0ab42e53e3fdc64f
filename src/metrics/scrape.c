/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "metrics/scrape.h"

#include <string.h>
#include <unistd.h>

#include "metrics/collector.h"

void scrape_of(const struct collector *collector, struct scrape *scrape)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	int id;

	*scrape = (struct scrape){
		.owners = collector_owners(collector),
		.members = collector_members(collector),
		.names = collector_names(collector),
		.kubelet = kube_names_kubelet(collector_names(collector)),
		.kubelet_pods = kube_names_pods(collector_names(collector)),
		.node = collector_node(collector),
		.cpus = cpus > 0 ? (unsigned int)cpus : 0,
		.wall = collector_wall(collector),
		.started_ns = collector_started_ns(collector),
	};
	for (id = 0; id < PROBES; id++)
		scrape->probe_up[id] = probe_is_up(collector_probe(collector), (enum probe_id)id);
}

static void add_lost(struct books *books, enum probe_id probe, const char *reason, uint64_t count)
{
	if (books->lost_count < LOST_MAX)
		books->lost[books->lost_count++] = (struct probe_lost){probe, reason, count};
}

static void read_lost(const struct collector *collector, struct books *books)
{
	const struct probe *probe = collector_probe(collector);
	int id;

	books->lost_count = probe_read_lost(probe, books->lost);
	for (id = 0; id < PROBES; id++)
		if (probe_is_up(probe, (enum probe_id)id))
			add_lost(books, (enum probe_id)id, "stepped_back",
				 collector_stepped_back(collector, (enum probe_id)id));
	add_lost(books, PROBE_SCHED, "cause_pairs_full", collector_causes_lost(collector));
	add_lost(books, PROBE_SCHED, "tasks", collector_tasks_lost(collector));
	add_lost(books, PROBE_CGROUP, "unnamed", collector_unnamed(collector));
	add_lost(books, PROBE_CGROUP, "registry_full", collector_cgroups_refused(collector));
	add_lost(books, PROBE_CGROUP, "owners_full", collector_owners_refused(collector));
	add_lost(books, PROBE_CGROUP, "no_memory", collector_accounts_lost(collector));
	if (probe_is_up(probe, PROBE_TCP))
		add_lost(books, PROBE_TCP, "no_memory", collector_queues_lost(collector));
	add_lost(books, PROBE_CGROUP, "unread", collector_members(collector)->registry.unread);
	add_lost(books, PROBE_CGROUP, "not_believed",
		 collector_members(collector)->registry.claims.refused);
}

void books_read(const struct collector *collector, struct books *books)
{
	const struct probe *probe = collector_probe(collector);
	int id;

	memset(books, 0, sizeof(*books));
	for (id = 0; id < PROBES; id++) {
		if (!probe_is_up(probe, (enum probe_id)id))
			continue;
		books->probe[id].attribution = probe_attribution(probe, (enum probe_id)id);
		books->probe[id].events = probe_events(probe, (enum probe_id)id);
		books->probe[id].cpu_known =
			probe_cpu_ns(probe, (enum probe_id)id, &books->probe[id].cpu_ns) == 0;
	}
	read_lost(collector, books);
	books->slots_used = collector_slots_used(collector);
	books->slots_free = probe_slots(probe) - 1 - books->slots_used;
}
