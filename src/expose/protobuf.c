/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "expose/protobuf.h"

#include <string.h>

#include "expose/classic.h"
#include "expose/metrics.pb-c.h"
#include "expose/native.h"
#include "util/array.h"
#include "util/clock.h"

/* The generated names are long. */
typedef Io__Prometheus__Client__MetricFamily MetricFamily;
typedef Io__Prometheus__Client__Metric Metric;
typedef Io__Prometheus__Client__LabelPair LabelPair;
typedef Io__Prometheus__Client__Histogram Histogram;
typedef Io__Prometheus__Client__Bucket Bucket;
typedef Io__Prometheus__Client__BucketSpan BucketSpan;
typedef Io__Prometheus__Client__Counter Counter;
typedef Io__Prometheus__Client__Gauge Gauge;
typedef Io__Prometheus__Client__Summary Summary;
typedef Io__Prometheus__Client__Timestamp Timestamp;

#define MAX_SPANS ARRAY_SIZE(((struct native_hist *)0)->span)

/* The parts of one sample's message. They point to each other. */
struct parts {
	Metric metric;
	Timestamp created;
	LabelPair label[SAMPLE_LABELS_MAX], *labels[SAMPLE_LABELS_MAX];
	union {
		Counter counter;
		Gauge gauge;
		Summary summary;
		Histogram histogram;
	};
	struct native_hist native;
	BucketSpan span[MAX_SPANS], *spans[MAX_SPANS];
	Bucket bucket[CLASSIC_BOUNDS + 1], *buckets[CLASSIC_BOUNDS + 1];
};

static struct protobuf *protobuf_of(struct samples *samples)
{
	return (struct protobuf *)samples; /* its first member */
}

static double seconds(uint64_t ns)
{
	return (double)ns / (double)NS_PER_S;
}

/*
 * Adds an encoded message to that of the family. Encodings that follow each other are the encoding
 * of the merged message. So a family is written sample by sample.
 */
static void add_message(struct protobuf *protobuf, const MetricFamily *message)
{
	size_t len = protobuf_c_message_get_packed_size(&message->base);
	uint8_t *to = buf_extend(&protobuf->family, len);

	if (to)
		protobuf_c_message_pack(&message->base, to);
}

static void begin_family(struct samples *samples)
{
	static const Io__Prometheus__Client__MetricType types[] = {
		[KIND_COUNTER] = IO__PROMETHEUS__CLIENT__METRIC_TYPE__COUNTER,
		[KIND_GAUGE] = IO__PROMETHEUS__CLIENT__METRIC_TYPE__GAUGE,
		[KIND_HISTOGRAM] = IO__PROMETHEUS__CLIENT__METRIC_TYPE__HISTOGRAM,
		[KIND_SUMMARY] = IO__PROMETHEUS__CLIENT__METRIC_TYPE__SUMMARY,
	};
	const struct family *family = samples->family;
	MetricFamily message = IO__PROMETHEUS__CLIENT__METRIC_FAMILY__INIT;

	message.name = (char *)family->name;
	message.help = (char *)family->help;
	message.has_type = 1;
	message.type = types[family->kind];
	message.unit = (char *)family_unit(family);
	buf_truncate(&protobuf_of(samples)->family, 0);
	add_message(protobuf_of(samples), &message);
}

static void set_labels(struct parts *parts, const struct sample *sample)
{
	size_t i;

	for (i = 0; i < sample->label_count && i < SAMPLE_LABELS_MAX; i++) {
		io__prometheus__client__label_pair__init(&parts->label[i]);
		parts->label[i].name = (char *)sample->labels[i].name;
		parts->label[i].value = (char *)sample->labels[i].value;
		parts->labels[i] = &parts->label[i];
	}
	parts->metric.n_label = i;
	parts->metric.label = parts->labels;
}

/* The time when the sample was 0. NULL if that is not known. */
static Timestamp *created(struct parts *parts, const struct sample *sample)
{
	if (!sample->created_ns)
		return NULL;
	io__prometheus__client__timestamp__init(&parts->created);
	parts->created.has_seconds = 1;
	parts->created.seconds = (int64_t)(sample->created_ns / NS_PER_S);
	parts->created.has_nanos = 1;
	parts->created.nanos = (int32_t)(sample->created_ns % NS_PER_S);
	return &parts->created;
}

static double value_of(const struct family *family, const struct sample *sample)
{
	if (family->real)
		return sample->real;
	return family->seconds ? seconds(sample->value) : (double)sample->value;
}

static void set_counter(struct parts *parts, const struct family *family,
			const struct sample *sample)
{
	io__prometheus__client__counter__init(&parts->counter);
	parts->counter.has_value = 1;
	parts->counter.value = value_of(family, sample);
	parts->counter.created_timestamp = created(parts, sample);
	parts->metric.counter = &parts->counter;
}

