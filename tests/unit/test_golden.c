/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The same recorded counts always give the same bytes: the exposition in every format, the JSON of
 * the API, and `top --once --json`. The recording (data/golden/recording) names families and labels
 * and knows no layout, so that what stands between may be built anew.
 *
 * What differs is written to build/golden. After a change that is wanted, copy it from there.
 */
#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include <gnutls/crypto.h>

#include "bramble/hist.h"
#include "diagnose/reading_json.h"
#include "diagnose/reading_scrape.h"
#include "diagnose/rows.h"
#include "expose/expose.h"
#include "expose/json.h"
#include "http/refusals.h"
#include "kubelet_server.h"
#include "metrics/causes.h"
#include "metrics/info.h"
#include "metrics/targets.h"
#include "metrics/usage.h"
#include "metrics/workloads.h"
#include "readings.h"
#include "node/node.h"
#include "sandbox/sandbox.h"
#include "top/print.h"
#include "util/array.h"
#include "util/clock.h"
#include "util/log.h"
#include "version.h"

#define DATA	   "tests/unit/data/golden/"
#define OUT	   "build/golden"
#define NODE	   "tests/unit/data/nodes/pi4"
#define SLOTS	   16
#define WORDS_MAX  64
#define WALL_NS	   UINT64_C(1764320000000000000) /* what the wall clock is ahead of the other ones */
#define START_NS   (1000 * NS_PER_S)
#define READING_NS (3 * NS_PER_S)

/* ---------------------------------------------------------------- the machine, held still */

const char bramble_version[] = "1.2.3";
const char bramble_revision[] = "0123456789ab";

static uint64_t now_ns; /* of all clocks; 0: they run */

int clock_gettime(clockid_t id, struct timespec *time)
{
	if (!now_ns)
		return (int)syscall(SYS_clock_gettime, id, time);
	*time = (struct timespec){.tv_sec = (time_t)(now_ns / NS_PER_S),
				  .tv_nsec = (long)(now_ns % NS_PER_S)};
	return 0;
}

/* The machine's root directory is an open one, with any number. */
#define OPEN_ROOT "/proc/self/fd/"

int statvfs(const char *path, struct statvfs *stat)
{
	if (strncmp(path, OPEN_ROOT, strlen(OPEN_ROOT)) == 0)
		path = strchr(path + strlen(OPEN_ROOT), '/');
	memset(stat, 0, sizeof(*stat));
	stat->f_frsize = 4096;
	stat->f_blocks = 7600000 + strlen(path);
	stat->f_bavail = 1200000;
	stat->f_files = 1900000;
	stat->f_ffree = 1700000;
	stat->f_flag = strstr(path, "/var") ? ST_RDONLY : 0;
	return 0;
}

/* ---------------------------------------------------------------- the recording */

/* A reading of a source that may have labels. */
union counts {
	union probe_cell cell;
	struct port_reading port;
	struct tcp_peer_counts peer;
};

struct cell {
	union counts now, before;
};

struct account {
	struct account *next;
	enum family_source source;
	const void *labels[CELL_LABELS_MAX];
	struct cell cell;
};

static struct slot {
	struct owner *owner;
	bool touched[PROBES];
	struct cell cell[PROBES];
	struct account *accounts;
	uint64_t some_ns[PRESSURE_RESOURCES], some_before_ns[PRESSURE_RESOURCES];
	uint64_t times_ns[TIME_STATES], times_before_ns[TIME_STATES];
} slots[SLOTS], *slot;

static struct owners owners;
static struct members members;
static struct usage usage;
static struct kube_names *names;
static struct node *node;
static struct causes causes;
static struct owner *idle;
static char *interned[32];
static struct peer peers[4];
static const struct wall wall = {.count = 1, .settings = {{0, WALL_NS}}};

/* A reading of the API is made at each snapshot. */
static char *documents[2];
static size_t document_count;

static const char *intern(const char *text)
{
	size_t i;

	for (i = 0; interned[i]; i++)
		if (strcmp(interned[i], text) == 0)
			return interned[i];
	return interned[i] = strdup(text);
}

