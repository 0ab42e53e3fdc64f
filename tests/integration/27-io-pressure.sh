#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# Our own I/O pressure against the kernel's PSI, for containers that read and write the disk
# in several ways.
. "$(dirname "$0")/lib.sh"

if [ ! -e "$cgroup2/io.pressure" ]; then
	skip "everything: PSI is off here; psi=1 on the kernel's command line turns it on"
	exit 0
fi

mkdir -p "$tmp/share"
dd if=/dev/urandom of="$tmp/share/big" bs=1M count=64 conv=fsync 2>/dev/null

both() { # POD: sets psi and own, in seconds
	psi=$(metric_or_0 bramble_pressure_seconds_total pod="$1" resource=io kind=some)
	own=$(metric_or_0 bramble_io_stall_some_seconds_total pod="$1")
	note "$1: PSI $psi s, ours $own s: $(awk "BEGIN { printf \"%+.1f %%\", ($own / ($psi + 1e-9) - 1) * 100 }")"
}

# run POD COMMAND: the shell command in a pod, to its end. The last scrape finds it at rest.
run() {
	start_pod io "$1" main sh -c "$2; echo >/share/done-$1; sleep 100"
	wait_until 40 sees_end "$1" || give_up "$1 does not end"
	sleep 0.3
	scrape
	both "$1"
	stop_container "$1"
}
# The mean over CPUs is taken in short intervals, by both at the same times.
sees_end() { scrape; [ -e "$tmp/share/done-$1" ]; }

as_psi() { # POD COMMAND
	run "$1" "$2"
	check_holds "$1: as PSI within 15 % and 10 ms" "$psi > 0.02 && ($own - $psi) ^ 2 <= (0.15 * $psi + 0.01) ^ 2"
}

# PSI counts tasks that sleep for I/O in the block layer and the page cache.
more_than_psi() { # POD COMMAND
	run "$1" "$2"
	check_holds "$1: there is some, and at least as much as PSI has" "$psi > 0 && $own > 0.9 * $psi"
}

test_pressure() {
	echo 3 >/proc/sys/vm/drop_caches
	as_psi "reads-$mode" "direct read /share/big 800 262144"
	as_psi "writes-$mode" "direct write /share/big 800 262144"
	as_psi "turns-$mode" "for i in 1 2 3 4 5 6 7 8 9 10; do direct read /share/big 80 262144; sleep 0.1; done"
	as_psi "two-$mode" "direct read /share/big 400 262144 & direct read /share/big 400 262144 & wait"
	# On ext4 the task also waits for the journal, which PSI does not count.
	more_than_psi "fsyncs-$mode" "fsyncs fsync 200 /share/file-$mode"
	# What is read ahead is under way while nobody waits for it yet.
	echo 3 >/proc/sys/vm/drop_caches
	more_than_psi "cached-$mode" "cat /share/big >/share/null"
	run "idle-$mode" "sleep 0.5"
	check_holds "idle-$mode: none" "$own < 0.05"
}

test_mode() {
	mode=$1
	start_bramble
	test_pressure
	stop_bramble
}
for_each_btf test_mode
finish
