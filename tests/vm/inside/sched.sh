#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# shellcheck shell=dash disable=SC2154,SC2044 # from the kernel's command line; no spaces
#
# The wait for a CPU, against the kernel's own count: run_delay of schedstat.

seconds=1

# counts POD CGROUP: the kernel's and bramble's, from a new scrape:
# RUN_DELAY_NS WAITS VOLUNTARY INVOLUNTARY, twice
counts() {
	local kernel
	kernel=$(kernel_counts "$2")
	scrape
	echo "$kernel $(bramble_counts "$1")"
}

# agree WHAT BEFORE AFTER [EXITED]: two counts, and what exited tasks have counted. Within
# 2 % and 5 us a wait: emulation is slow, and the kernel reads its clock a little before
# the tracepoint. It leaves out the few waits whose start it has not stamped.
agree() {
	local what=$1 percent off tasks
	# shellcheck disable=SC2046 # lists of numbers
	set -- $(echo "$2 $3 ${4:-0 0 0 0 0}" | awk '{
		for (i = 1; i <= 8; i++)
			printf "%.0f ", $(i + 8) - $i + (i <= 4 ? $(i + 16) : 0)
		print $21 }')
	tasks=$9
	note "$mode$what: kernel $1 ns, $2 waits, $3 voluntary, $4 involuntary"
	note "$mode$what: bramble $5 ns, $6 waits, $7 voluntary, $8 involuntary; $tasks tasks exited"
	percent=$(calc %+.2f "($5 / ($1 + 1e-9) - 1) * 100")
	off=$(calc %+.2f "($5 - $1) / ($2 + 1e-9) / 1000")
	check_holds "$what: run_delay within 2 % and 5 us a wait ($2 waits, $(calc %.3f "$1 / 1e9") s: $percent %, $off us a wait)" \
		"$2 > 0 && near($5, $1, 0.02 * $1 + 5000 * $2)"
	check_holds "$what: as many waits ($2 and $6)" "near($6, $2, 0.005 * $2 + 2)"
	# When a task exits, the kernel does not count its last switch.
	check_holds "$what: context switches agree ($3 and $7 voluntary, $tasks tasks exited; $4 and $8 involuntary)" \
		"$7 >= $3 - 2 && $7 <= $3 + $tasks + 2 && near($8, $4, 0.001 * $4 + 2)"
	agreed="$percent %, $off us a wait"
}

# A victim and a hog on one CPU. The hog is charged.
test_victim() {
	local victim hog victim_cgroup before caused by_hog count sum
	new_pod shop victim-0 web
	victim_cgroup=$pod_cgroup
	in_pod taskset 1 /test/burst 60 20000 5000
	victim=$pod_pid
	new_pod crypto hog-0 miner
	in_pod taskset 1 /test/spin 60
	hog=$pod_pid
	before=$(counts victim-0 "$victim_cgroup")
	go
	sleep 1
	/test/bramble top --once --socket=$tmp/bramble.sock >$tmp/top.txt
	freeze "$hog" "$victim"
	agree victim "$before" "$(counts victim-0 "$victim_cgroup")"
	scrape
	caused=$(metric_or_0 bramble_cpu_wait_caused_seconds_total namespace=shop pod=victim-0)
	by_hog=$(metric_or_0 bramble_cpu_wait_caused_seconds_total namespace=shop pod=victim-0 \
		by_namespace=crypto by_pod=hog-0 by_container=miner)
	note "$(grep '^bramble_cpu_wait_caused_seconds_total{.*[{,]pod="victim-0"' $tmp/metrics | tr '\n' ';')"
	count=$(metric_or_0 bramble_cpu_wait_seconds_count namespace=shop pod=victim-0 container=web)
	sum=$(metric_or_0 bramble_cpu_wait_seconds_sum namespace=shop pod=victim-0 container=web)
	check_holds "victim: its waits are in its histogram ($(calc %d "$count") waits, $sum s)" "$count > 20 && $sum > 0.3"
	check_holds "victim: the hog is charged by name ($by_hog of $caused s)" \
		"$by_hog > 0.5 * $caused && $caused > 0.1 && $caused <= $sum + 0.01"
	check "top: shows the victim and the hog" sh -c \
		"grep -q victim-0 $tmp/top.txt && grep -q hog-0 $tmp/top.txt"
	kill -KILL "$victim" "$hog"
	wait "$victim" "$hog" 2>/dev/null
}

