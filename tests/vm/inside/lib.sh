#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# shellcheck shell=dash disable=SC2154,SC2034,SC2044 # set elsewhere; used elsewhere; no spaces
#
# What the tests in the virtual machines share: verdicts, pods as a kubelet makes
# them (with its own hands: no runtime is here), a bramble, and its metrics. For
# busybox's ash.

tmp=/tmp
cgroup2=/sys/fs/cgroup
log_dir=$tmp/pods
url=http://127.0.0.1:9810
mode= # "", or how bramble runs: "with BTF: "

# ---------------------------------------------------------------- verdicts

pass() { echo "PASS vm $vm_name: $mode$*"; }
fail() { echo "FAIL vm $vm_name: $mode$*"; }
skip() { echo "SKIP vm $vm_name: $mode$*"; } # WHAT: REASON
note() { echo "    $*"; }

# fact NAME VALUE: a cell of the table in docs/kernels.md
fact() { echo "FACT $vm_name|$1|$2"; }

check() { # WHAT COMMAND...
	local what=$1
	shift
	if "$@"; then pass "$what"; else fail "$what"; fi
}

# check_holds WHAT EXPRESSION: of awk, on numbers. An operand that is missing fails.
# busybox's awk has no powers here; near(A, B, MOST) says that they differ by no more.
check_holds() {
	if awk "function near(a, b, most) { return a - b <= most && b - a <= most }
		BEGIN { exit !($2) }" 2>/dev/null; then
		pass "$1"
	else
		fail "$1: does not hold: $2"
	fi
}

calc() { awk "BEGIN { printf \"$1\", $2 }"; }

wait_until() { # SECONDS COMMAND...
	local tries=$(($1 * 10))
	shift
	while [ $tries -gt 0 ]; do
		"$@" && return 0
		tries=$((tries - 1))
		sleep 0.1
	done
	return 1
}

# Since boot, in hundredths of a second.
uptime_cs() { awk '{ printf "%d", $1 * 100 }' /proc/uptime; }

# ---------------------------------------------------------------- pods

# make_cgroup PATH: with all controllers on the way, as the kubelet does
make_cgroup() {
	local part at=$cgroup2 controller
	for part in $(echo "$1" | tr / ' '); do
		for controller in cpu memory io pids; do
			echo "+$controller" >"$at/cgroup.subtree_control" 2>/dev/null
		done
		at=$at/$part
		[ -d "$at" ] || mkdir "$at"
	done
}

random_id() { # 64 hex digits
	cat /proc/sys/kernel/random/uuid /proc/sys/kernel/random/uuid | tr -d '\n-'
}

# new_pod NAMESPACE POD CONTAINER: its cgroup, and the log directory that has its names.
# Sets pod_cgroup, a full path.
new_pod() {
	local uid
	uid=$(cat /proc/sys/kernel/random/uuid)
	mkdir -p "$log_dir/$1_$2_$uid/$3"
	: >"$log_dir/$1_$2_$uid/$3/0.log"
	pod_cgroup=/kubepods/burstable/pod$uid/$(random_id)
	make_cgroup "$pod_cgroup"
	pod_cgroup=$cgroup2$pod_cgroup
}

# in_pod COMMAND...: in the background, in the last pod made. Sets pod_pid. It sleeps
# until go: what is read before and after its run agrees, as nothing happens in between.
gates=
in_pod() {
	local gate
	gate=$(mktemp -u $tmp/gate-XXXXXX)
	mkfifo "$gate"
	gates="$gates $gate"
	sh -c 'echo 0 >"$1/cgroup.procs"; read -r _ <"$2"; shift 2; exec "$@"' sh "$pod_cgroup" "$gate" "$@" &
	pod_pid=$!
	wait_until 5 is_in "$pod_cgroup" || note "nothing is in $pod_cgroup"
	sleep 0.1
}

is_in() { [ -n "$(cat "$1/cgroup.procs")" ]; } # CGROUP

