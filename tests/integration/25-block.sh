#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# Block I/O against the kernel's own counts. While fio runs in several containers, bramble's requests
# and bytes must equal those of /proc/diskstats, for each device and operation, with and without
# BTF, with and without a scheduler. Whatever else the machine reads and writes is in both.

# Mounts of its own, which its containers see and nobody else.
[ -n "${BLOCK_MOUNTS:-}" ] || BLOCK_MOUNTS=1 exec unshare --mount --propagation private bash "$0" "$@"
. "$(dirname "$0")/lib.sh"

for tool in fio losetup mkfs.ext4 fstrim; do
	command -v "$tool" >/dev/null || give_up "there is no $tool: scripts/install-packages test"
done

# ---------------------------------------------------------------- devices

declare -a loops=()
# shellcheck disable=SC2317 # called by the trap
release_loops() {
	local loop
	umount "$tmp/share" 2>/dev/null
	for loop in "${loops[@]}"; do
		losetup -d "$loop" 2>/dev/null
	done
}
trap 'release_loops; cleanup' EXIT

# make_loop FILE OPTION...: sets loop (/dev/loop3) and device (loop3)
make_loop() {
	local file=$1
	shift
	loop=$(losetup --find --show "$@" "$file") || give_up "losetup of $file"
	device=${loop#/dev/}
	loops+=("$loop")
}

# What the kernel has counted for a device: READS BYTES WRITES BYTES DISCARDS BYTES FLUSHES MERGES.
# Documentation/admin-guide/iostats.rst: sectors are 512 bytes.
kernel_counts() { # DEVICE
	awk -v device="$1" '$3 == device {
		printf "%.0f %.0f %.0f %.0f %.0f %.0f %.0f %.0f\n", $4, $6 * 512, $8, $10 * 512, $15, $17 * 512,
			$19, $5 + $9 + $16 }' /proc/diskstats
}

# What bramble has, summed over containers and units, from the last scrape.
bramble_counts() { # DEVICE
	local op
	for op in read write discard flush; do
		echo "$(metric_or_0 bramble_block_io_seconds_count device="$1" op=$op) $(
			metric_or_0 bramble_block_bytes_total device="$1" op=$op)"
	done | tr '\n' ' ' | awk '{ printf "%.0f %.0f %.0f %.0f %.0f %.0f %.0f\n", $1, $2, $3, $4, $5, $6, $7 }'
}

# read_both DEVICE: sets kernel and bramble. It tries until no request comes between the two.
read_both() {
	local tries=100 after
	while ((tries-- > 0)); do
		kernel=$(kernel_counts "$1")
		metrics=$(curl -sf "$bramble_url/metrics")
		after=$(kernel_counts "$1")
		[ "$kernel" = "$after" ] || { sleep 0.05; continue; }
		echo "$metrics" >"$tmp/metrics"
		bramble=$(bramble_counts "$1")
		return 0
	done
	return 1
}

# agree WHAT KERNEL0 BRAMBLE0 KERNEL1 BRAMBLE1: both grew by the same. Sets grew and merges, and
# wrong if they did not.
agree() {
	local what=$1 i names=(reads "bytes read" writes "bytes written" discards "bytes discarded" flushes)
	wrong=
	local kernel0 bramble0 kernel1 bramble1
	read -ra kernel0 <<<"$2"
	read -ra bramble0 <<<"$3"
	read -ra kernel1 <<<"$4"
	read -ra bramble1 <<<"$5"
	grew=()
	for i in 0 1 2 3 4 5 6; do
		grew[i]=$((kernel1[i] - kernel0[i]))
		((grew[i] == bramble1[i] - bramble0[i])) ||
			wrong="$wrong ${names[i]}: kernel ${grew[i]}, bramble $((bramble1[i] - bramble0[i]));"
	done
	merges=$((kernel1[7] - kernel0[7]))
	note "$what: ${grew[0]} reads, ${grew[2]} writes, ${grew[4]} discards, ${grew[6]} flushes, $merges merges;" \
		"${grew[1]}, ${grew[3]}, ${grew[5]} bytes"
	[ -z "$wrong" ] || note "$what:$wrong"
}

