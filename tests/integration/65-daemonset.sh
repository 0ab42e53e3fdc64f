#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# Runs: beside others
#
# The image, run with exactly what deploy/kubernetes/base/daemonset.yaml gives it: the same flags,
# capabilities and mounts, a read-only root file system, and the host's pid namespace. It also has
# the host's network, so that this test can reach it.
. "$(dirname "$0")/lib.sh"
. "$here/kubelet.sh"

port=$(free_port)

# The image, as a runtime unpacks it.
root=$tmp/image
case $(uname -m) in x86_64) arch=amd64 ;; *) arch=arm64 ;; esac
"$top/tests/image/unpack" "$top/build/image/oci" $arch "$root" ||
	give_up "the image can be unpacked: make image makes it"

# The volume for files is on the node's disk, where the kubelet has it.
mkdir "$tmp/scratch"

# as_deployed [OPTION...]: the container's configuration
as_deployed() {
	"$top/tests/image/spec" "$root" --volume=pod-logs="$log_dir" --volume=kubelet-access="$kubelet" \
		--volume=scratch="$tmp/scratch" \
		--node="127.0.0.1:$(cat "$kubelet/port")" --arg=--web.listen-address="127.0.0.1:$port" \
		--env=BRAMBLE_SANDBOX_KILL=1 --cgroup="/bramble-test-daemonset-$port" "$@"
}

# Gone at the end, however the test ends.
note_cgroup "/bramble-test-daemonset-$port"
container_pid[daemonset-$port]=unknown

# A command that the runtime is run by.
declare -a runtime_prefix=()
# How it is not as it is deployed.
declare -a other=()

# run_as_deployed CAPABILITY...: a bundle in $tmp/bundle, run until it ends.
run_as_deployed() {
	mkdir -p "$tmp/bundle"
	as_deployed --capabilities="$(echo "$*" | tr ' ' ',')" "${other[@]}" >"$tmp/bundle/config.json" || return 1
	exec "${runtime_prefix[@]}" runc --root "$tmp/runc" run --bundle "$tmp/bundle" "daemonset-$port" </dev/null >"$tmp/daemonset.log" 2>&1
}

# in_it COMMAND...: as kubectl exec runs it
in_it() { runc --root "$tmp/runc" exec "daemonset-$port" "$@"; }

start_kubelet
start_pod shop web-0 web burst 60 500 3000
list_pod shop web-0 "${pod_uid[web-0]}" web "$(basename "${container_cgroup[web-0]}")"

# This root cannot give what it does not have itself.
capabilities=
for capability in $(as_deployed | jq -r '.process.capabilities.bounding[]'); do
	if capsh --has-p="${capability,,}" 2>/dev/null; then
		capabilities+=" ${capability#CAP_}"
	else
		note "root has no $capability here"
	fi
done
limit_of_manifest=$(as_deployed | jq .linux.resources.memory.limit)
requested=$(sed -n '/^ *requests:/,$s/^ *memory: \(.*\)Mi$/\1/p' "$top/deploy/kubernetes/base/daemonset.yaml" | awk 'NR == 1 { print $1 * 1048576 }')

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
check "the socket for top is there" grep -q 'to see which pod is slow, and why: bramble top --socket=' "$bramble_log"
# The kernel's own account: anonymous memory, BPF maps and programs, page tables, sockets. Sets now, peak,
# limit and kills; to nothing without a memory controller.
read_memory() {
	local folder version1
	version1=$(awk '$3 == "cgroup" && $4 ~ /(^|,)memory(,|$)/ { print $2; exit }' /proc/self/mounts)
	folder=${version1:-$cgroup2}/bramble-test-daemonset-$port
	if [ -n "$version1" ]; then
		limit=$(cat "$folder/memory.limit_in_bytes") peak=$(cat "$folder/memory.max_usage_in_bytes")
		now=$(cat "$folder/memory.usage_in_bytes") kills=$(awk '$1 == "oom_kill" { print $2 }' "$folder/memory.oom_control")
	else
		limit=$(cat "$folder/memory.max" 2>/dev/null) peak=$(cat "$folder/memory.peak" 2>/dev/null)
		now=$(cat "$folder/memory.current" 2>/dev/null) kills=$(awk '$1 == "oom_kill" { print $2 }' "$folder/memory.events" 2>/dev/null)
	fi
}
read_memory
if [ -n "$peak" ]; then
	note "memory: $now bytes, $peak at most"
	check_holds "it has the memory limit of its manifest" "$limit == $limit_of_manifest"
	check_holds "and takes half of it at most, as its programs are loaded" "$peak < $limit / 2"
	check_holds "afterwards it takes no more than it requests" "$now < $requested"
