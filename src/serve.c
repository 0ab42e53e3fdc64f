/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "serve.h"

#include <errno.h>
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "expose/expose.h"
#include "expose/json.h"
#include "http/guard.h"
#include "http/server.h"
#include "metrics/workloads.h"
#include "obstacle/obstacle.h"
#include "sandbox/sandbox.h"
#include "util/clock.h"
#include "util/log.h"
#include "util/signals.h"
#include "version.h"
#include "why/watch.h"

#define REPLY_MMAP_THRESHOLD (128 * 1024)

#define API_CONTAINERS	     "/api/v1/containers"
#define API_WHY		     "/api/v1/why"

/* Replies that requests in the same turn may share: http_reply_again(). */
enum reply_kind {
	KIND_CONTAINERS = 1,
	KIND_CONTAINERS_WORKLOADS = 2,
	KIND_WHY = 0x10000,   /* and for how long */
	KIND_METRICS = 0x100, /* and what metrics_kind() adds */
};

struct server {
	const struct serve_options *options;
	struct collector *collector;
	struct http *http;
	struct guard *guard; /* or NULL */
	struct watch *watch;
	struct sandbox sandbox;
	struct scrape_times scrapes;
	size_t metrics_len[FORMATS][2]; /* of the last scrape; gzipped */
	char *landing_page;
	struct buf urls; /* each with a space before it */
	int epoll_fd;
	struct signals signals;
};

static void set_string(struct http_reply *reply, const char *type, char *body)
{
	reply->status = 200;
	reply->content_type = type;
	reply->body = body;
	reply->len = body ? strlen(body) : 0;
}

/* Which forms of histograms the URL asks for, if the format has a choice. */
static enum hist_forms wanted_forms(const struct server *s, const struct http_request *request)
{
	const char *forms = http_query(request, "histograms");

	if (forms && strcmp(forms, "classic") == 0)
		return HIST_CLASSIC;
	if (forms && strcmp(forms, "native") == 0)
		return HIST_NATIVE;
	if (forms && strcmp(forms, "both") == 0)
		return HIST_BOTH;
	return s->options->classic_histograms ? HIST_BOTH : HIST_NATIVE;
}

static struct expose_options wanted_format(const struct server *s,
					   const struct http_request *request)
{
	struct expose_options wanted = {.forms = wanted_forms(s, request),
					.created = s->options->created_samples};
	struct buf formats = {0}, encodings = {0};

	if (http_header(request, "Accept", &formats))
		wanted.accepted = accept_format(formats.data);
	if (http_header(request, "Accept-Encoding", &encodings))
		wanted.gzip = accept_gzip(encodings.data);
	buf_free(&formats);
	buf_free(&encodings);
	return wanted;
}

/* Everything that is emitted in one scrape, read now. Returns 0, or -ENOMEM: a part is missing. */
static int take_snapshot(struct server *s, struct books *books, struct lost_shares *lost,
			 struct scrape *scrape)
{
	int err;

	collector_update(s->collector);
	books_read(s->collector, books);
	scrape_of(s->collector, scrape);
	scrape->sum = owners_sum(scrape->owners);
	scrape->filter = &s->options->filter;
	scrape->books = books;
	err = watch_lost(s->watch, scrape->owners, lost);
	scrape->lost = lost;
	scrape->times = &s->scrapes;
	scrape->refusals = http_refusals(s->http);
	scrape->sandbox = &s->sandbox;
	self_read(&scrape->self, scrape->wall);
	if (!scrape->sum && scrape->owners->sum_made_ns)
		err = -ENOMEM;
	return err;
}

static unsigned int metrics_kind(const struct expose_options *wanted)
{
	return KIND_METRICS | (unsigned int)wanted->accepted.escaping << 9 |
	       (unsigned int)wanted->accepted.format << 4 | (unsigned int)wanted->forms << 1 |
	       wanted->gzip;
}

static void reply_metrics(struct server *s, const struct http_request *request,
			  struct http_reply *reply)
{
	struct expose_options wanted = wanted_format(s, request);
	uint64_t start_ns = clock_monotonic_ns();
	struct buf body = {0};
	struct lost_shares lost;
	struct books books;
	struct scrape scrape;
	size_t *last_len;

	reply->content_type = accepted_content_type(wanted.accepted);
	reply->negotiated = true;
	reply->gzip = wanted.gzip;
	reply->kind = metrics_kind(&wanted);
	if (http_reply_again(request, reply))
		return;
	/* Without memory for a part of it, the whole answer is void. */
	body.failed = take_snapshot(s, &books, &lost, &scrape) != 0;
	/* A scrape is about as long as the last one. So nothing is copied, and no memory is wasted.
	 */
	last_len = &s->metrics_len[wanted.accepted.format][wanted.gzip];
	buf_reserve(&body, *last_len + *last_len / 16);
	expose_write(&body, &wanted, &scrape);
	owners_free_sum(scrape.sum);
	free(lost.list);
	collector_mark_read(s->collector, READER_METRICS);
	*last_len = body.len;
	reply->status = 200;
	reply->len = body.len;
	reply->body = buf_take(&body);
	s->scrapes.count++;
	s->scrapes.sum_ns += clock_monotonic_ns() - start_ns;
}

