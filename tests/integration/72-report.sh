#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# What an owner of a board sends: bramble report. Here with three rounds for each cost.
. "$(dirname "$0")/lib.sh"

# of_report PATTERN: the first number that follows it in its line
of_report() { sed -nE "s/.*$1[^0-9]*([0-9.]+).*/\1/p" "$tmp/report" | head -n 1; }

start_pod sesame-space sesame-pod web burst 30 500 3000
start_bramble
"$BRAMBLE" report --time=100ms --socket="$tmp/bramble.sock" >"$tmp/report" 2>"$tmp/report.log"
check_holds "it ends with 0" "$? == 0"
stop_bramble
check_holds "a switch: three rounds" "$(of_report 'A context switch takes') > 0 && $(grep -c 'quartiles of [1-9]' "$tmp/report") == 2"
waits=$(of_report 's, schedstat')
check_holds "waits agree with schedstat" "$(of_report 'waits for a CPU: bramble') > 0.95 * $waits && $(of_report 'waits for a CPU: bramble') < 1.05 * $waits"
check_holds "all requests" "$(of_report 'requests: bramble') == 500"
check_holds "all fsyncs" "$(of_report 'fsyncs on [a-z0-9]+: bramble') == $(of_report 'the calls')"
check "it says what was left out" grep -q '^- left out meanwhile: ' "$tmp/report"
check "a row for the table" grep -q "^| .* | $(uname -r) " "$tmp/report"
check "it says that a serve runs, too" grep -q 'bramble serve runs, too' "$tmp/report"
check "nothing of its owner's is named" \
	test -z "$(grep -E "sesame|\<$(uname -n)\>|${tmp##*/}|([0-9]{1,3}\.){3}[0-9]{1,3}" "$tmp/report")"
no_cgroup() { [ -z "$(find "$cgroup2" -maxdepth 1 -name 'bramble-report-*')" ]; }
check "its cgroup is gone" no_cgroup

"$BRAMBLE" report --time=100ms --dir="$tmp/none" >"$tmp/report" 2>"$tmp/report.log"
check_holds "a directory that is not there: it goes on" "$? == 0"
check "and says so" grep -q '^- fsyncs: not measured: No such file' "$tmp/report"
check "and what to do" grep -q '^  (no file can be written and synced there: --dir names a directory' "$tmp/report"

# The signal that ends it after two minutes, as it measures a cost.
rm "$tmp/report"
"$BRAMBLE" report --time=10s >"$tmp/report" 2>"$tmp/report.log" &
pid=$!
check "it measures a cost" wait_until 60 grep -q '^### Cost' "$tmp/report"
kill -ALRM "$pid"
wait "$pid"
check_holds "after two minutes it ends with 1" "$? == 1"
check "and says that the rest is missing" grep -q 'its two minutes are over; the rest is missing' "$tmp/report.log"
check "what it has found until then is there" grep -q '^bramble can run here' "$tmp/report"

# Interrupted while it counts in a cgroup of its own.
"$BRAMBLE" report --time=100ms >"$tmp/report" 2>"$tmp/report.log" &
pid=$!
counts() { grep -q '^### Agreement' "$tmp/report" && ! no_cgroup; }
check "it counts in a cgroup of its own" wait_until 60 counts
kill -INT "$pid"
wait "$pid"
check_holds "interrupted: it ends with 1" "$? == 1"
check "its cgroup is gone then, too" no_cgroup
check "and it says so" grep -q 'the report was ended before it was complete' "$tmp/report.log"
