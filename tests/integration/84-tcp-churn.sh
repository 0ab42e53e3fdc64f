#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# Two clients open and close 100,000 connections at once, half of them with a reset. All must be
# counted, or counted as lost, and nothing of them may stay in any map.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/net.sh"

mkdir -p "$tmp/share"
make_netns loop
container_network=$(netns_path loop)
echo pong >"$tmp/share/answer"

# entries_of NAME: how many sockets, or else keys, are in bramble's map of that name.
entries_of() {
	bpftool --json map dump id "${map_ids[$1]}" 2>/dev/null | jq '
		[.[] | if (.formatted.value | type) == "object" and (.formatted.value | has("key"))
			then .formatted.value.key[] else 1 end | select(. != 0)] | length'
}

# The maps that grow with use: the sockets, which are an array, and all hash maps.
declare -A map_ids=()
find_maps() {
	local fd id name kind
	map_ids=()
	for fd in /proc/"$bramble_pid"/fdinfo/*; do
		id=$(awk '$1 == "map_id:" { print $2 }' "$fd" 2>/dev/null) # may be closed by now
		[ -n "$id" ] || continue
		read -r name kind < <(bpftool --json map show id "$id" | jq -r '"\(.name) \(.type)"')
		case $name:$kind in
		wait_pairs:*) ;; # not of the network
		tcp_sockets:* | *:*hash*) map_ids[$name]=$id ;;
		esac
	done
}

# Others use the network and make cgroups here, too: a few more are no leak.
no_leak() {
	local name before after
	for name in "${!map_ids[@]}"; do
		before=${entries[$name]}
		after=$(entries_of "$name")
		check_holds "$mode: nothing stays in the map $name ($before before, $after after)" \
			"$before != \"\" && $after <= $before + 500"
	done
}

lost() { metric_or_0 bramble_probe_lost_total probe=tcp; }
total() { awk "BEGIN { print $(metric_or_0 "bramble_tcp_$1" pod="one-$mode" "${@:2}") + $(metric_or_0 "bramble_tcp_$1" pod="two-$mode" "${@:2}") }"; }

# counted WHAT EXPECTED FOUND: all, or else what is missing is counted as lost
counted() {
	check_holds "$mode: $1 ($(printf '%.0f' "$3") of $2, $(printf '%.0f' "$lost") lost)" \
		"$3 <= $2 && $3 + $lost >= $2"
}

test_churn() {
	local name active passive
	mode=$1
	declare -A entries=()
	start_bramble
	start_pod shop "server-$mode" main tcpserve 0.0.0.0 7000 answer /share/answer 0
	wait_until 5 listens loop 7000 || give_up "nothing listens on port 7000"
	find_maps
	check "$mode: the map of the sockets is there" test -n "${map_ids[tcp_sockets]:-}"
	for name in "${!map_ids[@]}"; do
		entries[$name]=$(entries_of "$name")
	done
	scrape
	lost=$(lost)
	active=$(snmp loop ActiveOpens)
	passive=$(snmp loop PassiveOpens)
	anon=$(anon_kb)
	maps=$(maps_kb)

	start_pod load "one-$mode" main tcpload churn 127.0.1.1 7000 50000 8
	start_pod load "two-$mode" main tcpload churn 127.0.2.1 7000 50000 8
	wait_until 100 container_ended "one-$mode" && wait_until 100 container_ended "two-$mode" ||
		fail "$mode: the clients do not end"
	sleep 0.5
	scrape
	lost=$(awk "BEGIN { print $(lost) - $lost }")
	active=$(($(snmp loop ActiveOpens) - active))
	passive=$(($(snmp loop PassiveOpens) - passive))
	note "$mode: $(cat "$tmp/one-$mode.out" "$tmp/two-$mode.out" | tr '\n' ';')"
	note "$mode: lost: $(grep '^bramble_probe_lost_total.*tcp' "$tmp/metrics" | grep -v ' 0$' | tr '\n' ';')"
	check_holds "$mode: the kernel counts 100,000" "$active == 100000 && $passive == 100000"
	counted "connects" $active "$(total connect_seconds_count)"
	counted "accepted connections" $passive "$(metric_or_0 bramble_tcp_accepted_total pod="server-$mode")"
	counted "answers, as the server sees them" 100000 \
		"$(metric_or_0 bramble_tcp_response_seconds_count pod="server-$mode" role=server)"
	counted "answers, as the clients see them" 100000 "$(total response_seconds_count role=client)"
	counted "resets sent" 50000 "$(total resets_total direction=sent)"
	counted "resets received" 50000 \
		"$(metric_or_0 bramble_tcp_resets_total pod="server-$mode" direction=received)"
	counted "bytes asked" 100000 "$(total sent_bytes_total)"
	check_holds "$mode: none is open any more" \
		"$(metric_or_0 bramble_tcp_open_connections pod="server-$mode") == 0 && $(total open_connections) == 0"
	no_leak
	check_holds "$mode: bramble's anonymous memory is what it was ($anon, $(anon_kb) kB)" "$(anon_kb) < $anon + 1024"
	check_holds "$mode: and so are its maps ($maps, $(maps_kb) kB)" "$(maps_kb) <= $maps + 256"
	stop_container "server-$mode"
	stop_container "one-$mode"
	stop_container "two-$mode"
	stop_bramble
}

for_each_btf test_churn
finish
