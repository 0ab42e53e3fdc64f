#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# What etcd and the API server say of themselves, beside what bramble says of them. docs/cluster.md has the
# rules and the reasons.
. "$(dirname "$0")/../lib.sh"
. "$here/node.sh"

requests=2000
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
pod() { echo "{namespace=\"kube-system\",pod=\"$1-node1\",container=\"$1\"${2:-}"; } # NAME [MORE]
load="{namespace=\"\",pod=\"\",container=\"\",unit=\"$cgroup/load\",role=\"client\"}"

# books NAME: all three, those of etcd and bramble at nearly the same moment
books() {
	k get --raw /metrics >"$work/api.$1"
	curl -sf http://127.0.0.1:2381/metrics >"$work/etcd.$1"
	curl -sf "http://$bramble:9810/metrics" >"$work/bramble.$1" || give_up "bramble answers"
}

# grown WHOSE FROM TO SERIES
grown() {
	awk "BEGIN { printf \"%.15g\", $(value "$work/$1.$3" "$4") - $(value "$work/$1.$2" "$4" | grep . || echo 0) }"
}

config_maps() {
	local i
	for ((i = 0; i < 100; i++)); do
		printf 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: book-%s, namespace: work}\ndata: {a: b}\n---\n' $i
	done | k apply -f - >/dev/null
}

# One after the other, in one connection, from a cgroup of their own. Prints the seconds until the answers began.
ask() {
	enter_cgroup load
	curl --http1.1 -sf -o /dev/null -w '%{time_starttransfer}\n' --cacert "$node/pki/ca.crt" \
		--cert "$node/pki/admin.crt" --key "$node/pki/admin.key" \
		"https://$address:6443/api/v1/namespaces/work/configmaps/book-1?x=[1-$requests]"
}

# etcd brings its log to the disk by one fdatasync, and each commit of its data base by two.
etcd_books() {
	local wal commits expected found seconds kernel
	wal=$(grown etcd a b etcd_disk_wal_fsync_duration_seconds_count)
	commits=$(grown etcd a b etcd_disk_backend_commit_duration_seconds_count)
	expected=$((wal + 2 * commits))
	found=$(grown bramble a b "bramble_fsync_seconds_count$(pod etcd)")
	seconds=$(awk "BEGIN { print $(grown etcd a b etcd_disk_wal_fsync_duration_seconds_sum) + \
		$(grown etcd a b etcd_debugging_disk_backend_commit_write_duration_seconds_sum) }")
	kernel=$(grown bramble a b "bramble_fsync_seconds_sum$(pod etcd)")
	check_holds "bramble counts etcd's fsyncs: as many as its log and its commits take" \
		"$wal >= 100 && $found >= $expected * 0.98 - 4 && $found <= $expected * 1.02 + 4"
	check_holds "they take as long as etcd says, less what etcd's own clock adds" \
		"$kernel <= $seconds * 1.02 && $kernel >= $seconds * 0.5"
	row "etcd's fsyncs" "etcd: $wal of its log, 2 x $commits of commits, $seconds s; bramble: $found, $kernel s"
}

# A turn of bramble's begins before the API server's own clock, and ends after it, as the answer is small. The
# handshake is two more.
api_books() {
	local get='apiserver_request_duration_seconds_SUFFIX{component="apiserver",dry_run="",group="",resource="configmaps",scope="resource",subresource="",verb="GET"'
	local own answered client turns count seconds quick
	own=$(grown api b c "${get/SUFFIX/sum}")
	answered=$(grown api b c "${get/SUFFIX/count}")
	client=$(awk '{ sum += $1 } END { print sum }' "$work/curl")
	turns=$(grown bramble b c "bramble_tcp_response_seconds_count$load")
	seconds=$(grown bramble b c "bramble_tcp_response_seconds_sum$load")
	check_holds "the API server counts the requests" "$answered >= $requests && $answered <= $requests * 1.01"
	check_holds "bramble counts them at the client, and its handshake" "$turns >= $requests && $turns <= $requests + 4"
	check_holds "they take longer than the API server says, and less than the client does" \
		"$own * 0.98 <= $seconds && $seconds <= $client * 1.02"
	row "requests at the client" "$answered, $own s by the API server; $turns turns, $seconds s by bramble; $client s by curl"
	# Others ask meanwhile: as many as in the seconds before.
	count=$(more_turns count '}')
	quick=$(more_turns bucket ',le="0.0625"}')
	own=$(grown api b c "${get/SUFFIX/bucket},version=\"v1\",le=\"0.05\"}")
	check_holds "bramble counts them at the server, among others'" \
		"$count >= $requests * 0.97 && $count <= $requests * 1.03 + 60"
	check_holds "those of at most 50 ms by the API server take at most 63 ms" "$own > 0 && $quick >= $own * 0.97"
	row "requests at the server" "$count turns by bramble, less those of the seconds before; $own of at most 50 ms by the API server, $quick of at most 63 ms by bramble"
}

# more_turns SUFFIX LABELS: those of the API server as a server
more_turns() {
	local series
	series=bramble_tcp_response_seconds_$1$(pod kube-apiserver ",port=\"6443\",role=\"server\"$2")
	awk "BEGIN { print $(grown bramble b c "$series") - $(grown bramble q b "$series") }"
}

bramble=$(bramble_address)
sleep 2 # what the check before has caused is over
books a
config_maps
books q
sleep 4
books b
ask >"$work/curl" &
wait $!
books c
etcd_books
api_books
finish
