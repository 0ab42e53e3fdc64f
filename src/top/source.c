/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "top/source.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "diagnose/reading_json.h"
#include "diagnose/reading_scrape.h"
#include "metrics/workloads.h"
#include "sandbox/sandbox.h"
#include "util/unix_listener.h"
#include "util/array.h"
#include "util/buf.h"
#include "util/clock.h"
#include "util/log.h"
#include "util/serve_client.h"
#include "util/slice.h"

#define URL	    SERVE_URL "/api/v1/containers?workload=1"

#define REPLY_MAX   ((size_t)64 << 20)

/* While waiting for an answer, signals are checked this often. */
#define LOOK_MS	    200

/* How long top waits for an answer if nobody is watching. */
#define ANSWER_NS   (60 * NS_PER_S)

/* After this time without an answer, the user is told why. */
#define BUSY_NS	    (2 * NS_PER_S)

/* If serve has too many requests to take this one, it is asked again after this time. */
#define RETRY_NS    NS_PER_S

#define FDS_MAX	    8

/* serve is sending too many replies: docs/web-config.md. */
#define STATUS_BUSY 503

struct source {
	const struct source_options *options;
	const char *socket;
	uint64_t asked_ns; /* CLOCK_MONOTONIC; while asked */
	CURLM *multi;
	CURL *curl; /* of a running serve, or NULL */
	bool asked; /* curl is in multi */
	bool full;  /* the last request was not taken: serve has too many */
	bool gone;  /* at the last request nobody listened, or the connection broke */
	struct serve_reply reply;
	size_t reply_len;	     /* of the last one */
	struct collector *collector; /* our own, or NULL */
	char curl_error[CURL_ERROR_SIZE];
	char error[CURL_ERROR_SIZE + 192];
	char name[160];
};

static int set_up_curl(struct source *source)
{
	source->multi = curl_multi_init();
	source->curl = curl_easy_init();
	if (!source->multi || !source->curl)
		return -ENOMEM;
	source->reply.max = REPLY_MAX;
	serve_client_set_up(source->curl, source->socket, URL, &source->reply);
	curl_easy_setopt(source->curl, CURLOPT_FAILONERROR, 1L);
	curl_easy_setopt(source->curl, CURLOPT_ERRORBUFFER, source->curl_error);
	return 0;
}

static void stop_asking(struct source *source)
{
	if (source->asked)
		curl_multi_remove_handle(source->multi, source->curl);
	source->asked = false;
	buf_free(&source->reply.text);
}

static void close_curl(struct source *source)
{
	stop_asking(source);
	if (source->curl)
		curl_easy_cleanup(source->curl);
	if (source->multi)
		curl_multi_cleanup(source->multi);
	source->curl = NULL;
	source->multi = NULL;
}

/* The descriptions of terminals: terminfo(5). Those in a home came with the user's terminal. */
static void need_terminals(struct sandbox_needs *needs)
{
	static const char *const descriptions[] = {"/etc/terminfo", "/lib/terminfo",
						   "/usr/share/terminfo", "/usr/lib/terminfo"};
	struct slice dirs = slice_of(getenv("TERMINFO_DIRS") ?: ""), dir;
	const char *home = getenv("HOME");
	char path[PATH_MAX];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(descriptions); i++)
		sandbox_need(needs, descriptions[i], SANDBOX_READ);
	sandbox_need(needs, getenv("TERMINFO"), SANDBOX_READ);
	if (home && snprintf(path, sizeof(path), "%s/.terminfo", home) < (int)sizeof(path))
		sandbox_need(needs, path, SANDBOX_READ);
	while (slice_next_word(&dirs, ':', &dir))
		if (slice_copy(dir, path, sizeof(path)))
			sandbox_need(needs, path, SANDBOX_READ);
}

/* Of what is not open yet, it needs the terminal's description. */
static void enter_sandbox(struct collector *collector)
{
	struct sandbox_needs needs = {.terminal = true};
	struct sandbox sandbox;

	collector_leave_late(collector);
	collector_need(collector, &needs);
	need_terminals(&needs);
	sandbox_confine(&needs, &sandbox);
	sandbox_filter(&needs, &sandbox);
	sandbox_needs_free(&needs);
}

static int open_own_probe(struct source *source)
{
	struct collector_options options;
	int err;

	err = source->options->collector_options(&options);
	if (err)
		return err;
	snprintf(source->name, sizeof(source->name), "a probe of its own");
	/* It takes seconds on a small machine, and the screen comes after it. */
	if (source->options->live)
		fputs("loading a probe ...\n", stderr);
	err = collector_open(&options, &source->collector);
	if (!err && options.sandbox)
		enter_sandbox(source->collector);
	return err;
}

