#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# Runs: beside others
#
# Programs from outside this project read every format: Prometheus 2.42 and 3.5, with native
# histograms and without, and the Python client's parsers. All must read the same.
. "$(dirname "$0")/lib.sh"
. "$here/prometheus.sh"
find_prometheus_3

start_bramble
start_pod load hog-0 main taskset 1 spin 8
start_pod load victim-0 main taskset 1 burst 8 5000 2000

{
	configuration
	job native
	job classic 'params: {histograms: [classic]}'
} >"$tmp/native.yml"
start_prometheus native prometheus --enable-feature=native-histograms
if [ -n "$prometheus_3" ]; then
	{
		configuration
		job native
		job both 'always_scrape_classic_histograms: true'
	} >"$tmp/native3.yml"
	{
		configuration
		job openmetrics
		job text 'scrape_protocols: [PrometheusText1.0.0]'
		job protobuf 'scrape_protocols: [PrometheusProto]' 'params: {histograms: [classic]}'
	} >"$tmp/plain3.yml"
	# Prometheus 3.5 takes only the native form of a histogram that has both, even if it may not store
	# native ones. Its own histograms are missing, too. This setting helps, for any target.
	{
		configuration
		job created 'always_scrape_classic_histograms: true'
	} >"$tmp/created3.yml"
	start_prometheus native3 "$prometheus_3" --enable-feature=native-histograms
	start_prometheus plain3 "$prometheus_3"
	start_prometheus created3 "$prometheus_3" --enable-feature=created-timestamp-zero-ingestion
fi

# ---- the texts, while the pods work
sleep 2
curl -sf "$bramble_url/metrics" >"$tmp/metrics"
curl -sf -D "$tmp/header" -H 'Accept: application/openmetrics-text;version=1.0.0,text/plain;q=0.5' \
	-H 'Accept-Encoding: gzip' "$bramble_url/metrics" | gunzip >"$tmp/openmetrics"
check "OpenMetrics is what was asked for" grep -qi '^content-type: application/openmetrics-text; version=1.0.0' "$tmp/header"
check "gzipped" grep -qi '^content-encoding: gzip' "$tmp/header"
check "without _created" test "$(grep -c _created "$tmp/openmetrics")" = 0
if said=$("$here/formats.py" "$bramble_url/metrics"); then
	pass "the texts and protobuf have the same families, samples and values"
else
	echo "$said"
	fail "the texts and protobuf differ"
fi
note "$said"

# content_type ACCEPT: what a reply says it is
content_type() { curl -sf -o /dev/null -w '%{content_type}' -H "Accept: $1" "$bramble_url/metrics"; }
check "a reply says which text it is, and what names are escaped to" test \
	"$(content_type 'text/plain;version=1.0.0;escaping=allow-utf-8')" = \
	"text/plain; version=1.0.0; charset=utf-8; escaping=allow-utf-8"
check "as node_exporter does where nothing is asked" test \
	"$(content_type '*/*')" = "text/plain; version=0.0.4; charset=utf-8; escaping=underscores"

