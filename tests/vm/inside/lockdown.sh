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

lock_down() { # FILE
	echo confidentiality >"$1" && grep -qF '[confidentiality]' "$1"
}

test_lockdown() {
	local file=/sys/kernel/security/lockdown when
	mount -t securityfs securityfs /sys/kernel/security 2>/dev/null
	if [ "$vm_locks" = no ]; then
		check "it cannot be locked down" [ ! -e $file ]
		return
	fi
	if ! lock_down $file; then
		fail "it can be locked down: $(cat $file 2>&1)"
		return
	fi
	pass "it can be locked down"
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
