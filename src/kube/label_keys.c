/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "kube/label_keys.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kube/name.h"
#include "util/ascii.h"
#include "util/slice.h"

#define NAME_PREFIX "label_"

/* The part behind the '/': letters, digits, and inside also '-', '_' and '.'. */
static bool name_valid(struct slice text)
{
	if (!text.len || text.len > KUBE_LABEL_MAX || !ascii_alnum(text.at[0]) ||
	    !ascii_alnum(text.at[text.len - 1]))
		return false;
	for (size_t i = 0; i < text.len; i++)
		if (!ascii_alnum(text.at[i]) && !strchr("-_.", text.at[i]))
			return false;
	return true;
}

/* [<subdomain>/]<name>, as in IsQualifiedName() of k8s.io/apimachinery. */
static bool key_valid(struct slice text)
{
	struct slice rest = text, prefix;

	if (!slice_cut(&rest, '/', &prefix))
		return name_valid(text);
	return kube_subdomain_valid(prefix) && name_valid(rest);
}

static void set_name(struct label_keys *keys, struct label_key *key)
{
	size_t start = strlen(NAME_PREFIX), len = start;
	unsigned int same = 0;

	memcpy(key->name, NAME_PREFIX, start);
	for (const char *c = key->key; *c; c++)
		key->name[len++] = ascii_alnum(*c) ? *c : '_';
	key->name[len] = '\0';
	for (const struct label_key *other = keys->list; other < key; other++)
		if (strncmp(other->name, key->name, len) == 0 &&
		    (other->name[len] == '\0' || strstr(other->name + len, "_conflict")))
			same++;
	if (same)
		(void)snprintf(key->name + len, sizeof(key->name) - len, "_conflict%u", same);
}

static int add_key(struct label_keys *keys, struct slice text)
{
	struct label_key *key = &keys->list[keys->count];

	if (!key_valid(text))
		return -EINVAL;
	if (keys->count == LABEL_KEYS_MAX)
		return -E2BIG;
	slice_copy(text, key->key, sizeof(key->key));
	for (const struct label_key *other = keys->list; other < key; other++)
		if (strcmp(other->key, key->key) == 0)
			return -EINVAL;
	set_name(keys, key);
	keys->count++;
	return 0;
}

int label_keys_parse(const char *text, struct label_keys *out)
{
	struct slice rest = slice_of(text), key;
	bool more;
	int err;

	*out = (struct label_keys){0};
	if (!text[0])
		return 0;
	/* One more than allowed, so that there is a place for the one that is refused. */
	out->list = calloc(LABEL_KEYS_MAX + 1, sizeof(*out->list));
	if (!out->list)
		return -ENOMEM;
	do {
		more = slice_cut(&rest, ',', &key);
		err = add_key(out, key);
	} while (more && !err);
	if (err)
		label_keys_free(out);
	return err;
}

void label_keys_free(struct label_keys *keys)
{
	free(keys->list);
	*keys = (struct label_keys){0};
}
