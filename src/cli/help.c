/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "cli/flags.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define COLUMNS	    80
#define HELP_COLUMN 34

void flag_put_form(struct buf *out, const struct flag *flag)
{
	int i;

	if (flag->placeholder || !flag->choices)
		buf_puts(out, flag->placeholder ? flag->placeholder : "VALUE");
	else
		for (i = 0; flag->choices[i]; i++)
			buf_printf(out, "%s%s", i ? "|" : "", flag->choices[i]);
}

/* The column left of the help: --name=VALUE */
static void put_name(struct buf *out, const struct flag *flag)
{
	if (flag->type == FLAG_BOOL) {
		buf_printf(out, "  --[no-]%s", flag->name);
		return;
	}
	buf_printf(out, "  --%s=", flag->name);
	flag_put_form(out, flag);
	if (flag->type == FLAG_LIST)
		buf_puts(out, " ...");
}

/* Returns false without memory. */
static bool put_flag(struct buf *out, const struct flag *flag)
{
	struct buf left = {0}, right = {0};
	bool whole;

	put_name(&left, flag);
	buf_puts(&right, flag->help);
	if (flag->type == FLAG_LIST)
		buf_puts(&right, " May be repeated.");
	if (flag->fallback && *flag->fallback)
		buf_printf(&right, " (default: %s)", flag->fallback);
	whole = !buf_failed(&left) && !buf_failed(&right);
	if (whole) {
		buf_puts(out, left.data);
		if (left.len + 2 > HELP_COLUMN)
			buf_printf(out, "\n%*s", HELP_COLUMN, "");
		else
			buf_printf(out, "%*s", HELP_COLUMN - (int)left.len, "");
		buf_wrap(out, right.data, HELP_COLUMN, COLUMNS);
	}
	buf_free(&left);
	buf_free(&right);
	return whole;
}

/* How a variable sets a flag: by the example of the command's first one. False without memory. */
static bool put_environment(struct buf *out, const struct flag *example)
{
	const struct flag_text variable = flag_variable(example);
	struct buf text = {0};
	bool whole;

	buf_printf(&text,
		   "A flag that is not given has the value of its variable, if that is set: for "
		   "--%s it is %s. A switch takes 1, true, yes, on, 0, false, no or off there, and "
		   "what may be repeated has commas between.",
		   example->name, variable.text);
	whole = !buf_failed(&text);
	if (whole) {
		buf_putc(out, '\n');
		buf_wrap(out, text.data, 0, COLUMNS);
	}
	buf_free(&text);
	return whole;
}

int flags_help(const struct flag_command *command, struct buf *out)
{
	bool whole = true;
	size_t i;

	buf_printf(out, "usage: %s%s%s%s\n\n", command->name,
		   command->flag_count ? " [FLAG...]" : "", command->args ? " " : "",
		   command->args ? command->args : "");
	buf_wrap(out, command->help, 0, COLUMNS);
	buf_puts(out, "\nFlags:\n");
	buf_printf(out, "%-*s%s\n", HELP_COLUMN, "  -h, --help", "Show this help.");
	for (i = 0; i < command->flag_count; i++)
		whole &= put_flag(out, &command->flags[i]);
	if (command->flag_count)
		whole &= put_environment(out, &command->flags[0]);
	return whole && !buf_failed(out) ? 0 : -ENOMEM;
}

static void put_table_row(struct buf *out, const struct flag *flag)
{
	const struct flag_text variable = flag_variable(flag);
	int i;

	buf_printf(out, "flag\t%s\t%s\t", flag->name,
		   flag->type == FLAG_BOOL   ? "bool"
		   : flag->type == FLAG_LIST ? "list"
					     : "value");
	if (flag->type != FLAG_BOOL)
		flag_put_form(out, flag);
	buf_puts(out, "\t");
	for (i = 0; flag->choices && flag->choices[i]; i++)
		buf_printf(out, "%s%s", i ? "," : "", flag->choices[i]);
	buf_printf(out, "\t%s\t%s\t%s\n", flag->fallback ? flag->fallback : "", flag->help,
		   variable.text);
}

int flags_table(const struct flag_command *command, struct buf *out)
{
	size_t i;

	buf_printf(out, "about\t%s\n", command->help);
	if (command->args)
		buf_printf(out, "args\t%s\n", command->args);
	for (i = 0; i < command->flag_count; i++)
		put_table_row(out, &command->flags[i]);
	return buf_failed(out) ? -ENOMEM : 0;
}
