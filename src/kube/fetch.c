/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "kube/fetch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "version.h"

#define HTTP_OK	   200L
#define EVENTS_MAX 4
#define PROTOCOL   "https"

struct fetch {
	struct fetch_options options;
	CURLM *multi;
	CURL *easy;
	struct curl_slist *headers;
	struct curl_slist *connect_to;
	struct fetch_result result; /* of the request under way */
	bool under_way;
	int epoll_fd;
	int timer_fd;
	char user_agent[64];
};

static size_t on_body(char *data, size_t size, size_t count, void *context)
{
	struct fetch *fetch = context;
	size_t len = size * count;
	long status = 0;

	fetch->result.body += len;
	if (fetch->result.body > fetch->options.body_max) {
		fetch->result.data_error = -EFBIG;
		return 0;
	}
	curl_easy_getinfo(fetch->easy, CURLINFO_RESPONSE_CODE, &status);
	if (status != HTTP_OK)
		return len;
	fetch->result.data_error = fetch->options.on_data(fetch->options.context, data, len);
	return fetch->result.data_error ? 0 : len;
}

/* curl says which of its sockets to watch, and for what. */
static int on_socket(CURL *easy, curl_socket_t fd, int what, void *context, void *socket_context)
{
	struct fetch *fetch = context;
	struct epoll_event event = {.data.fd = fd};

	(void)easy;
	(void)socket_context;
	if (what == CURL_POLL_REMOVE) {
		epoll_ctl(fetch->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
		return 0;
	}
	if (what & CURL_POLL_IN)
		event.events |= EPOLLIN;
	if (what & CURL_POLL_OUT)
		event.events |= EPOLLOUT;
	if (epoll_ctl(fetch->epoll_fd, EPOLL_CTL_MOD, fd, &event) == 0)
		return 0;
	return epoll_ctl(fetch->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0 ? 0 : -1;
}

/* curl says when it wants to be called without an event. -1: never. */
static int on_timer(CURLM *multi, long timeout_ms, void *context)
{
	struct fetch *fetch = context;
	struct itimerspec when = {.it_value = {0}};

	(void)multi;
	if (timeout_ms >= 0) {
		when.it_value.tv_sec = timeout_ms / 1000;
		when.it_value.tv_nsec = timeout_ms % 1000 * 1000000 + (timeout_ms == 0);
	}
	return timerfd_settime(fetch->timer_fd, 0, &when, NULL);
}

static int open_loop(struct fetch *fetch)
{
	struct epoll_event event = {.events = EPOLLIN};

	fetch->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	fetch->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (fetch->epoll_fd < 0 || fetch->timer_fd < 0)
		return -errno;
	event.data.fd = fetch->timer_fd;
	return epoll_ctl(fetch->epoll_fd, EPOLL_CTL_ADD, fetch->timer_fd, &event) ? -errno : 0;
}

/* curl has a large CA bundle of its own, which does not count here. */
static CURLcode set_trust(struct fetch *fetch)
{
	const struct fetch_options *options = &fetch->options;
	CURLcode code;

	code = curl_easy_setopt(fetch->easy, CURLOPT_CAPATH, NULL);
	if (code == CURLE_OK || code == CURLE_NOT_BUILT_IN)
		code = curl_easy_setopt(fetch->easy, CURLOPT_CAINFO,
					options->insecure ? NULL : options->ca_file);
	if (code == CURLE_OK && options->insecure)
		code = curl_easy_setopt(fetch->easy, CURLOPT_SSL_VERIFYPEER, 0L);
	if (code == CURLE_OK && options->insecure)
		code = curl_easy_setopt(fetch->easy, CURLOPT_SSL_VERIFYHOST, 0L);
	return code;
}

/* Only https is allowed: the token must not be sent unencrypted. */
static CURLcode set_protocol(CURL *easy)
{
#if LIBCURL_VERSION_NUM >= 0x075500
	return curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, PROTOCOL);
#else
	return curl_easy_setopt(easy, CURLOPT_PROTOCOLS, (long)CURLPROTO_HTTPS);
#endif
}

/* The certificate must name the URL's host, wherever the connection goes to. */
static CURLcode set_address(struct fetch *fetch)
{
	const struct fetch_options *options = &fetch->options;

	if (options->connect_to) {
		fetch->connect_to = curl_slist_append(NULL, options->connect_to);
		if (!fetch->connect_to)
			return CURLE_OUT_OF_MEMORY;
		curl_easy_setopt(fetch->easy, CURLOPT_CONNECT_TO, fetch->connect_to);
	}
	return curl_easy_setopt(fetch->easy, CURLOPT_URL, options->url);
}

static int set_up_easy(struct fetch *fetch)
{
	CURL *easy = fetch->easy;
	CURLcode code = set_protocol(easy);

	if (code == CURLE_OK)
		code = set_trust(fetch);
	if (code == CURLE_OK)
		code = set_address(fetch);
	if (code != CURLE_OK)
		return code == CURLE_OUT_OF_MEMORY ? -ENOMEM : -EINVAL;
	(void)snprintf(fetch->user_agent, sizeof(fetch->user_agent), "bramble/%s", bramble_version);
	curl_easy_setopt(easy, CURLOPT_USERAGENT, fetch->user_agent);
	curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, fetch->options.connect_ms);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, fetch->options.total_ms);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, fetch->result.message);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, fetch);
	return 0;
}

