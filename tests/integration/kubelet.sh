# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# shellcheck shell=bash disable=SC2034,SC2154 # variables of lib.sh
#
# A kubelet for the integration tests: tests/kubelet/kubelet with its files in
# $kubelet. To be sourced after lib.sh.

kubelet=$tmp/kubelet
mkdir -p "$kubelet/pods"

# Where it listens; an IPv6 address is put into the URL as it is, as a manifest does.
kubelet_address=127.0.0.1

# start_kubelet: bramble will take its names from it. May be called again after stop_kubelet.
start_kubelet() {
	[ -f "$kubelet/ca.crt" ] || "$top/tests/kubelet/make-certs" "$kubelet" 2>/dev/null ||
		give_up "openssl cannot make certificates"
	[ -f "$kubelet/token" ] || random_hex 32 >"$kubelet/token"
	[ ! -f "$kubelet/port" ] || mv "$kubelet/port" "$kubelet/port.old"
	[ ! -f "$kubelet/port.old" ] || cp "$kubelet/port.old" "$kubelet/listen"
	echo "$kubelet_address" >"$kubelet/address"
	in_background "$top/tests/kubelet/kubelet" "$kubelet"
	kubelet_pid=$background_pid
	wait_until 10 test -s "$kubelet/port" || give_up "the test's kubelet does not start"
	bramble_names=(--kube.source=kubelet --kube.kubelet-url="https://$kubelet_address:$(cat "$kubelet/port")"
		--kube.token-file="$kubelet/token" --kube.ca-file="$kubelet/ca.crt")
}

stop_kubelet() {
	kill -KILL "$kubelet_pid"
	wait "$kubelet_pid" 2>/dev/null
}

# kubelet_mode MODE...: what it does from the next request on.
kubelet_mode() {
	echo "$*" >"$kubelet/mode.new"
	mv "$kubelet/mode.new" "$kubelet/mode"
}

# list_pod NAMESPACE POD UID [CONTAINER ID]... [-- JQ-FILTER]: the kubelet lists this pod from now
# on, and these starts of containers. The filter changes the pod. A container without an
# id has been specified and not started.
list_pod() {
	local namespace=$1 pod=$2 uid=$3 filter=. containers=()
	shift 3
	while [ $# -gt 0 ] && [ "$1" != -- ]; do
		containers+=("$1 ${2:-}")
		shift 2
	done
	[ $# -eq 0 ] || filter=$2
	printf '%s\n' "${containers[@]}" | jq -Rn --arg namespace "$namespace" --arg pod "$pod" --arg uid "$uid" '
		[inputs | split(" ") | {name: .[0], id: .[1]} | select(.name)] as $list |
		{metadata: {name: $pod, namespace: $namespace, uid: $uid, creationTimestamp: (now | todate)},
		 spec: {nodeName: "pi-1", containers: [$list[] | {name}]},
		 status: {phase: "Running", qosClass: "Burstable", containerStatuses: [
			$list[] | {name, image: "test/\(.name):1", state: {}, lastState: {}} +
			(if .id == "" then {} else {containerID: "containerd://\(.id)"} end)]}} |
		'"$filter" >"$kubelet/$uid.new"
	mv "$kubelet/$uid.new" "$kubelet/pods/$uid"
}

unlist_pod() { # UID
	rm -f "$kubelet/pods/$1"
}
