/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "http/guard.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "http/auth.h"
#include "http/bucket.h"
#include "util/clock.h"
#include "util/log.h"

#define REFRESH_NS NS_PER_S
#define SETTLE_NS  NS_PER_S

/* GnuTLS of Debian has it there: --with-default-trust-store-file. */
#define SYSTEM_CAS "/etc/ssl/certs/ca-certificates.crt"

enum {
	FILE_CONFIG,
	FILE_CERT,
	FILE_KEY,
	FILE_CLIENT_CA,
	FILES,
};

/* What shows that a file has changed. A symbolic link is followed, so that it may be another file
 * now, as in a volume of Kubernetes. */
struct file_state {
	struct timespec changed; /* ctime: also renaming changes it */
	dev_t device;
	ino_t inode;
	off_t size;
	mode_t mode;
	gid_t gid;
};

/* A file at its last reading, whether or not it could be read. */
struct watched {
	char *path; /* NULL: none */
	struct file_state state;
};

struct guard {
	const char *path;
	struct web_config config;
	struct tls *tls;
	struct auth *auth;
	struct watched files[FILES];
	uint64_t refreshed_ns;
	struct bucket requests; /* that may be served now, by the rate limit */
};

static struct file_state state_of(const char *path)
{
	struct file_state state;
	struct stat st;

	memset(&state, 0, sizeof(state));
	if (path && stat(path, &st) == 0) {
		state.changed = st.st_ctim;
		state.device = st.st_dev;
		state.inode = st.st_ino;
		state.size = st.st_size;
		state.mode = st.st_mode;
		state.gid = st.st_gid;
	}
	return state;
}

/*
 * Call this before reading the file. Then the next look finds what is written while the file is
 * read.
 */
static int watch(struct watched *file, const char *path)
{
	char *copy = path ? strdup(path) : NULL;

	if (path && !copy)
		return -ENOMEM;
	free(file->path);
	*file = (struct watched){copy, state_of(copy)};
	return 0;
}

static int watch_tls_files(struct guard *guard, const struct tls_config *tls)
{
	return watch(&guard->files[FILE_CERT], tls->cert_file)
		       ?: watch(&guard->files[FILE_KEY], tls->key_file)
				  ?: watch(&guard->files[FILE_CLIENT_CA], tls->client_ca_file);
}

/* Why root may not read a file that the configuration names since now: guard_need(). */
#define ELSEWHERE " (in the sandbox, a file in another directory than before takes a restart)"

/* From this cost on, a small machine takes seconds to check a password. */
#define COST_SLOW 13

/* Warns if others than the owner can read a secret. Group 0 is root's own. */
static void warn_of_readers(const struct watched *file, const char *what)
{
	const struct file_state *state = &file->state;

	if (!file->path || !(state->mode & (state->gid ? 0066 : 0006)))
		return;
	log_warn("--web.config.file: %s can be read by %s (its mode is %04o): chmod 600 %s, or "
		 "defaultMode: 0400 for a Secret of Kubernetes",
		 what, state->mode & 0006 ? "everyone on this machine" : "its group",
		 (unsigned int)(state->mode & 07777), file->path);
}

static void warn_of_secrets(const struct guard *guard)
{
	const struct web_config *config = &guard->config;

	warn_of_readers(&guard->files[FILE_KEY], "the private key");
	if (config->tls.key && !config->tls.key_file)
		warn_of_readers(&guard->files[FILE_CONFIG], "the private key in it");
	else if (config->user_count)
		warn_of_readers(&guard->files[FILE_CONFIG], "the hashes of passwords in it");
}

/* Warns of settings that the exporter-toolkit accepts, too, but that may not be what was meant. */
static void warn_of_surprises(const struct guard *guard)
{
	const struct tls_config *tls = &guard->config.tls;
	size_t i;

	if (tls->incomplete)
		log_warn("--web.config.file: %s: tls_server_config names no certificate, so "
			 "TLS is off: set cert_file and key_file",
			 guard->path);
	if (tls->client_auth >= CLIENT_AUTH_VERIFY_IF_GIVEN && !tls->client_ca &&
	    !tls->client_ca_file)
		log_warn("--web.config.file: %s: there is no client_ca_file, so a client's "
			 "certificate may be of any CA that this system trusts",
			 guard->path);
	if (guard->tls && tls_doubt(guard->tls))
		log_warn("--web.config.file: the certificate %s: %s", tls->cert_file ?: "in cert",
			 tls_doubt(guard->tls));
	for (i = 0; i < tls->cipher_suites.count; i++)
		if (strncmp(tls->cipher_suites.values[i], "TLS_RSA_", strlen("TLS_RSA_")) == 0)
			log_warn("--web.config.file: %s: %s has no forward secrecy: whoever gets "
				 "the key later can read what was recorded; leave it out if no "
				 "client needs it",
				 guard->path, tls->cipher_suites.values[i]);
	for (i = 0; i < guard->config.user_count; i++)
		if (guard->config.users[i].cost >= COST_SLOW)
			log_warn("--web.config.file: %s: the password of %s is hashed with cost "
				 "%u: a new client may wait for seconds, and ten times as long for "
				 "the next; 10 is usual",
				 guard->path, guard->config.users[i].name,
				 guard->config.users[i].cost);
	warn_of_secrets(guard);
}

