/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Compares a password with a hash in a thread of its own. crypt(3) takes up to seconds on purpose,
 * and nothing else may wait for it. It is one thread, which takes one password at a time: whoever
 * hands them over decides which is next, and how often.
 *
 * The thread blocks all signals, takes no memory, and logs nothing. Its system calls are futex,
 * write, clock_gettime, and at its end madvise and exit.
 *
 * All functions belong to the thread of the event loop.
 */
#ifndef BRAMBLE_HASHER_H
#define BRAMBLE_HASHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <crypt.h>

/* A password is shorter than this, as crypt(3) wants it; a hash, too. */
#define HASHER_PASSWORD_SIZE CRYPT_MAX_PASSPHRASE_SIZE
#define HASHER_HASH_SIZE     64

struct hasher;

/* Makes one that has no thread yet. Returns 0 or a negative errno. */
int hasher_new(struct hasher **out);

/*
 * Makes the thread, and returns once it has come to the place where it waits. It has the
 * capabilities of the caller. A second call does nothing. Returns 0 or a negative errno.
 */
int hasher_start(struct hasher *hasher);

/* Ends the thread. That waits for the end of a hash. NULL does nothing. */
void hasher_free(struct hasher *hasher);

/* Readable when there is a result. */
int hasher_fd(const struct hasher *hasher);

/*
 * Begins to compare. Returns false, and does nothing, if there is no thread, if one is under way
 * or its result was not taken, or if a text is too long.
 */
bool hasher_begin(struct hasher *hasher, const char *password, const char *hash);

struct hasher_result {
	bool matches;
	uint64_t cpu_ns; /* that it took */
};

/* Takes the result. Returns false if there is none. */
bool hasher_end(struct hasher *hasher, struct hasher_result *result);

#endif