# verdict WHAT: of the last agree
verdict() {
	if [ -z "$wrong" ]; then
		pass "$1: requests and bytes are the kernel's (${grew[0]} reads, ${grew[2]} writes," \
			"${grew[4]} discards, ${grew[6]} flushes)"
	else
		fail "$1:$wrong"
	fi
}

# ---------------------------------------------------------------- load

fio_quick=(fio --output-format=json --thread --group_reporting --fallocate=none --randseed=7)

# start_fio POD OPTION...: its result is in $tmp/POD.out
start_fio() {
	local pod=$1
	shift
	start_pod storage "$pod" main "${fio_quick[@]}" --name="$pod" "$@"
}

finish_fio() { # POD...
	local pod
	for pod; do
		wait_until 60 container_ended "$pod" || fail "$pod: is not done"
		stop_container "$pod"
	done
}

# Returns when everything dirty or under way on the device has been written.
settle() {
	sync -f "$tmp/share"
	sleep 0.3
}

# The buckets' numbers k (docs/api.md) in which the median and the 99th percentile are: of fio's
# completion latency, and of what bramble has for that pod: at the device, and waiting for a CPU.
quantiles_of_fio() { # POD
	jq -r '.jobs[0].read.clat_ns.percentile |
		[."50.000000", ."99.000000"] | map(. / 1e9 | log2 * 4 | ceil) | join(" ")' "$tmp/$1.out"
}
quantiles_of_bramble() { # POD DEVICE
	curl -sf "$bramble_url/api/v1/containers" | jq -r --arg pod "$1" --arg device "$2" '
		def quantile($q): . as $hist | reduce .buckets[] as $b ({sum: 0, k: null};
			if .k == null then .sum += $b[1] | if .sum >= $q * $hist.count then .k = $b[0] else . end
			else . end) | .k;
		.containers[] | select(.pod == $pod) |
		(.block_io[] | select(.device == $device and .op == "read").value | [quantile(0.5), quantile(0.99)]) +
		[.cpu_wait | quantile(0.99)] | join(" ")'
}
near() { (($1 - $2 <= 1 && $2 - $1 <= 1)); }

# same_latency MODE: large reads of the disk, one after the other, so that most of the time is the
# device's. fio goes first in line for a CPU, because its latency includes its own wait for one. (With
# a loop device, kernel threads would do the work, and they have to wait for a CPU, too.)
same_latency() {
	local mode=$1 try pod ours theirs
	[ -n "$disk" ] || { skip "$mode, latency: $tmp is on no disk"; return; }
	for try in 1 2 3 4 5 6; do
		pod=latency-$mode-$try
		start_fio "$pod" --filename=/big --size=64m --rw=randread --bs=512k --direct=1 --ioengine=psync \
			--readonly --startdelay=1 --time_based --runtime=2
		xargs renice -n -20 -p <"$cgroup2${container_cgroup[$pod]}/cgroup.threads" >/dev/null
		finish_fio "$pod"
		read -ra theirs < <(quantiles_of_fio "$pod")
		read -ra ours < <(quantiles_of_bramble "$pod" "$disk")
		note "$mode: buckets of the median and the 99th percentile: fio ${theirs[*]}, bramble ${ours[*]:0:2};" \
			"of fio's waits for a CPU ${ours[2]}"
		[ "${#theirs[*]} ${#ours[*]}" = "2 3" ] || break
		near "${theirs[0]}" "${ours[0]}" && near "${theirs[1]}" "${ours[1]}" && break
	done
	if [ "${#theirs[*]} ${#ours[*]}" != "2 3" ]; then
		fail "$mode, latency: no quantiles"
		return
	fi
	check "$mode: fio's median is within one bucket of bramble's (${theirs[0]} and ${ours[0]})" \
		near "${theirs[0]}" "${ours[0]}"
	# If fio waits for a CPU for longer than for the device, that wait is in its latency.
	if ! near "${theirs[1]}" "${ours[1]}" && ((ours[2] > ours[1])); then
		skip "$mode, fio's 99th percentile (${theirs[1]}, bramble's ${ours[1]}): fio waited for a CPU (${ours[2]})"
	else
		check "$mode: so is its 99th percentile (${theirs[1]} and ${ours[1]})" near "${theirs[1]}" "${ours[1]}"
	fi
}

# ---------------------------------------------------------------- the tests

