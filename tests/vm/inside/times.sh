#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# shellcheck shell=dash disable=SC2154 # from the kernel's command line, and lib.sh
#
# Where the time of tasks goes: all states together are the lifetimes that tasks know of themselves;
# the limit of a container's CPU time, and pauses of one that writes faster than its disk.

# states_of POD STATE...: what a container has of all of them, in ns
states_of() {
	local pod=$1 name sum=0
	shift
	for name; do
		sum="$sum + 1e9 * $(metric_or_0 bramble_task_seconds_total pod="$pod" state="$name")"
	done
	calc %.0f "$sum"
}
blocked_states="memory dirty fsync disk blocked"
all_states="running runnable throttled $blocked_states sleep"

uptime_ns() { awk '{ printf "%.0f", $1 * 1e9 }' /proc/uptime; }

# What a task does as it begins and exits it cannot measure: milliseconds on an emulated machine.
lives() {
	local pod=lives-${#mode} result=$tmp/result from at lived tasks first grown lost
	rm -f $result $tmp/start
	mkfifo $tmp/start
	new_pod times "$pod" main
	in_pod /test/lives 2 $tmp/start $result
	go
	sleep 0.5
	at=$(uptime_ns)
	scrape
	# shellcheck disable=SC2086 # lists
	from=$(states_of "$pod" $all_states)
	echo >$tmp/start
	wait_until 30 test -s $result || { fail "times: $pod: no result"; return; }
	freeze "$pod_pid"
	at=$(calc %.0f "$(uptime_ns) - $at")
	scrape
	read -r lived _ _ _ _ tasks first <$result
	# shellcheck disable=SC2086
	grown=$(calc %.0f "$(states_of "$pod" $all_states) - $from")
	lost=$(metric_or_0 bramble_probe_lost_total probe=sched reason=tasks)
	note "${mode}times: $pod: $grown ns in all states, $tasks tasks lived $lived + $at - $first ns"
	check_holds "times: all states together are the lifetimes ($grown ns)" \
		"near($grown, $lived + $at - $first, 0.02 * $lived + 5e6 * $tasks + 1e8 + 2e9 * $lost)"
	fact "lifetimes, ${mode%: }" "$(calc %+.2f "($grown / ($lived + $at - $first) - 1) * 100") %"
	kill -KILL "$pod_pid"
	wait "$pod_pid" 2>/dev/null
}

# One task, alone on its CPU, that would run all the time.
limited() {
	local pod=limited-${#mode} from at throttled ran waited
	new_pod times "$pod" main
	echo "20000 100000" >"$pod_cgroup/cpu.max"
	in_pod taskset 2 /test/spin 60
	go
	sleep 0.3
	at=$(uptime_ns)
	scrape
	from=$(states_of "$pod" throttled) ran=$(states_of "$pod" running) waited=$(states_of "$pod" runnable)
	sleep 1.5
	scrape
	at=$(calc %.0f "$(uptime_ns) - $at")
	throttled=$(calc %.0f "$(states_of "$pod" throttled) - $from")
	ran=$(calc %.0f "$(states_of "$pod" running) - $ran")
	waited=$(calc %.0f "$(states_of "$pod" runnable) - $waited")
	note "${mode}times: $pod: $at ns: ran $ran, waited $waited, throttled $throttled"
	check_holds "times: a limited task runs, waits or is throttled, all the time" \
		"near($ran + $waited + $throttled, $at, 0.02 * $at + 3e8)"
	check_holds "times: the limit holds it back ($throttled of $at ns)" "$throttled > 0.6 * $at"
	kill -KILL "$pod_pid"
	wait "$pod_pid" 2>/dev/null
}

# A disk that is slower than its writer, and little room for pages that wait for it.
writes() {
	local pod=writes-${#mode} all dirty bytes background
	bytes=$(cat /proc/sys/vm/dirty_ratio) background=$(cat /proc/sys/vm/dirty_background_ratio)
	echo 1000000 >/proc/sys/vm/dirty_background_bytes
	echo 2000000 >/proc/sys/vm/dirty_bytes
	new_pod times "$pod" main
	in_pod dd if=/dev/zero of="/dev/$(disk slow)" bs=64k count=100
	go
	wait "$pod_pid"
	echo "$background" >/proc/sys/vm/dirty_background_ratio
	echo "$bytes" >/proc/sys/vm/dirty_ratio
	scrape
	# shellcheck disable=SC2086
	all=$(states_of "$pod" $blocked_states)
	dirty=$(states_of "$pod" dirty)
	note "${mode}times: $pod: blocked for $all ns, paused for $dirty"
	check_holds "times: a writer pauses" "$dirty > 0"
}

test_times() {
	lives
	limited
	load_driver && [ -n "$(disk slow)" ] && writes
}
