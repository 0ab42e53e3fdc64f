/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "cli/duration.h"
#include "cli/flags.h"
#include "util/array.h"

#define SECOND UINT64_C(1000000000)

static struct {
	struct flag_list listen;
	bool sched;
	const char *path, *file;
	uint64_t retain, slots;
	int level;
} opt;

static const char *const levels[] = {"debug", "info", "warn", "error", NULL};

static const struct flag flags[] = {
	{.name = "web.listen-address",
	 .type = FLAG_LIST,
	 .to.list = &opt.listen,
	 .fallback = ":9810",
	 .placeholder = "ADDRESS",
	 .help = "Address to serve metrics on."},
	{.name = "web.telemetry-path",
	 .type = FLAG_STRING,
	 .to.string = &opt.path,
	 .fallback = "/metrics",
	 .placeholder = "PATH",
	 .help = "Path of the metrics."},
	{.name = "web.config.file",
	 .type = FLAG_STRING,
	 .to.string = &opt.file,
	 .may_be_empty = true,
	 .placeholder = "FILE",
	 .help = "TLS and passwords, in the format of Prometheus' exporter toolkit."},
	{.name = "probe.sched",
	 .type = FLAG_BOOL,
	 .to.boolean = &opt.sched,
	 .fallback = "on",
	 .help = "Run-queue wait."},
	{.name = "retain",
	 .type = FLAG_DURATION,
	 .to.number = &opt.retain,
	 .fallback = "5m",
	 .min = SECOND,
	 .max = 86400 * SECOND,
	 .placeholder = "DURATION",
	 .help = "How long a removed cgroup is kept."},
	{.name = "slots",
	 .type = FLAG_UINT,
	 .to.number = &opt.slots,
	 .fallback = "1024",
	 .min = 16,
	 .max = 65536,
	 .placeholder = "N",
	 .help = "How many cgroups are told apart."},
	{.name = "log.level",
	 .type = FLAG_CHOICE,
	 .to.choice = &opt.level,
	 .fallback = "info",
	 .choices = levels,
	 .help = "Least level that is printed."},
};

static const struct flag_command serve = {
	.name = "bramble serve",
	.help = "Runs the probe and the exporter.",
	.flags = flags,
	.flag_count = ARRAY_SIZE(flags),
};

static const struct flag_command explain = {
	.name = "bramble explain",
	.help = "Prints what a cgroup path is read as.",
	.flags = flags,
	.flag_count = ARRAY_SIZE(flags),
	.args = "CGROUP_PATH...",
	.min_args = 1,
};

static char message[256];
static uint64_t from_environment;
static char *words[16];
static int word_count;

/* Parses words, a NULL after the last. */
static int parse(const struct flag_command *command, ...)
{
	va_list args;
	char *word;
	int err;

	word_count = 0;
	va_start(args, command);
	while ((word = va_arg(args, char *)))
		words[word_count++] = word;
	va_end(args);
	message[0] = '\0';
	flag_list_free(&opt.listen);
	err = flags_parse(command, &word_count, words, &from_environment, message, sizeof(message));
	return err;
}

static int teardown(void **state)
{
	(void)state;
	flag_list_free(&opt.listen);
	return 0;
}

static void test_defaults(void **state)
{
	(void)state;
	opt.file = NULL;
	assert_int_equal(parse(&serve, NULL), 0);
	assert_int_equal(opt.listen.count, 1);
	assert_string_equal(opt.listen.values[0], ":9810");
	assert_string_equal(opt.path, "/metrics");
	assert_null(opt.file);
	assert_true(opt.sched);
	assert_int_equal(opt.retain, 300 * SECOND);
	assert_int_equal(opt.slots, 1024);
	assert_int_equal(opt.level, 1);
	assert_int_equal(word_count, 0);
}

static void test_values(void **state)
{
	(void)state;
	assert_int_equal(parse(&serve, "--web.listen-address=:1", "--web.listen-address", ":2",
			       "--web.telemetry-path=/a=b", "--no-probe.sched", "--retain", "1h30m",
			       "--slots=16", "--log.level=error", "--web.config.file=", NULL),
			 0);
	assert_int_equal(opt.listen.count, 2);
	assert_string_equal(opt.listen.values[0], ":1");
	assert_string_equal(opt.listen.values[1], ":2");
	assert_string_equal(opt.path, "/a=b");
	assert_string_equal(opt.file, "");
	assert_false(opt.sched);
	assert_int_equal(opt.retain, 5400 * SECOND);
	assert_int_equal(opt.slots, 16);
	assert_int_equal(opt.level, 3);
	assert_int_equal(parse(&serve, "--probe.sched", "--web.config.file", "-", NULL), 0);
	assert_true(opt.sched);
	assert_string_equal(opt.file, "-");
}

