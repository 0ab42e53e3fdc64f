#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# Names from the kubelet: real containers in the cgroups that kubelets and runtimes make,
# and a kubelet over real TLS that lists them, fails, and comes back.
. "$(dirname "$0")/lib.sh"
. "$here/kubelet.sh"

# start_listed NAME CGROUP: starts a container that makes something to count.
start_counting() {
	start_container "$1" "$2" burst 120 500 3000
}

count_of() { # LABEL=VALUE...
	metric_or_0 bramble_cpu_wait_seconds_count "$@"
}

# is_counted LABEL=VALUE...: whether a new scrape has it.
is_counted() {
	scrape
	[ "$(count_of "$@")" != 0 ]
}

# ---- machines without Kubernetes: docker's files in a private /var/lib
docker_id=$(random_hex 64)
other_docker_id=$(random_hex 64)
mkdir -p "$tmp/var-lib/docker/containers/$docker_id"
echo "{\"ID\":\"$docker_id\",\"Name\":\"/home-assistant\"}" >"$tmp/var-lib/docker/containers/$docker_id/config.v2.json"
# shellcheck disable=SC2016 # expanded by the inner shell
bramble_prefix=(env VAR_LIB="$tmp/var-lib" unshare --mount --propagation private
	sh -c 'mount --bind "$VAR_LIB" /var/lib && exec "$@"' sh)

start_kubelet
# The first bramble also reads log directories, which one of the pods has.
bramble_names[0]=--kube.source=auto
bramble_names+=(--kube.log-dir="$log_dir")
# What runs before bramble does.
web_uid=$(new_uid)
web_id=$(random_hex 64)
sandbox_id=$(random_hex 64)
start_counting web-pause /kubepods/burstable/pod$web_uid/"$sandbox_id"
start_counting web /kubepods/burstable/pod$web_uid/"$web_id"
list_pod shop web-7d4b9c6f5-x2x8k "$web_uid" web "$web_id" -- '
	.metadata.labels = {app: "say \"hi\"\n\\", "pod-template-hash": "7d4b9c6f5"} |
	.metadata.ownerReferences = [{kind: "ReplicaSet", name: "web-7d4b9c6f5", controller: true}]'

start_bramble --retain=3s
check "a pod that was there is named" wait_until 10 is_counted namespace=shop pod=web-7d4b9c6f5-x2x8k container=web

# ---- the workload, which the kubelet alone tells: in the API where it is asked for, and in top
web2_uid=$(new_uid)
web2_id=$(random_hex 64)
list_pod shop web-7d4b9c6f5-z9z2q "$web2_uid" web "$web2_id" -- '
	.metadata.labels = {"pod-template-hash": "7d4b9c6f5"} |
	.metadata.ownerReferences = [{kind: "ReplicaSet", name: "web-7d4b9c6f5", controller: true}]'
start_counting web2 /kubepods/burstable/pod$web2_uid/"$web2_id"
check "a pod of the same Deployment is named" wait_until 10 is_counted namespace=shop pod=web-7d4b9c6f5-z9z2q container=web
# workload_in_top FLAG...: both pods are one row.
workload_in_top() {
	"$BRAMBLE" top --once --json --group=workload "$@" |
		jq -c '[.containers[] | select(.name | startswith("shop/")) | [.name, has("pod")]]' >"$tmp/shown"
	test "$(cat "$tmp/shown")" = '[["shop/web",false]]' || fail "$(cat "$tmp/shown")"
}
check "top shows the pods of a Deployment in one row" workload_in_top --socket="$tmp/bramble.sock"
check "so does one with a probe of its own" workload_in_top --socket= "${bramble_names[@]}"
api="$bramble_url/api/v1/containers"
curl -s --parallel --parallel-max 8 "$api?workload=1" -o "$tmp/told.1" "$api" -o "$tmp/plain.1" \
	"$api?workload=1" -o "$tmp/told.2" "$api?workload=0" -o "$tmp/plain.2" \
	"$api" -o "$tmp/plain.3" "$api?workload=1" -o "$tmp/told.3"
check "the API tells workloads where they are asked for" test "$(jq -c '[.containers[] | select(.namespace == "shop") |
	[.workload_kind, .workload]] | unique' "$tmp"/told.? | uniq)" = '[["Deployment","web"]]'
check "of causes, too" test "$(jq '[.containers[].cpu_wait_caused[] | select(.namespace == "shop") | .workload] |
	length == 0 or unique == ["web"]' "$tmp"/told.? | uniq)" = true
