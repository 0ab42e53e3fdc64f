/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "why/ask.h"

#include <errno.h>
#include <string.h>

#include "cli/duration.h"
#include "util/clock.h"
#include "util/log.h"
#include "util/serve_client.h"
#include "util/unix_listener.h"

#define URL	       SERVE_URL "/api/v1/why?since="

#define REPLY_MAX      ((size_t)16 << 20)

#define ANSWER_SECONDS 60L

#define DURATION_SIZE  32

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

static int find_serve(const char *socket)
{
	int err;

	switch (listener_find(socket, &err)) {
	case LISTENER_NONE:
		return tell_nobody(socket, "");
	case LISTENER_STALE:
		return tell_nobody(socket, " any more");
	case LISTENER_ERROR:
		serve_client_log_error("why", socket, err);
		return err;
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
	struct serve_reply received = {.max = REPLY_MAX};
	struct buf url = {0};
	int err = make_url(curl, who, since_ns, &url);

	if (!err) {
		serve_client_set_up(curl, socket, url.data, &received);
		curl_easy_setopt(curl, CURLOPT_TIMEOUT, ANSWER_SECONDS);
		err = perform(curl, socket, who, &received.text);
	}
	*reply = received.text;
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