# Lets all that wait in in_pod go on.
go() {
	local gate
	for gate in $gates; do
		echo >"$gate"
		rm "$gate"
	done
	gates=
}

remove_cgroups() {
	local dir
	for dir in $(find $cgroup2/kubepods -depth -type d 2>/dev/null); do
		wait_until 2 rmdir "$dir" 2>/dev/null || note "cannot remove $dir"
	done
	rm -rf $log_dir
}

# Tasks that are not to run any more: their run_delay and waits are final then.
freeze() { # PID...
	local pid
	kill -STOP "$@"
	for pid; do
		wait_until 5 grep -q '^State:.T' "/proc/$pid/status" || note "pid $pid does not stop"
	done
	sleep 0.2
}

# What the kernel has counted for the tasks of a cgroup:
# RUN_DELAY_NS WAITS VOLUNTARY INVOLUNTARY
kernel_counts() { # CGROUP
	local tid
	while read -r tid; do
		tr '\n' ' ' <"/proc/$tid/schedstat"
		awk '/ctxt_switches:/ { printf "%s ", $2 } END { print "" }' "/proc/$tid/status"
	done <"$1/cgroup.threads" |
		awk '{ delay += $2; waits += $3; v += $4; i += $5 } END { printf "%.0f %d %d %d\n", delay, waits, v, i }'
}

# ---------------------------------------------------------------- bramble

bramble_pid=
# A system call that is not in src/sandbox/calls.def ends it.
export BRAMBLE_SANDBOX_KILL=1

# start_bramble ARGUMENT...: returns when it is ready, with ready_ms
start_bramble() {
	local begin
	begin=$(uptime_cs)
	# shellcheck disable=SC2086 # btf_flag is words
	/test/bramble serve --web.listen-address=127.0.0.1:9810 --web.socket=$tmp/bramble.sock \
		--kube.source=logs --kube.log-dir=$log_dir --log.level=debug $btf_flag "$@" \
		</dev/null >$tmp/bramble.log 2>&1 &
	bramble_pid=$!
	wait_until 15 wget -q -O /dev/null $url/readyz 2>/dev/null || return 1
	ready_ms=$((($(uptime_cs) - begin) * 10))
}

# stop_bramble: sets bramble_code and stop_ms
stop_bramble() {
	local begin killer
	begin=$(uptime_cs)
	kill -TERM "$bramble_pid"
	(sleep 5 && kill -KILL "$bramble_pid") 2>/dev/null &
	killer=$!
	wait "$bramble_pid"
	bramble_code=$?
	stop_ms=$((($(uptime_cs) - begin) * 10))
	kill $killer 2>/dev/null
	wait $killer 2>/dev/null
}

scrape() {
	wget -q -O $tmp/metrics $url/metrics || { : >$tmp/metrics; fail "scrape of $url/metrics"; }
	# Prometheus keeps the first of two alike, and says nothing.
	twice=$(/test/series $tmp/metrics twice)
	[ -z "$twice" ] || fail "a series stands twice: $twice"
}

# metric NAME LABEL=VALUE...: the sum over the lines of the last scrape that have these
# labels; nothing if there are none
metric() { /test/series $tmp/metrics sum "$@"; }

metric_or_0() {
	local value
	value=$(metric "$@")
	echo "${value:-0}"
}

# What bramble has counted for a pod: SUM_NS WAITS VOLUNTARY INVOLUNTARY
bramble_counts() { # POD
	echo "$(metric_or_0 bramble_cpu_wait_seconds_sum pod="$1") \
		$(metric_or_0 bramble_cpu_wait_seconds_count pod="$1") \
		$(metric_or_0 bramble_cpu_context_switches_total pod="$1" kind=voluntary) \
		$(metric_or_0 bramble_cpu_context_switches_total pod="$1" kind=involuntary)" |
		awk '{ printf "%.0f %d %d %d\n", $1 * 1e9, $2, $3, $4 }'
}
