#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# 800 clients a second begin a TLS handshake and do not go on. Others' scrapes must not fail, also if they
# are far away: their handshakes take longer than the attackers need for all places there are.
. "$(dirname "$0")/../lib.sh"

seconds=$(scaled 15 4 2)
make_certificate
printf 'tls_server_config: {cert_file: server.pem, key_file: server.key}\n' >"$tmp/web.yml"
ready_options=(--unix-socket "$tmp/bramble.sock")
start_bramble --web.config.file="$tmp/web.yml"
port=${bramble_url##*:}
bramble_url=https${bramble_url#http}
check "it is served over TLS" test "$(ask)" = 200
anon=$(anon_kb)
tried "800 handshakes begun a second, for $((seconds * 2)) s"
in_background "$tmp/bin/clients" handshakes 127.0.0.3 "$port" 800 $((seconds * 2)) >"$tmp/begun"
sleep 1
bound "scrapes over TLS that were not answered, of $((seconds * 2))" "$(asks $((seconds * 2)) 0.3 ask)" == 0
far=$(scaled 10 3 2)
bound "scrapes from far away that were not answered, of $far" \
	"$(asks "$far" 0 python3 "$top/tests/torture/far_client" "$FROM" "$port" 100)" == 0
bound_that "top works" top_works
wait "$background_pid"
note "$(cat "$tmp/begun") handshakes were begun"
bound "RssAnon, $anon kB at the start" "$(anon_kb)" "<=" $((anon + 16384)) kB
finish
