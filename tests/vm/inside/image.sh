#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# shellcheck shell=dash disable=SC2154,SC2034 # from the kernel's command line; used elsewhere
#
# The container image, run by runc with what the shipped DaemonSet gives it: its capabilities, its
# mounts, a read-only root file system. tests/vm/image-initrd has put it into /image.

in_image() { /image/runc --root $tmp/runc exec image "$@"; }

# start_image: returns when it is ready. An initramfs cannot be pivoted away from.
start_image() {
	mkdir -p $tmp/pods $tmp/kubelet
	cp "/image/config-$vm_memory.json" /image/config.json
	# It is the leader of nothing here: its log is a file, as a runtime would have it.
	/image/runc --root $tmp/runc run --no-pivot --bundle /image image </dev/null >$tmp/image.log 2>&1 &
	image_pid=$!
	wait_until 30 wget -q -O /dev/null $url/readyz 2>/dev/null
}

stop_image() {
	/image/runc --root $tmp/runc kill image TERM
	wait "$image_pid"
	image_code=$?
}

# The image's pod counts for others: its waits are shown by name.
image_counts() {
	scrape
	[ "$(metric_or_0 bramble_cpu_wait_seconds_count namespace=shop pod=image-0 container=web)" != 0 ]
}

test_image() {
	[ -d /image ] || return 0
	mode="image: "
	if ! start_image; then
		fail "it is ready as it is deployed"
		sed 's/^/    | /' $tmp/image.log
		/image/runc --root $tmp/runc delete --force image 2>/dev/null
		mode=
		return
	fi
	pass "it is ready as it is deployed"
	new_pod shop image-0 web
	in_pod /test/burst 30 500 3000
	go
	check "it is scraped, and names a pod" wait_until 20 image_counts
	check_holds "all probes are up" "$(metric_or_0 bramble_probe_up) - $(metric_or_0 bramble_probe_up probe=fsync) == $(
		grep '^bramble_probe_up{' $tmp/metrics | grep -vc '"fsync"')"
	in_image bramble check >$tmp/check.txt 2>&1
	check_holds "bramble check runs in it" "$? == 0"
	check "bramble top --once runs in it, and shows the pod" sh -c "
		/image/runc --root $tmp/runc exec image bramble top --once | grep -q '^shop/image-0/web '"
	check "there is no shell in it" sh -c "! /image/runc --root $tmp/runc exec image sh -c true 2>/dev/null"
	if [ "$vm_memory" = yes ]; then
		check_holds "it stays below its memory limit ($(cat $cgroup2/bramble/memory.peak) bytes at most)" \
			"$(cat $cgroup2/bramble/memory.peak) < $(cat $cgroup2/bramble/memory.max)"
	fi
	fact "image" "runs with runc, $(cat $cgroup2/bramble/memory.current 2>/dev/null || echo no) bytes"
	kill -KILL "$pod_pid"
	wait "$pod_pid" 2>/dev/null
	stop_image
	check_holds "SIGTERM: it ends with 0" "$image_code == 0"
	mode=
}
