#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# A socket belongs to the container that uses it: sockets made before the probe was started, passed
# on to another container (SCM_RIGHTS), inherited over fork and exec, containers that share
# a pod's network namespace, pods in the host's, and cgroups that are removed before their connections.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/net.sh"

mkdir -p "$tmp/share"
make_netns pod
echo pong >"$tmp/share/answer"

tcp() { metric_or_0 "bramble_tcp_$1" "${@:2}"; }
answers() { tcp response_seconds_count pod="$1" role="$2" "${@:3}"; }

# What a connection's use is, at the server and at the client: COUNT times 10 bytes there and
# LENGTH bytes back. Of the server's answers one may be missed: under load this machine's kernel leaves
# out a program in an interrupt now and then.
used() { # WHAT SERVER CLIENT COUNT LENGTH: pods
	check_holds "$mode: $1: bytes and answers are the server's" \
		"$(tcp received_bytes_total pod="$2") == $4 * 10 && $(tcp sent_bytes_total pod="$2") == $4 * $5 &&
		$(answers "$2" server) >= $4 - 1 && $(answers "$2" server) <= $4"
	check_holds "$mode: $1: bytes and answers are the client's" \
		"$(tcp received_bytes_total pod="$3") == $4 * $5 && $(tcp sent_bytes_total pod="$3") == $4 * 10 &&
		$(answers "$3" client) == $4"
}

# A connection and a listening socket that are older than the probe.
test_before() {
	container_network=$(netns_path pod)
	mkfifo "$tmp/share/go-$mode"
	start_pod old "server-$mode" main tcpserve 127.0.0.1 7000 answer /share/answer 0
	wait_until 5 listens pod 7000 || give_up "nothing listens on port 7000"
	start_pod old "client-$mode" main tcpload ask 127.0.0.1 7000 50 10 2000 "/share/go-$mode"
	wait_until 5 is_connected
	start_bramble "${flags[@]}"
	: >"$tmp/share/go-$mode" # opens it for writing
	wait_until 20 container_ended "client-$mode" || fail "$mode: the client does not end"
	sleep 0.2
	scrape
	if [ "$mode" = with-btf ]; then
		# The server's connection is known from the first recvmsg() on.
		used "a connection made before the probe" "server-$mode" "client-$mode" 50 5
	else
		note "$mode: a connection made before the probe: $(tcp sent_bytes_total pod="client-$mode") bytes"
		check_holds "$mode: a connection made before the probe is not counted for anybody else" \
			"$(tcp sent_bytes_total namespace=old) <= 50 * 15 && $(tcp open_connections namespace=old) == 0"
	fi
	check_holds "$mode: a connection made before the probe: it is not open any more" \
		"$(tcp open_connections namespace=old) == 0"
	run_pod old "later-$mode" main tcpload ask 127.0.0.1 7000 50 10
	scrape
	check_holds "$mode: a listening socket made before the probe: what it accepts is the server's" \
		"$(tcp accepted_total pod="server-$mode") == 1 && $(answers "server-$mode" server) >= 49 &&
		$(answers "later-$mode" client) == 50"
	stop_container "server-$mode"
}
is_connected() { [ -n "$(in_netns pod ss -Htn state established "dport = :7000")" ]; }

