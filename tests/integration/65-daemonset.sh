#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# bramble in a container with exactly what deploy/kubernetes/base/daemonset.yaml gives it: the same flags,
# capabilities and mounts, a read-only root file system, and the host's pid namespace. It also has
# the host's network, so that this test can reach it.
. "$(dirname "$0")/lib.sh"
. "$here/kubelet.sh"

manifest=$top/deploy/kubernetes/base/daemonset.yaml
port=$(free_port)

# What stands in the manifest, without its comments.
lines() { sed 's/ *#.*//' "$manifest"; }
args=$(lines | sed -n 's/^ *- \(--.*\|serve\)$/\1/p')
wanted=$(lines | sed -n '/^ *add:/,/^ *seccompProfile:/s/^ *- \(.*\)$/CAP_\1/p')

# memory_of requests|limits: bytes
memory_of() { lines | sed -n "/^ *$1:/,\$s/^ *memory: \(.*\)Mi$/\1/p" | awk 'NR == 1 { print $1 * 1048576 }'; }

# This root cannot give what it does not have itself.
capabilities=
for capability in $wanted; do
	if capsh --has-p="${capability,,}" 2>/dev/null; then
		capabilities+=" $capability"
	else
		note "root has no $capability here"
	fi
done

# A root file system with the program and its libraries alone.
root=$tmp/image
mkdir -p "$root"/{bin,proc,sys,dev,host/sys/fs/cgroup,run/bramble,tmp,var/log/pods,var/run/secrets/kubernetes.io/serviceaccount}
cp "$BRAMBLE" "$root/bin/bramble"
ldd "$BRAMBLE" | grep -o '/[^ ]*' | while read -r library; do
	install -D "$library" "$root$library"
done

# A command that the runtime is run by.
declare -a runtime_prefix=()
# Whether it has the host's pid namespace.
host_pid=$(lines | grep -o 'hostPID: true')

