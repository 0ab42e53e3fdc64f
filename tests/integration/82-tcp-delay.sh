#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# A path with a delay of 40 ms there and back, beside one without: the connects and round
# trips of the right pods say 40 ms, within a bucket. The path is a TUN device that
# tests/workload/tcpdelay.c holds packets back on; the virtual machines have netem.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/net.sh"

mkdir -p "$tmp/share"
if [ ! -c /dev/net/tun ]; then
	skip "a delayed path: there is no /dev/net/tun"
	exit 0
fi

make_netns near
make_netns far
make_netns home
join_netns home far
: >"$tmp/delay.out"
in_background "$workloads/tcpdelay" "$(netns_path near)" "$(netns_path far)" 20000 >"$tmp/delay.out"
wait_until 5 grep -q ready "$tmp/delay.out" || give_up "tcpdelay is not ready"
in_netns near ip address add 10.98.0.1/24 dev path
in_netns far ip address add 10.98.0.2/24 dev path
in_netns near ip -6 address add fd98::1/64 dev path nodad
in_netns far ip -6 address add fd98::2/64 dev path nodad
in_netns near ip link set path up
in_netns far ip link set path up
echo pong >"$tmp/share/answer"
expected=$(k_of 0.040)

# says_40_ms WHAT COUNT POD FIELD [VALUE]: at least COUNT values, the median within a bucket of
# 40 ms, and none below: a busy machine may hold a packet for longer.
says_40_ms() {
	local what=$1 least=$2
	shift 2
	buckets "$@" >"$tmp/buckets"
	note "$mode: $what: $(tr '\n' ';' <"$tmp/buckets") 40 ms is in bucket $expected"
	check_holds "$mode: $what say 40 ms" "$(awk '{ n += $2 } END { print n + 0 }' "$tmp/buckets") >= $least"
	check_within "$mode: the median of $what" "$(quantile_k 0.5 <"$tmp/buckets")" "$expected" 1
	check_holds "$mode: no $what are shorter" "$(quantile_k 0 <"$tmp/buckets") >= $expected - 1"
}

test_delay() {
	mode=$1
	start_bramble --no-probe.sched
	container_network=$(netns_path far)
	start_pod shop "far-$mode" main tcpserve :: 7000 answer /share/answer 0
	wait_until 5 listens far 7000 || give_up "nothing listens on port 7000"
	container_network=$(netns_path near)
	start_pod shop "six-$mode" main tcpload open fd98::2 7000 10
	start_pod shop "asks-$mode" main tcpload ask 10.98.0.2 7000 60 100
	run_pod shop "near-$mode" main tcpload open 10.98.0.2 7000 20
	wait_until 10 container_ended "asks-$mode" || fail "$mode: a client does not end"
	snapshot
	# The one with BTF reads the RTT from the socket; the other one has the handshakes alone.
	says_40_ms "connects" 20 "near-$mode" tcp_connect
	says_40_ms "connects by IPv6" 10 "six-$mode" tcp_connect
	says_40_ms "round trips" 20 "near-$mode" tcp_rtt
	says_40_ms "round trips of a connection that lasts" 1 "asks-$mode" tcp_rtt
	says_40_ms "responses, as the client sees them," 60 "asks-$mode" tcp_response client
	[ "$mode" = without-btf ] || says_40_ms "round trips, as the server sees them," 20 "far-$mode" tcp_rtt
	buckets "far-$mode" tcp_response server >"$tmp/buckets"
	check_holds "$mode: but the server answers at once" \
		"$(quantile_k 0.5 <"$tmp/buckets") < $(k_of 0.005) && $(wc -l <"$tmp/buckets") > 0"

	# The same server by another way.
	container_network=$(netns_path home)
	run_pod shop "home-$mode" main tcpload open 10.99.0.2 7000 50
	snapshot
	buckets "home-$mode" tcp_connect >"$tmp/buckets"
	check_holds "$mode: a pod without the delay has none" \
		"$(quantile_k 0.9 <"$tmp/buckets") < $(k_of 0.005) && $(wc -l <"$tmp/buckets") > 0"
	stop_container "far-$mode"
	stop_bramble
}

for_each_btf test_delay
finish
