/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "http/accept.h"

#include <stddef.h>

#include "util/ascii.h"
#include "util/slice.h"

#define SPACE " \t"
#define Q_ONE 1000 /* weights are counted in thousandths: three digits are all there may be */

/* One element of a list: "gzip;q=0.5", "text/plain;version=0.0.4;q=0.3". */
struct element {
	struct slice name;   /* before the first semicolon */
	struct slice params; /* from the first semicolon to the weight */
	int q;
};

/* A format's media type and the parameters it has. */
struct offer {
	const char *type, *subtype;
	const char *params[3][2];
	const char *content_type[ESCAPINGS];
};

static const char *const escapings[ESCAPINGS] = {
	[ESCAPING_UNDERSCORES] = "underscores",
	[ESCAPING_ALLOW_UTF8] = "allow-utf-8",
	[ESCAPING_DOTS] = "dots",
	[ESCAPING_VALUES] = "values",
};

/* A reply always names the escaping scheme, as client_golang's replies do. */
#define CONTENT_TYPES(type)                                                                        \
	{                                                                                          \
		type "; escaping=underscores", type "; escaping=allow-utf-8",                      \
			type "; escaping=dots", type "; escaping=values"                           \
	}

static const struct offer offers[FORMATS] = {
	[FORMAT_TEXT] = {"text",
			 "plain",
			 {{"version", "0.0.4"}, {"charset", "utf-8"}},
			 CONTENT_TYPES("text/plain; version=0.0.4; charset=utf-8")},
	[FORMAT_TEXT_1] = {"text",
			   "plain",
			   {{"version", "1.0.0"}, {"charset", "utf-8"}},
			   CONTENT_TYPES("text/plain; version=1.0.0; charset=utf-8")},
	[FORMAT_OPENMETRICS] =
		{"application",
		 "openmetrics-text",
		 {{"version", "1.0.0"}, {"charset", "utf-8"}},
		 CONTENT_TYPES("application/openmetrics-text; version=1.0.0; charset=utf-8")},
	[FORMAT_PROTOBUF] = {"application",
			     "vnd.google.protobuf",
			     {{"proto", "io.prometheus.client.MetricFamily"},
			      {"encoding", "delimited"}},
			     CONTENT_TYPES("application/vnd.google.protobuf; "
					   "proto=io.prometheus.client.MetricFamily; "
					   "encoding=delimited")},
};

const char *accepted_content_type(struct accepted accepted)
{
	return offers[accepted.format].content_type[accepted.escaping];
}

/*
 * Cuts off what comes before the first separator outside quoted strings, or everything. Leaves out
 * the spaces around it.
 */
static struct slice take(struct slice *rest, char separator)
{
	struct slice head = {rest->at, 0};
	bool quoted = false;
	size_t i;

	for (i = 0; i < rest->len && (quoted || rest->at[i] != separator); i++) {
		if (rest->at[i] == '"')
			quoted = !quoted;
		else if (quoted && rest->at[i] == '\\' && i + 1 < rest->len)
			i++;
	}
	head.len = i;
	i += i < rest->len; /* the separator */
	rest->at += i;
	rest->len -= i;
	return slice_trim(head, SPACE);
}

/* Reads "0", "0.25", "1", "1.000" in thousandths. -1 if the text is not a weight. */
static int parse_q(struct slice text)
{
	int q, digit = Q_ONE / 10;
	size_t i;

	if (!text.len || text.len > 5 || (text.at[0] != '0' && text.at[0] != '1') ||
	    (text.len > 1 && text.at[1] != '.'))
		return -1;
	q = text.at[0] == '1' ? Q_ONE : 0;
	for (i = 2; i < text.len; i++, digit /= 10) {
		if (!ascii_digit(text.at[i]))
			return -1;
		q += (text.at[i] - '0') * digit;
	}
	return q > Q_ONE ? -1 : q;
}

/* Splits name=value and takes the quotes off the value. Returns whether the text is of this form.
 */
static bool split_param(struct slice param, struct slice *name, struct slice *value)
{
	if (!slice_cut(&param, '=', name))
		return false;
	*value = param;
	if (value->len >= 2 && slice_starts(*value, "\"") && slice_ends(*value, "\"")) {
		value->at++;
		value->len -= 2;
	}
	return name->len && slice_trim(*name, SPACE).len == name->len;
}