check "and else it does not" test "$(jq '[.. | objects | select(has("workload") or has("workload_kind"))] |
	length' "$tmp"/plain.? | uniq)" = 0
stop_container web2

# ---- static pods: the cgroup has the config hash. The kubelet uses it as the uid, the API does not.
etcd_hash=$(random_hex 32)
etcd_id=$(random_hex 64)
api_hash=$(random_hex 32)
api_id=$(random_hex 64)
list_pod kube-system etcd-pi-1 "$etcd_hash" etcd "$etcd_id" -- ".metadata.annotations =
	{\"kubernetes.io/config.hash\": \"$etcd_hash\", \"kubernetes.io/config.source\": \"file\"}"
list_pod kube-system kube-apiserver-pi-1 "$(new_uid)" kube-apiserver "$api_id" -- ".metadata.annotations =
	{\"kubernetes.io/config.hash\": \"$api_hash\", \"kubernetes.io/config.mirror\": \"$api_hash\",
	 \"kubernetes.io/config.source\": \"file\"}"
start_counting etcd /kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod$etcd_hash.slice/cri-containerd-"$etcd_id".scope
start_counting api /kubepods/burstable/pod$api_hash/"$api_id"

# ---- CRI-O: the container, and conmon, which belongs to the pod and to no container
crio_uid=$(new_uid)
crio_id=$(random_hex 64)
crio_slice=/kubepods.slice/kubepods-pod${crio_uid//-/_}.slice
list_pod kube-system node-agent "$crio_uid" agent "$crio_id"
start_counting conmon $crio_slice/crio-conmon-"$crio_id".scope
start_counting agent $crio_slice/crio-"$crio_id".scope/container

# ---- docker without Kubernetes, and a container that docker does not know
start_counting ha /docker/"$docker_id"
start_counting no-name /system.slice/docker-"$other_docker_id".scope

check "a static pod is named by its config hash" wait_until 10 is_counted pod=etcd-pi-1 container=etcd
check "so is one that goes by its mirror's uid" wait_until 10 is_counted pod=kube-apiserver-pi-1 container=kube-apiserver
check "CRI-O's container is named" wait_until 10 is_counted namespace=kube-system pod=node-agent container=agent
check "conmon is counted for the pod" wait_until 10 is_counted namespace=kube-system pod=node-agent container=
check "a docker container has its name" wait_until 10 is_counted container=home-assistant
check "and one without a name its short id" wait_until 10 is_counted container="${other_docker_id:0:12}"
check "these have an empty pod, and no unit" test -z "$(select_metric bramble_cpu_wait_seconds_count |
	grep -E 'home-assistant|'"${other_docker_id:0:12}" | grep -v '{namespace="",pod="",container="[^"]*"}')"
check "units have empty labels of a pod" test -z "$(grep '[{,]unit="' "$tmp/metrics" |
	grep -v '{namespace="",pod="",container="",unit="[^"]')"
check "a pod's info has an empty container" test -z "$(grep '^bramble_pod_info{' "$tmp/metrics" |
	grep -v '{namespace="[^"]*",pod="[^"]*",container="",')"

# ---- one identity: the kubelet lists pods late, or the ids of their containers
# watch TENTHS: a scrape every 100 ms, all into $tmp/watched.
watch() {
	local tenths=$1
	while ((tenths-- > 0)); do
		scrape
		cat "$tmp/metrics" >>"$tmp/watched"
		sleep 0.1
	done
}
# identities POD UID: all identities of the pod that were seen, as itself and as a cause, and its infos.
identities() {
	grep -E "pod=\"($1|$2)\"" "$tmp/watched" | grep -v _info |
		grep -oE '(by_)?namespace="[^"]*",(by_)?pod="[^"]*",(by_)?container="[^"]*"' |
		sed 's/by_//g' | grep -E ",pod=\"($1|$2)\"" | sort -u
}
infos() { grep -E "^bramble_$1_info\{.*(pod=\"$2\"|uid=\"$3\")" "$tmp/watched" | sort -u; }
late_uid=$(new_uid)
late_id=$(random_hex 64)
unlisted_uid=$(new_uid)
unlisted_id=$(random_hex 64)
logs_uid=$(new_uid)
logs_id=$(random_hex 64)
list_pod shop late-0 "$late_uid" main ""
start_counting late-pause /kubepods/burstable/pod"$late_uid"/"$(random_hex 64)"
start_counting late /kubepods/burstable/pod"$late_uid"/"$late_id"
start_counting unlisted /kubepods/burstable/pod"$unlisted_uid"/"$unlisted_id"
make_log_dir shop logs-0 "$logs_uid" main
start_counting logs /kubepods/burstable/pod"$logs_uid"/"$logs_id"
watch 15
check "what the log directories tell is shown at once" test -n "$(identities logs-0 "$logs_uid")"
check "but no info before the kubelet has told all of it" test -z "$(infos '.*' logs-0 "$logs_uid")"
check "what has no name yet is not shown" \
	test -z "$(identities late-0 "$late_uid")$(identities unlisted-0 "$unlisted_uid")"
