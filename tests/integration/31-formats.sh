#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# Every format, read by programs that are not of this project: Debian's Prometheus with
# native histograms scrapes native and classic ones, and the Python client's parsers read both
# texts. All say the same.
. "$(dirname "$0")/lib.sh"

start_bramble
start_pod load hog-0 main taskset 1 spin 8
start_pod load victim-0 main taskset 1 burst 8 5000 2000

prometheus_url=http://127.0.0.1:$(free_port)
cat >"$tmp/prometheus.yml" <<END
global:
  scrape_interval: 1s
scrape_configs:
  - job_name: native
    static_configs:
      - targets: ["${bramble_url#http://}"]
  - job_name: classic
    params: {histograms: [classic]}
    static_configs:
      - targets: ["${bramble_url#http://}"]
END
in_background prometheus --config.file="$tmp/prometheus.yml" --storage.tsdb.path="$tmp/tsdb" \
	--enable-feature=native-histograms --web.listen-address="${prometheus_url#http://}" \
	--log.level=warn >"$tmp/prometheus.log" 2>&1

query() { curl -sf --data-urlencode "query=$1" "$prometheus_url/api/v1/query"; }
# first_value QUERY: of the only series it answers; nothing if there is no number.
first_value() {
	query "$1" | jq -r '.data.result | if length == 1 then .[0].value[1] else empty end' |
		grep -E '^[0-9.e+-]+$'
}

# ---- the texts, while the pods work
sleep 2
curl -sf "$bramble_url/metrics" >"$tmp/metrics"
curl -sf -D "$tmp/header" -H 'Accept: application/openmetrics-text;version=1.0.0,text/plain;q=0.5' \
	-H 'Accept-Encoding: gzip' "$bramble_url/metrics" | gunzip >"$tmp/openmetrics"
check "OpenMetrics is what was asked for" grep -qi '^content-type: application/openmetrics-text; version=1.0.0' "$tmp/header"
check "gzipped" grep -qi '^content-encoding: gzip' "$tmp/header"
cat >"$tmp/parse.py" <<'END'
import sys
from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client import parser as text

def series(parse, path):
    with open(path, encoding="utf-8") as file:
        return {(s.name, tuple(sorted((k, str(float(v)) if k == "le" else v) for k, v in s.labels.items())))
                for family in parse(file.read()) for s in family.samples if not s.name.endswith("_created")}

om = series(openmetrics.text_string_to_metric_families, sys.argv[1])
plain = series(text.text_string_to_metric_families, sys.argv[2])
print("   ", len(om), "series; only in OpenMetrics:", len(om - plain), "only in the text:", len(plain - om))
for name, labels in sorted(om ^ plain)[:10]:
    print("   ", name, labels)
# What begins to count between two scrapes is in one of them.
sys.exit(0 if len(om) > 100 and len(om ^ plain) < 0.1 * len(om) else 1)
END
check "the Python client reads both texts, and finds the same series" \
	/usr/bin/python3 "$tmp/parse.py" "$tmp/openmetrics" "$tmp/metrics"

# ---- Prometheus, when the pods have ended and their counts stand still
wait_until 30 container_ended victim-0
wait_until 30 container_ended hog-0
victim='namespace="load",pod="victim-0"'
count_of() { # JOB
	if [ "$1" = native ]; then
		first_value "histogram_count(bramble_cpu_wait_seconds{job=\"native\",$victim})"
	else
		first_value "bramble_cpu_wait_seconds_count{job=\"classic\",$victim}"
	fi
}
scrape
said=$(metric bramble_cpu_wait_seconds_count namespace=load pod=victim-0)
both_have_all() {
	awk "BEGIN { exit !($(count_of native) == $said && $(count_of classic) == $said) }" 2>/dev/null
}
if wait_until 20 both_have_all; then
	pass "native and classic have the same number of waits"
else
	fail "native $(count_of native), classic $(count_of classic), bramble $said"
	cat "$tmp/prometheus.log"
