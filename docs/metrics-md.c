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
		[SCOPE_PAIR] = "container or unit; by_namespace, by_pod, by_container or by_unit",
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
	if (family_in_cells(family) && cell_label_names[family->probe][0]) {
		printf("- further labels: %s", cell_label_names[family->probe][0]);
		for (i = 1; i < CELL_LABELS_MAX && cell_label_names[family->probe][i]; i++)
			printf(", %s", cell_label_names[family->probe][i]);
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
	if (family_in_cells(family) || family->scope == SCOPE_PAIR)
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
		return (struct series){count * lines, count * (lines + 1), count};
	if (family->kind == KIND_COUNTER)
		return (struct series){count, 2 * count, count};
	return (struct series){count, count, count};
}

static void print_series(void)
{
	struct series sum = {0}, series;
	const struct family *family;

	puts("## Series of one container\n\n"
	     "Classic histograms have a series for each bound, native ones (protobuf) are one. "
	     "With `--metrics.created` OpenMetrics has one more, `_created`, for each counter and "
	     "histogram. `bramble_cpu_wait_caused_seconds_total` has one "
	     "for each neighbour that made the container wait, 4096 on the whole node at most.\n\n"
	     "| family | classic | with `_created` | native |\n|---|---|---|---|");
	for (family = families; family < families + FAMILIES; family++) {
		const char *const *labels = cell_label_names[family->probe];

		if (!family_in_cells(family))
			continue;
		series = series_of(family);
		printf("| %s%s%s%s%s | %zu | %zu | %zu |\n", family->name,
		       labels[0] ? ", for each " : "", labels[0] ? labels[0] : "",
		       labels[1] ? " and " : "", labels[1] ? labels[1] : "", series.classic,
		       series.created, series.native);
		sum.classic += series.classic;
		sum.created += series.created;
		sum.native += series.native;
	}
	printf("| all | %zu | %zu | %zu |\n\n", sum.classic, sum.created, sum.native);
}

