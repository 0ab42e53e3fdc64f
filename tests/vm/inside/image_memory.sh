#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# shellcheck shell=dash disable=SC2154 # from the kernel's command line; set elsewhere
#
# What the kernel charges to the image's container, for tests/bench/image-memory-vm. It is no test.

charged=$cgroup2/bramble

# of_kind KIND: bytes of its BPF maps or programs, each once. A link names its program, too, but no size.
of_kind() {
	cat /proc/"$(head -n 1 $charged/cgroup.procs)"/fdinfo/* 2>/dev/null | awk -v kind="$1_id:" '
		$1 == "memlock:" { memlock = $2 } $1 == kind && memlock { bytes[$2] = memlock; memlock = 0 }
		END { for (id in bytes) sum += bytes[id]; print sum + 0 }'
}

# shellcheck disable=SC2010 # busybox's find cannot compare where a link leads
open_files() { ls -l /proc/"$(head -n 1 $charged/cgroup.procs)"/fd | grep -c " /sys/fs/cgroup/\| /host/sys/fs/cgroup/"; }

# ROW WHAT: memory.current, memory.peak, anonymous, pages of files, the kernel's own, BPF maps, in
# bytes; how many files of cgroups are open
memory_row() {
	awk -v what="$1" -v current="$(cat $charged/memory.current)" -v peak="$(cat $charged/memory.peak)" \
		-v maps="$(of_kind map)" -v opened="$(open_files)" '
		$1 == "anon" || $1 == "file" || $1 == "kernel" { of[$1] = $2 }
		END { print "ROW", what, current, peak, of["anon"], of["file"], of["kernel"], maps, opened }' $charged/memory.stat
	note "of the kernel's: $(grep -E '^(vmalloc|percpu|slab|slab_reclaimable|slab_unreclaimable|pagetables|kernel_stack|sock) ' \
		$charged/memory.stat | tr '\n' ' ')"
}

used_us() { awk '$1 == "usage_usec" { print $2 }' $charged/cpu.stat; }

# CPU CONTAINERS: what it takes of a CPU with a scrape each 15 s, in millionths. An instruction takes
# 4 ns here, several times as long as on a Pi.
cpu_row() {
	local before
	before=$(used_us)
	for _ in 1 2; do
		sleep 15
		scrape
	done
	echo "CPU $1 $((($(used_us) - before) / 30))"
}

# Each has its own cgroup, and works a little. As new_pod, with few programs: an emulated machine takes
# milliseconds to start one.
more_pods() { # FROM TO
	local i uid pod container
	make_cgroup /kubepods/burstable/any
	for i in $(seq "$1" "$2"); do
		read -r uid </proc/sys/kernel/random/uuid
		pod=$cgroup2/kubepods/burstable/pod$uid
		container=$pod/$(printf %064x "$i")
		mkdir -p "$log_dir/bench-$((i % 7))_load-${i}_$uid/main" "$pod"
		: >"$log_dir/bench-$((i % 7))_load-${i}_$uid/main/0.log"
		echo "+cpu +memory +io" >"$pod/cgroup.subtree_control"
		mkdir "$container"
		(echo 0 >"$container/cgroup.procs"; exec /test/burst 3000 500 1000000) &
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

# In every format that a Prometheus may ask for.
scrape_all() {
	wget -q -O /dev/null --header "Accept: application/openmetrics-text;version=1.0.0" $url/metrics
	wget -q -O /dev/null --header "Accept: application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited" \
		$url/metrics
	scrape
}

test_image_memory() {
	local had=0 count
	image_on_disk || fail "the image on a disk"
	start_image || { sed 's/^/    | /' $tmp/image.log; fail "it is ready"; return; }
	for count in 0 10 110 250; do
		[ $count = 0 ] || more_pods $((had + 1)) $count
		had=$count
		# Names come within seconds, and each scrape takes some memory for a moment.
		for _ in 1 2 3; do
			sleep 2
			scrape_all
		done
		note "$(grep -c '' $tmp/metrics) lines, $(grep -c '^bramble_cpu_wait_seconds_count{namespace="bench-' $tmp/metrics) of $count containers"
		memory_row $count
		[ $count != 110 ] || cpu_row $count
	done
	# What it must have: without the pages of files and the names that the kernel can drop.
	echo 64M >$charged/memory.reclaim 2>/dev/null
	memory_row must
	note "programs: $(of_kind prog) bytes; $(grep -E '^(max|oom|oom_kill) ' $charged/memory.events | tr '\n' ' ')"
	cat /proc/"$(head -n 1 $charged/cgroup.procs)"/fdinfo/* 2>/dev/null | awk '
		{ of[$1] = $2 } $1 == "map_id:" { print "MAP", $2, of["map_type:"], of["value_size:"], of["max_entries:"], of["memlock:"] }' |
		sort -u -k 2,2n | sort -k 6,6nr | head -n 24
	grep -q '^oom_kill 0$' $charged/memory.events || fail "the kernel ended it for lack of memory"
	stop_image
}
