/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "kube/name.h"

static bool is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* Letters, digits and '-', the first and the last no '-'; not empty. */
static bool is_label(const char *text, size_t len)
{
	if (len == 0 || !is_alnum(text[0]) || !is_alnum(text[len - 1]))
		return false;
	for (size_t i = 0; i < len; i++)
		if (!is_alnum(text[i]) && text[i] != '-')
			return false;
	return true;
}

bool kube_label_valid(const char *text, size_t len)
{
	return len <= KUBE_LABEL_MAX && is_label(text, len);
}

/* Kubernetes bounds the whole, not each part. */
bool kube_subdomain_valid(const char *text, size_t len)
{
	size_t start = 0;

	if (len > KUBE_SUBDOMAIN_MAX)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (text[i] != '.')
			continue;
		if (!is_label(text + start, i - start))
			return false;
		start = i + 1;
	}
	return is_label(text + start, len - start);
}
