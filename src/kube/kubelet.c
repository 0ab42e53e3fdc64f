/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "kube/kubelet.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "kube/fetch.h"
#include "kube/json_items.h"
#include "kube/kubelet_url.h"
#include "util/buf.h"
#include "util/clock.h"
#include "util/given_file.h"
#include "util/log.h"

#define NS_PER_MS	  UINT64_C(1000000)

/* A pod takes some 10 KiB. Half of that is its managedFields. */
#define REPLY_MAX_DEFAULT ((size_t)32 << 20)

#define TOKEN_MAX	  (64 << 10)
#define CA_MAX		  (1 << 20)
#define PATH_PODS	  "/pods"

#define PROBLEM_MAX	  384

#define DOUBLINGS_MAX	  16

const struct kubelet_times kubelet_times_default = {
	.interval_ns = 30 * NS_PER_S,
	.debounce_ns = 300 * NS_PER_MS,
	.gap_ns = 2 * NS_PER_S,
	.retry_min_ns = NS_PER_S,
	.retry_max_ns = 60 * NS_PER_S,
	.connect_ns = 5 * NS_PER_S,
	.total_ns = 15 * NS_PER_S,
};

const char *const kubelet_error_names[KUBELET_ERRORS] = {
	[KUBELET_OK] = "",
	[KUBELET_CONNECT] = "connect",
	[KUBELET_TIMEOUT] = "timeout",
	[KUBELET_TLS] = "tls",
	[KUBELET_CA] = "ca",
	[KUBELET_TOKEN] = "token",
	[KUBELET_UNAUTHORIZED] = "unauthorized",
	[KUBELET_FORBIDDEN] = "forbidden",
	[KUBELET_NOT_FOUND] = "not_found",
	[KUBELET_STATUS] = "status",
	[KUBELET_TOO_LARGE] = "too_large",
	[KUBELET_TRUNCATED] = "truncated",
	[KUBELET_MALFORMED] = "malformed",
	[KUBELET_MEMORY] = "memory",
	[KUBELET_BAD_POD] = "bad_pod",
	[KUBELET_DUPLICATE] = "duplicate",
	[KUBELET_TOO_MANY] = "too_many",
};

/* What the operator can do about it. */
static const char *const remedies[KUBELET_ERRORS] = {
	[KUBELET_CONNECT] = "is --kube.kubelet-url the node's kubelet?",
	[KUBELET_TIMEOUT] = "the kubelet or the node is overloaded",
	[KUBELET_TLS] =
		"its certificate must be signed by the CA of --kube.ca-file and name the host of "
		"--kube.kubelet-url, or --kube.server-name. kubeadm's kubelets sign their own "
		"unless serverTLSBootstrap is on: what to trust then is in "
		"deploy/kubernetes/overlays/kubeadm. --kube.insecure takes any certificate",
	[KUBELET_CA] = "name the cluster's CA with --kube.ca-file",
	[KUBELET_TOKEN] = "the pod needs a service account whose token is mounted; "
			  "--kube.token-file names another place",
	[KUBELET_UNAUTHORIZED] =
		"it does not take the token: either it cannot ask the API server "
		"about it now, which is down or out of reach, and then it will by "
		"itself; or the kubelet lacks authentication.webhook, or the token "
		"is not of this cluster",
	[KUBELET_FORBIDDEN] = "the service account lacks a rule: verb get on resource nodes/pods "
			      "(Kubernetes 1.33 and later) or nodes/proxy (before), as in "
			      "deploy/kubernetes/base/rbac.yaml",
	[KUBELET_NOT_FOUND] = "is --kube.kubelet-url a kubelet, with its debugging handlers on?",
	[KUBELET_STATUS] =
		"see the kubelet's log; with status 500 it often cannot ask the API server "
		"what the token may read",
	[KUBELET_TOO_LARGE] = "the bounds are 32 MiB for all pods, 2 MiB for one",
	[KUBELET_TRUNCATED] = "the connection broke",
	[KUBELET_MALFORMED] = "is --kube.kubelet-url a kubelet?",
	[KUBELET_MEMORY] = "memory ran out",
};

struct kubelet {
	struct kubelet_options options;
	struct kubelet_times times;
	char base[KUBELET_URL_MAX]; /* options.url as a proper URL */
	char *url;
	char *connect_to; /* with a server_name: the host and port of the URL */
	struct fetch *fetch;
	struct json_items items;
	struct pods *pods;

