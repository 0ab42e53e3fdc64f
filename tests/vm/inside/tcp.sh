#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# shellcheck shell=dash disable=SC2154,SC2034 # from the kernel's command line; set elsewhere
#
# What TCP does to a pod, against the kernel's books, and with the delay and the loss of
# netem where the kernel has it. All in a network namespace with nothing but its loopback, where
# nobody else counts.

net_pid=
in_net() { nsenter --net="/proc/$net_pid/ns/net" "$@"; }

make_net() {
	unshare -n sh -c 'ip link set lo up; exec sleep 600' &
	net_pid=$!
	wait_until 5 has_loopback
}
has_loopback() { in_net ip link show lo 2>/dev/null | grep -q LOWER_UP; }

# snmp FIELD: of the line Tcp, or of TcpExt in netstat
snmp() {
	in_net cat /proc/net/snmp /proc/net/netstat | awk -v field="$1" '
		$1 != "Tcp:" && $1 != "TcpExt:" { next }
		!($1 in names) { names[$1] = $0; next }
		{
			n = split(names[$1], name, " ")
			for (i = 2; i <= n; i++)
				if (name[i] == field)
					print $i
		}'
}

# net_pod NAMESPACE POD COMMAND...: a container of that pod in the network namespace. Sets pod_pid;
# what it prints is in $tmp/POD.out.
net_pod() {
	local pod=$2
	new_pod "$1" "$2" main
	shift 2
	in_pod nsenter --net="/proc/$net_pid/ns/net" "$@" >"$tmp/$pod.out" 2>&1
}

# run_net_pod: the same, and waits for its end
run_net_pod() {
	net_pod "$@"
	go
	wait "$pod_pid"
}

listens() { in_net netstat -ltn 2>/dev/null | grep -q ":$1 "; }

tcp() { metric_or_0 "bramble_tcp_$1" pod="$2" $3; }

# buckets POD FIELD [VALUE]: "k count" lines of a histogram at full resolution
buckets() {
	wget -q -O - $url/api/v1/containers | tr -d ' \n' | buckets_in "$@"
}

# buckets_in POD FIELD [VALUE]: of the containers' JSON on standard input, without spaces. A pod's name
# stands there also where it made another container wait: "seconds" follows it, not "since_seconds".
buckets_in() {
	awk -v pod="$1" -v field="$2" -v value="$3" '
		# Leaves text from behind what is looked for on; ends where it is not there.
		function behind(what,  at) {
			if (!(at = index(text, what)))
				exit
			text = substr(text, at + length(what))
		}
		{
			text = $0
			do {
				behind("\"pod\":\"" pod "\"")
				since = index(text, "\"since_seconds\":")
				cause = index(text, "\"seconds\":")
			} while (!since || (cause && cause < since))
			behind("\"since_seconds\":")
			if (end = index(text, "\"since_seconds\":"))
				text = substr(text, 1, end)
			behind("\"" field "\":")
			# A list has a histogram for each port.
			if (list = substr(text, 1, 1) == "[")
				text = substr(text, 1, index(text, "}}}]"))
			do {
				if (value != "")
					behind("\"" value "\":{")
				behind("\"buckets\":[")
				# An empty list ends at once; what follows is of another histogram.
				n = split(substr(text, 1, index(text, "]}")), pair, "],")
				for (i = 1; i <= n; i++) {
					gsub(/[][]/, "", pair[i])
					if (split(pair[i], number, ",") == 2)
						print number[1], number[2]
				}
			} while (list)
		}'
}

has_buckets() { [ -n "$(buckets "$@")" ]; }

# found_in K POD FIELD [VALUE]: ALL NEAR BELOW: values, those within a bucket of K, those below
found_in() {
	local k=$1
	shift
	buckets "$@" | awk -v k="$k" '
		{ all += $2; if ($1 >= k - 1 && $1 <= k + 1) near += $2; if ($1 < k - 1) below += $2 }
		END { printf "%d %d %d", all, near, below }'
}

