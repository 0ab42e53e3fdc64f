#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# Every kind of workload, and what makes names difficult: init and ephemeral containers, crash loops, pods of
# 100 ms, pods made anew under their old names. What bramble calls them is compared with what the API server
# lists (tests/cluster/observe): as sets, at every second since bramble began, and no series twice.
. "$(dirname "$0")/../lib.sh"
. "$here/verdicts.sh"

quick=10 # so many pods of 100 ms

quick_pods() {
	local i
	for ((i = 0; i < quick; i++)); do
		sed "s/@N@/$i/" <<-'END'
			---
			apiVersion: v1
			kind: Pod
			metadata: {name: quick-@N@, namespace: work, labels: {quick: "yes"}}
			spec:
			  restartPolicy: Never
			  containers: [{name: quick, image: "cluster.test/work:1", command: [spin, "0.1"]}]
		END
	done | k apply -f - >/dev/null
}

static_pod() {
	cat >"$node/manifests/static.yaml" <<-'END'
		apiVersion: v1
		kind: Pod
		metadata: {name: static, namespace: work}
		spec:
		  terminationGracePeriodSeconds: 0
		  containers:
		    - {name: static, image: "cluster.test/work:1", command: [sh, -c, "while :; do spin 0.02; sleep 0.2; done"]}
	END
}

# As kubectl debug does: a container more in a pod that runs.
ephemeral_container() {
	local pod
	pod=$(k get pods -n work -l app=web -o jsonpath='{.items[0].metadata.name}')
	k debug -n work "$pod" --image=cluster.test/work:1 --container=debugger -- sh -c 'while :; do spin 0.02; sleep 0.2; done'
}

# Twice under the same name, at once.
recreate() {
	local i
	for i in 1 2; do
		k delete pod -n work alone db-0 --now
		k apply -f "$here/objects/workloads.yaml" >/dev/null
	done
}

# All 8 that are to stay. The one that crashes is never ready.
all_run() {
	k get pods -n work -o json | jq -e '
		[.items[] | select(.metadata.labels.quick != "yes" and .metadata.name != "crashes" and
			.metadata.ownerReferences[0].kind != "Job")]
		| length == 8 and all(.[]; .metadata.deletionTimestamp == null and .status.phase == "Running" and
			all(.status.containerStatuses[]; .ready))'
}
quick_are_done() { [ "$(k get pods -n work -l quick=yes -o json | jq '[.items[] | select(.status.phase == "Succeeded")] | length')" = "$quick" ]; }
has_restarted() { [ "$(field pod crashes '{.status.containerStatuses[?(@.name=="crashes")].restartCount}' work)" -ge 2 ]; }
jobs_are_done() {
	k get jobs -n work -o json | jq -e '[.items[] | select(.status.succeeded // 0 >= 1)] |
		any(.[]; .metadata.name == "import" and .status.succeeded == 4) and
		any(.[]; .metadata.name | startswith("report-"))'
}
count() { observed ".$1 | length"; } # KIND
names_are_complete() { [ "$(observed '[.missing, .incomplete, .strangers, .wrong] | flatten | length')" = 0 ]; }

k create namespace work
k apply -f "$here/objects/workloads.yaml" || give_up "the workloads are taken"
static_pod
wait_until 90 all_run || { k get pods -n work; give_up "the workloads run"; }
ephemeral_container
quick_pods
wait_until 60 quick_are_done || give_up "the pods of 100 ms end"
recreate
wait_until 60 all_run || { k get pods -n work; give_up "the workloads run again"; }
wait_until 90 has_restarted || give_up "a container crashes and is restarted"
wait_until 90 jobs_are_done || { k get jobs -n work; give_up "the jobs are done"; }
pass "workloads of these owners have run: $(observed '.workloads | map(select(. != "")) | join(", ")')"
wait_until 40 names_are_complete
never "every container that has run is in a scrape" missing
never "every pod and container that runs has its info, with its owner, QoS, node, uid and id" incomplete
verdicts
row "containers" "$(count started) have run by the API server, $(count seen) are in the scrapes; missing: $(count missing)"
finish
