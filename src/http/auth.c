/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "http/auth.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <utlist.h>

#include "http/hasher.h"
#include "util/buf.h"
#include "util/clock.h"

#define NS_PER_MS   (NS_PER_S / 1000)

#define DIGEST	    32
/* Prometheus servers are few. Wrong guesses do not push out right passwords. */
#define RIGHT_MAX   256
#define WRONG_MAX   16

/* Salt and hash of nobody. */
#define NOBODY_REST "$abcdefghijklmnopqrstuu37RkUr9H1EPO4Rc63Ngz60LSVREthYa"

/* The last passwords that were found right, or wrong. */
struct memory {
	unsigned char (*digests)[DIGEST]; /* of user, hash and password */
	size_t max, count, next;
};

/* A password in the queue. */
struct auth_job {
	bool used;
	struct auth_client *client;
	uint64_t order; /* they are taken in it */
	unsigned char digest[DIGEST];
	char password[HASHER_PASSWORD_SIZE];
	char hash[HASHER_HASH_SIZE];
	bool user; /* there is such a user */
};

struct auth {
	unsigned char key[DIGEST]; /* of the digests, random */
	bool has_key;
	unsigned char right_digests[RIGHT_MAX][DIGEST], wrong_digests[WRONG_MAX][DIGEST];
	struct memory right, wrong;
	struct auth_clients clients;
	struct auth_job jobs[AUTH_JOBS];
	struct auth_job *current; /* that the thread has; or NULL */
	uint64_t order;
	struct auth_ticket *waiting, *decided; /* lists */
	size_t waiting_count;
	struct hasher *hasher;
	bool started;
	uint64_t rest_until_ns;
};

int auth_new(struct auth **out)
{
	struct auth *auth = calloc(1, sizeof(*auth));
	int err;

	*out = NULL;
	if (!auth)
		return -ENOMEM;
	err = hasher_new(&auth->hasher);
	if (err) {
		free(auth);
		return err;
	}
	auth->right = (struct memory){.digests = auth->right_digests, .max = RIGHT_MAX};
	auth->wrong = (struct memory){.digests = auth->wrong_digests, .max = WRONG_MAX};
	*out = auth;
	return 0;
}

int auth_start(struct auth *auth)
{
	int err = hasher_start(auth->hasher);

	auth->started = !err;
	return err;
}

void auth_free(struct auth *auth)
{
	if (!auth)
		return;
	hasher_free(auth->hasher);
	gnutls_memset(auth, 0, sizeof(*auth));
	free(auth);
}

int auth_fd(const struct auth *auth)
{
	return hasher_fd(auth->hasher);
}

/* ---- what is remembered */

/* A digest of user, hash and password. Without the key it tells nothing about them. */
static bool digest_of(struct auth *auth, const char *credentials, const char *hash,
		      unsigned char digest[DIGEST])
{
	struct buf text = {0};
	int err;

	if (!auth->has_key && gnutls_rnd(GNUTLS_RND_KEY, auth->key, sizeof(auth->key)))
		return false;
	auth->has_key = true;
	buf_puts(&text, hash);
	buf_puts(&text, credentials);
	err = buf_failed(&text) ? -1
				: gnutls_hmac_fast(GNUTLS_MAC_SHA256, auth->key, sizeof(auth->key),
						   text.data, text.len, digest);
	if (text.data)
		gnutls_memset(text.data, 0, text.len);
	buf_free(&text);
	return err == 0;
}

static void remember(struct memory *memory, const unsigned char digest[DIGEST])
{
	memcpy(memory->digests[memory->next], digest, DIGEST);
	memory->next = (memory->next + 1) % memory->max;
	if (memory->count < memory->max)
		memory->count++;
}

static bool is_known(const struct memory *memory, const unsigned char digest[DIGEST])
{
	size_t i;

	for (i = 0; i < memory->count; i++)
		if (gnutls_memcmp(memory->digests[i], digest, DIGEST) == 0)
			return true;
	return false;
}

/* ---- who waits */

static void decide(struct auth *auth, struct auth_ticket *ticket, enum auth_verdict verdict)
{
	DL_DELETE(auth->waiting, ticket);
	auth->waiting_count--;
	ticket->client->tickets--;
	ticket->job = NULL;
	ticket->verdict = verdict;
	DL_APPEND(auth->decided, ticket);
}

/* All that wait for this password. */
static void decide_job(struct auth *auth, const struct auth_job *job, enum auth_verdict verdict)
{
	struct auth_ticket *ticket, *next;

	DL_FOREACH_SAFE(auth->waiting, ticket, next)
		if (ticket->job == job)
			decide(auth, ticket, verdict);
}

