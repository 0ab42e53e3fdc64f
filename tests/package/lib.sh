# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# shellcheck shell=bash
# What the tests of the package and of what `make install` installs share.
stage=${stage:-package}
# shellcheck source=tests/checks.sh
. "$(dirname "${BASH_SOURCE[0]}")/../checks.sh"

# same WHAT EXPECTED FOUND: two files that must not differ; shows where they do
same() {
	if diff "$2" "$3" >"$3.diff"; then
		pass "$1"
	else
		fail "$1"
		head -n 20 "$3.diff" | sed 's/^/    /'
	fi
}
