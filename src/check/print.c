/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "check/check.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "util/buf.h"

#define COLUMNS	     80
#define STATE_COLUMN 2
#define NAME_COLUMN  11
#define TEXT_COLUMN  35

const char *fact_state_name(enum fact_state state)
{
	static const char *const names[] = {"present", "missing", "off", "unknown", "unsuited"};

	return names[state];
}

/* The word before a fact. Capitals mean that it keeps the probe from running. */
static const char *mark(const struct fact *fact)
{
	switch (fact->state) {
	case FACT_PRESENT:
		return "ok";
	case FACT_MISSING:
		return fact->needed ? "MISSING" : "missing";
	case FACT_OFF:
		return fact->needed ? "OFF" : "off";
	case FACT_UNKNOWN:
	case FACT_UNSUITED:
		return "unknown";
	}
	return "";
}

/* Prints words from the column on that the cursor has reached. */
static void print_wrapped(FILE *out, int indent, const char *text)
{
	struct buf lines = {0};

	buf_wrap(&lines, text, indent, COLUMNS);
	if (!buf_failed(&lines))
		fputs(lines.data, out);
	else
		fprintf(out, "%s\n", text);
	buf_free(&lines);
}

/* Moves from column at to another, with at least one space, or on a new line if necessary. */
static void print_gap(FILE *out, int at, int column)
{
	if (at < column)
		fprintf(out, "%*s", column - at, "");
	else
		fprintf(out, "\n%*s", column, "");
}

static void print_labelled(FILE *out, const char *label, const char *text)
{
	char line[512];

	snprintf(line, sizeof(line), "%s: %s", label, text);
	fprintf(out, "%*s", NAME_COLUMN + 2, "");
	print_wrapped(out, NAME_COLUMN + 2, line);
}

/* Whether the same is to be said of two facts. */
static bool is_alike(const struct fact *a, const struct fact *b)
{
	return a->state == b->state && !strcmp(a->group, b->group) &&
	       !strcmp(a->purpose, b->purpose) && !strcmp(a->remedy, b->remedy);
}

/* next: the fact that follows, or NULL. What applies to both is printed there. */
static void print_fact(const struct fact *fact, const struct fact *next, FILE *out)
{
	fprintf(out, "%*s%s", STATE_COLUMN, "", mark(fact));
	print_gap(out, STATE_COLUMN + (int)strlen(mark(fact)), NAME_COLUMN);
	fputs(fact->name, out);
	if (fact->detail[0]) {
		print_gap(out, NAME_COLUMN + (int)strlen(fact->name), TEXT_COLUMN);
		print_wrapped(out, TEXT_COLUMN, fact->detail);
	} else {
		fputc('\n', out);
	}
	if (next && is_alike(fact, next))
		return;
	if (fact->state == FACT_MISSING || fact->state == FACT_OFF)
		print_labelled(out, "for", fact->purpose);
	if (fact->remedy[0])
		print_labelled(out, "to do", fact->remedy);
}

void check_print(const struct check_report *report, FILE *out)
{
	const char *group = "";
	size_t i;

	for (i = 0; i < report->count; i++) {
		const struct fact *fact = &report->facts[i];

		if (strcmp(group, fact->group) != 0)
			fprintf(out, "%s%s\n", i ? "\n" : "", fact->group);
		group = fact->group;
		print_fact(fact, i + 1 < report->count ? fact + 1 : NULL, out);
	}
	if (report->lacking)
		fprintf(out, "\nbramble cannot run here: %zu thing%s missing\n", report->lacking,
			report->lacking == 1 ? "" : "s");
	else
		fprintf(out, "\nbramble can run here\n");
}

int check_print_json(const struct check_report *report, FILE *out)
{
	json_t *facts = json_array(), *root;
	int err;
	size_t i;

	for (i = 0; i < report->count; i++) {
		const struct fact *fact = &report->facts[i];

		err = json_array_append_new(
			facts,
			json_pack("{s:s, s:s, s:s, s:b, s:s, s:s, s:s}", "name", fact->name,
				  "group", fact->group, "state", fact_state_name(fact->state),
				  "needed", fact->needed, "purpose", fact->purpose, "detail",
				  fact->detail, "remedy", fact->remedy));
		if (err) {
			json_decref(facts);
			return -ENOMEM;
		}
	}
	root = json_pack("{s:b, s:o}", "can_run", report->lacking == 0, "facts", facts);
	if (!root)
		return -ENOMEM;
	err = json_dumpf(root, out, JSON_INDENT(2)) ? -ENOMEM : 0;
	json_decref(root);
	fputc('\n', out);
	return err;
}