# truth POD CPUS [COMPANY]: tasks that fork and exit, and threads, on one CPU or on all
# of them (a mask), beside COMPANY long-lived tasks. On all CPUs it wants some: a CPU
# that runs out of tasks looks for some on the others, which takes tens of microseconds
# here, between the kernel's reading of its clock and the tracepoint.
truth() {
	local before exited company='' i result=$tmp/result
	rm -f $result $tmp/start
	mkfifo $tmp/start
	new_pod truth "$1" main
	in_pod taskset "$2" /test/forker $seconds $tmp/start $result 4
	company=$pod_pid
	go
	i=0
	while [ $i -lt "${3:-0}" ]; do
		in_pod taskset "$2" /test/burst 60 6000 3000
		company="$company $pod_pid"
		i=$((i + 1))
	done
	sleep 0.5
	# They sleep, all of them.
	before=$(counts "$1" "$pod_cgroup")
	echo >$tmp/start
	go
	if ! wait_until $((seconds + 30)) test -s $result; then
		fail "$1: no result"
		return
	fi
	# shellcheck disable=SC2086 # a list
	freeze $company
	exited=$(cut -d' ' -f2- $result)
	agree "$1" "$before" "$(counts "$1" "$pod_cgroup")" "$exited"
	fact "$1, ${mode%: }" "$agreed"
	# shellcheck disable=SC2086
	kill -KILL $company
	# shellcheck disable=SC2086
	wait $company 2>/dev/null
}

# A container that lives for 50 ms between two scrapes has its name.
test_short_lived() {
	local i pids=''
	for i in 1 2 3 4 5 6 7 8 9 10; do
		new_pod batch "job-$i" main
		in_pod /test/burst 0.05 500 500
		pids="$pids $pod_pid"
	done
	go
	# shellcheck disable=SC2086 # a list
	wait $pids
	for i in $(find $cgroup2/kubepods -mindepth 2 -depth -type d); do
		rmdir "$i" 2>/dev/null
	done
	scrape
	i=$(grep '^bramble_cpu_wait_seconds_count{' $tmp/metrics | grep -o 'pod="job-[0-9]*"' | sort -u | wc -l)
	check_holds "short-lived: 10 cgroups of 50 ms are counted and named ($i)" "$i == 10"
}

# A container that has used up its cpu.max waits.
test_throttled() {
	local throttled_us sum before
	new_pod shop limited-0 web
	echo "20000 100000" >"$pod_cgroup/cpu.max"
	in_pod taskset 2 /test/spin 60
	before=$(counts limited-0 "$pod_cgroup")
	go
	sleep 1
	freeze "$pod_pid"
	agree throttled "$before" "$(counts limited-0 "$pod_cgroup")"
	throttled_us=$(awk '$1 == "throttled_usec" { print $2 }' "$pod_cgroup/cpu.stat")
	sum=$(metric_or_0 bramble_cpu_wait_seconds_sum pod=limited-0)
	check_holds "throttled: its wait appears ($sum s, cpu.stat has $(calc %.3f "$throttled_us / 1e6") s)" "$sum > 0.5"
	kill -KILL "$pod_pid"
	wait "$pod_pid" 2>/dev/null
}

# A CPU goes away and comes back. Not every kernel can.
test_cpu_hotplug() {
	local cpu=/sys/devices/system/cpu/cpu3/online before after
	[ -w $cpu ] || return 0
	echo 0 >$cpu && echo 1 >$cpu || return 0
	scrape
	before=$(metric_or_0 bramble_cpu_wait_seconds_count pod=back-0)
	new_pod shop back-0 web
	in_pod taskset 8 /test/burst 0.5 500 500
	go
	wait "$pod_pid"
	scrape
	after=$(metric_or_0 bramble_cpu_wait_seconds_count pod=back-0)
	check_holds "a CPU that came back is counted ($after waits)" "$after - $before > 20"
}

test_sched() {
	local hooks=current_task
	[ "$vm_prev_state" = yes ] || hooks=current_task_by_id
	check_holds "sched: attribution is by $hooks" \
		"$(metric_or_0 bramble_probe_attribution_info probe=sched mode=$hooks) == 1"
	fact "sched" $hooks
	test_victim
	truth one-cpu 1
	truth four-cpus f 8
	test_short_lived
	# How these are told does not depend on where the layouts come from.
	if [ -n "$first_mode" ]; then
		test_throttled
		test_cpu_hotplug
	fi
	lost=$(metric_or_0 bramble_probe_lost_total)
	note "$(grep '^bramble_probe_lost_total' $tmp/metrics | tr '\n' ';')"
	check_holds "sched: less than 1 event in 1000 is lost ($lost of $(metric bramble_probe_events_total probe=sched))" \
		"$lost < 20 + 0.001 * $(metric_or_0 bramble_probe_events_total probe=sched)"
}
