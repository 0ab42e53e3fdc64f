/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "node/interrupts.h"

#include <limits.h>
#include <unistd.h>

#include "bramble/growth.h"
#include "util/array.h"
#include "util/clock.h"
#include "util/livefile.h"
#include "util/procstat.h"
#include "util/slice.h"

/* The lines of the CPUs are the first ones: 10 numbers each. */
#define TEXT_SIZE    16384

/* The times of a CPU may step back by a tick or so, or further if the CPU was restarted. */
#define STEP_BACK_NS NS_PER_S

void interrupts_open(struct interrupts *interrupts, const char *procfs)
{
	*interrupts = (struct interrupts){.fd = live_open(procfs, "stat")};
}

static void set(struct interrupts *interrupts, struct interrupt_cpu *entry,
		enum interrupt_kind kind, uint64_t ticks)
{
	uint64_t *last_ns, ns = proc_ticks_ns(ticks);

	entry->ns[kind] = ns;
	if (entry->cpu >= INTERRUPTS_CPUS_MAX)
		return;
	last_ns = &interrupts->last_ns[entry->cpu][kind];
	entry->ns[kind] = *last_ns = not_lower(ns, *last_ns, STEP_BACK_NS);
}

/* The kernel writes the CPUs in order. Anything out of order is not a CPU, and none comes twice. */
static void add(struct interrupts *interrupts, unsigned int cpu, uint64_t irq, uint64_t softirq)
{
	struct interrupt_cpu *entry = &interrupts->cpus[interrupts->count];

	if (interrupts->count && cpu <= entry[-1].cpu)
		return;
	interrupts->count++;
	entry->cpu = cpu;
	set(interrupts, entry, INTERRUPT_HARD, irq);
	set(interrupts, entry, INTERRUPT_SOFT, softirq);
}

/* A line without its first "cpu": "0 USER NICE SYSTEM IDLE IOWAIT IRQ SOFTIRQ STEAL ..." */
static void take_line(struct interrupts *interrupts, struct slice line)
{
	uint64_t number[8]; /* the CPU's, and its times, see proc_stat(5) */
	struct slice word;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(number); i++)
		if (!slice_next_word(&line, ' ', &word) ||
		    !slice_number(word, UINT64_MAX, &number[i]))
			return;
	if (number[0] <= UINT_MAX && interrupts->count < INTERRUPTS_CPUS_MAX)
		add(interrupts, (unsigned int)number[0], number[6], number[7]);
}

void interrupts_read(struct interrupts *interrupts)
{
	char text[TEXT_SIZE];
	struct slice rest, line;

	interrupts->count = 0;
	if (interrupts->fd < 0 || live_read(interrupts->fd, text, sizeof(text)) <= 0)
		return;
	rest = slice_of(text);
	while (slice_cut(&rest, '\n', &line), slice_drop_prefix(&line, "cpu"))
		if (!slice_starts(line, " ")) /* "cpu ...": all CPUs together */
			take_line(interrupts, line);
}

void interrupts_close(struct interrupts *interrupts)
{
	if (interrupts->fd >= 0)
		close(interrupts->fd);
}
