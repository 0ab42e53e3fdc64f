#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# shellcheck shell=dash disable=SC2154 # from the kernel's command line, and lib.sh
#
# Blocked time: against what the workload knows; and where the kernel has SCHEDSTATS, against its
# own statistics: the event that it makes of each time it adds to a task's sum_block_runtime. (That
# itself is in /proc/PID/sched only with SCHED_DEBUG, and not before 5.16.)

blocked_tracefs=$tmp/tracefs
blocked_event=$blocked_tracefs/events/sched/sched_stat_blocked

# The kernel counts the task PID from now on, if it can.
kernel_begins() {
	[ -e /proc/sys/kernel/sched_schedstats ] || return 0
	mkdir -p $blocked_tracefs
	mount -t tracefs tracefs $blocked_tracefs || return 0
	echo 1 >/proc/sys/kernel/sched_schedstats
	echo >$blocked_tracefs/trace
	echo "pid == $1" >$blocked_event/filter
	echo 1 >$blocked_event/enable
}

# Sets kernel_blocked to "NS COUNT", or to nothing if it cannot.
kernel_ends() {
	kernel_blocked=
	[ -e $blocked_event ] || return 0
	echo 0 >$blocked_event/enable
	kernel_blocked=$(sed -n 's/.*sched_stat_blocked:.* delay=\([0-9]*\).*/\1/p' $blocked_tracefs/trace |
		awk '{ sum += $1 } END { printf "%.0f %d", sum, NR }')
	echo 0 >$blocked_event/filter
	echo 0 >/proc/sys/kernel/sched_schedstats
	umount $blocked_tracefs
}

blocked_ns() { calc %.0f "$(metric_or_0 bramble_task_blocked_seconds_sum pod="$1") * 1e9"; }
blocked_count() { calc %.0f "$(metric_or_0 bramble_task_blocked_seconds_count pod="$1")"; }

# blocks POD HOW COUNT ARGUMENT SLACK_NS: what bramble counts meanwhile equals the workload's, and
# the kernel's, within 2 % and so much for each sleep: emulation is slow.
blocks() {
	local pod=$1 ours count from from_count theirs children result=$tmp/result slack
	rm -f $result $tmp/start
	mkfifo $tmp/start
	new_pod blocked "$pod" main
	in_pod /test/blocks "$2" "$3" "$4" $tmp/start $result
	go
	sleep 1
	scrape
	from=$(blocked_ns "$pod") from_count=$(blocked_count "$pod")
	kernel_begins "$pod_pid"
	echo >$tmp/start
	wait_until 60 test -s $result || { fail "blocked: $pod: no result"; return; }
	freeze "$pod_pid"
	kernel_ends
	scrape
	read -r count theirs children <$result
	slack="0.02 * $theirs + $5 * $count"
	ours=$(calc %.0f "$(blocked_ns "$pod") - $from")
	note "${mode}blocked: $pod: $ours ns, $(blocked_count "$pod") - $from_count times; by the kernel's clocks $theirs ns; children $children ns"
	[ "$2" != vfork ] || check_holds "blocked: $pod: as often as there were children" \
		"$(blocked_count "$pod") - $from_count == $count"
	[ "$2" != vfork ] || check_holds "blocked: $pod: as long as they took ($ours and $children ns)" \
		"near($ours, $children, $slack)"
	check_holds "blocked: $pod: all the time that it neither ran nor waited for a CPU ($ours and $theirs ns)" \
		"near($ours, $theirs, $slack)"
	if [ -n "$kernel_blocked" ]; then
		check_holds "blocked: $pod: as often and as long as the kernel says ($ours ns; $kernel_blocked)" \
			"${kernel_blocked#* } == $(blocked_count "$pod") - $from_count && near($ours, ${kernel_blocked% *}, $slack)"
		fact "blocked against SCHEDSTATS, $2, ${mode%: }" "$(calc %+.2f "($ours / ${kernel_blocked% *} - 1) * 100") %"
	else
		note "${mode}blocked: this kernel does not count it"
	fi
	kill -KILL "$pod_pid"
	wait "$pod_pid" 2>/dev/null
}

test_blocked() {
	blocks "vfork-${#mode}" vfork 40 20 300000
	load_driver && [ -n "$(disk slow)" ] &&
		blocks "reads-${#mode}" read 20 "/dev/$(disk slow)" 300000
	check_holds "blocked: less than 1 in 100 is lost" "$(metric_or_0 bramble_probe_lost_total probe=blocked) \
		<= 2 + 0.01 * $(metric_or_0 bramble_probe_events_total probe=blocked)"
}
