/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "cli/flags.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/duration.h"
#include "util/array.h"
#include "util/ascii.h"

struct parser {
	const struct flag_command *command;
	uint64_t seen;		   /* a bit for each flag on the command line */
	uint64_t from_environment; /* a bit for each flag that a variable has set */
	struct flag_text given;	   /* how the flag that is being read is written */
	char *error;
	size_t error_size;
};

static char capital(char c)
{
	if (ascii_lower(c))
		return (char)(c - 'a' + 'A');
	return ascii_alnum(c) ? c : '_';
}

struct flag_text flag_variable(const struct flag *flag)
{
	struct flag_text name = {0};
	size_t i, len;

	len = (size_t)snprintf(name.text, sizeof(name.text), FLAG_VARIABLE_PREFIX "%s", flag->name);
	assert(len < sizeof(name.text));
	for (i = sizeof(FLAG_VARIABLE_PREFIX) - 1; i < len; i++)
		name.text[i] = capital(name.text[i]);
	return name;
}

static uint64_t bit_of(const struct flag_command *command, const struct flag *flag)
{
	return UINT64_C(1) << (flag - command->flags);
}

__attribute__((format(printf, 2, 3))) static int usage_error(struct parser *parser,
							     const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(parser->error, parser->error_size, format, args);
	va_end(args);
	return -EINVAL;
}

#define WORD_MAX 64

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/*
 * How many letters must be removed, added, changed, or swapped with their neighbour to turn one
 * word into the other (the optimal string alignment distance, row by row).
 */
static size_t distance(const char *a, const char *b)
{
	size_t rows[3][WORD_MAX], len = strlen(b), i, j;

	if (len >= WORD_MAX)
		return SIZE_MAX;
	for (j = 0; j <= len; j++)
		rows[0][j] = j;
	for (i = 1; a[i - 1]; i++) {
		const size_t *before = rows[(i + 1) % 3], *above = rows[(i + 2) % 3];
		size_t *row = rows[i % 3];

		row[0] = i;
		for (j = 1; j <= len; j++) {
			row[j] = least(above[j], row[j - 1]) + 1;
			row[j] = least(row[j], above[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = least(row[j], before[j - 2] + 1);
		}
	}
	return rows[(i - 1) % 3][len];
}

const char *closest_word(const char *word, const char *const *words, size_t count)
{
	size_t nearest = 1 + strlen(word) / 3, i;
	const char *closest = NULL;

	if (nearest > 4)
		nearest = 4;
	for (i = 0; i < count; i++) {
		size_t d = distance(word, words[i]);

		if (d < nearest) {
			nearest = d;
			closest = words[i];
		}
	}
	return closest;
}

static int unknown_flag(struct parser *parser, const char *name)
{
	char negated[FLAGS_MAX][WORD_MAX];
	const char *words[2 * FLAGS_MAX + 1], *closest;
	size_t count = 0, i;

	words[count++] = "help";
	for (i = 0; i < parser->command->flag_count; i++) {
		const struct flag *flag = &parser->command->flags[i];

		words[count++] = flag->name;
		if (flag->type != FLAG_BOOL)
			continue;
		snprintf(negated[i], sizeof(negated[i]), "no-%s", flag->name);
		words[count++] = negated[i];
	}
	closest = closest_word(name, words, count);
	if (closest)
		return usage_error(parser, "unknown flag --%s; did you mean --%s?", name, closest);
	return usage_error(parser, "unknown flag --%s; %s --help lists what there is", name,
			   parser->command->name);
}

static int set_duration(struct parser *parser, const struct flag *flag, const char *text)
{
	char low[64], high[64];
	uint64_t ns;
	int err = duration_parse(text, &ns);

	if (err == -EINVAL)
		return usage_error(parser,
				   "%s: \"%s\" is not a duration; write a number and a "
				   "unit, such as 250ms, 5m or 1h30m",
				   parser->given.text, text);
	duration_format(flag->min, low, sizeof(low));
	duration_format(flag->max ? flag->max : INT64_MAX, high, sizeof(high));
	if (err || ns < flag->min || (flag->max && ns > flag->max))
		return usage_error(parser, "%s: %s is out of range; from %s to %s is allowed",
				   parser->given.text, text, low, high);
	*flag->to.number = ns;
	return 0;
}

static int set_uint(struct parser *parser, const struct flag *flag, const char *text)
{
	uint64_t max = flag->max ? flag->max : UINT64_MAX, number;
	char *end;

	errno = 0;
	number = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno || number < flag->min || number > max)
		return usage_error(parser,
				   "%s: \"%s\" is not a whole number from %" PRIu64 " to %" PRIu64,
				   parser->given.text, text, flag->min, max);
	*flag->to.number = number;
	return 0;
}

static int wrong_choice(struct parser *parser, const struct flag *flag, const char *text)
{
	struct buf allowed = {0};
	int i, err = -ENOMEM;

	for (i = 0; flag->choices[i]; i++)
		buf_printf(&allowed, "%s%s", i ? ", " : "", flag->choices[i]);
	if (!buf_failed(&allowed))
		err = usage_error(parser, "%s: \"%s\" is not one of %s", parser->given.text, text,
				  allowed.data);
	buf_free(&allowed);
	return err;
}

static int set_choice(struct parser *parser, const struct flag *flag, const char *text)
{
	int i;

	for (i = 0; flag->choices[i]; i++)
		if (strcmp(flag->choices[i], text) == 0)
			break;
	if (!flag->choices[i])
		return wrong_choice(parser, flag, text);
	*flag->to.choice = i;
	return 0;
}

static int list_add(struct flag_list *list, const char *text)
{
	const char **values = realloc(list->values, (list->count + 1) * sizeof(*values));

	if (!values)
		return -ENOMEM;
	list->values = values;
	list->values[list->count++] = text;
	return 0;
}

void flag_list_free(struct flag_list *list)
{
	free(list->values);
	free(list->text);
	*list = (struct flag_list){0};
}

static int value_missing(struct parser *parser, const struct flag *flag, const char *what)
{
	struct buf form = {0};

	flag_put_form(&form, flag);
	usage_error(parser, "%s %s: %s=%s", parser->given.text, what, parser->given.text,
		    buf_failed(&form) ? "VALUE" : form.data);
	buf_free(&form);
	return -EINVAL;
}

static int set_string(struct parser *parser, const struct flag *flag, const char *text)
{
	/* An empty value mostly comes from a variable that is not set. */
	if (!*text && !flag->may_be_empty)
		return value_missing(parser, flag, "has an empty value");
	if (flag->type == FLAG_LIST)
		return list_add(flag->to.list, text);
	*flag->to.string = text;
	return 0;
}

/* The words that systemd takes for a boolean, which are also those of other programs' variables. */
static int set_switch(struct parser *parser, const struct flag *flag, const char *text)
{
	static const char *const words[] = {"0", "1", "false", "true", "no", "yes", "off", "on"};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(words); i++) {
		if (strcasecmp(text, words[i]) != 0)
			continue;
		*flag->to.boolean = i % 2;
		return 0;
	}
	return usage_error(parser, "%s: \"%s\" is not one of 1, true, yes, on, 0, false, no, off",
			   parser->given.text, text);
}