static bool same_state(const struct file_state *a, const struct file_state *b)
{
	return a->changed.tv_sec == b->changed.tv_sec && a->changed.tv_nsec == b->changed.tv_nsec &&
	       a->device == b->device && a->inode == b->inode && a->size == b->size;
}

static bool has_ca(const struct tls_config *tls)
{
	return tls->client_ca || tls->client_ca_file;
}

/* Whether each client must have a certificate; and whether one that it has must be of the CA. */
static bool requires(const struct tls_config *tls)
{
	return tls->client_auth == CLIENT_AUTH_REQUIRE_ANY ||
	       tls->client_auth == CLIENT_AUTH_REQUIRE_AND_VERIFY;
}

static bool verifies(const struct tls_config *tls)
{
	return tls->client_auth >= CLIENT_AUTH_VERIFY_IF_GIVEN;
}

static const char *given_up_by_tls(const struct tls_config *before, const struct tls_config *now)
{
	if ((requires(before) && !requires(now)) || (verifies(before) && !verifies(now)))
		return "has a weaker client_auth_type";
	if (has_ca(before) && !has_ca(now))
		return "has no client CA any more";
	if (before->client_allowed_sans.count && !now->client_allowed_sans.count)
		return "has no client_allowed_sans any more";
	if (now->min_version < before->min_version)
		return "has a lower min_version";
	if (before->cipher_suites.count && !now->cipher_suites.count)
		return "has no cipher_suites any more";
	if (before->curve_preferences.count && !now->curve_preferences.count)
		return "has no curve_preferences any more";
	return NULL;
}

/*
 * A file that is written in place is first emptied, and may be written in pieces, or lost. Whoever
 * can write it, or fill the disk, must not open the door unnoticed. So a protection that is in
 * force ends only with a restart. Returns what the file gives up, or NULL.
 */
static const char *given_up(const struct web_config *before, const struct web_config *now)
{
	size_t i;

	if (before->tls.enabled && !now->tls.enabled)
		return "turns TLS off";
	if (before->user_count && !now->user_count)
		return "has no users any more";
	if (before->rate_interval_ns && !now->rate_interval_ns)
		return "has no rate_limit any more";
	for (i = 0; i < WEB_HEADERS; i++)
		if (before->headers[i] && !now->headers[i])
			return "has not all of its headers any more";
	return given_up_by_tls(&before->tls, &now->tls);
}

/* Whether a change is one that may be made while the server runs. */
static int check_change(const struct guard *guard, const struct web_config *now, char *error,
			size_t error_size)
{
	const char *what = given_up(&guard->config, now);

	if (!what && now->tls.enabled && !guard->tls)
		what = "turns TLS on";
	if (!what)
		return 0;
	snprintf(error, error_size, "%s: %s: restart bramble if that is meant", guard->path, what);
	return -EINVAL;
}

/* Reads the configuration and what it names. On an error *config and *tls are empty. */
static int read_files(struct guard *guard, bool running, struct web_config *config,
		      struct tls **tls, char *error, size_t error_size)
{
	int err = web_config_read(guard->path, config, error, error_size);

	*tls = NULL;
	if (err)
		return err;
	err = watch_tls_files(guard, &config->tls);
	if (err)
		snprintf(error, error_size, "%s: %s", guard->path, strerror(-err));
	if (!err && running)
		err = check_change(guard, config, error, error_size);
	if (!err && config->tls.enabled)
		err = tls_new(&config->tls, tls, error, error_size);
	if (err)
		web_config_free(config);
	return err;
}

/* On an error the configuration is as before, and the reason is in error. */
static int read_all(struct guard *guard, bool running, char *error, size_t error_size)
{
	struct web_config config;
	struct tls *tls;
	int err = read_files(guard, running, &config, &tls, error, error_size);

	if (err)
		return err;
	web_config_free(&guard->config);
	tls_unref(guard->tls);
	guard->config = config;
	guard->tls = tls;
	return 0;
}