static void test_arguments(void **state)
{
	(void)state;
	assert_int_equal(
		parse(&explain, "/a", "--slots=17", "-", "--", "--retain=9", "-h", "--", NULL), 0);
	assert_int_equal(word_count, 5);
	assert_string_equal(words[0], "/a");
	assert_string_equal(words[1], "-");
	assert_string_equal(words[2], "--retain=9");
	assert_string_equal(words[3], "-h");
	assert_string_equal(words[4], "--");
	assert_int_equal(opt.slots, 17);

	assert_int_equal(parse(&explain, NULL), -EINVAL);
	assert_string_equal(message, "CGROUP_PATH... is missing");
	assert_int_equal(parse(&serve, "now", NULL), -EINVAL);
	assert_string_equal(message, "takes no argument \"now\"");
}

static void refused(const char *word, const char *expected)
{
	assert_int_equal(parse(&serve, word, NULL), -EINVAL);
	assert_string_equal(message, expected);
}

static void test_unknown(void **state)
{
	(void)state;
	refused("--web.listen-adress=:1",
		"unknown flag --web.listen-adress; did you mean --web.listen-address?");
	refused("--no-probe.shed", "unknown flag --no-probe.shed; did you mean --no-probe.sched?");
	refused("--hlep", "unknown flag --hlep; did you mean --help?");
	refused("--web.listen", "unknown flag --web.listen; bramble serve --help lists what there "
				"is");
	refused("--no-retain", "unknown flag --no-retain; did you mean --retain?");
	refused("-v", "unknown flag -v; bramble serve --help lists what there is");
	refused("--=x", "unknown flag --; bramble serve --help lists what there is");
	refused("--no-", "unknown flag --no-; bramble serve --help lists what there is");
}

static void test_wrong_values(void **state)
{
	(void)state;
	refused("--slots=15", "--slots: \"15\" is not a whole number from 16 to 65536");
	refused("--slots=-1", "--slots: \"-1\" is not a whole number from 16 to 65536");
	refused("--slots=+99", "--slots: \"+99\" is not a whole number from 16 to 65536");
	refused("--slots= 99", "--slots: \" 99\" is not a whole number from 16 to 65536");
	refused("--slots=1e3", "--slots: \"1e3\" is not a whole number from 16 to 65536");
	refused("--slots=99999999999999999999",
		"--slots: \"99999999999999999999\" is not a whole number from 16 to 65536");
	refused("--retain=5", "--retain: \"5\" is not a duration; write a number and a unit, "
			      "such as 250ms, 5m or 1h30m");
	refused("--retain=250ms", "--retain: 250ms is out of range; from 1s to 1d is allowed");
	refused("--retain=999999999d",
		"--retain: 999999999d is out of range; from 1s to 1d is allowed");
	refused("--log.level=loud", "--log.level: \"loud\" is not one of debug, info, warn, error");
	refused("--web.telemetry-path=",
		"--web.telemetry-path has an empty value: --web.telemetry-path=PATH");
	refused("--web.listen-address=",
		"--web.listen-address has an empty value: --web.listen-address=ADDRESS");
	refused("--retain", "--retain needs a value: --retain=DURATION");
	refused("--log.level", "--log.level needs a value: --log.level=debug|info|warn|error");
	refused("--probe.sched=false", "--probe.sched takes no value; write --probe.sched or "
				       "--no-probe.sched");
	assert_int_equal(parse(&serve, "--retain", "--slots=99", NULL), -EINVAL);
	assert_string_equal(message, "--retain needs a value: --retain=DURATION");
	assert_int_equal(parse(&serve, "--slots=99", "--slots=98", NULL), -EINVAL);
	assert_string_equal(message, "--slots is given more than once");
	assert_int_equal(parse(&serve, "--probe.sched", "--no-probe.sched", NULL), -EINVAL);
	assert_string_equal(message, "--probe.sched is given more than once");
}

