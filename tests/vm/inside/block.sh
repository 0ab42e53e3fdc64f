#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# shellcheck shell=dash disable=SC2154 # from the kernel's command line, and lib.sh
#
# Block I/O, on two disks by QEMU: one as fast as it can, and one that it slows down. Where a
# kernel's driver for them is a module that is not here, this is left out.

# The driver of the disks, and what it needs, are the first of the modules.
load_driver() {
	local module
	[ -n "$(find /modules -name '*virtio_blk.ko' 2>/dev/null)" ] || return 0
	for module in /modules/*.ko; do
		insmod "$module" 2>/dev/null
		case $module in *virtio_blk.ko) break ;; esac
	done
	wait_until 5 test -e /sys/block/vdb
}

# disk SERIAL: the name of QEMU's disk with that serial number
disk() { grep -lx "$1" /sys/block/vd*/serial 2>/dev/null | cut -d/ -f4; }

# io_of DEVICE: what the kernel has counted: READS BYTES WRITES BYTES MS, of reading and writing
io_of() {
	awk -v device="$1" '$3 == device { printf "%d %.0f %d %.0f %d\n", $4, $6 * 512, $8, $10 * 512, $7 + $11 }' \
		/proc/diskstats
}

# block_of DEVICE: the same of bramble, for all containers and units
block_of() {
	echo "$(metric_or_0 bramble_block_io_seconds_count device="$1" op=read) \
		$(metric_or_0 bramble_block_bytes_total device="$1" op=read) \
		$(metric_or_0 bramble_block_io_seconds_count device="$1" op=write) \
		$(metric_or_0 bramble_block_bytes_total device="$1" op=write) \
		$(metric_or_0 bramble_block_io_seconds_sum device="$1") \
		$(metric_or_0 bramble_block_queue_seconds_sum device="$1")" |
		awk '{ printf "%d %.0f %d %.0f %.0f\n", $1, $2, $3, $4, ($5 + $6) * 1000 }'
}

# both DEVICE: from a new scrape: the kernel's, then bramble's
both() {
	scrape
	echo "$(io_of "$1") $(block_of "$1")"
}

# books WHAT BEFORE AFTER: requests and bytes equal the kernel's. So does the time, within 2 ms for
# each request. The kernel counts it from a request's creation to its end, and we in two parts. If the
# kernel left out both records of a request, its device is unknown: see test_block.
books() {
	local what=$1 unknown
	unknown=$(metric_or_0 bramble_block_io_seconds_count device=unknown)
	# shellcheck disable=SC2046 # lists of numbers
	set -- $(echo "$2 $3" | awk '{ for (i = 1; i <= 10; i++) printf "%.0f ", $(i + 10) - $i }')
	check_holds "$what: requests and bytes are the kernel's ($1 reads of $2 bytes, $3 writes of $4 bytes)" \
		"$1 + $3 > 0 && ($6 == $1 && $7 == $2 && $8 == $3 && $9 == $4 ||
			$6 + $8 < $1 + $3 && $6 + $8 + $unknown >= $1 + $3)"
	shift 4
	check_holds "$what: and so is their time ($1 ms, $6 ms)" "near($6, $1, 20 + 2 * ($3 + $5) + 0.05 * $1)"
}

# direct READS DEVICE POD: so many direct reads of 4 KiB in a pod of its own
direct() {
	new_pod storage "$3" main
	in_pod /test/direct read "/dev/$2" "$1" 4096
	go
	wait "$pod_pid"
	sleep 0.2
}

sum_of() { # POD FAMILY
	metric_or_0 "bramble_block_$2_seconds_sum" pod="$1" op=read
}
count_of() { # POD FAMILY OP
	metric_or_0 "bramble_block_$2_seconds_count" pod="$1" op="$3"
}

# The time of a slow device is counted at the device, and for the pod.
test_slow() {
	local before
	before=$(both "$slow")
	direct 50 "$slow" "slow-$1"
	direct 50 "$fast" "fast-$1"
	books "slow device" "$before" "$(both "$slow")"
	check_holds "slow device: the pod's 50 reads are its own" \
		"$(count_of "slow-$1" io read) == 50 && $(count_of "fast-$1" io read) == 50"
	check_holds "slow device: the added time is at the device ($(sum_of "slow-$1" io) s of the slow one, \
$(sum_of "fast-$1" io) s of the fast one; before it $(sum_of "slow-$1" queue) s)" \
		"$(sum_of "slow-$1" io) > 5 * $(sum_of "fast-$1" io) && $(sum_of "slow-$1" io) > 5 * $(sum_of "slow-$1" queue)"
	fact "slow device, ${mode%: }" "$(calc %.3f "$(sum_of "slow-$1" io)") s at the device"
}

# With a scheduler many small requests at once wait in its queue: added time before the device.
test_queued() {
	local before
	echo mq-deadline >"/sys/block/$slow/queue/scheduler" 2>/dev/null || return 0
	before=$(both "$slow")
	new_pod storage "writer-$1" main
	in_pod /test/direct write "/dev/$slow" 40 16384
	go
	wait "$pod_pid"
	sleep 0.2
	books "mq-deadline" "$before" "$(both "$slow")"
	check_holds "mq-deadline: the pod's 40 writes are its own" "$(count_of "writer-$1" io write) == 40"
	echo none >"/sys/block/$slow/queue/scheduler"
}

# written DEVICE BEFORE: 2 MiB more than in that line of both()
written() { [ "$(io_of "$1" | cut -d' ' -f4)" -ge $(($(echo "$2" | cut -d' ' -f4) + 2097152)) ]; }

