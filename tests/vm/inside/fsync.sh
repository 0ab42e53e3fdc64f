#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# shellcheck shell=dash disable=SC2154 # from the kernel's command line, and from lib.sh
#
# fsyncs, on file systems on loop devices: as many as the workload made, and as long.

# What is not built in. bramble runs already, the first time: it has to find them.
load_modules() {
	local module
	for module in /modules/*.ko; do
		[ ! -e "$module" ] || insmod "$module" 2>/dev/null
	done
}

# mount_disk FS: as /tmp/FS. Not with -o loop: busybox has the device open meanwhile, and
# kernels without BLK_DEV_WRITE_MOUNTED do not like that.
mount_disk() {
	local device
	mkdir -p $tmp/"$1"
	! grep -q " $tmp/$1 " /proc/mounts || return 0
	[ -e $tmp/"$1".img ] || gunzip -c /test/"$1".img.gz >$tmp/"$1".img
	device=$(losetup -f)
	losetup "$device" $tmp/"$1".img && mount -t "$1" "$device" $tmp/"$1"
}

is_measured() { grep -q "fsyncs on $1 are measured" $tmp/bramble.log; }

is_decided() { grep -qE "fsyncs on $1 are (not )?measured" $tmp/bramble.log; }

# fsync_pod POD HOW FILE: 20 times; what it found is in /tmp/POD.out
fsync_pod() {
	new_pod data "$1" main
	# shellcheck disable=SC2016 # the inner shell's
	in_pod sh -c '/test/fsyncs "$1" 20 "$2" >"$3" 2>&1' sh "$2" "$3" $tmp/"$1".out
	go
	wait "$pod_pid"
}

fsyncs_of() { metric_or_0 bramble_fsync_seconds_count namespace=data pod="$1" container=main; }

# agrees POD: with what the workload has found: COUNT SUM_NS P50_NS P99_NS. The way to the file
# system and back takes its time, too: some 10 us when emulated.
agrees() {
	local ours
	# shellcheck disable=SC2046 # four numbers
	set -- "$1" $(cat $tmp/"$1".out)
	ours=$(metric_or_0 bramble_fsync_seconds_sum pod="$1")
	check_holds "fsync: $1: each is counted, and no more ($(fsyncs_of "$1"))" \
		"${2:-0} == 20 && $(fsyncs_of "$1") == 20"
	check_holds "fsync: $1: as long as the calls ($(calc "%.0f of %.0f us" "$ours * 1e6, ${3:-0} / 1e3"))" \
		"$ours * 1e9 <= ${3:-0} && $ours * 1e9 > 0.5 * ${3:-0} - 20 * 20000"
}

# On file systems whose tracepoints have no end: where functions can be hooked. Those of btrfs
# have one in the newest kernels.
test_by_function() { # FS
	local expected=no
	case $vm_name:$mode:$1 in
	debian-6.12*:k*:* | debian-backports:k*:* | debian-backports:*:btrfs) expected=yes ;;
	esac
	if ! mount_disk "$1"; then
		note "$mode$1 is not in this kernel, or cannot have a page of $vm_page bytes"
		return
	fi
	if [ $expected = no ]; then
		check "fsync: on $1: not measured, and that is said" grep -q "fsyncs on $1 are not measured" $tmp/bramble.log
		return
	fi
	check "fsync: on $1: measured, though its module came late" is_measured "$1"
	fsync_pod "$1" fsync "$tmp/$1/file"
	fsync_pod "$1-dir" dir "$tmp/$1/dir"
	scrape
	agrees "$1"
	agrees "$1-dir"
}

test_fsync() {
	local how seen='' late=''
	is_measured ext4 || late=', though its module came late'
	load_modules
	# bramble finds them by itself, without a scrape.
	for how in ext4 xfs btrfs; do
		! grep -qw $how /proc/filesystems || wait_until 60 is_decided $how
	done
	check "fsync: on ext4: measured$late" is_measured ext4
	for how in ext4 xfs btrfs; do
		is_measured $how && seen="$seen $how"
	done
	fact "fsync, ${mode%: }" "${seen# }"
	scrape
	check_holds "fsync: the probe is up" "$(metric_or_0 bramble_probe_up probe=fsync) == 1"
	mount_disk ext4 || { fail "fsync: ext4 on a loop device"; return; }
	for how in fsync fdatasync msync osync odsync dir uring range syncfs sync msync-async; do
		fsync_pod $how $how $tmp/ext4/$how
	done
	mkdir -p $tmp/ext4/upper $tmp/ext4/work $tmp/overlay
	grep -q " $tmp/overlay " /proc/mounts ||
		mount -t overlay -o lowerdir=/test,upperdir=$tmp/ext4/upper,workdir=$tmp/ext4/work overlay $tmp/overlay
	fsync_pod overlay fsync $tmp/overlay/file
	scrape
	for how in fsync fdatasync msync osync odsync dir uring overlay; do
		agrees $how
	done
	for how in range syncfs sync msync-async; do
		check_holds "fsync: $how: is none" "$(fsyncs_of $how) == 0"
	done
	test_by_function xfs
	test_by_function btrfs
	check_holds "fsync: none was lost" "$(metric_or_0 bramble_probe_lost_total probe=fsync) == 0"
}
