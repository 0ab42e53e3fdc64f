#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# shellcheck shell=dash disable=SC2154 # from the kernel's command line
#
# What a running serve has given up. All other tests here run with it, too, and a system call that is
# not in its list ends it.

# status_of FIELD: of all its threads; each value once
status_of() { sed -n "s/^$1:[[:space:]]*//p" /proc/"$bramble_pid"/task/*/status | sort -u | tr '\n' ' '; }

# Names of the capabilities that remain, by what it says itself.
remaining() {
	sed -n 's/^bramble_probe_capability_info{capability="\(.*\)"} 1$/\1/p' $tmp/metrics | tr '\n' ' '
}

# The keeper: a process that loads programs for xfs and btrfs later, where functions can be hooked.
keeper() { grep -ls '^Name:[[:space:]]*bramble-keeper' /proc/[0-9]*/status | cut -d / -f 3; }

# Before 5.19 the kernel refuses an open map's use without CAP_BPF while unprivileged bpf is off.
test_sandbox() {
	local expected='' landlock=1 name kept=0
	case $vm_name in
	debian-5.10) expected='cap_bpf ' landlock=0 ;;
	pilike-* | noevents-*) landlock=0 ;;
	esac
	case $vm_name:$mode in debian-6.12*:k* | debian-backports:k*) kept=1 ;; esac
	scrape
	fact "capabilities, ${mode%: }" "$(remaining | sed 's/ $//; s/ /, /g')"
	note "${mode}unprivileged_bpf_disabled is $(cat /proc/sys/kernel/unprivileged_bpf_disabled), capabilities: $(remaining)($(status_of CapEff))"
	check "sandbox: the capabilities that remain are: ${expected:-none}" test "$(remaining)" = "$expected"
	[ -n "$expected" ] || for name in CapInh CapPrm CapEff CapBnd CapAmb; do
		check "sandbox: $name is empty" test "$(status_of $name)" = "0000000000000000 "
	done
	check_holds "sandbox: another process loads what comes later, if anything can" "$(keeper | wc -l) == $kept"
	[ $kept = 0 ] || check "sandbox: and it has what that takes, and the filter, too" test "$(
		sed -n 's/^\(CapEff\|Seccomp\|NoNewPrivs\):[[:space:]]*//p' "/proc/$(keeper)/status" | tr '\n' ' ')" = "000000c000200000 1 2 "
	check "sandbox: no new privileges" test "$(status_of NoNewPrivs)" = "1 "
	check "sandbox: all threads have the filter" test "$(status_of Seccomp)" = "2 "
	check_holds "sandbox: Landlock is as this kernel has it" \
		"$(metric_or_0 bramble_probe_sandbox layer=landlock) == $landlock"
	check_holds "sandbox: the other layers are in force" "$(metric_or_0 bramble_probe_sandbox) == 3 + $landlock"
}

# serve_with CAPABILITIES COMMAND...: with these capabilities alone, started by the command. Returns
# whether it is ready.
serve_with() {
	local caps=$1
	shift
	/test/with_caps "$caps" "$@" /test/bramble serve --web.listen-address=127.0.0.1:9810 --web.socket= \
		--kube.source=none </dev/null >$tmp/caps.log 2>&1 &
	bramble_pid=$!
	wait_until 15 served_or_ended && wget -q -O /dev/null $url/readyz 2>/dev/null && return
	wait "$bramble_pid"
	return 1
}
served_or_ended() { wget -q -O /dev/null $url/readyz 2>/dev/null || ! kill -0 "$bramble_pid" 2>/dev/null; }

# Which capabilities a start needs: 38 is PERFMON, 39 is BPF, 21 SYS_ADMIN, 19 SYS_PTRACE, 24 SYS_RESOURCE.
test_capabilities() {
	local paranoid refused='' readonly_root
	mode=
	paranoid=$(cat /proc/sys/kernel/perf_event_paranoid)
	# Debian's kernels refuse perf events to CAP_PERFMON then.
	[ "$paranoid" -le 2 ] || refused=yes
	if serve_with 38,39,24; then
		check "capabilities: BPF and PERFMON are enough where perf_event_paranoid is $paranoid" test -z "$refused"
		stop_bramble
	else
		check "capabilities: SYS_ADMIN is missing where perf_event_paranoid is $paranoid, and that is said" \
			sh -c "[ -n '$refused' ] && grep -q CAP_SYS_ADMIN $tmp/caps.log"
	fi
	if serve_with 38,39,21; then
		check "capabilities: SYS_RESOURCE is not needed" test "$vm_name" != debian-5.10
		stop_bramble
	else
		check "capabilities: SYS_RESOURCE is needed before 5.11, and that is said" \
			sh -c "[ $vm_name = debian-5.10 ] && grep -q CAP_SYS_RESOURCE $tmp/caps.log"
	fi
	# As in a container: other mounts than those of process 1.
	if serve_with 38,39,21,24 unshare -m sh -c 'mount -o remount,bind,ro / && exec "$@"' sh; then
		scrape
		readonly_root=$(metric bramble_node_filesystem_readonly mountpoint=/)
		stop_bramble
		serve_with 38,39,21,24,19 unshare -m sh -c 'mount -o remount,bind,ro / && exec "$@"' sh
		scrape
		if [ -n "$readonly_root" ]; then
			check_holds "capabilities: SYS_PTRACE is for the file systems of the node, and is given up then" \
				"$readonly_root == 1 && $(metric bramble_node_filesystem_readonly mountpoint=/) == 0"
		else
			note "the root file system has no figures here"
		fi
		stop_bramble
	else
		fail "capabilities: it runs without SYS_PTRACE: $(tail -n 1 $tmp/caps.log)"
	fi
}
