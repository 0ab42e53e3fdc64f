#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# 3,700 pods are alive that the kubelet does not list. A scrape must not wait for their names, and the
# liveness probe must not kill the pod.
. "$(dirname "$0")/../lib.sh"
# shellcheck source=../../integration/kubelet.sh
. "$here/kubelet.sh"

count=$(scaled 3700 300 300)
life=$(scaled 60000 5000 5000)
start_kubelet
start_bramble --kube.log-dir="$log_dir" --retain=60s
scrape
anon=$(anon_kb)
start_scraper "$([ -z "$SHORT" ] && echo 5000 || echo 500)"
tried "$count pods alive that the kubelet does not list"
"$tmp/bin/containers" "$cgroup2" "$mark" "$count" $((count * 4000 / life)) "$life" "$tmp/share" >"$tmp/done" ||
	fail "the containers came and went"
wait_until 40 all_shown
stop_scraper
bound_counted
bound "/healthz not answered" "$(found alive_failed)" == 0
bound_scrapes
bound_time "worst /healthz" "$(found alive_worst_ms)" "<" 1000 ms
bound "RssAnon at most, $anon kB at the start" "$(found anon_worst_kb)" "<" 65536 kB
bound "requests to the kubelet" "$(wc -l <"$kubelet/requests")" "<=" $((SECONDS / 2 + 5))
finish
