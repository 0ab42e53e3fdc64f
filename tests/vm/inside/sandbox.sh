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

# Before 5.19 the kernel refuses an open map's use without CAP_BPF while unprivileged bpf is off.
# Where functions can be hooked, xfs and btrfs may come later; loading their programs needs three.
test_sandbox() {
	local expected='' landlock=1 name
	case $vm_name in
	debian-5.10) expected='cap_bpf ' landlock=0 ;;
	pilike-* | noevents-*) landlock=0 ;;
	esac
	case $vm_name:$mode in
	debian-6.12*:k* | debian-backports:k*) expected='cap_sys_admin cap_perfmon cap_bpf ' ;;
	esac
	scrape
	fact "capabilities, ${mode%: }" "$(remaining | sed 's/ $//; s/ /, /g')"
	note "${mode}unprivileged_bpf_disabled is $(cat /proc/sys/kernel/unprivileged_bpf_disabled), capabilities: $(remaining)($(status_of CapEff))"
	check "sandbox: the capabilities that remain are: ${expected:-none}" test "$(remaining)" = "$expected"
	[ -n "$expected" ] || for name in CapInh CapPrm CapEff CapBnd CapAmb; do
		check "sandbox: $name is empty" test "$(status_of $name)" = "0000000000000000 "
	done
	check "sandbox: no new privileges" test "$(status_of NoNewPrivs)" = "1 "
	check "sandbox: all threads have the filter" test "$(status_of Seccomp)" = "2 "
	check_holds "sandbox: Landlock is as this kernel has it" \
		"$(metric_or_0 bramble_probe_sandbox layer=landlock) == $landlock"
	check_holds "sandbox: the other layers are in force" "$(metric_or_0 bramble_probe_sandbox) == 3 + $landlock"
}