/* Takes the next element of a list. Returns false at the end. An invalid weight becomes -1. */
static bool next_element(struct slice *list, struct element *element)
{
	struct slice text, param, name, value;
	const char *start;

	do {
		if (!list->len)
			return false;
		text = take(list, ',');
	} while (!text.len);
	name = take(&text, ';');
	*element = (struct element){.name = name, .params = text, .q = Q_ONE};
	while (text.len) {
		start = text.at;
		param = take(&text, ';');
		if (!param.len)
			continue;
		if (!split_param(param, &name, &value)) {
			element->q = -1;
		} else if (slice_is_nocase(name, "q")) {
			element->q = parse_q(value);
			/* Text after the weight does not belong to the range. */
			element->params.len = (size_t)(start - element->params.at);
			break;
		}
	}
	return true;
}

/* Whether the offer has a parameter with this value. */
static bool has_param(const struct offer *offer, struct slice name, struct slice value)
{
	size_t i;

	for (i = 0; i < 3 && offer->params[i][0]; i++)
		if (slice_is_nocase(name, offer->params[i][0]))
			return slice_is_nocase(value, offer->params[i][1]);
	return false;
}

/* How exactly a media range names an offer: 0 not at all, 1 as anything, more if more exactly. */
static int match(const struct element *range, const struct offer *offer)
{
	struct slice params = range->params, subtype = range->name, type, param, name, value;
	int exact = 1;

	if (!slice_cut(&subtype, '/', &type))
		return 0;
	if (slice_is_nocase(type, offer->type))
		exact++;
	else if (!slice_is_nocase(type, "*") || !slice_is_nocase(subtype, "*"))
		return 0;
	if (slice_is_nocase(subtype, offer->subtype))
		exact++;
	else if (!slice_is_nocase(subtype, "*"))
		return 0;
	while (params.len) {
		param = take(&params, ';');
		if (!param.len)
			continue;
		if (!split_param(param, &name, &value))
			return 0;
		if (slice_is_nocase(name, "escaping"))
			continue; /* every offer has each scheme */
		if (!has_param(offer, name, value))
			return 0;
		exact++;
	}
	return exact;
}

static enum escaping find_escaping(const struct element *range)
{
	struct slice params = range->params, name, value;
	int i;

	while (params.len) {
		if (!split_param(take(&params, ';'), &name, &value) ||
		    !slice_is_nocase(name, "escaping"))
			continue;
		for (i = 0; i < ESCAPINGS; i++)
			if (slice_is_nocase(value, escapings[i]))
				return (enum escaping)i;
	}
	return ESCAPING_UNDERSCORES;
}

/* How much an offer is wanted. The range that names it most exactly decides. */
struct wish {
	int q;
	int exact;
	int place; /* of that range in the header */
	enum escaping escaping;
};

static struct wish wish_for(const char *accept, const struct offer *offer)
{
	struct slice list = slice_of(accept);
	struct wish wish = {0};
	struct element range;
	int exact, place;

	for (place = 0; next_element(&list, &range); place++) {
		exact = range.q < 0 ? 0 : match(&range, offer);
		/* Two equally exact ranges may differ in the scheme. */
		if (exact > wish.exact || (exact && exact == wish.exact && range.q > wish.q))
			wish = (struct wish){range.q, exact, place, find_escaping(&range)};
	}
	return wish;
}

static bool is_stronger(const struct wish *a, const struct wish *b)
{
	if (a->q != b->q)
		return a->q > b->q;
	/* One more parameter is not a stronger wish. */
	if ((a->exact > 3 ? 3 : a->exact) != (b->exact > 3 ? 3 : b->exact))
		return a->exact > b->exact;
	return a->place < b->place;
}

struct accepted accept_format(const char *accept)
{
	struct accepted found = {FORMAT_TEXT, ESCAPING_UNDERSCORES};
	struct wish best = {0}, wish;
	int format;

	for (format = 0; accept && format < FORMATS; format++) {
		wish = wish_for(accept, &offers[format]);
		if (wish.q > 0 && is_stronger(&wish, &best)) {
			best = wish;
			found = (struct accepted){(enum format)format, wish.escaping};
		}
	}
	return found;
}

bool accept_gzip(const char *accept_encoding)
{
	struct slice list = slice_of(accept_encoding ?: "");
	int gzip = -1, identity = -1, other = -1;
	struct element coding;

	while (next_element(&list, &coding)) {
		if (coding.q < 0)
			continue;
		if (slice_is_nocase(coding.name, "gzip") || slice_is_nocase(coding.name, "x-gzip"))
			gzip = coding.q;
		else if (slice_is_nocase(coding.name, "identity"))
			identity = coding.q;
		else if (slice_is_nocase(coding.name, "*"))
			other = coding.q;
	}
	if (gzip < 0)
		gzip = other;
	return gzip > 0 && gzip >= identity;
}
