#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# shellcheck shell=dash disable=SC2154 # set elsewhere
#
# What an owner of a board would send: bramble report. Its times are those of an emulated machine.

# of_report PATTERN: the first number after it in its line
of_report() { sed -n "s/.*$1[^0-9]*\([0-9.]*\).*/\1/p" $tmp/report | head -n 1; }

test_report() {
	load_modules
	mount_disk ext4 || { fail "report: ext4 on a loop device"; return; }
	hostname sesame-7
	/test/bramble report --time=1s --dir="$tmp/ext4" >$tmp/report 2>$tmp/report.log
	check_holds "report: it ends with 0" "$? == 0"
	cat $tmp/report.log >&2
	grep '^[-|]' $tmp/report >&2
	check_holds "report: waits agree with schedstat" \
		"near($(of_report 'waits for a CPU: bramble'), $(of_report 's, schedstat'), 0.05 * $(of_report 's, schedstat'))"
	check_holds "report: all fsyncs" "$(of_report 'fsyncs on ext4: bramble') == $(of_report 'the calls')"
	check_holds "report: all requests" "$(of_report 'requests: bramble') == 500"
	check_holds "report: what a switch costs" "$(of_report 'A context switch takes') > 0"
	check "report: its row" grep -q "^| .* | $(uname -r) " $tmp/report
	check "report: it has no name of the owner's" test -z "$(grep -c sesame $tmp/report | grep -v '^0')"
	check "report: its cgroup is gone" test -z "$(find $cgroup2 -maxdepth 1 -name 'bramble-report*')"
	umount "$tmp/ext4" || note "report: ext4 is busy"
}
