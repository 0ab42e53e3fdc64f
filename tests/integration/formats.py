#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""
usage: formats.py URL

Scrapes bramble in every format and compares the samples one by one: the same families of the
same kind, with the same help; the same series; the same values. Both texts are read by the
Python client's parsers, protobuf by the few lines below. As time goes by between two scrapes,
the text is read first and last: a value that was the same in both must be that in the others,
a count must be between them. Says what differs, and ends with 1 then.
"""
import struct
import sys
import urllib.request

from prometheus_client import parser as text_parser
from prometheus_client.openmetrics import parser as openmetrics_parser

PROTOBUF = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"
KINDS = ["counter", "gauge", "summary", "unknown", "histogram"]


def fetch(url, accept):
    request = urllib.request.Request(url, headers={"Accept": accept})
    with urllib.request.urlopen(request) as reply:
        return reply.read()


def number(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at


def fields(data):
    """A message's fields: number and value, which are bytes where it has a length."""
    at = 0
    while at < len(data):
        tag, at = number(data, at)
        kind = tag & 7
        if kind == 0:
            value, at = number(data, at)
        elif kind == 1:
            value, at = struct.unpack("<d", data[at : at + 8])[0], at + 8
        elif kind == 2:
            size, at = number(data, at)
            value, at = data[at : at + size], at + size
        else:
            raise ValueError(f"a field of wire type {kind}")
        yield tag >> 3, value


def first(message, wanted, default=None):
    return next((value for field, value in message if field == wanted), default)


def key(name, labels):
    """le is a number, however it is written. An empty label is one."""
    return name, tuple(sorted((k, float(v) if k == "le" else v) for k, v in labels.items()))


def histogram(name, labels, message):
    yield key(name + "_count", labels), float(first(message, 1, 0))
    yield key(name + "_sum", labels), first(message, 2, 0.0)
    for field, bucket in message:
        if field == 3:
            bucket = dict(fields(bucket))
            yield key(name + "_bucket", {**labels, "le": bucket[2]}), float(bucket[1])


def metric(name, message):
    """Samples as the text has them, of one message Metric."""
    message = list(fields(message))
    labels = {}
    for field, pair in message:
        if field == 1:
            pair = dict(fields(pair))
            labels[pair[1].decode()] = pair[2].decode()
    for field, value in message:
        if field in (2, 3):
            yield key(name, labels), first(list(fields(value)), 1, 0.0)
        elif field == 4:
            summary = list(fields(value))
            yield key(name + "_count", labels), float(first(summary, 1, 0))
            yield key(name + "_sum", labels), first(summary, 2, 0.0)
        elif field == 7:
            yield from histogram(name, labels, list(fields(value)))


class Scrape:
    def __init__(self):
        self.families = {}  # name as in the text: kind, help
        self.samples = {}
        self.stored = set()  # as Prometheus tells series apart: an empty label is none

    def add(self, family, kind, help_text, samples):
        if family in self.families:
            raise ValueError(f"{family} is there twice")
        self.families[family] = (kind, help_text)
        for name, value in samples:
            stored = (name[0], tuple(label for label in name[1] if label[1] != ""))
            if stored in self.stored:
                raise ValueError(f"{name} is there twice")
            self.stored.add(stored)
            self.samples[name] = value


def from_protobuf(data):
    scrape = Scrape()
    at = 0
    while at < len(data):
        size, at = number(data, at)
        message = list(fields(data[at : at + size]))
        at += size
        name = first(message, 1).decode()
        samples = [s for field, value in message if field == 4 for s in metric(name, value)]
        scrape.add(name, KINDS[first(message, 3, 0)], first(message, 2).decode(), samples)
    return scrape


def from_families(families):
    """The parsers leave the suffixes of counters and infos out of a family's name."""
    scrape = Scrape()
    for family in families:
        end = {"counter": "_total", "info": "_info"}.get(family.type, "")
        name = family.name + (end if not family.name.endswith(end) else "")
        kind = "gauge" if family.type == "info" else family.type
        samples = [(key(s.name, s.labels), s.value) for s in family.samples if not s.name.endswith("_created")]
        scrape.add(name, kind, family.documentation, samples)
    return scrape


def from_text(data):
    return from_families(text_parser.text_string_to_metric_families(data.decode()))


def from_openmetrics(data):
    return from_families(openmetrics_parser.text_string_to_metric_families(data.decode()))


def near(a, b):
    return abs(a - b) <= 1e-12 * max(abs(a), abs(b))


def compare(name, before, scrape, after):
    """What differs in a scrape that was made between two of the text."""
    for family in before.families.keys() & after.families.keys():
        if scrape.families.get(family) != before.families[family]:
            yield f"{name}: {family} is {scrape.families.get(family)}, in the text {before.families[family]}"
    for series in before.samples.keys() & after.samples.keys() - scrape.samples.keys():
        yield f"{name}: lacks {series}"
    for series, value in scrape.samples.items():
        low, high = before.samples.get(series), after.samples.get(series)
        if high is None:
            yield f"{name}: the text lacks {series}"
        elif low is not None and near(low, high) and not near(value, low):
            yield f"{name}: {series} is {value}, in the text {low}"
        elif low is not None and low < high and not low <= value * (1 + 1e-12) <= high * (1 + 2e-12):
            # A gauge may go up and down meanwhile.
            if series[0].endswith(("_total", "_sum", "_count", "_bucket")):
                yield f"{name}: {series} is {value}, in the text {low} and {high}"


def main(url):
    for _ in range(3):
        before = from_text(fetch(url, "text/plain;version=0.0.4"))
        scrapes = {
            "text 1.0.0": from_text(fetch(url, "text/plain;version=1.0.0")),
            "OpenMetrics": from_openmetrics(fetch(url, "application/openmetrics-text;version=1.0.0")),
            "protobuf": from_protobuf(fetch(url + "?histograms=both", PROTOBUF)),
        }
        after = from_text(fetch(url, "text/plain;version=0.0.4"))
        differences = [d for name, scrape in scrapes.items() for d in compare(name, before, scrape, after)]
        same = sum(near(v, after.samples.get(k, v + 1)) for k, v in before.samples.items())
        print(f"{len(before.families)} families, {len(before.samples)} samples, of which {same} stood still;",
              f"{len(differences)} differences")
        # A gauge may leave its value and come back to it between the two texts.
        if not differences:
            return 0 if len(before.samples) > 100 and same > 50 else 1
    print("\n".join(differences[:10]))
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
