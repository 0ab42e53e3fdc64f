#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# shellcheck shell=dash disable=SC2154 # from the kernel's command line
#
# A kernel that is locked down to confidentiality: serve and check say so. The last test, as there
# is no way back.

says_locked() { # FILE
	grep -q 'level=error.*the kernel is locked down (confidentiality).*boot with lockdown=integrity' "$1" &&
		[ "$(grep -c level=error "$1")" = 1 ] && ! grep -q 'mount -t' "$1"
}

test_lockdown() {
	local file=/sys/kernel/security/lockdown when
	mount -t securityfs securityfs /sys/kernel/security 2>/dev/null
	if [ ! -e $file ] || ! echo confidentiality >$file; then
		note "this kernel cannot be locked down"
		return
	fi
	for when in "" ", unseen"; do
		/test/bramble serve --web.listen-address=127.0.0.1:9810 --web.socket= >$tmp/serve.txt 2>&1
		check_holds "locked down$when: serve exits with 1" "$? == 1"
		check "locked down$when: serve says so, in one line ($(tail -n 1 $tmp/serve.txt | head -c 250))" \
			says_locked $tmp/serve.txt
		/test/bramble check --json >$tmp/check.json
		check_holds "locked down$when: check exits with 1" "$? == 1"
		expect "no lockdown" missing "lockdown=integrity"
		umount /sys/kernel/security 2>/dev/null || :
	done
}
