#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# Requests that are none, and requests that two servers would read in two ways. None may be answered
# with 200, nor harm the server.
. "$(dirname "$0")/../lib.sh"

count=$(scaled 10000 1000 2000)
start_bramble
port=${bramble_url##*:}
scrape
anon=$(anon_kb)
tried "$count malformed requests"
seed=$RANDOM
"$workloads/hammer" "$port" malformed "$count" "$seed" >"$tmp/hammer"
note "seed $seed: $(tr '\n' ' ' <"$tmp/hammer")"
bound "answered with an error of the server's" \
	"$(awk '$1 >= 500 && $1 < 600 && $1 != 501 && $1 != 505 { n += $2 } END { print n + 0 }' "$tmp/hammer")" == 0
bound "RssAnon, $anon kB at the start" "$(anon_kb)" "<=" $((anon + MARGIN)) kB

# status REQUEST: of the first answer to this, in printf's notation; none if it is cut off
status() {
	exec 9<>"/dev/tcp/127.0.0.1/$port"
	# shellcheck disable=SC2059 # a format on purpose
	printf "$1" >&9
	timeout 3 head -n 1 <&9 | grep -ao '[0-9][0-9][0-9]' | head -n 1 | grep . || echo none
	exec 9>&-
}
taken=0
while read -r request; do
	code=$(status "$request")
	case $code in 2*)
		taken=$((taken + 1))
		note "taken: $request"
		;;
	esac
	asked=$((${asked:-0} + 1))
done <<'END_OF_LIST'
GET /metrics HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n
GET /metrics HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 5\r\n\r\nabcde
GET /metrics HTTP/1.1\nHost: a\n\n
GET /metrics HTTP/1.1\r\nHost: a\n\r\n
GET /metrics HTTP/1.1\r\n\r\n
GET /metrics HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n
GET /metrics%%00 HTTP/1.1\r\nHost: a\r\n\r\n
GET /metrics%%00/../x HTTP/1.1\r\nHost: a\r\n\r\n
GET /metrics HTTP/1.1\r\nHost : a\r\n\r\n
GET /metrics HTTP/1.1\r\nHost: a\r\n folded: b\r\n\r\n
GET  /metrics HTTP/1.1\r\nHost: a\r\n\r\n
GET /metrics HTTP/2.0\r\nHost: a\r\n\r\n
GET metrics HTTP/1.1\r\nHost: a\r\n\r\n
GET /metrics HTTP/1.1\r\nHost: a b\r\n\r\n
GET /metrics HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n
GET /metrics HTTP/1.1\r\nHost: a\r\nContent-Length: +3\r\n\r\nabc
END_OF_LIST
tried "$asked requests that can be read in two ways"
bound "taken" $taken == 0
bound "status of a good one afterwards" "$(ask)" == 200
finish
