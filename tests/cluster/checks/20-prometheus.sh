#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# A Prometheus in the cluster finds bramble through the API server and scrapes it, with the job in
# deploy/prometheus/job.yaml as it is.
. "$(dirname "$0")/../lib.sh"

# query EXPRESSION: the answer as JSON
query() { curl -sf --max-time 5 --data-urlencode "query=$1" "http://$prometheus:9090/api/v1/query"; }
number() { query "$1" | jq -r '.data.result[0].value[1] // empty'; }
is_scraped() { [ "$(number 'up{job="bramble"}')" = 1 ]; }
has_started() { prometheus=$(field pod prometheus '{.status.podIP}' monitoring) && is_scraped; }

# Containers that run, by the API server and by Prometheus.
by_api() {
	k get pods -A -o json | jq -r '.items[] | .metadata as $m | .status.containerStatuses[]? | select(.state.running) |
		"\($m.namespace)/\($m.name)/\(.name)"' | sort
}
by_prometheus() {
	query 'count by (namespace, pod, container) (bramble_container_info{namespace!=""})' |
		jq -r '.data.result[].metric | "\(.namespace)/\(.pod)/\(.container)"' | sort
}
agree() { [ "$(by_api)" = "$(by_prometheus)" ]; }

k create namespace monitoring
{
	printf 'global: {scrape_interval: 5s}\n'
	cat "$top/deploy/prometheus/job.yaml"
} >"$node/prometheus.yml"
k create configmap prometheus -n monitoring --from-file="$node/prometheus.yml"
k apply -f "$here/objects/prometheus.yaml"
wait_until 60 has_started || { k describe pods -n monitoring; k logs -n monitoring prometheus | tail; give_up "Prometheus scrapes it"; }
pass "Prometheus finds it through the API server, and scrapes it"
wait_until 20 agree
check "Prometheus has the containers that the API server lists" agree
[ "$(by_api)" = "$(by_prometheus)" ] || diff <(by_api) <(by_prometheus)
check "no label of a series gave way to one of the target's" \
	[ "$(number 'count({__name__=~"bramble_.+", exported_pod=~".+"}) or vector(0)')" = 0 ]
check "what is about the node has the node's name" [ "$(number 'count(bramble_node_load1{node="node1"})')" = 1 ]
row "containers in Prometheus" "$(by_prometheus | wc -l), those that the API server lists; $(number 'scrape_samples_scraped{job="bramble"}') samples a scrape, in $(number 'avg_over_time(scrape_duration_seconds{job="bramble"}[1m])' | cut -c 1-6) s"
finish
