#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# Two instances side by side: both must count the same, and a second one must leave the first one's socket
# alone. Signals, too, must not leave a socket behind that nobody serves.
. "$(dirname "$0")/../lib.sh"

seconds=$(scaled 20 3 3)
start_bramble
first_pid=$bramble_pid first_url=$bramble_url first_log=$bramble_log
started_pids+=("$first_pid")

# The same socket: it must end, or serve without it.
inode=$(stat -c %i "$tmp/bramble.sock")
bramble_log=$tmp/second.log
spawn_bramble
tried "a second instance with the first one's socket"
wait_until 5 eval "bramble_ready || ! kill -0 $bramble_pid 2>/dev/null"
sleep 0.5
bound "the socket's file, by its inode" "$(stat -c %i "$tmp/bramble.sock" 2>/dev/null)" == "$inode"
bound_that "the socket answers" socket_answers
stop_bramble
bound_that "and does when the second has ended" socket_answers

# Each with its own
spawn_other() {
	local port
	port=$(free_port)
	bramble_url=http://127.0.0.1:$port
	"$BRAMBLE" serve --web.listen-address="127.0.0.1:$port" --web.socket="$tmp/other.sock" --kube.source=logs \
		--kube.log-dir="$log_dir" </dev/null >"$bramble_log" 2>&1 &
	bramble_pid=$!
	wait_until 10 bramble_ready || give_up "a second instance starts"
}
spawn_other
second_url=$bramble_url
tried "two instances for $seconds s"
start_witness
stop_witness_and_read
base_kernel=$kernel_switches base_second=$counted_switches
bramble_url=$first_url
stop_witness_and_read
base_first=$counted_switches
kill -CONT "${container_pid[witness]}"
sleep "$seconds"
stop_witness_and_read
kernel=$((kernel_switches - base_kernel))
first=$((counted_switches - base_first))
bramble_url=$second_url
stop_witness_and_read
second=$((counted_switches - base_second))
kill -CONT "${container_pid[witness]}"
note "$kernel by the kernel, $first by the first, $second by the second"
bound "switches the first missed or counted twice, of $kernel" "$(abs $((kernel - first)))" "<=" $((kernel / 1000))
bound "and the second" "$(abs $((kernel - second)))" "<=" $((kernel / 1000))
stop_container witness
stop_bramble
bramble_url=$first_url bramble_log=$first_log
bound_that "the first goes on" bramble_ready
kill -TERM "$first_pid"
wait "$first_pid"

# After a signal it either runs and its socket answers, or both are gone.
is_consistent() {
	if kill -0 "$bramble_pid" 2>/dev/null; then socket_answers; else [ ! -e "$tmp/bramble.sock" ]; fi
}
[ -z "$SHORT" ] || finish # 60-shutdown has the signals
for signal in HUP USR1 USR2 ALRM PIPE QUIT; do
	start_bramble
	tried "SIG$signal"
	kill -$signal "$bramble_pid"
	sleep 0.5
	bound_that "SIG$signal: it runs and its socket answers, or both are gone" is_consistent
	stop_bramble >/dev/null
	rm -f "$tmp/bramble.sock"
done
finish
