#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# HTTP/2 between node's server and client (tests/workload/http2.js). What a server pushes, and what a
# client says in between, is not an exchange. Questions on the same connection are exchanges, and take
# the server's 30 ms. A client acknowledges what it gets with a WINDOW_UPDATE, which nobody answers.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/net.sh"

command -v node >/dev/null || give_up "there is no node: scripts/install-packages test"
mkdir -p "$tmp/share"
make_netns loop
container_network=$(netns_path loop)
use_host_programs
cp "$top/tests/workload/http2.js" "$tmp/share/"
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=test -keyout "$tmp/share/key" -out "$tmp/share/cert" 2>/dev/null

lost() { metric_or_0 bramble_probe_lost_total probe=tcp reason="$1"; }

# count_from SECONDS: how many in the "k count" lines of $tmp/buckets took this long or longer, to
# within one bucket.
count_from() { awk -v from="$(k_of "$1")" '$1 > from + 1 { n += $2 } END { print n + 0 }' "$tmp/buckets"; }
# took SECONDS: how many took this long, or up to four times as long, because the machine may be busy.
took() { awk -v at="$(k_of "$1")" '$1 >= at && $1 <= at + 8 { n += $2 } END { print n + 0 }' "$tmp/buckets"; }

# Each kind of client has a server of its own, on this port.
start_pair() { # NAME PORT ARGS...
	local name=$1-$mode port=$2
	shift 2
	start_pod h2 "server-$name" main node /share/http2.js server "$port" /share/key /share/cert
	wait_until 10 listens loop "$port" || give_up "nothing listens on $port: $(cat "$tmp/server-$name.out")"
	start_pod h2 "client-$name" main node /share/http2.js "$1" "$port" "${@:2}"
}

# check_pair NAME COUNT MISTAKEN SECONDS: at least so many of 30 ms, and so many at most of so many
# seconds.
check_pair() {
	local name=$1-$mode pod role answered
	answered=$(printed "client-$name" answered)
	for pod in server client; do
		role=$pod
		buckets "$pod-$name" tcp_response "$role" >"$tmp/buckets"
		note "$name: $role: $(tr '\n' ';' <"$tmp/buckets") 30 ms is in bucket $(k_of 0.030), 1 s in 0"
		check_holds "$name: what comes by itself is taken for an answer $3 times at most ($role)" \
			"$(count_from "$4") <= $3"
		check_holds "$name: the $answered questions say 30 ms ($role, $(took 0.030))" \
			"$(took 0.030) >= $2 && $(took 0.030) <= $answered + 1"
	done
}

test_streams() {
	mode=$1
	start_bramble --no-probe.sched
	start_pair watch 7001 watch 14
	start_pair ask 7002 ask 5 2600
	start_pair talk 7003 talk 14
	for name in watch ask talk; do
		wait_until 30 container_ended "client-$name-$mode" || fail "$mode: $name: the client does not end"
	done
	snapshot
	scrape
	note "$mode: left out on streams: $(lost stream); asked again unanswered: $(lost unanswered)"
	# Until it is clear what the connection is: what the client said last as it was made may be
	# open when the first event comes.
	check_pair watch 2 1 0.5
	# The first may come before the server has sent its settings. 2.6 s lie between two questions;
	# what takes less is a handshake on a busy machine.
	check_pair ask 3 0 1
	check_pair talk 0 3 0.5 # of five
	check_holds "$mode: what was left out is counted" "$(lost stream) >= 3"
	for name in watch ask talk; do
		stop_container "server-$name-$mode"
		stop_container "client-$name-$mode"
	done
	stop_bramble
}

for_each_btf test_streams
finish
