/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "util/serve_client.h"

#include <errno.h>
#include <string.h>

#include "util/log.h"

static size_t on_data(char *data, size_t size, size_t count, void *context)
{
	struct serve_reply *reply = context;

	if (reply->text.len + size * count > reply->max)
		return 0;
	buf_add(&reply->text, data, size * count);
	return buf_failed(&reply->text) ? 0 : size * count;
}

void serve_client_set_up(CURL *curl, const char *socket, const char *url, struct serve_reply *reply)
{
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, socket);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_data);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, reply);
}

void serve_client_log_error(const char *command, const char *socket, int err)
{
	if (err == -ENOTSOCK)
		log_error("--socket=%s is no socket", socket);
	else if (err == -EACCES)
		log_error("may not open %s: permission denied; run bramble %s as root, or as a "
			  "user of the socket's group",
			  socket, command);
	else
		log_error("cannot open %s: %s", socket, strerror(-err));
}
