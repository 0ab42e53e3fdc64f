# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# shellcheck shell=bash disable=SC2154 # lib.sh's variables
#
# What must hold of all scrapes since bramble began, whatever a check has done meanwhile. Source it after lib.sh.

# never WHAT KIND
never() {
	local found
	found=$(observed ".$2 | length")
	check "$1" [ "$found" = 0 ]
	[ "$found" = 0 ] || observed ".$2[:10][] | tostring" | cut -c 1-400 | sed 's/^/    | /'
}

verdicts() {
	never "every second was looked at" errors
	never "no series and no container is in a scrape twice" duplicates
	never "no counter falls while its process lives" falls
	never "no pod and no container goes by an id" unnamed
	never "there is no container that the API server does not know" strangers
	never "no info says something else than the API server" wrong
	row "scrapes until then" "$(observed .scrapes), one a second; twice: $(observed '.duplicates | length'), fallen: $(observed '.falls | length'), by an id: $(observed '.unnamed | length'), unknown to the API server: $(observed '.strangers | length'), wrong: $(observed '.wrong | length')"
}
