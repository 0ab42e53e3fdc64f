#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# shellcheck shell=dash disable=SC2154 # set elsewhere
#
# A board without a clock of its own: it boots in 1970, bramble and pods start, and then the time is
# set, as NTP does it. The last of the tests, as nothing has the right time before it.

openmetrics() {
	wget -q -O $tmp/metrics --header 'Accept: application/openmetrics-text; version=1.0.0' $url/metrics ||
		fail "clock: an OpenMetrics scrape"
}

created() { metric bramble_cpu_wait_seconds_created "$@"; }

# Starts a pod of two containers, one of which works. Its logs are made now, but they appear where
# bramble looks for them only when show_logs is called.
start_hidden_pod() { # POD
	local uid
	uid=$(cat /proc/sys/kernel/random/uuid)
	mkdir -p "$tmp/ext4/logs/shop_$1_$uid/first"
	: >"$tmp/ext4/logs/shop_$1_$uid/first/0.log"
	sleep 1
	mkdir "$tmp/ext4/logs/shop_$1_$uid/second"
	: >"$tmp/ext4/logs/shop_$1_$uid/second/0.log"
	pod_cgroup=/kubepods/burstable/pod$uid/$(random_id)
	make_cgroup "$pod_cgroup"
	pod_cgroup=$cgroup2$pod_cgroup
	in_pod /test/burst 30 5000 5000
}
show_logs() { mv $tmp/ext4/logs/* "$tmp/ext4/pods/"; }

test_clock() {
	local old_dir=$log_dir begin early now pids
	load_modules
	mount_disk ext4 || { fail "clock: ext4 on a loop device"; return; }
	log_dir=$tmp/ext4/pods
	mkdir -p $log_dir $tmp/ext4/logs
	# The kernel refuses a time before it booted, and this machine's clock runs ahead while it sleeps.
	begin=$(($(cut -d. -f1 /proc/uptime) + 300))
	date -s "@$begin" >/dev/null || fail "clock: set to 1970"
	if ! start_bramble --metrics.created; then
		fail "clock: serve starts in 1970"
		cat $tmp/bramble.log
		return
	fi
	new_pod shop early-0 web
	in_pod /test/burst 30 5000 5000
	pids=$pod_pid
	go
	sleep 1
	openmetrics
	early=$(created pod=early-0 container=web)
	check_holds "clock: created in 1970 ($early)" "$early >= $begin && $early < $begin + 100"
	start_hidden_pod set-0
	pids="$pids $pod_pid"
	go
	sleep 1
	date -s '2026-11-28 03:00:00' >/dev/null
	sleep 1
	openmetrics
	now=$(date +%s)
	early=$(created pod=early-0 container=web)
	check_holds "clock: once it is set, created is by it ($((now - ${early%.*})) s ago)" \
		"$now - $early > 0 && $now - $early < 100"
	check_holds "clock: the process's start, too" \
		"near($(metric process_start_time_seconds), $early, 30)"
	check_holds "clock: nothing was created before it was set" \
		"$(grep '_created[{ ]' $tmp/metrics | awk '$NF < 1700000000' | wc -l) == 0"
	check "clock: said so" grep -q 'the clock was set' $tmp/bramble.log
	check_holds "clock: a pod whose logs are not there has no name yet" "$(metric_or_0 bramble_cpu_wait_seconds_count pod=set-0) == 0"
	show_logs
	sleep 2
	openmetrics
	check_holds "clock: a container that began before is told by its log of that time" \
		"$(metric_or_0 bramble_cpu_wait_seconds_count pod=set-0 container=second) > 0"
	check_holds "clock: and created then" "near($(created pod=set-0 container=second), $early, 30)"
	# shellcheck disable=SC2086 # a list
	kill -KILL $pids
	# shellcheck disable=SC2086
	wait $pids 2>/dev/null
	stop_bramble
	remove_cgroups
	log_dir=$old_dir
}
