#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# An upgrade of the DaemonSet: one bramble goes, another comes. No two of them count the node, and Prometheus
# sees counters that begin anew.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../latest.sh"
. "$here/verdicts.sh"
. "$here/node.sh"

prometheus=$(field pod prometheus '{.status.podIP}' monitoring)
number() { curl -sf --max-time 5 --data-urlencode "query=$1" "http://$prometheus:9090/api/v1/query" | jq -r '.data.result[0].value[1] // empty'; }
both=$(observed .both)
unanswered=$(observed .unanswered)
processes=$(observed .processes)
before=$(bramble_pod)
# Not by what was scraped before the power failed: Prometheus failed, too, and shows that for 5 minutes.
follows() {
	[ "$(number 'count(timestamp(up{job="bramble"}) > time() - 12)')" = 1 ] &&
		[ "$(number "up{pod=\"$(bramble_pod)\"} and timestamp(up) > time() - 12")" = 1 ]
}
is_observed() { [ "$(observed .processes)" -gt "$processes" ]; }

# Switches of all that is named, and the age of who counted them.
reading() {
	metrics >"$now" || give_up "bramble answers"
	switches=$(value "$now" 'bramble_cpu_context_switches_total{namespace="kube-system"')
	age=$(awk "BEGIN { print $(date +%s) - $(value "$now" process_start_time_seconds) + 1 }")
}

reading
was=$switches old=$age
k rollout restart -n bramble daemonset/bramble
k rollout status -n bramble daemonset/bramble --timeout=60s || give_up "the DaemonSet is rolled out"
wait_until 20 is_observed
check "another pod took its place" [ "$(bramble_pod)" != "$before" ]
check "one process of bramble is there" [ "$(pids_of_bramble | wc -l)" = 1 ]
check_holds "at no second two of them answered" "$(observed .both) == $both"
check_holds "none answered for less than 30 s" "$(observed .unanswered) - $unanswered < 30"
row "upgrade" "none answers for $(($(observed .unanswered) - unanswered)) s, two for $(($(observed .both) - both)) s"
reading
check_holds "its counters begin anew: they are what its age allows" "$switches > 0 && $switches / $age < 3 * $was / $old"
check "Prometheus scrapes the new one alone" wait_until 90 follows
sleep 12 # two scrapes
rate=$(number 'sum(rate(bramble_cpu_usage_seconds_total{namespace!=""}[1m]))')
check_holds "the rate across it is one of a node with $(nproc) CPUs" "$rate > 0 && $rate <= $(nproc) * 1.1"
row "counters across it" "switches of the control plane: $was in $old s, then $switches in $age s; CPU in use by Prometheus $(printf %.2f "$rate") of $(nproc)"
verdicts
finish
