#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# The web configuration becomes empty, is cut off, loses its users or its TLS, or goes away, while bramble
# runs. Nobody may get in without a password by that. With TLS and without.
. "$(dirname "$0")/../lib.sh"

make_certificate
tls='tls_server_config: {cert_file: server.pem, key_file: server.key}'
users="basic_auth_users: {prom: $(bcrypt secret 4)}"
key='basic_auth_users:'
ready_options=(--unix-socket "$tmp/bramble.sock")
takes_the_right_one() { [ "$(ask -u prom:secret)" = 200 ]; }
# How often somebody got in without a password in 2 s, over TLS or without.
let_in() {
	local n=0
	for _ in 1 2 3 4 5; do
		for url in "http$plain" "https$plain"; do
			[ "$(curl -sk -m 5 -o /dev/null -w '%{http_code}' "$url/metrics")" != 200 ] || n=$((n + 1))
		done
		sleep 0.4
	done
	echo $n
}

# lose LINE...: changes of a configuration of these lines
lose() {
	local what
	printf '%s\n' "$@" >"$tmp/good.yml"
	cp "$tmp/good.yml" "$tmp/web.yml"
	start_bramble --web.config.file="$tmp/web.yml"
	plain=${bramble_url#http}
	[ $# = 1 ] || bramble_url=https$plain
	check "the right password is taken" takes_the_right_one
	for what in empty cut "cut behind the users' key" "without users" "of no users" gone; do
		case $what in
		empty) : >"$tmp/web.yml" ;;
		cut) head -c $(($(wc -c <"$tmp/good.yml") - ${#users} + 8)) "$tmp/good.yml" >"$tmp/web.yml" ;;
		cut*) head -c $(($(wc -c <"$tmp/good.yml") - ${#users} + ${#key} - 1)) "$tmp/good.yml" >"$tmp/web.yml" ;;
		"of no users") sed "s/^$key.*/$key {}/" "$tmp/good.yml" >"$tmp/web.yml" ;;
		"without users") grep -v basic_auth "$tmp/good.yml" >"$tmp/web.yml" ;;
		gone) rm "$tmp/web.yml" ;;
		esac
		tried "a web configuration of $([ $# = 1 ] || echo "TLS and ")users that is $what"
		bound "requests let in without a password" "$(let_in)" == 0
		bound_that "the right one is taken" takes_the_right_one
		cp "$tmp/good.yml" "$tmp/web.yml"
		wait_until 5 takes_the_right_one
	done
	if [ $# = 2 ]; then
		echo "$users" >"$tmp/web.yml"
		tried "a web configuration that has lost its TLS"
		bound "requests let in without a password" "$(let_in)" == 0
		bound_that "the right one is taken over TLS" takes_the_right_one
	fi
	stop_bramble
}

lose "$users"
[ -n "$SHORT" ] || lose "$tls" "$users"
finish