static int set_value(struct parser *parser, const struct flag *flag, const char *text)
{
	switch (flag->type) {
	case FLAG_BOOL:
		return set_switch(parser, flag, text);
	case FLAG_STRING:
	case FLAG_LIST:
		return set_string(parser, flag, text);
	case FLAG_DURATION:
		return set_duration(parser, flag, text);
	case FLAG_UINT:
		return set_uint(parser, flag, text);
	case FLAG_CHOICE:
		return set_choice(parser, flag, text);
	}
	return -EINVAL;
}

/* Marks a flag as given. The first value of a list replaces the default. Other flags come once. */
static int mark_seen(struct parser *parser, const struct flag *flag)
{
	uint64_t bit = bit_of(parser->command, flag);
	bool again = parser->seen & bit;

	parser->seen |= bit;
	if (flag->type == FLAG_LIST) {
		if (!again)
			flag->to.list->count = 0;
		return 0;
	}
	return again ? usage_error(parser, "--%s is given more than once", flag->name) : 0;
}

/* Finds a flag by its name. *negated: whether it was written with "no-". */
static const struct flag *find_flag(const struct flag_command *command, const char *name,
				    size_t len, bool *negated)
{
	size_t i;

	for (i = 0; i < command->flag_count; i++) {
		const struct flag *flag = &command->flags[i];
		bool no = flag->type == FLAG_BOOL && len > 3 && memcmp(name, "no-", 3) == 0;

		*negated = false;
		if (strlen(flag->name) == len && memcmp(flag->name, name, len) == 0)
			return flag;
		*negated = true;
		if (no && strlen(flag->name) == len - 3 &&
		    memcmp(flag->name, name + 3, len - 3) == 0)
			return flag;
	}
	return NULL;
}

struct flag_text flag_given(const struct flag_command *command, uint64_t from_environment,
			    const char *name)
{
	bool negated;
	const struct flag *flag = find_flag(command, name, strlen(name), &negated);
	struct flag_text given;

	if (flag && from_environment & bit_of(command, flag))
		return flag_variable(flag);
	snprintf(given.text, sizeof(given.text), "--%s", name);
	return given;
}