	uint64_t next_ns;	 /* when the next request begins, CLOCK_MONOTONIC */
	uint64_t began_ns;	 /* when the last one did */
	uint64_t began_boot_ns;	 /* the same by CLOCK_BOOTTIME */
	uint64_t listed_boot_ns; /* the last good one */
	unsigned int failures;	 /* since the last good one */
	bool wanted;		 /* while a request was under way */
	bool answered;

	struct kubelet_status status;
	enum kubelet_error told; /* logged last */
	enum kubelet_error last; /* how the last request ended */
	char problem[PROBLEM_MAX];
	bool told_bad_pods;
	uint64_t bad_pods; /* of this request */

	int epoll_fd;
	int timer_fd;
};

static void count_error(struct kubelet *k, enum kubelet_error error)
{
	k->status.errors[error]++;
}

static void on_item(void *context, const char *text, size_t len)
{
	struct kubelet *k = context;
	int err = pods_add(k->pods, text, len);

	if (!err)
		return;
	k->bad_pods++;
	if (err == -EEXIST)
		count_error(k, KUBELET_DUPLICATE);
	else if (err == -ENOSPC)
		count_error(k, KUBELET_TOO_MANY);
	else
		count_error(k, err == -ENOMEM ? KUBELET_MEMORY : KUBELET_BAD_POD);
}

static int on_data(void *context, const char *data, size_t len)
{
	struct kubelet *k = context;

	return json_items_feed(&k->items, data, len);
}

/*
 * Reads the token. The caller wipes and frees it. Returns 0; -EINVAL if the file has none (it may
 * be just being written); or the errno of reading it. Then error has one line that says so.
 */
static int read_token(const char *path, struct buf *token, char *error, size_t error_size)
{
	int err = given_file_read(path, TOKEN_MAX, token, error, error_size);
	size_t i = 0;

	if (err)
		return err;
	while (token->len && strchr(" \t\r\n", token->data[token->len - 1]))
		buf_truncate(token, token->len - 1);
	while (i < token->len && token->data[i] > ' ' && token->data[i] <= '~')
		i++;
	if (token->len && i == token->len)
		return 0;
	(void)snprintf(error, error_size, "%s: has no token in it", path);
	return -EINVAL;
}

/* The time of the next request after this many failures in a row. */
static uint64_t retry_ns(const struct kubelet *k)
{
	unsigned int doublings = k->failures - 1 < DOUBLINGS_MAX ? k->failures - 1 : DOUBLINGS_MAX;
	uint64_t pause_ns = k->times.retry_min_ns << doublings;

	return pause_ns < k->times.retry_max_ns ? pause_ns : k->times.retry_max_ns;
}

/* Logs once what is wrong, and once that it is right again. */
static void tell(struct kubelet *k, enum kubelet_error error, const char *message)
{
	if (k->options.quiet || (error == k->told && (error || k->status.requests > 1)))
		return;
	k->told = error;
	if (error)
		log_warn("cannot read the pods of the kubelet at %s: %s; %s; it is tried again",
			 k->base, message, remedies[error]);
	else
		log_info("the names of pods are read from the kubelet at %s: %zu pods", k->base,
			 pods_count(k->pods));
}

static void tell_bad_pods(struct kubelet *k)
{
	if (k->bad_pods && !k->told_bad_pods && !k->options.quiet)
		log_warn("%llu pods in the list of the kubelet at %s cannot be read; "
			 "bramble_kube_errors_total tells why",
			 (unsigned long long)k->bad_pods, k->base);
	k->told_bad_pods = k->bad_pods > 0;
}

static void end_request(struct kubelet *k, enum kubelet_error error, const char *message)
{
	uint64_t now_ns = clock_monotonic_ns();

	k->status.requests++;
	k->answered = true;
	k->last = error;
	(void)snprintf(k->problem, sizeof(k->problem), "%s", error ? message : "");
	pods_end_listing(k->pods, !error, now_ns);
	json_items_free(&k->items);
	if (error) {
		count_error(k, error);
		k->failures++;
		k->next_ns = now_ns + retry_ns(k);
	} else {
		k->failures = 0;
		k->listed_boot_ns = k->began_boot_ns;
		k->status.last_success_ns = clock_boottime_ns();
		k->next_ns = now_ns + k->times.interval_ns;
		tell_bad_pods(k);
	}
	tell(k, error, message);
	if (k->wanted)
		kubelet_want(k);
	k->wanted = false;
}

/* curl opens the CA's file by itself at each request, and would wait for a writer of a FIFO. */
static int check_ca(const struct kubelet *k, char *error, size_t error_size)
{
	const char *file = k->options.ca_file;

	return k->options.insecure || !file ? 0 : given_file_check(file, CA_MAX, error, error_size);
}

