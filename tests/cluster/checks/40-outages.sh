#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# The kubelet is restarted, the API server is away for half a minute, and the power fails. Names stay, and what
# starts meanwhile is named.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../latest.sh"
. "$here/verdicts.sh"
. "$here/node.sh"

succeeded_after() { # UNIX_SECONDS: the kubelet has told its pods since then
	[ "$(get bramble_kube_last_success_timestamp_seconds | cut -d . -f 1)" -gt "$1" ]
}
restarts() { field pod "$(bramble_pod)" '{.status.containerStatuses[0].restartCount}' bramble; }
complete() { [ "$(observed '.incomplete | length')" = 0 ]; }
has_container() { grep -q "^bramble_container_info{namespace=\"work\",pod=\"$1\"" "$now"; }
new_is_named() { curl -sf --max-time 5 "http://$target:9810/metrics" >"$now" && has_container "$1"; }

kubelet_restart() {
	local before at
	before=$(restarts)
	stop_kubelet || give_up "the kubelet stops"
	sleep 5
	at=$(date +%s)
	start_kubelet
	wait_until 60 succeeded_after "$at"
	check "after a restart of the kubelet it is asked again" succeeded_after "$at"
	row "kubelet restart" "asked again $(($(date +%s) - at)) s after its start"
	wait_until 30 complete
	check "every pod still has its info" complete
	check "bramble was not restarted for that" [ "$(restarts)" = "$before" ]
}

# The kubelet trusts no token then: its cache is 10 s.
api_outage() {
	local errors before at
	before=$(restarts)
	target=$(bramble_address)
	errors=$(get bramble_kube_errors_total)
	mv "$node/manifests/kube-apiserver.yaml" "$node/"
	wait_until 30 eval '! k get --raw /readyz'
	at=$SECONDS
	sed 's/static/during-outage/' "$node/manifests/static.yaml" >"$node/manifests/during-outage.yaml"
	wait_until 45 new_is_named during-outage-node1
	check "a pod that starts while the API server is away is named" has_container during-outage-node1
	row "API server away" "a new static pod has its name $((SECONDS - at)) s after its manifest"
	((SECONDS - at >= 30)) || sleep $((30 - SECONDS + at))
	curl -sf --max-time 5 "http://$target:9810/metrics" >"$now"
	check_holds "meanwhile the kubelet's refusals are counted" "$(value "$now" bramble_kube_errors_total) > $errors"
	check "and names stay" has_container static-node1
	mv "$node/kube-apiserver.yaml" "$node/manifests/"
	wait_until 60 k get --raw /readyz || give_up "the API server comes back"
	at=$(date +%s)
	wait_until 90 succeeded_after "$at"
	check "when the API server is back, the kubelet is asked again" succeeded_after "$at"
	check "bramble was not restarted for that" [ "$(restarts)" = "$before" ]
	wait_until 40 complete
	check "and every pod has its info" complete
}

node_restart() {
	local at=$SECONDS processes
	processes=$(observed .processes)
	node_down || give_up "the node ends"
	node_up || give_up "the node starts"
	wait_until 120 bramble_is_anew || { k get pods -A; give_up "bramble is Ready after the power failed"; }
	pass "bramble is Ready after the power failed"
	row "node restart" "bramble answers $((SECONDS - at)) s after the power failed"
	wait_until 60 complete
	check "every pod has its info again" complete
	check "one bramble came, no more" [ "$(observed .processes)" = $((processes + 1)) ]
}
bramble_is_anew() { k get --raw /readyz && bramble_is_ready && metrics && [ "$(observed .processes)" -gt "$processes" ]; }

kubelet_restart
api_outage
node_restart
verdicts
finish
