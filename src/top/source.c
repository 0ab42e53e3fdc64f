/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "top/source.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <curl/curl.h>

#include "expose/json.h"
#include "top/progress.h"
#include "util/buf.h"
#include "util/log.h"

/* The host's name does not matter: the socket says whom we talk to. */
#define URL	   "http://bramble/api/v1/containers"

#define REPLY_MAX  ((size_t)64 << 20)
#define TIMEOUT_MS 10000L

#define FDS_MAX	   8

struct source {
	const char *socket;
	CURLM *multi;
	CURL *curl; /* of a running serve, or NULL */
	bool asked; /* curl is in multi */
	struct buf reply;
	size_t reply_len;	     /* of the last one */
	struct collector *collector; /* our own, or NULL */
	char curl_error[CURL_ERROR_SIZE];
	char error[CURL_ERROR_SIZE + 128];
	char name[160];
};

static size_t on_data(char *data, size_t size, size_t count, void *context)
{
	struct buf *reply = context;

	if (reply->len + size * count > REPLY_MAX)
		return 0;
	buf_add(reply, data, size * count);
	return buf_failed(reply) ? 0 : size * count;
}

static int set_up_curl(struct source *source)
{
	source->multi = curl_multi_init();
	source->curl = curl_easy_init();
	if (!source->multi || !source->curl)
		return -ENOMEM;
	curl_easy_setopt(source->curl, CURLOPT_URL, URL);
	curl_easy_setopt(source->curl, CURLOPT_UNIX_SOCKET_PATH, source->socket);
	curl_easy_setopt(source->curl, CURLOPT_TIMEOUT_MS, TIMEOUT_MS);
	curl_easy_setopt(source->curl, CURLOPT_FAILONERROR, 1L);
	curl_easy_setopt(source->curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(source->curl, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(source->curl, CURLOPT_ERRORBUFFER, source->curl_error);
	curl_easy_setopt(source->curl, CURLOPT_WRITEFUNCTION, on_data);
	curl_easy_setopt(source->curl, CURLOPT_WRITEDATA, &source->reply);
	return 0;
}

static void stop_asking(struct source *source)
{
	if (source->asked)
		curl_multi_remove_handle(source->multi, source->curl);
	source->asked = false;
	buf_free(&source->reply);
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

/* Why the socket cannot be used, where curl says no more than that it cannot connect. */
static int socket_errno(const char *path)
{
	if (access(path, F_OK))
		return errno;
	return access(path, R_OK | W_OK) ? errno : 0;
}

static int connect_to_serve(struct source *source)
{
	struct reading reading;
	int err = set_up_curl(source);

	if (err)
		return err;
	source_ask(source);
	while (!source_wait(source, NULL, 0, -1))
		;
	err = source_take(source, &reading);
	if (!err)
		reading_free(&reading);
	snprintf(source->name, sizeof(source->name), "serve at %s", source->socket);
	return err;
}

static int open_own_probe(struct source *source, collector_options_fn get_options, bool progress)
{
	struct collector_options options;
	struct progress *shown;
	int err;

	close_curl(source);
	err = get_options(&options);
	if (err)
		return err;
	snprintf(source->name, sizeof(source->name), "a probe of its own");
	shown = progress ? progress_start("loading a probe") : NULL;
	err = collector_open(&options, &source->collector);
	progress_stop(shown);
	return err;
}

int source_open(const char *socket, collector_options_fn get_options, bool progress,
		struct source **out)
{
	struct source *source = calloc(1, sizeof(*source));
	int err;

	if (!source)
		return -ENOMEM;
	source->socket = socket;
	err = connect_to_serve(source);
	if (err && socket_errno(socket) == EACCES && geteuid() != 0) {
		/* A probe needs more privileges than the socket: it would fail, too. */
		log_error("may not open %s: permission denied; run bramble top as root, or as a "
			  "user of the socket's group",
			  socket);
	} else if (err) {
		log_info("no bramble serves %s: loading a probe", socket);
		log_debug("%s", source->error);
		err = open_own_probe(source, get_options, progress);
	}
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
	if (source->collector) {
		source->asked = true;
		return;
	}
	stop_asking(source);
	source->curl_error[0] = '\0';
	/* It will be about as long as the last one. */
	buf_reserve(&source->reply, source->reply_len + source->reply_len / 16);
	source->asked = curl_multi_add_handle(source->multi, source->curl) == CURLM_OK;
}

static int wait_for_fds(struct pollfd *fds, unsigned int count, int timeout_ms)
{
	return poll(fds, count, timeout_ms) < 0 ? -errno : 0;
}

/* A probe of our own answers at once; meanwhile it hears of cgroups made and removed. */
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
		/* Longer than its own timeout it has no answer to wait for. */
		if (timeout_ms < 0)
			timeout_ms = (int)TIMEOUT_MS;
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
	snprintf(source->error, sizeof(source->error), "cannot read %s: %s", source->socket, why);
	return err;
}

/* The text that serve sent. */
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
	if (code != CURLE_OK) {
		buf_free(&source->reply);
		return fail(source, -EIO,
			    source->curl_error[0] ? source->curl_error : curl_easy_strerror(code));
	}
	source->reply_len = *len = source->reply.len;
	*text = buf_take(&source->reply);
	return *text ? 0 : fail(source, -ENOMEM, "the reply is empty");
}

static int take_own(struct source *source, char **text, size_t *len)
{
	source->asked = false;
	collector_update(source->collector);
	collector_mark_read(source->collector);
	*text = json_containers(source->collector);
	*len = *text ? strlen(*text) : 0;
	return *text ? 0 : fail(source, -ENOMEM, "no memory");
}

int source_take(struct source *source, struct reading *reading)
{
	char *text;
	size_t len;
	int err =
		source->collector ? take_own(source, &text, &len) : take_reply(source, &text, &len);

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
