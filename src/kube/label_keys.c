/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "kube/label_keys.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kube/name.h"

#define NAME_PREFIX "label_"

static bool is_alphanumeric(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* The part behind the '/': letters, digits, and inside also '-', '_' and '.'. */
static bool name_valid(const char *text, size_t len)
{
	if (len == 0 || len > KUBE_LABEL_MAX || !is_alphanumeric(text[0]) ||
	    !is_alphanumeric(text[len - 1]))
		return false;
	for (size_t i = 0; i < len; i++)
		if (!is_alphanumeric(text[i]) && !strchr("-_.", text[i]))
			return false;
	return true;
}

/* [<subdomain>/]<name>, as IsQualifiedName() of k8s.io/apimachinery has it. */
static bool key_valid(const char *text, size_t len)
{
	const char *slash = memchr(text, '/', len);
	size_t prefix = slash ? (size_t)(slash - text) : 0;

	if (slash && !kube_subdomain_valid(text, prefix))
		return false;
	return slash ? name_valid(slash + 1, len - prefix - 1) : name_valid(text, len);
}

static void set_name(struct label_keys *keys, struct label_key *key)
{
	size_t start = strlen(NAME_PREFIX), len = start;
	unsigned int same = 0;

	memcpy(key->name, NAME_PREFIX, start);
	for (const char *c = key->key; *c; c++)
		key->name[len++] = is_alphanumeric(*c) ? *c : '_';
	key->name[len] = '\0';
	for (const struct label_key *other = keys->list; other < key; other++)
		if (strncmp(other->name, key->name, len) == 0 &&
		    (other->name[len] == '\0' || strstr(other->name + len, "_conflict")))
			same++;
	if (same)
		(void)snprintf(key->name + len, sizeof(key->name) - len, "_conflict%u", same);
}

static int add_key(struct label_keys *keys, const char *text, size_t len)
{
	struct label_key *key = &keys->list[keys->count];

	if (!key_valid(text, len))
		return -EINVAL;
	if (keys->count == LABEL_KEYS_MAX)
		return -E2BIG;
	memcpy(key->key, text, len);
	key->key[len] = '\0';
	for (const struct label_key *other = keys->list; other < key; other++)
		if (strcmp(other->key, key->key) == 0)
			return -EINVAL;
	set_name(keys, key);
	keys->count++;
	return 0;
}

int label_keys_parse(const char *text, struct label_keys *out)
{
	int err = 0;

	*out = (struct label_keys){0};
	if (!text[0])
		return 0;
	/* One more than there can be, so that the one too many has a place to be refused at. */
	out->list = calloc(LABEL_KEYS_MAX + 1, sizeof(*out->list));
	if (!out->list)
		return -ENOMEM;
	while (!err) {
		size_t len = strcspn(text, ",");

		err = add_key(out, text, len);
		if (text[len] == '\0')
			break;
		text += len + 1;
	}
	if (err)
		label_keys_free(out);
	return err;
}

void label_keys_free(struct label_keys *keys)
{
	free(keys->list);
	*keys = (struct label_keys){0};
}
