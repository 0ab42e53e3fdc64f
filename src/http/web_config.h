/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * --web.config.file: who may ask the server, and how the server proves who it is. The format is
 * that of the Prometheus exporter-toolkit ("Web configuration" in its documentation). An unknown
 * key is an error, so a typing error leaves no door open.
 */
#ifndef BRAMBLE_WEB_CONFIG_H
#define BRAMBLE_WEB_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is required of a client's certificate, with the names of Go's crypto/tls. */
enum client_auth {
	CLIENT_AUTH_NONE,
	CLIENT_AUTH_REQUEST,
	CLIENT_AUTH_REQUIRE_ANY,
	CLIENT_AUTH_VERIFY_IF_GIVEN,
	CLIENT_AUTH_REQUIRE_AND_VERIFY,
};

enum tls_version {
	TLS_1_0,
	TLS_1_1,
	TLS_1_2,
	TLS_1_3,
	TLS_VERSIONS,
};

enum web_header {
	HEADER_CONTENT_SECURITY_POLICY,
	HEADER_X_FRAME_OPTIONS,
	HEADER_X_CONTENT_TYPE_OPTIONS,
	HEADER_X_XSS_PROTECTION,
	HEADER_STRICT_TRANSPORT_SECURITY,
	WEB_HEADERS,
};

extern const char *const web_header_names[WEB_HEADERS];

struct string_list {
	char **values;
	size_t count;
	bool given; /* there is a list, which may be empty */
};

/* In the file, paths are relative to its folder. Here they are whole paths. */
struct tls_config {
	bool enabled;
	bool incomplete;	      /* there is such a section, but it does not turn TLS on */
	char *cert, *key, *client_ca; /* PEM, or NULL. A file takes precedence */
	char *cert_file, *key_file, *client_ca_file;
	int client_auth; /* enum client_auth */
	bool client_auth_given;
	struct string_list client_allowed_sans;
	int min_version, max_version; /* enum tls_version */
	struct string_list cipher_suites, curve_preferences;
	bool prefer_server_cipher_suites;
};

/* A hash of this cost takes a second on a fast machine. Each more doubles that. */
#define WEB_COST_MAX 14

struct web_user {
	char *name;
	char *hash;	   /* bcrypt */
	unsigned int cost; /* its cost, 4 to WEB_COST_MAX */
};

struct web_config {
	struct tls_config tls;
	bool http2;		    /* read and without effect: HTTP/1.1 is served */
	char *headers[WEB_HEADERS]; /* NULL: not sent */
	struct web_user *users;
	size_t user_count;
	uint64_t rate_interval_ns; /* between two requests; 0: no limit */
	uint64_t rate_burst;
};

/*
 * Reads a file. Returns 0, or a negative errno: -EINVAL if its contents are wrong, or the errno of
 * reading it. On an error, error holds one line that begins with the path, and *config is empty.
 * This does not read the files that it names.
 */
int web_config_read(const char *path, struct web_config *config, char *error, size_t error_size);

/* The greatest cost of the users' hashes, 4 to WEB_COST_MAX; 0 without users. */
unsigned int web_config_greatest_cost(const struct web_config *config);

/* Frees all it holds. It is empty then. */
void web_config_free(struct web_config *config);

#endif
