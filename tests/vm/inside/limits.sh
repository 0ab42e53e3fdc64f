#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# shellcheck shell=dash disable=SC2154,SC2034 # from the kernel's command line; used elsewhere
#
# Limits and saturation, with cgroup v2 alone and its controllers: throttling, memory, PSI,
# as the kernel's files have them; and absent where the kernel has them off.

# line FILE WORD: the number behind a word in a file of the last pod's cgroup
line() { awk -v word="$2" '$1 == word { print $2 }' "$pod_cgroup/$1"; }

us() { calc %.6f "$1 / 1e6"; }

same() { # WHAT EXPECTED METRIC LABEL=VALUE...
	local what=$1 expected=$2
	shift 2
	check_holds "$what ($(metric "$@") and $expected)" "$(metric "$@") - $expected == 0"
}

# absent WHAT METRIC FEATURE
absent() {
	check_holds "$1" "$(grep -c "^$2" $tmp/metrics) == 0 && $(metric_or_0 bramble_node_feature feature="$3" state=off) == 1"
}

test_cpu_limit() {
	new_pod limits busy-0 main
	echo "20000 100000" >"$pod_cgroup/cpu.max"
	in_pod /test/spin 1
	go
	wait "$pod_pid"
	sleep 0.5 # the period goes on for a moment
	scrape
	check_holds "CPU limit: the pod was stopped ($(line cpu.stat nr_throttled) times)" "$(line cpu.stat nr_throttled) > 5"
	same "CPU use is cpu.stat's" "$(us "$(line cpu.stat usage_usec)")" bramble_cpu_usage_seconds_total pod=busy-0
	same "throttled time" "$(us "$(line cpu.stat throttled_usec)")" bramble_cpu_throttled_seconds_total pod=busy-0
	same "throttled periods" "$(line cpu.stat nr_throttled)" bramble_cpu_throttled_periods_total pod=busy-0
	same "periods" "$(line cpu.stat nr_periods)" bramble_cpu_periods_total pod=busy-0
}

test_memory_limit() {
	new_pod limits fat-0 main
	echo 16M >"$pod_cgroup/memory.max"
	in_pod dd if=/dev/zero of=/dev/null bs=48M count=1
	go
	wait "$pod_pid" 2>/dev/null
	scrape
	same "memory limit" 16777216 bramble_memory_limit_bytes pod=fat-0
	check_holds "no limit, no figure" "$(grep -c '^bramble_memory_limit_bytes' $tmp/metrics) == 1"
	check_holds "memory limit: a process was killed ($(line memory.events oom_kill))" "$(line memory.events oom_kill) > 0"
	same "kills for memory" "$(line memory.events oom_kill)" bramble_memory_events_total pod=fat-0 event=oom_kill
	same "times at the limit" "$(line memory.events max)" bramble_memory_events_total pod=fat-0 event=max
	in_pod sleep 100
	go
	sleep 0.3
	scrape
	check_holds "working set ($(metric bramble_memory_working_set_bytes pod=fat-0) bytes)" "near($(
		metric bramble_memory_working_set_bytes pod=fat-0), $(cat "$pod_cgroup/memory.current") - $(line memory.stat inactive_file), 262144)"
	kill "$pod_pid"
}

psi_some() { sed -n 's/^some .*total=//p' "$1/cpu.pressure"; } # CGROUP

# Two pods on one CPU: ours is the kernel's, within 5 % and 20 ms.
test_pressure() {
	local pod spinner server try
	for try in 1 2 3; do
		new_pod limits spinner-$try main
		spinner=$pod_cgroup
		in_pod taskset 1 /test/spin 1
		new_pod limits server-$try main
		server=$pod_cgroup
		in_pod taskset 1 /test/burst 1 20000 5000
		go
		sleep 2
		scrape
		# On a machine that has little time for this one they may not have met.
		[ "$(psi_some "$spinner")" -lt 100000 ] || [ "$(psi_some "$server")" -lt 100000 ] || break
	done
	for pod in spinner server; do
		eval "pod_cgroup=\$$pod"
		same "$pod: pressure is cpu.pressure's" "$(us "$(psi_some "$pod_cgroup")")" \
			bramble_pressure_seconds_total pod=$pod-$try resource=cpu kind=some
		check_holds "$pod: our pressure ($(metric_or_0 bramble_cpu_wait_some_seconds_total pod=$pod-$try) s) is PSI's ($(
			us "$(psi_some "$pod_cgroup")") s) within 5 % and 20 ms" "near($(
			metric_or_0 bramble_cpu_wait_some_seconds_total pod=$pod-$try), $(us "$(psi_some "$pod_cgroup")"), 0.05 * $(
			us "$(psi_some "$pod_cgroup")") + 0.02) && $(psi_some "$pod_cgroup") > 100000"
	done
	fact "CPU pressure against PSI" "$(calc %+.1f "($(metric_or_0 bramble_cpu_wait_some_seconds_total pod=server-$try) \
		/ $(us "$(psi_some "$server")") - 1) * 100") %"
}

test_limits() {
	test_cpu_limit
	if [ "$vm_memory" = yes ]; then
		test_memory_limit
	else
		absent "no memory controller, no memory figures" bramble_memory_ memory_controller
	fi
	if [ "$vm_psi" = yes ]; then
		test_pressure
	else
		absent "no PSI, no pressure" bramble_pressure_ psi
		check "no PSI: our own pressure is there" grep -q '^bramble_cpu_wait_some_seconds_total' $tmp/metrics
		check "the log says how to turn it on" grep -q "off: .*psi=1" $tmp/bramble.log
	fi
}
