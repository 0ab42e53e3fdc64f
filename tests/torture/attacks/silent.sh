#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# 300 clients ask for much and read nothing, and each that is turned away comes again. Others' scrapes
# must not fail, even if each connection comes from another address of the loopback: a local process can
# have all 16 million.
. "$(dirname "$0")/../lib.sh"

seconds=$(scaled 30 5 4)

# be_silent WHENCE ADDRESS
be_silent() {
	local anon silent
	start_bramble
	scrape
	anon=$(anon_kb)
	tried "300 clients that ask and do not read, from $1, for $seconds s"
	in_background "$tmp/bin/clients" silent "$2" "${bramble_url##*:}" 300 "$seconds" >"$tmp/silent"
	silent=$background_pid
	sleep 1
	start_scraper 200
	bound "requests of curl that were not answered, of $((seconds * 2))" "$(asks $((seconds * 2)) 0.3 ask)" == 0
	bound_that "top works" top_works
	stop_scraper
	bound_scrapes
	bound "RssAnon at most, $anon kB at the start" "$(found anon_worst_kb)" "<=" $((anon + 16384)) kB
	wait "$silent"
	note "$(cat "$tmp/silent") connections"
	stop_bramble
}

be_silent "one address" 127.0.0.3
# Not in the short form: test_networks has it.
[ -n "$SHORT" ] || be_silent "any address of the loopback" 127.0.0.0
finish
