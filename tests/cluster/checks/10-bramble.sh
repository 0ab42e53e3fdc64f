#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# deploy/kubernetes as it is shipped, and the image that `make image` makes: bramble becomes Ready, has the privileges that the manifest names and no more, and the kubelet answers it.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../latest.sh"
. "$here/node.sh"

# capabilities WHICH: those of the process, in the manifest's words
capabilities() {
	capsh --decode="$(sed -n "s/^$1:\t//p" "/proc/$pid/status")" | sed 's/.*=//; s/cap_//g' | tr ',a-z' '\nA-Z' |
		sort | tr '\n' ' '
}

asked_for() {
	field daemonset bramble '{.spec.template.spec.containers[0].securityContext.capabilities.add[*]}' bramble |
		tr ' ' '\n' | sort | tr '\n' ' '
}

has_asked_kubelet() { [ "$(get bramble_kube_pods)" -ge 5 ]; }

begin=$(date +%s.%N)
k apply -k "$top/deploy/kubernetes" || give_up "kubectl apply -k deploy/kubernetes"
wait_until 60 bramble_is_ready || { k describe pods -n bramble; k logs -n bramble ds/bramble; give_up "bramble is Ready"; }
ready=$(date +%s.%N)
took=$(awk "BEGIN { printf \"%.1f\", $ready - $begin }")
pass "bramble is Ready, $took s after kubectl apply"
row "bramble is Ready" "$took s after \`kubectl apply -k\`"

pid=$(pids_of_bramble)
check "its process may have the capabilities that the manifest names, and no others" \
	[ "$(capabilities CapBnd)" = "$(asked_for)" ]
check "SYS_RESOURCE is not among them" grep -qvw SYS_RESOURCE <<<"$(asked_for)"
row "capabilities" "may have $(capabilities CapBnd | sed 's/ $//; s/ /, /g'); keeps $(capabilities CapEff | sed 's/ $//; s/ /, /g' | grep . || echo none)"
wait_until 20 has_asked_kubelet || k logs -n bramble ds/bramble
check "the kubelet tells it its pods, with the shipped rules alone" has_asked_kubelet
check_holds "no question to the kubelet has failed" "$(value "$now" bramble_kube_errors_total) == 0"
check "every probe is up" [ "$(grep -c '^bramble_probe_up{.*} 1$' "$now")" = "$(grep -c '^bramble_probe_up{' "$now")" ]
check "it has not been restarted" [ "$(field pod "$(bramble_pod)" '{.status.containerStatuses[0].restartCount}' bramble)" = 0 ]
finish