# fio_round SUFFIX: four pods at once, each with its own kind of I/O; and fstrim from here
fio_round() {
	start_fio "reads-$1" --filename=/share/big --size=64m --rw=randread --bs=4k --direct=1 --ioengine=psync \
		--numjobs=2 --io_size=4m
	start_fio "syncs-$1" --filename=/share/syncs --size=4m --rw=randwrite --bs=4k --direct=1 --ioengine=psync \
		--fsync=4 --io_size=2m
	start_fio "buffered-$1" --filename=/share/buffered --size=16m --rw=randwrite --bs=16k --ioengine=psync \
		--fdatasync=64
	# Small neighbours in one submission: the block layer merges them.
	start_fio "merged-$1" --filename=/share/merged --size=8m --rw=write --bs=4k --direct=1 --ioengine=libaio \
		--iodepth=32 --iodepth_batch_submit=32 --iodepth_batch_complete_min=32
	finish_fio "reads-$1" "syncs-$1" "buffered-$1" "merged-$1"
	rm -f "$tmp/share/buffered" "$tmp/share/merged"
	settle
	fstrim "$tmp/share"
	settle
}

# books MODE SCHEDULER: against the counts of the loop device. Under load the kernel does not run the
# programs for a few ends of requests (lost, "no_complete"). So the best of three rounds counts. No
# round may have more than the kernel, or less than 99 of 100.
books() {
	local what="$1, $2" try kernel0 bramble0 disk_kernel0 disk_bramble0 disk_wrong=none
	echo "$2" >"/sys/block/$device/queue/scheduler"
	settle
	for try in 1 2 3; do
		disk_kernel0=
		[ -z "$disk" ] || { read_both "$disk" && disk_kernel0=$kernel && disk_bramble0=$bramble; }
		read_both "$device" || { fail "$what: the device does not come to rest"; return; }
		kernel0=$kernel bramble0=$bramble
		fio_round "$1-$2-$try"
		if [ -n "$disk_kernel0" ] && read_both "$disk"; then
			agree "$what, $disk" "$disk_kernel0" "$disk_bramble0" "$kernel" "$bramble"
			disk_wrong=$wrong
			[ -n "$wrong" ] || disk_said="${grew[0]} reads, ${grew[2]} writes, ${grew[4]} discards, ${grew[6]} flushes"
		fi
		read_both "$device" || { fail "$what: the device does not come to rest"; return; }
		agree "$what" "$kernel0" "$bramble0" "$kernel" "$bramble"
		check_share "$what" "$kernel0" "$bramble0"
		[ -n "$wrong" ] || break
	done
	verdict "$what"
	check_holds "$what: there was some of each kind" \
		"${grew[0]} > 2000 && ${grew[2]} > 500 && ${grew[4]} > 0 && ${grew[6]} > 100 && $merges > 500"
	case $disk_wrong in
	'') pass "$what: and so are those of $disk below it ($disk_said)" ;;
	none) skip "$what, $disk: this machine does not leave it alone for the moment of a scrape" ;;
	*) skip "$what, $disk: the kernel left out programs while this machine was busy:$disk_wrong" ;;
	esac
	[ -n "$wrong" ] || pods_add_up "$what" "$1-$2-$try"
}

# check_share WHAT KERNEL0 BRAMBLE0: over all ops, against the last reading
check_share() {
	local k b
	k=$(awk -v a="$2" -v b="$kernel" 'BEGIN { split(a, x); split(b, y); print y[1] + y[3] + y[5] + y[7] - x[1] - x[3] - x[5] - x[7] }')
	b=$(awk -v a="$3" -v b="$bramble" 'BEGIN { split(a, x); split(b, y); print y[1] + y[3] + y[5] + y[7] - x[1] - x[3] - x[5] - x[7] }')
	((b <= k && b * 100 >= k * 99)) || fail "$1: $b requests, the kernel has $k"
}

# pods_add_up WHAT SUFFIX: what fio says it did is counted for its container
pods_add_up() {
	local ios reads queued bytes
	ios=$(jq '.jobs[0].read.total_ios' "$tmp/reads-$2.out")
	reads=$(metric_or_0 bramble_block_io_seconds_count pod="reads-$2" device="$device" op=read)
	queued=$(metric_or_0 bramble_block_queue_seconds_count pod="reads-$2" device="$device" op=read)
	check_holds "$1: fio's $ios reads are its container's (its file's metadata may be a few more)" \
		"$reads >= $ios && $reads < $ios + 20"
	check_holds "$1: each has its wait before the device" "$queued == $reads"
	ios=$(jq '.jobs[0].write.io_bytes' "$tmp/syncs-$2.out")
	bytes=$(metric_or_0 bramble_block_bytes_total pod="syncs-$2" device="$device" op=write)
	check_holds "$1: and so are the $ios bytes of its direct writes" "$bytes >= $ios"
}

