/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "http/tls_hello.h"

#define EXTENSION_SUPPORTED_GROUPS   10
#define EXTENSION_SIGNATURES	     13
#define EXTENSION_SUPPORTED_VERSIONS 43

#define RANDOM_SIZE		     32

/* The unread rest of a message. */
struct cursor {
	const uint8_t *at;
	size_t len;
};

static bool skip(struct cursor *from, size_t len)
{
	if (from->len < len)
		return false;
	from->at += len;
	from->len -= len;
	return true;
}

/* Reads a number of this many bytes, most significant first. */
static bool take_number(struct cursor *from, size_t bytes, size_t *number)
{
	const uint8_t *at = from->at;

	if (!skip(from, bytes))
		return false;
	for (*number = 0; bytes; bytes--)
		*number = *number << 8 | *at++;
	return true;
}

/* Reads a part that begins with its length, which has this many bytes. */
static bool take_part(struct cursor *from, size_t bytes, struct cursor *part)
{
	if (!take_number(from, bytes, &part->len))
		return false;
	part->at = from->at;
	return skip(from, part->len);
}

static bool take_numbers(struct cursor *from, size_t bytes, struct tls_numbers *numbers)
{
	struct cursor part;

	if (!take_part(from, bytes, &part))
		return false;
	*numbers = (struct tls_numbers){part.at, part.len / 2};
	return true;
}

static bool take_extensions(struct cursor *from, struct tls_hello *hello)
{
	struct cursor body;
	size_t type;

	while (from->len) {
		if (!take_number(from, 2, &type) || !take_part(from, 2, &body))
			return false;
		if (type == EXTENSION_SUPPORTED_GROUPS && !take_numbers(&body, 2, &hello->groups))
			return false;
		if (type == EXTENSION_SIGNATURES && !take_numbers(&body, 2, &hello->signatures))
			return false;
		if (type == EXTENSION_SUPPORTED_VERSIONS &&
		    !take_numbers(&body, 1, &hello->versions))
			return false;
	}
	return true;
}

bool tls_hello_parse(const uint8_t *body, size_t len, struct tls_hello *hello)
{
	struct cursor from = {body, len}, part;
	size_t version;

	*hello = (struct tls_hello){0};
	if (!take_number(&from, 2, &version) || !skip(&from, RANDOM_SIZE) ||
	    !take_part(&from, 1, &part) || !take_numbers(&from, 2, &hello->suites) ||
	    !take_part(&from, 1, &part))
		return false;
	hello->version = (uint16_t)version;
	if (!from.len)
		return true; /* there need not be extensions before TLS 1.3 */
	return take_part(&from, 2, &part) && take_extensions(&part, hello);
}

uint16_t tls_number(const struct tls_numbers *numbers, size_t i)
{
	return (uint16_t)(numbers->at[2 * i] << 8 | numbers->at[2 * i + 1]);
}

bool tls_numbers_have(const struct tls_numbers *numbers, uint16_t number)
{
	size_t i;

	for (i = 0; i < numbers->count; i++)
		if (tls_number(numbers, i) == number)
			return true;
	return false;
}

uint16_t tls_hello_version(const struct tls_hello *hello, uint16_t min, uint16_t max)
{
	uint16_t version;

	for (version = max; version >= min; version--) {
		/* A client without a list of versions does not know TLS 1.3. */
		if (hello->versions.at ? tls_numbers_have(&hello->versions, version)
				       : version < TLS_VERSION_1_3 && version <= hello->version)
			return version;
	}
	return 0;
}