static void set_gauge(struct parts *parts, const struct family *family, const struct sample *sample)
{
	io__prometheus__client__gauge__init(&parts->gauge);
	parts->gauge.has_value = 1;
	parts->gauge.value = value_of(family, sample);
	parts->metric.gauge = &parts->gauge;
}

static void set_summary(struct parts *parts, const struct family *family,
			const struct sample *sample)
{
	io__prometheus__client__summary__init(&parts->summary);
	parts->summary.has_sample_count = 1;
	parts->summary.sample_count = sample->count;
	parts->summary.has_sample_sum = 1;
	parts->summary.sample_sum = value_of(family, sample);
	parts->summary.created_timestamp = created(parts, sample);
	parts->metric.summary = &parts->summary;
}

static void set_native(struct parts *parts)
{
	Histogram *histogram = &parts->histogram;
	struct native_hist *native = &parts->native;
	size_t i;

	for (i = 0; i < native->span_count; i++) {
		io__prometheus__client__bucket_span__init(&parts->span[i]);
		parts->span[i].has_offset = 1;
		parts->span[i].offset = native->span[i].offset;
		parts->span[i].has_length = 1;
		parts->span[i].length = native->span[i].length;
		parts->spans[i] = &parts->span[i];
	}
	histogram->has_schema = 1;
	histogram->schema = HIST_SCHEMA;
	histogram->has_zero_threshold = 1;
	histogram->zero_threshold = native_zero_threshold();
	histogram->has_zero_count = 1;
	histogram->zero_count = native->zero_count;
	histogram->n_positive_span = native->span_count;
	histogram->positive_span = parts->spans;
	histogram->n_positive_delta = native->delta_count;
	histogram->positive_delta = native->delta;
}

static void set_classic(struct parts *parts, const struct hist_total *hist)
{
	uint64_t counts[CLASSIC_BOUNDS + 1];
	unsigned int i;

	classic_counts(hist, counts);
	for (i = 0; i <= CLASSIC_BOUNDS; i++) {
		io__prometheus__client__bucket__init(&parts->bucket[i]);
		parts->bucket[i].has_cumulative_count = 1;
		parts->bucket[i].cumulative_count = counts[i];
		parts->bucket[i].has_upper_bound = 1;
		parts->bucket[i].upper_bound =
			i < CLASSIC_BOUNDS ? classic_bound(i) : __builtin_inf();
		parts->buckets[i] = &parts->bucket[i];
	}
	parts->histogram.n_bucket = CLASSIC_BOUNDS + 1;
	parts->histogram.bucket = parts->buckets;
}

static void set_histogram(struct parts *parts, const struct sample *sample, enum hist_forms forms)
{
	Histogram *histogram = &parts->histogram;

	io__prometheus__client__histogram__init(histogram);
	native_convert(sample->hist, &parts->native);
	histogram->has_sample_count = 1;
	histogram->sample_count = parts->native.count;
	histogram->has_sample_sum = 1;
	histogram->sample_sum = seconds(sample->hist->sum_ns);
	histogram->created_timestamp = created(parts, sample);
	if (forms & HIST_NATIVE)
		set_native(parts);
	if (forms & HIST_CLASSIC)
		set_classic(parts, sample->hist);
	parts->metric.histogram = histogram;
}

static void write_sample(struct samples *samples, const struct sample *sample)
{
	MetricFamily message = IO__PROMETHEUS__CLIENT__METRIC_FAMILY__INIT;
	const struct family *family = samples->family;
	struct parts parts;
	Metric *metric = &parts.metric;

	io__prometheus__client__metric__init(metric);
	set_labels(&parts, sample);
	if (family->kind == KIND_HISTOGRAM)
		set_histogram(&parts, sample, protobuf_of(samples)->forms);
	else if (family->kind == KIND_SUMMARY)
		set_summary(&parts, family, sample);
	else if (family->kind == KIND_COUNTER)
		set_counter(&parts, family, sample);
	else
		set_gauge(&parts, family, sample);
	message.n_metric = 1;
	message.metric = &metric;
	add_message(protobuf_of(samples), &message);
}

/* Writes the length, in seven bits for each byte with the lowest first, and the message. */
static void end_family(struct samples *samples)
{
	struct protobuf *protobuf = protobuf_of(samples);
	size_t len = protobuf->family.len;

	for (; len > 0x7f; len >>= 7)
		buf_putc(protobuf->out, (char)(0x80 | (len & 0x7f)));
	buf_putc(protobuf->out, (char)len);
	buf_add(protobuf->out, protobuf->family.data, protobuf->family.len);
	if (buf_failed(&protobuf->family))
		protobuf->out->failed = true;
}

void protobuf_begin(struct protobuf *protobuf, struct buf *out, enum hist_forms forms)
{
	static const struct samples_writer writer = {begin_family, write_sample, end_family};

	*protobuf = (struct protobuf){.samples.writer = &writer, .out = out, .forms = forms};
}

void protobuf_end(struct protobuf *protobuf)
{
	buf_free(&protobuf->family);
}
