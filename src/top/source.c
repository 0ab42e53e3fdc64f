/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "top/source.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "expose/json.h"
#include "util/buf.h"
#include "util/clock.h"
#include "util/log.h"

/* The host's name does not matter: the socket says whom we talk to. */
#define URL	  "http://bramble/api/v1/containers"

#define REPLY_MAX ((size_t)64 << 20)
#define TIMEOUT_S 10L

struct source {
	const char *socket;
	CURL *curl;		     /* of a running serve, or NULL */
	struct collector *collector; /* our own, or NULL */
	char curl_error[CURL_ERROR_SIZE];
};

static size_t on_data(char *data, size_t size, size_t count, void *context)
{
	struct buf *reply = context;

	if (reply->len + size * count > REPLY_MAX)
		return 0;
	buf_add(reply, data, size * count);
	return buf_failed(reply) ? 0 : size * count;
}

/* Asks the serve behind the socket. Returns 0, or curl's error. */
static CURLcode fetch(struct source *source, struct buf *reply)
{
	*reply = (struct buf){0};
	curl_easy_setopt(source->curl, CURLOPT_WRITEDATA, reply);
	return curl_easy_perform(source->curl);
}

static int connect_to_serve(struct source *source)
{
	struct buf reply;
	CURLcode code;

	source->curl = curl_easy_init();
	if (!source->curl)
		return -ENOMEM;
	curl_easy_setopt(source->curl, CURLOPT_URL, URL);
	curl_easy_setopt(source->curl, CURLOPT_UNIX_SOCKET_PATH, source->socket);
	curl_easy_setopt(source->curl, CURLOPT_TIMEOUT, TIMEOUT_S);
	curl_easy_setopt(source->curl, CURLOPT_FAILONERROR, 1L);
	curl_easy_setopt(source->curl, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(source->curl, CURLOPT_ERRORBUFFER, source->curl_error);
	curl_easy_setopt(source->curl, CURLOPT_WRITEFUNCTION, on_data);
	code = fetch(source, &reply);
	buf_free(&reply);
	if (code == CURLE_OK)
		return 0;
	curl_easy_cleanup(source->curl);
	source->curl = NULL;
	return -ECONNREFUSED;
}

static int open_own_probe(struct source *source, collector_options_fn get_options)
{
	struct collector_options options;
	int err = get_options(&options);

	return err ?: collector_open(&options, &source->collector);
}

int source_open(const char *socket, collector_options_fn get_options, struct source **out)
{
	struct source *source = calloc(1, sizeof(*source));
	int err;

	if (!source)
		return -ENOMEM;
	source->socket = socket;
	err = connect_to_serve(source);
	if (err) {
		log_info("no bramble serves %s: loading a probe", socket);
		log_debug("%s", source->curl_error);
		err = open_own_probe(source, get_options);
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
	if (source->curl)
		curl_easy_cleanup(source->curl);
	collector_close(source->collector);
	free(source);
}

void source_wait(struct source *source, uint64_t ns)
{
	struct pollfd fd = {.fd = -1, .events = POLLIN};
	struct timespec timeout = {.tv_sec = (time_t)(ns / NS_PER_S),
				   .tv_nsec = (long)(ns % NS_PER_S)};

	if (source->collector)
		fd.fd = collector_event_fd(source->collector);
	if (ppoll(&fd, 1, &timeout, NULL) > 0)
		collector_poll(source->collector);
}

/* The text of the counts, which the caller frees. */
static char *read_text(struct source *source)
{
	struct buf reply;
	CURLcode code;

	if (source->collector) {
		collector_update(source->collector);
		collector_mark_read(source->collector);
		return json_containers(source->collector);
	}
	code = fetch(source, &reply);
	if (code != CURLE_OK) {
		log_error("cannot read %s: %s; does bramble serve still run?", source->socket,
			  source->curl_error[0] ? source->curl_error : curl_easy_strerror(code));
		buf_free(&reply);
		return NULL;
	}
	return buf_take(&reply);
}

json_t *source_read(struct source *source)
{
	char *text = read_text(source);
	json_error_t error;
	json_t *root;

	if (!text)
		return NULL;
	root = json_loads(text, 0, &error);
	free(text);
	if (!root)
		log_error("cannot understand the reply of %s: %s", source->socket, error.text);
	return root;
}