fi
check_holds "and the same sum" "$(first_value "abs(1 - histogram_sum(bramble_cpu_wait_seconds{job=\"native\",$victim}) /
	ignoring(job) bramble_cpu_wait_seconds_sum{job=\"classic\",$victim})") < 1e-9"
# Which classic bucket a value is in: bounds are 2^-20 s times powers of four.
classic_bucket() {
	awk -v value="$1" 'BEGIN {
		if (value == "") exit
		for (bound = 2 ^ -20; bound < value * (1 - 1e-9); bound *= 4) n++
		print n + 0
	}'
}
for quantile in 0.1 0.5 0.9 0.99; do
	native=$(first_value "histogram_quantile($quantile, bramble_cpu_wait_seconds{job=\"native\",$victim})")
	classic=$(first_value "histogram_quantile($quantile, bramble_cpu_wait_seconds_bucket{job=\"classic\",$victim})")
	note "quantile $quantile: native $native s, classic $classic s"
	check_holds "quantile $quantile: both in the same classic bucket" \
		"$native > 0 && $(classic_bucket "$native") == $(classic_bucket "$classic")"
done

# ---- every family that there is, in both forms
missing=
while read -r family; do
	for job in native classic; do
		[ -n "$(first_value "count({job=\"$job\",__name__=~\"${family}(_count)?\"})")" ] || missing+=" $job:$family"
	done
done < <(awk '$1 == "#" && $2 == "TYPE" { print $3 }' "$tmp/metrics")
note "$(grep -c '^# TYPE' "$tmp/metrics") families"
check "every family can be queried, scraped in either form:$missing" test -z "$missing"
native=$(first_value 'scrape_samples_scraped{job="native"}')
classic=$(first_value 'scrape_samples_scraped{job="classic"}')
histograms=$(first_value 'count(bramble_cpu_wait_seconds{job="native"})')
classic_histograms=$(first_value 'count({job="classic",__name__=~"bramble_cpu_wait_seconds_.*"})')
note "samples of a scrape: native $native, classic $classic; of the waits alone $histograms and $classic_histograms"
check_holds "native histograms are at most a tenth of the series" "$histograms * 10 <= $classic_histograms"
check_holds "Prometheus dropped none" "$(first_value 'sum(scrape_samples_scraped - scrape_samples_post_metric_relabeling)') == 0"
check_holds "and both targets are up" "$(first_value 'sum(up)') == 2"
said=$(promtool check metrics <"$tmp/metrics" 2>&1)
check "promtool finds nothing in the text of these families: $said" test -z "$said"

# ---- the choices
protobuf='Accept: application/vnd.google.protobuf'
native=$(curl -sf -H "$protobuf" "$bramble_url/metrics" | wc -c)
both=$(curl -sf -H "$protobuf" "$bramble_url/metrics?histograms=both" | wc -c)
check_holds "both forms take more bytes than one" "$both > $native && $native > 100"
stop_bramble
start_bramble --metrics.include='bramble_(cpu_.*|containers)' --metrics.exclude='.*_caused_.*' \
	--metrics.max-containers=1 --no-metrics.created
start_pod load first-0 main burst 20 1000 1000
start_pod load second-0 main burst 20 1000 1000
start_pod load third-0 main burst 20 1000 1000
summed() {
	scrape
	[ "$(metric_or_0 bramble_cpu_context_switches_total container=other kind=voluntary | cut -d. -f1)" -gt 50 ]
}
check "containers beyond the limit are summed" wait_until 10 summed
check_holds "they are counted" "$(metric bramble_containers series=other) >= 2"
check "they have no series of their own" test -z "$(select_metric bramble_cpu_wait_seconds_count pod=third-0)"
check "only the families that were asked for" \
	test -z "$(awk '$2 == "TYPE" && $3 !~ /^bramble_(cpu_|containers$)/ || /_caused_/' "$tmp/metrics")"
curl -sf -H 'Accept: application/openmetrics-text' "$bramble_url/metrics" >"$tmp/openmetrics"
check "no _created" test "$(grep -c _created "$tmp/openmetrics") $(tail -n 1 "$tmp/openmetrics")" = "0 # EOF"
"$BRAMBLE" serve --metrics.include='(' >/dev/null 2>&1
check "a wrong expression is wrong usage" test $? = 2
finish
