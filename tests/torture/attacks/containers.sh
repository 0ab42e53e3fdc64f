#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# 20,000 containers in 10 minutes, each with a process that sleeps, connects and syncs. All of it must
# be counted, a scrape must never take long, and the memory must come back.
. "$(dirname "$0")/../lib.sh"

count=$(scaled 20000 200 250)
per_second=$(calc "$count / $(scaled 600 10 6)" 2)
# As long as a short test can wait for; the default is longer than what is allowed for the memory.
retain=60s patience=300
[ -z "$SHORT" ] || retain=2s patience=15

start_bramble --retain="$retain"
scrape
anon=$(anon_kb)
start_scraper "$([ -z "$SHORT" ] && echo 5000 || echo 500)"
tried "$count containers, $per_second a second, each for 2 s, --retain=$retain"
"$tmp/bin/containers" "$cgroup2" "$mark" "$count" "$per_second" 2000 "$tmp/share" "$log_dir" >"$tmp/done" ||
	fail "the containers came and went"
end=$SECONDS
sleep 1
wait_until $patience anon_is_back "$anon"
back=$((SECONDS - end))
anon_after=$(anon_kb)
stop_scraper
bound_counted
bound_scrapes
bound "RssAnon at most, $anon kB at the start" "$(found anon_worst_kb)" "<" 65536 kB
bound "RssAnon $back s after the last" "$anon_after" "<=" $((anon + MARGIN)) kB
finish