static void reply_containers(struct server *s, const struct http_request *request,
			     struct http_reply *reply)
{
	const char *parameter = http_query(request, "workload");
	bool wanted = parameter && strcmp(parameter, "1") == 0;
	struct workloads workloads = {0};
	struct scrape scrape;
	char *body = NULL;

	reply->content_type = "application/json";
	reply->kind = wanted ? KIND_CONTAINERS_WORKLOADS : KIND_CONTAINERS;
	if (http_reply_again(request, reply))
		return;
	collector_update(s->collector);
	scrape_of(s->collector, &scrape);
	scrape.workloads = wanted ? &workloads : NULL;
	if (!wanted || !workloads_read(scrape.members, scrape.names, &workloads))
		body = json_containers(&scrape, clock_monotonic_ns());
	set_string(reply, reply->content_type, body);
	collector_mark_read(s->collector, READER_API);
	workloads_free(&workloads);
}

static void on_request(void *context, const struct http_request *request, struct http_reply *reply)
{
	struct server *s = context;
	const char *path = request->path;

	if (strcmp(path, s->options->telemetry_path) == 0) {
		reply_metrics(s, request, reply);
	} else if (strcmp(path, API_CONTAINERS) == 0) {
		reply_containers(s, request, reply);
	} else if (strcmp(path, API_WHY) == 0) {
		watch_reply(s->watch, request, KIND_WHY, reply);
	} else if (strcmp(path, "/healthz") == 0 || strcmp(path, "/readyz") == 0) {
		/* Ready: requests are served once the probe is attached and the cgroups are known.
		 */
		set_string(reply, "text/plain; charset=utf-8", strdup("ok\n"));
	} else if (strcmp(path, "/") == 0) {
		set_string(reply, "text/html; charset=utf-8", strdup(s->landing_page));
	}
}

static char *make_landing_page(const char *telemetry_path)
{
	struct buf page = {0};

	buf_printf(&page,
		   "<!DOCTYPE html>\n<html lang=\"en\"><head><title>bramble</title></head><body>\n"
		   "<h1>bramble</h1>\n<p>Which pod is slow, and why. Version %s (%s).</p>\n<ul>\n"
		   "<li><a href=\"%s\">Metrics</a></li>\n"
		   "<li><a href=\"" API_CONTAINERS "\">Containers, as JSON</a></li>\n"
		   "<li><a href=\"" API_WHY "\">What is wrong, as JSON</a></li>\n"
		   "<li><a href=\"/healthz\">Health</a>, <a href=\"/readyz\">readiness</a></li>\n"
		   "</ul>\n</body></html>\n",
		   bramble_version, bramble_revision, telemetry_path);
	return buf_take(&page);
}

static int listen_on(struct server *s, const char *text)
{
	struct address_list list;
	char message[256], where[ADDRESS_TEXT_MAX];
	struct obstacle obstacle;
	int err = address_parse(text, &list, message, sizeof(message));
	size_t i;

	if (err) {
		log_error("--web.listen-address: %s", message);
		return err;
	}
	for (i = 0; i < list.count; i++) {
		err = http_listen(s->http, &list.items[i]);
		if (err == -EADDRINUSE || (err && !(list.any && i + 1 < list.count))) {
			obstacle_of_address(err, address_port(&list.items[i]), &obstacle);
			obstacle_log(LOG_ERROR, &obstacle, "cannot listen on %s", text);
		}
		if (!err) {
			address_format(&list.items[i], where);
			/* A browser cannot open the address of any host. */
			buf_printf(&s->urls, " %s://%s%s%s",
				   s->guard && guard_tls(s->guard) ? "https" : "http",
				   list.any ? "localhost" : "",
				   list.any ? strrchr(where, ':') : where,
				   s->options->telemetry_path);
		}
		if (list.any ? !err || err == -EADDRINUSE : err)
			break;
	}
	address_list_free(&list);
	return err;
}

/* `bramble top` can load a probe of its own. So a missing socket is no reason to exit. */
static void listen_on_socket(struct server *s, const char *path)
{
	struct obstacle obstacle;
	int err;

	if (!path[0])
		return;
	err = http_listen_unix(s->http, path);
	if (!err) {
		log_info("to see which pod is slow, and why: bramble top --socket=%s", path);
		return;
	}
	obstacle_of_socket(err, path, &obstacle);
	obstacle_log(LOG_WARN, &obstacle, "`bramble top` cannot be served on the socket %s", path);
}

