/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Prints docs/metrics.md from the table of families: `make docs`. */
#include <stdio.h>

#include "metrics/families.h"

static const char *labels_of(const struct family *family)
{
	static const char *const labels[] = {
		[SCOPE_OWNER] = "container or unit",
		[SCOPE_PAIR] = "container or unit; by_namespace, by_pod, by_container or by_unit",
		[SCOPE_PROBE] = "probe",
		[SCOPE_SELF] = "",
	};

	return labels[family->scope];
}

static void print_family(const struct family *family)
{
	size_t i;

	printf("### %s\n\n%s\n\n- kind: %s\n", family->name, family->help,
	       family_kind_name(family->kind));
	if (labels_of(family)[0])
		printf("- labels: %s\n", labels_of(family));
	if (family->label) {
		printf("- %s: %s", family->scope == SCOPE_SELF ? "labels" : "further label",
		       family->label);
		for (i = 0; i < family->value_count; i++)
			printf("%s`%s`", i ? ", " : " = ", family->values[i]);
		putchar('\n');
	}
	if (family_in_cells(family) || family->scope == SCOPE_PAIR)
		printf("- probe: %s\n", probe_names[family->probe]);
	putchar('\n');
}

int main(void)
{
	int i;

	puts("# Metrics\n\n"
	     "Made by `make docs` from the table of families, src/metrics/families.c.\n\n"
	     "\"Container or unit\" stands for `namespace`, `pod`, `container` where the sample is "
	     "of a pod, and for `unit` alone where it is not: a system unit (`ssh.service`), "
	     "`kernel` for the root cgroup and the kernel's threads, `overflow` for cgroups for "
	     "which no slot was left, `unknown` for one that was gone before its path was known. "
	     "As "
	     "a cause there are also `by_unit=\"idle\"` (the CPU had nothing to run: it slept "
	     "deeply, or the waiting task was throttled) and `by_unit=\"other\"` (pairs that are "
	     "not kept apart). A pod whose names are not known yet goes by its uid, a container by "
	     "the first 12 digits of its id.\n\n"
	     "Classic histograms have the bounds 2^-20 s, 2^-18 s, ... 2^6 s: every eighth bound "
	     "of "
	     "those the kernel side counts in, so that merging them loses nothing. A histogram "
	     "that "
	     "has never counted is not exported.\n");
	for (i = 0; i < FAMILIES; i++)
		print_family(&families[i]);
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
	     "| sched | cause_pairs_full | a cause for which no pair was left; its time is in "
	     "`by_unit=\"other\"` |\n"
	     "| cgroup | ring_full | an event of a cgroup; the hierarchy is walked instead |\n"
	     "| cgroup | no_slot | a look-up that found no free slot; the sample is in "
	     "`unit=\"overflow\"` |\n"
	     "| cgroup | unnamed | a cgroup that was gone before its path was known; it is in "
	     "`unit=\"unknown\"` |\n"
	     "| cgroup | recursion | as above |");
	return 0;
}
