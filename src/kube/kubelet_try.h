/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Asks the kubelet once, to find out whether it can give names. */
#ifndef BRAMBLE_KUBELET_TRY_H
#define BRAMBLE_KUBELET_TRY_H

#include "kube/kubelet.h"

/* The time limits for the connection, and for everything. */
#define KUBELET_TRY_CONNECT_S 3
#define KUBELET_TRY_S	      6

struct kubelet_trial {
	bool asked; /* false: there is no token file, and options.optional was set */
	enum kubelet_error error;
	size_t pods;
	char url[320];
	char problem[384];  /* what went wrong, in the words of serve; empty if nothing did */
	const char *remedy; /* NULL if nothing did; static */
};

/* Blocks for at most KUBELET_TRY_S. Logs nothing. Returns 0, or an error of kubelet_open(). */
int kubelet_try(const struct kubelet_options *options, struct kubelet_trial *trial);

#endif
