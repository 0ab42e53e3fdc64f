/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "kube/name.h"

#define ALNUM "abcdefghijklmnopqrstuvwxyz0123456789"

/* Letters, digits and '-', but no '-' at the beginning or end. Not empty. */
static bool is_label(struct slice text)
{
	return text.len && slice_only(text, ALNUM "-") && !slice_starts(text, "-") &&
	       !slice_ends(text, "-");
}

bool kube_label_valid(struct slice text)
{
	return text.len <= KUBE_LABEL_MAX && is_label(text);
}

/* Kubernetes limits the length of the whole, not of each part. */
bool kube_subdomain_valid(struct slice text)
{
	struct slice label;
	bool more;

	if (text.len > KUBE_SUBDOMAIN_MAX)
		return false;
	do {
		more = slice_cut(&text, '.', &label);
		if (!is_label(label))
			return false;
	} while (more);
	return true;
}
