#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# A user makes cgroups with the path of a pod below a cgroup that was delegated to it. What it does there
# must not count for that pod, nor for a pod that it invents.
. "$(dirname "$0")/../lib.sh"

seconds=$(scaled 5 2 2)
# pretend PATH: work in a cgroup of this path
pretend() {
	mkdir -p "$delegated$1"
	in_background as_nobody "$delegated$1" "$tmp/bin/burst" "$seconds" 200 300
	wait "$background_pid"
}

# What the user did is counted for the user's own part, and a pod without a name is shown after 15 s.
is_shown() {
	scrape
	grep -qE "torture-$mark-fake|pod=\"$mark-0000" "$tmp/metrics"
}

start_bramble
start_witness
delegate fake
uid=${pod_uid[witness]}
id=$(basename "${container_cgroup[witness]}")
other_id=$(random_hex 64)
for path in "/kubepods/burstable/pod$uid/$id" "/kubepods/burstable/pod$uid/$other_id" \
	"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod${uid//-/_}.slice/cri-containerd-$id.scope"; do
	tried "a user's own ${path//$uid/<uid>}" # the ids say nothing in a table
	what_was_tried=${what_was_tried//$id/<id>}
	what_was_tried=${what_was_tried//$other_id/<another id>}
	what_was_tried=${what_was_tried//${uid//-/_}/<uid>}
	pretend "$path"
	bound_witness
done
tried "a pod that a user invents"
pretend "/kubepods/burstable/pod$mark-0000-4000-8000-000000000000/$(random_hex 64)"
bound_that "what the user does is shown" wait_until 20 is_shown
bound "its switches that count for a pod" "$(calc "$(metric_or_0 bramble_cpu_context_switches_total \
	pod="$mark-0000-4000-8000-000000000000")")" == 0
finish