# A device that is larger than its file: an error, after a request that is done in part and issued
# again. A device that vanishes keeps its name. A device that comes back continues its counts.
errors() { # MODE
	local what=$1 kernel0 bramble0
	truncate -s 8M "$tmp/short.img"
	make_loop "$tmp/short.img" --direct-io=on
	truncate -s $((4096 * 1024 + 32768)) "$tmp/short.img"
	sleep 0.5
	read_both "$device"
	kernel0=$kernel bramble0=$bramble
	dd if="$loop" of=/dev/null bs=64k iflag=direct skip=60 count=8 2>/dev/null # 4 are good, then a half
	dd if="$loop" of=/dev/null bs=64k iflag=direct skip=100 count=1 2>/dev/null
	read_both "$device"
	agree "$what, a device with errors" "$kernel0" "$bramble0" "$kernel" "$bramble"
	verdict "$what, a device with errors"
	check_holds "$what: the two that failed are counted" \
		"$(metric_or_0 bramble_block_errors_total device="$device" op=read) == 2"
	losetup -d "$loop"
	wait_until 5 sh -c "! losetup $loop" 2>/dev/null
	scrape
	check_holds "$what: they are there when the device is gone" \
		"$(metric_or_0 bramble_block_errors_total device="$device" op=read) == 2"
}

lost_little() { # MODE
	scrape
	local lost seen
	lost=$(metric_or_0 bramble_probe_lost_total probe=block)
	seen=$(metric_or_0 bramble_probe_events_total probe=block)
	note "$1: $(select_metric bramble_probe_lost_total probe=block | tr '\n' ';')"
	# For requests that were at a device when the probe began, only the end is seen.
	check_holds "$1: at most 1 request in 100 was lost (${lost%.*} of ${seen%.*})" \
		"$lost - $begun_before <= 0.01 * $seen"
	check_holds "$1: none is of an unknown device" \
		"$(metric_or_0 bramble_block_io_seconds_count device=unknown) == 0"
}

with() { # MODE
	# The file is made before the probe begins.
	start_bramble
	sleep 0.5
	scrape
	begun_before=$(metric_or_0 bramble_probe_lost_total probe=block reason=no_issue)
	check_holds "$1: the probe is up" "$(metric_or_0 bramble_probe_up probe=block) == 1"
	loop=$fs_loop device=${fs_loop#/dev/}
	books "$1" none
	books "$1" mq-deadline
	echo none >"/sys/block/$device/queue/scheduler"
	same_latency "$1"
	errors "$1"
	lost_little "$1"
	stop_bramble
}

# The disk below the image, if it is a whole device that counts requests.
disk=$(basename "$(readlink -f "/sys/dev/block/$(stat -c '%Hd:%Ld' "$tmp")" 2>/dev/null)" 2>/dev/null)
[ -d "/sys/block/$disk" ] || disk=

add_program fio
truncate -s 256M "$tmp/disk.img"
make_loop "$tmp/disk.img"
fs_loop=$loop
mkfs.ext4 -q -F "$fs_loop" || give_up "mkfs.ext4 of $fs_loop"
mkdir -p "$tmp/share"
mount "$fs_loop" "$tmp/share" || give_up "mount of $fs_loop"
dd if=/dev/urandom of="$tmp/share/big" bs=1M count=64 2>/dev/null
cp "$tmp/share/big" "$tmp/rootfs/big" && sync "$tmp/rootfs/big"
settle

for_each_btf with

# Off: no samples, and it says so.
start_bramble --no-probe.block
dd if="$tmp/share/big" of=/dev/null bs=64k count=8 iflag=direct 2>/dev/null
scrape
check_holds "--no-probe.block: it is not up, and counts nothing" \
	"$(metric_or_0 bramble_probe_up probe=block) == 0 && $(metric_or_0 bramble_block_io_seconds_count) == 0"
stop_bramble
finish