int guard_open(const char *path, struct guard **out)
{
	struct guard *guard = calloc(1, sizeof(*guard));
	char error[512];
	int err;

	if (!guard)
		return -ENOMEM;
	guard->path = path;
	err = auth_new(&guard->auth) ?: watch(&guard->files[FILE_CONFIG], path);
	if (err) {
		log_error("--web.config.file: %s: %s", path, strerror(-err));
		guard_close(guard);
		return err;
	}
	err = read_all(guard, false, error, sizeof(error));
	if (err) {
		log_error("--web.config.file: %s", error);
		guard_close(guard);
		return err;
	}
	warn_of_surprises(guard);
	*out = guard;
	return 0;
}

int guard_start(struct guard *guard)
{
	int err = auth_start(guard->auth);

	if (err)
		log_error("--web.config.file: cannot make the thread that checks passwords: %s",
			  strerror(-err));
	return err;
}

void guard_close(struct guard *guard)
{
	size_t i;

	if (!guard)
		return;
	for (i = 0; i < FILES; i++)
		free(guard->files[i].path);
	web_config_free(&guard->config);
	tls_unref(guard->tls);
	auth_free(guard->auth);
	free(guard);
}

void guard_need(const struct guard *guard, struct sandbox_needs *needs)
{
	size_t i;

	for (i = 0; i < FILES; i++)
		sandbox_need_file(needs, guard->files[i].path);
	/* What GnuTLS reads without a client CA, also after a change. */
	if (guard->tls)
		sandbox_need_file(needs, SYSTEM_CAS);
}

void guard_reload(struct guard *guard, uint64_t now_ns)
{
	char error[512];
	size_t i;
	int err;

	/* Remember the files as they are before reading. Nothing is tried again until one changes.
	 */
	guard->refreshed_ns = now_ns;
	for (i = 0; i < FILES; i++)
		guard->files[i].state = state_of(guard->files[i].path);
	err = read_all(guard, true, error, sizeof(error));
	if (err) {
		log_error("--web.config.file: %s%s; what was read before stays in force", error,
			  err == -EACCES ? ELSEWHERE : "");
		return;
	}
	log_info("--web.config.file: %s was read again", guard->path);
	auth_drop(guard->auth);
	warn_of_surprises(guard);
}

/* Whether the file was written just now: then there may be more to come, of it or of others. */
static bool is_fresh(const struct file_state *state)
{
	uint64_t now_ns = clock_realtime_ns(), changed_ns = timespec_ns(&state->changed);

	return changed_ns <= now_ns && now_ns - changed_ns < SETTLE_NS;
}

void guard_refresh(struct guard *guard, uint64_t now_ns)
{
	struct file_state state;
	bool changed = false, fresh = false;
	size_t i;

	if (now_ns - guard->refreshed_ns < REFRESH_NS)
		return;
	guard->refreshed_ns = now_ns;
	for (i = 0; i < FILES; i++) {
		state = state_of(guard->files[i].path);
		changed |= !same_state(&state, &guard->files[i].state);
		fresh |= is_fresh(&state);
	}
	if (changed && !fresh)
		guard_reload(guard, now_ns);
}

struct tls *guard_tls(const struct guard *guard)
{
	return guard->tls;
}

static bool within_rate(struct guard *guard, uint64_t now_ns)
{
	const struct web_config *config = &guard->config;
	double burst = config->rate_burst ? (double)config->rate_burst : 1;

	if (!config->rate_interval_ns)
		return true;
	return bucket_take(&guard->requests, config->rate_interval_ns, burst, now_ns);
}

static enum guard_verdict verdict_of(enum auth_verdict verdict)
{
	switch (verdict) {
	case AUTH_PASSED:
		return GUARD_LET_IN;
	case AUTH_LATER:
		return GUARD_TOO_MANY;
	case AUTH_WAIT:
		return GUARD_WAIT;
	default:
		return GUARD_UNAUTHORIZED;
	}
}

enum guard_verdict guard_admit(struct guard *guard, const char *authorization,
			       const struct sockaddr *from, struct auth_ticket *ticket,
			       uint64_t now_ns)
{
	if (!within_rate(guard, now_ns))
		return GUARD_TOO_MANY;
	return verdict_of(
		auth_check(guard->auth, &guard->config, authorization, from, ticket, now_ns));
}

enum guard_verdict guard_verdict(const struct auth_ticket *ticket)
{
	return verdict_of(ticket->verdict);
}

int guard_fd(const struct guard *guard)
{
	return auth_fd(guard->auth);
}

void guard_run(struct guard *guard, uint64_t now_ns)
{
	auth_run(guard->auth, now_ns);
}

struct auth_ticket *guard_decided(struct guard *guard)
{
	return auth_decided(guard->auth);
}

void guard_drop(struct guard *guard)
{
	auth_drop(guard->auth);
}

int guard_timeout_ms(const struct guard *guard, uint64_t now_ns)
{
	return auth_timeout_ms(guard->auth, now_ns);
}

const char *guard_header(const struct guard *guard, enum web_header header)
{
	return guard->config.headers[header];
}
