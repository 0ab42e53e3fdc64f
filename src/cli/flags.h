/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Reads the command line with a table of flags, in the way of Prometheus' exporters: --name=value,
 * --name value, --flag and --no-flag, without abbreviations. "--" ends the flags. -h and --help ask
 * for help.
 *
 * A flag that is not on the command line has the value of its variable in the environment, if that
 * is set: BRAMBLE_KUBE_CA_FILE for --kube.ca-file. A switch takes 1, true, yes, on, 0, false, no or
 * off there, in any case; a list has commas between its values. An empty variable counts as not
 * set, unless the flag may be empty. A variable that is no flag's is left alone: it may be a flag
 * of another command, or one that Kubernetes sets for a Service called bramble. Those end in
 * _SERVICE_HOST, _SERVICE_PORT[_NAME], _PORT or _PORT_<number>_TCP and the like, and no flag may
 * have a name that does.
 *
 * Nothing here is kept between calls. Values of type string and list point into argv, the
 * environment, the table, or into what the list owns.
 */
#ifndef BRAMBLE_FLAGS_H
#define BRAMBLE_FLAGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/buf.h"

enum flag_type {
	FLAG_BOOL,
	FLAG_STRING,
	FLAG_LIST,     /* may be repeated; what is given replaces the default */
	FLAG_DURATION, /* nanoseconds, written 250ms, 5m or 1h30m */
	FLAG_UINT,
	FLAG_CHOICE, /* index into choices */
};

struct flag_list {
	const char **values; /* owned: flag_list_free() */
	size_t count;
	char *text; /* owned: what the values are in if they come from a variable */
};

struct flag {
	const char *name; /* without the dashes; "no-" is put before it for a FLAG_BOOL */
	enum flag_type type;
	union { /* where the value goes, by type */
		bool *boolean;
		const char **string;
		struct flag_list *list;
		uint64_t *number; /* FLAG_DURATION, FLAG_UINT */
		int *choice;
	} to;
	/*
	 * The default, as it would be written after "=" ("on" or "off" for a FLAG_BOOL). NULL: the
	 * value is left as it was, or is an empty list for a FLAG_LIST.
	 */
	const char *fallback;
	const char *const *choices; /* ended by NULL */
	uint64_t min, max;	    /* FLAG_DURATION in ns, FLAG_UINT; max 0 means no upper bound */
	bool may_be_empty;	    /* FLAG_STRING: an empty value means something */
	const char *placeholder;    /* of the value, in the help: "FILE" */
	const char *help;	    /* one sentence */
};

#define FLAGS_MAX 64

struct flag_command {
	const char *name; /* as typed: "bramble serve" */
	const char *help; /* what it does, a sentence or a few */
	const struct flag *flags;
	size_t flag_count; /* at most FLAGS_MAX */
	const char *args;  /* the positional arguments in the help; NULL: none are taken */
	size_t min_args;   /* fewer are wrong usage */
};

#define FLAG_VARIABLE_PREFIX "BRAMBLE_"

/* A flag as a user writes it: "--kube.ca-file", or the name of its variable. */
struct flag_text {
	char text[64];
};

/* The name of a flag's variable. The flag's own name has to fit. */
struct flag_text flag_variable(const struct flag *flag);

#define FLAGS_HELP  1
#define FLAGS_TABLE 2

/*
 * Sets every value to its default, then reads argv[0] to argv[*argc - 1] (the
 * words after the command), then the environment. The positional arguments are moved to the front
 * of argv, and *argc is their number then. *from_environment has a bit for each row of the table
 * that a variable has set.
 *
 * Returns 0; FLAGS_HELP if help was asked for; FLAGS_TABLE if --help-table was given; -EINVAL if
 * the usage is wrong: error then holds one line without a newline; -ENOMEM. Lists are to be freed
 * in every case.
 */
int flags_parse(const struct flag_command *command, int *argc, char **argv,
		uint64_t *from_environment, char *error, size_t error_size);

/* For messages: how the value of a flag was given, on the command line or by its variable. */
struct flag_text flag_given(const struct flag_command *command, uint64_t from_environment,
			    const char *name);

/* Frees a list. It is empty then. */
void flag_list_free(struct flag_list *list);

/* How the value of a flag that takes one is written: "FILE", "on|off". */
void flag_put_form(struct buf *out, const struct flag *flag);

/* The help of a command, at most 80 columns wide, made from the table. Returns 0, or -ENOMEM. */
int flags_help(const struct flag_command *command, struct buf *out);

/*
 * The table of a command for the tools that make its man page and completions: a line for each row,
 * fields with tabs between. Each line begins with what it is:
 *   about HELP
 *   args  ARGS                                     if the command takes any
 *   flag  NAME bool|value|list FORM CHOICE,... DEFAULT HELP VARIABLE     fields may be empty
 * Returns 0, or -ENOMEM.
 */
int flags_table(const struct flag_command *command, struct buf *out);

/*
 * The word in a list of count words that is most like this one: what the user meant by a typing
 * error. NULL if none is similar.
 */
const char *closest_word(const char *word, const char *const *words, size_t count);

#endif