# run_as_deployed CAPABILITY...: a bundle in $tmp/bundle, run until it ends.
run_as_deployed() {
	local bundle=$tmp/bundle
	mkdir -p "$bundle"
	(cd "$bundle" && rm -f config.json && runc spec && jq \
		--argjson caps "$(printf '%s\n' "$@" | jq -Rn '[inputs]')" \
		--argjson args "$(echo "$args" | sed "s/\$(NODE_IP):10250/127.0.0.1:$(cat "$kubelet/port")/" | jq -Rn '[inputs]')" \
		--arg host_pid "$host_pid" \
		--arg root "$root" --arg pods "$log_dir" --arg kubelet "$kubelet" --arg listen "127.0.0.1:$port" \
		--arg limit "$(memory_of limits)" '
		.process.terminal = false |
		.process.user = {uid: 0, gid: 0} |
		.process.noNewPrivileges = true |
		.process.env += ["BRAMBLE_SANDBOX_KILL=1"] |
		.process.capabilities = {bounding: $caps, effective: $caps, permitted: $caps} |
		.process.args = ["/bin/bramble"] + $args + ["--web.listen-address=\($listen)"] |
		.root = {path: $root, readonly: true} |
		.mounts |= map(select(.destination == "/proc" or .destination == "/dev" or .destination == "/sys")) |
		.mounts += [
			{destination: "/host/sys/fs/cgroup", type: "bind", source: "/sys/fs/cgroup", options: ["rbind", "ro"]},
			{destination: "/sys/kernel/tracing", type: "bind", source: "/sys/kernel/tracing", options: ["rbind", "ro"]},
			{destination: "/var/log/pods", type: "bind", source: $pods, options: ["rbind", "ro"]},
			{destination: "/run/bramble", type: "tmpfs", source: "tmpfs", options: ["nosuid", "nodev"]},
			{destination: "/var/run/secrets/kubernetes.io/serviceaccount", type: "bind", source: $kubelet, options: ["rbind", "ro"]}] |
		.linux.resources.memory.limit = ($limit | tonumber) |
		.linux.cgroupsPath = "/bramble-test-daemonset-\($listen | split(":")[1])" |
		.linux.namespaces |= map(select(.type != "network" and ($host_pid == "" or .type != "pid")))
		' config.json >config.new && mv config.new config.json) || return 1
	note_cgroup "/bramble-test-daemonset-$port"
	exec "${runtime_prefix[@]}" runc --root "$tmp/runc" run --bundle "$bundle" "daemonset-$port" </dev/null >"$tmp/daemonset.log" 2>&1
}

start_kubelet
start_pod shop web-0 web burst 60 500 3000
list_pod shop web-0 "${pod_uid[web-0]}" web "$(basename "${container_cgroup[web-0]}")"

# shellcheck disable=SC2086 # a list of names
in_background run_as_deployed $capabilities
bramble_url=http://127.0.0.1:$port
bramble_log=$tmp/daemonset.log
check "it runs as it is deployed" wait_until 20 curl -sf -o /dev/null "$bramble_url/readyz"
is_named() {
	scrape
	[ "$(metric_or_0 bramble_cpu_wait_seconds_count namespace=shop pod=web-0 container=web)" != 0 ]
}
check "it counts, and the kubelet's names come" wait_until 20 is_named
# The log directories may have named it before the kubelet has answered.
node_is_known() {
	scrape
	[ "$(metric_or_0 bramble_pod_info namespace=shop pod=web-0 node=pi-1 | cut -d. -f1)" = 1 ]
}
check "the node is known" wait_until 20 node_is_known
check_holds "its waits are attributed" "$(metric_or_0 bramble_probe_up probe=sched) == 1"
check "the node's file systems are known" \
	grep -qE '^bramble_node_filesystem_size_bytes\{mountpoint="/",' "$tmp/metrics"
check "the socket for top is there" grep -q 'bramble top --once' "$bramble_log"
# The kernel's own account: anonymous memory, BPF maps and programs, page tables, sockets.
memory=$(awk '$3 == "cgroup" && $4 ~ /(^|,)memory(,|$)/ { print $2; exit }' /proc/self/mounts)
if [ -n "$memory" ]; then
	memory+=/bramble-test-daemonset-$port
	limit=$(cat "$memory/memory.limit_in_bytes") peak=$(cat "$memory/memory.max_usage_in_bytes")
	now=$(cat "$memory/memory.usage_in_bytes")
else
	memory=$cgroup2/bramble-test-daemonset-$port
	limit=$(cat "$memory/memory.max" 2>/dev/null) peak=$(cat "$memory/memory.peak" 2>/dev/null)
	now=$(cat "$memory/memory.current" 2>/dev/null)
fi
if [ -n "$peak" ]; then
	note "memory: $now bytes, $peak at most"
	check_holds "it has the memory limit of its manifest" "$limit == $(memory_of limits)"
	check_holds "and takes half of it at most, as its programs are loaded" "$peak < $limit / 2"
	check_holds "afterwards it takes no more than it requests" "$now < $(memory_of requests)"
else
	note "no memory controller here: its memory is not measured"
fi
check "it warns of nothing" test -z "$(grep 'level=warn' "$bramble_log")"
[ $failed = 0 ] || sed 's/^/    /' "$bramble_log"

# field FIELD: of its /proc/PID/status
field() { sed -n "s/^$1:[[:space:]]*//p" "/proc/$(runc --root "$tmp/runc" state "daemonset-$port" | jq .pid)/status"; }
check "once it runs, it makes the system calls of its list alone" test "$(field NoNewPrivs) $(field Seccomp)" = "1 2"
# What loads programs for file systems whose modules come late may remain.
check "and has no SYS_PTRACE any more" test $((0x$(field CapPrm) >> 19 & 1)) = 0
# The container's own root is read-only.
root_is_readonly() { metric_or_0 bramble_node_filesystem_readonly mountpoint=/ | cut -d. -f1; }
looks_at_init=
if [ -e /proc/1/root/. ]; then
	looks_at_init=yes
	check_holds "the root file system is the node's, which is not read-only" "$(root_is_readonly) == 0"
else
	skip "the node's file systems: nobody may look at process 1 of this machine"
fi
end_deployed() { runc --root "$tmp/runc" delete --force "daemonset-$port" >/dev/null 2>&1; }
end_deployed

# Each of these has a reason, and without it something is missing.
# deployed_without CAPABILITY: runs with all others, until it is ready, and scrapes it
deployed_without() {
	# shellcheck disable=SC2046 # a list of names
	in_background run_as_deployed $(printf '%s\n' $capabilities | grep -vx "$1")
	wait_until 20 curl -sf -o /dev/null "$bramble_url/readyz" && scrape
}
deployed_without CAP_SYS_PTRACE
check_holds "without SYS_PTRACE all probes are up" \
	"$(metric_or_0 bramble_probe_up) == $(grep -c '^bramble_probe_up{' "$tmp/metrics")"
[ -z "$looks_at_init" ] ||
	check_holds "SYS_PTRACE is for the node's file systems: without it they are the container's" "$(root_is_readonly) == 1"
end_deployed
host_pid=
deployed_without none
[ -z "$looks_at_init" ] ||
	check_holds "hostPID is for the node's file systems: without it they are the container's" "$(root_is_readonly) == 1"
# The shell is in the container's pid namespace. The pod's process has no number there.
check "hostPID is for the processes of pods, by which their network namespaces are found" test "$(
	nsenter --target "$(runc --root "$tmp/runc" state "daemonset-$port" | jq .pid)" --pid \
		cat "$cgroup2${container_cgroup[web-0]}/cgroup.procs" | sort -u)" = 0
end_deployed
host_pid='hostPID: true'
# tracefs is not mounted on every node. Then mounting it needs SYS_ADMIN; else, on most kernels, nothing.
without_tracefs=(unshare --mount --propagation private sh -c '
	! mountpoint -q /sys/kernel/tracing || umount /sys/kernel/tracing; exec "$@"' sh)
runtime_prefix=("${without_tracefs[@]}")
# shellcheck disable=SC2046 # a list of names
(run_as_deployed $(printf '%s\n' $capabilities | grep -vx CAP_SYS_ADMIN)) || code=$?
check_holds "SYS_ADMIN is for mounting tracefs: without either it ends with an error" "${code:-0} == 1"
check "and says so" grep -q 'tracefs.*CAP_SYS_ADMIN' "$tmp/daemonset.log"
end_deployed

# A container that gets everything would prove nothing.
code=
runtime_prefix=("${with_tracefs[@]}")
if [ "$(cat /proc/sys/kernel/perf_event_paranoid)" -le 2 ]; then
	deployed_without CAP_SYS_ADMIN
	check_holds "SYS_ADMIN is for nothing else, where kernel.perf_event_paranoid is at most 2: all probes are up" \
		"$(metric_or_0 bramble_probe_up) == $(grep -c '^bramble_probe_up{' "$tmp/metrics")"
	end_deployed
fi
(run_as_deployed CAP_PERFMON) || code=$?
check_holds "without CAP_BPF it ends with an error" "${code:-0} == 1"
check "and names it" grep -q CAP_BPF "$tmp/daemonset.log"
runc --root "$tmp/runc" delete --force "daemonset-$port" >/dev/null 2>&1
finish
