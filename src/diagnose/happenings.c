/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "diagnose/happenings.h"

#include <stdio.h>

#include "diagnose/format.h"
#include "diagnose/levels.h"
#include "util/array.h"

#define TEXT_SIZE 256

static const struct {
	enum signal_hist hist;
	double seconds;	  /* longer ones are news */
	const char *what; /* "... took up to 2.0s" */
} slow[] = {
	{SIGNAL_CPU_WAIT, 0.1, "a wait for a CPU"},
	{SIGNAL_BLOCK_READ, 0.5, "a read"},
	{SIGNAL_BLOCK_WRITE, 0.5, "a write"},
	{SIGNAL_FSYNC, 0.5, "an fsync"},
	{SIGNAL_CONNECT, 0.5, "opening a connection"},
	{SIGNAL_RESPONSE_SERVER, 1, "its answer"},
	{SIGNAL_RESPONSE_CLIENT, 1, "an answer to it"},
	{SIGNAL_MEMORY_STALL, 0.1, "a stall for memory"},
	{SIGNAL_BLOCKED, 1, "a sleep that nothing could interrupt"},
};

static const struct {
	enum trouble trouble;
	const char *what; /* "3 ..." */
} counted[] = {
	{TROUBLE_OOM_KILLS, "killed for lack of memory"},
	{TROUBLE_CONNECT_FAILURES, "connections failed"},
	{TROUBLE_FULL_QUEUE, "connections turned away by its full accept queue"},
	{TROUBLE_RESETS, "connections reset"},
};

/* Tells the upper bound of the bucket that the slowest value is in. */
static void tell_slow(const struct row *row, happening_fn each, void *context)
{
	char text[TEXT_SIZE], longest[FORMAT_SIZE];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(slow); i++) {
		double most = row_hist_quantile(&row->hist[slow[i].hist], 1);

		if (most <= slow[i].seconds)
			continue;
		format_seconds(longest, most);
		snprintf(text, sizeof(text), "%s took up to %s", slow[i].what, longest);
		each(context, text);
	}
}

static void tell_waits(struct happenings *state, const struct finding *finding, happening_fn each,
		       void *context)
{
	char text[TEXT_SIZE], percent[FORMAT_SIZE];
	int i;

	for (i = 0; i < WAIT_CAUSES; i++) {
		double share = finding->waits[i].share;
		bool begins = !state->waits[i] && share >= WAIT_BEGINS;
		bool ends = state->waits[i] && share < WAIT_ENDS;
		bool blames = begins && i == WAIT_CPU && finding->cause_count > 0;

		if (!begins && !ends)
			continue;
		state->waits[i] = begins;
		format_percent(percent, share);
		snprintf(text, sizeof(text), "%s, %s %%%s%s",
			 ends ? cause_kinds[i].less : cause_kinds[i].state, percent,
			 blames ? ": " : "", blames ? finding->causes[0].name : "");
		each(context, text);
	}
}

void happenings_find(struct happenings *state, const struct finding *finding, happening_fn each,
		     void *context)
{
	char text[TEXT_SIZE];
	size_t i;

	if (state->fresh)
		each(context, "ran for the first time");
	state->fresh = false;
	for (i = 0; i < ARRAY_SIZE(counted); i++) {
		const struct finding_trouble *trouble = &finding->troubles[counted[i].trouble];

		if (!trouble->is_bad)
			continue;
		snprintf(text, sizeof(text), "%.0f %s", trouble->count, counted[i].what);
		each(context, text);
	}
	tell_waits(state, finding, each, context);
	tell_slow(finding->row, each, context);
}