/* Asks whoever listens once, to see if it is a serve. That may take time. */
static int connect_to_serve(struct source *source)
{
	struct reading reading;
	int err = set_up_curl(source);

	if (err)
		return err;
	snprintf(source->name, sizeof(source->name), "serve at %s", source->socket);
	err = source_read(source, &reading);
	if (!err)
		reading_free(&reading);
	else if (err != -EINTR)
		log_error("%s; no second probe is loaded where somebody listens; --socket names "
			  "another socket, or none",
			  source->error);
	return err;
}

/* Chooses between serve and a probe of its own. */
static int open_either(struct source *source)
{
	const char *socket = source->socket;
	int err;

	if (!socket[0])
		return open_own_probe(source);
	switch (listener_find(socket, &err)) {
	case LISTENER_THERE:
		return connect_to_serve(source);
	case LISTENER_NONE:
		log_info("no bramble serves %s: loading a probe", socket);
		return open_own_probe(source);
	case LISTENER_STALE:
		log_info("nobody listens at %s any more, the file is left over: loading a probe",
			 socket);
		return open_own_probe(source);
	case LISTENER_ERROR:
		serve_client_log_error("top", socket, err);
	}
	return err;
}

int source_open(const struct source_options *options, struct source **out)
{
	struct source *source = calloc(1, sizeof(*source));
	int err;

	if (!source)
		return -ENOMEM;
	source->options = options;
	source->socket = options->socket;
	err = open_either(source);
	if (err) {
		source_close(source);
		return err;
	}
	*out = source;
	return 0;
}

void source_close(struct source *source)
{
	if (!source)
		return;
	close_curl(source);
	collector_close(source->collector);
	free(source);
}

const char *source_name(const struct source *source)
{
	return source->name;
}

const char *source_error(const struct source *source)
{
	return source->error;
}

void source_ask(struct source *source)
{
	source->asked_ns = clock_monotonic_ns();
	if (source->collector) {
		source->asked = true;
		return;
	}
	stop_asking(source);
	source->curl_error[0] = '\0';
	/* The reply will be about as long as the last one. */
	buf_reserve(&source->reply.text, source->reply_len + source->reply_len / 16);
	source->asked = curl_multi_add_handle(source->multi, source->curl) == CURLM_OK;
}

static int wait_for_fds(struct pollfd *fds, unsigned int count, int timeout_ms)
{
	return poll(fds, count, timeout_ms) < 0 ? -errno : 0;
}

/* A probe of our own answers at once. While waiting it takes in events of cgroups. */
static int wait_own(struct source *source, struct pollfd *fds, unsigned int count, int timeout_ms)
{
	struct pollfd all[FDS_MAX + 1] = {{0}};
	unsigned int i;

	if (count)
		memcpy(all, fds, count * sizeof(*fds));
	all[count] = (struct pollfd){.fd = collector_event_fd(source->collector), .events = POLLIN};
	wait_for_fds(all, count + 1, source->asked ? 0 : timeout_ms);
	for (i = 0; i < count; i++)
		fds[i].revents = all[i].revents;
	if (all[count].revents)
		collector_poll(source->collector);
	return source->asked;
}

int source_wait(struct source *source, struct pollfd *fds, unsigned int count, int timeout_ms)
{
	struct curl_waitfd extra[FDS_MAX];
	int running = 0, ready;
	unsigned int i;

	if (source->collector)
		return wait_own(source, fds, count, timeout_ms);
	if (!source->asked) {
		wait_for_fds(fds, count, timeout_ms);
		return 0;
	}
	for (i = 0; i < count; i++)
		extra[i] = (struct curl_waitfd){.fd = fds[i].fd, .events = CURL_WAIT_POLLIN};
	curl_multi_perform(source->multi, &running);
	if (running) {
		if (timeout_ms < 0)
			timeout_ms = LOOK_MS;
		curl_multi_poll(source->multi, extra, count, timeout_ms, &ready);
		curl_multi_perform(source->multi, &running);
	} else {
		wait_for_fds(fds, count, 0);
		return 1;
	}
	for (i = 0; i < count; i++)
		fds[i].revents = extra[i].revents ? POLLIN : 0;
	return !running;
}

static int fail(struct source *source, int err, const char *why)
{
	snprintf(source->error, sizeof(source->error), "cannot read %s: %s", source->name, why);
	return err;
}

/* Whether serve cannot take the request now: its queue is full, or it says so. */
static bool is_full(const struct source *source, CURLcode code)
{
	long status = 0;
	int err;

	if (code == CURLE_COULDNT_CONNECT)
		return listener_find(source->socket, &err) == LISTENER_THERE;
	curl_easy_getinfo(source->curl, CURLINFO_RESPONSE_CODE, &status);
	return code == CURLE_HTTP_RETURNED_ERROR && status == STATUS_BUSY;
}

