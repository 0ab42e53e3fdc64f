#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# Three pods on one CPU: a hog, its victim, and one that mostly sleeps. Who waited,
# for how long, and because of whom.
. "$(dirname "$0")/lib.sh"

seconds=8
victim="victim-7d4b9c-x2x7q"
start_bramble
start_pod -q besteffort crypto hog-0 miner taskset 1 spin $seconds
start_pod shop $victim web taskset 1 burst $seconds 20000 5000
start_pod -q guaranteed shop sleeper-0 main taskset 1 burst $seconds 100 250000

# The kernel's own count, read before the task ends, to compare with.
sleep $((seconds - 1))
read -r _ run_delay_ns waits <"/proc/${container_pid[$victim]}/schedstat"
scrape
note "the kernel says $victim waited $run_delay_ns ns in $waits waits"

by_hog() { # NAME LABEL=VALUE...
	metric_or_0 bramble_cpu_wait_caused_seconds_total \
		by_namespace=crypto by_pod=hog-0 by_container=miner "$@"
}
victim_sum=$(metric bramble_cpu_wait_seconds_sum namespace=shop pod=$victim container=web)
victim_count=$(metric bramble_cpu_wait_seconds_count namespace=shop pod=$victim container=web)
sleeper_sum=$(metric bramble_cpu_wait_seconds_sum namespace=shop pod=sleeper-0 container=main)
hog_sum=$(metric bramble_cpu_wait_seconds_sum namespace=crypto pod=hog-0 container=miner)
caused=$(metric bramble_cpu_wait_caused_seconds_total namespace=shop pod=$victim)
caused_by_hog=$(by_hog namespace=shop pod=$victim)
involuntary=$(metric bramble_cpu_context_switches_total pod=hog-0 kind=involuntary)
voluntary=$(metric bramble_cpu_context_switches_total pod=$victim kind=voluntary)
note "victim $victim_sum s in $victim_count waits, $caused_by_hog of $caused s because of the hog"
note "hog $hog_sum s, sleeper $sleeper_sum s"

check_holds "the victim's waits are in its histogram" "$victim_sum > 0.5 && $victim_count > 50"
# The two were not read at the same moment, and the first waits were runc's.
check_holds "they are what the kernel says, to 10 %" \
	"$victim_sum > 0.9 * $run_delay_ns / 1e9 && $victim_sum < 1.1 * $run_delay_ns / 1e9"
check_holds "they are charged to the hog" "$caused_by_hog > 0.5 * $caused"
check_holds "no more is charged than was waited" "$caused <= $victim_sum + 0.05"
check_holds "the hog waits because of the victim" "$(metric_or_0 bramble_cpu_wait_caused_seconds_total \
	namespace=crypto pod=hog-0 by_namespace=shop by_pod=$victim by_container=web) > 0.5"
check_holds "the sleeper's waits are small" "$sleeper_sum < $victim_sum / 5"
check_holds "the hog is switched out against its will" "$involuntary > 50"
check_holds "the victim sleeps of its own will" "$voluntary > 50"

le_inf=$(metric bramble_cpu_wait_seconds_bucket namespace=shop pod=$victim container=web le=+Inf)
check_holds "the histogram's last bucket is its count" "$le_inf == $victim_count"
check "buckets are cumulative" test -z "$(select_metric bramble_cpu_wait_seconds_bucket pod=$victim |
	awk '$NF < last { print } { last = $NF }')"
finish