static const char *word_or_none(const char *word)
{
	return strcmp(word, "-") == 0 ? "" : word;
}

/* Reads "unit NAME" or "NAMESPACE POD CONTAINER". Returns how many words that took. */
static size_t read_labels(char **words, struct labels *labels)
{
	memset(labels, 0, sizeof(*labels));
	if (strcmp(words[0], "unit") == 0) {
		snprintf(labels->unit, sizeof(labels->unit), "%s", words[1]);
		return 2;
	}
	snprintf(labels->name_space, sizeof(labels->name_space), "%s", word_or_none(words[0]));
	snprintf(labels->pod, sizeof(labels->pod), "%s", word_or_none(words[1]));
	snprintf(labels->container, sizeof(labels->container), "%s", word_or_none(words[2]));
	return 3;
}

static struct owner *get_owner(char **words)
{
	struct labels labels;
	struct owner *owner;

	read_labels(words, &labels);
	owner = owners_get(&owners, &labels);
	assert_non_null(owner);
	return owner;
}

static const struct family *find_family(const char *name)
{
	const struct family *family;

	for (family = families; family < families + FAMILIES; family++)
		if (strcmp(family->name, name) == 0)
			return family;
	fail_msg("the recording has an unknown family: %s", name);
	return NULL;
}

/* The value of a label among the words, or NULL. */
static const char *find_label(char **words, size_t count, const char *name)
{
	size_t i, len = strlen(name);

	for (i = 1; i < count; i++)
		if (strncmp(words[i], name, len) == 0 && words[i][len] == '=')
			return words[i] + len + 1;
	return NULL;
}

static size_t index_of_value(const struct family *family, char **words, size_t count)
{
	const char *value = family->label ? find_label(words, count, family->label) : NULL;
	size_t i;

	if (!family->label)
		return 0;
	assert_non_null(value);
	for (i = 0; i < family->value_count; i++)
		if (strcmp(family->values[i], value) == 0)
			return i;
	fail_msg("%s has no %s=%s", family->name, family->label, value);
	return 0;
}

static const char *label_or_empty(char **words, size_t count, const char *name)
{
	const char *value = find_label(words, count, name);

	return value ? value : "";
}

/* The one struct of a peer, by its address and port. */
static const struct peer *find_peer(char **words, size_t count)
{
	struct peer_labels labels = {.port = ""};
	size_t i;

	if (strcmp(label_or_empty(words, count, "peer_ip"), "other") == 0)
		return &peer_other;
	snprintf(labels.name_space, sizeof(labels.name_space), "%s",
		 label_or_empty(words, count, "peer_namespace"));
	snprintf(labels.pod, sizeof(labels.pod), "%s", label_or_empty(words, count, "peer_pod"));
	snprintf(labels.ip, sizeof(labels.ip), "%s", label_or_empty(words, count, "peer_ip"));
	snprintf(labels.port, sizeof(labels.port), "%s", label_or_empty(words, count, "peer_port"));
	for (i = 0; i < ARRAY_SIZE(peers); i++) {
		if (!peers[i].labels.ip[0])
			peers[i].labels = labels;
		if (memcmp(&peers[i].labels, &labels, sizeof(labels)) == 0)
			return &peers[i];
	}
	fail_msg("the recording has too many peers");
	return NULL;
}

/* The labels of a family's account, as its source has them. */
static void find_account_labels(const struct family *family, char **words, size_t count,
				const void *labels[CELL_LABELS_MAX])
{
	const char *const *label_names = family_account_labels(family);
	size_t i;

	if (family->source == SOURCE_PEERS) {
		labels[0] = find_peer(words, count);
		return;
	}
	for (i = 0; label_names[i]; i++)
		labels[i] = intern(label_or_empty(words, count, label_names[i]));
	if (family->source == SOURCE_PORTS && !((const char *)labels[0])[0])
		labels[0] = port_none;
}

