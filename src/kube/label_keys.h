/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Which labels of a pod become labels of its metrics, and their names there. As in
 * kube-state-metrics, the name is "label_" and the key, with '_' for every character that
 * Prometheus does not allow. Keys that become the same get "_conflict1", "_conflict2", ... in the
 * given order.
 */
#ifndef BRAMBLE_LABEL_KEYS_H
#define BRAMBLE_LABEL_KEYS_H

#include <stddef.h>

#define LABEL_KEYS_MAX	16
#define LABEL_KEY_SIZE	(253 + 1 + 63 + 1)    /* prefix, '/', name, NUL: Kubernetes' own bound */
#define LABEL_NAME_SIZE (LABEL_KEY_SIZE + 20) /* with what is put before and behind it */

/* Longer values are cut, between characters of UTF-8. Kubernetes allows 63. */
#define LABEL_VALUE_MAX 128

struct label_key {
	char key[LABEL_KEY_SIZE];   /* in Kubernetes: app.kubernetes.io/name */
	char name[LABEL_NAME_SIZE]; /* in Prometheus: label_app_kubernetes_io_name */
};

struct label_keys {
	struct label_key *list; /* owned: label_keys_free() */
	size_t count;
};

/*
 * Reads keys that are separated by commas. "" means no keys. Returns 0; -EINVAL if a key is not
 * valid in Kubernetes or comes twice; -E2BIG if there are too many; -ENOMEM. On an error the list
 * is empty.
 */
int label_keys_parse(const char *text, struct label_keys *out);

void label_keys_free(struct label_keys *keys);

#endif
