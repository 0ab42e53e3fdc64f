/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "http/hasher.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <gnutls/crypto.h>

#include "util/clock.h"

#define STACK_SIZE (256UL * 1024)

enum state {
	STATE_IDLE,
	STATE_HASHING,
	STATE_DONE,
};

struct hasher {
	pthread_mutex_t lock; /* of state, stop, ready and result */
	pthread_cond_t changed;
	enum state state;
	bool stop;
	bool ready; /* the thread has come to its loop */
	struct hasher_result result;

	pthread_t thread;
	bool started;
	int event_fd;

	/* The thread's while STATE_HASHING, else the event loop's. */
	char password[HASHER_PASSWORD_SIZE];
	char hash[HASHER_HASH_SIZE];

	struct crypt_data data; /* the thread's; 32 KiB */
};

static bool matches(struct hasher *hasher)
{
	const char *found = crypt_r(hasher->password, hasher->hash, &hasher->data);
	size_t len = strlen(hasher->hash);
	bool same = found && strlen(found) == len && gnutls_memcmp(found, hasher->hash, len) == 0;

	gnutls_memset(&hasher->data, 0, sizeof(hasher->data));
	return same;
}

/* The lock is held, except while it hashes. */
static void hash_one(struct hasher *hasher)
{
	const uint64_t one = 1;
	struct hasher_result result;
	uint64_t start_ns;
	ssize_t written;

	pthread_mutex_unlock(&hasher->lock);
	start_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	result.matches = matches(hasher);
	result.cpu_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID) - start_ns;
	pthread_mutex_lock(&hasher->lock);
	hasher->result = result;
	hasher->state = STATE_DONE;
	/* It counts to 2^64 before it would block. */
	written = write(hasher->event_fd, &one, sizeof(one));
	(void)written;
}

static void *run(void *context)
{
	struct hasher *hasher = context;

	pthread_mutex_lock(&hasher->lock);
	hasher->ready = true;
	pthread_cond_broadcast(&hasher->changed);
	while (!hasher->stop) {
		if (hasher->state == STATE_HASHING)
			hash_one(hasher);
		else
			pthread_cond_wait(&hasher->changed, &hasher->lock);
	}
	pthread_mutex_unlock(&hasher->lock);
	return NULL;
}

int hasher_new(struct hasher **out)
{
	struct hasher *hasher = calloc(1, sizeof(*hasher));

	*out = NULL;
	if (!hasher)
		return -ENOMEM;
	hasher->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (hasher->event_fd < 0) {
		int err = -errno;

		free(hasher);
		return err;
	}
	pthread_mutex_init(&hasher->lock, NULL);
	pthread_cond_init(&hasher->changed, NULL);
	*out = hasher;
	return 0;
}

static int create(struct hasher *hasher)
{
	sigset_t all, before;
	pthread_attr_t attr;
	int err = pthread_attr_init(&attr);

	if (err)
		return -err;
	err = pthread_attr_setstacksize(&attr, STACK_SIZE);
	sigfillset(&all);
	sigdelset(&all, SIGSYS); /* a call of its own that the sandbox refuses: it is logged */
	pthread_sigmask(SIG_SETMASK, &all, &before);
	if (!err)
		err = pthread_create(&hasher->thread, &attr, run, hasher);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	return -err;
}

int hasher_start(struct hasher *hasher)
{
	int err;

	if (hasher->started)
		return 0;
	err = create(hasher);
	if (err)
		return err;
	hasher->started = true;
	pthread_mutex_lock(&hasher->lock);
	while (!hasher->ready)
		pthread_cond_wait(&hasher->changed, &hasher->lock);
	pthread_mutex_unlock(&hasher->lock);
	return 0;
}

void hasher_free(struct hasher *hasher)
{
	if (!hasher)
		return;
	if (hasher->started) {
		pthread_mutex_lock(&hasher->lock);
		hasher->stop = true;
		pthread_cond_broadcast(&hasher->changed);
		pthread_mutex_unlock(&hasher->lock);
		pthread_join(hasher->thread, NULL);
	}
	pthread_cond_destroy(&hasher->changed);
	pthread_mutex_destroy(&hasher->lock);
	close(hasher->event_fd);
	gnutls_memset(hasher->password, 0, sizeof(hasher->password));
	free(hasher);
}

int hasher_fd(const struct hasher *hasher)
{
	return hasher->event_fd;
}

bool hasher_begin(struct hasher *hasher, const char *password, const char *hash)
{
	bool idle;

	if (!hasher->started || strlen(password) >= sizeof(hasher->password) ||
	    strlen(hash) >= sizeof(hasher->hash))
		return false;
	pthread_mutex_lock(&hasher->lock);
	idle = hasher->state == STATE_IDLE;
	if (idle) {
		memcpy(hasher->password, password, strlen(password) + 1);
		memcpy(hasher->hash, hash, strlen(hash) + 1);
		hasher->state = STATE_HASHING;
		pthread_cond_broadcast(&hasher->changed);
	}
	pthread_mutex_unlock(&hasher->lock);
	return idle;
}

bool hasher_end(struct hasher *hasher, struct hasher_result *result)
{
	uint64_t count;
	ssize_t got;
	bool done;

	pthread_mutex_lock(&hasher->lock);
	done = hasher->state == STATE_DONE;
	if (done) {
		*result = hasher->result;
		gnutls_memset(hasher->password, 0, sizeof(hasher->password));
		hasher->state = STATE_IDLE;
		got = read(hasher->event_fd, &count, sizeof(count));
		(void)got; /* it was written under the lock */
	}
	pthread_mutex_unlock(&hasher->lock);
	return done;
}
