#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# A process hides in nested cgroups: 17 with names of 250 bytes, longer than the path in an event, and in a
# tree deeper than a walk at the start might follow. What it does must count for its pod.
. "$(dirname "$0")/../lib.sh"

seconds=$(scaled 10 2 2)
read_counts() {
	scrape
	pod=$(calc "$(metric_or_0 bramble_cpu_context_switches_total pod=hider)")
	unknown=$(calc "$(metric_or_0 bramble_cpu_context_switches_total unit=unknown)")
}

# hide DEPTH LENGTH: in a cgroup of the pod, while bramble runs
hide() {
	read_counts
	pod_before=$pod unknown_before=$unknown
	(as_nobody "$hostile" "$tmp/bin/cgroups" deep "$hostile" "$1" "$2" "$seconds") >"$tmp/hidden"
	sleep 0.5
	read_counts
	switches=$(cut -d' ' -f2 "$tmp/hidden")
	note "$switches switches of its own; $((pod - pod_before)) counted for the pod, $((unknown - unknown_before)) for unknown"
	bound "switches that are not the pod's, of $switches" $((switches - pod + pod_before)) "<=" $((switches / 100))
}

is_hidden() { [ -n "$(find "$hostile" -mindepth 40 -maxdepth 40 -type d -print -quit)" ]; }

start_bramble
hostile_pod hider
tried "17 nested cgroups with names of 250 bytes"
hide 17 250
tried "200 nested cgroups"
hide 200 3
stop_bramble

tried "40 nested cgroups that are there at the start"
in_background as_nobody "$hostile" "$tmp/bin/cgroups" deep "$hostile" 40 5 $((seconds + 25)) >"$tmp/hidden"
wait_until 5 is_hidden || fail "the deep tree is there"
start_bramble
sleep "$seconds"
# When its container began is not known: it has a name of its own 15 s later.
is_shown() { read_counts && [ "$pod" != 0 ]; }
wait_until 30 is_shown
bound "switches of the pod" "$pod" ">" $((seconds * 200))
bound "switches of unknown" "$unknown" "<=" $((pod / 100))
kill -TERM "$background_pid"
wait "$background_pid"
finish