static void set_up_multi(struct fetch *fetch)
{
	curl_multi_setopt(fetch->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	curl_multi_setopt(fetch->multi, CURLMOPT_SOCKETDATA, fetch);
	curl_multi_setopt(fetch->multi, CURLMOPT_TIMERFUNCTION, on_timer);
	curl_multi_setopt(fetch->multi, CURLMOPT_TIMERDATA, fetch);
	curl_multi_setopt(fetch->multi, CURLMOPT_MAXCONNECTS, 1L);
}

int fetch_new(const struct fetch_options *options, struct fetch **out)
{
	struct fetch *fetch = calloc(1, sizeof(*fetch));
	int err;

	*out = NULL;
	if (!fetch)
		return -ENOMEM;
	fetch->options = *options;
	fetch->epoll_fd = -1;
	fetch->timer_fd = -1;
	err = open_loop(fetch);
	if (!err) {
		fetch->multi = curl_multi_init();
		fetch->easy = curl_easy_init();
		err = fetch->multi && fetch->easy ? set_up_easy(fetch) : -ENOMEM;
	}
	if (err) {
		fetch_free(fetch);
		return err;
	}
	set_up_multi(fetch);
	*out = fetch;
	return 0;
}

static void end_request(struct fetch *fetch)
{
	if (!fetch->under_way)
		return;
	curl_multi_remove_handle(fetch->multi, fetch->easy);
	curl_easy_setopt(fetch->easy, CURLOPT_HTTPHEADER, NULL);
	curl_slist_free_all(fetch->headers);
	fetch->headers = NULL;
	fetch->under_way = false;
}

void fetch_free(struct fetch *fetch)
{
	if (!fetch)
		return;
	end_request(fetch);
	curl_easy_cleanup(fetch->easy);
	curl_slist_free_all(fetch->connect_to);
	if (fetch->multi)
		curl_multi_cleanup(fetch->multi);
	if (fetch->epoll_fd >= 0)
		close(fetch->epoll_fd);
	if (fetch->timer_fd >= 0)
		close(fetch->timer_fd);
	free(fetch);
}

int fetch_fd(const struct fetch *fetch)
{
	return fetch->epoll_fd;
}

bool fetch_under_way(const struct fetch *fetch)
{
	return fetch->under_way;
}

static int set_token(struct fetch *fetch, const char *token)
{
	char *header;

	if (asprintf(&header, "Authorization: Bearer %s", token) < 0)
		return -ENOMEM;
	fetch->headers = curl_slist_append(NULL, header);
	explicit_bzero(header, strlen(header));
	free(header);
	if (!fetch->headers)
		return -ENOMEM;
	curl_easy_setopt(fetch->easy, CURLOPT_HTTPHEADER, fetch->headers);
	return 0;
}

int fetch_start(struct fetch *fetch, const char *token)
{
	int err = set_token(fetch, token);

	if (err)
		return err;
	fetch->result = (struct fetch_result){.status = 0};
	fetch->under_way = true;
	if (curl_multi_add_handle(fetch->multi, fetch->easy) == CURLM_OK)
		return 0;
	end_request(fetch);
	return -ENOMEM;
}

/* Tells curl what happened. curl's own messages say how each request went. */
static void handle_event(struct fetch *fetch, const struct epoll_event *event)
{
	int running, fd = event->data.fd, mask = 0;
	uint64_t expirations;

	if (fd == fetch->timer_fd) {
		if (read(fd, &expirations, sizeof(expirations)) > 0)
			curl_multi_socket_action(fetch->multi, CURL_SOCKET_TIMEOUT, 0, &running);
		return;
	}
	if (event->events & EPOLLIN)
		mask |= CURL_CSELECT_IN;
	if (event->events & EPOLLOUT)
		mask |= CURL_CSELECT_OUT;
	if (event->events & (EPOLLERR | EPOLLHUP))
		mask |= CURL_CSELECT_ERR;
	curl_multi_socket_action(fetch->multi, fd, mask, &running);
}

bool fetch_run(struct fetch *fetch, struct fetch_result *result)
{
	struct epoll_event events[EVENTS_MAX];
	const CURLMsg *message;
	int count, left;

	count = epoll_wait(fetch->epoll_fd, events, EVENTS_MAX, 0);
	for (int i = 0; i < count; i++)
		handle_event(fetch, &events[i]);
	message = curl_multi_info_read(fetch->multi, &left);
	if (!message || message->msg != CURLMSG_DONE)
		return false;
	fetch->result.code = message->data.result;
	curl_easy_getinfo(fetch->easy, CURLINFO_RESPONSE_CODE, &fetch->result.status);
	*result = fetch->result;
	if (!result->message[0])
		(void)snprintf(result->message, sizeof(result->message), "%s",
			       curl_easy_strerror(result->code));
	end_request(fetch);
	return true;
}