/* Begins a request. Returns whether it has failed already. */
static bool begin_request(struct kubelet *k)
{
	struct buf token = {0};
	char message[512];
	bool failed = true;
	int err;

	k->began_ns = clock_monotonic_ns();
	k->began_boot_ns = clock_boottime_ns();
	err = read_token(k->options.token_file, &token, message, sizeof(message));
	if (err == -ENOENT && k->options.optional && !k->status.in_use) {
		k->answered = true;
		k->next_ns = k->began_ns + k->times.interval_ns;
		buf_free(&token);
		return false;
	}
	k->status.in_use = true;
	k->bad_pods = 0;
	pods_begin_listing(k->pods);
	json_items_begin(&k->items, on_item, k);
	if (err)
		end_request(k, KUBELET_TOKEN, message);
	else if (check_ca(k, message, sizeof(message)))
		end_request(k, KUBELET_CA, message);
	else if (fetch_start(k->fetch, token.data))
		end_request(k, KUBELET_MEMORY, strerror(ENOMEM));
	else
		failed = false;
	if (token.data)
		explicit_bzero(token.data, token.len);
	buf_free(&token);
	return failed;
}

/* The error for the status of a whole reply. */
static enum kubelet_error status_error(long status)
{
	switch (status) {
	case 200:
		return KUBELET_OK;
	case 401:
		return KUBELET_UNAUTHORIZED;
	case 403:
		return KUBELET_FORBIDDEN;
	case 404:
		return KUBELET_NOT_FOUND;
	default:
		return KUBELET_STATUS;
	}
}

/* The error for a failure to read the body. */
static enum kubelet_error data_error(int err)
{
	switch (err) {
	case -EFBIG:
	case -EMSGSIZE:
		return KUBELET_TOO_LARGE;
	case -ENODATA:
		return KUBELET_TRUNCATED;
	case -ENOMEM:
		return KUBELET_MEMORY;
	default:
		return KUBELET_MALFORMED;
	}
}

static enum kubelet_error curl_error(const struct fetch_result *result)
{
	switch (result->code) {
	case CURLE_OPERATION_TIMEDOUT:
		return KUBELET_TIMEOUT;
	case CURLE_SSL_CACERT_BADFILE:
		return KUBELET_CA;
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CIPHER:
	case CURLE_SSL_ISSUER_ERROR:
		return KUBELET_TLS;
	case CURLE_PARTIAL_FILE:
		return KUBELET_TRUNCATED;
	case CURLE_OUT_OF_MEMORY:
		return KUBELET_MEMORY;
	default:
		return result->status ? KUBELET_TRUNCATED : KUBELET_CONNECT;
	}
}

static void take_result(struct kubelet *k, const struct fetch_result *result)
{
	enum kubelet_error error = KUBELET_OK;
	char message[CURL_ERROR_SIZE + 64];
	int err;

	(void)snprintf(message, sizeof(message), "%s", result->message);
	if (result->data_error) {
		error = data_error(result->data_error);
	} else if (result->code != CURLE_OK) {
		error = curl_error(result);
	} else {
		error = status_error(result->status);
		(void)snprintf(message, sizeof(message), "it answers with status %ld",
			       result->status);
		err = error ? 0 : json_items_end(&k->items);
		if (err)
			error = data_error(err);
	}
	if (error == KUBELET_MALFORMED)
		(void)snprintf(message, sizeof(message), "what it answers is no list of pods");
	else if (error == KUBELET_TOO_LARGE)
		(void)snprintf(message, sizeof(message), "its answer is too large");
	else if (error == KUBELET_TRUNCATED)
		(void)snprintf(message, sizeof(message), "its answer ended too early");
	end_request(k, error, message);
}

/* Sets the timer for the next request. While a request is under way, only that wakes the loop. */
static void arm_timer(struct kubelet *k)
{
	struct itimerspec when = {.it_value = {0}};

	if (!fetch_under_way(k->fetch)) {
		when.it_value.tv_sec = (time_t)(k->next_ns / NS_PER_S);
		when.it_value.tv_nsec = (long)(k->next_ns % NS_PER_S);
	}
	if (timerfd_settime(k->timer_fd, TFD_TIMER_ABSTIME, &when, NULL))
		log_error("cannot set the timer for the kubelet: %s", strerror(errno));
}