list_pod shop late-0 "$late_uid" main "$late_id"
list_pod shop unlisted-0 "$unlisted_uid" main "$unlisted_id"
list_pod shop logs-0 "$logs_uid" main "$logs_id"
watch 25
all_are_told() {
	watch 1
	[ "$(grep -cE '^bramble_container_info\{.*pod="(late|unlisted|logs)-0"' "$tmp/metrics")" = 3 ]
}
check "the kubelet's names come with its next list" wait_until 10 all_are_told
check_holds "with what was counted before" "$(count_of pod=late-0 container=main) > 100"
watch 1
for pod in "late-0 $late_uid $late_id" "unlisted-0 $unlisted_uid $unlisted_id" "logs-0 $logs_uid $logs_id"; do
	read -r name uid id <<<"$pod"
	note "$name: $(identities "$name" "$uid")"
	check "$name never had another identity" \
		test "$(identities "$name" "$uid")" = "namespace=\"shop\",pod=\"$name\",container=\"main\""
	check_holds "nor another pod_info" "$(infos pod "$name" "$uid" | wc -l) == 1 &&
		$(infos pod "$name" "$uid" | grep -c "uid=\"$uid\".*qos=\"burstable\",node=\"pi-1\"") == 1"
	check_holds "nor another container_info" "$(infos container "$name" "$uid" | wc -l) == 1 &&
		$(infos container "$name" "$uid" | grep -c "container_id=\"$id\",image=\"test/main:1\"") == 1"
done

# ---- labels that change: one series ends and another begins
list_pod shop late-0 "$late_uid" main "$late_id" -- '.metadata.labels = {app: "second"}'
second_begins() {
	watch 1
	[ "$(grep -c '^bramble_pod_info{.*pod="late-0"' "$tmp/metrics")" = 1 ] || fail "not one pod_info"
	grep -q '^bramble_pod_info{.*pod="late-0".*label_app="second"' "$tmp/metrics"
}
new_pod() { # NAME: a pod that makes bramble ask
	local uid id
	uid=$(new_uid)
	id=$(random_hex 64)
	pod_uid[$1]=$uid
	list_pod shop "$1" "$uid" main "$id"
	start_counting "$1" /kubepods/burstable/pod"$uid"/"$id"
}
new_pod asks-0
check "a pod's new label replaces its old info" wait_until 10 second_begins
stop_container asks-0

