#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# The wait that bramble shows for a container must equal the run_delay that the kernel counted for
# its tasks, within 1 % and half a microsecond for each wait. With and without BTF, while tasks fork
# and exit. See tests/workload/forker.c.
. "$(dirname "$0")/lib.sh"

seconds=10

# What the kernel has counted for the tasks that are in a container now:
# RUN_DELAY_NS WAITS VOLUNTARY INVOLUNTARY TASKS
sum_of_tasks() { # NAME
	local tid
	for tid in $(cat "$cgroup2${container_cgroup[$1]}/cgroup.threads"); do
		awk '
			FILENAME ~ /schedstat$/ { delay = $2; waits = $3 }
			$1 == "voluntary_ctxt_switches:" { voluntary = $2 }
			$1 == "nonvoluntary_ctxt_switches:" { involuntary = $2 }
			END { printf "%.0f %d %d %d 1\n", delay, waits, voluntary, involuntary }
		' "/proc/$tid/schedstat" "/proc/$tid/status"
	done | awk '
		# %.0f: %d of mawk ends at 2^31.
		{ for (i = 1; i <= 5; i++) sum[i] += $i }
		END { printf "%.0f %d %d %d %d\n", sum[1], sum[2], sum[3], sum[4], sum[5] }'
}

# What bramble has counted for it: SUM_NS WAITS VOLUNTARY INVOLUNTARY
sum_of_bramble() { # POD
	scrape
	echo "$(metric_or_0 bramble_cpu_wait_seconds_sum pod="$1") $(
		metric_or_0 bramble_cpu_wait_seconds_count pod="$1") $(
		metric_or_0 bramble_cpu_context_switches_total pod="$1" kind=voluntary) $(
		metric_or_0 bramble_cpu_context_switches_total pod="$1" kind=involuntary)" |
		awk '{ printf "%.0f %.0f %.0f %.0f\n", $1 * 1e9, $2, $3, $4 }'
}

compare() { # MODE CHILDREN SLACK_NS: how many children are there at a time; allowed beside 1 %, per wait
	local mode=$1 children=$2 slack_ns=$3 pod=truth-$1 result=$tmp/share/result-$1 tasks0 tasks1 bramble0 bramble1 exited lost
	mkdir -p "$tmp/share"
	mkfifo "$tmp/share/go-$mode"
	start_bramble
	start_pod truth "$pod" main taskset 1 forker $seconds "/share/go-$mode" "/share/result-$mode" \
		"$children"
	# The container sleeps on the FIFO at both readings, so nothing happens between them.
	sleep 0.5
	tasks0=$(sum_of_tasks "$pod")
	bramble0=$(sum_of_bramble "$pod")
	echo >"$tmp/share/go-$mode"
	wait_until $((seconds + 20)) test -s "$result" || { fail "$mode: no result"; return; }
	sleep 0.3
	tasks1=$(sum_of_tasks "$pod")
	bramble1=$(sum_of_bramble "$pod")
	exited=$(cut -d' ' -f2- "$result")
	lost=$(metric_or_0 bramble_probe_lost_total probe=sched)

	# shellcheck disable=SC2086 # lists of numbers
	set -- $tasks0 $tasks1 $exited $bramble0 $bramble1
	local truth_ns=$(($6 - $1 + ${11})) waits=$(($7 - $2 + ${12}))
	local voluntary=$(($8 - $3 + ${13})) involuntary=$(($9 - $4 + ${14})) tasks=${15}
	local bramble_ns=$((${20} - ${16})) bramble_waits=$((${21} - ${17}))
	local bramble_voluntary=$((${22} - ${18})) bramble_involuntary=$((${23} - ${19}))
	note "$mode: $tasks tasks exited; events lost: $lost"
	note "$mode: kernel  $truth_ns ns, $waits waits, $voluntary voluntary, $involuntary involuntary"
	note "$mode: bramble $bramble_ns ns, $bramble_waits waits, $bramble_voluntary voluntary, $bramble_involuntary involuntary"
	note "$mode: $(awk "BEGIN { printf \"%+.3f %%, %+.0f ns a wait\", \
		($bramble_ns / $truth_ns - 1) * 100, ($bramble_ns - $truth_ns) / $waits }")"

	check_holds "$mode: there was something to measure" "$waits > 10000 && $tasks > 500"
	check_holds "$mode: run_delay within 1 % and $slack_ns ns a wait" \
		"($bramble_ns - $truth_ns) ^ 2 <= (0.01 * $truth_ns + $slack_ns * $waits) ^ 2"
	# The kernel does not count the few runs whose queueing it has not stamped.
	check_holds "$mode: as many waits, to 0.5 %" \
		"($bramble_waits - $waits) ^ 2 <= (0.005 * $waits + 2) ^ 2"
	# When a task exits, the kernel does not count its last switch.
	check_holds "$mode: as many voluntary switches" \
		"$bramble_voluntary >= $voluntary - 2 && $bramble_voluntary <= $voluntary + $tasks + 2"
	check_holds "$mode: as many involuntary switches" \
		"($bramble_involuntary - $involuntary) ^ 2 <= (0.001 * $involuntary + 2) ^ 2"
	stop_container "$pod"
	stop_bramble
}

# Many children: long waits. One: short ones, many of them from an idle CPU. There the kernel's
# clock of the run queue stands still from the wakeup to the switch (rq_clock_skip_update()),
# so that it counts no wait where bramble counts the microseconds it took.
test_mode() {
	compare "$1" 4 500
	compare "short-$1" 1 3000
}
for_each_btf test_mode
finish