static bool is_gone(CURLcode code)
{
	return code == CURLE_COULDNT_CONNECT || code == CURLE_SEND_ERROR ||
	       code == CURLE_RECV_ERROR || code == CURLE_GOT_NOTHING || code == CURLE_PARTIAL_FILE;
}

static int fail_request(struct source *source, CURLcode code)
{
	bool no_memory = code == CURLE_OUT_OF_MEMORY || buf_failed(&source->reply.text);
	const char *why = source->curl_error[0] ? source->curl_error : curl_easy_strerror(code);

	if (no_memory)
		why = "no memory";
	else if (code == CURLE_WRITE_ERROR)
		why = "the reply is longer than 64 MiB";
	buf_free(&source->reply.text);
	return fail(source, no_memory ? -ENOMEM : -EIO, why);
}

/* Takes the text that serve sent. */
static int take_reply(struct source *source, char **text, size_t *len)
{
	CURLcode code = CURLE_RECV_ERROR;
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(source->multi, &left)))
		if (message->msg == CURLMSG_DONE)
			code = message->data.result;
	curl_multi_remove_handle(source->multi, source->curl);
	source->asked = false;
	source->full = is_full(source, code);
	source->gone = !source->full && is_gone(code);
	if (code != CURLE_OK)
		return fail_request(source, code);
	source->reply_len = *len = source->reply.text.len;
	*text = buf_take(&source->reply.text);
	return *text ? 0 : fail(source, -ENOMEM, "the reply is empty");
}

static int take_own(struct source *source, struct reading *reading)
{
	struct workloads workloads;
	struct scrape scrape;
	int err;

	source->asked = false;
	collector_update(source->collector);
	collector_mark_read(source->collector, READER_API);
	scrape_of(source->collector, &scrape);
	err = workloads_read(scrape.members, scrape.names, &workloads);
	if (err)
		return fail(source, err, "no memory");
	scrape.workloads = &workloads;
	err = reading_of_scrape(reading, &scrape, clock_monotonic_ns());
	workloads_free(&workloads);
	if (err) {
		reading_free(reading);
		fail(source, err, "no memory");
	}
	return err;
}

static int take_served(struct source *source, struct reading *reading)
{
	char *text;
	size_t len;
	int err = take_reply(source, &text, &len);

	if (err)
		return err;
	err = reading_parse(reading, text, len);
	if (err) {
		reading_free(reading);
		fail(source, err,
		     err == -ENOMEM ? "no memory" : "the reply is not what docs/api.md says");
	}
	return err;
}

int source_take(struct source *source, struct reading *reading)
{
	return source->collector ? take_own(source, reading) : take_served(source, reading);
}

bool source_is_busy(const struct source *source)
{
	if (source->asked && clock_monotonic_ns() - source->asked_ns >= BUSY_NS)
		return true;
	/* It stays busy while it is asked again. */
	return source->full;
}

bool source_is_gone(const struct source *source)
{
	return source->gone;
}

/* Waits for the answer until a time of CLOCK_MONOTONIC. Returns 1 if it is there, 0, or -EINTR. */
static int wait_for_answer(struct source *source, uint64_t until_ns)
{
	while (!*source->options->stopped) {
		if (source_wait(source, NULL, 0, LOOK_MS))
			return 1;
		if (clock_monotonic_ns() >= until_ns)
			return 0;
	}
	return -EINTR;
}

static void tell_busy(const struct source *source, bool *told)
{
	if (!*told)
		log_warn("%s is busy: it has not answered for %d s; waiting for it, %s",
			 source->name, (int)(BUSY_NS / NS_PER_S),
			 source->options->live ? "Ctrl-C ends that" : "for a minute at most");
	*told = true;
}

int source_read(struct source *source, struct reading *reading)
{
	uint64_t start_ns = clock_monotonic_ns(), busy_ns = start_ns + BUSY_NS;
	uint64_t end_ns = source->options->live ? UINT64_MAX : start_ns + ANSWER_NS;
	bool told = false;
	int there, err;

	source_ask(source);
	for (;;) {
		there = wait_for_answer(source, told ? end_ns : busy_ns);
		if (there < 0)
			return there;
		if (there) {
			err = source_take(source, reading);
			if (!err || !source->full)
				return err;
			/* Asks again after a while. */
			wait_for_answer(source, clock_monotonic_ns() + RETRY_NS);
			source_ask(source);
		}
		if (clock_monotonic_ns() >= end_ns)
			return fail(source, -ETIMEDOUT, "no answer for a minute");
		if (clock_monotonic_ns() >= busy_ns)
			tell_busy(source, &told);
	}
}
