/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Prints docs/metrics.md from the table of families: `make docs`. */
#include <stdio.h>
#include <string.h>

#include "expose/classic.h"
#include "metrics/families.h"

static const char *labels_of(const struct family *family)
{
	static const char *const labels[] = {
		[SCOPE_OWNER] = "container or unit",
		[SCOPE_PAIR] = "container or unit; by_namespace, by_pod, by_container or by_unit; "
			       "by_job for by_unit=\"kernel\"",
		[SCOPE_FINDING] =
			"container or unit; by_namespace, by_pod, by_container or by_unit if "
			"others caused it",
		[SCOPE_NODE] = "",
		[SCOPE_POD] = "namespace, pod, container (empty)",
		[SCOPE_CONTAINER] = "namespace, pod, container",
		[SCOPE_PROBE] = "probe",
		[SCOPE_SELF] = "",
	};

	return labels[family->scope];
}

static void print_label(const char *name, const char *const *values, size_t count)
{
	size_t i;

	printf("%s", name ? name : "");
	for (i = 0; i < count; i++)
		printf("%s`%s`", i ? ", " : " = ", values[i]);
}

static bool is_of_owner(const struct family *family)
{
	return family->source != SOURCE_NONE;
}

static bool is_counted_by_probe(const struct family *family)
{
	return family_in_cells(family) || family->source == SOURCE_PORTS ||
	       family->source == SOURCE_PEERS;
}

static void print_family(const struct family *family)
{
	size_t i;

	printf("### %s\n\n%s\n\n- kind: %s\n", family->name, family->help,
	       family_kind_name(family->kind));
	if (labels_of(family)[0])
		printf("- labels: %s\n", labels_of(family));
	for (i = 0; family->scope == SCOPE_NODE && i < NODE_LABELS_MAX; i++)
		if (node_label_names(family->node)[i])
			printf("%s%s", i ? ", " : "- labels: ", node_label_names(family->node)[i]);
	if (family->scope == SCOPE_NODE && node_label_names(family->node)[0])
		putchar('\n');
	if (is_of_owner(family) && family_account_labels(family)[0]) {
		printf("- further labels: %s", family_account_labels(family)[0]);
		for (i = 1; family_account_labels(family)[i]; i++)
			printf(", %s", family_account_labels(family)[i]);
		putchar('\n');
	}
	if (family->label) {
		bool many = family->inner_label || strchr(family->label, ',');

		printf("- %s: ", family->scope == SCOPE_SELF ? "labels"
				 : many			     ? "further labels"
							     : "further label");
		print_label(family->label, family->values, family->value_count);
		if (family->inner_label)
			printf("; ");
		print_label(family->inner_label, family->inner_values, family->inner_count);
		putchar('\n');
	}
	if (is_counted_by_probe(family) || family->scope == SCOPE_PAIR)
		printf("- probe: %s\n", probe_names[family->probe]);
	putchar('\n');
}

/* How many series one container has of a family, in each format. */
struct series {
	size_t classic, created, native;
};

static struct series series_of(const struct family *family)
{
	size_t count = family_value_count(family);
	size_t lines = CLASSIC_BOUNDS + 3; /* +Inf, _sum, _count */

	if (family->kind == KIND_HISTOGRAM)
		return (struct series){count * lines,
				       count * (lines + family_begins_with_owner(family)), count};
	if (family->kind == KIND_COUNTER && family_begins_with_owner(family))
		return (struct series){count, 2 * count, count};
	return (struct series){count, count, count};
}

/* A container has these series once for each account. */
static void print_for_each(const struct family *family)
{
	const char *const *labels = family_account_labels(family);

	if (family->source == SOURCE_PEERS)
		printf(", for each peer");
	else if (labels[0])
		printf(", for each %s", labels[0]);
	if (family_in_cells(family) && labels[0] && labels[1])
		printf(" and %s", labels[1]);
}