int main(void)
{
	int i;

	puts("# Metrics\n\n"
	     "Made by `make docs` from the table of families, src/metrics/families.c.\n\n"
	     "\"Container or unit\" stands for `namespace`, `pod`, `container`, which every such "
	     "sample has. Outside of Kubernetes `namespace` and `pod` are empty. What is no "
	     "container has an empty `container`, too, and `unit`: a system unit (`ssh.service`), "
	     "`root` for processes in the root cgroup, `kernel` for the kernel's threads and what "
	     "it does in nobody's name, `overflow` for cgroups for which no slot was left, "
	     "`unknown` for one that was gone before its path was known. "
	     "Prometheus stores no empty labels; they are written so that a scraper with "
	     "`honor_labels` does not put its target's there "
	     "([how to scrape](exposition.md#labels-of-the-target)).\n\n"
	     "A cause has `by_namespace`, `by_pod` and `by_container`, or `by_container` alone, or "
	     "`by_unit`: what does not apply is left out. As "
	     "a cause there are also `by_unit=\"idle\"` (the CPU had nothing to run: it slept "
	     "deeply, or the waiting task was throttled) and `by_unit=\"other\"` (pairs that are "
	     "not kept apart). A pod whose name cannot be found goes by its uid, a container by "
	     "the first 12 digits of its id.\n\n"
	     "Classic histograms have the bounds 2^-20 s, 2^-18 s, ... 2^6 s: every eighth bound "
	     "of "
	     "those the kernel side counts in, so that merging them loses nothing. A histogram "
	     "that "
	     "has never counted is not exported.\n\n"
	     "Native histograms have these bounds themselves: schema 2, four buckets for each "
	     "power of "
	     "two. Values up to 2^-20 s are the zero bucket, those above 2^7 s are in the bucket "
	     "that "
	     "begins there.\n");
	for (i = 0; i < FAMILIES; i++)
		print_family(&families[i]);
	print_series();
	puts("## Why a client was turned away\n\n"
	     "| reason of bramble_web_refused_total | |\n|---|---|\n"
	     "| plain_http | it spoke plain HTTP where TLS is on; it was answered with 400 |\n"
	     "| tls_to_plain | it spoke TLS where TLS is off |\n"
	     "| no_tls | it spoke neither where TLS is on |\n"
	     "| version | it has no version of TLS that is allowed |\n"
	     "| cipher | it has no cipher suite and curve that are allowed and fit our key |\n"
	     "| group_or_signature | it has no group that GnuTLS has, or no signature algorithm "
	     "that our key can make |\n"
	     "| no_certificate | it has none, and client_auth_type asks for one |\n"
	     "| unknown_ca | its certificate is of another CA than client_ca_file's |\n"
	     "| expired | its certificate has expired, or is not valid yet |\n"
	     "| name | no name of its certificate is in client_allowed_sans |\n"
	     "| bad_certificate | its certificate is not one for clients, or is signed too weakly "
	     "|\n"
	     "| handshake | it ended the handshake, mostly as it does not trust our certificate "
	     "|\n"
	     "| unfinished | the handshake failed otherwise, and GnuTLS does not tell why |\n");
	puts("## Why the kubelet was not read\n\n"
	     "| reason | |\n|---|---|\n"
	     "| connect | no connection, or it broke before the reply |\n"
	     "| timeout | no reply in 15 s, or not all of it; no connection in 5 s |\n"
	     "| tls | no TLS, or a certificate that is not signed by the CA or names another host "
	     "|\n"
	     "| ca | the CA file cannot be used |\n"
	     "| token | the token file cannot be read, or has no token in it |\n"
	     "| unauthorized | status 401: it does not take the token |\n"
	     "| forbidden | status 403: a rule is missing, verb get on nodes/pods or nodes/proxy "
	     "|\n"
	     "| not_found | status 404: no kubelet, or without its debugging handlers |\n"
	     "| status | any other status than 200 |\n"
	     "| too_large | more than 32 MiB, or a pod of more than 2 MiB |\n"
	     "| truncated | the reply ended too early |\n"
	     "| malformed | the reply is no list |\n"
	     "| memory | memory ran out |\n"
	     "| bad_pod | a pod without a valid uid, namespace or name; the others were read |\n"
	     "| duplicate | a second pod of one uid; the first was taken |\n"
	     "| too_many | a pod beyond the first 4096 |\n");
	puts("## What was lost\n\n"
	     "| probe | reason | |\n|---|---|---|\n"
	     "| sched | no_wakeup | a task ran whose wait's beginning was not seen: it was ready "
	     "before the probe was attached, or its beginning was lost otherwise; the wait is not "
	     "counted |\n"
	     "| sched | no_switch | a task left the CPU that was not seen to get it; the wait "
	     "before "
	     "is not counted |\n"
	     "| sched | collision | the beginning of a wait gave way to another task's; that wait "
	     "is counted as no_wakeup, too |\n"
	     "| sched | clock | a wait ended on a CPU whose clock was behind; not counted |\n"
	     "| sched | recursion | an event that came while its program was running on that CPU "
	     "|\n"
	     "| sched | stepped_back | a count that was lower than at the reading before: it added "
	     "nothing, and goes on from there |\n"
	     "| sched | cause_pairs_full | a cause for which no pair was left; its time is in "
	     "`by_unit=\"other\"` |\n"
	     "| fsync | no_beginning | an fsync that was on its way when the probe was attached, "
	     "or "
	     "whose beginning gave way to those of 1024 other threads; not counted |\n"
	     "| fsync | clock | one that ended on a CPU whose clock was behind; not counted |\n"
	     "| fsync | recursion, stepped_back | as above |\n"
	     "| memory | no_beginning, clock, recursion, stepped_back | the same of reclaims |\n"
	     "| memory | victim_forgotten | a task that the kernel killed, forgotten before it "
	     "exited, as the kernel killed more at a time than are remembered (1024 and 128 for "
	     "each CPU); if it was for want of memory, the OOM kill is not counted |\n"
	     "| tcp | no_place | a socket that found no place among the known ones: when it was "
	     "connected, had failed to, or listened, and at each send and receive of one of them "
	     "([tcp.md](tcp.md)) |\n"
	     "| tcp | no_owner | something happened to a socket whose cgroup was not known (yet): "
	     "a "
	     "connection, a reset or a retransmit is not counted |\n"
	     "| tcp | clock | a turn or a connect ended on a CPU whose clock was behind; not "
	     "counted "
	     "|\n"
	     "| tcp | long_send | an answer whose first send may have waited for its reader; not "
	     "in "
	     "the histogram |\n"
	     "| tcp | overtaken | a question that was sent while data lay unread that nobody had "
	     "asked for: it may be its answer, come before the send had returned; not in the "
	     "histogram |\n"
	     "| tcp | stream | an exchange on a stream that took so long that it need not have "
	     "been "
	     "one; not in the histogram ([tcp.md](tcp.md)) |\n"
	     "| tcp | unanswered | who had asked spoke again before any answer, after a silence, "
	     "or "
	     "after few bytes: the turn begins anew there; HTTP/2 has many of these |\n"
	     "| tcp | recursion, stepped_back | as above; also a gauge that fell below zero, which "
	     "shows 0 |\n"
	     "| block | no_issue | a request ended that was not seen to be issued, such as one "
	     "that "
	     "was at the device when the probe began |\n"
	     "| block | no_complete | a request was issued whose end was not seen, known when the "
	     "kernel uses it again; not counted. Under much load the kernel has been seen to "
	     "leave out the programs for a few of 100,000 ends, at worst one of 100 |\n"
	     "| block | unpaired | without BTF: a request whose record was not seen; it is counted "
	     "for `device=\"unknown\"`, or as what it was when it was made |\n"
	     "| block | requests_full | a request for which there was no room among the 8192 that "
	     "are remembered; not counted, and its end is counted as no_issue, too. What was last "
	     "seen over a minute ago then makes room |\n"
	     "| block | cells_full | a request of a container, device and op beyond the 2048 that "
	     "are kept apart; it is in `unit=\"overflow\"`, or, with no room there, not counted |\n"
	     "| block | clock | a request ended on a CPU whose clock was behind; it is in no "
	     "histogram |\n"
	     "| block | recursion, stepped_back | as above |\n"
	     "| cgroup | ring_full | an event of a cgroup; the hierarchy is walked instead, at the "
	     "next update |\n"
	     "| cgroup | no_slot | a look-up that found no free slot; the sample is in "
	     "`unit=\"overflow\"` |\n"
	     "| cgroup | unnamed | a cgroup that was gone before its path was known; it is in "
	     "`unit=\"unknown\"` |\n"
	     "| cgroup | unread | a directory of cgroups that a walk of the hierarchy could not "
	     "look "
	     "into: the cgroups in it have no name if their making was not seen, and their end is "
	     "not known if that was not |\n"
	     "| cgroup | stepped_back | the same of pressures, and of counters in the files of "
	     "cgroups |\n"
	     "| cgroup | recursion | as above |");
	return 0;
}
