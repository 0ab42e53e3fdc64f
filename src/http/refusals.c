/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "http/refusals.h"

#include <inttypes.h>
#include <stdio.h>

#include "util/log.h"

const char *const refusal_names[REFUSALS] = {
	[REFUSAL_NONE] = "",
	[REFUSAL_PLAIN_HTTP] = "plain_http",
	[REFUSAL_TLS_TO_PLAIN] = "tls_to_plain",
	[REFUSAL_NO_TLS] = "no_tls",
	[REFUSAL_VERSION] = "version",
	[REFUSAL_CIPHER] = "cipher",
	[REFUSAL_GROUP_OR_SIGNATURE] = "group_or_signature",
	[REFUSAL_NO_CERTIFICATE] = "no_certificate",
	[REFUSAL_UNKNOWN_CA] = "unknown_ca",
	[REFUSAL_EXPIRED] = "expired",
	[REFUSAL_NAME] = "name",
	[REFUSAL_BAD_CERTIFICATE] = "bad_certificate",
	[REFUSAL_HANDSHAKE] = "handshake",
	[REFUSAL_UNFINISHED] = "unfinished",
	[REFUSAL_CONNECTIONS] = "connections",
	[REFUSAL_SLOW_REQUEST] = "slow_request",
	[REFUSAL_SLOW_READER] = "slow_reader",
	[REFUSAL_BAD_REQUEST] = "bad_request",
	[REFUSAL_PASSWORD] = "password",
	[REFUSAL_TOO_MANY] = "too_many",
};

/* What happened, and what the operator can do. */
static const struct {
	const char *what, *remedy;
} texts[REFUSALS] = {
	[REFUSAL_PLAIN_HTTP] = {"it speaks plain HTTP, and TLS is on", "let it ask for https://"},
	[REFUSAL_TLS_TO_PLAIN] = {"it speaks TLS, and TLS is off",
				  "let it ask for http://, or turn TLS on with --web.config.file"},
	[REFUSAL_NO_TLS] = {"what it sends is no TLS", "let it ask for https://"},
	[REFUSAL_VERSION] = {"it offers no version of TLS that is allowed",
			     "see min_version and max_version"},
	[REFUSAL_CIPHER] = {"it offers no cipher suite and curve that are allowed and fit the "
			    "certificate's key",
			    "see cipher_suites and curve_preferences"},
	[REFUSAL_GROUP_OR_SIGNATURE] =
		{"it offers no group that GnuTLS has, or no signature algorithm that the "
		 "certificate's key can make",
		 "see its settings of curves and signature algorithms; an ECDSA P-256 or an RSA "
		 "key serves most clients"},
	[REFUSAL_NO_CERTIFICATE] = {"it has no certificate, and client_auth_type asks for one",
				    "give it one that the CA of client_ca_file has signed"},
	[REFUSAL_UNKNOWN_CA] = {"its certificate is of another CA", "see client_ca_file"},
	[REFUSAL_EXPIRED] = {"its certificate has expired or is not valid yet",
			     "renew it, and check both clocks"},
	[REFUSAL_NAME] = {"no name of its certificate is allowed", "see client_allowed_sans"},
	[REFUSAL_BAD_CERTIFICATE] = {"its certificate is not good for this",
				     "it must be one for clients, and not be signed with SHA-1"},
	[REFUSAL_HANDSHAKE] = {"it ended the TLS handshake",
			       "does it trust the CA of our certificate, and is the name it asks "
			       "for among its subjectAltNames?"},
	[REFUSAL_UNFINISHED] = {"the TLS handshake with it failed, and GnuTLS does not tell why",
				"openssl s_client -connect ADDRESS -trace shows how far it gets"},
	[REFUSAL_CONNECTIONS] = {"there are too many connections from its network, or in all",
				 "let it close those that it does not need"},
	[REFUSAL_SLOW_REQUEST] = {"it sent no whole request in time",
				  "let it connect when it has something to ask"},
	[REFUSAL_SLOW_READER] = {"it did not take its reply in time",
				 "let it read what it asked for"},
	[REFUSAL_BAD_REQUEST] = {"what it sends is no request that RFC 9112 allows",
				 "find out what sends it"},
	[REFUSAL_PASSWORD] = {"it sent no user and password, or wrong ones",
			      "see basic_auth_users; is it somebody who guesses?"},
	[REFUSAL_TOO_MANY] =
		{"it tried too many passwords, or more requests than rate_limit allows",
		 "let it ask less often; is it somebody who guesses?"},
};

void refusals_add(struct refusals *refusals, enum refusal reason, const char *client,
		  const char *detail, uint64_t now_ns)
{
	bool told = refusals->told_ns[reason];
	uint64_t more;
	char again[64] = "";

	refusals->count[reason]++;
	if (!log_is_due(&refusals->told_ns[reason], now_ns))
		return;
	more = refusals->count[reason] - refusals->told_count[reason] - 1;
	if (told && more)
		snprintf(again, sizeof(again), "; so were %" PRIu64 " since this was last said",
			 more);
	log_warn("refused the client %s: %s%s%s%s; %s%s", client, texts[reason].what,
		 detail ? " (" : "", detail ?: "", detail ? ")" : "", texts[reason].remedy, again);
	refusals->told_count[reason] = refusals->count[reason];
}
