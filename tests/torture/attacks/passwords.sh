#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# Eight clients ask with wrong passwords, where a hash is as expensive as it may be (bcrypt, cost 14). Who
# knows the password must be served, whether it was let in before or not.
. "$(dirname "$0")/../lib.sh"

seconds=$(scaled 20 5 6)
# The most expensive hash that bramble takes.
for cost in 14 13 12 11 10; do
	printf 'basic_auth_users:\n  prom: %s\n' "$(bcrypt secret $cost)" >"$tmp/web.yml"
	spawn_bramble --web.config.file="$tmp/web.yml"
	wait_until 20 eval "socket_answers || ! kill -0 $bramble_pid 2>/dev/null"
	socket_answers && break
	note "cost $cost: $(tail -n 1 "$bramble_log")"
	wait "$bramble_pid" 2>/dev/null
done
port=${bramble_url##*:}
right=(-u prom:secret)
check "the right password is taken" test "$(ask "${right[@]}")" = 200
tried "8 clients with wrong passwords for $seconds s, cost $cost"
in_background "$tmp/bin/clients" passwords 127.0.0.3 "$port" 8 "$seconds" >"$tmp/guessed"
sleep 0.5
bound "requests of a user who was let in before that were not answered, of $seconds" \
	"$(asks $((seconds - 2)) 0.8 ask "${right[@]}")" == 0
FROM=127.0.0.4
bound "status for the right password, from a new address" "$(ask "${right[@]}")" == 200
bound_that "the socket answers" socket_answers
wait "$background_pid"
bound "wrong passwords that were tried" "$(cat "$tmp/guessed")" ">" 0
finish
