#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# Blocked time must be the time that a container's tasks were in uninterruptible sleep: the parents
# in vfork() for as long as their children take, and readers of a disk for all the time that they
# neither ran nor waited for a CPU. Tasks that sleep or run have none. With BTF and without.
. "$(dirname "$0")/lib.sh"

mkdir -p "$tmp/share"
dd if=/dev/urandom of="$tmp/share/big" bs=1M count=16 conv=fsync 2>/dev/null

blocked() { metric_or_0 "bramble_task_blocked_seconds_$1" namespace=truth pod="$2" container=main; }

# measure POD HOW COUNT ARGUMENT: a pod of blocks. Sets count and ours_ns, which bramble has counted,
# and blocked_ns and children_ns, which the workload has.
measure() {
	local pod=$1 before_count before_sum
	shift
	mkfifo "$tmp/share/go-$pod"
	start_pod truth "$pod" main blocks "$@" "/share/go-$pod" "/share/result-$pod"
	sleep 0.3
	scrape
	before_count=$(blocked count "$pod") before_sum=$(blocked sum "$pod")
	real_time "$pod"
	echo >"$tmp/share/go-$pod"
	wait_until 30 test -s "$tmp/share/result-$pod" || { fail "$pod: no result"; return 1; }
	sleep 0.2
	scrape
	read -r _ blocked_ns children_ns <"$tmp/share/result-$pod"
	count=$(awk "BEGIN { print $(blocked count "$pod") - $before_count }")
	ours_ns=$(awk "BEGIN { printf \"%.0f\", ($(blocked sum "$pod") - $before_sum) * 1e9 }")
	note "$pod: blocked $count times for $ours_ns ns; by the kernel's clocks $blocked_ns ns, the children's $children_ns ns"
	stop_container "$pod"
}

test_vfork() {
	measure "vfork-$mode" vfork 100 10 || return
	check_holds "$mode: vfork: as often as there were children ($count)" "$count == 100"
	check_holds "$mode: vfork: as long as they took, within 1 % and 50 us each" \
		"($ours_ns - $children_ns) ^ 2 <= (0.01 * $children_ns + 50000 * 100) ^ 2"
	check_holds "$mode: vfork: all the time that the parent neither ran nor waited for a CPU, within 1 %" \
		"($ours_ns - $blocked_ns) ^ 2 <= (0.01 * $blocked_ns + 10000 * 100) ^ 2"
}

# Interrupts that come to any other task wake it.
test_read() {
	measure "read-$mode" read 2000 /share/big || return
	check_holds "$mode: reads: about as often as it read ($count)" "$count > 1000 && $count < 2200"
	check_holds "$mode: reads: all the time that it neither ran nor waited for a CPU, within 2 % and 5 us each" \
		"($ours_ns - $blocked_ns) ^ 2 <= (0.02 * $blocked_ns + 5000 * 2000) ^ 2"
}

# Tasks of the container move between cgroups meanwhile, or others do: its cgroup is looked up again.
test_moves() {
	local i
	make_cgroup /bramble-test-moves
	in_background sh -c "while :; do echo 0 >$cgroup2/bramble-test-moves/cgroup.procs; sleep 0.003
		echo 0 >$cgroup2/cgroup.procs; sleep 0.003; done"
	i=$background_pid
	measure "moves-$mode" vfork 100 10
	kill "$i" && wait "$i" 2>/dev/null
	check_holds "$mode: while others move between cgroups: as often ($count)" "$count == 100"
	check_holds "$mode: while others move between cgroups: as long, within 1 % and 50 us each" \
		"($ours_ns - $children_ns) ^ 2 <= (0.01 * $children_ns + 50000 * 100) ^ 2"
}

test_others() {
	local pod count
	start_pod truth "sleeps-$mode" main sleep 60
	start_pod truth "runs-$mode" main burst 60 1000 1000
	sleep 0.3
	scrape
	for pod in sleeps runs; do
		before[$pod]=$(blocked count "$pod-$mode")
	done
	sleep 2
	scrape
	for pod in sleeps runs; do
		count=$(awk "BEGIN { print $(blocked count "$pod-$mode") - ${before[$pod]} }")
		check_holds "$mode: a task that $pod is not blocked ($count)" "$count == 0"
		stop_container "$pod-$mode"
	done
}

declare -A before
test_mode() {
	mode=$1
	start_bramble
	test_vfork
	test_read
	test_moves
	test_others
	note "$mode: of the whole machine: $(metric_or_0 bramble_probe_lost_total probe=blocked) lost of $(
		metric_or_0 bramble_probe_events_total probe=blocked)"
	check_holds "$mode: the probe is up" "$(metric_or_0 bramble_probe_up probe=blocked) == 1"
	stop_bramble
}
for_each_btf test_mode

# Without the probe, what is not measured is missing.
start_bramble --no-probe.blocked
scrape
check_holds "--no-probe.blocked: it is not up" "$(metric_or_0 bramble_probe_up probe=blocked) == 0"
check "--no-probe.blocked: nothing is shown" test -z "$(metric bramble_task_blocked_seconds_count)"
check_holds "--no-probe.blocked: waits for a CPU are" "$(metric_or_0 bramble_cpu_wait_seconds_count) > 0"
stop_bramble
start_bramble --no-probe.sched
scrape
check_holds "--no-probe.sched: it is not up, either" "$(metric_or_0 bramble_probe_up probe=blocked) == 0"
check "--no-probe.sched: nothing is shown" test -z "$(metric bramble_task_blocked_seconds_count)"
stop_bramble
finish