/* A message longer than the buffer is cut, and a flag of any length is only unknown. */
static void test_long_flag(void **state)
{
	static char word[5000];
	int count = 1;
	char *list[] = {word}, small[16];

	(void)state;
	memset(word, '-', 2);
	memset(word + 2, 'x', sizeof(word) - 3);
	flag_list_free(&opt.listen);
	assert_int_equal(flags_parse(&serve, &count, list, &from_environment, small, sizeof(small)),
			 -EINVAL);
	assert_string_equal(small, "unknown flag --");
}

static void test_help(void **state)
{
	struct buf out = {0};

	(void)state;
	assert_int_equal(parse(&serve, "--slots=20", "--help", NULL), FLAGS_HELP);
	assert_int_equal(parse(&serve, "-h", NULL), FLAGS_HELP);
	flags_help(&serve, &out);
	assert_string_equal(
		out.data,
		"usage: bramble serve [FLAG...]\n"
		"\n"
		"Runs the probe and the exporter.\n"
		"\n"
		"Flags:\n"
		"  -h, --help                      Show this help.\n"
		"  --web.listen-address=ADDRESS ...\n"
		"                                  Address to serve metrics on. May be repeated.\n"
		"                                  (default: :9810)\n"
		"  --web.telemetry-path=PATH       Path of the metrics. (default: /metrics)\n"
		"  --web.config.file=FILE          TLS and passwords, in the format of\n"
		"                                  Prometheus' exporter toolkit.\n"
		"  --[no-]probe.sched              Run-queue wait. (default: on)\n"
		"  --retain=DURATION               How long a removed cgroup is kept. (default:\n"
		"                                  5m)\n"
		"  --slots=N                       How many cgroups are told apart. (default:\n"
		"                                  1024)\n"
		"  --log.level=debug|info|warn|error\n"
		"                                  Least level that is printed. (default: info)\n"
		"\n"
		"A flag that is not given has the value of its variable, if that is set: for\n"
		"--web.listen-address it is BRAMBLE_WEB_LISTEN_ADDRESS. A switch takes 1, true,\n"
		"yes, on, 0, false, no or off there, and what may be repeated has commas "
		"between.\n");
	buf_free(&out);
}

static void test_table(void **state)
{
	struct buf out = {0};

	(void)state;
	assert_int_equal(parse(&serve, "--help-table", NULL), FLAGS_TABLE);
	assert_int_equal(flags_table(&serve, &out), 0);
	assert_string_equal(
		out.data,
		"about\tRuns the probe and the exporter.\n"
		"flag\tweb.listen-address\tlist\tADDRESS\t\t:9810\tAddress to serve metrics on.\t"
		"BRAMBLE_WEB_LISTEN_ADDRESS\n"
		"flag\tweb.telemetry-path\tvalue\tPATH\t\t/metrics\tPath of the metrics.\t"
		"BRAMBLE_WEB_TELEMETRY_PATH\n"
		"flag\tweb.config.file\tvalue\tFILE\t\t\tTLS and passwords, in the format of "
		"Prometheus' exporter toolkit.\tBRAMBLE_WEB_CONFIG_FILE\n"
		"flag\tprobe.sched\tbool\t\t\ton\tRun-queue wait.\tBRAMBLE_PROBE_SCHED\n"
		"flag\tretain\tvalue\tDURATION\t\t5m\tHow long a removed cgroup is kept.\t"
		"BRAMBLE_RETAIN\n"
		"flag\tslots\tvalue\tN\t\t1024\tHow many cgroups are told apart.\tBRAMBLE_SLOTS\n"
		"flag\tlog.level\tvalue\tdebug|info|warn|error\tdebug,info,warn,error\tinfo\t"
		"Least level that is printed.\tBRAMBLE_LOG_LEVEL\n");
	buf_free(&out);
}

static int unset_all(void **state)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		struct flag_text variable;

		variable = flag_variable(&flags[i]);
		unsetenv(variable.text);
	}
	return teardown(state);
}

