#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# Whom a client waits for, and at which port a server is asked: nginx with k3s' ports, one of them slow,
# clients that ask for a service's address (nftables changes the destination, as kube-proxy does) or for
# the pod's, connects that are refused or not answered, more peers and ports than are kept apart, and
# thousands of both.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/net.sh"
. "$(dirname "$0")/kubelet.sh"

service=10.96.0.10
server=10.99.0.2

make_netns client
make_netns server
join_netns client server
container_network=$(netns_path client)
use_host_programs
mkdir -p "$tmp/share"
in_netns client ip route add 10.96.0.0/16 via $server
in_netns client nft -f - <<-END || give_up "nftables cannot change destinations"
	table ip services {
		chain output {
			type nat hook output priority -100;
			ip daddr $service tcp dport 80 dnat to $server:6443
		}
	}
END
in_netns server nft -f - <<-END || give_up "nftables cannot drop packets"
	table ip drops {
		chain input {
			type filter hook input priority 0;
			tcp dport 8099 drop
		}
	}
END
cat >"$tmp/share/nginx.conf" <<-'END'
	load_module /usr/lib/nginx/modules/ngx_http_echo_module.so;
	user root; daemon off; master_process off; pid /tmp/pid; error_log /share/nginx.log;
	events {}
	http {
		client_body_temp_path /tmp/body; proxy_temp_path /tmp/proxy; fastcgi_temp_path /tmp/fastcgi;
		uwsgi_temp_path /tmp/uwsgi; scgi_temp_path /tmp/scgi;
		access_log off; keepalive_requests 1000000;
		server { listen 6443; listen [::]:6443; location / { return 200 "quick\n"; } }
		server { listen 10250; location / { echo_sleep 0.2; echo slow; } }
		server { listen 2379; location / { return 200 "quick\n"; } }
	}
END

cat >"$tmp/share/stranger" <<-'END'
	import socket
	for n in range(3000):
	    server, client = socket.socket(), socket.socket()
	    server.bind(("0.0.0.0", 20000 + n))
	    server.listen()
	    client.bind(("127.2.%d.%d" % (n / 250, 1 + n % 250), 0))
	    client.connect(("127.1.%d.%d" % (n / 250, 1 + n % 250), 20000 + n))
	    accepted = server.accept()[0]
	    for one, other in (client, accepted), (accepted, client):
	        one.send(b"?")
	        other.recv(1)
	    for s in (client, accepted, server):
	        s.close()
END

start_kubelet
bramble_names[0]=--kube.source=auto
bramble_names+=(--kube.log-dir="$log_dir")
# These are listed with their addresses; what runs in their names is named by its log directory.
list_pod shop api "$(new_uid)" -- ".status.podIP = \"$server\""
list_pod shop hosts "$(new_uid)" -- '.spec.hostNetwork = true | .status.podIP = "fd99::2"'

tcp() { metric_or_0 "bramble_tcp_$1" "${@:2}"; }
peer() { tcp "peer_$1_total" "${@:2}"; }
# near A B: they are sums of the same, written with nine digits
near() { echo "($1) - ($2) < 0.000001 && ($2) - ($1) < 0.000001"; }

# get POD URL COUNT: a client's requests, on one connection
get() {
	local asked=() n
	for ((n = 0; n < $3; n++)); do
		asked+=(-o /dev/null "$2")
	done
	run_pod load "$1" main curl -gs "${asked[@]}"
}

# ask_ports POD PORT...: one after the other, each on a connection of its own
ask_ports() {
	local asked=() pod=$1 port
	shift
	for port; do
		asked+=(-o /dev/null "http://$server:$port/")
	done
	run_pod load "$pod" main curl -s -H "Connection: close" "${asked[@]}"
}

