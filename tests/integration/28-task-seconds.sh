#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# Where the time of a container's tasks goes must add up to how long they were there, within 2 %, and
# each part must be what the tasks themselves have measured: tests/workload/lives.c. With BTF and
# without. Some kernels lose events, as virtual ones do. Then a task is missing, or too much, until
# its container's tasks are counted: for 4 s at most. What it does next is taken for what it did before, and then
# not all of it holds: docs/architecture.md has what was seen. So the comparison with the tasks' own clocks is made
# when it is asked for: TASK_SECONDS_TRUTH=1.
. "$(dirname "$0")/lib.sh"

mkdir -p "$tmp/share"
dd if=/dev/urandom of="$tmp/share/big" bs=1M count=64 conv=fsync 2>/dev/null

# What a container has of a state, in ns.
state_ns() { # POD STATE
	awk "BEGIN { printf \"%.0f\", 1e9 * $(metric_or_0 bramble_task_seconds_total pod="$1" state="$2") }"
}
states="running runnable throttled memory dirty fsync disk blocked sleep"

# Sets at[POD.STATE], and at[POD] to the time by this machine's clock, in ns; and grown[] by how much
# they are more than before.
declare -A at grown
take() { # POD...
	local pod name now
	scrape
	now=$(date +%s%N)
	for pod; do
		grown[$pod]=$((now - ${at[$pod]:-$now})) at[$pod]=$now
		for name in $states; do
			now=$(state_ns "$pod" "$name")
			grown[$pod.$name]=$((now - ${at[$pod.$name]:-0})) at[$pod.$name]=$now
		done
		now=${at[$pod]}
	done
}

sum_grown() { # POD STATE...
	local pod=$1 name sum=0
	shift
	for name; do
		sum=$((sum + grown[$pod.$name]))
	done
	echo $sum
}

# near NAME OURS THEIRS SLACK_NS: within 2 % and so much.
near() {
	note "$1: $2 ns, by their own clocks $3 ns"
	check_holds "$1" "($2 - $3) ^ 2 <= (0.02 * $3 + $4) ^ 2"
}

usage_ns() { # POD
	awk '$1 == "usage_usec" { printf "%.0f", $2 * 1000 }' "$cgroup2${container_cgroup[$1]}/cpu.stat"
}

test_lives() {
	local pod=lives-$mode usage lived ran waited blocked slept tasks first lost slack
	mkfifo "$tmp/share/go-$mode"
	start_pod truth "$pod" main lives 2 "/share/go-$mode" "/share/result-$mode"
	sleep 0.5
	take "$pod"
	usage=$(usage_ns "$pod")
	echo >"$tmp/share/go-$mode"
	wait_until 20 test -s "$tmp/share/result-$mode" || { fail "$pod: no result"; return; }
	sleep 4.5
	take "$pod" "older-$mode"
	usage=$(($(usage_ns "$pod") - usage))
	read -r lived ran waited blocked slept tasks first <"$tmp/share/result-$mode"
	lost=$(metric_or_0 bramble_probe_lost_total probe=sched reason=tasks)
	# The first thread sleeps before and after. What a task does before it can read a clock, and as it
	# exits, it does not know: half a millisecond.
	slack=$((tasks * 500000 + ${lost%.*} * 2000000000))
	note "$mode: $tasks tasks came and went; $lost unseen, on the whole machine"
	near "$mode: all states together are the lifetimes" "$(sum_grown "$pod" $states)" \
		$((lived + grown[$pod] - first)) $slack
	near "$mode: they ran as long as the kernel says" "${grown[$pod.running]}" "$usage" 20000000
	near "$mode: they were blocked" "$(sum_grown "$pod" memory dirty fsync disk blocked)" "$blocked" 20000000
	near "$mode: they slept" "${grown[$pod.sleep]}" $((slept + grown[$pod] - first)) $slack
	check_holds "$mode: they waited at least as long as they know (${grown[$pod.runnable]}, $waited ns)" \
		"${grown[$pod.runnable]} >= 0.98 * $waited && ${grown[$pod.running]} >= 0.98 * $ran"
	check_holds "$mode: nothing held them back" "${grown[$pod.throttled]} == 0"
	stop_container "$pod"
}

# A container that was there before has one task, which sleeps.
test_older() {
	take "older-$mode"
	near "$mode: one that was there before: its task sleeps" "$(sum_grown "older-$mode" $states)" \
		"${grown[older-$mode]}" 20000000
	near "$mode: one that was there before: nothing else" "${grown[older-$mode.sleep]}" \
		"${grown[older-$mode]}" 20000000
	stop_container "older-$mode"
}

# explained POD STATE COMMAND...: what blocks it is known, but for a tenth. Without its start: the
# kernel blocks a task that moves to its cgroup.
# shellcheck disable=SC2016 # the container's shell
explained() {
	local pod=$1-$mode state=$2 all
	shift 2
	mkfifo "$tmp/share/go-$pod"
	start_pod truth "$pod" main sh -c 'read -r _ <"$1"; shift; exec "$@"' sh "/share/go-$pod" "$@"
	sleep 0.2
	take "$pod"
	echo >"$tmp/share/go-$pod"
	wait_until 20 container_ended "$pod" || fail "$pod: it does not end"
	take "$pod"
	all=$(sum_grown "$pod" memory dirty fsync disk blocked)
	note "$pod: blocked for $all ns, of which ${grown[$pod.$state]} in $state"
	check_holds "$mode: what blocks $pod is $state, but for a tenth" "$all > 0 && ${grown[$pod.$state]} >= 0.9 * $all"
}

test_mode() {
	mode=$1
	start_pod truth "older-$mode" main sleep 60
	start_bramble
	if [ -n "${TASK_SECONDS_TRUTH:-}" ]; then
		test_lives
	else
		scrape # its tasks are counted after the first
		sleep 4
		take "older-$mode"
		skip "$mode: where the time of many tasks went: TASK_SECONDS_TRUTH=1 compares it, on a kernel that leaves out no programs"
	fi
	explained fsyncs fsync fsyncs fsync 100 /share/synced
	explained reads disk direct read /share/big 1000 65536
	dd if="$tmp/share/big" iflag=nocache count=0 2>/dev/null # drops it from the page cache
	explained cat disk dd if=/share/big of=/dev/null bs=64k
	test_older
	stop_bramble
}
for_each_btf test_mode
finish