# Pages that a pod made dirty and the kernel writes back: charged to the pod where a bio's cgroup is
# known, else to the kernel.
test_written_back() {
	local mode_of before kernel_before
	mode_of=$(grep '^bramble_probe_attribution_info{probe="block"' $tmp/metrics | sed 's/.*mode="//; s/".*//')
	before=$(both "$fast")
	kernel_before=$(metric_or_0 bramble_block_bytes_total unit=kernel device="$fast" op=write)
	new_pod storage "dirty-$1" main
	# The pages belong to it. conv=fsync would have it write them itself, and so would the last close.
	in_pod sh -c "exec 3</dev/$fast; dd if=/dev/zero of=/dev/$fast bs=65536 count=32 seek=64 2>/dev/null; exec sleep 60"
	go
	wait_until 10 grep -q sleep "/proc/$pod_pid/comm"
	# sync would write them itself: the kernel's own thread is to do it, soon.
	echo 20 >/proc/sys/vm/dirty_expire_centisecs
	echo 20 >/proc/sys/vm/dirty_writeback_centisecs
	wait_until 20 written "$fast" "$before"
	sleep 0.5
	books "written back" "$before" "$(both "$fast")"
	note "$(grep '^bramble_block_bytes_total.*op="write"' $tmp/metrics | tr '\n' ';')"
	if [ "$mode_of" = bio_cgroup ] && [ -e "$pod_cgroup/io.stat" ]; then
		check_holds "written back: 2 MiB are the pod's that made them dirty" \
			"$(metric_or_0 bramble_block_bytes_total pod="dirty-$1" device="$fast" op=write) >= 2097152"
	else
		check_holds "written back: 2 MiB are the kernel's, as it is said ($mode_of)" \
			"$(metric_or_0 bramble_block_bytes_total unit=kernel device="$fast" op=write) - $kernel_before >= 2097152"
	fi
	kill -KILL "$pod_pid"
	wait "$pod_pid" 2>/dev/null
	fact "written back, ${mode%: }" "$mode_of"
}

# A pod at its limit of io.max waits before its requests are made. Where the kernel lets functions be
# hooked, that time is before the device; else it is not seen, and the log says so.
test_limited() {
	local wall queue owner at_device try
	# If the host has no time for this machine, the reads themselves are slow.
	for try in 1 2 3; do
		limited_reads "limited-$1-$try" || return 0
		[ "$(calc %d "$wall < 2.5")" = 0 ] || break
	done
	fact "io.max, ${mode%: }" "${owner%.*} of 40 reads, $queue s of $wall s before the device"
	[ "$(metric_or_0 bramble_probe_attribution_info probe=block mode=bio_cgroup)" != 0 ] || return 0
	check_holds "io.max: the reads of a pod at its limit are its own" "$owner == 40"
	if grep -q 'io.max are not measured' $tmp/bramble.log; then
		check_holds "io.max: as the log says, its wait is not seen ($queue s of $wall s)" "$queue < $wall / 2"
	else
		check_holds "io.max: the time at its limit is before the device ($queue s of $wall s, $at_device s at it)" \
			"$wall > 1 && $queue > 0.8 * $wall && $at_device < 0.2 * $wall"
	fi
}

# limited_reads POD: sets wall, queue, at_device and owner. Fails where there is no io.max.
limited_reads() {
	local begin
	new_pod storage "$1" main
	[ -e "$pod_cgroup/io.max" ] || return 1
	echo "$(cat "/sys/block/$fast/dev") riops=20" >"$pod_cgroup/io.max"
	in_pod /test/direct read "/dev/$fast" 40 4096
	begin=$(uptime_cs)
	go
	wait "$pod_pid"
	wall=$(calc %.2f "($(uptime_cs) - $begin) / 100")
	sleep 0.2
	scrape
	queue=$(sum_of "$1" queue)
	at_device=$(sum_of "$1" io)
	owner=$(count_of "$1" io read)
}

test_block() {
	local lost unpaired recursion unknown
	check_holds "block: the probe is up" "$(metric_or_0 bramble_probe_up probe=block) == 1"
	[ -e /sys/block/vda ] || load_driver
	fast=$(disk fast) slow=$(disk slow)
	if [ -z "$fast" ] || [ -z "$slow" ]; then
		note "block: no disk here: virtio_blk is a module of this kernel's"
		return
	fi
	block_round=$((${block_round:-0} + 1))
	test_slow $block_round
	test_queued $block_round
	test_written_back $block_round
	test_limited $block_round
	scrape
	lost=$(metric_or_0 bramble_probe_lost_total probe=block)
	note "$(grep '^bramble_probe_lost_total{probe="block"' $tmp/metrics | tr '\n' ';')"
	# Without BTF the records come from classic tracepoints. The kernel does not run their programs, and
	# counts a recursion, while anybody's bpf() call is preempted on that CPU.
	unpaired=$(metric_or_0 bramble_probe_lost_total probe=block reason=unpaired)
	recursion=$(metric_or_0 bramble_probe_lost_total probe=block reason=recursion)
	unknown=$(metric_or_0 bramble_block_io_seconds_count device=unknown)
	[ "${mode#kernel}" = "$mode" ] || recursion=0
	check_holds "block: nothing is lost but for records the kernel left out ($lost, $recursion)" \
		"$recursion <= 20 && $unpaired <= $recursion && $lost == $unpaired + $recursion"
	check_holds "block: no other request is of an unknown device" "$unknown <= $unpaired / 2"
}