static struct cell *find_cell(const struct family *family, char **words, size_t count)
{
	const void *labels[CELL_LABELS_MAX] = {NULL};
	struct account **at;

	if (!family_account_labels(family)[0]) {
		slot->touched[family->probe] = true;
		return &slot->cell[family->probe];
	}
	find_account_labels(family, words, count, labels);
	for (at = &slot->accounts; *at; at = &(*at)->next)
		if ((*at)->source == family->source &&
		    memcmp((*at)->labels, labels, sizeof(labels)) == 0)
			return &(*at)->cell;
	*at = calloc(1, sizeof(**at));
	(*at)->source = family->source;
	memcpy((*at)->labels, labels, sizeof(labels));
	return &(*at)->cell;
}

static void put_hist(struct hist *hist, char **words, size_t count)
{
	size_t i;
	char *colon;

	memset(hist, 0, sizeof(*hist));
	for (i = 1; i < count; i++) {
		colon = strchr(words[i], ':');
		if (strncmp(words[i], "sum=", 4) == 0)
			hist->sum_ns = strtoull(words[i] + 4, NULL, 10);
		else if (colon)
			hist->bucket[atoi(words[i]) - HIST_MIN_K] =
				(__u32)strtoul(colon + 1, NULL, 10);
	}
}

static void on_count(char **words, size_t count)
{
	const struct family *family = find_family(words[0]);
	size_t i = index_of_value(family, words, count);
	char *at;

	if (family->source == SOURCE_TIMES) {
		slot->times_ns[i] = strtoull(words[count - 1], NULL, 10);
		return;
	}
	if (family->source == SOURCE_PRESSURE) {
		slot->some_ns[family->offset / sizeof(uint64_t)] =
			strtoull(words[count - 1], NULL, 10);
		return;
	}
	at = (char *)&find_cell(family, words, count)->now + family->offset;
	if (family->kind == KIND_HISTOGRAM)
		put_hist((struct hist *)(void *)at + i, words, count);
	else
		((uint64_t *)(void *)at)[i] = strtoull(words[count - 1], NULL, 10);
}

static void add_cell(struct owner *owner, enum family_source source, ledger_labels labels,
		     struct cell *cell)
{
	assert_true(ledger_add(&owner->ledger, source, labels, &cell->now, &cell->before) >= 0);
	cell->before = cell->now;
}

static void read_slot(struct slot *from)
{
	struct account *account;
	size_t i;

	for (i = 0; i < PROBES; i++)
		if (from->touched[i] && i != PROBE_BLOCK)
			add_cell(from->owner, SOURCE_OF_PROBE(i), NULL, &from->cell[i]);
	for (account = from->accounts; account; account = account->next)
		add_cell(from->owner, account->source, account->labels, &account->cell);
	ledger_add(&from->owner->ledger, SOURCE_PRESSURE, NULL, from->some_ns,
		   from->some_before_ns);
	memcpy(from->some_before_ns, from->some_ns, sizeof(from->some_ns));
	ledger_add(&from->owner->ledger, SOURCE_TIMES, NULL, from->times_ns, from->times_before_ns);
	memcpy(from->times_before_ns, from->times_ns, sizeof(from->times_ns));
}

/* The threads of the kernel with this job, as a cause. */
static struct owner *job_owner(const char *job)
{
	struct labels labels = {.unit = "kernel"};
	struct owner *owner;

	snprintf(labels.job, sizeof(labels.job), "%s", job);
	owner = owners_get(&owners, &labels);
	assert_non_null(owner);
	owners_hide(&owners, owner);
	return owner;
}

static void on_caused(char **words)
{
	struct wait_pair pair = {.victim = (__u16)(slot - slots)};
	struct owner *cause = idle;
	uint64_t wait_ns = strtoull(words[2], NULL, 10);

	if (strcmp(words[1], "other") == 0) {
		owner_add_caused(slot->owner, &owner_other, wait_ns);
		return;
	}
	if (strncmp(words[1], "job:", 4) == 0) {
		owner_add_caused(slot->owner, job_owner(words[1] + 4), wait_ns);
		return;
	}
	pair.cause = SLOT_IDLE;
	if (isdigit(words[1][0])) {
		pair.cause = (__u16)atoi(words[1]);
		cause = slots[pair.cause].owner;
	}
	assert_non_null(cause);
	causes_add(&causes, pair, slot->owner, cause, wait_ns);
}

