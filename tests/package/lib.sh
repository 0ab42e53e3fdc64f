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

# gather FOLDER DEB: what tests/package/installed needs in a machine: itself, the package, and a later version
# of it, next.deb. The folder is made.
gather() {
	local next=$1/package/next
	mkdir -p "$1/package"
	cp tests/checks.sh "$1"
	cp tests/package/lib.sh tests/package/installed "$1/package"
	cp "$2" "$1/package/bramble.deb"
	dpkg-deb --raw-extract "$2" "$next"
	sed -i 's/^Version: .*/&+next/' "$next/DEBIAN/control"
	dpkg-deb --root-owner-group --build "$next" "$next.deb" >/dev/null
	rm -r "$next"
}
