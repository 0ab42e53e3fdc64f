#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# A process without privileges makes 1,100 cgroups in its own, and visits each once: in a pod, and in a
# cgroup elsewhere that was delegated to it. New pods must still be told apart.
. "$(dirname "$0")/../lib.sh"

count=$(scaled 1100 1100)
# nest WHERE DIR
nest() {
	start_bramble
	start_witness
	start_scraper 1000
	in_background as_nobody "$2" "$tmp/bin/cgroups" visit "$2" "$count" >"$tmp/visited"
	visitor=$background_pid
	wait_until 60 test -s "$tmp/visited" || fail "$1: the cgroups are visited"
	tried "$count nested cgroups $1, then 20 new pods; 1,024 slots"
	"$tmp/bin/containers" "$cgroup2" "$mark" 20 20 1000 "$tmp/share" "$log_dir" >"$tmp/done"
	sleep 0.5
	scrape
	note "slots: $(select_metric bramble_slots | tr '\n' ';')"
	stop_scraper
	bound "new pods' fsyncs that are not theirs, of 20" $((20 - $(found bramble_fsync_seconds_count ours))) == 0
	bound_witness
	kill -TERM "$visitor"
	wait "$visitor"
	note "$(grep -c level=warn "$bramble_log") warnings: $(grep level=warn "$bramble_log" | head -n 1)"
	bound "warnings in the log" "$(grep -c level=warn "$bramble_log")" "<=" 2
	stop_container witness
	stop_bramble
}

hostile_pod nester
nest "in a pod" "$hostile"
delegate nest
nest "in a cgroup elsewhere" "$delegated"
finish
