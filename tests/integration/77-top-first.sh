#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# When top first sees a container, or sees it under another name, it must show what the container did
# in the interval, and not in its whole life. cpu.stat, read when nothing runs any more, is right.
. "$(dirname "$0")/lib.sh"

cpus=$(getconf _NPROCESSORS_ONLN)
# Works for a while, and again each time it is woken; in between it sleeps without waking up.
work='while read -r seconds; do spin "$seconds"; done </share/NAME'
start_worker() { # NAME SECONDS: starts it in $pod_start
	mkfifo "$tmp/share/$1"
	$pod_start sh -c "spin $2; ${work/NAME/$1}"
	# shellcheck disable=SC2034 # it only keeps the FIFO open: else the first writer ends it
	exec {keep_open}<>"$tmp/share/$1"
}
wake() { echo "$2" >"$tmp/share/$1"; } # NAME SECONDS
usage_us() { awk '$1 == "usage_usec" { print $2 }' "$cgroup2${container_cgroup[$1]}/cpu.stat"; }

# watch FILE BATCHES: of half a second
watch() { "$BRAMBLE" top --json --batch="$2" --interval=500ms --socket="$tmp/bramble.sock" >"$1" 2>"$tmp/top.log"; }
# shown FILE FILTER: CPU seconds that were shown of these rows, all intervals together
shown() { jq -s "[.[] | .interval_seconds as \$s | .containers[] | select($2) | .cpu_usage_ratio * \$s] | add // 0" "$1"; }
most() { jq -s '[.[].containers[].cpu_usage_ratio // 0] | max' "$1"; }
# is_true WHAT FILE FILTER SECONDS: within a twentieth and what starting takes
is_true() {
	local seconds
	seconds=$(shown "$2" "$3")
	note "$1: shown $seconds s, used $4 s; at most $(most "$2") CPUs in an interval"
	check_holds "$1: what it used is shown" "$seconds > 0.95 * $4 - 0.05 && $seconds < 1.05 * $4 + 0.05"
	check_holds "$1: nothing used more than there is" "$(most "$2") <= $cpus"
}
grown() { awk "BEGIN { printf \"%.3f\", ($2 - $1) / 1e6 }"; }

mkdir -p "$tmp/share"
pod_start="start_pod shop sleeper-0 main"
start_worker sleeper 4
sleep 0.5
asleep() { ! pgrep -P "${container_pid[$1]}" >/dev/null; }
wait_until 20 asleep sleeper-0 || fail "the worker works too long"
before=$(usage_us sleeper-0)
start_bramble

# ---- it was there before serve, and has not run since
in_background watch "$tmp/wakes" 5
sleep 0.8
wake sleeper 0.6
wait "$background_pid"
wait_until 5 asleep sleeper-0
is_true "an old container that wakes" "$tmp/wakes" '.pod == "sleeper-0"' "$(grown "$before" "$(usage_us sleeper-0)")"

# ---- one that starts meanwhile, has no name at first, and gets one
in_background watch "$tmp/renamed" 9
sleep 0.7
uid=$(new_uid)
pod_uid[late-0]=$uid
pod_start="start_container late-0 /kubepods/burstable/pod$uid/$(random_hex 64)"
start_worker late 2.5
sleep 1
make_log_dir shop late-0 "$uid" main
wait "$background_pid"
wait_until 5 asleep late-0
is_true "a container that is renamed" "$tmp/renamed" ".pod == \"late-0\" or .pod == \"$uid\"" "$(grown 0 "$(usage_us late-0)")"
check_holds "a container that is renamed: both names were shown" \
	"$(jq -s '[.[].containers[].pod] | unique | map(select(. == "late-0" or . == "'"$uid"'")) | length' "$tmp/renamed") == 2"

# ---- another serve behind the same socket: its counts are compared with none of the first one's
before=$(usage_us sleeper-0)
in_background watch "$tmp/restart" 6
sleep 0.7
top=$(pgrep -P "$background_pid")
kill -STOP "$top" # else it may ask while there is none
stop_bramble
start_bramble
kill -CONT "$top"
sleep 0.7
wake sleeper 0.5
wait "$background_pid"
check "another serve: top goes on" test $? = 0
wait_until 5 asleep sleeper-0
is_true "another serve" "$tmp/restart" '.pod == "sleeper-0"' "$(grown "$before" "$(usage_us sleeper-0)")"
finish