static void print_series(void)
{
	struct series sum = {0}, series;
	const struct family *family;

	puts("## Series of one container\n"
	     "\n"
	     "A classic histogram has a series for each bound. A native one (protobuf) is one "
	     "series. With `--metrics.created`, OpenMetrics has one more series, `_created`, for "
	     "each counter and histogram. `bramble_cpu_wait_caused_seconds_total` has one series "
	     "for each neighbour that made the container wait, at most 4096 on the whole node. A "
	     "container has at most 16 peers and `other`, and 8 ports and `other` "
	     "([tcp.md](tcp.md#more-peers-and-ports-than-places)).\n"
	     "\n"
	     "| family | classic | with `_created` | native |\n"
	     "|---|---|---|---|");
	for (family = families; family < families + FAMILIES; family++) {
		if (!is_counted_by_probe(family))
			continue;
		series = series_of(family);
		printf("| %s", family->name);
		print_for_each(family);
		printf(" | %zu | %zu | %zu |\n", series.classic, series.created, series.native);
		sum.classic += series.classic;
		sum.created += series.created;
		sum.native += series.native;
	}
	printf("| all | %zu | %zu | %zu |\n\n", sum.classic, sum.created, sum.native);
}

int main(void)
{
	int i;

	puts("# Metrics\n"
	     "\n"
	     "Made by `make docs` from the table of families, src/metrics/families.def.\n"
	     "\n"
	     "**Labels.** \"Container or unit\" stands for the labels `namespace`, `pod` and "
	     "`container`, which every such sample has. Outside Kubernetes, `namespace` and `pod` "
	     "are empty. Whatever is not a container has an empty `container`, too, and has the "
	     "label `unit`:\n"
	     "\n"
	     "| unit | |\n"
	     "|---|---|\n"
	     "| `ssh.service`, for example | a system unit |\n"
	     "| `root` | processes in the root cgroup |\n"
	     "| `kernel` | the kernel's threads, and what the kernel does in nobody's name |\n"
	     "| `overflow` | cgroups for which no slot was left |\n"
	     "| `unknown` | cgroups that were gone before their path was known |\n"
	     "\n"
	     "Prometheus does not store empty labels. They are written so that a scraper with "
	     "`honor_labels` does not fill in the labels of its target ([how to "
	     "scrape](exposition.md#labels-of-the-target)).\n"
	     "\n"
	     "**Causes.** A cause has `by_namespace`, `by_pod` and `by_container`; or only "
	     "`by_container`; or only `by_unit`. What does not apply is left out. There are two "
	     "special causes. `by_unit=\"idle\"` means that the CPU had nothing to run: it slept "
	     "deeply, or the waiting task was throttled. `by_unit=\"other\"` stands for pairs that "
	     "are not kept apart. A pod whose name cannot be found goes by its uid, and a "
	     "container by the first 12 digits of its id.\n"
	     "\n"
	     "**Classic histograms** have the bounds 2^-20 s, 2^-18 s, ... 2^6 s. The kernel side "
	     "counts in finer buckets, and these are every eighth bound of them, so merging loses "
	     "nothing. A histogram that has never counted anything is not exported.\n"
	     "\n"
	     "**Native histograms** have the finer bounds themselves: schema 2, four buckets for "
	     "each power of two. Values up to 2^-20 s are in the zero bucket. Values above 2^7 s "
	     "are in the bucket that begins there.\n");
	for (i = 0; i < FAMILIES; i++)
		print_family(&families[i]);
	print_series();
	puts("## Why a client was turned away\n"
	     "\n"
	     "| reason of bramble_web_refused_total | |\n"
	     "|---|---|\n"
	     "| plain_http | it spoke plain HTTP where TLS is on; it was answered with 400 |\n"
	     "| tls_to_plain | it spoke TLS where TLS is off |\n"
	     "| no_tls | it spoke neither TLS nor HTTP where TLS is on |\n"
	     "| version | it offers no version of TLS that is allowed |\n"
	     "| cipher | it offers no cipher suite and curve that are allowed and fit our key |\n"
	     "| group_or_signature | it offers no group that GnuTLS has, or no signature algorithm "
	     "that our key can make |\n"
	     "| no_certificate | it has no certificate, and client_auth_type asks for one |\n"
	     "| unknown_ca | its certificate is not from the CA of client_ca_file |\n"
	     "| expired | its certificate has expired, or is not valid yet |\n"
	     "| name | no name of its certificate is in client_allowed_sans |\n"
	     "| bad_certificate | its certificate is not one for clients, or has a weak signature "
	     "|\n"
	     "| handshake | it ended the handshake itself, mostly because it does not trust our "
	     "certificate |\n"
	     "| unfinished | the handshake failed in another way, and GnuTLS does not tell why "
	     "|\n"
	     "| connections | there were too many connections from its network, or in all |\n"
	     "| slow_request | it sent no whole request in time |\n"
	     "| slow_reader | it did not take its reply in time |\n"
	     "| bad_request | it sent something that RFC 9112 does not allow, and got 400, 411, "
	     "413, 417 or 501 |\n"
	     "| password | it sent no user and password, or wrong ones, and got 401 |\n"
	     "| too_many | it tried too many passwords, or asked more often than rate_limit "
	     "allows, "
	     "and got 429 |\n");
	puts("## Why the kubelet was not read\n"
	     "\n"
	     "| reason | |\n"
	     "|---|---|\n"
	     "| connect | no connection, or it broke before the reply |\n"
	     "| timeout | no reply in 15 s, or only a part of it; no connection in 5 s |\n"
	     "| tls | no TLS, or a certificate that the CA did not sign or that names another host "
	     "|\n"
	     "| ca | the CA file cannot be used |\n"
	     "| token | the token file cannot be read, or contains no token |\n"
	     "| unauthorized | status 401: the kubelet does not accept the token |\n"
	     "| forbidden | status 403: a rule is missing, verb get on nodes/pods or nodes/proxy "
	     "|\n"
	     "| not_found | status 404: not a kubelet, or one without its debugging handlers |\n"
	     "| status | any other status than 200 |\n"
	     "| too_large | more than 32 MiB, or a pod of more than 2 MiB |\n"
	     "| truncated | the reply ended too early |\n"
	     "| malformed | the reply is not a list |\n"
	     "| memory | memory ran out |\n"
	     "| bad_pod | a pod without a valid uid, namespace or name; the others were read |\n"
	     "| duplicate | a second pod with the same uid; the first was used |\n"
	     "| too_many | a pod beyond the first 4096 |\n");
	puts("## What was lost\n"
	     "\n"
	     "| probe | reason | what it counts |\n"
	     "|---|---|---|\n"
	     "| sched | no_wakeup | a task ran, and the beginning of its wait was not seen: the "
	     "task was ready before the probe was attached, or the beginning was lost otherwise. "
	     "The wait is not counted |\n"
	     "| sched | no_switch | a task left the CPU, and was not seen to get it. The wait "
	     "before that is not counted |\n"
	     "| sched | collision | the beginning of a wait was replaced by that of another task. "
	     "That wait is also counted as no_wakeup |\n"
	     "| sched | clock | a wait ended on a CPU whose clock was behind. It is not counted |\n"
	     "| sched | recursion | an event came while its program was running on that CPU |\n"
	     "| sched | stepped_back | a count was lower than at the reading before. It added "
	     "nothing, and continues from there |\n"
	     "| sched | cause_pairs_full | no pair was left for a cause. Its time is in "
	     "`by_unit=\"other\"` |\n"
	     "| sched | tasks | a task came or went unseen, as a count of the container's tasks "
	     "has "
	     "shown. For some seconds, its sleep was missing or too much |\n"
	     "| fsync | no_beginning | an fsync was on its way when the probe was attached, or "
	     "there "
	     "was no place to remember it: 3072 threads can be in one at a time, and once half of "
	     "the places are taken, 128 of a pod or unit. It is not counted |\n"
	     "| fsync | clock | an fsync ended on a CPU whose clock was behind. It is not counted "
	     "|\n"
	     "| fsync | recursion, stepped_back | as above |\n"
	     "| memory | no_beginning, clock, recursion, stepped_back | the same for reclaims |\n"
	     "| memory | victim_forgotten | a task that the kernel killed was forgotten before it "
	     "exited, because the kernel killed more tasks at a time than are remembered (1024, "
	     "and 128 for each CPU). If it was killed for lack of memory, the OOM kill is not "
	     "counted |\n"
	     "| tcp | no_place | a socket found no place among the known ones, or its pod or unit "
	     "has "
	     "more than its part of them. Counted when the "
	     "socket was connected, failed to connect, or listened, and at each of its sends and "
	     "receives ([tcp.md](tcp.md)) |\n"
	     "| tcp | no_owner | something happened to a socket whose cgroup was not known (yet). "
	     "A connection, a reset or a retransmit is not counted |\n"
	     "| tcp | clock | a turn or a connect ended on a CPU whose clock was behind. It is not "
	     "counted |\n"
	     "| tcp | long_send | the first send of an answer may have waited for its reader. The "
	     "answer is not in the histogram |\n"
	     "| tcp | overtaken | a question was sent while unread data was there that nobody had "
	     "asked for. That data may be the answer, which came before the send returned. It is "
	     "not in the histogram |\n"
	     "| tcp | stream | an exchange on a stream took so long that it may not be an "
	     "exchange. It is not in the histogram ([tcp.md](tcp.md)) |\n"
	     "| tcp | unanswered | the side that asked spoke again before any answer, after a "
	     "silence or after few bytes. The turn begins anew there. HTTP/2 has many of these |\n"
	     "| tcp | unpaired | without BTF: the record of a connection was not seen. It is "
	     "counted for `peer_ip=\"other\"` or `port=\"other\"` |\n"
	     "| tcp | peers_full | a connect to a peer that has no place, because its container "
	     "has "
	     "16, or its pod or unit its part of all. It is counted for `peer_ip=\"other\"` |\n"
	     "| tcp | ports_full | the same for a connection to a port of its own: 8, and "
	     "`port=\"other\"` |\n"
	     "| tcp | recursion, stepped_back | as above. Also a gauge that fell below zero, which "
	     "is shown as 0 |\n"
	     "| block | no_issue | a request ended, and its issue was not seen. For example, it "
	     "was at the device when the probe began |\n"
	     "| block | no_complete | the end of a request was not seen, which shows when the "
	     "kernel uses the request again. It is not counted. Under heavy load the kernel has "
	     "been seen to skip the programs for a few of 100,000 ends, at worst for one of 100 |\n"
	     "| block | unpaired | without BTF: the record of a request was not seen. It is "
	     "counted for `device=\"unknown\"`, or with what its record said when it was created "
	     "|\n"
	     "| block | requests_full | there was no room for a request among the 8192 that are "
	     "remembered. It is not counted, and its end is also counted as no_issue. Requests "
	     "that were last seen over a minute ago then make room |\n"
	     "| block | cells_full | a request belongs to a container, device and op beyond the "
	     "2048 that are kept apart. It is in `unit=\"overflow\"`, or is not counted if there "
	     "is no room there |\n"
	     "| block | clock | a request ended on a CPU whose clock was behind. It is in no "
	     "histogram |\n"
	     "| block | recursion, stepped_back | as above |\n"
	     "| cgroup | ring_full | an event of a cgroup had no place. The hierarchy is walked "
	     "instead, at the next update |\n"
	     "| cgroup | no_slot | a look-up found no free slot. The sample is in "
	     "`unit=\"overflow\"` |\n"
	     "| cgroup | slot_quota | a look-up of a cgroup that has no slot of its own, because "
	     "its unit's quota is used up. The sample is counted for the unit |\n"
	     "| cgroup | unnamed | a cgroup was gone before its path was known. It is in "
	     "`unit=\"unknown\"` |\n"
	     "| cgroup | registry_full | there was no place for a cgroup among those that bramble "
	     "knows ([bounds](architecture.md#bounds)). If something is counted for it, it is "
	     "looked for then |\n"
	     "| cgroup | owners_full | there were too many containers or units. One has no series "
	     "of its own: it counts in `unit=\"overflow\"`, or what nobody had read of it when it "
	     "was removed does |\n"
	     "| cgroup, tcp | no_memory | counts found no memory as two containers became one, as "
	     "one was removed whose counts stay in a sum, or as an accept queue overflowed. They "
	     "are missing |\n"
	     "| cgroup | unread | a walk of the hierarchy left out a directory of cgroups: it "
	     "could "
	     "not be opened, or there are more than 16384 in one container or unit. The cgroups in "
	     "it have no name if their creation was not seen, and their end is not known if it was "
	     "not seen |\n"
	     "| cgroup | not_believed | a cgroup was made whose path looks like that of a pod or a "
	     "container, but it is not believed, or another cgroup is that one. It is counted for "
	     "what it is in: see [naming.md](naming.md#which-paths-are-believed) |\n"
	     "| cgroup | stepped_back | the same for pressures, and for counters in the files of "
	     "cgroups |\n"
	     "| cgroup | recursion | as above |");
	return 0;
}
