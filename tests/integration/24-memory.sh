#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# OOM kills must equal those that the kernel counts, and belong to the victim's container even if it
# is gone. A container at its limit has stalls, and its neighbour has none. With BTF and without.
. "$(dirname "$0")/lib.sh"

# A quarter of what the workloads take.
limit='{"memory": {"limit": 16777216, "swap": 16777216}}'

# Where a container's limit is: in cgroup v2, or in v1's hierarchy.
memory_mount() {
	if grep -qw memory "$cgroup2/cgroup.controllers"; then
		echo "$cgroup2"
	else
		awk '$3 == "cgroup" && $4 ~ /(^|,)memory(,|$)/ { print $2; exit }' /proc/self/mounts
	fi
}

# What the kernel has counted in a container: memory.oom_control in v1, memory.events in v2.
kernel_oom_kills() { # POD
	cat "$memory${container_cgroup[$1]}"/memory.{oom_control,events} 2>/dev/null |
		awk '$1 == "oom_kill" { print $2 }'
}

# All of the machine's, by the kernel, and by bramble.
machine_oom_kills() { awk '$1 == "oom_kill" { print $2 }' /proc/vmstat; }

limited_pod() { # POD COMMAND...
	local pod=$1
	shift
	container_resources=$limit
	start_pod memory "$pod" main "$@"
	container_resources=
	wait_until 60 container_ended "$pod" || fail "$mode: $pod: has not ended"
}

kills() { metric_or_0 bramble_memory_oom_kills_total namespace=memory pod="$1" container=main; }
stalls() { metric_or_0 bramble_memory_stall_seconds_count namespace=memory pod="$1" container=main; }

oom() {
	local kernel pod

	# It is the container's only process, and is gone at once together with its cgroup.
	limited_pod "alone-$mode" hog 64
	stop_container "alone-$mode"
	# All of its threads want memory. That is one kill.
	limited_pod "threads-$mode" hog 64 8
	stop_container "threads-$mode"
	# Three, one after the other, in a container that goes on.
	limited_pod "three-$mode" sh -c 'hog 64; hog 64 4; hog 64; hog 1'
	kernel=$(kernel_oom_kills "three-$mode")
	stop_container "three-$mode"
	# The end of its first process kills the others of a container: by SIGKILL, and no OOM.
	start_pod memory "zapped-$mode" main sh -c 'for i in 1 2 3 4 5; do spin 60 & done; sleep 0.3'
	wait_until 10 container_ended "zapped-$mode"
	stop_container "zapped-$mode"
	start_pod memory "killed-$mode" main hog 1 2 60
	stop_container "killed-$mode"
	scrape
	check_holds "$mode: OOM kill: a container that is gone with it has it, and its name" \
		"$(kills "alone-$mode") == 1"
	check_holds "$mode: OOM kill: a process of 8 threads is one" "$(kills "threads-$mode") == 1"
	check_holds "$mode: OOM kill: three, as the kernel counts ($kernel)" \
		"$(kills "three-$mode") == 3 && ${kernel:-0} == 3"
	for pod in zapped killed; do
		check_holds "$mode: OOM kill: a container that was $pod has none" "$(kills "$pod-$mode") == 0"
	done
}

stall() {
	local sum begin

	begin=$(date +%s%N)
	limited_pod "stalled-$mode" dd if=/dev/zero of=/share/stalled bs=1M count=64
	begin=$(($(date +%s%N) - begin))
	start_pod memory "free-$mode" main dd if=/dev/zero of=/share/free bs=1M count=64
	wait_until 60 container_ended "free-$mode"
	scrape
	sum=$(metric_or_0 bramble_memory_stall_seconds_sum pod="stalled-$mode")
	note "$mode: stalled: $(stalls "stalled-$mode") times, $sum s of $begin ns"
	check_holds "$mode: stall: a container at its limit had to reclaim" "$(stalls "stalled-$mode") > 10"
	check_holds "$mode: stall: for no longer than it ran" "$sum > 0 && $sum * 1e9 < $begin"
	check_holds "$mode: stall: its neighbour had not" "$(stalls "free-$mode") == 0"
	stop_container "stalled-$mode"
	stop_container "free-$mode"
	rm -f "$tmp"/share/{stalled,free}
}

test_mode() {
	local kernel0 kernel1 ours
	mode=$1
	start_bramble
	kernel0=$(machine_oom_kills)
	scrape
	ours=$(metric_or_0 bramble_memory_oom_kills_total)
	oom
	kernel1=$(machine_oom_kills)
	check_holds "$mode: OOM kill: all of the machine's ($((kernel1 - kernel0)))" \
		"$(metric_or_0 bramble_memory_oom_kills_total) - $ours == $kernel1 - $kernel0"
	stall
	check_holds "$mode: nothing was lost" "$(metric_or_0 bramble_probe_lost_total probe=memory) <= 1"
	stop_bramble
}

memory=$(memory_mount)
if [ -z "$memory" ]; then
	skip "everything: there is no memory controller (bramble check says how to turn it on)"
	finish
fi
for_each_btf test_mode
finish