static void test_variables(void **state)
{
	static const char *const on[] = {"1", "true", "YES", "On"};
	static const char *const off[] = {"0", "False", "no", "OFF"};
	size_t i;

	(void)state;
	setenv("BRAMBLE_WEB_LISTEN_ADDRESS", ":1,[::1]:2", 1);
	setenv("BRAMBLE_WEB_TELEMETRY_PATH", "/a,b", 1);
	setenv("BRAMBLE_RETAIN", "1h", 1);
	setenv("BRAMBLE_SLOTS", "17", 1);
	setenv("BRAMBLE_LOG_LEVEL", "warn", 1);
	assert_int_equal(parse(&serve, NULL), 0);
	assert_int_equal(opt.listen.count, 2);
	assert_string_equal(opt.listen.values[0], ":1");
	assert_string_equal(opt.listen.values[1], "[::1]:2");
	assert_string_equal(opt.path, "/a,b");
	assert_true(opt.sched);
	assert_int_equal(opt.retain, 3600 * SECOND);
	assert_int_equal(opt.slots, 17);
	assert_int_equal(opt.level, 2);
	for (i = 0; i < ARRAY_SIZE(on); i++) {
		setenv("BRAMBLE_PROBE_SCHED", off[i], 1);
		assert_int_equal(parse(&explain, "/a", NULL), 0);
		assert_false(opt.sched);
		setenv("BRAMBLE_PROBE_SCHED", on[i], 1);
		assert_int_equal(parse(&explain, "/a", NULL), 0);
		assert_true(opt.sched);
	}
}

static void test_command_line_wins(void **state)
{
	(void)state;
	setenv("BRAMBLE_WEB_LISTEN_ADDRESS", ":1,:2", 1);
	setenv("BRAMBLE_PROBE_SCHED", "0", 1);
	setenv("BRAMBLE_SLOTS", "not even a number", 1);
	setenv("BRAMBLE_RETAIN", "1h", 1);
	assert_int_equal(
		parse(&serve, "--slots=18", "--probe.sched", "--web.listen-address=:3", NULL), 0);
	assert_int_equal(opt.slots, 18);
	assert_true(opt.sched);
	assert_int_equal(opt.listen.count, 1);
	assert_string_equal(opt.listen.values[0], ":3");
	assert_int_equal(opt.retain, 3600 * SECOND);

	/* Who asks for help gets it. */
	assert_int_equal(parse(&serve, "--help", NULL), FLAGS_HELP);
}

static void test_empty_variables(void **state)
{
	(void)state;
	setenv("BRAMBLE_WEB_LISTEN_ADDRESS", "", 1);
	setenv("BRAMBLE_SLOTS", "", 1);
	setenv("BRAMBLE_PROBE_SCHED", "", 1);
	setenv("BRAMBLE_WEB_CONFIG_FILE", "", 1);
	opt.file = NULL;
	assert_int_equal(parse(&serve, NULL), 0);
	assert_string_equal(opt.listen.values[0], ":9810");
	assert_int_equal(opt.slots, 1024);
	assert_true(opt.sched);
	assert_string_equal(opt.file, "");
}

/* Kubernetes sets these for a Service called bramble, and for others whose name begins so. */
static void test_foreign_variables(void **state)
{
	(void)state;
	setenv("BRAMBLE_SERVICE_HOST", "10.96.0.7", 1);
	setenv("BRAMBLE_SERVICE_PORT", "9810", 1);
	setenv("BRAMBLE_SERVICE_PORT_METRICS", "9810", 1);
	setenv("BRAMBLE_PORT", "tcp://10.96.0.7:9810", 1);
	setenv("BRAMBLE_PORT_9810_TCP", "tcp://10.96.0.7:9810", 1);
	setenv("BRAMBLE_PORT_9810_TCP_PROTO", "tcp", 1);
	setenv("BRAMBLE_SLOTS_PORT", "tcp://10.96.0.8:9810", 1);
	setenv("BRAMBLE_SANDBOX_KILL", "1", 1);
	setenv("BRAMBLE_SLOT", "99", 1);
	setenv("SLOTS", "99", 1);
	assert_int_equal(parse(&serve, NULL), 0);
	assert_int_equal(from_environment, 0);
	assert_int_equal(opt.slots, 1024);
}

static void variable_refused(const char *name, const char *value, const char *expected)
{
	setenv(name, value, 1);
	assert_int_equal(parse(&serve, NULL), -EINVAL);
	assert_string_equal(message, expected);
	unsetenv(name);
}