# Accepted in one container, used in another.
test_passed() {
	start_pod pass "takes-$mode" main tcppass take "/share/socket-$mode"
	wait_until 5 test -S "$tmp/share/socket-$mode"
	start_pod pass "gives-$mode" main tcppass give "/share/socket-$mode" 127.0.0.1 7001
	wait_until 5 listens pod 7001 || give_up "nothing listens on port 7001"
	start_pod pass "asks-$mode" main tcpload ask 127.0.0.1 7001 40 10 20000
	sleep 0.4
	scrape
	check_holds "$mode: passed: the connection is open where it is used" \
		"$(tcp open_connections pod="takes-$mode") == 1 && $(tcp open_connections pod="gives-$mode") == 0 &&
		$(tcp open_connections pod="asks-$mode") == 1"
	wait_until 10 container_ended "asks-$mode"
	sleep 0.2
	scrape
	used "passed" "takes-$mode" "asks-$mode" 40 6
	check_holds "$mode: passed: nothing is counted for the giver but perhaps that it accepted" \
		"$(tcp sent_bytes_total pod="gives-$mode") == 0 && $(tcp received_bytes_total pod="gives-$mode") == 0 &&
		$(answers "gives-$mode" server) == 0"
	check_holds "$mode: passed: it was accepted once" "$(tcp accepted_total namespace=pass) == 1"
	check_holds "$mode: passed: it is open no more" "$(tcp open_connections namespace=pass) == 0"
	stop_container "takes-$mode"
	stop_container "gives-$mode"
}

# A listening socket that is inherited by a program in another cgroup, as with systemd's socket
# activation; and one process for each connection, as inetd has.
test_inherited() {
	local uid path
	uid=$(new_uid)
	make_log_dir heir "active-$mode" "$uid" main
	path=/kubepods/burstable/pod$uid/$(random_hex 64)
	make_cgroup "$path"
	in_background nsenter --net="$(netns_path pod)" "$workloads/tcppass" activate "$cgroup2$path/cgroup.procs" \
		127.0.0.1 7002 "$workloads/tcpserve" fd 0 answer "$tmp/share/answer" 0
	wait_until 5 test -s "$cgroup2$path/cgroup.procs"
	run_pod heir "asks-heir-$mode" main tcpload ask 127.0.0.1 7002 40 10
	sleep 0.2
	scrape
	used "inherited over exec" "active-$mode" "asks-heir-$mode" 40 5
	note "$mode: inherited over exec: accepted by the heir: $(tcp accepted_total pod="active-$mode")"
	kill -KILL "$(cat "$cgroup2$path/cgroup.procs")"

	start_pod heir "forks-$mode" main nc -ll -p 7003 -e cat
	wait_until 5 listens pod 7003 || give_up "nothing listens on port 7003"
	run_pod heir "asks-forks-$mode" main sh -c 'for i in 1 2 3 4; do tcpload ask 127.0.0.1 7003 10 10; done'
	sleep 0.2
	scrape
	# cat calls read() and write(), not recvmsg() and sendmsg().
	used "inherited over fork" "forks-$mode" "asks-forks-$mode" 40 10
	check_holds "$mode: inherited over fork: all were accepted" "$(tcp accepted_total pod="forks-$mode") == 4"
	check_holds "$mode: inherited: none is open any more" "$(tcp open_connections namespace=heir) == 0"
	stop_container "forks-$mode"
}

# Two containers of a pod talk over its loopback.
test_shared() {
	start_pod duo "pod-$mode" server tcpserve 127.0.0.1 7004 answer /share/answer 0
	wait_until 5 listens pod 7004 || give_up "nothing listens on port 7004"
	add_container duo "pod-$mode" client tcpload ask 127.0.0.1 7004 30 10
	wait_until 10 container_ended "pod-$mode-client"
	sleep 0.2
	scrape
	check_holds "$mode: a shared network namespace: each container has its own" \
		"$(answers "pod-$mode" server container=server) >= 29 && $(answers "pod-$mode" client container=client) == 30 &&
		$(answers "pod-$mode" client container=server) == 0 && $(answers "pod-$mode" server container=client) == 0 &&
		$(tcp sent_bytes_total pod="pod-$mode" container=client) == 300 &&
		$(tcp sent_bytes_total pod="pod-$mode" container=server) == 150 &&
		$(tcp connect_seconds_count pod="pod-$mode" container=client) == 1 &&
		$(tcp accepted_total pod="pod-$mode" container=server) == 1"
	stop_container "pod-$mode-client"
	stop_container "pod-$mode"
}

