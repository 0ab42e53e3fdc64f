/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "expose/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "metrics/self.h"
#include "util/clock.h"
#include "version.h"

/*
 * Classic histograms have every second power of two as a bound, 2^-20 s to
 * 2^6 s: each eighth bound of the kernel's, so nothing is interpolated.
 */
#define LE_STEP 8

static void put_header(struct buf *out, const struct family *family)
{
	buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", family->name, family->help, family->name,
		   family_kind_name(family->kind));
}

/* A label's value: \, " and newline are escaped. */
static void put_label(struct buf *out, const char *name, const char *value)
{
	const char *end;

	buf_puts(out, name);
	buf_puts(out, "=\"");
	while (*value) {
		end = value + strcspn(value, "\\\"\n");
		buf_add(out, value, (size_t)(end - value));
		value = end;
		if (!*value)
			break;
		buf_puts(out, *value == '\n' ? "\\n" : *value == '"' ? "\\\"" : "\\\\");
		value++;
	}
	buf_putc(out, '"');
}

static void put_owner(struct buf *out, const struct labels *labels, const char *prefix)
{
	char name[32];

	if (labels->unit[0]) {
		snprintf(name, sizeof(name), "%sunit", prefix);
		put_label(out, name, labels->unit);
		return;
	}
	snprintf(name, sizeof(name), "%snamespace", prefix);
	put_label(out, name, labels->name_space);
	snprintf(name, sizeof(name), ",%spod", prefix);
	put_label(out, name, labels->pod);
	snprintf(name, sizeof(name), ",%scontainer", prefix);
	put_label(out, name, labels->container);
}

/* Seconds without rounding: nanoseconds are never put into a float. */
static void put_value(struct buf *out, const struct family *family, uint64_t value)
{
	if (family->seconds)
		buf_printf(out, " %" PRIu64 ".%09" PRIu64 "\n", value / NS_PER_S, value % NS_PER_S);
	else
		buf_printf(out, " %" PRIu64 "\n", value);
}

/* The labels of a sample: its owner's, its cell's, and the family's own. */
static void put_labels(struct buf *out, const struct family *family, const struct owner *owner,
		       const struct total *total, size_t value)
{
	const char *const *names = cell_label_names[total->probe];
	size_t i;

	put_owner(out, &owner->labels, "");
	for (i = 0; i < CELL_LABELS_MAX && names[i]; i++) {
		buf_putc(out, ',');
		put_label(out, names[i], total->labels.value[i]);
	}
	if (family->label) {
		buf_putc(out, ',');
		put_label(out, family->label, family->values[value]);
	}
}

static void put_counter(struct buf *out, const struct family *family, const struct owner *owner,
			const struct total *total, size_t value)
{
	buf_printf(out, "%s{", family->name);
	put_labels(out, family, owner, total, value);
	buf_putc(out, '}');
	put_value(out, family, total_counters_of(total, family)[value]);
}

static void put_histogram(struct buf *out, const struct family *family, const struct owner *owner,
			  const struct total *total, size_t value)
{
	static char le[HIST_BOUNDS / LE_STEP + 1][32];
	const struct hist_total *hist = total_hist_of(total, family, value);
	struct buf labels = {0};
	uint64_t below = 0;
	size_t bound, next = 0;

	put_labels(&labels, family, owner, total, value);
	if (buf_failed(&labels)) {
		out->failed = true;
		buf_free(&labels);
		return;
	}
	for (bound = 0; bound < HIST_BOUNDS; bound += LE_STEP) {
		char *text = le[bound / LE_STEP];

		if (!text[0]) /* 2^(k/4), k a multiple of 4: exact */
			snprintf(text, sizeof(le[0]), "%.17g",
				 __builtin_ldexp(1.0, (HIST_MIN_K + (int)bound) / 4));
		while (next <= bound)
			below += hist->bucket[next++];
		buf_printf(out, "%s_bucket{%s,le=\"%s\"} %" PRIu64 "\n", family->name, labels.data,
			   text, below);
	}
	while (next < HIST_BUCKETS)
		below += hist->bucket[next++];
	buf_printf(out, "%s_bucket{%s,le=\"+Inf\"} %" PRIu64 "\n", family->name, labels.data,
		   below);
	buf_printf(out, "%s_sum{%s}", family->name, labels.data);
	put_value(out, family, hist->sum_ns);
	buf_printf(out, "%s_count{%s} %" PRIu64 "\n", family->name, labels.data, below);
	buf_free(&labels);
}

static void put_cause(struct buf *out, const struct family *family, const struct owner *victim,
		      const struct labels *cause, uint64_t wait_ns)
{
	buf_printf(out, "%s{", family->name);
	put_owner(out, &victim->labels, "");
	buf_putc(out, ',');
	put_owner(out, cause, "by_");
	buf_putc(out, '}');
	put_value(out, family, wait_ns);
}

static void put_causes(struct buf *out, const struct family *family, const struct owner *owner)
{
	static const struct labels other = {.unit = "other"};
	size_t i;

	for (i = 0; i < owner->caused_count; i++)
		put_cause(out, family, owner, &owner->caused[i].cause->labels,
			  owner->caused[i].wait_ns);
	if (owner->caused_other_ns)
		put_cause(out, family, owner, &other, owner->caused_other_ns);
}

/* Counters of one family stand together: with one that has counted, those that have not are 0. */
static bool any_counted(const struct family *family, const struct total *total)
{
	size_t i;

	for (i = 0; i < family_value_count(family); i++)
		if (total_counted(total, family, i))
			return true;
	return false;
}

