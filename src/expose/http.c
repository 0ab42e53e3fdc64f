/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "expose/http.h"

#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <microhttpd.h>

#include "util/log.h"

#define CONNECTIONS_MAX	  64
#define IDLE_TIMEOUT_S	  30U
#define CONNECTION_MEMORY (16 * 1024) /* for one request's header; longer ones are refused */
#define LISTEN_BACKLOG	  64

/* One place to listen at. */
struct listener {
	struct MHD_Daemon *daemon;
	char *unix_path; /* NULL: not a Unix socket */
};

struct http {
	http_handler handler;
	void *context;
	struct listener *listeners;
	size_t count;
};

struct http *http_new(http_handler handler, void *context)
{
	struct http *http = calloc(1, sizeof(*http));

	if (!http)
		return NULL;
	http->handler = handler;
	http->context = context;
	return http;
}

void http_free(struct http *http)
{
	size_t i;

	if (!http)
		return;
	for (i = 0; i < http->count; i++) {
		MHD_stop_daemon(http->listeners[i].daemon);
		if (http->listeners[i].unix_path)
			unlink(http->listeners[i].unix_path);
		free(http->listeners[i].unix_path);
	}
	free(http->listeners);
	free(http);
}

static enum MHD_Result send_reply(struct MHD_Connection *connection, struct http_reply *reply)
{
	struct MHD_Response *response;
	enum MHD_Result result;

	response = MHD_create_response_from_buffer(reply->len, reply->body, MHD_RESPMEM_MUST_FREE);
	if (!response) {
		free(reply->body);
		return MHD_NO;
	}
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, reply->content_type);
	if (reply->status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
	result = MHD_queue_response(connection, reply->status, response);
	MHD_destroy_response(response);
	return result;
}

