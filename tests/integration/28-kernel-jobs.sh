#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# The kernel's threads are told apart by their job, as causes of waits. A pod keeps all CPUs busy. It
# waits for the kworkers that do the requests of a loop device, and for a process in the root cgroup
# that calls itself as a thread of the kernel does.
. "$(dirname "$0")/lib.sh"
command -v losetup >/dev/null || give_up "there is no losetup: scripts/install-packages test"

loop='' memory=$(mktemp -p /dev/shm bramble-jobs.XXXXXX)
# shellcheck disable=SC2317 # called by the trap
release_loop() {
	[ -z "$loop" ] || losetup -d "$loop"
	rm -f "$memory"
}
trap 'release_loop; cleanup' EXIT
truncate -s 64M "$memory"
loop=$(losetup --find --show "$memory") || give_up "losetup of $memory"
cp "$workloads/spin" "$tmp/scsi_fake"

caused() { metric_or_0 bramble_cpu_wait_caused_seconds_total pod="$1" "${@:2}"; } # POD LABEL=VALUE...

# Returns whether the pod has waited for a kworker.
disturbed() { # POD
	"$workloads/direct" write "$loop" 60 1048576
	scrape
	[ "$(caused "$1" by_unit=kernel by_job=kworker)" != 0 ]
}

with() { # MODE
	local pod=busy-$1 spins
	start_bramble --no-probe.tcp --no-probe.block
	# shellcheck disable=SC2016 # in the container
	spins='for cpu in $(seq 0 $(($(nproc) - 1))); do taskset $(printf %x $((1 << cpu))) spin 60 & done; wait'
	start_pod jobs "$pod" main sh -c "$spins"
	(echo 0 >"$cgroup2/cgroup.procs" && exec taskset -c 0 "$tmp/scsi_fake" 1) ||
		fail "$1: a process in the root cgroup"
	check "$1: a pod waits for a kworker, and it is said which job that is" wait_until 5 disturbed "$pod"
	note "$1: $(select_metric bramble_cpu_wait_caused_seconds_total pod="$pod" by_unit=kernel | sed 's/.*by_job/by_job/' | tr '\n' ';')"
	check_holds "$1: a process of the root cgroup that is called scsi_fake is the root's" \
		"$(caused "$pod" by_unit=root) > 0.1 && $(caused "$pod" by_job=disk) == 0"
	check_holds "$1: what the kernel's threads count themselves is one unit's" \
		"$(select_metric bramble_cpu_wait_seconds_count unit=kernel | wc -l) == 1"
	stop_container "$pod"
	stop_bramble
}
for_each_btf with
finish
