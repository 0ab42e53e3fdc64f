/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The names that Kubernetes gives a container, and the rules for them. They become label values, so
 * a name that Kubernetes would refuse is not accepted.
 *
 * Every function may be called from any thread.
 */
#ifndef BRAMBLE_KUBE_NAME_H
#define BRAMBLE_KUBE_NAME_H

#include <stdbool.h>

#include "util/slice.h"

#define KUBE_LABEL_MAX	   63  /* RFC 1123 label: namespaces and containers */
#define KUBE_SUBDOMAIN_MAX 253 /* RFC 1123 subdomain: pods */

/* The container name of a pod's sandbox in the kubelet and cAdvisor. No container can have it. */
#define KUBE_SANDBOX	   "POD"

/* An unknown name is an empty string. */
struct kube_name {
	char namespace[KUBE_LABEL_MAX + 1];
	char pod[KUBE_SUBDOMAIN_MAX + 1];
	char container[KUBE_LABEL_MAX + 1];
};

/*
 * Whether the text is a name by the rules of k8s.io/apimachinery/pkg/util/validation: letters in
 * lower case and digits, inside also '-', and in a subdomain '.' between such parts.
 */
bool kube_label_valid(struct slice text);
bool kube_subdomain_valid(struct slice text);

#endif
