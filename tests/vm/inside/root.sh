#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# shellcheck shell=dash
#
# A machine with everything in the root cgroup: its processes are unit="root", and the kernel's
# threads, which are there, too, unit="kernel".

# kernel_switches: those of the kernel's threads, as the kernel has counted them. kthreadd, process
# 2, has made all the others. A process may end while this reads; awk would give up, cat goes on.
kernel_switches() {
	cat /proc/[0-9]*/status 2>/dev/null | awk '$1 == "Pid:" { pid = $2 }
		$1 == "PPid:" { mine = $2 == 2 || pid == 2 }
		/ctxt_switches:/ && mine { sum += $2 }
		END { print sum + 0 }'
}

# unit_counts: KERNEL_BEFORE KERNEL_AFTER UNIT_KERNEL UNIT_ROOT, of a new scrape
unit_counts() {
	local before
	before=$(kernel_switches)
	scrape
	echo "$before $(kernel_switches) $(metric_or_0 bramble_cpu_context_switches_total unit=kernel) $(
		metric_or_0 bramble_cpu_context_switches_total unit=root)"
}

# Also processes that run only once and have no memory left at their last switch.
short_lived=100
test_root() {
	local before after busy own i=0
	before=$(unit_counts)
	/test/burst 60 500 1000 &
	busy=$!
	while [ $i -lt $short_lived ]; do
		(exec /bin/true)
		i=$((i + 1))
	done
	sleep 1
	own=$(awk '/ctxt_switches:/ { sum += $2 } END { print sum + 0 }' /proc/$busy/status)
	after=$(unit_counts)
	kill $busy
	wait $busy 2>/dev/null
	# shellcheck disable=SC2086 # lists of numbers
	set -- $before $after
	check_holds "root cgroup: a busy process ($own switches) and $short_lived short-lived ones are unit=\"root\" ($(
		calc %d "$8 - $4"))" "$own > 100 && $8 - $4 >= $own + $short_lived"
	# When a kernel thread ends meanwhile, its counts are gone.
	check_holds "root cgroup: unit=\"kernel\" ($(calc %d "$7 - $3")) has the switches of the kernel's threads ($(
		calc %d "$5 - $2") to $(calc %d "$6 - $1"))" \
		"$7 - $3 >= $5 - $2 - 10 && $7 - $3 <= $6 - $1 + 0.2 * $short_lived && $7 > $3"
}
