#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# bramble must count as many fsyncs as fio does, and as long ones, for each container: on ext4, on
# overlayfs and on the machine's own file system. Also: what is an fsync and what is not. With BTF
# and without.

# Mounts are this test's own.
if [ "$(id -u)" = 0 ] && [ -z "${FSYNC_TEST_INSIDE:-}" ]; then
	FSYNC_TEST_INSIDE=1 exec unshare --mount --propagation private bash "$0" "$@"
fi
. "$(dirname "$0")/lib.sh"
trap 'umount -l "$tmp"/share/* 2>/dev/null; cleanup' EXIT

count=1000 # fsyncs of fio, each after a write

# mount_disk FS MIB [MKFS ARGUMENT...]: a file system on a loop device, as /share/FS
mount_disk() {
	local fs=$1 size=$2
	shift 2
	mkdir -p "$tmp/share/$fs"
	truncate -s "${size}M" "$tmp/$fs.img"
	"mkfs.$fs" "$@" "$tmp/$fs.img" >"$tmp/mkfs.out" 2>&1
	mount -t "$fs" -o loop "$tmp/$fs.img" "$tmp/share/$fs" && return
	note "no $fs here: $(tail -n 1 "$tmp/mkfs.out")"
	return 1
}

run_pod() { # POD COMMAND...
	local pod=$1
	shift
	start_pod data "$pod" main "$@" || return 1
	wait_until 60 container_ended "$pod" || fail "$pod: has not ended"
}

fio_pod() { # POD DIRECTORY FIO_ARGUMENT...
	local pod=$1 directory=$2
	shift 2
	# fio does not count the fsyncs that it makes while it creates its file.
	start_pod data "$pod" main fio --name="$pod" --directory="$directory" --size=4m --rw=randwrite \
		--bs=4k --number_ios=$count --create_fsync=0 --output-format=json \
		--output="/share/$pod.json" "$@"
}

# k: the bucket of a value in ns ends at 2^(k/4) s
bucket_of() { awk "BEGIN { k = 4 * log($1 / 1e9) / log(2); printf \"%d\", k == int(k) || k < 0 ? int(k) : int(k) + 1 }"; }

# p99_bucket POD: of bramble's buckets, from the API
p99_bucket() {
	curl -sf "$bramble_url/api/v1/containers" | jq --arg pod "$1" '
		.containers[] | select(.pod == $pod) | .fsync |
		((.count * 99 + 99) / 100 | floor) as $rank |
		reduce .buckets[] as [$k, $n] ({below: 0};
			if .k == null and .below + $n >= $rank then .k = $k else .below += $n end) | .k'
}

# agrees_with_fio POD: counts are equal; the 99th percentiles are in one bucket or in two that
# touch. fio times the system call: its JSON has sync.lat_ns, in 64 bins an octave. (Its
# sync.total_ios is 0 for fdatasync.)
agrees_with_fio() {
	local pod=$1 fio=$tmp/share/$1.json syncs ns ours
	syncs=$(jq '.jobs[0].sync.lat_ns.N' "$fio")
	ns=$(jq '.jobs[0].sync.lat_ns.percentile["99.000000"]' "$fio")
	ours=$(p99_bucket "$pod")
	note "$mode: $pod: fio: $syncs syncs, p99 $ns ns (bucket $(bucket_of "$ns")); bramble: p99 in bucket $ours"
	check_holds "$mode: $pod: as many fsyncs as fio has made ($syncs)" \
		"$syncs >= $count - 1 && $(metric_or_0 bramble_fsync_seconds_count namespace=data pod="$pod") == $syncs"
	check_holds "$mode: $pod: the 99th percentiles are within one bucket (2^(${ours:-?}/4) s)" \
		"($ours - $(bucket_of "$ns")) ^ 2 <= 1"
}