static int set_boolean(struct parser *parser, const struct flag *flag, bool on, const char *value)
{
	if (value)
		return usage_error(parser, "--%s takes no value; write --%s or --no-%s", flag->name,
				   flag->name, flag->name);
	*flag->to.boolean = on;
	return 0;
}

/* Reads the flag in words[0]. *used is set to the words it took. */
static int parse_flag(struct parser *parser, int count, char **words, int *used)
{
	char *name = words[0] + 2, *value = strchr(name, '=');
	size_t len = value ? (size_t)(value - name) : strlen(name);
	const struct flag *flag;
	bool negated;
	int err;

	*used = 1;
	flag = find_flag(parser->command, name, len, &negated);
	if (!flag) {
		char *copy = strndup(name, len);

		err = copy ? unknown_flag(parser, copy) : -ENOMEM;
		free(copy);
		return err;
	}
	snprintf(parser->given.text, sizeof(parser->given.text), "--%s", flag->name);
	err = mark_seen(parser, flag);
	if (err)
		return err;
	if (flag->type == FLAG_BOOL)
		return set_boolean(parser, flag, !negated, value);
	if (value)
		return set_value(parser, flag, value + 1);
	if (count < 2 || strncmp(words[1], "--", 2) == 0)
		return value_missing(parser, flag, "needs a value");
	*used = 2;
	return set_value(parser, flag, words[1]);
}

static int set_defaults(struct parser *parser)
{
	const struct flag_command *command = parser->command;
	size_t i;
	int err = 0;

	for (i = 0; i < command->flag_count; i++)
		if (command->flags[i].type == FLAG_LIST)
			*command->flags[i].to.list = (struct flag_list){0};
	for (i = 0; i < command->flag_count && !err; i++)
		if (command->flags[i].fallback)
			err = set_value(parser, &command->flags[i], command->flags[i].fallback);
	return err;
}

/* The values of a list have commas between, and replace the default. */
static int set_list(struct parser *parser, const struct flag *flag, const char *text)
{
	struct flag_list *list = flag->to.list;
	char *rest, *value;
	int err = 0;

	rest = list->text = strdup(text);
	if (!rest)
		return -ENOMEM;
	list->count = 0;
	while (!err && (value = strsep(&rest, ",")))
		err = set_string(parser, flag, value);
	return err;
}

static int read_variable(struct parser *parser, const struct flag *flag)
{
	const char *text;

	parser->given = flag_variable(flag);
	text = getenv(parser->given.text);
	if (!text || (!*text && !flag->may_be_empty))
		return 0;
	parser->from_environment |= bit_of(parser->command, flag);
	return flag->type == FLAG_LIST ? set_list(parser, flag, text)
				       : set_value(parser, flag, text);
}

/* A variable of a flag that is on the command line is not even looked at. */
static int read_environment(struct parser *parser)
{
	const struct flag_command *command = parser->command;
	size_t i;
	int err = 0;

	for (i = 0; i < command->flag_count && !err; i++)
		if (!(parser->seen & bit_of(command, &command->flags[i])))
			err = read_variable(parser, &command->flags[i]);
	return err;
}

static int check_args(struct parser *parser, int count, char **args)
{
	const struct flag_command *command = parser->command;

	if (count && !command->args)
		return usage_error(parser, "takes no argument \"%s\"", args[0]);
	if ((size_t)count < command->min_args)
		return usage_error(parser, "%s is missing", command->args);
	return 0;
}

int flags_parse(const struct flag_command *command, int *argc, char **argv,
		uint64_t *from_environment, char *error, size_t error_size)
{
	struct parser parser = {.command = command, .error = error, .error_size = error_size};
	int args = 0, used, i, err;
	bool ended = false;

	assert(command->flag_count <= FLAGS_MAX);
	*from_environment = 0;
	err = set_defaults(&parser);
	for (i = 0; i < *argc && !err; i += used) {
		char *word = argv[i];

		used = 1;
		if (ended || word[0] != '-' || word[1] == '\0')
			argv[args++] = word;
		else if (strcmp(word, "--") == 0)
			ended = true;
		else if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
			return FLAGS_HELP;
		else if (strcmp(word, "--help-table") == 0)
			return FLAGS_TABLE;
		else if (word[1] != '-')
			err = usage_error(&parser, "unknown flag %s; %s --help lists what there is",
					  word, command->name);
		else
			err = parse_flag(&parser, *argc - i, argv + i, &used);
	}
	err = err ?: read_environment(&parser);
	if (err)
		return err;
	*from_environment = parser.from_environment;
	*argc = args;
	return check_args(&parser, args, argv);
}