/* What a gauge counts in a slot that is gone is nobody's any more. */
static void on_gone(unsigned int index)
{
	const struct family *family;
	bool gone[SLOTS] = {[0] = false};

	gone[index] = true;
	slot = &slots[index];
	for (family = families; family < families + FAMILIES; family++)
		if (family_in_cells(family) && family->kind == KIND_GAUGE)
			memset((char *)&slot->cell[family->probe].now + family->offset, 0,
			       family_value_count(family) * sizeof(uint64_t));
	read_slot(slot);
	causes_forget(&causes, gone, SLOTS);
	memset(slot->touched, 0, sizeof(slot->touched));
	slot->owner = NULL;
}

static void on_file(char **words, const char *rest)
{
	char path[192], text[512];
	size_t i;

	snprintf(path, sizeof(path), "cgroup%s/%s", words[1], words[2]);
	snprintf(text, sizeof(text), "%s", rest);
	for (i = 0; text[i]; i++)
		if (text[i] == '|')
			text[i] = '\n';
	tree_put(path, text);
}

static void on_cgroup(char **words)
{
	struct member *member =
		members_add(&members, strtoull(words[1], NULL, 10), words[2], now_ns);

	assert_non_null(member);
	member->owner = get_owner(words + 3);
	member->owner->cgroups++;
}

static void nobody(void *context, struct member *member)
{
	(void)context;
	(void)member;
}

static void end_reading(void)
{
	size_t i;

	now_ns += READING_NS;
	for (i = 0; i < SLOTS; i++)
		if (slots[i].owner)
			read_slot(&slots[i]);
	usage_update(&usage, &members, &owners, now_ns, nobody, NULL);
	infos_update(&members, names, now_ns);
	node_read(node);
}

static const struct kubelet_status kubelet = {
	.in_use = true,
	.requests = 12,
	.last_success_ns = START_NS + 123456789,
	.errors = {[KUBELET_OK + 1] = 3},
};

static struct books books = {
	.lost = {{PROBE_SCHED, "no_wakeup", 7}, {PROBE_TCP, "stream", 0}},
	.lost_count = 2,
	.slots_used = 12,
	.slots_free = 1011,
};

static struct scrape make_scrape(void)
{
	static const struct scrape_times times = {17, 123456789};
	static struct refusals refusals = {.count = {[REFUSAL_NONE + 1] = 4}};
	static const struct sandbox sandbox = {
		.layer = {[SANDBOX_CAPABILITIES] = true, [SANDBOX_SECCOMP] = true},
		.capabilities = UINT64_C(1) << 39, /* CAP_BPF */
	};
	static struct lost_share shares[] = {
		{.cause = "cpu",
		 .who = {.name_space = "shop", .pod = "web-7d4b9c6f5-x2x8k", .container = "web"},
		 .by = {.name_space = "load", .pod = "wrk-0", .container = "client"},
		 .has_by = true,
		 .share = 0.375},
		{.cause = "cpu",
		 .who = {.name_space = "shop", .pod = "web-7d4b9c6f5-x2x8k", .container = "web"},
		 .by = {.unit = "other"},
		 .has_by = true,
		 .share = 0.125},
		{.cause = "fsync", .who = {.unit = "odd\"na\\me-\u00e9.service"}, .share = 1},
	};
	static const struct lost_shares lost = {shares, ARRAY_SIZE(shares)};
	struct scrape scrape = {
		.owners = &owners,
		.members = &members,
		.names = names,
		.kubelet = &kubelet,
		.kubelet_pods = 3,
		.node = node,
		.cpus = 4,
		.wall = &wall,
		.started_ns = START_NS,
		.books = &books,
		.times = &times,
		.refusals = &refusals,
		.sandbox = &sandbox,
		.lost = &lost,
	};
	int i;

