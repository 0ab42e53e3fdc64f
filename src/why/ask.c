/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "why/ask.h"

#include <errno.h>
#include <string.h>

#include <curl/curl.h>

#include "cli/duration.h"
#include "util/clock.h"
#include "util/log.h"
#include "util/unix_listener.h"

/* The host's name does not matter: the request goes to the socket. */
#define URL	       "http://bramble/api/v1/why?since="

#define REPLY_MAX      ((size_t)16 << 20)

#define ANSWER_SECONDS 60L

#define DURATION_SIZE  32

static size_t on_data(char *data, size_t size, size_t count, void *context)
{
	struct buf *reply = context;

	if (reply->len + size * count > REPLY_MAX)
		return 0;
	buf_add(reply, data, size * count);
	return buf_failed(reply) ? 0 : size * count;
}

static int tell_nobody(const char *socket, const char *why)
{
	log_error(
		"no bramble serves %s%s: `bramble why` asks a running serve, which has watched "
		"the node; start `bramble serve`, or name its socket with --socket; in a cluster: "
		"kubectl -n bramble exec POD -- bramble why, with the pod of bramble on that "
		"node",
		socket, why);
	return -ENOENT;
}

static int tell_socket_error(const char *socket, int err)
{
	if (err == -ENOTSOCK)
		log_error("--socket=%s is no socket", socket);
	else if (err == -EACCES)
		log_error("may not open %s: permission denied; run bramble why as root, or as a "
			  "user of the socket's group",
			  socket);
	else
		log_error("cannot open %s: %s", socket, strerror(-err));
	return err;
}

static int find_serve(const char *socket)
{
	int err;

	switch (listener_find(socket, &err)) {
	case LISTENER_NONE:
		return tell_nobody(socket, "");
	case LISTENER_STALE:
		return tell_nobody(socket, " any more");
	case LISTENER_ERROR:
		return tell_socket_error(socket, err);
	default:
		return 0;
	}
}

/* Returns 0 or -ENOMEM. */
static int make_url(CURL *curl, const char *who, uint64_t since_ns, struct buf *url)
{
	char since[DURATION_SIZE];
	char *escaped = who ? curl_easy_escape(curl, who, 0) : NULL;

	duration_format(since_ns, since, sizeof(since));
	buf_printf(url, URL "%s", since);
	if (escaped)
		buf_printf(url, "&pod=%s", escaped);
	curl_free(escaped);
	return buf_failed(url) || (who && !escaped) ? -ENOMEM : 0;
}

static int tell_refusal(const char *socket, const char *who, const struct buf *reply, long status)
{
	const char *text = reply->data ? reply->data : "";

	if (who && status == 404)
		log_error("%s: no pod, container or unit of this name has run on this node, says "
			  "serve at %s; `bramble top` lists those that run",
			  who, socket);
	else
		log_error("serve at %s: %.*s (HTTP %ld)", socket, (int)strcspn(text, "\r\n"), text,
			  status);
	return -EIO;
}

static int perform(CURL *curl, const char *socket, const char *who, struct buf *reply)
{
	CURLcode code = curl_easy_perform(curl);
	long status = 0;

	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	if (code == CURLE_OPERATION_TIMEDOUT) {
		log_error(
			"serve at %s has not answered for a minute: it is stopped, or the node is "
			"very busy",
			socket);
		return -ETIMEDOUT;
	}
	if (code != CURLE_OK || !reply->data) {
		log_error("cannot read serve at %s: %s", socket,
			  code ? curl_easy_strerror(code) : "the reply is empty");
		return -EIO;
	}
	return status == 200 ? 0 : tell_refusal(socket, who, reply, status);
}

static int ask(CURL *curl, const char *socket, const char *who, uint64_t since_ns,
	       struct buf *reply)
{
	struct buf url = {0};
	int err = make_url(curl, who, since_ns, &url);

	if (!err) {
		curl_easy_setopt(curl, CURLOPT_URL, url.data);
		curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, socket);
		curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
		curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
		curl_easy_setopt(curl, CURLOPT_TIMEOUT, ANSWER_SECONDS);
		curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_data);
		curl_easy_setopt(curl, CURLOPT_WRITEDATA, reply);
		err = perform(curl, socket, who, reply);
	}
	buf_free(&url);
	return err;
}

int why_ask(const char *socket, const char *who, uint64_t since_ns, struct buf *reply)
{
	int err = find_serve(socket);
	CURL *curl;

	if (err)
		return err;
	curl = curl_easy_init();
	err = curl ? ask(curl, socket, who, since_ns, reply) : -ENOMEM;
	curl_easy_cleanup(curl);
	if (err)
		buf_free(reply);
	return err;
}
