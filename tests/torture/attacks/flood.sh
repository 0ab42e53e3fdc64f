#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# Another user makes and removes 100,000 empty cgroups in a minute, in a cgroup that was delegated to it.
# Memory must be bounded, and other pods' numbers exact.
. "$(dirname "$0")/../lib.sh"

count=$(scaled 100000 3000 6000)
rate=$(calc "$count / $(scaled 60 2 3)")
start_bramble
start_witness
scrape
anon=$(anon_kb)
start_scraper 1000
delegate flood
tried "$count empty cgroups of uid 65534, $rate a second"
in_background as_nobody "$delegated" "$tmp/bin/cgroups" flood "$delegated" "$count" "$rate" >"$tmp/flooded"
before=$(awk '/^voluntary/ { print $2 }' "/proc/$bramble_pid/status")
wait "$background_pid" || fail "the flood: $(cat "$tmp/flooded")"
wakeups=$(($(awk '/^voluntary/ { print $2 }' "/proc/$bramble_pid/status") - before))
note "made and removed: $(cat "$tmp/flooded") s"
stop_scraper
bound_witness
bound "cgroups made, of $count" "$(cut -d' ' -f1 "$tmp/flooded")" == "$count"
bound "RssAnon at most, $anon kB at the start" "$(found anon_worst_kb)" "<=" $((anon + MARGIN)) kB
bound "wakeups of bramble for each 1,000 events" $((wakeups * 1000 / (2 * count))) "<=" 100
bound_scrapes
finish