/* If too many wait, one of the client that has most gives way, unless this one has as many. */
static bool make_room(struct auth *auth, const struct auth_client *client)
{
	struct auth_ticket *ticket, *most = NULL;

	if (auth->waiting_count < AUTH_TICKETS)
		return true;
	DL_FOREACH(auth->waiting, ticket)
		if (!most || ticket->client->tickets >= most->client->tickets)
			most = ticket;
	if (!most || most->client->tickets <= client->tickets + 1)
		return false;
	decide(auth, most, AUTH_LATER);
	return true;
}

static enum auth_verdict wait_for(struct auth *auth, struct auth_job *job,
				  struct auth_client *client, struct auth_ticket *ticket,
				  uint64_t now_ns)
{
	if (client->tickets >= AUTH_TICKETS_EACH || !make_room(auth, client))
		return AUTH_LATER;
	*ticket = (struct auth_ticket){.verdict = AUTH_WAIT,
				       .client = client,
				       .job = job,
				       .until_ns = now_ns + AUTH_WAIT_S * NS_PER_S};
	client->tickets++;
	DL_APPEND(auth->waiting, ticket);
	auth->waiting_count++;
	return AUTH_WAIT;
}

struct auth_ticket *auth_decided(struct auth *auth)
{
	struct auth_ticket *first = auth->decided;

	if (first)
		DL_DELETE(auth->decided, first);
	return first;
}

/* ---- the queue */

static void drop_job(struct auth *auth, struct auth_job *job)
{
	decide_job(auth, job, AUTH_LATER);
	job->client->jobs--;
	gnutls_memset(job, 0, sizeof(*job));
}

void auth_drop(struct auth *auth)
{
	size_t i;

	for (i = 0; i < AUTH_JOBS; i++)
		if (auth->jobs[i].used && &auth->jobs[i] != auth->current)
			drop_job(auth, &auth->jobs[i]);
	/* What it finds is remembered with the hash. */
	if (auth->current)
		decide_job(auth, auth->current, AUTH_LATER);
}

static struct auth_job *find_job(struct auth *auth, const unsigned char digest[DIGEST])
{
	size_t i;

	for (i = 0; i < AUTH_JOBS; i++)
		if (auth->jobs[i].used && gnutls_memcmp(auth->jobs[i].digest, digest, DIGEST) == 0)
			return &auth->jobs[i];
	return NULL;
}

/* Compares addresses: first comes the one whose last password is longest ago, then the one that
 * asked less often. Whoever guesses asks often. */
static int compare_clients(const struct auth_client *a, const struct auth_client *b)
{
	if (a->decided_ns != b->decided_ns)
		return a->decided_ns < b->decided_ns ? -1 : 1;
	return a->asked < b->asked ? -1 : a->asked > b->asked;
}

/* Whether a is hashed before b. */
static bool is_before(const struct auth_job *a, const struct auth_job *b)
{
	int order = compare_clients(a->client, b->client);

	return order ? order < 0 : a->order < b->order;
}

/* Whether a gives its place up before b. */
static bool gives_way(const struct auth_job *a, const struct auth_job *b)
{
	if (a->client->jobs != b->client->jobs)
		return a->client->jobs > b->client->jobs;
	return is_before(b, a);
}

/* A place in the queue for a password of this client; NULL if it must come again. */
static struct auth_job *find_place(struct auth *auth, const struct auth_client *client)
{
	struct auth_job *last = NULL, *job;

	for (job = auth->jobs; job < auth->jobs + AUTH_JOBS; job++) {
		if (!job->used)
			return job;
		if (job != auth->current && (!last || gives_way(job, last)))
			last = job;
	}
	if (!last ||
	    (last->client->jobs <= client->jobs + 1 && compare_clients(client, last->client) >= 0))
		return NULL;
	drop_job(auth, last);
	return last;
}

static void begin_next(struct auth *auth, uint64_t now_ns)
{
	struct auth_job *next = NULL, *job;

	if (auth->current || now_ns < auth->rest_until_ns)
		return;
	for (job = auth->jobs; job < auth->jobs + AUTH_JOBS; job++)
		if (job->used && (!next || is_before(job, next)))
			next = job;
	if (next && hasher_begin(auth->hasher, next->password, next->hash))
		auth->current = next;
}

static void take_result(struct auth *auth, uint64_t now_ns)
{
	struct auth_job *job = auth->current;
	struct hasher_result result;
	bool right;

	if (!job || !hasher_end(auth->hasher, &result))
		return;
	right = result.matches && job->user;
	remember(right ? &auth->right : &auth->wrong, job->digest);
	decide_job(auth, job, right ? AUTH_PASSED : AUTH_FAILED);
	job->client->decided_ns = now_ns;
	auth->current = NULL;
	auth->rest_until_ns = now_ns + AUTH_REST * result.cpu_ns;
	drop_job(auth, job);
}

void auth_run(struct auth *auth, uint64_t now_ns)
{
	struct auth_ticket *ticket, *next;

	take_result(auth, now_ns);
	begin_next(auth, now_ns);
	DL_FOREACH_SAFE(auth->waiting, ticket, next)
		if (ticket->until_ns <= now_ns)
			decide(auth, ticket, AUTH_LATER);
}