	for (i = 0; i < PROBES; i++) {
		scrape.probe_up[i] = i != PROBE_MEMORY;
		books.probe[i].attribution = "current_task";
		books.probe[i].events = 1000 + (unsigned int)i;
		books.probe[i].cpu_ns = 1234567 * (unsigned int)i;
		books.probe[i].cpu_known = i != PROBE_TCP;
	}
	for (i = 0; i < FAMILIES; i++) {
		scrape.self.known[i] = true;
		scrape.self.value[i] = 1000000007 * (unsigned int)(FAMILIES - i);
	}
	return scrape;
}

/* What a probe of top's own reads is what it would read from the text of the API. */
static void compare_readings(const struct scrape *scrape)
{
	char *text = json_containers(scrape, now_ns);
	struct reading of_text, of_scrape;

	assert_non_null(text);
	assert_int_equal(reading_parse(&of_text, text, strlen(text)), 0);
	assert_int_equal(reading_of_scrape(&of_scrape, scrape, now_ns), 0);
	assert_same_reading(&of_scrape, &of_text);
	/* Found by its id, as in a reading of a text. */
	assert_ptr_equal(reading_find(&of_scrape, of_scrape.entries[0].id, NULL),
			 &of_scrape.entries[0]);
	reading_free(&of_text);
	reading_free(&of_scrape);
}

static void on_snapshot(void)
{
	struct scrape scrape = make_scrape();
	struct workloads workloads;

	compare_readings(&scrape);
	assert_int_equal(workloads_read(scrape.members, scrape.names, &workloads), 0);
	scrape.workloads = &workloads;
	compare_readings(&scrape);
	workloads_free(&workloads);
	scrape.workloads = NULL;
	assert_true(document_count < ARRAY_SIZE(documents));
	documents[document_count] = json_containers(&scrape, now_ns);
	assert_non_null(documents[document_count]);
	document_count++;
}

static void on_owner_command(char **words)
{
	struct owner *owner = get_owner(words + 1);

	if (strcmp(words[0], "hide") == 0)
		owners_hide(&owners, owner);
	else if (strcmp(words[0], "hold") == 0)
		owners_hold(owner);
	else if (strcmp(words[0], "show") == 0)
		owners_show(owner);
	else if (strcmp(words[0], "remove") == 0)
		owners_remove(&owners, owner);
	else
		fail_msg("the recording has an unknown line: %s", words[0]);
}

static void on_rename(char **words)
{
	struct labels from, to;
	struct owner *before, *after;
	size_t i, taken = read_labels(words + 1, &from);

	read_labels(words + 1 + taken + 1, &to);
	before = owners_find(&owners, &from);
	assert_non_null(before);
	after = owners_rename(&owners, before, &to);
	for (i = 0; i < SLOTS; i++)
		if (slots[i].owner == before)
			slots[i].owner = after;
}