static int listen_to(struct server *s, int fd)
{
	struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

	return epoll_ctl(s->epoll_fd, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
}

static int open_event_sources(struct server *s)
{
	size_t i;
	int fd, err;

	s->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (s->epoll_fd < 0)
		return -errno;
	err = listen_to(s, s->signals.fd);
	err = err ?: listen_to(s, collector_event_fd(s->collector));
	err = err ?: listen_to(s, watch_fd(s->watch));
	for (i = 0; !err && (fd = http_event_fd(s->http, i)) >= 0; i++)
		err = listen_to(s, fd);
	return err;
}

/* The directory of the socket, from which it is removed at the end. */
static void need_socket(const char *path, struct sandbox_needs *needs)
{
	const char *slash = strrchr(path, '/');
	char *directory = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");

	if (path[0])
		sandbox_need(needs, directory, SANDBOX_REMOVE);
	free(directory);
}

static void find_needs(const struct server *s, struct sandbox_needs *needs)
{
	collector_need(s->collector, needs);
	if (s->guard)
		guard_need(s->guard, needs);
	need_socket(s->options->socket, needs);
}

/*
 * Everything is open. Now all that is not needed any more is given up. A thread inherits that, but
 * is not changed by it: so it is started after that. The filter is for all threads.
 */
static int enter_sandbox(struct server *s)
{
	bool wanted = s->options->collector.sandbox;
	struct sandbox_needs needs = {0};
	int err;

	sandbox_none(&s->sandbox);
	if (wanted) {
		collector_leave_late(s->collector);
		find_needs(s, &needs);
		sandbox_confine(&needs, &s->sandbox);
	}
	err = s->guard ? guard_start(s->guard) : 0;
	if (wanted)
		sandbox_filter(&needs, &s->sandbox);
	sandbox_needs_free(&needs);
	return err;
}

static int start(struct server *s)
{
	const struct serve_options *options = s->options;
	size_t i;
	int err = 0;

	s->landing_page = make_landing_page(options->telemetry_path);
	if (options->web_config && options->web_config[0])
		err = guard_open(options->web_config, &s->guard);
	if (err)
		return err;
	s->http = http_new(on_request, s, s->guard);
	if (!s->landing_page || !s->http)
		return -ENOMEM;
	/* Open the addresses first. If one is in use, that shows before a probe is loaded. */
	for (i = 0; i < options->listen.count; i++) {
		err = listen_on(s, options->listen.values[i]);
		if (err)
			return err;
	}
	err = collector_open(&options->collector, &s->collector);
	if (err)
		return err;
	err = watch_open(s->collector, &s->watch);
	if (err)
		return err;
	node_report(collector_node(s->collector));
	log_info("serving%s", s->urls.data ? s->urls.data : "");
	/* From here on there is a file to be removed at the end. */
	err = signals_open(&s->signals);
	if (err)
		return err;
	listen_on_socket(s, options->socket);
	err = open_event_sources(s);
	return err ?: enter_sandbox(s);
}

/* Whether it is to go on. */
static bool handle_signals(struct server *s)
{
	const char *name = "";

	switch (signals_read(&s->signals, &name)) {
	case SIGNAL_END:
		log_info("stopped by %s", name);
		return false;
	case SIGNAL_RELOAD:
		if (s->guard)
			guard_reload(s->guard, clock_monotonic_ns());
		else
			log_info("%s: there is no --web.config.file to be read again", name);
		return true;
	default:
		return true;
	}
}

static int run(struct server *s)
{
	struct epoll_event events[16];
	int i, count, err;

	for (;;) {
		count = epoll_wait(s->epoll_fd, events, 16, http_timeout_ms(s->http));
		if (count < 0 && errno != EINTR)
			return -errno;
		for (i = 0; i < count; i++) {
			int fd = events[i].data.fd;

			if (fd == s->signals.fd && !handle_signals(s))
				return 0;
			/* Before the requests, so that what has arrived is in their answers. */
			if (fd == collector_event_fd(s->collector))
				collector_poll(s->collector);
			else if (fd == watch_fd(s->watch))
				watch_turn(s->watch);
		}
		err = http_run(s->http);
		if (err)
			return err;
	}
}

static void stop(struct server *s)
{
	http_free(s->http);
	guard_close(s->guard);
	watch_close(s->watch);
	collector_close(s->collector);
	free(s->landing_page);
	buf_free(&s->urls);
	if (s->epoll_fd >= 0)
		close(s->epoll_fd);
	signals_close(&s->signals);
}

int serve(const struct serve_options *options)
{
	struct server s = {.options = options, .epoll_fd = -1, .signals.fd = -1};
	int err;

	/* Return the memory of a reply to the system, rather than keep it for the next reply. */
	mallopt(M_MMAP_THRESHOLD, REPLY_MMAP_THRESHOLD);
	log_info("bramble %s (%s)", bramble_version, bramble_revision);
	err = start(&s);
	if (!err) {
		err = run(&s);
		if (err)
			log_error("cannot wait for events: %s", strerror(-err));
	}
	stop(&s);
	return err;
}
