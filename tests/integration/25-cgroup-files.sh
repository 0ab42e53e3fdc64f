#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# What the kernel itself counts for a container: CPU use is exactly what cpu.stat
# says, PSI what the pressure files say; what is not there is absent.
. "$(dirname "$0")/lib.sh"

# file_value POD FILE WORD: of a line "WORD number", in microseconds, as seconds.
file_value() {
	awk -v word="$3" '$1 == word { printf "%.6f\n", $2 / 1e6 }' "$cgroup2${container_cgroup[$1]}/$2"
}

# pressure POD RESOURCE KIND
pressure() {
	sed -n "s/^$3 .*total=//p" "$cgroup2${container_cgroup[$1]}/$2.pressure" | awk '{ printf "%.6f\n", $1 / 1e6 }'
}

equal() { # WHAT EXPECTED LABEL-OR-METRIC...
	local what=$1 expected=$2 value
	shift 2
	value=$(metric "$@")
	check_holds "$what (${value:-nothing} and $expected s)" "$value - $expected == 0 && $expected > 0"
}

start_bramble
start_pod files busy-0 main sh -c 'spin 2; spin 1 & spin 1 & read -r _ </share/end'
mkfifo "$tmp/share/end"
wait_until 20 sh -c "[ \$(ps --ppid ${container_pid[busy-0]} -o comm= | wc -l) = 2 ]"
# Stopped, so that nothing is counted between the two readings.
# shellcheck disable=SC2046 # numbers
kill -STOP "${container_pid[busy-0]}" $(ps --ppid "${container_pid[busy-0]}" -o pid=)
sleep 0.5
scrape
equal "CPU use is that of cpu.stat" "$(file_value busy-0 cpu.stat usage_usec)" \
	bramble_cpu_usage_seconds_total pod=busy-0 container=main
if [ -e "$cgroup2${container_cgroup[busy-0]}/cpu.pressure" ]; then
	equal "CPU pressure is that of cpu.pressure" "$(pressure busy-0 cpu some)" \
		bramble_pressure_seconds_total pod=busy-0 resource=cpu kind=some
	check "the node: PSI is present" test -n "$(metric bramble_node_feature feature=psi state=present)"
else
	check "without PSI there is no pressure" test -z "$(metric bramble_pressure_seconds_total)"
	check "the node: PSI is off" test -n "$(metric bramble_node_feature feature=psi state=off)"
	skip "CPU pressure: PSI is off here"
fi
if [ ! -e "$cgroup2${container_cgroup[busy-0]}/memory.max" ]; then
	check "without the memory controller, there is no memory figure" test -z "$(
		metric bramble_memory_working_set_bytes pod=busy-0)$(metric bramble_memory_limit_bytes)"
	check "the node: the memory controller is off" test -n "$(
		metric bramble_node_feature feature=memory_controller state=off)"
	check "the log says how to turn it on" grep -q 'off: memory controller' "$bramble_log"
fi
check "the pod's own cgroup has no CPU use of its own" test "$(
	select_metric bramble_cpu_usage_seconds_total | grep -c "${pod_uid[busy-0]}\|busy-0")" = 1
check_holds "the node: its load and memory are those of procfs" "$(metric bramble_node_memory_total_bytes) == \
	$(awk '$1 == "MemTotal:" { printf "%.0f", $2 * 1024 }' /proc/meminfo) && $(metric_or_0 bramble_node_load1) >= 0"

# The end of a container leaves no descriptor open.
fds=$(metric process_open_fds)
stop_container busy-0
sleep 0.3
scrape
scrape
check_holds "what is gone is closed ($fds, then $(metric process_open_fds) descriptors)" \
	"$(metric process_open_fds) <= $fds - 1"
finish