# Pods in the host's network namespace, over its loopback.
test_host_network() {
	local port
	port=$(free_port)
	container_network=
	start_pod host "hostserver-$mode" main tcpserve 127.0.0.1 "$port" answer /share/answer 0
	wait_until 5 host_listens "$port" || give_up "nothing listens on port $port"
	run_pod host "hostclient-$mode" main tcpload ask 127.0.0.1 "$port" 30 10
	sleep 0.2
	scrape
	used "the host's network" "hostserver-$mode" "hostclient-$mode" 30 5
	check_holds "$mode: the host's network: accepted and connected" \
		"$(tcp accepted_total pod="hostserver-$mode") == 1 && $(tcp connect_seconds_count pod="hostclient-$mode") == 1"
	stop_container "hostserver-$mode"
}
host_listens() { [ -n "$(ss -Hltn "sport = :$1")" ]; }

# in_cgroup PATH COMMAND...: in the network namespace of the pod. Sets background_pid.
in_cgroup() {
	make_cgroup "$1"
	# shellcheck disable=SC2016 # expanded by the inner shell
	in_background nsenter --net="$(netns_path pod)" sh -c 'echo $$ >"$0" && exec "$@"' "$cgroup2$1/cgroup.procs" "${@:2}"
}

unit_open() { awk "BEGIN { print $(metric_or_0 bramble_tcp_open_connections unit="$1") + 0 }"; }

# Both ends of two connections were made in cgroups that are removed while the connections are open.
# The processes that then hold them have not used them yet. The unit of these cgroups goes on.
test_removed() {
	local heir=bt-heir-$mode.service other=bt-other-$mode.service server client
	start_bramble "${flags[@]}" --retain=1s
	in_cgroup "/$heir" sh -c 'while sleep 0.1; do :; done'
	in_cgroup "/$heir/server" "$workloads/tcpserve" 127.0.0.1 7005 answer "$tmp/share/answer" 0
	server=$background_pid
	wait_until 5 listens pod 7005 || give_up "nothing listens on port 7005"
	in_cgroup "/$heir/client" "$workloads/tcpload" hold 127.0.0.1 7005 2
	client=$background_pid
	wait_until 5 unit_has "$heir" 4
	check "$mode: removed: both ends of two connections are open at first" [ "$(unit_open "$heir")" = 4 ]

	make_cgroup "/$other"
	echo "$server" >"$cgroup2/$other/cgroup.procs"
	echo "$client" >"$cgroup2/$other/cgroup.procs"
	check "$mode: removed: the server's cgroup" wait_until 5 rmdir "$cgroup2/$heir/server"
	check "$mode: removed: the client's cgroup" wait_until 5 rmdir "$cgroup2/$heir/client"
	wait_until 10 unit_has "$heir" 0
	check "$mode: removed: once their slots are freed they are nobody's ($(unit_open "$heir"), $(unit_open "$other"))" \
		test "$(unit_open "$heir") $(unit_open "$other")" = "0 0"
	kill -TERM "$client"
	sleep 0.3
	scrape
	check "$mode: removed: closed they leave nothing, and take nothing away ($(unit_open "$heir"), $(unit_open "$other"))" \
		test "$(unit_open "$heir") $(unit_open "$other")" = "0 0"
	check_holds "$mode: removed: no gauge anywhere is below zero, or of 64 bits" \
		"$(select_metric bramble_tcp_open_connections | awk '$NF < 0 || $NF > 1e6 { n++ } END { print n + 0 }') == 0"
	kill -KILL "$server"
	stop_bramble
}
unit_has() {
	scrape
	[ "$(unit_open "$1")" = "$2" ]
}

test_owners() {
	mode=$1
	flags=()
	# One of the two also without what the scheduler's probe knows of the current task.
	[ "$mode" = with-btf ] || flags+=(--no-probe.sched)
	test_before
	test_passed
	test_inherited
	test_shared
	test_host_network
	stop_bramble
	test_removed
}

for_each_btf test_owners
finish
