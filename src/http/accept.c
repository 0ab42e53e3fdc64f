/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "http/accept.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

#define Q_ONE 1000 /* weights are counted in thousandths: three digits are all there may be */

/* A piece of a header's text. */
struct piece {
	const char *at;
	size_t len;
};

/* One element of a list: "gzip;q=0.5", "text/plain;version=0.0.4;q=0.3". */
struct element {
	struct piece name;   /* before the first semicolon */
	struct piece params; /* from the first semicolon to the weight */
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

/* A reply always says what names are escaped to, as client_golang's do. */
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
	[FORMAT_OPENMETRICS_DRAFT] =
		{"application",
		 "openmetrics-text",
		 {{"version", "0.0.1"}, {"charset", "utf-8"}},
		 CONTENT_TYPES("application/openmetrics-text; version=0.0.1; charset=utf-8")},
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

static bool is_space(char c)
{
	return c == ' ' || c == '\t';
}

static struct piece trim(struct piece piece)
{
	while (piece.len && is_space(piece.at[0])) {
		piece.at++;
		piece.len--;
	}
	while (piece.len && is_space(piece.at[piece.len - 1]))
		piece.len--;
	return piece;
}

static bool equals(struct piece piece, const char *text)
{
	return piece.len == strlen(text) && strncasecmp(piece.at, text, piece.len) == 0;
}

/*
 * Takes what stands before the first of the separators that is not in a quoted string.
 * *text is behind it then, or at the end.
 */
static struct piece take(const char **text, const char *end, char separator)
{
	struct piece piece = {.at = *text};
	bool quoted = false;
	const char *c;

	for (c = *text; c < end && (quoted || *c != separator); c++) {
		if (*c == '"')
			quoted = !quoted;
		else if (quoted && *c == '\\' && c + 1 < end)
			c++;
	}
	piece.len = (size_t)(c - piece.at);
	*text = c < end ? c + 1 : end;
	return trim(piece);
}

/* "0", "0.25", "1", "1.000": thousandths; -1 for what is no weight. */
static int parse_q(struct piece text)
{
	int q, digit = Q_ONE / 10;
	size_t i;

	if (!text.len || text.len > 5 || (text.at[0] != '0' && text.at[0] != '1') ||
	    (text.len > 1 && text.at[1] != '.'))
		return -1;
	q = text.at[0] == '1' ? Q_ONE : 0;
	for (i = 2; i < text.len; i++, digit /= 10) {
		if (text.at[i] < '0' || text.at[i] > '9')
			return -1;
		q += (text.at[i] - '0') * digit;
	}
	return q > Q_ONE ? -1 : q;
}

/* Splits name=value. Returns whether it is one; a value's quotes are taken off. */
static bool split_param(struct piece param, struct piece *name, struct piece *value)
{
	const char *equal = memchr(param.at, '=', param.len);

	if (!equal)
		return false;
	name->at = param.at;
	name->len = (size_t)(equal - param.at);
	value->at = equal + 1;
	value->len = param.len - name->len - 1;
	if (value->len >= 2 && value->at[0] == '"' && value->at[value->len - 1] == '"') {
		value->at++;
		value->len -= 2;
	}
	return name->len && !is_space(equal[-1]);
}

/* Takes the next element of a list. Returns false at the end; a weight that is none is -1. */
static bool next_element(const char **list, struct element *element)
{
	const char *end = *list + strlen(*list), *text;
	struct piece piece, param, name, value;

	do {
		if (*list == end)
			return false;
		piece = take(list, end, ',');
	} while (!piece.len);
	text = piece.at;
	end = piece.at + piece.len;
	*element = (struct element){.name = take(&text, end, ';'), .q = Q_ONE};
	element->params.at = text;
	while (text < end) {
		const char *start = text;

		param = take(&text, end, ';');
		if (!param.len)
			continue;
		if (!split_param(param, &name, &value)) {
			element->q = -1;
		} else if (equals(name, "q")) {
			element->q = parse_q(value);
			end = start; /* what follows belongs to the weight */
		}
	}
	element->params.len = (size_t)(end - element->params.at);
	return true;
}

/* Whether the offer has a parameter with this value. */
static bool has_param(const struct offer *offer, struct piece name, struct piece value)
{
	size_t i;

	for (i = 0; i < 3 && offer->params[i][0]; i++)
		if (equals(name, offer->params[i][0]))
			return equals(value, offer->params[i][1]);
	return false;
}

/* How exactly a media range names an offer: 0 not at all, 1 as anything, more the closer. */
static int match(const struct element *range, const struct offer *offer)
{
	const char *text = range->params.at, *end = range->params.at + range->params.len;
	const char *slash = memchr(range->name.at, '/', range->name.len);
	struct piece type, subtype, param, name, value;
	int exact = 1;

	if (!slash)
		return 0;
	type = (struct piece){range->name.at, (size_t)(slash - range->name.at)};
	subtype = (struct piece){slash + 1, range->name.len - type.len - 1};
	if (equals(type, offer->type))
		exact++;
	else if (!equals(type, "*") || !equals(subtype, "*"))
		return 0;
	if (equals(subtype, offer->subtype))
		exact++;
	else if (!equals(subtype, "*"))
		return 0;
	while (text < end) {
		param = take(&text, end, ';');
		if (!param.len)
			continue;
		if (!split_param(param, &name, &value))
			return 0;
		if (equals(name, "escaping"))
			continue; /* every offer has each scheme */
		if (!has_param(offer, name, value))
			return 0;
		exact++;
	}
	return exact;
}

static enum escaping find_escaping(const struct element *range)
{
	const char *text = range->params.at, *end = range->params.at + range->params.len;
	struct piece name, value;
	int i;

	while (text < end) {
		if (!split_param(take(&text, end, ';'), &name, &value) || !equals(name, "escaping"))
			continue;
		for (i = 0; i < ESCAPINGS; i++)
			if (equals(value, escapings[i]))
				return (enum escaping)i;
	}
	return ESCAPING_UNDERSCORES;
}

/* How much an offer is wanted, by the range that names it most exactly. */
struct wish {
	int q;
	int exact;
	int place; /* of that range in the header */
	enum escaping escaping;
};

static struct wish wish_for(const char *accept, const struct offer *offer)
{
	struct wish wish = {0};
	struct element range;
	int exact, place;

	for (place = 0; next_element(&accept, &range); place++) {
		exact = range.q < 0 ? 0 : match(&range, offer);
		/* Equally exact ones may differ in the scheme. */
		if (exact > wish.exact || (exact && exact == wish.exact && range.q > wish.q))
			wish = (struct wish){range.q, exact, place, find_escaping(&range)};
	}
	return wish;
}

static bool is_stronger(const struct wish *a, const struct wish *b)
{
	if (a->q != b->q)
		return a->q > b->q;
	/* Of parameters one more is no stronger wish. */
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
	int gzip = -1, identity = -1, other = -1;
	struct element coding;

	while (accept_encoding && next_element(&accept_encoding, &coding)) {
		if (coding.q < 0)
			continue;
		if (equals(coding.name, "gzip") || equals(coding.name, "x-gzip"))
			gzip = coding.q;
		else if (equals(coding.name, "identity"))
			identity = coding.q;
		else if (equals(coding.name, "*"))
			other = coding.q;
	}
	if (gzip < 0)
		gzip = other;
	return gzip > 0 && gzip >= identity;
}