with_fio() {
	fio_pod "fio-ext4-$mode" /share/ext4 --fsync=1
	fio_pod "fio-overlay-$mode" /share/overlay --fdatasync=1
	[ -z "$machine" ] || fio_pod "fio-machine-$mode" /share/machine --fsync=1
	for pod in "fio-ext4-$mode" "fio-overlay-$mode" ${machine:+"fio-machine-$mode"}; do
		wait_until 60 container_ended "$pod" || fail "$pod: has not ended"
	done
	scrape
	for pod in "fio-ext4-$mode" "fio-overlay-$mode" ${machine:+"fio-machine-$mode"}; do
		agrees_with_fio "$pod"
	done
	check_holds "$mode: no fsync was lost" \
		"$(metric_or_0 bramble_probe_lost_total probe=fsync) <= $lost0"
}

# Each way of bringing a file to the disk, 20 times.
ways() {
	local how sum
	for how in fsync fdatasync msync osync odsync dir uring range syncfs msync-async; do
		run_pod "$how-$mode" fsyncs $how 20 "/share/ext4/$how-$mode"
	done
	run_pod "overlay-$mode" fsyncs fsync 20 "/share/overlay/file-$mode"
	scrape
	for how in fsync fdatasync msync osync odsync dir uring overlay; do
		sum=$(cut -d' ' -f2 "$tmp/$how-$mode.out")
		if grep -q "no io_uring" "$tmp/$how-$mode.out"; then
			skip "$mode: $how: this kernel has no io_uring"
			continue
		fi
		check_holds "$mode: $how: each is counted, and no more" \
			"$(metric_or_0 bramble_fsync_seconds_count pod="$how-$mode") == 20"
		check_holds "$mode: $how: it is not longer than the call, and most of it" \
			"$(metric_or_0 bramble_fsync_seconds_sum pod="$how-$mode") <= ${sum:-0} / 1e9 &&
			 $(metric_or_0 bramble_fsync_seconds_sum pod="$how-$mode") >= ${sum:-0} / 2e9 - 20 * 10e-6"
	done
	for how in range syncfs msync-async; do
		check_holds "$mode: $how: is none" "$(metric_or_0 bramble_fsync_seconds_count pod="$how-$mode") == 0"
	done
}

# File systems without a tracepoint at the end, where the kernel lets functions be hooked.
by_function() { # FS
	local fs=$1
	if ! grep -q "fsyncs on $fs are measured" "$bramble_log"; then
		check "$mode: $fs: it is said that its fsyncs are not measured" \
			grep -q "fsyncs on $fs are not measured" "$bramble_log"
		return
	fi
	run_pod "$fs-$mode" fsyncs fsync 20 "/share/$fs/file-$mode"
	run_pod "$fs-dir-$mode" fsyncs dir 20 "/share/$fs/dir-$mode"
	scrape
	check_holds "$mode: $fs: each fsync is counted" \
		"$(metric_or_0 bramble_fsync_seconds_count pod="$fs-$mode") == 20"
	check_holds "$mode: $fs: each fsync of a directory is counted" \
		"$(metric_or_0 bramble_fsync_seconds_count pod="$fs-dir-$mode") == 20"
}

test_mode() { # MODE FLAGS...
	mode=$1
	shift
	start_bramble --log.level=debug "$@"
	scrape
	# Those that were on their way when the probe was attached.
	lost0=$(metric_or_0 bramble_probe_lost_total probe=fsync)
	with_fio
	ways
	[ -z "$xfs" ] || by_function xfs
	[ -z "$btrfs" ] || by_function btrfs
	stop_bramble
}

mount_disk ext4 64 -q || {
	skip "everything: ext4 cannot be mounted on a loop device"
	finish
}
mkdir -p "$tmp/share/ext4"/{upper,work} "$tmp/share/overlay" "$tmp/share/machine"
mount -t overlay -o "lowerdir=$here,upperdir=$tmp/share/ext4/upper,workdir=$tmp/share/ext4/work" \
	overlay "$tmp/share/overlay" || give_up "overlayfs cannot be mounted"
machine=1
[ "$(stat -f -c %T "$tmp")" = ext2/ext3 ] || {
	machine=
	skip "on the machine's own file system: $tmp is not on ext4"
}
xfs=1
mount_disk xfs 320 -q || xfs=
btrfs=1
mount_disk btrfs 128 -q || btrfs=
add_program fio

for_each_btf test_mode
finish
