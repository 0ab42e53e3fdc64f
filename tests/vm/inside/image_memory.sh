#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# shellcheck shell=dash disable=SC2154 # from the kernel's command line; set elsewhere
#
# What the kernel charges to the image's container, for tests/bench/image-memory-vm. It is no test.

# ROW CONTAINERS: memory.current, memory.peak, anonymous, pages of files, the kernel's own, in bytes
memory_row() {
	awk -v count="$1" -v current="$(cat $cgroup2/bramble/memory.current)" -v peak="$(cat $cgroup2/bramble/memory.peak)" '
		$1 == "anon" || $1 == "file" || $1 == "kernel" { of[$1] = $2 }
		END { print "ROW", count, current, peak, of["anon"], of["file"], of["kernel"] }' $cgroup2/bramble/memory.stat
}

# Each has its own cgroup, and works a little.
more_pods() { # FROM TO
	local i
	for i in $(seq "$1" "$2"); do
		new_pod "bench-$((i % 7))" "load-$i" main
		sh -c 'echo 0 >"$1/cgroup.procs"; exec /test/burst 600 500 200000' sh "$pod_cgroup" &
	done
}

# A node has the image on a disk. Pages of its files are charged to who reads them first: here they
# are to be read by the container.
image_on_disk() {
	load_modules
	mount_disk ext4 || return
	cp -a /image/root $tmp/ext4/ && sync && echo 3 >/proc/sys/vm/drop_caches &&
		sed -i "s,\"/image/root\",\"$tmp/ext4/root\"," /image/config-yes.json
}

test_image_memory() {
	local had=0 count
	image_on_disk || fail "the image on a disk"
	start_image || { sed 's/^/    | /' $tmp/image.log; fail "it is ready"; return; }
	for count in 0 10 110 250; do
		[ $count = 0 ] || more_pods $((had + 1)) $count
		had=$count
		# Names come within seconds, and each scrape takes some memory for a moment.
		for _ in 1 2 3 4 5; do
			sleep 2
			scrape
		done
		note "$(grep -c '' $tmp/metrics) lines"
		memory_row $count
	done
	stop_image
}
