#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# 500 pods come and go within a minute, and only the kubelet knows their names. Each must get its
# name and be counted once, and the sum must be what the processes count themselves.
. "$(dirname "$0")/lib.sh"
. "$here/kubelet.sh"

count=500
note_cgroup /kubepods/besteffort/pod0
start_kubelet
start_bramble
# The probe also sees an idle CPU get a task, which counts for nobody. So no CPU is idle here.
for cpu in $(seq 0 $(($(nproc) - 1))); do
	in_background nice -n 19 taskset -c "$cpu" "$workloads/spin" 200
done
sleep 0.5
scrape
events_before=$(metric bramble_probe_events_total probe=sched)
sum_before=$(metric bramble_cpu_context_switches_total)

begin=$(date +%s)
in_background "$top/tests/kubelet/churn" "$cgroup2" "$kubelet" $count 20 "$workloads/burst" 0.05 500 500 \
	>"$tmp/truth"
churn_pid=$background_pid
# A scraper meanwhile: no name may be there twice at any time.
twice=0
while [ "$(wc -l <"$tmp/truth")" -lt $count ] && kill -0 "$churn_pid" 2>/dev/null; do
	scrape
	twice=$((twice + $(select_metric bramble_cpu_wait_seconds_count namespace=batch |
		grep -o 'pod="[^"]*"' | sort | uniq -d | wc -l)))
	sleep 1
done
took=$(($(date +%s) - begin))
all_named() {
	scrape
	[ "$(select_metric bramble_cpu_wait_seconds_count namespace=batch container=main |
		grep -o 'pod="job-[0-9]*"' | sort -u | wc -l)" = $count ]
}
check "all $count are named" wait_until 20 all_named
check_holds "they came and went within a minute" "$took <= 60"
check_holds "none was there under two names at a time" "$twice == 0"

# name, by bramble, by the process itself
select_metric bramble_cpu_context_switches_total namespace=batch container=main |
	sed 's/.*pod="\([^"]*\)".* \([0-9]*\)$/\1 \2/' |
	awk '{ sum[$1] += $2 } END { for (name in sum) print name, sum[name] }' | sort >"$tmp/counted"
sort "$tmp/truth" | join "$tmp/counted" - >"$tmp/both"
# On a busy machine a process may be switched out a few times while it joins its cgroup.
read -r pods ours theirs apart worst < <(awk '{
		ours += $2; theirs += $3; off = $2 > $3 ? $2 - $3 : $3 - $2
		if (off > worst) worst = off
		if (off > 3) apart++
	} END { print NR, ours, theirs, apart + 0, worst }' "$tmp/both")
note "$pods pods: $ours switches counted, $theirs by their own count, $apart of them more than 3" \
	"apart, at most $worst"
check_holds "each is counted once" "$pods == $count && $apart <= $count / 10 && $worst <= 15"
# A process cannot see its own last switch, at its exit.
check_holds "the total is the processes' own" "$ours >= $theirs - $count / 10 && $ours <= $theirs + 2 * $count"

# Nothing is lost between the owners: their sum is what the probe saw.
scrape
events=$(metric bramble_probe_events_total probe=sched)
sum=$(metric bramble_cpu_context_switches_total)
note "the probe saw $(awk "BEGIN { print $events - $events_before }") switches, the owners have" \
	"$(awk "BEGIN { print $sum - $sum_before }")"
check_holds "the sum over all owners is what the probe saw" \
	"$sum - $sum_before > 0.99 * ($events - $events_before) && $sum - $sum_before < 1.01 * ($events - $events_before)"
check_holds "no slot was missing" "$(metric_or_0 bramble_probe_lost_total reason=no_slot) == 0"
check_holds "nor a name" "$(metric_or_0 bramble_probe_lost_total reason=unnamed) == 0"
wait "$churn_pid"
note "$(($(wc -l <"$kubelet/requests") - 1)) requests to the kubelet in $took s"
check_holds "the kubelet was not asked more often than every 2 s" "$(wc -l <"$kubelet/requests") <= ($took + 35) / 2 + 2"
finish
