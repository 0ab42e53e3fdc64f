# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# shellcheck shell=bash
# What the tests of the package and of what `make install` installs share.
status=0
group=${group:-package}

pass() { echo "PASS $group: $*"; }
fail() {
	echo "FAIL $group: $*"
	status=1
}
skip() { echo "SKIP $group: $*"; }
check() { # WHAT COMMAND...
	local what=$1
	shift
	if "$@"; then pass "$what"; else fail "$what"; fi
}

# same WHAT EXPECTED FOUND: two files that must not differ; shows where they do
same() {
	if diff "$2" "$3" >"$3.diff"; then
		pass "$1"
	else
		fail "$1"
		head -n 20 "$3.diff" | sed 's/^/    /'
	fi
}