# says WHAT K COUNT POD FIELD [VALUE]: at least COUNT values; half of them at least within a
# bucket of K, none below
says() {
	local what=$1 k=$2 least=$3
	shift 3
	wait_until 5 has_buckets "$@"
	# shellcheck disable=SC2046 # a list
	set -- "$1" $(found_in "$k" "$@")
	check_holds "tcp: $what ($3 of $2 within a bucket, $4 below)" "$2 >= $least && $3 >= 0.5 * $2 && $4 == 0"
	[ "$2" -ge "$least" ] || lost_exchanges "$1"
}

# lost_exchanges POD: why there are too few
lost_exchanges() {
	scrape
	note "$(grep -E "^bramble_tcp_.*_count.*pod=\"$1\"" $tmp/metrics | tr '\n' ';')"
	note "$(grep '^bramble_probe_lost_total.*tcp' $tmp/metrics | tr '\n' ';')"
	note "$1 printed: $(cat "$tmp/$1.out")"
}

equal() { # WHAT A B
	check_holds "tcp: $1 ($(calc %d "$2") and $(calc %d "$3"))" "$2 == $3"
}

has_event() { [ -d "/sys/kernel/tracing/events/$1" ]; }

# Whether the owner of a connection's listening socket is known before the connection is used.
knows_listeners() { [ "${mode#kernel}" != "$mode" ] || has_event sock/sk_data_ready; }

tcp_books() {
	local active passive failed reset accepted unpaired
	active=$(snmp ActiveOpens) passive=$(snmp PassiveOpens) failed=$(snmp AttemptFails) reset=$(snmp OutRsts)
	run_net_pod books opener-0 /test/tcpload open 127.0.0.1 7000 50
	run_net_pod books opener-1 /test/tcpload open ::1 7000 50
	run_net_pod books refused-0 /test/tcpload open 127.0.0.1 7099 20
	run_net_pod books struck-0 /test/tcpload open 127.0.0.1 7002 20
	sleep 0.2
	scrape
	equal "opens are ActiveOpens" "$(snmp ActiveOpens) - $active" \
		"$(metric_or_0 bramble_tcp_connect_seconds_count namespace=books) +
			$(metric_or_0 bramble_tcp_connect_failures_total namespace=books)"
	equal "by IPv4" "$(tcp connect_seconds_count opener-0)" 50
	equal "by IPv6" "$(tcp connect_seconds_count opener-1)" 50
	accepted="$(tcp accepted_total answers-0) + $(tcp accepted_total resets-0)"
	passive="$(snmp PassiveOpens) - $passive"
	equal "refused are AttemptFails" "$(snmp AttemptFails) - $failed" \
		"$(tcp connect_failures_total refused-0 reason=refused)"
	# Without BTF the record of a connect may be missing.
	unpaired=$(metric_or_0 bramble_probe_lost_total probe=tcp reason=unpaired)
	equal "refused connects are their peers'" "$(tcp peer_failures_total refused-0)" 20
	check_holds "tcp: the peer has its name ($unpaired have no record)" \
		"$(tcp peer_failures_total refused-0 "peer_ip=127.0.0.1 peer_port=7099") >= 20 - $unpaired"
	if knows_listeners; then
		check_holds "tcp: accepted connections have their port" \
			"$(tcp accepted_total answers-0) == 100 && $(tcp accepted_total answers-0 port=7000) >= 100 - $unpaired"
		equal "accepted are PassiveOpens" "$passive" "$accepted"
		equal "a server's resets" "$(tcp resets_total resets-0 direction=sent)" 20
	else
		check_holds "tcp: accepted are PassiveOpens, or counted as lost" \
			"$accepted <= $passive && $accepted + $(metric_or_0 bramble_probe_lost_total reason=no_owner) >= $passive"
	fi
	equal "and its clients'" "$(tcp resets_total struck-0 direction=received)" 20
	equal "resets are OutRsts" "$(snmp OutRsts) - $reset" 40
	equal "none is open any more" "$(metric_or_0 bramble_tcp_open_connections namespace=books)" 0
}

