#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# Debian's Prometheus scrapes bramble, and answers the question the metrics are for.
. "$(dirname "$0")/lib.sh"
. "$here/prometheus.sh"

start_bramble
start_pod load hog-0 main taskset 1 spin 60
start_pod load victim-0 main taskset 1 burst 60 5000 2000

(configuration && job bramble) >"$tmp/prometheus.yml"
start_prometheus prometheus prometheus
value_of() { first_value prometheus "$1"; }

p99='histogram_quantile(0.99, sum by (namespace, pod, le) (rate(bramble_cpu_wait_seconds_bucket[10s])))'
if ! wait_until 40 has_value prometheus "($p99 > 0) and on(namespace, pod) bramble_cpu_wait_seconds_count{namespace=\"load\", pod=\"victim-0\"}"; then
	tail -n 20 "$tmp/prometheus.log"
	query prometheus "$p99"
fi
victim=$(query prometheus "$p99" | jq -r '.data.result[] |
	select(.metric.namespace == "load" and .metric.pod == "victim-0") | .value[1]')
note "p99 of the victim's waits: $victim s"
check_holds "histogram_quantile(0.99, ...) by pod is a number" "$victim > 0.0001 && $victim < 10"
check_holds "the target is up" "$(value_of 'up{job="bramble"}') == 1"
check_holds "no sample was dropped" \
	"$(value_of 'scrape_samples_scraped - scrape_samples_post_metric_relabeling') == 0"
check_holds "waits by who caused them" "$(value_of \
	'sum(rate(bramble_cpu_wait_caused_seconds_total{pod="victim-0", by_pod="hog-0"}[10s]))') > 0"

scrape
said=$(promtool check metrics <"$tmp/metrics" 2>&1)
code=$?
[ -z "$said" ] || echo "$said"
check "promtool check metrics finds nothing" test "$code" = 0 -a -z "$said"
type=$(curl -sf -o /dev/null -w '%{content_type}' "$bramble_url/metrics")
note "$type"
check "the content type is text 0.0.4" grep -q '^text/plain; *version=0.0.4' <<<"$type"
finish