/* What never counted has no series. */
static void put_total(struct buf *out, const struct family *family, const struct owner *owner,
		      const struct total *total)
{
	size_t i;

	for (i = 0; i < family_value_count(family); i++) {
		if (family->kind == KIND_HISTOGRAM) {
			if (total_counted(total, family, i))
				put_histogram(out, family, owner, total, i);
		} else if (any_counted(family, total)) {
			put_counter(out, family, owner, total, i);
		}
	}
}

static void put_owners(struct buf *out, const struct family *family, const struct owners *owners)
{
	const struct owner *owner;
	const struct total *total;

	for (owner = owners->table; owner; owner = owner->hh.next) {
		if (family->scope == SCOPE_PAIR) {
			put_causes(out, family, owner);
			continue;
		}
		for (total = owner->totals; total; total = total->next)
			if (total->probe == family->probe)
				put_total(out, family, owner, total);
	}
}

static void put_probe_value(struct buf *out, const struct family *family, enum probe_id id,
			    uint64_t value)
{
	buf_printf(out, "%s{probe=\"%s\"}", family->name, probe_names[id]);
	put_value(out, family, value);
}

static void put_lost(struct buf *out, const struct family *family,
		     const struct collector *collector)
{
	struct probe_lost lost[PROBE_LOST_MAX];
	size_t i, count = probe_read_lost(collector_probe(collector), lost);

	for (i = 0; i < count; i++)
		buf_printf(out, "%s{probe=\"%s\",reason=\"%s\"} %" PRIu64 "\n", family->name,
			   probe_names[lost[i].probe], lost[i].reason, lost[i].count);
	buf_printf(out, "%s{probe=\"sched\",reason=\"cause_pairs_full\"} %" PRIu64 "\n",
		   family->name, collector_causes_lost(collector));
	buf_printf(out, "%s{probe=\"cgroup\",reason=\"unnamed\"} %" PRIu64 "\n", family->name,
		   collector_unnamed(collector));
}

static void put_probes(struct buf *out, enum family_id family_id, const struct collector *collector)
{
	const struct family *family = &families[family_id];
	const struct probe *probe = collector_probe(collector);
	uint64_t ns;
	int i;

	if (family_id == FAMILY_PROBE_LOST) {
		put_lost(out, family, collector);
		return;
	}
	for (i = 0; i < PROBES; i++) {
		enum probe_id id = (enum probe_id)i;

		if (family_id == FAMILY_PROBE_UP)
			put_probe_value(out, family, id, probe_is_up(probe, id));
		else if (!probe_is_up(probe, id))
			continue;
		else if (family_id == FAMILY_PROBE_ATTRIBUTION)
			buf_printf(out, "%s{probe=\"%s\",mode=\"%s\"} 1\n", family->name,
				   probe_names[i], probe_attribution(probe, id));
		else if (family_id == FAMILY_PROBE_EVENTS)
			put_probe_value(out, family, id, probe_events(probe, id));
		else if (family_id == FAMILY_PROBE_CPU && probe_cpu_ns(probe, id, &ns) == 0)
			put_probe_value(out, family, id, ns);
	}
}

static void put_number(struct buf *out, const struct family *family, const char *suffix,
		       uint64_t value)
{
	buf_printf(out, "%s%s", family->name, suffix);
	put_value(out, family, value);
}

static void put_self(struct buf *out, enum family_id family_id, const struct collector *collector,
		     const struct scrape_times *scrapes, const struct self *self)
{
	const struct family *family = &families[family_id];
	unsigned int slots =
		probe_slots(collector_probe(collector)) - 1; /* one is the overflow's */
	unsigned int used = collector_slots_used(collector);

	if (family_id == FAMILY_SLOTS) {
		put_number(out, family, "{state=\"used\"}", used);
		put_number(out, family, "{state=\"free\"}", slots - used);
	} else if (family_id == FAMILY_SCRAPE) {
		put_number(out, family, "_sum", scrapes->sum_ns);
		buf_printf(out, "%s_count %" PRIu64 "\n", family->name, scrapes->count);
	} else if (family_id == FAMILY_BUILD_INFO) {
		buf_printf(out, "%s{version=\"%s\",revision=\"%s\"} 1\n", family->name,
			   bramble_version, bramble_revision);
	} else {
		put_number(out, family, "", self_value(self, family_id));
	}
}

/*
 * Ends a family that began at byte start of out. A header stands only where
 * samples follow: what is not known is absent, not empty.
 */
static void end_family(struct buf *out, size_t start, size_t header_end)
{
	if (out->len == header_end && !out->failed)
		buf_truncate(out, start);
}

void text_write_owners(struct buf *out, const struct owners *owners)
{
	const struct family *family;

	for (family = families; family < families + FAMILIES; family++) {
		size_t start = out->len, header_end;

		if (family->scope != SCOPE_OWNER && family->scope != SCOPE_PAIR)
			continue;
		put_header(out, family);
		header_end = out->len;
		put_owners(out, family, owners);
		end_family(out, start, header_end);
	}
}

void text_write(struct buf *out, const struct collector *collector,
		const struct scrape_times *scrapes)
{
	struct self self;
	int i;

	text_write_owners(out, collector_owners(collector));
	self_read(&self);
	for (i = 0; i < FAMILIES; i++) {
		enum family_id id = (enum family_id)i;
		size_t start = out->len, header_end;

		if (families[id].scope != SCOPE_PROBE &&
		    (families[id].scope != SCOPE_SELF || !self_known(&self, id)))
			continue;
		put_header(out, &families[id]);
		header_end = out->len;
		if (families[id].scope == SCOPE_PROBE)
			put_probes(out, id, collector);
		else
			put_self(out, id, collector, scrapes, &self);
		end_family(out, start, header_end);
	}
}
