/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Owners and what they have counted, made up for a test or looked at by one. */
#ifndef BRAMBLE_TEST_COUNTS_H
#define BRAMBLE_TEST_COUNTS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "cgroup/files.h"
#include "metrics/owners.h"

/* The owner with these labels, made if there is none. */
static inline struct owner *container_owner(struct owners *owners, const char *name_space,
					    const char *pod, const char *container)
{
	struct labels labels = {.unit = ""};
	struct owner *owner;

	(void)snprintf(labels.name_space, sizeof(labels.name_space), "%s", name_space);
	(void)snprintf(labels.pod, sizeof(labels.pod), "%s", pod);
	(void)snprintf(labels.container, sizeof(labels.container), "%s", container);
	owner = owners_get(owners, &labels);
	assert_non_null(owner);
	return owner;
}

static inline struct owner *unit_owner(struct owners *owners, const char *unit)
{
	struct labels labels = {.unit = ""};
	struct owner *owner;

	(void)snprintf(labels.unit, sizeof(labels.unit), "%s", unit);
	owner = owners_get(owners, &labels);
	assert_non_null(owner);
	return owner;
}

/* An account without labels of a row's source, made if there is none. */
static inline union ledger_word *account_of(struct owner *owner, const struct family *family)
{
	return ledger_get(&owner->ledger, family->source, NULL);
}

/* The numbers of a family, and its only histogram. */
static inline uint64_t *numbers_of(struct owner *owner, enum family_id id)
{
	return account_number(account_of(owner, &families[id]), &families[id], 0);
}

static inline struct hist_total *hist_of(struct owner *owner, enum family_id id)
{
	return account_hist(account_of(owner, &families[id]), &families[id], 0);
}

static inline uint64_t *switches_of(struct owner *owner)
{
	return numbers_of(owner, FAMILY_CPU_SWITCHES);
}

static inline struct hist_total *wait_of(struct owner *owner)
{
	return hist_of(owner, FAMILY_CPU_WAIT);
}

/* Adds one value of the cgroup's files. */
static inline void add_file(struct owner *owner, unsigned int which, uint64_t value)
{
	struct cgroup_values values = {.known = UINT32_C(1) << which};

	values.value[which] = value;
	ledger_add(&owner->ledger, SOURCE_FILES, NULL, &values, NULL);
}

/* Whether a value of the cgroup's files is known, and which it is. */
static inline bool find_file(const struct owner *owner, unsigned int which, uint64_t *value)
{
	union ledger_word *account = ledger_find(&owner->ledger, SOURCE_FILES, NULL);
	const struct family *family;
	size_t i;

	for (family = families; account && family < families + FAMILIES; family++)
		for (i = 0; family->source == SOURCE_FILES && i < family_value_count(family); i++)
			if (family->offset / sizeof(*value) + i == which) {
				*value = *account_number(account, family, i);
				return account_knows(account, family, i);
			}
	return false;
}

#endif
