#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# shellcheck shell=dash disable=SC2154,SC2044 # from the kernel's command line; no spaces
#
# bramble check, the start and the end of bramble serve.

# state_of NAME, remedy_of NAME: of a fact in the JSON of bramble check
field_of() {
	awk -v name="$1" -v field="$2" -F '": "?' '
		$1 ~ /"name$/ { found = index($2, name "\"") == 1 }
		found && $1 ~ "\"" field "$" { sub(/",?$/, "", $2); print $2 }' $tmp/check.json
}
state_of() { field_of "$1" state; }
remedy_of() { field_of "$1" remedy; }

# expect NAME STATE [REMEDY]: what bramble check has to say of a fact
expect() {
	local state
	state=$(state_of "$1")
	if [ "$state" != "$2" ]; then
		fail "check: $1 is $2: it says ${state:-nothing}"
	elif [ $# -gt 2 ] && ! remedy_of "$1" | grep -qF "$3"; then
		fail "check: $1 is $2, the remedy is $3: it says $(remedy_of "$1")"
	else
		pass "check: $1 is $2${3:+, the remedy is $3}"
	fi
}

present_if() { if [ "$1" = yes ]; then echo present; else echo "$2"; fi; }

test_check() {
	local code
	/test/bramble check --json >$tmp/check.json
	code=$?
	/test/bramble check >$tmp/check.txt
	sed 's/^/CHECK /' $tmp/check.txt
	if [ "$vm_runs" = no ]; then
		check_holds "check: exits with 1" "$code == 1"
		expect "BPF programs" missing CONFIG_BPF_EVENTS
		/test/bramble serve --web.listen-address=127.0.0.1:9810 --web.socket= >$tmp/serve.txt 2>&1
		check_holds "serve: exits with 1" "$? == 1"
		check "serve: says what is missing in one line ($(head -c 200 $tmp/serve.txt))" sh -c "
			grep -q CONFIG_BPF_EVENTS $tmp/serve.txt && [ \$(grep -c level=error $tmp/serve.txt) = 1 ]"
		fact "runs" "no: CONFIG_BPF_EVENTS"
		return
	fi
	fact "runs" yes
	check_holds "check: exits with 0" "$code == 0"
	check "check: says that it can run" grep -q '"can_run": true' $tmp/check.json
	check "check: page size is $vm_page" grep -q "\"$vm_page bytes\"" $tmp/check.json
	expect BTF "$(present_if "$vm_btf" missing)"
	expect prev_state "$(present_if "$vm_prev_state" missing)"
	expect JIT present
	if [ "$vm_psi" = yes ]; then
		expect PSI present
	else
		expect PSI off "add psi=1 to the end of the one line in /boot/firmware/cmdline.txt"
	fi
	if [ "$vm_memory" = yes ]; then
		expect "memory controller" present
	else
		expect "memory controller" off \
			"add cgroup_enable=memory to the end of the one line in /boot/firmware/cmdline.txt"
	fi
	check "check: as text, it ends with its verdict" sh -c \
		"tail -n 1 $tmp/check.txt | grep -qx 'bramble can run here'"
	fact "kernel BTF" "$(state_of BTF)"
	fact "prev_state" "$(state_of prev_state)"
	fact "PSI" "$(state_of PSI)"
	fact "memory controller" "$(state_of "memory controller")"
}

# Where tracefs and cgroup v2 are not mounted, here those of another mount namespace. The options of
# cgroup v2 are the same for all its mounts, and stay as they are.
test_nothing_mounted() {
	local options
	mount -o remount,nsdelegate $cgroup2
	options=$(grep ' cgroup2 ' /proc/self/mounts)
	unshare -m sh -c "umount /sys/kernel/tracing && umount $cgroup2 && /test/bramble check --json" >$tmp/check.json
	check_holds "nothing mounted: check exits with 0" "$? == 0"
	check_holds "nothing mounted: serve mounts both" \
		"$(grep -c 'not mounted; serve mounts it for itself' $tmp/check.json) == 2"
	check "nothing mounted: cgroup v2 has the options it had ($options)" \
		test "$(grep ' cgroup2 ' /proc/self/mounts)" = "$options"
}

test_start() {
	if ! start_bramble; then
		fail "serve: is ready"
		cat $tmp/bramble.log
		kill -KILL "$bramble_pid"
		return 1
	fi
	pass "serve: is ready ($ready_ms ms)"
	fact "ready, ${mode%: }" "$ready_ms ms"
	scrape
	# That of fsync waits for a file system, which may be a module: fsync.sh looks at it.
	check_holds "serve: all probes are up" "$(metric_or_0 bramble_probe_up) - $(metric_or_0 bramble_probe_up probe=fsync) == $(
		grep '^bramble_probe_up{' $tmp/metrics | grep -vc '"fsync"')"
	grep -E 'level=(warn|error)' $tmp/bramble.log | while read -r line; do note "$mode$line"; done
	# The rest of RSS is pages of files, which are the page cache's.
	anon=$(awk '/^RssAnon/ { print $2 * 1024 }' "/proc/$bramble_pid/status")
	check_holds "serve: anonymous memory is bounded ($anon bytes)" "$anon > 0 && $anon < 6e6"
	fact "memory, ${mode%: }" "$(calc "%.1f MB" "$anon / 1e6")"
}

nothing_left() { [ "$(/test/bpf_ids)" = "progs 0 maps 0 links 0" ]; }

test_end() {
	check "serve: it has programs in the kernel ($(/test/bpf_ids))" sh -c '! /test/bpf_ids | grep -q "progs 0"'
	stop_bramble
	check_holds "SIGTERM: ends with 0, soon ($stop_ms ms)" "$bramble_code == 0 && $stop_ms <= 5000"
	check "SIGTERM: nothing is left in the kernel" wait_until 5 nothing_left
	check "SIGTERM: its socket is gone" test ! -e $tmp/bramble.sock
	remove_cgroups
}
