#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# shellcheck shell=dash disable=SC2154 # set elsewhere
#
# CPUs that go away and come back under load, and a machine whose first CPU is not there when bramble
# starts: the switches and waits of a pod are the kernel's.

# cpu NUMBER 0|1: takes it away, or brings it back
cpu() { echo "$2" >/sys/devices/system/cpu/cpu"$1"/online; }

# start_workers POD: four tasks of a pod that sleep until go. Sets workers and worker_cgroup.
start_workers() {
	local i
	new_pod shop "$1" web
	worker_cgroup=$pod_cgroup
	workers=
	for i in 1 2 3 4; do
		in_pod /test/burst 60 $((i * 900)) 2000
		workers="$workers $pod_pid"
	done
}

# as_the_kernel POD BEFORE: compares what was counted since BEFORE (counts), ends the workers
as_the_kernel() {
	local pod=$1 after
	# shellcheck disable=SC2086 # lists
	freeze $workers
	after=$(counts "$pod" "$worker_cgroup")
	# shellcheck disable=SC2046
	set -- $(echo "$2 $after" | awk '{ for (i = 2; i <= 8; i++) printf "%.0f ", $(i + 8) - $i }')
	check_holds "$pod: as many waits as the kernel ($1 and $5)" "$1 > 100 && near($5, $1, 0.005 * $1 + 4)"
	check_holds "$pod: as many switches ($2 and $6 voluntary, $3 and $7 involuntary)" \
		"near($6, $2, 0.001 * $2 + 4) && near($7, $3, 0.005 * $3 + 4)"
	# shellcheck disable=SC2086
	kill -KILL $workers
	# shellcheck disable=SC2086
	wait $workers 2>/dev/null
}

test_hotplug() {
	local before
	if [ ! -e /sys/devices/system/cpu/cpu3/online ]; then
		note "hotplug: this kernel cannot take CPUs away"
		return
	fi
	# It starts on a CPU that is taken away afterwards.
	taskset -p 8 $$ >/dev/null
	start_bramble || { fail "hotplug: serve starts"; return; }
	taskset -p e $$ >/dev/null
	taskset -p f "$bramble_pid" >/dev/null
	start_workers unplugged-0
	before=$(counts unplugged-0 "$worker_cgroup")
	go
	for _ in 1 2 3; do
		cpu 3 0 && cpu 2 0 || fail "hotplug: CPUs can be taken away"
		sleep 0.3
		cpu 2 1 && cpu 3 1 || fail "hotplug: and come back"
		sleep 0.3
	done
	as_the_kernel unplugged-0 "$before"
	stop_bramble
	check_holds "hotplug: bramble ended with 0" "$bramble_code == 0"
	test_without_first_cpu
	remove_cgroups
}

test_without_first_cpu() {
	local before
	if ! cpu 0 0 2>/dev/null; then
		note "hotplug: this kernel keeps its first CPU"
		return
	fi
	if ! start_bramble; then
		fail "hotplug: serve starts without the first CPU"
		cat $tmp/bramble.log
		cpu 0 1
		return
	fi
	pass "hotplug: serve starts without the first CPU"
	scrape
	# Whether fsyncs are measured depends on the file systems that there are.
	check_holds "hotplug: no probe is missing then" \
		"$(grep -v fsync $tmp/metrics | grep -c '^bramble_probe_up.* 0$') == 0"
	start_workers first-gone-0
	before=$(counts first-gone-0 "$worker_cgroup")
	go
	sleep 0.5
	cpu 0 1 || fail "hotplug: the first CPU comes back"
	sleep 0.5
	cpu 0 0
	sleep 0.3
	cpu 0 1
	as_the_kernel first-gone-0 "$before"
	stop_bramble
}