test_asked() {
	get "service-$mode" http://$service/ 20
	get "pod-$mode" http://$server:10250/ 5
	get "six-$mode" 'http://[fd99::2]:6443/' 3
	get "etcd-$mode" http://$server:2379/ 7
	scrape
	check_holds "$mode: a service is shown by the address that was asked for" \
		"$(peer exchanges pod="service-$mode" peer_ip=$service peer_port=80) == 20 &&
		$(peer exchanges pod="service-$mode") == 20"
	check_holds "$mode: and without the name of a pod" \
		"$(select_metric bramble_tcp_peer_exchanges_total pod="service-$mode" | grep -c peer_pod) == 0"
	check "$mode: its address is joined to the service that has it" join_services
	check_holds "$mode: a pod of this node has its name" \
		"$(peer exchanges pod="pod-$mode" peer_namespace=shop peer_pod=api peer_ip=$server peer_port=10250) == 5"
	check_holds "$mode: an address of the host's network has none" \
		"$(peer exchanges pod="six-$mode" peer_ip=fd99::2 peer_port=6443) == 3 &&
		$(select_metric bramble_tcp_peer_exchanges_total pod="six-$mode" | grep -c peer_pod) == 0"
	check_holds "$mode: five answers of 200 ms take a second ($(peer wait_seconds pod="pod-$mode"))" \
		"$(peer wait_seconds pod="pod-$mode") >= 1 && $(peer wait_seconds pod="pod-$mode") < 1.3"
	check_holds "$mode: the waits are those of the histogram" \
		"$(near "$(peer wait_seconds namespace=load)" "$(tcp response_seconds_sum namespace=load role=client)")"
}

test_ports() {
	local quick slow etcd
	quick=$(tcp response_seconds_count pod="api-$mode" port=6443 role=server)
	slow=$(tcp response_seconds_count pod="api-$mode" port=10250 role=server)
	etcd=$(tcp response_seconds_count pod="api-$mode" port=2379 role=server)
	check_holds "$mode: one process shows its ports apart ($quick, $slow and $etcd answers)" \
		"$quick == 23 && $slow == 5 && $etcd == 7"
	check_holds "$mode: the slow one is slow" \
		"$(tcp response_seconds_sum pod="api-$mode" port=10250 role=server) >= 1 &&
		$(tcp response_seconds_sum pod="api-$mode" port=6443 role=server) < 0.5"
	check_holds "$mode: each has the connections that it accepted" \
		"$(tcp accepted_total pod="api-$mode" port=6443) == 2 && $(tcp accepted_total pod="api-$mode" port=10250) == 1"
}

# The query of docs/tcp.md, with a series as it was scraped and the one that kube-state-metrics has.
join_services() {
	local series
	series=$(select_metric bramble_tcp_peer_wait_seconds_total pod="service-$mode")
	mkdir -p "$tmp/join"
	{
		printf '%s\n' 'groups:' '  - name: join' '    rules:' '      - record: joined' '        expr: |'
		sed -n '/^      sum by (namespace, pod, peer_ip)/,/^$/s/^/    /p' docs/tcp.md
	} >"$tmp/join/rules.yml"
	cat >"$tmp/join/test.yml" <<-END
		rule_files: [rules.yml]
		tests:
		  - interval: 1m
		    input_series:
		      - {series: '${series% *}', values: 0+60x10}
		      - {series: 'kube_service_info{namespace="shop",service="api",cluster_ip="$service"}', values: 1x10}
		      - {series: 'kube_service_info{namespace="shop",service="headless",cluster_ip="None"}', values: 1x10}
		    promql_expr_test:
		      - {expr: joined, eval_time: 8m, exp_samples: [{value: 1,
		          labels: 'joined{namespace="load",pod="service-$mode",peer_ip="$service",service="api"}'}]}
	END
	promtool test rules "$tmp/join/test.yml"
}

test_failures() {
	run_pod load "refused-$mode" main /workloads/tcpload open $server 8098 3
	run_pod load "dropped-$mode" main timeout 2 /workloads/tcpload open $server 8099 1
	scrape
	check_holds "$mode: refused connects are the peer's" \
		"$(peer failures pod="refused-$mode" peer_ip=$server peer_port=8098) == 3"
	check_holds "$mode: one that nobody answers is, and its SYNs" \
		"$(peer failures pod="dropped-$mode" peer_ip=$server peer_port=8099) == 1 &&
		$(peer retransmits pod="dropped-$mode" peer_ip=$server peer_port=8099) >= 1 &&
		$(peer retransmits pod="dropped-$mode") == $(tcp retransmits_total pod="dropped-$mode")"
}