int auth_timeout_ms(const struct auth *auth, uint64_t now_ns)
{
	uint64_t end = UINT64_MAX;
	size_t i;

	/* It was decided while requests were served: nothing else wakes who waits for it. */
	if (auth->decided)
		return 0;
	/* All wait for the same time, so the first is due first. */
	if (auth->waiting)
		end = auth->waiting->until_ns;
	for (i = 0; !auth->current && i < AUTH_JOBS; i++)
		if (auth->jobs[i].used && auth->rest_until_ns < end)
			end = auth->rest_until_ns;
	if (end == UINT64_MAX)
		return -1;
	return end <= now_ns ? 0 : (int)((end - now_ns + NS_PER_MS - 1) / NS_PER_MS);
}

/* ---- requests */

/* Decodes "Basic dXNlcjpwYXNz" to "user:pass". Returns whether it is that. */
static bool decode(const char *authorization, struct buf *out)
{
	gnutls_datum_t base64, text;

	if (!authorization || strncasecmp(authorization, "Basic ", 6) != 0)
		return false;
	authorization += 6 + strspn(authorization + 6, " ");
	base64.data = (unsigned char *)authorization;
	base64.size = (unsigned int)strlen(authorization);
	if (!base64.size || gnutls_base64_decode2(&base64, &text))
		return false;
	buf_add(out, text.data, text.size);
	gnutls_memset(text.data, 0, text.size);
	gnutls_free(text.data);
	return !buf_failed(out) && out->len && strlen(out->data) == out->len &&
	       strchr(out->data, ':');
}

/* The hash of the user that the credentials name; or one that is nobody's. */
static bool hash_of(const struct web_config *config, const char *credentials,
		    char hash[HASHER_HASH_SIZE])
{
	size_t len = strcspn(credentials, ":"), i;
	const char *found = NULL;

	for (i = 0; i < config->user_count; i++)
		if (strlen(config->users[i].name) == len &&
		    memcmp(config->users[i].name, credentials, len) == 0)
			found = config->users[i].hash;
	if (found)
		snprintf(hash, HASHER_HASH_SIZE, "%s", found);
	else
		snprintf(hash, HASHER_HASH_SIZE, "$2b$%02u" NOBODY_REST,
			 web_config_greatest_cost(config));
	return found != NULL;
}

/* Puts a new password in the queue. NULL if it must come again. */
static struct auth_job *add_job(struct auth *auth, struct auth_client *client,
				const struct auth_job *new, uint64_t now_ns)
{
	struct auth_job *job;

	client->asked++;
	if (!auth->started || client->jobs >= AUTH_JOBS_EACH)
		return NULL;
	if (!auth_client_try(client, now_ns))
		return NULL;
	job = find_place(auth, client);
	if (!job)
		return NULL;
	*job = *new;
	job->used = true;
	job->client = client;
	job->order = auth->order++;
	client->jobs++;
	return job;
}

static enum auth_verdict check(struct auth *auth, const struct web_config *config,
			       const char *credentials, const struct sockaddr *from,
			       struct auth_ticket *ticket, uint64_t now_ns)
{
	const char *password = strchr(credentials, ':') + 1;
	enum auth_verdict verdict = AUTH_LATER;
	struct auth_client *client;
	struct auth_job new = {0}, *job;

	if (strlen(password) >= sizeof(new.password))
		return AUTH_FAILED; /* crypt(3) takes no such password */
	new.user = hash_of(config, credentials, new.hash);
	if (!digest_of(auth, credentials, new.hash, new.digest))
		return AUTH_LATER;
	if (is_known(&auth->right, new.digest))
		return AUTH_PASSED;
	if (is_known(&auth->wrong, new.digest))
		return AUTH_FAILED;
	memcpy(new.password, password, strlen(password));
	client = auth_clients_get(&auth->clients, from, now_ns);
	job = find_job(auth, new.digest) ?: add_job(auth, client, &new, now_ns);
	if (job)
		verdict = wait_for(auth, job, client, ticket, now_ns);
	begin_next(auth, now_ns);
	gnutls_memset(&new, 0, sizeof(new));
	return verdict;
}

enum auth_verdict auth_check(struct auth *auth, const struct web_config *config,
			     const char *authorization, const struct sockaddr *from,
			     struct auth_ticket *ticket, uint64_t now_ns)
{
	enum auth_verdict verdict = AUTH_FAILED;
	struct buf credentials = {0};

	if (!config->user_count)
		return AUTH_PASSED;
	if (decode(authorization, &credentials))
		verdict = check(auth, config, credentials.data, from, ticket, now_ns);
	else if (buf_failed(&credentials))
		verdict = AUTH_LATER;
	if (credentials.data)
		gnutls_memset(credentials.data, 0, credentials.size);
	buf_free(&credentials);
	return verdict;
}
