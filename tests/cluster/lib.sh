# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# shellcheck shell=bash disable=SC2034 # variables that others use
#
# What the scripts of the cluster test share: where things are, verdicts, and questions to the node. A check
# sources this file and ends with `finish`.
set -uo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$here/../.." && pwd)
test_name=$(basename "$0" .sh)
test_name=${test_name#*-}

out=$top/build/cluster		     # logs, tables, what was seen
cache=${CLUSTER_CACHE:-$out/cache} # downloads and programs
images=$out/images
node=$out/node		  # the node's disk: gone when the test ends
cgroup=bramble-cluster	  # in every hierarchy
address=10.240.0.1	  # of the node, in its own network namespace

export PATH=$cache/debs/usr/bin:$cache/debs/usr/sbin:$PATH

# ---------------------------------------------------------------- verdicts

stage=cluster
# shellcheck source=tests/checks.sh
. "$top/tests/checks.sh"

# row WHAT FOUND: a row of the table at the end.
row() { echo "$test_name|$1|$2" >>"$out/rows"; }

# wait_until SECONDS COMMAND...: tries five times a second.
wait_until() {
	local end=$((SECONDS + $1))
	shift
	while ((SECONDS < end)); do
		"$@" >/dev/null 2>&1 && return 0
		sleep 0.2
	done
	return 1
}

# ---------------------------------------------------------------- the node

# As the cluster's administrator. The machine's own configuration of kubectl is of no matter.
k() { kubectl --kubeconfig="$node/admin.conf" --cache-dir="$node/kubectl-cache" --request-timeout=20s "$@"; }

# object KIND NAME JSONPATH [NAMESPACE]
field() { k get "$1" "$2" -n "${4:-default}" -o "jsonpath=$3"; }

# bramble's pod: the one that does not end.
bramble_pod() {
	k get pods -n bramble -l app.kubernetes.io/name=bramble -o json |
		jq -r '[.items[] | select(.metadata.deletionTimestamp == null)][0].metadata.name // empty'
}

bramble_address() { field pod "$(bramble_pod)" '{.status.podIP}' bramble; }

metrics() { curl -sf --max-time 5 "http://$(bramble_address):9810/metrics"; }

# value METRICS SERIES: the sum of what begins with SERIES, a fixed string; nothing if nothing does.
value() {
	awk -v series="$2" 'index($0, series) == 1 { sum += $NF; found = 1 } END { if (found) printf "%.15g\n", sum }' "$1"
}

bramble_is_ready() { # the one that does not end
	[ "$(field pod "$(bramble_pod)" '{.status.conditions[?(@.type=="Ready")].status}' bramble)" = True ]
}

# observed FILTER: what tests/cluster/observe says of all scrapes until now, by a filter of jq.
observed() { jq -r "$1" "$out/observed.json"; }
