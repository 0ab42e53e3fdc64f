#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# 150 cgroups of one pod make each other wait, which makes more pairs of a victim and a cause than the
# kernel side keeps. Then two other pods make each other wait. Their cause must be known.
. "$(dirname "$0")/../lib.sh"

cpu=$(($(nproc) - 1))
seconds=$(scaled 15 8 8)
caused() { metric_or_0 bramble_cpu_wait_caused_seconds_total namespace=torture pod=victim "$@"; }

# shove WHERE DIR
shove() {
	start_bramble
	tried "150 cgroups $1 that make each other wait for $seconds s, then two pods; 4,096 pairs"
	in_background as_nobody "$2" "$tmp/bin/cgroups" pairs "$2" 150 "$seconds" "$cpu"
	wait "$background_pid"
	start_pod torture victim main taskset $((1 << cpu)) spin 3
	start_pod torture bully main taskset $((1 << cpu)) spin 3
	wait_until 20 container_ended victim && wait_until 20 container_ended bully
	scrape
	note "pairs: $(select_metric bramble_cpu_wait_caused_seconds_total | wc -l); of the pod: $(select_metric \
		bramble_cpu_wait_caused_seconds_total pod=pusher | wc -l); lost: $(metric_or_0 bramble_probe_lost_total \
		reason=cause_pairs_full)"
	bound "seconds the victim waited for the bully" "$(caused by_pod=bully)" ">" 0
	bound "of its waits, in nobody's name" "$(caused by_unit=other)" "<=" "$(calc "0.02 * $(caused)" 3)"
	stop_container victim
	stop_container bully
	stop_bramble
}

hostile_pod pusher
shove "of one pod" "$hostile"
delegate pairs
shove "of a cgroup elsewhere" "$delegated"
finish