static void on_line(char *line)
{
	char *words[WORDS_MAX], *save = NULL, *word;
	char *rest = line;
	size_t count = 0, i;

	for (i = 0; i < 3 && rest; i++) {
		rest = strchr(rest, ' ');
		rest = rest ? rest + 1 : NULL;
	}
	rest = rest ? strdup(rest) : NULL;
	for (word = strtok_r(line, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		assert_true(count < WORDS_MAX);
		words[count++] = word;
	}
	if (strcmp(words[0], "limit") == 0) {
		owners.max_containers = strtoul(words[1], NULL, 10);
	} else if (strcmp(words[0], "cgroup") == 0) {
		on_cgroup(words);
	} else if (strcmp(words[0], "file") == 0) {
		on_file(words, rest);
	} else if (strcmp(words[0], "slot") == 0) {
		slot = &slots[atoi(words[1])];
		slot->owner = get_owner(words + 2);
	} else if (strcmp(words[0], "caused") == 0) {
		on_caused(words);
	} else if (strcmp(words[0], "read") == 0) {
		end_reading();
	} else if (strcmp(words[0], "gone") == 0) {
		on_gone((unsigned int)atoi(words[1]));
	} else if (strcmp(words[0], "rename") == 0) {
		on_rename(words);
	} else if (strcmp(words[0], "snapshot") == 0) {
		on_snapshot();
	} else if (strchr(words[0], '_')) {
		on_count(words, count);
	} else {
		on_owner_command(words);
	}
	free(rest);
}

/* ---------------------------------------------------------------- reading it */

/* The pods that a kubelet tells of, while the clocks still run. */
static void ask_kubelet(void)
{
	static struct kube_options options;
	int i;

	server_prepare();
	server_put_document("deployment");
	server_start();
	options = (struct kube_options){.source = KUBE_KUBELET, .kubelet = server_options()};
	assert_int_equal(label_keys_parse("app,app.kubernetes.io/name", &options.labels), 0);
	assert_int_equal(kube_names_open(&options, &names), 0);
	for (i = 0; i < PATIENCE_MS / 10 && !kube_names_pods(names); i++) {
		poll(&(struct pollfd){.fd = kube_names_fd(names), .events = POLLIN}, 1, 10);
		kube_names_run(names);
	}
	assert_int_equal(kube_names_pods(names), 1);
	server_stop();
}

static int read_recording(void **state)
{
	static char cgroupfs[128];
	struct buf text;
	char *line, *save = NULL;

	(void)state;
	log_setup(LOG_ERROR, LOG_LOGFMT);
	if (tree_make())
		return -1;
	ask_kubelet();
	now_ns = START_NS;
	node = node_open(NODE "/proc", NODE "/sys", NULL);
	usage_open(&usage, in_tree("cgroup", cgroupfs));
	members_open(&members, cgroupfs, NODE "/proc");
	idle = owners_get(&owners, &(struct labels){.unit = "idle"});
	owners_hide(&owners, idle);
	assert_int_equal(buf_read_file(&text, DATA "recording", 1 << 20), 0);
	for (line = strtok_r(text.data, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		if (line[0] != '#')
			on_line(line);
	buf_free(&text);
	return 0;
}

static int forget(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < SLOTS; i++)
		while (slots[i].accounts) {
			struct account *account = slots[i].accounts;

			slots[i].accounts = account->next;
			free(account);
		}
	for (i = 0; interned[i]; i++)
		free(interned[i]);
	for (i = 0; i < document_count; i++)
		free(documents[i]);
	causes_free(&causes);
	usage_close(&usage, &members);
	members_free(&members);
	owners_free(&owners);
	node_close(node);
	now_ns = 0;
	kube_names_close(names);
	return tree_remove("");
}

/* ---------------------------------------------------------------- what comes out */

static void write_out(const char *name, const char *data, size_t len)
{
	char path[256];
	FILE *file;

	mkdir("build", 0755);
	mkdir(OUT, 0755);
	snprintf(path, sizeof(path), OUT "/%s", name);
	file = fopen(path, "w");
	assert_non_null(file);
	fwrite(data, 1, len, file);
	fclose(file);
}

static size_t different; /* outputs of the running test */

/* A test compares all its outputs, so that all of them are written, and ends with all_equal(). */
static void compare(const char *name, const char *data, size_t len)
{
	struct buf expected;
	char path[256];

	snprintf(path, sizeof(path), DATA "%s", name);
	write_out(name, data, len);
	if (buf_read_file(&expected, path, 1 << 20))
		fail_msg("%s cannot be read", path);
	if (expected.len != len || memcmp(expected.data, data, len) != 0) {
		print_error("other bytes than before: diff " OUT "/%s %s\n", name, path);
		different++;
	}
	buf_free(&expected);
}

static void all_equal(void)
{
	size_t count = different;

	different = 0;
	assert_int_equal(count, 0);
}

static void expose(const struct expose_options *options, struct buf *out)
{
	struct scrape scrape = make_scrape();

	scrape.sum = owners_sum(&owners);
	expose_write(out, options, &scrape);
	owners_free_sum(scrape.sum);
	assert_false(buf_failed(out));
}

static void test_text(void **state)
{
	struct buf out = {0};

	(void)state;
	expose(&(struct expose_options){.accepted = {.format = FORMAT_TEXT}}, &out);
	compare("metrics.txt", out.data, out.len);
	buf_free(&out);
	all_equal();
}

static void test_every_family_is_recorded(void **state)
{
	const struct family *family;
	struct buf out = {0};
	char head[128];

	(void)state;
	expose(&(struct expose_options){.accepted = {.format = FORMAT_TEXT}}, &out);
	for (family = families; family < families + FAMILIES; family++) {
		snprintf(head, sizeof(head), "# TYPE %s ", family->name);
		if (!strstr(out.data, head))
			fail_msg("%s has no sample", family->name);
	}
	buf_free(&out);
}

static void test_openmetrics(void **state)
{
	struct expose_options options = {.accepted = {.format = FORMAT_OPENMETRICS}};
	struct buf out = {0}, created = {0};

	(void)state;
	expose(&options, &out);
	compare("openmetrics.txt", out.data, out.len);
	options.created = true;
	expose(&options, &created);
	compare("openmetrics-created.txt", created.data, created.len);
	buf_free(&out);
	buf_free(&created);
	all_equal();
}

/* In base64, 76 characters a line: a file that can be looked at. */
static void to_base64(const struct buf *from, struct buf *to)
{
	const gnutls_datum_t data = {(unsigned char *)from->data, (unsigned int)from->len};
	gnutls_datum_t text;
	size_t i;

	assert_int_equal(gnutls_base64_encode2(&data, &text), 0);
	for (i = 0; i < text.size; i += 76)
		buf_printf(to, "%.*s\n", (int)(text.size - i < 76 ? text.size - i : 76),
			   (char *)text.data + i);
	gnutls_free(text.data);
}

static void check_protobuf(const char *name, enum hist_forms forms)
{
	const struct expose_options options = {.accepted = {.format = FORMAT_PROTOBUF},
					       .forms = forms};
	struct buf out = {0}, text = {0};

	expose(&options, &out);
	to_base64(&out, &text);
	compare(name, text.data, text.len);
	buf_free(&out);
	buf_free(&text);
}

static void test_protobuf(void **state)
{
	(void)state;
	check_protobuf("protobuf-classic.base64", HIST_CLASSIC);
	check_protobuf("protobuf-native.base64", HIST_NATIVE);
	check_protobuf("protobuf-both.base64", HIST_BOTH);
	all_equal();
}

static void test_json(void **state)
{
	(void)state;
	assert_int_equal(document_count, 2);
	compare("containers-1.json", documents[0], strlen(documents[0]));
	compare("containers-2.json", documents[1], strlen(documents[1]));
	all_equal();
}

/* What top --once --json prints of two documents. */
static void test_top(void **state)
{
	static const enum row_level levels[] = {ROW_LEVEL_CONTAINER, ROW_LEVEL_POD,
						ROW_LEVEL_NAMESPACE};
	struct reading before, after;
	char *text = NULL;
	size_t len = 0, i;
	FILE *out = open_memstream(&text, &len);

	(void)state;
	assert_int_equal(reading_parse(&before, strdup(documents[0]), strlen(documents[0])), 0);
	assert_int_equal(reading_parse(&after, strdup(documents[1]), strlen(documents[1])), 0);
	for (i = 0; i < ARRAY_SIZE(levels); i++) {
		assert_int_equal(rows_make(&before, &after, levels[i], &rows), 0);
		assert_int_equal(top_print_json(&rows, out), 0);
		rows_free(&rows);
	}
	fclose(out);
	compare("top.json", text, len);
	free(text);
	reading_free(&before);
	reading_free(&after);
	all_equal();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_family_is_recorded),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_openmetrics),
		cmocka_unit_test(test_protobuf),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_top),
	};

	return cmocka_run_group_tests(tests, read_recording, forget);
}
