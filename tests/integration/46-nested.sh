#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# Runs: beside others
#
# A process of one pod, without rights, makes more cgroups in its container than there are slots, and
# does something in each. Pods that come right after it are seen, with all that they did.
. "$(dirname "$0")/lib.sh"

count=1100
start_bramble

# A container whose cgroup is its user's, as a delegated one is.
uid=$(new_uid)
path=/kubepods/burstable/pod$uid/$(random_hex 64)
make_log_dir guests hostile "$uid" main
make_cgroup "$path"
chown 65534 "$cgroup2$path" "$cgroup2$path"/cgroup.{procs,subtree_control}
for ((i = 0; i < count; i++)); do made_cgroups+=("$cgroup2$path/nest-$i"); done
container_mounts="[{\"destination\": \"/cgroup\", \"type\": \"bind\", \"source\": \"$cgroup2$path\", \"options\": [\"bind\", \"rw\"]}]"
container_uid=65534
start_container hostile "$path" nests /cgroup $count
container_mounts='[]'
container_uid=0
check "$count nested cgroups were used" wait_until 30 grep -q "done" "$tmp/hostile.out"

for i in 1 2 3 4 5; do start_pod shop "web-$i" main nests / 0; done

# counts FILE: the switches of each pod's only process, by the kernel and by bramble, while it is stopped.
stopped() { grep -q '^State:.*stopped' "/proc/$1/status"; }
counts() {
	local i pid
	for i in 1 2 3 4 5; do
		pid=${container_pid[web-$i]}
		kill -STOP "$pid"
		wait_until 2 stopped "$pid"
	done
	scrape
	for i in 1 2 3 4 5; do
		pid=${container_pid[web-$i]}
		echo "web-$i $(awk '/ctxt_switches/ { sum += $2 } END { print sum }' "/proc/$pid/status") $(
			metric_or_0 bramble_cpu_context_switches_total namespace=shop pod="web-$i" container=main)"
		kill -CONT "$pid"
	done >"$1"
}
counts "$tmp/before"
sleep 1
counts "$tmp/after"
join "$tmp/before" "$tmp/after" | awk '{ print $1, $4 - $2, $5 - $3 }' >"$tmp/both"
note "$(tr '\n' ';' <"$tmp/both")"
check_holds "all pods that come after it are seen" "$(awk '$2 > 100' "$tmp/both" | wc -l) == 5"
check_holds "with all their switches" "$(awk '$2 != $3' "$tmp/both" | wc -l) == 0"
check_holds "what the nested cgroups did counts for their container" \
	"$(metric bramble_cpu_context_switches_total namespace=guests pod=hostile container=main) > $count"
check_holds "no sample was without a slot" "$(metric_or_0 bramble_probe_lost_total reason=no_slot) == 0"
check_holds "the log tells once who it was" "$(grep -c 'guests/hostile has made .* cgroups' "$bramble_log") == 1"
finish
