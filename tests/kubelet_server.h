/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* tests/kubelet/kubelet for the unit tests; its directory is the test's tree. */
#ifndef BRAMBLE_TEST_KUBELET_SERVER_H
#define BRAMBLE_TEST_KUBELET_SERVER_H

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kube/kubelet.h"
#include "tree.h"
#include "util/buf.h"
#include "util/clock.h"

#define SERVER		 "tests/kubelet/kubelet"
#define SERVER_CERTS	 "tests/kubelet/make-certs"
#define SERVER_DOCUMENTS "tests/kubelet/pods/"

/* Longer than any of this takes on a busy machine. */
#define PATIENCE_MS	 60000

static pid_t server_pid;
static char server_url[64];
static char token_path[128], ca_path[128]; /* of the client */

static inline char *in_tree(const char *name, char path[128])
{
	(void)snprintf(path, 128, "%s/%s", tree_root, name);
	return path;
}

static inline void server_start(void)
{
	char path[128];
	struct buf port = {0};

	server_pid = fork();
	assert_true(server_pid >= 0);
	if (server_pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execl(SERVER, SERVER, tree_root, NULL);
		_exit(127);
	}
	for (int i = 0; i < PATIENCE_MS / 10; i++) {
		if (buf_read_file(&port, in_tree("port", path), 16) == 0)
			break;
		usleep(10000);
	}
	assert_non_null(port.data);
	(void)snprintf(server_url, sizeof(server_url), "https://127.0.0.1:%s", port.data);
	buf_free(&port);
}

static inline void server_stop(void)
{
	char path[128];

	if (server_pid <= 0)
		return;
	kill(server_pid, SIGKILL);
	waitpid(server_pid, NULL, 0);
	server_pid = 0;
	unlink(in_tree("port", path));
}

static inline void server_put_document(const char *name)
{
	char path[128], to[64];
	struct buf text;

	(void)snprintf(path, sizeof(path), SERVER_DOCUMENTS "%s.json", name);
	assert_int_equal(buf_read_file(&text, path, 1 << 20), 0);
	(void)snprintf(to, sizeof(to), "pods/%s.json", name);
	tree_put(to, text.data);
	buf_free(&text);
}

/* Makes certificates and a token. */
static inline void server_prepare(void)
{
	char command[256];

	(void)snprintf(command, sizeof(command), SERVER_CERTS " %s 2>/dev/null", tree_root);
	assert_int_equal(system(command), 0);
	tree_put("token", "a.good.token\n");
	in_tree("token", token_path);
	in_tree("ca.crt", ca_path);
}

/* A client of it, which asks often, tries again soon and waits long. */
static inline struct kubelet_options server_options(void)
{
	static const struct kubelet_times often = {
		.interval_ns = NS_PER_S / 20,
		.debounce_ns = NS_PER_S / 1000,
		.gap_ns = NS_PER_S / 100,
		.retry_min_ns = NS_PER_S / 100,
		.retry_max_ns = NS_PER_S / 10,
		.connect_ns = 30 * NS_PER_S,
		.total_ns = 30 * NS_PER_S,
	};

	return (struct kubelet_options){
		.url = server_url, .token_file = token_path, .ca_file = ca_path, .times = &often};
}

/* Sets what the server does: see there. */
static inline void server_mode(const char *text)
{
	char from[128], to[128];

	tree_put("mode.new", text);
	assert_int_equal(rename(in_tree("mode.new", from), in_tree("mode", to)), 0);
}

#endif
