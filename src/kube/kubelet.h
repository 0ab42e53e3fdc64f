/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Asks the node's own kubelet for its pods (GET /pods), and keeps the table of pods up to date with
 * the answers. It asks at once, every interval, and soon after kubelet_want(). After a failure it
 * tries again with growing pauses.
 *
 * One request is under way at a time. Nothing blocks: the caller's event loop drives everything,
 * and the answer is parsed pod by pod as it arrives. So no second thread is needed. The token is
 * read for each request, so a rotated token takes effect at once. The CA file is read for each
 * connection.
 *
 * One thread calls all of this.
 */
#ifndef BRAMBLE_KUBELET_H
#define BRAMBLE_KUBELET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kube/pods.h"

/* Where a pod finds the token and the CA of its service account. */
#define KUBELET_TOKEN_FILE "/var/run/secrets/kubernetes.io/serviceaccount/token"
#define KUBELET_CA_FILE	   "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt"
#define KUBELET_URL	   "https://127.0.0.1:10250"

/* Why a request failed, or why a pod in a reply was not accepted: the label "reason". */
enum kubelet_error {
	KUBELET_OK,
	KUBELET_CONNECT,      /* no connection, or it broke before the reply */
	KUBELET_TIMEOUT,      /* no reply in time, or not all of it */
	KUBELET_TLS,	      /* no TLS, or a certificate that the CA did not sign for this name */
	KUBELET_CA,	      /* the CA file cannot be used */
	KUBELET_TOKEN,	      /* the token file cannot be read, or has no token in it */
	KUBELET_UNAUTHORIZED, /* 401 */
	KUBELET_FORBIDDEN,    /* 403 */
	KUBELET_NOT_FOUND,    /* 404 */
	KUBELET_STATUS,	      /* any other status than 200 */
	KUBELET_TOO_LARGE,    /* the reply, or a pod in it */
	KUBELET_TRUNCATED,    /* the reply ended too early */
	KUBELET_MALFORMED,    /* the reply is no list of pods */
	KUBELET_MEMORY,
	KUBELET_BAD_POD,   /* a pod without a valid uid, namespace or name; the others are taken */
	KUBELET_DUPLICATE, /* a second pod of one uid; the first is taken */
	KUBELET_TOO_MANY,  /* pods beyond PODS_MAX */
	KUBELET_ERRORS,
};

/* The label's values: "connect", ... */
extern const char *const kubelet_error_names[KUBELET_ERRORS];

/* When and how long. Times in nanoseconds. */
struct kubelet_times {
	uint64_t interval_ns; /* from the end of a good request to the next */
	uint64_t debounce_ns; /* from a wish to the request, so that several wishes share one */
	uint64_t gap_ns;      /* from the beginning of a request to the next, at least */
	uint64_t retry_min_ns, retry_max_ns; /* after the first failure, after many */
	uint64_t connect_ns;		     /* for the connection, TLS included */
	uint64_t total_ns;		     /* for a request */
};

extern const struct kubelet_times kubelet_times_default;

struct kubelet_options {
	const char *url; /* see kubelet_url.h; "/pods" is added */
	const char *token_file;
	const char *ca_file;
	const char *server_name; /* what the certificate must name; NULL: the URL's host */
	bool insecure;		 /* take any certificate */
	bool quiet;		 /* log nothing */
	/* Without a token file there is no Kubernetes here. That is not an error. */
	bool optional;
	size_t reply_max;		   /* bytes; 0: the default */
	const struct kubelet_times *times; /* NULL: the default */
};

struct kubelet_status {
	bool in_use;		  /* false while it is optional and there was no token file yet */
	uint64_t requests;	  /* that ended, well or not */
	uint64_t last_success_ns; /* CLOCK_BOOTTIME; 0: never */
	uint64_t errors[KUBELET_ERRORS];
};

struct kubelet;

/*
 * Makes one that fills the table, and begins the first request. The strings of the options and the
 * table must outlive it. Returns 0; -ENOMEM; -EINVAL if the URL is invalid; or an error of
 * epoll_create(2). Nothing is logged.
 */
int kubelet_open(const struct kubelet_options *options, struct pods *pods, struct kubelet **out);
void kubelet_close(struct kubelet *kubelet);

/* Readable when kubelet_run() has something to do. */
int kubelet_fd(const struct kubelet *kubelet);

/* Does what is due. Returns whether a request ended: then the table may have changed. */
bool kubelet_run(struct kubelet *kubelet);

/* Something is missing from the table: ask soon. After a failure this waits for the next try. */
void kubelet_want(struct kubelet *kubelet);

/* Whether the first request has ended, well or not, or need not be waited for. */
bool kubelet_has_answered(const struct kubelet *kubelet);

/* When the last good request began. What existed before that is in the table. CLOCK_BOOTTIME, ns;
 * 0: never. */
uint64_t kubelet_listed_ns(const struct kubelet *kubelet);

/* How the last request ended; what went wrong, in words (empty if nothing did); and what the
 * operator can do about an error. The words stay valid until the next request. The remedy is
 * static. */
enum kubelet_error kubelet_last_error(const struct kubelet *kubelet);
const char *kubelet_problem(const struct kubelet *kubelet);
const char *kubelet_remedy(enum kubelet_error error);

/* The URL that is used, without a path. */
const char *kubelet_url(const struct kubelet *kubelet);

const struct kubelet_status *kubelet_status(const struct kubelet *kubelet);

#endif
