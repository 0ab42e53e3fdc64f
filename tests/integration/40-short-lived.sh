#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# A container that lives and dies between two scrapes is in the second one, with its name.
. "$(dirname "$0")/lib.sh"

count=200
start_bramble
scrape

# Ten at a time, so that they are over soon. Each is used for 50 ms and removed.
use_cgroup() { # PATH
	(
		echo "$BASHPID" >"$cgroup2$1/cgroup.procs" && exec "$workloads/burst" 0.05 500 500
	)
	wait_until 2 rmdir "$cgroup2$1" 2>/dev/null
}

for ((i = 0; i < count; i++)); do
	uid=$(new_uid)
	make_log_dir batch "job-$i" "$uid" main
	path=/kubepods/besteffort/pod$uid/$(random_hex 64)
	make_cgroup "$path"
	use_cgroup "$path" &
	jobs[i % 10]=$!
	[ -z "${jobs[(i + 1) % 10]:-}" ] || wait "${jobs[(i + 1) % 10]}"
done
wait "${jobs[@]}" 2>/dev/null

start_pod -q besteffort batch blink main burst 0.1 1000 1000
wait_until 5 container_ended blink
stop_container blink
scrape

select_metric bramble_cpu_wait_seconds_count namespace=batch container=main |
	grep -o 'pod="job-[0-9]*"' | sort -u >"$tmp/seen"
seen=$(wc -l <"$tmp/seen")
check_holds "all $count cgroups are counted and named" "$seen == $count"
check_holds "each of them did wait and sleep" "$(
	select_metric bramble_cpu_wait_seconds_count namespace=batch container=main |
		awk '$NF < 5 { few++ } END { print few + 0 }') == 0"
check_holds "a container that lived 100 ms is there, with its name" \
	"$(metric bramble_cpu_wait_seconds_count namespace=batch pod=blink container=main) > 10"
check_holds "no slot was missing" "$(metric_or_0 bramble_probe_lost_total reason=no_slot) == 0"

# Removed cgroups keep their series for --retain; they must not grow any more.
before=$(metric bramble_cpu_wait_seconds_count namespace=batch)
sleep 1
scrape
check_holds "what is gone stays as it was" "$(metric bramble_cpu_wait_seconds_count namespace=batch) == $before"
finish