# What the two events of 6.3 give, or its absence.
tcp_exchanges() {
	run_net_pod asks client-0 /test/tcpload ask 127.0.0.1 7001 20 100
	sleep 0.2
	scrape
	if has_event sock/sock_send_length; then
		equal "bytes sent" "$(tcp sent_bytes_total client-0)" 2000
		equal "bytes received" "$(tcp received_bytes_total client-0)" 100
		# 200 ms: bucket -9.
		# The next question may overtake the end of sendmsg(), here where one CPU runs at a time.
		says "a server that takes 200 ms" -9 15 sleeps-0 tcp_response server
		says "its client" -9 20 client-0 tcp_response client
		equal "exchanges are the peer's" "$(tcp peer_exchanges_total client-0)" \
			"$(tcp response_seconds_count client-0 role=client)"
		fact tcp yes
	else
		check "tcp: without sock_send_length there are no answers" \
			test -z "$(metric bramble_tcp_response_seconds_count)"
		check "tcp: without sock_send_length there are no bytes" test -z "$(metric bramble_tcp_sent_bytes_total)"
		check "tcp: check says what is missing" grep -q 'missing  *sock/sock_send_length' $tmp/check.txt
		fact tcp "no answers"
	fi
}

# 20 ms each way: 40 ms, bucket -18. Without netem there is nothing to see.
tcp_netem() {
	local retransmitted before
	if ! in_net /test/netem lo 20000 0 2>$tmp/netem.txt; then
		note "$(cat $tmp/netem.txt)"
		return
	fi
	run_net_pod far far-0 /test/tcpload open 127.0.0.1 7000 10
	run_net_pod far far-1 /test/tcpload open ::1 7000 10
	sleep 0.2
	says "a path of 40 ms: connects" -18 10 far-0 tcp_connect
	says "a path of 40 ms: connects by IPv6" -18 10 far-1 tcp_connect
	says "a path of 40 ms: round trips" -18 10 far-0 tcp_rtt
	# One packet in fifty is lost, and is one segment.
	in_net ip link set lo mtu 1500
	in_net /test/netem lo 1000 20
	retransmitted=$(snmp RetransSegs)
	scrape
	before=$(metric_or_0 bramble_tcp_retransmits_total)
	run_net_pod far lossy-0 /test/tcpload send 127.0.0.1 7003 3000000
	in_net /test/netem lo 0 0
	sleep 0.5
	scrape
	retransmitted=$(($(snmp RetransSegs) - retransmitted))
	check_holds "tcp: loss: segments were lost ($retransmitted)" "$retransmitted > 10"
	equal "loss: retransmits are RetransSegs" "$retransmitted" \
		"$(metric_or_0 bramble_tcp_retransmits_total) - $before"
	fact "netem" yes
}

test_tcp() {
	local servers=''
	check_holds "tcp: the probe is up" "$(metric_or_0 bramble_probe_up probe=tcp) == 1"
	make_net
	echo pong >$tmp/answer
	net_pod serve answers-0 /test/tcpserve :: 7000 answer $tmp/answer 0
	servers="$servers $pod_pid"
	net_pod serve sleeps-0 /test/tcpserve 127.0.0.1 7001 answer $tmp/answer 200000
	servers="$servers $pod_pid"
	net_pod serve resets-0 /test/tcpserve 127.0.0.1 7002 reset
	servers="$servers $pod_pid"
	net_pod serve takes-0 /test/tcpserve 127.0.0.1 7003 sink
	servers="$servers $pod_pid"
	go
	for port in 7000 7001 7002 7003; do
		wait_until 5 listens $port || note "nothing listens on $port"
	done
	tcp_books
	tcp_exchanges
	tcp_netem
	note "$(grep '^bramble_probe_lost_total.*tcp' $tmp/metrics | grep -v ' 0$' | tr '\n' ';')"
	# shellcheck disable=SC2086 # a list
	kill -KILL $servers $net_pid
	# shellcheck disable=SC2086
	wait $servers $net_pid 2>/dev/null
}
