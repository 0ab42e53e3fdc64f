#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# The kubelet's certificate as MicroK8s and kubeadm have it, and the overlays for these: bramble refuses such a
# kubelet as long as it is deployed for another one, and is answered with the overlay alone.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../latest.sh"
. "$here/verdicts.sh"
. "$here/node.sh"

kubelet_answers() { [ "$(curl -sk -o /dev/null -w '%{http_code}' "https://$address:10250/pods")" = 401 ]; }
is_refused() { [ "$(get 'bramble_kube_errors_total{reason="tls"}')" -gt "$1" ]; }
is_answered() { [ "$(get bramble_kube_pods)" -ge 5 ]; }

# kubelet_with WHAT: another certificate for the kubelet, by its configuration, which bramble does not take
kubelet_with() {
	local before
	before=$(get 'bramble_kube_errors_total{reason="tls"}')
	stop_kubelet || give_up "the kubelet stops"
	start_kubelet
	wait_until 60 kubelet_answers || give_up "the kubelet answers with $1"
	check "$1: deployed for another kubelet, bramble refuses it" wait_until 90 is_refused "${before:-0}"
}

# overlay NAME: what is deployed becomes this overlay, and the kubelet answers it.
overlay() {
	local text begin=$SECONDS
	k apply -k "$top/deploy/kubernetes/overlays/$1" || give_up "kubectl apply -k overlays/$1"
	k rollout status -n bramble daemonset/bramble --timeout=90s || give_up "the overlay $1 is rolled out"
	wait_until 30 is_answered
	check "with the overlay $1 the kubelet answers" is_answered
	check_holds "and none of its questions has failed" "$(value "$now" bramble_kube_errors_total) == 0"
	text=$(k exec -n bramble ds/bramble -- bramble check)
	check "and bramble check in the pod says so" grep -qE '^ *ok +kubelet ' <<<"$text"
	grep -A 1 kubelet <<<"$text"
	row "overlay $1" "the kubelet answers $((SECONDS - begin)) s after \`kubectl apply -k\`; failed questions: $(value "$now" bramble_kube_errors_total)"
}

# MicroK8s: the cluster's CA has signed it, with an address that the node had once.
kubelet_config=$node/kubelet-moved.yaml
sed 's,kubelet-serving,kubelet-moved,' "$node/kubelet.yaml" >"$kubelet_config"
kubelet_with "a certificate with an old address"
overlay microk8s
# kubeadm: without one the kubelet makes its own, and leaves it in /var/lib/kubelet/pki.
kubelet_config=$node/kubelet-own.yaml
sed '/^tls/d' "$node/kubelet.yaml" >"$kubelet_config"
kubelet_with "a certificate that the kubelet has signed"
check "it is where the overlay says" test -s /var/lib/kubelet/pki/kubelet.crt
overlay kubeadm
verdicts
finish