else
	note "no memory controller here: its memory is not measured"
fi
check "it warns of nothing" test -z "$(grep 'level=warn' "$bramble_log")"
[ $failed = 0 ] || sed 's/^/    /' "$bramble_log"

# What people run in it. It has no shell, and kubectl exec sets TERM=xterm.
in_it bramble check >"$tmp/check" 2>&1
check_holds "bramble check runs in it, and finds nothing missing" "$? == 0 && $(grep -c '^bramble can run here' "$tmp/check") == 1"
check "by the manifest's variables it asks the same kubelet" grep -qE '^ *ok +kubelet .*pods? at ' "$tmp/check"
check "bramble version is the image's" test "$(in_it bramble version | sed 's/^bramble \([^ ]*\) .*/\1/')" = \
	"$(jq -r '.config.Labels["org.opencontainers.image.version"]' "$root.config.json")"
check "bramble top --once shows the pod" sh -c "runc --root '$tmp/runc' exec 'daemonset-$port' bramble top --once | grep -q '^shop/web-0/web '"
# draw TERM: script gives it a terminal. Enter opens the first row, and q ends it, twice.
draw() {
	(sleep 3; printf '\r'; sleep 2; printf q; sleep 1; printf q) | timeout 20 script -qec \
		"stty rows 24 cols 80; runc --root '$tmp/runc' exec -t -e TERM=$1 'daemonset-$port' bramble top" /dev/null >"$tmp/top-$1"
}
terminals="xterm xterm-256color screen tmux-256color linux vt100"
drawing=
for term in $terminals; do
	draw "$term" &
	drawing+=" $!"
done
# shellcheck disable=SC2086 # a list of numbers
wait $drawing
for term in $terminals; do
	check "bramble top draws on TERM=$term, in UTF-8" sh -c "
		grep -q 'q quit' '$tmp/top-$term' && grep -q web-0 '$tmp/top-$term' && grep -q '│' '$tmp/top-$term'"
done
check "it has no shell" sh -c "! runc --root '$tmp/runc' exec 'daemonset-$port' sh -c true 2>/dev/null"

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
deployed_without SYS_PTRACE
check_holds "without SYS_PTRACE all probes are up" \
	"$(metric_or_0 bramble_probe_up) == $(grep -c '^bramble_probe_up{' "$tmp/metrics")"
[ -z "$looks_at_init" ] ||
	check_holds "SYS_PTRACE is for the node's file systems: without it they are the container's" "$(root_is_readonly) == 1"
end_deployed
other=(--no-host-pid)
deployed_without none
[ -z "$looks_at_init" ] ||
	check_holds "hostPID is for the node's file systems: without it they are the container's" "$(root_is_readonly) == 1"
# The shell is in the container's pid namespace. The pod's process has no number there.
check "hostPID is for the processes of pods, by which their network namespaces are found" test "$(
	nsenter --target "$(runc --root "$tmp/runc" state "daemonset-$port" | jq .pid)" --pid \
		cat "$cgroup2${container_cgroup[web-0]}/cgroup.procs" | sort -u)" = 0
