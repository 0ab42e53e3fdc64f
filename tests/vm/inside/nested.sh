#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# shellcheck shell=dash disable=SC2154 # set elsewhere
#
# A process of one pod makes more cgroups in its container than there are slots, and is in each for a
# moment. Then new pods come, and all that they do must be counted for them. Where a program cannot ask
# for a cgroup's ancestors (before 5.15, without BTF), the loop takes the surplus of slots back.

nested_count=${nested_count:-400}
nested_slots=${nested_slots:-256}

nests_done() { grep -q '^done' $tmp/nests; }

# The switches of the pods new-0 to new-19: a line each, by the kernel and by bramble.
nested_counts() {
	scrape
	while read -r pod pid; do
		echo "$pod $(awk '/ctxt_switches:/ { n += $2 } END { print n }' "/proc/$pid/status") $(
			metric_or_0 bramble_cpu_context_switches_total pod="$pod" container=main)"
	done <$tmp/new-pods
}

test_nested() {
	local i=0 pids='' nests wrong old_flag=$btf_flag
	btf_flag="--btf=none --slots=$nested_slots"
	start_bramble || { fail "nested: serve starts"; cat $tmp/bramble.log; return; }
	new_pod guests hostile main
	in_pod /test/nests "$pod_cgroup" "$nested_count" >$tmp/nests
	nests=$pod_pid
	go
	wait_until 60 nests_done || fail "nested: $nested_count nested cgroups were used"
	: >$tmp/new-pods
	while [ $i -lt 20 ]; do
		new_pod shop new-$i main
		in_pod /test/burst 60 500 20000
		pids="$pids $pod_pid"
		echo "new-$i $pod_pid" >>$tmp/new-pods
		i=$((i + 1))
	done
	nested_counts >$tmp/nested-before
	go
	sleep 1
	# shellcheck disable=SC2086 # a list
	freeze $pids
	nested_counts >$tmp/nested-after
	wrong=$(paste $tmp/nested-before $tmp/nested-after | awk '$5 - $2 != $6 - $3 || $6 - $3 < 5 {
		printf "%s %d, kernel %d; ", $1, $6 - $3, $5 - $2 }')
	check_holds "nested: 20 pods that come after $nested_count nested cgroups, $nested_slots slots: those whose switches are not all theirs: ${wrong:-none}" \
		"$(wc -l <$tmp/nested-after) == 20 && \"$wrong\" == \"\""
	check_holds "nested: what was done in them counts for their container ($(metric bramble_cpu_context_switches_total pod=hostile))" \
		"$(metric_or_0 bramble_cpu_context_switches_total pod=hostile) > 0"
	note "nested: without a slot $(metric_or_0 bramble_probe_lost_total reason=no_slot), slots $(
		grep '^bramble_slots' $tmp/metrics | tr '\n' ' ')"
	# shellcheck disable=SC2086 # a list
	kill -KILL $pids "$nests"
	# shellcheck disable=SC2086
	wait $pids "$nests" 2>/dev/null
	stop_bramble
	check_holds "nested: bramble ended with 0" "$bramble_code == 0"
	btf_flag=$old_flag
	remove_cgroups
}