# ---- a restart: another id, the same series, which goes on
stop_container late
scrape
before=$(count_of pod=late-0 container=main)
late_id2=$(random_hex 64)
list_pod shop late-0 "$late_uid" main "$late_id2" -- "
	.status.containerStatuses[0].lastState = {terminated: {containerID: \"containerd://$late_id\"}}"
start_counting late /kubepods/burstable/pod"$late_uid"/"$late_id2"
has_grown() {
	is_counted pod=late-0 container=main && awk "BEGIN { exit !($(count_of pod=late-0 container=main) > $before + 50) }"
}
check "a restarted container goes on in its series" wait_until 10 has_grown
check_holds "which is one" "$(select_metric bramble_cpu_wait_seconds_count pod=late-0 container=main | wc -l) == 1"
check_holds "its info has the last start's id alone" \
	"$(select_metric bramble_container_info pod=late-0 | wc -l) == 1 && \
	$(select_metric bramble_container_info pod=late-0 container=main container_id="$late_id2" | wc -l) == 1"

# ---- the same name with another uid
stop_container late
unlist_pod "$late_uid"
new_late_uid=$(new_uid)
late_id3=$(random_hex 64)
list_pod shop late-0 "$new_late_uid" main "$late_id3"
start_counting late /kubepods/burstable/pod"$new_late_uid"/"$late_id3"
has_new_uid() {
	scrape
	[ -n "$(metric bramble_pod_info pod=late-0 uid="$new_late_uid")" ]
}
check "a pod made anew has its own info" wait_until 10 has_new_uid
check_holds "and there is one info for a name" "$(select_metric bramble_pod_info pod=late-0 | wc -l) == 1"

# ---- what is known of a pod
check_holds "info has workload, QoS and node" "$(metric_or_0 bramble_pod_info namespace=shop \
	pod=web-7d4b9c6f5-x2x8k uid="$web_uid" workload_kind=Deployment workload=web qos=burstable node=pi-1) == 1"
check "a label's value is escaped" grep -qF 'label_app="say \"hi\"\n\\"' "$tmp/metrics"
check_holds "info has the image" "$(metric_or_0 bramble_container_info pod=web-7d4b9c6f5-x2x8k \
	container=web container_id="$web_id" image=test/web:1) == 1"
check "promtool takes it all" promtool check metrics <"$tmp/metrics"

# ---- the kubelet fails: counting goes on, one message says so, and the names come back
kubelet_mode status 403
has_failed() { # REASON
	scrape
	awk "BEGIN { exit !($(metric_or_0 bramble_kube_errors_total reason="$1") > 0) }"
}
new_pod first-0
check "403 is counted" wait_until 10 has_failed forbidden
check "and says which rule is missing" grep -q 'nodes/pods.*nodes/proxy' "$bramble_log"
before=$(count_of pod=etcd-pi-1)
stop_kubelet
check "a kubelet that is down is counted" wait_until 20 has_failed connect
check "the pod it has not told of goes by its uid after a while" wait_until 20 is_counted pod="${pod_uid[first-0]}"
check_holds "counting goes on" "$(count_of pod=etcd-pi-1) > $before"
kubelet_mode ok
start_kubelet
check "it recovers by itself" wait_until 30 is_counted namespace=shop pod=first-0 container=main
check_holds "one line for each cause" "$(grep -c 'cannot read the pods' "$bramble_log") <= 3"
check_holds "the last success is known" "$(metric bramble_kube_last_success_timestamp_seconds) > $(date +%s) - 60"

# ---- the sandbox: held back until the kubelet has listed all others, and then known
sandbox_is_hidden() {
	scrape
	[ -z "$(select_metric bramble_cpu_wait_seconds_count pod=web-7d4b9c6f5-x2x8k | grep -v container=\"web\")" ]
}
check "a pod's sandbox is not shown" sandbox_is_hidden
check "nothing of it is" test -z "$(grep 'container="POD"' "$tmp/metrics" | grep -v by_)"

# ---- what has ended stays for --retain, and for at least one scrape
ended=$(count_of pod=first-0 container=main)
stop_container first-0
sleep 5
scrape
check_holds "the last counts of what has ended are in the next scrape, however late" \
	"$(count_of pod=first-0 container=main) >= $ended"
is_gone() {
	scrape
	[ -z "$(metric bramble_cpu_wait_seconds_count pod=first-0)" ]
}
check "and then they go" wait_until 10 is_gone
stop_bramble

# ---- the sandbox shown on demand
start_bramble --kube.sandbox
check "--kube.sandbox shows it" wait_until 10 is_counted pod=web-7d4b9c6f5-x2x8k container=POD
stop_bramble

# ---- a node whose first address is IPv6, as the manifest writes it: https://::1:PORT
stop_kubelet
kubelet_address=::1
start_kubelet
start_bramble
check "over IPv6 pods are named" wait_until 10 is_counted namespace=shop pod=web-7d4b9c6f5-x2x8k container=web
stop_bramble

# ---- check asks it, too, and says what serve does
# check_says WORDS: what check says about the kubelet, in one line. Whether the probe can run does not matter.
check_says() {
	"$BRAMBLE" check "${bramble_names[@]}" --json |
		jq -r '.facts[] | select(.name == "kubelet") | "\(.state) \(.detail) \(.remedy)"' >"$tmp/said"
	grep -qE "$1" "$tmp/said" || {
		cat "$tmp/said"
		return 1
	}
}
check "check reads the kubelet" check_says '^present [0-9]+ pods at https://\[::1\]:'
kubelet_mode status 401
check "401: the API server may be away" check_says '^missing .*status 401 .*cannot ask the API server'
kubelet_mode status 403
check "403: the rule" check_says '^missing .*status 403 .*nodes/pods.*rbac.yaml'
stop_kubelet
check "none that listens" check_says '^missing .*https://\[::1\]:.*connect.* is --kube.kubelet-url'
bramble_names+=(--kube.kubelet-url=https://fd00::5::6:10250)
"$BRAMBLE" check "${bramble_names[@]}" >"$tmp/said" 2>&1
check "an address that is none is wrong usage" test $? = 2
finish
