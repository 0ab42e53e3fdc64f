#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# 3,000 containers are alive at a time, and there are 1,024 slots. All they do must be counted, for
# themselves or for unit="overflow".
. "$(dirname "$0")/../lib.sh"

slots=$(scaled 1024 64 64)
count=$(scaled 3000 200 200)
life=$(scaled 30000 4000 4000)
start_bramble --slots="$slots" --retain=10s
scrape
anon=$(anon_kb)
start_scraper 1000
tried "$count containers alive at a time, $slots slots"
"$tmp/bin/containers" "$cgroup2" "$mark" "$count" $((count * 2000 / life)) "$life" "$tmp/share" "$log_dir" >"$tmp/done" ||
	fail "the containers came and went"
sleep 1
stop_scraper
scrape
bound_counted
overflow=$(found bramble_cpu_context_switches_total overflow)
bound "switches that overflow tells of" "$overflow" ">" 0
bound "look-ups without a slot, as counted" "$(calc "$(metric_or_0 bramble_probe_lost_total reason=no_slot)")" ">" 0
bound "RssAnon at most, $anon kB at the start" "$(found anon_worst_kb)" "<" 65536 kB
bound_scrapes
finish
