#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# The configurations in deploy/prometheus, with the labels that targets have in a cluster. Every
# series must keep its own labels, units must get none from bramble's pod, and the queries of the
# README must answer for all pods. With the installed Prometheus and with a newer one.
. "$(dirname "$0")/lib.sh"
. "$here/kubelet.sh"
. "$here/prometheus.sh"
find_prometheus_3

start_kubelet
start_pod shop web-0 web taskset 1 burst 60 3000 4000
start_pod crypto hog-0 miner taskset 1 spin 60
list_set() { # NAMESPACE POD CONTAINER: as the pod of a StatefulSet
	list_pod "$1" "$2" "${pod_uid[$2]}" "$3" "$(basename "${container_cgroup[$2]}")" -- \
		'.metadata.ownerReferences = [{kind: "StatefulSet", name: (.metadata.name | rtrimstr("-0")), controller: true}]'
}
list_set shop web-0 web
list_set crypto hog-0 miner
plain_id=$(random_hex 64)
start_container plain "/docker/$plain_id" burst 60 500 3000
start_bramble

port=${bramble_url##*:}
in_background "$here/cluster.py" serve "$port" "$tmp/api-port"
wait_until 10 test -s "$tmp/api-port" || give_up "the test's API server does not start"
api=http://127.0.0.1:$(cat "$tmp/api-port")
"$here/cluster.py" config "$port" "$api" >"$tmp/installed.yml" || give_up "deploy/prometheus cannot be read"
start_prometheus installed prometheus
servers=installed
if [ -n "$prometheus_3" ]; then
	"$here/cluster.py" config "$port" "$api" discovery >"$tmp/newer.yml"
	start_prometheus newer "$prometheus_3"
	servers+=' newer'
fi

# The queries in the README, with a window that is open already, and more than the five that are
# most on this machine.
sed -n '/^```promql$/,/^```$/{/^```/d;/^#/d;p}' "$top/README.md" |
	sed 's/\[5m\]/[10s]/; s/topk(5,/topk(1000,/' | grep . >"$tmp/queries"
check_holds "the README has three queries" "$(wc -l <"$tmp/queries") == 3"

# of_job JOB QUERY: the query for the series of one job.
of_job() { sed -E "s/bramble_[a-z0-9_]+/&{job=\"$1\"}/g" <<<"$2" | sed 's/}{/,/g'; }

# answer SERVER JOB QUERY: the labels of what it answers, a sorted object a line.
answer() { query "$1" "$(of_job "$2" "$3")" | jq -cS '.data.result[] | select(.value[1] != "NaN") | .metric'; }
has_pods() { # SERVER JOB QUERY: both pods are in the answer, by their own names
	answer "$@" >"$tmp/answer"
	grep -q '"namespace":"shop","pod":"web-0"' "$tmp/answer" && grep -q '"namespace":"crypto","pod":"hog-0"' "$tmp/answer"
}
count_of() { # SERVER JOB SELECTOR: series; 0 for none
	local count
	count=$(first_value "$1" "count({job=\"$2\",$3})")
	echo "${count:-0}"
}
labels_of() { # SERVER JOB: the names of all labels of its series
	curl -sfG --data-urlencode "match[]={job=\"$2\"}" "${prometheus_url[$1]}/api/v1/labels" | jq -r '.data[]'
}

check_job() { # SERVER JOB
	local server=$1 job=$2 what="$1, $2" node pod who_waits
	who_waits=$(sed -n 1p "$tmp/queries")
	wait_until 30 has_pods "$server" "$job" "$who_waits" || query "$server" "$(of_job "$job" "$who_waits")"
	check "$what: who waits: every pod by its own name" has_pods "$server" "$job" "$who_waits"
	check "$what: and not bramble's" test -z "$(grep -E '"(namespace|pod)":"bramble' "$tmp/answer")"
	check "$what: how bad it gets: the same" has_pods "$server" "$job" "$(sed -n 2p "$tmp/queries")"
	answer "$server" "$job" "$(sed -n 3p "$tmp/queries")" >"$tmp/answer"
	check "$what: because of whom" grep -q \
		'"by_namespace":"crypto","by_pod":"hog-0","namespace":"shop","pod":"web-0"' "$tmp/answer"
	check "$what: no label was renamed" test -z "$(labels_of "$server" "$job" | grep '^exported_')"
	check_holds "$what: units have no pod, namespace or container" "$(count_of "$server" "$job" 'unit!=""') > 5 &&
		$(count_of "$server" "$job" 'unit!="",namespace!=""') == 0 && $(count_of "$server" "$job" 'unit!="",pod!=""') == 0 &&
		$(count_of "$server" "$job" 'unit!="",container!=""') == 0"
	check_holds "$what: nor has a container outside of Kubernetes a pod" \
		"$(count_of "$server" "$job" "container=\"${plain_id:0:12}\"") > 5 &&
		$(count_of "$server" "$job" "container=\"${plain_id:0:12}\",pod!=\"\"") == 0"
	answer "$server" "$job" 'bramble_cpu_wait_seconds_count * on (namespace, pod, container) group_left (image)
		kube_pod_container_info' >"$tmp/answer"
	check_holds "$what: containers join with those of kube-state-metrics" "$(wc -l <"$tmp/answer") == 2"
	answer "$server" "$job" 'sum by (namespace, workload) (
		rate(bramble_cpu_wait_seconds_sum[10s]) * on (namespace, pod) group_left (workload) bramble_pod_info)' >"$tmp/answer"
	check_holds "$what: and with the pods' own info" "$(grep -c '"workload":"\(web\|hog\)"' "$tmp/answer") == 2"
	node=$(answer "$server" "$job" bramble_pod_info | jq -r 'select(.pod == "web-0") | .node + "," + (.container // "none")')
	check "$what: a pod's info has its own node and no container: $node" test "$node" = pi-1,none
	pod=$(answer "$server" "$job" bramble_node_load1 | jq -r '.node + "," + .namespace + "," + .pod')
	check "$what: what is the node's is known by the target's labels: $pod" test "$pod" = pi-1,bramble,bramble-x7k2p
	check "$what: each sample is there once" test -z "$(grep -c 'duplicate\|out of order' "$tmp/$server.log" | grep -v '^0$')"
}

for server in $servers; do
	for job in annotations job podmonitor servicemonitor; do
		check_job "$server" "$job"
	done
	# Without honor_labels this must fail, or the test above would prove nothing.
	check_holds "$server, without honor_labels all is of bramble's pod" \
		"$(count_of "$server" without-honor-labels 'exported_pod="web-0",pod="bramble-x7k2p"') > 5 &&
		$(count_of "$server" without-honor-labels 'pod="web-0"') == 0"
	curl -sf "${prometheus_url[$server]}/api/v1/targets?state=active" |
		jq -r '.data.activeTargets[] | .labels.job + " " + .scrapeUrl' | sort >"$tmp/targets"
	for job in annotations job podmonitor servicemonitor; do
		check "$server, $job: these targets, by IPv4 and IPv6, and no other" \
			diff <(sed -n "s/^$job //p" "$tmp/targets") <(echo "http://127.0.0.1:$port/metrics"; echo "http://[fd00::5]:$port/metrics")
	done
done
if [ -n "$prometheus_3" ]; then
	check_job newer api-annotations
	check_job newer api-job
fi
finish
