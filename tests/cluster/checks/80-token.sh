#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# With CLUSTER_LONG=1: bramble's token is changed while it runs, and the old one expires. The shortest life of a
# token is 10 minutes. The kubelet changes it after 8. The API server takes the old one for a minute longer, as clocks
# may differ, and the kubelet remembers that it was good for 10 s. So this takes 12 minutes.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../latest.sh"

if [ -z "${CLUSTER_LONG:-}" ]; then
	echo "SKIP cluster token: a token lives for 10 minutes at least; CLUSTER_LONG=1 waits for that"
	exit 0
fi

token() { cat "/var/lib/kubelet/pods/$uid/volumes/kubernetes.io~projected/kubelet-access/token"; }
is_changed() { [ "$(token)" != "$old" ]; }
# The kubelet, asked with a token: the HTTP status
asked_with() {
	curl -s -o /dev/null -w '%{http_code}' --cacert "$node/pki/ca.crt" -H "Authorization: Bearer $1" "https://$address:10250/pods"
}
is_refused() { [ "$(asked_with "$old")" = 401 ]; }
succeeded_after() { [ "$(get bramble_kube_last_success_timestamp_seconds | cut -d . -f 1)" -gt "$1" ]; }

pod=$(bramble_pod)
k patch daemonset bramble -n bramble --type=json -p '[{"op": "replace", "value": 600,
	"path": "/spec/template/spec/volumes/'"$(field daemonset bramble '{.spec.template.spec.volumes[*].name}' bramble |
	tr ' ' '\n' | grep -nx kubelet-access | awk -F: '{ print $1 - 1 }')"'/projected/sources/0/serviceAccountToken/expirationSeconds"}]'
k rollout status -n bramble daemonset/bramble --timeout=60s || give_up "bramble takes a token of 10 minutes"
check "another pod took its place" [ "$(bramble_pod)" != "$pod" ]
uid=$(field pod "$(bramble_pod)" '{.metadata.uid}' bramble)
old=$(token)
begin=$SECONDS
wait_until 600 is_changed
check "the kubelet changes the token" is_changed
row "token" "changed after $((SECONDS - begin)) s"
wait_until 300 is_refused
check "the kubelet refuses the old one" is_refused
at=$(date +%s)
wait_until 90 succeeded_after "$at"
check "bramble asks with the new one" succeeded_after "$at"
check_holds "none of its questions has failed" "$(value "$now" bramble_kube_errors_total) == 0"
row "token" "the old one is refused after $((SECONDS - begin)) s; failed questions: $(value "$now" bramble_kube_errors_total)"
finish
