#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# 9,700 cgroups are made or removed each second. bramble must not wake up for each, 1,000 times for 1,000 events.
. "$(dirname "$0")/../lib.sh"

seconds=$(scaled 20 2 2)
wakeups() { awk '/^voluntary/ { print $2 }' "/proc/$bramble_pid/status"; }
cpu_ns() { cut -d' ' -f1 "/proc/$bramble_pid/schedstat"; }
start_bramble
delegate events
scrape
before=$(wakeups) cpu=$(cpu_ns)
tried "9,700 events of cgroups a second, for $seconds s"
(as_nobody "$delegated" "$tmp/bin/cgroups" flood "$delegated" $((seconds * 4850)) 4850) >"$tmp/flooded"
note "cgroups and seconds: $(cat "$tmp/flooded")"
# It also sleeps for the lock of the directory in which the flood makes them: 100 to 320 times.
bound "wakeups for each 1,000 events" $((($(wakeups) - before) * 1000 / (seconds * 9700))) "<=" 400
bound_time "of a CPU" "$(calc "($(cpu_ns) - $cpu) / 1e7 / $(cut -d' ' -f2 "$tmp/flooded")" 1)" "<=" 8 %
finish
