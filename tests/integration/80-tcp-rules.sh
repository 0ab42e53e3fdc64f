#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# Runs: beside others
#
# The rules of docs/tcp.md: what counts as one exchange, with real sockets, a
# container for each case of tests/workload/exchange.c. The server takes 30 ms for
# an answer. Bytes are those the workload itself counted.
. "$(dirname "$0")/lib.sh"

long_sends() { metric_or_0 bramble_probe_lost_total probe=tcp reason=long_send; }

# run_case POD CASE: in a pod of this name.
run_case() {
	start_pod rules "$1" main exchange "$2" && wait_until 20 container_ended "$1"
}

# count_of POD ROLE: exchanges. longest_of POD ROLE: the longest's bucket in ms, "inf" beyond.
count_of() { metric_or_0 bramble_tcp_response_seconds_count pod="$1" role="$2"; }
sum_ms() { calc "$(metric_or_0 bramble_tcp_response_seconds_sum pod="$1" role="$2") * 1000"; }
calc() { awk "BEGIN { printf \"%.3f\n\", $1 }"; }

# expect POD ROLE COUNT MS: COUNT exchanges of at least MS each. The machine may be busy, so they may
# take up to 150 ms more, which is less than the 240 ms for which a client idles or does not read.
expect() {
	local count sum
	count=$(count_of "$1" "$2")
	sum=$(sum_ms "$1" "$2")
	check_holds "$1: $3 exchanges of the $2, each about $4 ms ($count, $sum ms in all)" \
		"$count == $3 && $sum >= $3 * $4 && $sum <= $3 * ($4 + 150)"
}

# expect_bytes POD: as many as the workload sent and received.
expect_bytes() {
	local truth got
	truth=$(cat "$tmp/$1.out")
	got="$(metric_or_0 bramble_tcp_sent_bytes_total pod="$1") $(
		metric_or_0 bramble_tcp_received_bytes_total pod="$1")"
	got=$(echo "$got" | awk '{ printf "%d %d", $1, $2 }')
	check "$1: bytes sent and received are the workload's ($truth)" [ "$got" = "$truth" ]
}

# The connection is over. Both ends were counted, and neither is still open.
expect_closed() { # POD
	local connects accepts open
	connects=$(metric_or_0 bramble_tcp_connect_seconds_count pod="$1")
	accepts=$(metric_or_0 bramble_tcp_accepted_total pod="$1")
	open=$(metric_or_0 bramble_tcp_open_connections pod="$1")
	check_holds "$1: one connect, one accept, none open" \
		"$connects == 1 && $accepts == 1 && $open == 0"
}

# case NAME SERVER_COUNT SERVER_MS CLIENT_COUNT CLIENT_MS
cases="
keepalive       5 30 5 30
mapped          5 30 5 30
ipv6            5 30 5 30
pipelined       1 30 1 30
queued          2 30 1 30
crossed         1 30 1 30
download        1 30 1 30
upload          0  0 0  0
push            0  0 0  0
unanswered      0  0 0  0
half-closed     1 30 1 30
ask-with-fin    1 30 1 30
answer-with-fin 1 30 1 30
farewell        1 30 1 30
peek            5 30 5 30
sendfile        1 30 1 30
slow-reader     1 30 1 30
long-send       0  0 1 30
io-uring        5 30 5 30
"

# A connection that is older than bramble, made in a container.
mkdir -p "$tmp/share"
mkfifo "$tmp/share/go"
start_pod rules late main exchange late /share/go
sleep 0.5
start_bramble

run_cases() { # TABLE [SUFFIX]: of the pods' names
	local name pod server server_ms client client_ms before
	while read -r name server server_ms client client_ms; do
		[ -n "$name" ] || continue
		pod=$name${2:-}
		scrape
		before=$(long_sends)
		run_case "$pod" "$name" || {
			fail "$pod: it did not run"
			continue
		}
		if [ ! -s "$tmp/$pod.out" ] && [[ $name = io-uring || $name = ipv6 || $name = mapped ]]; then
			skip "$pod: the kernel does not offer it"
			continue
		fi
		scrape
		expect "$pod" server "$server" "$server_ms"
		expect "$pod" client "$client" "$client_ms"
		expect_bytes "$pod"
		expect_closed "$pod"
		[ "$name" != long-send ] ||
			check_holds "$pod: the send that had to wait is counted as lost" \
				"$(long_sends) >= $before + 1"
	done <<<"$1"
}
run_cases "$cases"

# The container that uses it owns it: the giver until it is given away, and then the taker.
start_pod rules taker main exchange take /share/socket
wait_until 5 test -S "$tmp/share/socket"
start_pod rules giver main exchange give /share/socket
wait_until 10 container_ended giver
scrape
expect giver server 1 0
expect taker server 5 30
expect_bytes taker
check_holds "a socket that was given away is open for nobody in the end" "$(
	metric_or_0 bramble_tcp_open_connections pod=giver) == 0 && $(
	metric_or_0 bramble_tcp_open_connections pod=taker) == 0"

echo >"$tmp/share/go"
wait_until 10 container_ended late
scrape
# The first question had come when the server's socket became known.
expect late server 4 30
expect late client 5 30
expect_bytes late
check_holds "late: it is open no more" "$(metric_or_0 bramble_tcp_open_connections pod=late) == 0"

# Without BTF the rules are the same, but older sockets are not known to be TCP's.
stop_bramble
mkfifo "$tmp/share/go-none"
start_pod rules late-none main exchange late /share/go-none
sleep 0.5
start_bramble --btf=none
run_cases "$(grep -E '^(keepalive|pipelined|ask-with-fin|answer-with-fin|farewell) ' <<<"$cases")" -none
echo >"$tmp/share/go-none"
wait_until 10 container_ended late-none
scrape
expect late-none server 0 0
note "lost: $(select_metric bramble_probe_lost_total probe=tcp | grep -v ' 0$' | tr '\n' ';')"
finish
