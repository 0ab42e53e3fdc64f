/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What a ledger shows: ledger.h. */
#include "metrics/ledger_layout.h"
#include "metrics/peer.h"

uint64_t hist_total_count(const struct hist_total *hist)
{
	uint64_t count = 0;
	size_t i;

	for (i = 0; i < HIST_BUCKETS; i++)
		count += hist->bucket[i];
	return count;
}

static bool any_number(union ledger_word *words, size_t count)
{
	while (count)
		if (words[--count].number)
			return true;
	return false;
}

static bool has_account_counted(union ledger_word *account, enum family_source source)
{
	const struct family *family;

	for (family = layout_of(source)->first; family; family = row_of(family)->next)
		if (family->kind != KIND_GAUGE &&
		    any_number(account + row_of(family)->at, row_of(family)->words))
			return true;
	return false;
}

bool ledger_has_counted(const struct ledger *ledger)
{
	enum family_source source;
	size_t i;

	for (source = 0; source < SOURCES; source++)
		for (i = 0; i < ledger->of[source].count; i++)
			if (has_account_counted(account_at(ledger, source, i), source))
				return true;
	return false;
}

/* Whether the numbers of a family have counted in an account: see struct ledger_value. */
static bool have_counted(union ledger_word *account, const struct family *family)
{
	const struct ledger_layout *layout = layout_of(family->source);
	const struct ledger_row *row = row_of(family);

	if (family->kind == KIND_COUNTER)
		return any_number(account + row->at, row->words);
	return may_not_know(family->source) ||
	       any_number(account + layout->labels, layout->words - layout->labels);
}

static void set_account_labels(struct ledger_value *value, const union ledger_word *account)
{
	const struct family *family = value->family;
	size_t i;

	const char *const *names = family_account_labels(family);

	if (family->source == SOURCE_CAUSED) {
		value->cause = account->label;
		return;
	}
	for (i = 0; i < ACCOUNT_LABELS_MAX && names[i]; i++)
		value->labels[i] = (struct label){names[i], family->source == SOURCE_PEERS
								    ? peer_label(account->label, i)
								    : account[i].label};
	value->account_labels = i;
}

static void set_hist(struct ledger_value *value, const struct hist_total *hist)
{
	value->hist = hist;
	value->number = hist_total_count(hist);
	value->counted = value->number > 0;
}

static void set_number(struct ledger_value *value, uint64_t number, bool counted)
{
	bool below = value->family->kind == KIND_GAUGE && (int64_t)number < 0;

	value->number = below ? 0 : number;
	value->counted = value->known && counted;
}

static void visit_account(union ledger_word *account, const struct family *family,
			  ledger_visit_fn each, void *context)
{
	bool is_hist = family->kind == KIND_HISTOGRAM;
	bool counted = !is_hist && have_counted(account, family);
	struct ledger_value value = {.family = family};

	set_account_labels(&value, account);
	for (; value.index < row_of(family)->values; value.index++) {
		value.label_count =
			value.account_labels +
			family_labels(family, value.index, value.labels + value.account_labels);
		value.known = account_knows_any(account, family, value.index, 1);
		if (is_hist)
			set_hist(&value, account_hist(account, family, value.index));
		else
			set_number(&value, *account_number(account, family, value.index), counted);
		each(context, &value);
	}
}

void ledger_visit(const struct ledger *ledger, const struct family *family, ledger_visit_fn each,
		  void *context)
{
	union ledger_word *account;
	size_t i;

	for (i = 0; i < ledger->of[family->source].count; i++) {
		account = account_at(ledger, family->source, i);
		if (account_knows_any(account, family, 0, row_of(family)->values))
			visit_account(account, family, each, context);
	}
}