static void test_wrong_variables(void **state)
{
	(void)state;
	variable_refused("BRAMBLE_SLOTS", "15",
			 "BRAMBLE_SLOTS: \"15\" is not a whole number from 16 to 65536");
	variable_refused("BRAMBLE_RETAIN", "5",
			 "BRAMBLE_RETAIN: \"5\" is not a duration; write a number and a unit, "
			 "such as 250ms, 5m or 1h30m");
	variable_refused("BRAMBLE_RETAIN", "1ms",
			 "BRAMBLE_RETAIN: 1ms is out of range; from 1s to 1d is allowed");
	variable_refused("BRAMBLE_LOG_LEVEL", "loud",
			 "BRAMBLE_LOG_LEVEL: \"loud\" is not one of debug, info, warn, error");
	variable_refused("BRAMBLE_PROBE_SCHED", "maybe",
			 "BRAMBLE_PROBE_SCHED: \"maybe\" is not one of 1, true, yes, on, 0, "
			 "false, no, off");
	variable_refused("BRAMBLE_WEB_LISTEN_ADDRESS", ":1,,:2",
			 "BRAMBLE_WEB_LISTEN_ADDRESS has an empty value: "
			 "BRAMBLE_WEB_LISTEN_ADDRESS=ADDRESS");
	/* A mistake on the command line is told first. */
	setenv("BRAMBLE_SLOTS", "15", 1);
	refused("--retain=5", "--retain: \"5\" is not a duration; write a number and a unit, "
			      "such as 250ms, 5m or 1h30m");
}

static void test_how_it_was_given(void **state)
{
	(void)state;
	setenv("BRAMBLE_SLOTS", "99", 1);
	setenv("BRAMBLE_RETAIN", "1h", 1);
	assert_int_equal(parse(&serve, "--retain=1m", NULL), 0);
	assert_string_equal(flag_given(&serve, from_environment, "slots").text, "BRAMBLE_SLOTS");
	assert_string_equal(flag_given(&serve, from_environment, "retain").text, "--retain");
	assert_string_equal(flag_given(&serve, from_environment, "log.level").text, "--log.level");
}

static void test_closest_word(void **state)
{
	static const char *const commands[] = {"serve", "top", "check", "explain", "version"};

	(void)state;
	assert_string_equal(closest_word("srve", commands, 5), "serve");
	assert_string_equal(closest_word("chekc", commands, 5), "check");
	assert_string_equal(closest_word("tpo", commands, 5), "top");
	assert_null(closest_word("xyz", commands, 5));
	assert_null(closest_word("", commands, 5));
}

static void duration_is(const char *text, uint64_t ns, const char *canonical)
{
	uint64_t got;
	char out[64];

	assert_int_equal(duration_parse(text, &got), 0);
	assert_int_equal(got, ns);
	duration_format(got, out, sizeof(out));
	assert_string_equal(out, canonical);
}

static void test_durations(void **state)
{
	static const char *const bad[] = {"",	  "5",	 "m",	"5 m", "-5m", "1.5s", "5m1h",
					  "1m1m", "5mm", "1ns", "1s5", "00",  "+1s",  "5M"};
	uint64_t ns;
	size_t i;

	(void)state;
	duration_is("0", 0, "0");
	duration_is("0s", 0, "0");
	duration_is("250ms", SECOND / 4, "250ms");
	duration_is("1s", SECOND, "1s");
	duration_is("90m", 5400 * SECOND, "1h30m");
	duration_is("1d2h3m4s5ms6us", UINT64_C(93784005006000), "1d2h3m4s5ms6us");
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(duration_parse(bad[i], &ns), -EINVAL);
	assert_int_equal(duration_parse("106752d", &ns), -ERANGE);
	assert_int_equal(duration_parse("106751d23h47m16s854ms775us", &ns), 0);
	assert_int_equal(duration_parse("106751d23h47m16s854ms776us", &ns), -ERANGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_defaults, teardown),
		cmocka_unit_test_teardown(test_values, teardown),
		cmocka_unit_test_teardown(test_arguments, teardown),
		cmocka_unit_test_teardown(test_unknown, teardown),
		cmocka_unit_test_teardown(test_wrong_values, teardown),
		cmocka_unit_test_teardown(test_long_flag, teardown),
		cmocka_unit_test_teardown(test_help, teardown),
		cmocka_unit_test_teardown(test_table, teardown),
		cmocka_unit_test_teardown(test_variables, unset_all),
		cmocka_unit_test_teardown(test_command_line_wins, unset_all),
		cmocka_unit_test_teardown(test_empty_variables, unset_all),
		cmocka_unit_test_teardown(test_foreign_variables, unset_all),
		cmocka_unit_test_teardown(test_wrong_variables, unset_all),
		cmocka_unit_test_teardown(test_how_it_was_given, unset_all),
		cmocka_unit_test(test_closest_word),
		cmocka_unit_test(test_durations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
