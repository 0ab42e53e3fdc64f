#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# shellcheck shell=dash disable=SC2154 # from the kernel's command line, and from lib.sh
#
# Stalls for want of memory and OOM kills, against the kernel's own counts. Comes after
# fsync.sh, whose ext4 is used.

event_of() { awk -v name="$2" '$1 == name { print $2 }' "$1/memory.events"; } # CGROUP NAME

# Of /proc/vmstat: the sum of what begins so.
vmstat_of() { awk -v name="$1" 'index($1, name) == 1 { sum += $2 } END { printf "%d", sum }' /proc/vmstat; }

kills_of() { metric_or_0 bramble_memory_oom_kills_total namespace=shop pod="$1" container=db; }
stalls_of() { metric_or_0 bramble_memory_stall_seconds_count namespace=shop pod="$1" container=db; }

# limited_pod POD MEMORY_MAX COMMAND...: runs it to its end
limited_pod() {
	local max=$2
	new_pod shop "$1" db
	echo "$max" >"$pod_cgroup/memory.max"
	echo "${oom_group:-0}" >"$pod_cgroup/memory.oom.group"
	shift 2
	in_pod "$@"
	go
	wait "$pod_pid" 2>/dev/null
}

gone() { # its cgroup, and its pod's
	wait_until 5 rmdir "$pod_cgroup" 2>/dev/null && rmdir "${pod_cgroup%/*}"
}

test_oom() {
	local kernel again total before
	scrape
	before=$(metric_or_0 bramble_memory_oom_kills_total)
	kernel=$(vmstat_of oom_kill)
	limited_pod alone-0 16M /test/hog 64
	check "OOM: its cgroup is gone with it" gone
	limited_pod threads-0 16M /test/hog 64 8
	check_holds "OOM: the kernel kills it, too" "$(event_of "$pod_cgroup" oom_kill) == 1"
	gone
	# The kernel counts the one that it has chosen again with the group, thread by thread.
	oom_group=1
	limited_pod group-0 16M sh -c 'sleep 60 & sleep 60 & exec /test/hog 64'
	oom_group=
	again=$(($(event_of "$pod_cgroup" oom_kill) - 3))
	check_holds "OOM: the kernel kills the group (and counts $((again + 3)))" "$again >= 0 && $again <= 2"
	gone
	# SIGKILL is not enough.
	limited_pod killed-0 16M sh -c 'kill -KILL $$'
	gone
	scrape
	check_holds "OOM: a pod that is gone with it has it, and its name" "$(kills_of alone-0) == 1"
	check_holds "OOM: a process of 8 threads is one kill" "$(kills_of threads-0) == 1"
	check_holds "OOM: memory.oom.group: all three are counted" "$(kills_of group-0) == 3"
	check_holds "OOM: one that was killed otherwise is none" "$(kills_of killed-0) == 0"
	total=$(metric_or_0 bramble_memory_oom_kills_total)
	kernel=$(($(vmstat_of oom_kill) - kernel - again))
	check_holds "OOM: all that the kernel has counted ($kernel)" "$total - $before == $kernel"
}

# A file of 24 MiB through a cgroup of 8 MiB.
test_memcg_stall() {
	local limit sum begin psi own
	[ -s $tmp/ext4/big ] || dd if=/dev/zero of=$tmp/ext4/big bs=1M count=24 2>/dev/null
	sync
	echo 3 >/proc/sys/vm/drop_caches
	begin=$(uptime_cs)
	limited_pod stalled-0 8M cat $tmp/ext4/big >/dev/null
	begin=$(($(uptime_cs) - begin))
	limit=$(event_of "$pod_cgroup" max)
	psi=$(sed -n 's/^some .*total=//p' "$pod_cgroup/memory.pressure" 2>/dev/null)
	gone
	scrape
	sum=$(metric_or_0 bramble_memory_stall_seconds_sum pod=stalled-0)
	own=$(metric_or_0 bramble_memory_stall_some_seconds_total pod=stalled-0)
	note "$mode""stall: $(stalls_of stalled-0) times, $sum s of $begin hundredths; memory.events: max $limit"
	# Whoever may not wait, such as an interrupt, meets the limit and does not reclaim.
	check_holds "stall: the pod at its limit stalled as often as it met it ($limit)" \
		"$limit > 5 && $(stalls_of stalled-0) <= $limit && $(stalls_of stalled-0) >= 0.95 * $limit - 1"
	check_holds "stall: for some time, and no longer than it ran" "$sum > 0 && $sum * 100 <= $begin"
	# Less than their sum, if the task has moved between CPUs.
	check_holds "stall: they are its pressure ($own s of $sum s)" "$own > 0 && $own <= 1.01 * $sum"
	[ "$vm_psi" = yes ] || return 0
	fact "memory pressure against PSI" "$(calc %+.1f "($own / ($psi / 1e6) - 1) * 100") %"
	# The kernel counts other waits for memory, too.
	check_holds "stall: and PSI's memory pressure ($psi us), or most of it" \
		"$own <= 1.05 * $psi / 1e6 + 0.005 && $own >= 0.7 * $psi / 1e6 - 0.005"
}

