#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# Runs: beside others
#
# One address attacks the server, from 127.0.0.2. Clients from 127.0.0.1 and `top` on the Unix socket
# are served meanwhile. And a few requests that no server should understand; test_http_strict has all.
. "$(dirname "$0")/lib.sh"

start_bramble
port=${bramble_url##*:}

# answers WHAT COUNT: so many scrapes, each over a connection of its own, and as many over the socket.
answers() {
	local i tcp=0 unix=0
	for ((i = 0; i < $2; i++)); do
		curl -sf -m 5 -o /dev/null "$bramble_url/metrics" && ((tcp++))
		curl -sf -m 5 -o /dev/null --unix-socket "$tmp/bramble.sock" http://bramble/metrics && ((unix++))
	done
	check "$1: another address gets all its answers" test "$tcp" = "$2"
	check "$1: so does the Unix socket" test "$unix" = "$2"
}
refused() { metric_or_0 bramble_web_refused_total reason="$1"; }

export HAMMER_FROM=127.0.0.2
in_background timeout 60 "$workloads/hammer" "$port" mute 60 5 >/dev/null
sleep 1
answers "60 clients that do not read" 10
check "60 clients that do not read: top is served" \
	grep -q . <("$BRAMBLE" top --once --json --interval=100ms --socket="$tmp/bramble.sock")
wait "$background_pid"

in_background timeout 60 "$workloads/hammer" "$port" partial 200 3 >/dev/null
sleep 1
answers "200 unfinished handshakes and requests a second" 10
wait "$background_pid"
unset HAMMER_FROM

scrape
check_holds "who was turned away is counted" "$(refused connections) > 100"
check "and logged once a minute at most" \
	test "$(grep -c 'too many connections from its network' "$bramble_log")" -le 2

# status BYTES: what they get.
status() {
	exec 9<>"/dev/tcp/127.0.0.1/$port"
	printf '%b' "$1" >&9
	timeout 5 head -n 1 <&9 | cut -d' ' -f2
	exec 9>&-
}
host='Host: a\r\n'
check "absolute-form is served" test "$(status "GET http://b:9810/metrics HTTP/1.1\r\n$host\r\n")" = 200
check "a bare LF is refused" test "$(status "GET /metrics HTTP/1.1\n$host\r\n")" = 400
check "%00 is refused" test "$(status "GET /metrics%00 HTTP/1.1\r\n$host\r\n")" = 400
check "two Content-Length are refused" \
	test "$(status "GET / HTTP/1.1\r\n${host}Content-Length: 1\r\nContent-Length: 2\r\n\r\nab")" = 400
scrape
check_holds "that is counted" "$(refused bad_request) == 3"
stop_bramble
check "it ends with 0" test "$bramble_code" = 0
finish