# ---- Prometheus, when the pods have ended and their counts stand still
wait_until 30 container_ended victim-0
wait_until 30 container_ended hog-0
value_of() { first_value native "$1"; }
victim='namespace="load",pod="victim-0"'
count_of() { # JOB
	if [ "$1" = native ]; then
		value_of "histogram_count(bramble_cpu_wait_seconds{job=\"native\",$victim})"
	else
		value_of "bramble_cpu_wait_seconds_count{job=\"classic\",$victim}"
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
	cat "$tmp/native.log"
fi
check_holds "and the same sum" "$(value_of "abs(1 - histogram_sum(bramble_cpu_wait_seconds{job=\"native\",$victim}) /
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
	native=$(value_of "histogram_quantile($quantile, bramble_cpu_wait_seconds{job=\"native\",$victim})")
	classic=$(value_of "histogram_quantile($quantile, bramble_cpu_wait_seconds_bucket{job=\"classic\",$victim})")
	note "quantile $quantile: native $native s, classic $classic s"
	check_holds "quantile $quantile: both in the same classic bucket" \
		"$native > 0 && $(classic_bucket "$native") == $(classic_bucket "$classic")"
done

# ---- every family that there is, in both forms
missing=
while read -r family; do
	for job in native classic; do
		[ -n "$(value_of "count({job=\"$job\",__name__=~\"${family}(_count)?\"})")" ] || missing+=" $job:$family"
	done
done < <(awk '$1 == "#" && $2 == "TYPE" { print $3 }' "$tmp/metrics")
note "$(grep -c '^# TYPE' "$tmp/metrics") families"
check "every family can be queried, scraped in either form:$missing" test -z "$missing"
native=$(value_of 'scrape_samples_scraped{job="native"}')
classic=$(value_of 'scrape_samples_scraped{job="classic"}')
histograms=$(value_of 'count(bramble_cpu_wait_seconds{job="native"})')
classic_histograms=$(value_of 'count({job="classic",__name__=~"bramble_cpu_wait_seconds_.*"})')
note "samples of a scrape: native $native, classic $classic; of the waits alone $histograms and $classic_histograms"
check_holds "native histograms are at most a tenth of the series" "$histograms * 10 <= $classic_histograms"
check_holds "Prometheus dropped none" "$(value_of 'sum(scrape_samples_scraped - scrape_samples_post_metric_relabeling)') == 0"
check_holds "and both targets are up" "$(value_of 'sum(up)') == 2"
check "who knows native histograms gets no classic ones beside them" \
	test -z "$(value_of 'count({job="native",__name__=~"bramble_.*_bucket"})')"
# A Prometheus may ask for protobuf without knowing native histograms.
if [ -n "$prometheus_3" ]; then
	native3="histogram_count(bramble_cpu_wait_seconds{job=\"native\",$victim})"
	classic3="bramble_cpu_wait_seconds_bucket{le=\"+Inf\",$victim}"
	all_are_3() { # NAME QUERY
		awk "BEGIN { exit !($(first_value "$1" "$2") == $said) }" 2>/dev/null
	}
	check "Prometheus 3 gets native histograms" wait_until 20 all_are_3 native3 "$native3"
	check "and both where it wants both" all_are_3 native3 "bramble_cpu_wait_seconds_bucket{job=\"both\",le=\"+Inf\",$victim}"
	check "and no classic ones unasked" test -z "$(first_value native3 'count({job="native",__name__=~"bramble_.*_bucket"})')"
	check "with created-timestamp-zero-ingestion and without native ones it gets classic ones" \
		all_are_3 created3 "$classic3"
	for job in openmetrics text protobuf; do
		check "and by $job" all_are_3 plain3 "${classic3/\{/{job=\"$job\",}"
	done
	for name in native3:2 plain3:3 created3:1; do
		check_holds "all targets of ${name%:*} are up" "$(first_value "${name%:*}" 'sum(up)') == ${name#*:}"
	done
	said3=$(grep -hvE 'level=(INFO|WARN).*(signal|feature)' "$tmp"/{native3,plain3,created3}.log)
	check "and say nothing of it: $(head -n 3 <<<"$said3")" test -z "$said3"
fi
said=$(promtool check metrics <"$tmp/metrics" 2>&1)
check "promtool finds nothing in the text of these families: $said" test -z "$said"

# ---- the choices
protobuf='Accept: application/vnd.google.protobuf'
# buckets [QUERY]: how many classic buckets, and bytes, protobuf has
buckets() {
	curl -sf -H "$protobuf" "$bramble_url/metrics$1" | tee "$tmp/protobuf" |
		PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$here /usr/bin/python3 -c '
import formats, sys
print(sum(name.endswith("_bucket") for name, labels in formats.from_protobuf(sys.stdin.buffer.read()).samples))'
}
bytes() { wc -c <"$tmp/protobuf"; }
check_holds "protobuf has classic buckets where nothing is said" "$(buckets '') > 100"
both=$(bytes)
check_holds "and those alone that are asked for" \
	"$(buckets '?histograms=native') == 0 && $(buckets '?histograms=classic') > 100 && $(buckets '?histograms=both') > 100"
buckets '?histograms=native' >/dev/null
note "protobuf: $both bytes, native ones alone $(bytes)"
stop_bramble
start_bramble --metrics.include='bramble_(cpu_.*|containers)' --metrics.exclude='.*_caused_.*' \
	--metrics.max-containers=1 --metrics.created --no-metrics.classic-histograms
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
check_holds "_created where it is asked for" "$(grep -c '^bramble_cpu_.*_created{' "$tmp/openmetrics") > 3"
check_holds "no classic histograms in protobuf where they are off, but where they are asked for" \
	"$(buckets '') == 0 && $(buckets '?histograms=both') > 10"
"$BRAMBLE" serve --metrics.include='(' >/dev/null 2>&1
check "a wrong expression is wrong usage" test $? = 2
finish