bool kubelet_run(struct kubelet *k)
{
	struct fetch_result result;
	bool ended = false;

	if (fetch_under_way(k->fetch) && fetch_run(k->fetch, &result)) {
		take_result(k, &result);
		ended = true;
	}
	if (!fetch_under_way(k->fetch) && clock_monotonic_ns() >= k->next_ns)
		ended |= begin_request(k);
	arm_timer(k);
	return ended;
}

void kubelet_want(struct kubelet *k)
{
	uint64_t at_ns = clock_monotonic_ns() + k->times.debounce_ns;

	if (fetch_under_way(k->fetch)) {
		k->wanted = true;
		return;
	}
	if (k->failures || !k->status.in_use)
		return;
	if (at_ns < k->began_ns + k->times.gap_ns)
		at_ns = k->began_ns + k->times.gap_ns;
	if (at_ns >= k->next_ns)
		return;
	k->next_ns = at_ns;
	arm_timer(k);
}

static int open_loop(struct kubelet *k)
{
	struct epoll_event event = {.events = EPOLLIN};

	k->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	k->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (k->epoll_fd < 0 || k->timer_fd < 0)
		return -errno;
	if (epoll_ctl(k->epoll_fd, EPOLL_CTL_ADD, k->timer_fd, &event) ||
	    epoll_ctl(k->epoll_fd, EPOLL_CTL_ADD, fetch_fd(k->fetch), &event))
		return -errno;
	return 0;
}

/* With a server_name it is the host of the URL for curl, which then connects to options.url's. */
static int write_urls(struct kubelet *k)
{
	const char *name = k->options.server_name;
	unsigned int port = kubelet_url_port(k->base);

	if (name && asprintf(&k->connect_to, "::%s", k->base + strlen("https://")) < 0) {
		k->connect_to = NULL;
		return -ENOMEM;
	}
	if ((name ? asprintf(&k->url, "https://%s:%u" PATH_PODS, name, port)
		  : asprintf(&k->url, "%s" PATH_PODS, k->base)) < 0) {
		k->url = NULL;
		return -ENOMEM;
	}
	return 0;
}

static int open_fetch(struct kubelet *k)
{
	struct fetch_options options = {
		.ca_file = k->options.ca_file,
		.insecure = k->options.insecure,
		.connect_ms = (long)(k->times.connect_ns / NS_PER_MS),
		.total_ms = (long)(k->times.total_ns / NS_PER_MS),
		.body_max = k->options.reply_max ? k->options.reply_max : REPLY_MAX_DEFAULT,
		.on_data = on_data,
		.context = k,
	};

	int err;

	if (kubelet_url_read(k->options.url, k->base))
		return -EINVAL;
	if (k->options.server_name && !kubelet_url_is_name(k->options.server_name))
		return -EINVAL;
	err = write_urls(k);
	if (err)
		return err;
	options.url = k->url;
	options.connect_to = k->connect_to;
	return fetch_new(&options, &k->fetch);
}

int kubelet_open(const struct kubelet_options *options, struct pods *pods, struct kubelet **out)
{
	struct kubelet *k = calloc(1, sizeof(*k));
	int err;

	*out = NULL;
	if (!k)
		return -ENOMEM;
	k->options = *options;
	k->times = options->times ? *options->times : kubelet_times_default;
	k->pods = pods;
	k->epoll_fd = -1;
	k->timer_fd = -1;
	err = open_fetch(k);
	err = err ?: open_loop(k);
	if (err) {
		kubelet_close(k);
		return err;
	}
	kubelet_run(k);
	*out = k;
	return 0;
}

void kubelet_close(struct kubelet *k)
{
	if (!k)
		return;
	fetch_free(k->fetch);
	json_items_free(&k->items);
	free(k->url);
	free(k->connect_to);
	if (k->epoll_fd >= 0)
		close(k->epoll_fd);
	if (k->timer_fd >= 0)
		close(k->timer_fd);
	free(k);
}

int kubelet_fd(const struct kubelet *k)
{
	return k->epoll_fd;
}

bool kubelet_has_answered(const struct kubelet *k)
{
	return k->answered;
}

uint64_t kubelet_listed_ns(const struct kubelet *k)
{
	return k->listed_boot_ns;
}

enum kubelet_error kubelet_last_error(const struct kubelet *k)
{
	return k->last;
}

const char *kubelet_problem(const struct kubelet *k)
{
	return k->problem;
}

const char *kubelet_remedy(enum kubelet_error error)
{
	return remedies[error];
}

const char *kubelet_url(const struct kubelet *k)
{
	return k->base;
}

const struct kubelet_status *kubelet_status(const struct kubelet *k)
{
	return &k->status;
}
