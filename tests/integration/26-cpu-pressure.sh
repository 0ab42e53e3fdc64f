#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# Our own CPU pressure against the kernel's PSI, over containers of several kinds that share
# the CPUs: within 5 % and 1 % of the time, or within 15 % for tasks that move between CPUs.
. "$(dirname "$0")/lib.sh"

seconds=8

if [ ! -e "$cgroup2/cpu.pressure" ]; then
	skip "everything: PSI is off here; psi=1 on the kernel's command line turns it on"
	exit 0
fi

# start POD COMMAND: a pod that runs a shell command once it is let go. All sleep before
# and after it: no wait lasts while the two are read.
start() {
	mkdir -p "$tmp/share"
	mkfifo "$tmp/share/go-$1"
	start_pod psi "$1" main sh -c "read -r _ </share/go-$1; $2 wait; echo >/share/done-$1; sleep 100"
	pods="$pods $1"
}
all_done() {
	local pod
	for pod in $pods; do
		[ -e "$tmp/share/done-$pod" ] || return
	done
}

pods=
start_bramble
start server-0 "burst $seconds 2000 5000 &" # one task that sleeps a lot
start hog-0 "spin $seconds &" # one that never does
# Long waits with short ones in them, on one CPU and anywhere; many tasks.
start mixed-0 "for work in 200 300; do taskset 1 burst $seconds \$work 2000 & done; taskset 1 spin $seconds &"
start free-0 "burst $seconds 1000 1000 & burst $seconds 3000 7000 & burst $seconds 500 900 &"
sleep 0.5
for pod in $pods; do echo >"$tmp/share/go-$pod"; done
# The mean over CPUs depends on how often it is taken: the kernel takes it every 2 s and
# whenever anybody reads the file, other tests for one. With many scrapes it is at the same times.
scrape_until_done() { scrape; all_done; }
wait_until $((seconds + 30)) scrape_until_done || give_up "the pods do not end"
sleep 0.5
scrape
for pod in $pods; do
	psi=$(metric_or_0 bramble_pressure_seconds_total pod="$pod" resource=cpu kind=some)
	own=$(metric_or_0 bramble_cpu_wait_some_seconds_total pod="$pod")
	note "$pod: PSI $psi s, ours $own s: $(awk "BEGIN { printf \"%+.1f %%\", ($own / ($psi + 1e-9) - 1) * 100 }")"
	# Several tasks that move between CPUs: which of them waits for which CPU is not known.
	most=5
	[ $pod != free-0 ] || most=15
	check_holds "$pod: as PSI within $most % and 1 % of the time" \
		"$psi > 0.1 && ($own - $psi) ^ 2 <= ($most / 100 * $psi + 0.01 * $seconds) ^ 2"
done
finish
