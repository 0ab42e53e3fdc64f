#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# One pod fills the places that all pods share: of threads in an fsync, of sockets, of tasks that wait for
# a CPU, of what is known of a task's cgroup. What other pods do must be counted for them all the same.
. "$(dirname "$0")/../lib.sh"

seconds=$(scaled 20 5 2)
pods=$(scaled 200 50 30)
fsyncs_of_pods() { found bramble_fsync_seconds_count ours; }
connections_of_pods() { found bramble_tcp_connect_seconds_count ours; }

# crowd WHAT MODE PLACE COUNT
crowd() {
	local fsyncs connections
	fsyncs=$(fsyncs_of_pods) connections=$(connections_of_pods)
	tried "$1, and $pods other pods meanwhile"
	in_background as_nobody "$hostile" "$tmp/bin/crowds" "$2" "$3" "$4" $((seconds + 2)) >"$tmp/crowd"
	crowd=$background_pid
	sleep 1.5
	"$tmp/bin/containers" "$cgroup2" "$mark" "$pods" $((pods / (seconds - 1))) 1000 "$tmp/share" "$log_dir" >"$tmp/done" ||
		fail "$1: the containers came and went"
	wait "$crowd" || fail "$1: $(cat "$tmp/crowd")"
	sleep 1.5
	scrape
	note "$2: $(tr '\n' ' ' <"$tmp/crowd"); $(grep '^bramble_probe_lost_total' "$tmp/metrics" | grep -v ' 0$' | tr '\n' ';')"
	bound "other pods' fsyncs that are not theirs" $((fsyncs + pods - $(fsyncs_of_pods))) == 0
	bound "and connections" $((connections + pods - $(connections_of_pods))) == 0
	bound_witness
}

hostile_pod crowd
cp "$programs/crowds" "$tmp/bin/"
chmod 777 "$tmp/share"
start_bramble --retain=60s
start_witness
start_scraper 500
crowd "2,000 threads at a time that live for one fsync" fsyncs "$tmp/share/crowd" 2000
crowd "20,000 connections held open" sockets - 20000
if [ -z "$SHORT" ]; then
	crowd "8,000 threads that work and sleep" threads - 8000
	crowd "8 processes that move between two cgroups" moves "$hostile" 8
	crowd "processes that are born in a cgroup, 64 at a time" births "$hostile" 64
fi
stop_scraper
finish
