/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What the process gives up once it has attached its programs and listens, so that a hole in it is
 * of little use: docs/security.md. It cannot be taken back.
 */
#ifndef BRAMBLE_SANDBOX_H
#define BRAMBLE_SANDBOX_H

#include <stdbool.h>
#include <stdint.h>

#include "sandbox/needs.h"

enum sandbox_layer {
	SANDBOX_CAPABILITIES, /* none are left but those that are needed: caps.h */
	SANDBOX_NO_NEW_PRIVS, /* no program that it runs can have more rights */
	SANDBOX_SECCOMP,      /* it makes the system calls of calls.def alone */
	SANDBOX_LANDLOCK,     /* it opens the files of its needs alone */
	SANDBOX_LAYERS,
};

extern const char *const sandbox_layer_names[SANDBOX_LAYERS];

/* What is in force. All zeros: nothing. */
struct sandbox {
	bool layer[SANDBOX_LAYERS];
	uint64_t capabilities; /* that are effective, a bit each: capabilities(7) */
	int landlock_version;  /* 0: none */
};

#define CAPABILITIES_MAX 64

/* "cap_bpf" and the like; NULL for one that is newer than this program. Static. */
const char *sandbox_capability_name(int capability);

/*
 * Enters the sandbox: first all layers but the filter, for the calling thread and those that it
 * starts; then the filter, for all threads. So call the first before the first thread is started. A
 * layer that cannot be had is logged, and the others are still set: only *out says so.
 */
void sandbox_confine(const struct sandbox_needs *needs, struct sandbox *out);
void sandbox_filter(const struct sandbox_needs *needs, struct sandbox *out);

/* What is in force without a sandbox. */
void sandbox_none(struct sandbox *out);

#endif