named() { select_metric "$@" | grep -vc '="other"'; }

# 40 peers, 20 of them asked twice, and 20 ports.
test_bounds() {
	local listen
	listen=$(seq 9000 9019 | sed 's/.*/listen &;/' | tr '\n' ' ')
	sed "/listen 2379/d; s/server { listen 10250.*/server { $listen location \/ { return 200 \"hi\\\\n\"; } }/; s/listen 6443; listen \[::\]:6443;/listen 8097;/" \
		"$tmp/share/nginx.conf" >"$tmp/share/many.conf"
	container_network=$(netns_path server)
	start_pod shop "many-$mode" main nginx -c /share/many.conf -e /share/many.log
	wait_until 5 listens server 9019 || give_up "nothing listens on 9019: $(cat "$tmp/share/many.log")"
	container_network=$(netns_path client)
	# shellcheck disable=SC2046 # numbers
	ask_ports "asks-$mode" $(seq 9000 9019) $(seq 9000 9019) $(seq 9100 9119)
	scrape
	check_holds "$mode: a container has 16 peers ($(named bramble_tcp_peer_exchanges_total pod="asks-$mode"))" \
		"$(named bramble_tcp_peer_exchanges_total pod="asks-$mode") == 16"
	check_holds "$mode: the others are counted together" \
		"$(peer exchanges pod="asks-$mode") == 40 && $(peer exchanges pod="asks-$mode" peer_ip=other) == 8 &&
		$(peer failures pod="asks-$mode" peer_ip=other) == 20"
	check_holds "$mode: a container has 8 ports" "$(named bramble_tcp_accepted_total pod="many-$mode") == 8"
	check_holds "$mode: the others are counted together, too" \
		"$(tcp accepted_total pod="many-$mode") == 40 && $(tcp accepted_total pod="many-$mode" port=other) == 24 &&
		$(tcp response_seconds_count pod="many-$mode" port=other role=server) == 24"
	check_holds "$mode: what found no place is counted" \
		"$(metric bramble_probe_lost_total probe=tcp reason=peers_full) >= 28 &&
		$(metric bramble_probe_lost_total probe=tcp reason=ports_full) >= 24 &&
		$(metric bramble_probe_lost_total probe=tcp reason=unpaired) == 0"
	stop_container "many-$mode"
}

# 3000 connections, each from another address to another, and to another port that this container
# listens at.
test_stranger() {
	local accepted exchanges anon maps
	anon=$(anon_kb) maps=$(maps_kb)
	run_pod load "stranger-$mode" main python3 /share/stranger
	scrape
	accepted=$(tcp accepted_total pod="stranger-$mode")
	exchanges=$(peer exchanges pod="stranger-$mode")
	check_holds "$mode: a stranger has 16 peers and 8 ports" \
		"$(named bramble_tcp_peer_exchanges_total pod="stranger-$mode") == 16 &&
		$(named bramble_tcp_accepted_total pod="stranger-$mode") == 8"
	check_holds "$mode: all others are counted together ($accepted connections, $exchanges exchanges)" \
		"$accepted >= 2980 && $accepted <= 3000 && $exchanges >= 2980 && $exchanges <= 3000"
	check_holds "$mode: that takes no memory ($anon and $(anon_kb) KiB, maps $maps and $(maps_kb))" \
		"$(anon_kb) <= $anon + 2048 && $(maps_kb) <= $maps"
	get "after-$mode" http://$service/ 1
	scrape
	check_holds "$mode: and no other pod a place" \
		"$(peer exchanges pod="after-$mode" peer_ip=$service peer_port=80) == 1"
}

test_peers() {
	mode=$1
	start_bramble
	container_network=$(netns_path server)
	start_pod shop "api-$mode" main nginx -c /share/nginx.conf -e /share/nginx.log
	wait_until 5 listens server 10250 || give_up "nothing listens on 10250: $(cat "$tmp/share/nginx.log")"
	container_network=$(netns_path client)
	test_asked
	test_ports
	test_failures
	test_bounds
	test_stranger
	stop_container "api-$mode"
	stop_bramble
}

for_each_btf test_peers
finish