end_deployed
other=()
# tracefs is not mounted on every node. Then mounting it needs SYS_ADMIN; else, on most kernels, nothing.
without_tracefs=(unshare --mount --propagation private sh -c '
	! mountpoint -q /sys/kernel/tracing || umount /sys/kernel/tracing; exec "$@"' sh)
runtime_prefix=("${without_tracefs[@]}")
# shellcheck disable=SC2046 # a list of names
(run_as_deployed $(printf '%s\n' $capabilities | grep -vx SYS_ADMIN)) || code=$?
check_holds "SYS_ADMIN is for mounting tracefs: without either it ends with an error" "${code:-0} == 1"
check "and says so" grep -q 'tracefs.*CAP_SYS_ADMIN' "$tmp/daemonset.log"
end_deployed

# A container that gets everything would prove nothing.
code=
runtime_prefix=("${with_tracefs[@]}")
if [ "$(cat /proc/sys/kernel/perf_event_paranoid)" -le 2 ]; then
	deployed_without SYS_ADMIN
	check_holds "SYS_ADMIN is for nothing else, where kernel.perf_event_paranoid is at most 2: all probes are up" \
		"$(metric_or_0 bramble_probe_up) == $(grep -c '^bramble_probe_up{' "$tmp/metrics")"
	end_deployed
fi
(run_as_deployed PERFMON) || code=$?
check_holds "without CAP_BPF it ends with an error" "${code:-0} == 1"
check "and names it" grep -q CAP_BPF "$tmp/daemonset.log"
end_deployed

# The limit is enough for many containers, for those who ask in whatever format, and for what people run
# in the container.
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=pi -keyout "$kubelet/web.key" -out "$kubelet/web.crt" 2>/dev/null
printf 'tls_server_config:\n  cert_file: web.crt\n  key_file: web.key\n' >"$kubelet/web.yml"
many_containers() { # COUNT
	local i uid path
	make_cgroup /kubepods/burstable
	for ((i = 1; i <= $1; i++)); do
		uid=$(printf '%08x-0000-4000-8000-%012x' $i $i)
		path=/kubepods/burstable/pod$uid/$(printf '%064x' $i)
		mkdir -p "$cgroup2$path"
		made_cgroups+=("$cgroup2${path%/*}" "$cgroup2$path")
		in_background sh -c 'echo 0 >"$1/cgroup.procs" && exec "$2" 120 500 2000000' sh "$cgroup2$path" "$workloads/burst"
	done
}
all_are_seen() {
	"${ask[@]}" >"$tmp/metrics"
	(($(grep -c '^bramble_cpu_wait_seconds_count{' "$tmp/metrics") > 250))
}
scrape_at_once() { # ACCEPT...: in each format, plain and gzipped
	local accept asking=
	for accept; do
		"${ask[@]}" -o /dev/null -H "Accept: $accept" &
		asking+=" $!"
		"${ask[@]}" -o /dev/null -H "Accept: $accept" -H 'Accept-Encoding: gzip' &
		asking+=" $!"
	done
	for accept in $asking; do
		wait "$accept" || echo "$accept" >>"$tmp/unanswered"
	done
}
runtime_prefix=("${with_tracefs[@]}")
other=(--arg=--web.config.file=/var/run/secrets/kubernetes.io/serviceaccount/web.yml)
ask=(curl -sfk -m 20 "https://127.0.0.1:$port/metrics")
many_containers 250
# shellcheck disable=SC2086 # a list of names
in_background run_as_deployed $capabilities
check "250 containers are seen, over TLS" wait_until 20 all_are_seen
# A second probe in the same container, for a moment.
in_it bramble report --time=100ms >"$tmp/report" 2>"$tmp/report.log" &
report=$!
for _ in 1 2 3 4 5; do
	scrape_at_once 'text/plain;version=0.0.4' 'application/openmetrics-text;version=1.0.0' \
		'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited'
done
check "six clients at once are answered, in three formats" test ! -e "$tmp/unanswered"
wait "$report"
check_holds "bramble report runs in it" "$? == 0"
check "and compares with what the kernel has counted" grep -qE '^- requests: bramble [1-9]' "$tmp/report"
check_holds "and counts the fsyncs on the node's disk" "$(sed -nE 's/^- fsyncs on [a-z0-9]+: bramble ([0-9]+) .*/\1/p' "$tmp/report") == 100"
check "of which no file stays" test -z "$(ls -A "$tmp/scratch")"
check "and has a row to send" grep -q "^| .* | $(uname -r) " "$tmp/report"
read_memory
if [ -n "$peak" ]; then
	note "memory: $now bytes, $peak at most"
	check_holds "with all that, the kernel ends nothing in it for lack of memory" "$kills == 0"
	check_holds "and never had more than three quarters of the limit" "$peak < $limit * 3 / 4"
fi
end_deployed
finish