free_kb() { awk '/^MemFree/ { print $2 }' /proc/meminfo; }
free_is_below() { [ "$(free_kb)" -lt "$1" ]; }

# Direct reclaims by ftrace's count, in an instance of its own. /proc/vmstat counts one again each time
# that it is retried (do_try_to_free_pages()), which is up to a third of them.
reclaims=/sys/kernel/tracing/instances/reclaims
reclaims_begin() {
	mkdir $reclaims
	echo 1 >$reclaims/events/vmscan/mm_vmscan_direct_reclaim_begin/enable
}
reclaims_seen() { grep -c mm_vmscan_direct_reclaim_begin: $reclaims/trace; }
reclaims_end() { rmdir $reclaims; }

# take_memory: all but 40 MiB, by tasks that hold it: $holders. What was dropped from the page cache is
# free only after a while, so a second one may have to take the rest.
take_memory() {
	local try
	holders=
	for try in 1 2 3; do
		/test/hog $((($(free_kb) - 40960) / 1024)) 1 600 &
		holders="$holders $!"
		! wait_until 5 free_is_below 49152 || return 0
	done
	note "the memory is not taken: $(free_kb) kB are free"
}

# The machine has no free memory, so a task that wants some must reclaim it. 24 MiB of a file can be
# reclaimed, and kswapd gets no time to do it.
test_direct_stall() {
	local try most least most_seen least_seen before ours
	reclaims_begin
	[ -s $tmp/ext4/big ] || dd if=/dev/zero of=$tmp/ext4/big bs=1M count=24 2>/dev/null
	sync
	echo 3 >/proc/sys/vm/drop_caches
	echo 1024 >/proc/sys/vm/min_free_kbytes
	echo 1 >/proc/sys/vm/watermark_scale_factor
	take_memory
	# The kernel's counts are read before and after ours.
	most=$(vmstat_of allocstall) most_seen=$(reclaims_seen)
	scrape
	least=$(vmstat_of allocstall) least_seen=$(reclaims_seen)
	before=$(metric_or_0 bramble_memory_stall_seconds_count)
	for try in 1 2 3; do
		cat $tmp/ext4/big >/dev/null
		new_pod shop direct-$try db
		in_pod /test/hog $(($(free_kb) / 1024 + 8))
		go
		wait "$pod_pid"
		gone
		scrape
		# It may find memory that kswapd has freed, after all.
		[ "$(stalls_of direct-$try)" = 0 ] || break
	done
	least=$(($(vmstat_of allocstall) - least)) least_seen=$(($(reclaims_seen) - least_seen))
	scrape
	most=$(($(vmstat_of allocstall) - most)) most_seen=$(($(reclaims_seen) - most_seen))
	reclaims_end
	# shellcheck disable=SC2086 # a list
	kill -KILL $holders
	# shellcheck disable=SC2086
	wait $holders 2>/dev/null
	ours=$(calc %d "$(metric_or_0 bramble_memory_stall_seconds_count) - $before")
	note "$mode""direct reclaim: the kernel counts $least to $most, bramble $ours, of the pod $(stalls_of direct-$try)"
	check_holds "stall: direct reclaims are as many as ftrace sees ($least_seen to $most_seen and $ours)" \
		"$least_seen > 0 && $ours >= 0.9 * $least_seen - 1 && $ours <= $most_seen"
	check_holds "stall: and no more than the kernel counts with retries ($least to $most)" "$least > 0 && $ours <= $most"
	check_holds "stall: those of the pod are its own ($(stalls_of direct-$try))" "$(stalls_of direct-$try) > 0"
}

test_memory() {
	check_holds "memory: the probe is up" "$(metric_or_0 bramble_probe_up probe=memory) == 1"
	if [ "$vm_memory" = yes ]; then
		test_oom
		test_memcg_stall
	fi
	test_direct_stall
	check_holds "memory: nothing was lost" "$(metric_or_0 bramble_probe_lost_total probe=memory) == 0"
}
