#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# The probe is stopped for a minute, as on a machine that has no time for it, and 800 containers come and
# go meanwhile: more events than the ring holds. All must be counted afterwards.
. "$(dirname "$0")/../lib.sh"

count=$(scaled 800 100 800)
seconds=$(scaled 60 4 6)
start_bramble --retain=60s
scrape
start_scraper 1000
tried "SIGSTOP for $seconds s, $count containers meanwhile"
kill -STOP "$bramble_pid"
"$tmp/bin/containers" "$cgroup2" "$mark" "$count" "$(calc "$count / ($seconds - 1)" 2)" 1000 "$tmp/share" "$log_dir" \
	>"$tmp/done" || fail "the containers came and went"
kill -CONT "$bramble_pid"
began=$SECONDS
wait_until 60 all_shown
note "all are shown $((SECONDS - began)) s after it goes on"
stop_scraper
bound_counted
scrape
note "lost: $(grep '^bramble_probe_lost_total.*cgroup' "$tmp/metrics" | grep -v ' 0$' | tr '\n' ';')"
bound "in unknown, of $(cut -d' ' -f8 "$tmp/done") switches" "$(found bramble_cpu_context_switches_total unknown)" "<=" \
	"$(cut -d' ' -f9 "$tmp/done")"
finish