static void set_text(struct http_reply *reply, unsigned int status, const char *text)
{
	reply->status = status;
	reply->content_type = "text/plain; charset=utf-8";
	reply->body = strdup(text);
	reply->len = reply->body ? strlen(text) : 0;
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection,
				  const char *path, const char *method, const char *version,
				  const char *upload, size_t *upload_size, void **state)
{
	static int seen;
	struct http *http = context;
	struct http_reply reply = {0};

	(void)version;
	(void)upload;
	/* The first call comes before the body; what a body says is not read. */
	if (!*state) {
		*state = &seen;
		return MHD_YES;
	}
	if (*upload_size) {
		*upload_size = 0;
		return MHD_YES;
	}
	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
		set_text(&reply, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET and HEAD are served\n");
	else
		http->handler(http->context, path, &reply);
	if (!reply.status)
		set_text(&reply, MHD_HTTP_NOT_FOUND, "not found; see / for what is here\n");
	if (!reply.body)
		set_text(&reply, MHD_HTTP_INTERNAL_SERVER_ERROR, "out of memory\n");
	if (!reply.body)
		return MHD_NO;
	return send_reply(connection, &reply);
}

static void on_message(void *context, const char *format, va_list args)
{
	char line[512];

	(void)context;
	vsnprintf(line, sizeof(line), format, args);
	line[strcspn(line, "\n")] = '\0';
	log_debug("http: %s", line);
}

/* Serves at a bound socket, which the daemon owns from then on. */
static int add_listener(struct http *http, int fd, const char *unix_path)
{
	struct listener *listeners, *listener;

	if (listen(fd, LISTEN_BACKLOG)) {
		int err = -errno;

		close(fd);
		return err;
	}
	listeners = realloc(http->listeners, (http->count + 1) * sizeof(*listeners));
	if (!listeners) {
		close(fd);
		return -ENOMEM;
	}
	http->listeners = listeners;
	listener = &listeners[http->count];
	listener->unix_path = unix_path ? strdup(unix_path) : NULL;
	listener->daemon = MHD_start_daemon(
		MHD_USE_EPOLL | MHD_USE_ERROR_LOG, 0, NULL, NULL, on_request, http,
		MHD_OPTION_EXTERNAL_LOGGER, on_message, NULL, MHD_OPTION_LISTEN_SOCKET, fd,
		MHD_OPTION_CONNECTION_LIMIT, (unsigned int)CONNECTIONS_MAX,
		MHD_OPTION_CONNECTION_TIMEOUT, IDLE_TIMEOUT_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		(size_t)CONNECTION_MEMORY, MHD_OPTION_END);
	if (!listener->daemon) {
		free(listener->unix_path);
		close(fd);
		return -ENOMEM;
	}
	http->count++;
	return 0;
}

int http_listen(struct http *http, struct address *address)
{
	struct sockaddr *sockaddr = (struct sockaddr *)&address->sockaddr;
	const int on = 1, off = 0;
	int fd, err;

	fd = socket(sockaddr->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (sockaddr->sa_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (bind(fd, sockaddr, address->len) || getsockname(fd, sockaddr, &address->len)) {
		err = -errno;
		close(fd);
		return err;
	}
	return add_listener(http, fd, NULL);
}

static int unix_address(struct sockaddr_un *address, const char *path)
{
	memset(address, 0, sizeof(*address));
	address->sun_family = AF_UNIX;
	if (strlen(path) >= sizeof(address->sun_path))
		return -ENAMETOOLONG;
	memcpy(address->sun_path, path, strlen(path));
	return 0;
}

static int make_parent(const char *path)
{
	char parent[PATH_MAX];
	char *slash;

	snprintf(parent, sizeof(parent), "%s", path);
	slash = strrchr(parent, '/');
	if (!slash || slash == parent)
		return 0;
	*slash = '\0';
	return mkdir(parent, 0755) && errno != EEXIST ? -errno : 0;
}

/*
 * Binds; a socket file that nobody serves is removed first. Of another file,
 * too, connect() says ECONNREFUSED: it is left alone.
 */
static int bind_unix(int fd, const struct sockaddr_un *address)
{
	const struct sockaddr *any = (const struct sockaddr *)address;
	struct stat st;

	if (bind(fd, any, sizeof(*address)) == 0)
		return 0;
	if (errno != EADDRINUSE)
		return -errno;
	if (lstat(address->sun_path, &st))
		return -errno;
	if (!S_ISSOCK(st.st_mode))
		return -EEXIST;
	/* EAGAIN: it is served, but its queue is full. */
	if (connect(fd, any, sizeof(*address)) == 0 || errno == EAGAIN)
		return -EADDRINUSE;
	if (errno != ECONNREFUSED)
		return -errno;
	if (unlink(address->sun_path) || bind(fd, any, sizeof(*address)))
		return -errno;
	return 0;
}

int http_listen_unix(struct http *http, const char *path)
{
	struct sockaddr_un address;
	int fd, err = unix_address(&address, path);

	err = err ?: make_parent(path);
	if (err)
		return err;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	err = bind_unix(fd, &address);
	if (!err && chmod(path, 0660))
		err = -errno;
	if (err) {
		close(fd);
		return err;
	}
	return add_listener(http, fd, path);
}

int http_event_fd(const struct http *http, size_t i)
{
	const union MHD_DaemonInfo *info;

	if (i >= http->count)
		return -1;
	info = MHD_get_daemon_info(http->listeners[i].daemon, MHD_DAEMON_INFO_EPOLL_FD);
	return info ? info->epoll_fd : -1;
}

void http_run(struct http *http)
{
	size_t i;

	for (i = 0; i < http->count; i++)
		MHD_run(http->listeners[i].daemon);
}

int http_timeout_ms(const struct http *http)
{
	MHD_UNSIGNED_LONG_LONG timeout, least = INT_MAX;
	size_t i;

	for (i = 0; i < http->count; i++)
		if (MHD_get_timeout(http->listeners[i].daemon, &timeout) == MHD_YES &&
		    timeout < least)
			least = timeout;
	return least == INT_MAX ? -1 : (int)least;
}
