#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# Real servers in containers, and what their clients say of how long they took: nginx and wrk,
# redis-server and redis-benchmark, postgres and pgbench, on one loopback.
#
# The rule: a server's median and 99th percentile in bramble_tcp_response_seconds lie within one
# bucket of the client's figure less the client's own overhead. That overhead is what the
# same client reports for a server that answers at once (tests/workload/tcpserve.c), less
# what that one took by its own clock, from the kernel's stamp on the request to just before
# it sends. The percentiles are made by the servers: most requests take them some ms or some
# tenths of one, a few in a hundred take tens of ms. On a busy machine a client that has to
# wait for a CPU sees longer times than its server. Where a request takes microseconds, as
# the client does, the server's median is between the client's and that less the overhead.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/net.sh"

mkdir -p "$tmp/share"
make_netns loop
container_network=$(netns_path loop)
use_host_programs
postgres_bin=$(printf '%s\n' /usr/lib/postgresql/*/bin | sort -V | tail -n 1)

printf 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nhi\n' >"$tmp/share/http"
head -c 4000000 /dev/urandom >"$tmp/share/large"
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=test -keyout "$tmp/share/key" -out "$tmp/share/cert" 2>/dev/null
cat >"$tmp/share/nginx.conf" <<-'END'
	load_module /usr/lib/nginx/modules/ngx_http_echo_module.so;
	user root; daemon off; master_process off; pid /tmp/pid; error_log /share/nginx.log;
	events {}
	http {
		client_body_temp_path /tmp/body; proxy_temp_path /tmp/proxy; fastcgi_temp_path /tmp/fastcgi;
		uwsgi_temp_path /tmp/uwsgi; scgi_temp_path /tmp/scgi;
		access_log off; sendfile on; keepalive_requests 1000000;
		server {
			listen 127.0.0.1:8080;
			listen 127.0.0.1:8443 ssl http2;
			ssl_certificate /share/cert;
			ssl_certificate_key /share/key;
			location / { return 200 "hi\n"; }
			location /often { echo_sleep 0.003; echo often; }
			location /seldom { echo_sleep 0.030; echo seldom; }
			location /200ms { echo_sleep 0.2; echo slept; }
			location /large { alias /share/large; }
		}
	}
END
sed 's/:8080;/:8082;/; /ssl/d' "$tmp/share/nginx.conf" >"$tmp/share/plain.conf"
# One request in twenty is a slow one.
cat >"$tmp/share/mix.lua" <<-'END'
	local n = 0
	request = function()
		n = n + 1
		return wrk.format("GET", n % 20 == 0 and "/seldom" or "/often")
	end
END
cat >"$tmp/share/mix.sql" <<-'END'
	\set n random(1, 20)
	select pg_sleep(case when :n = 1 then 0.03 else 0.003 end);
END
# A key counts the calls. These keep the CPU busy.
mix_redis='local n = redis.call("incr", "n"); for i = 1, n % 20 == 0 and 400000 or 10000 do end; return n'

# in_us TEXT: "22.00us", "4.06ms", "1.20s" of wrk
in_us() {
	echo "$1" | awk '{ n = $1 + 0; print $1 ~ /us$/ ? n : $1 ~ /ms$/ ? n * 1e3 : n * 1e6 }'
}
wrk_us() { in_us "$(awk -v q="$2%" '$1 == q { print $2 }' "$tmp/$1.out")"; } # POD PERCENT
redis_us() {                                                                # POD COLUMN
	awk -F '","' -v column="$2" '{ gsub(/^"|"$/, "") }
		/latency/ { for (i = 1; i <= NF; i++) if ($i == column) at = i; next }
		at { print $at * 1e3 }' "$tmp/$1.out"
}
# Of numbers, one a line.
percentile() { sort -n | awk -v q="$1" '{ v[NR] = $1 } END { i = int(q * NR / 100 + 0.999999); print v[i < 1 ? 1 : i] }'; }

expected_k() { k_of "$(awk "BEGIN { us = $1 - $2; print ((us > 1 ? us : 1) / 1e6) }")"; } # US OVERHEAD_US

# agrees WHAT POD Q CLIENTS_US OVERHEAD_US SURE_US: the rule
agrees() {
	local k expected sure
	k=$(quantile_k "$3" <"$tmp/buckets")
	expected=$(expected_k "$4" "$5")
	sure=$(expected_k "$6" 0)
	((sure < expected)) || sure=$expected
	check_holds "$mode: $1 (k $k, the client's $expected, surely $sure)" "$k <= $expected + 1 && $k >= $sure - 1"
}

# compare WHAT POD P50_US P99_US OVERHEAD_US REQUESTS SURE_P50_US SURE_P99_US
compare() {
	local what=$1 pod=$2 count
	snapshot
	buckets "$pod" tcp_response server >"$tmp/buckets"
	count=$(awk '{ n += $2 } END { print n + 0 }' "$tmp/buckets")
	note "$mode: $what: client's p50 $3 us, p99 $4 us, of which the client $5 us"
	check_holds "$mode: $what: all exchanges are counted ($count of $6)" "$count >= $6 && $count <= $6 + 20"
	agrees "$what, median" "$pod" 0.5 "$3" "$5" "$7"
	agrees "$what, 99th percentile" "$pod" 0.99 "$4" "$5" "$8"
}

# overhead CLIENTS_P50_US TIMES: of the client, in us, as the rule says
overhead() {
	awk "BEGIN { us = $1 - $(percentile 50 <"$2") / 1e3; print (us > 0 ? us : 0) }"
}

end_server() { # NAME: SIGTERM, so that it writes what it has found
	kill -TERM "${container_pid[$1]}"
	wait_until 5 container_ended "$1"
	stop_container "$1"
}

test_nginx() {
	local wrk_overhead
	start_pod shop "null-$mode" main /workloads/tcpserve 127.0.0.1 8081 answer /share/http 0 "/share/null-$mode"
	start_pod shop "nginx-$mode" main nginx -c /share/nginx.conf -e /share/nginx.log
	start_pod shop "plain-$mode" main nginx -c /share/plain.conf -e /share/nginx.log
	for port in 8080 8081 8082; do
		wait_until 5 listens loop $port || give_up "nothing listens on $port: $(cat "$tmp/share/nginx.log")"
	done
	run_pod load "wrk-null-$mode" main wrk -t 1 -c 1 -d 1 --latency http://127.0.0.1:8081/
	run_pod load "wrk-plain-$mode" main wrk -t 1 -c 1 -d 1 --latency http://127.0.0.1:8082/
	end_server "null-$mode"
	wrk_overhead=$(overhead "$(wrk_us "wrk-null-$mode" 50)" "$tmp/share/null-$mode")

	snapshot
	buckets "plain-$mode" tcp_response server >"$tmp/buckets"
	local k low high
	k=$(quantile_k 0.5 <"$tmp/buckets")
	low=$(expected_k "$(wrk_us "wrk-plain-$mode" 50)" "$wrk_overhead")
	high=$(expected_k "$(wrk_us "wrk-plain-$mode" 50)" 0)
	note "$mode: nginx, microseconds: wrk's p50 $(wrk_us "wrk-plain-$mode" 50) us, of which wrk $wrk_overhead us"
	check_holds "$mode: nginx, microseconds: the median is between wrk's and that less wrk's own (k $k, $low to $high)" \
		"$k >= $low - 1 && $k <= $high"
	stop_container "plain-$mode"

	run_pod load "wrk-$mode" main wrk -t 1 -c 4 -d 3 --latency -s /share/mix.lua http://127.0.0.1:8080
	compare "nginx and wrk" "nginx-$mode" "$(wrk_us "wrk-$mode" 50)" "$(wrk_us "wrk-$mode" 99)" \
		"$wrk_overhead" "$(awk '$2 == "requests" { print $1 }' "$tmp/wrk-$mode.out")" 3000 30000
}

# slept POD VALUE COUNT: how many of its exchanges took 200 ms, within a bucket
slept() {
	local at
	at=$(k_of 0.2)
	buckets "$1" tcp_response "$2" | awk -v at="$at" '$1 >= at - 1 && $1 <= at + 1 { n += $2 } END { print n + 0 }'
}

test_nginx_rules() {
	local before_sleep before
	snapshot
	before=$(slept "nginx-$mode" server)
	run_pod load "curl-$mode" main curl -s -o /dev/null 'http://127.0.0.1:8080/200ms?[1-4]'
	run_pod load "tls-$mode" main curl -sk --http1.1 -o /dev/null 'https://127.0.0.1:8443/200ms?[1-4]'
	run_pod load "h2-$mode" main curl -sk --http2 -o /dev/null 'https://127.0.0.1:8443/200ms?[1-4]'
	snapshot
	# The first request of a TLS 1.3 connection may come before the server has sent its session
	# tickets: these are what is taken for the answer.
	check_holds "$mode: a handler that sleeps 200 ms: nginx's answers say so ($(slept "nginx-$mode" server) of 12)" \
		"$(slept "nginx-$mode" server) - $before >= 10 && $(slept "nginx-$mode" server) - $before <= 12"
	check_holds "$mode: and so do its client's" "$(slept "curl-$mode" client) == 4"
	for name in tls h2; do
		check_holds "$mode: and so do its client's, $name ($(slept "$name-$mode" client) of 4)" \
			"$(slept "$name-$mode" client) >= 3 && $(slept "$name-$mode" client) <= 4"
	done

	# 4 MB at 64 KiB every 50 ms: 3 s. The first byte goes out at once.
	before_sleep=$(buckets "nginx-$mode" tcp_response server | awk -v from="$(k_of 0.25)" '$1 > from { n += $2 } END { print n + 0 }')
	printf 'GET /large HTTP/1.0\r\n\r\n' >"$tmp/share/request"
	# shellcheck disable=SC2016 # expanded in the container
	run_pod load "slow-$mode" main sh -c \
		'(cat /share/request; sleep 4) | busybox nc 127.0.0.1 8080 | while [ "$(head -c 65536 | wc -c)" -gt 0 ]; do sleep 0.05; done'
	snapshot
	check_holds "$mode: a slow reader does not make nginx slow" \
		"$(buckets "nginx-$mode" tcp_response server | awk -v from="$(k_of 0.25)" '$1 > from { n += $2 } END { print n + 0 }') == $before_sleep"

	# Asked every 250 ms on one connection, which is idle in between.
	start_pod shop "idle-$mode" main /workloads/tcpserve 127.0.0.1 8083 answer /share/http 0
	wait_until 5 listens loop 8083
	run_pod load "seldom-$mode" main /workloads/tcpload ask 127.0.0.1 8083 6 20 250000
	snapshot
	for name in "idle-$mode server" "seldom-$mode client"; do
		# shellcheck disable=SC2086 # a pod and a role
		buckets ${name% *} tcp_response ${name#* } >"$tmp/buckets"
		check_holds "$mode: time in which nothing was asked is not counted (${name#* })" \
			"$(awk '{ n += $2 } END { print n + 0 }' "$tmp/buckets") == 6 &&
				$(quantile_k 1 <"$tmp/buckets") < $(k_of 0.15)"
	done
	stop_container "idle-$mode"
	stop_container "nginx-$mode"
}

# What redis-server says of how long it ran its scripts, in us.
redis_took() {
	in_netns loop redis-cli -p 6379 info latencystats | sed -n "s/.*percentiles_usec_eval:.*$1=\([0-9.]*\).*/\1/p"
}

test_redis() {
	local redis_overhead
	printf '+PONG\r\n' >"$tmp/share/resp"
	start_pod shop "rnull-$mode" main /workloads/tcpserve 127.0.0.1 6380 answer /share/resp 0 "/share/rnull-$mode"
	start_pod shop "redis-$mode" main redis-server --bind 127.0.0.1 --port 6379 --save "" --appendonly no
	wait_until 5 listens loop 6379 || give_up "redis-server does not listen: $(cat "$tmp/redis-$mode.out")"
	wait_until 5 listens loop 6380
	run_pod load "rb-null-$mode" main redis-benchmark -p 6380 -c 1 -n 10000 --csv ping
	end_server "rnull-$mode"
	redis_overhead=$(overhead "$(redis_us "rb-null-$mode" p50_latency_ms)" "$tmp/share/rnull-$mode")
	run_pod load "rb-$mode" main redis-benchmark -p 6379 -c 4 -n 4000 --csv eval "$mix_redis" 0
	compare "redis-server and redis-benchmark" "redis-$mode" "$(redis_us "rb-$mode" p50_latency_ms)" \
		"$(redis_us "rb-$mode" p99_latency_ms)" "$redis_overhead" 4000 "$(redis_took p50)" "$(redis_took p99)"
	stop_container "redis-$mode"
}

# Its overhead is some 10 us in 3 ms, as that of the others: not asked for.
test_postgres() {
	local data=$tmp/share/pg-$mode
	mkdir -m 700 "$data" && chown 65534:65534 "$data"
	mkdir -m 777 "$tmp/share/pgbench-$mode"
	container_uid=65534
	start_pod shop "postgres-$mode" main sh -c "$postgres_bin/initdb -D /share/pg-$mode -A trust -U postgres --locale=C -N >/tmp/initdb.log && exec $postgres_bin/postgres -D /share/pg-$mode -h 127.0.0.1 -p 5432 -k '' -c fsync=off"
	wait_until 30 listens loop 5432 || give_up "postgres does not listen: $(cat "$tmp/postgres-$mode.out")"
	# Over before it is measured.
	wait_until 10 is_ready || give_up "postgres is not ready"
	run_pod load "pgbench-$mode" main "$postgres_bin/pgbench" -h 127.0.0.1 -p 5432 -U postgres -n -c 4 -T 3 \
		-f /share/mix.sql -l "--log-prefix=/share/pgbench-$mode/log" postgres
	container_uid=0
	cut -d' ' -f3 "$tmp/share/pgbench-$mode"/log* >"$tmp/latencies"
	compare "postgres and pgbench" "postgres-$mode" "$(percentile 50 <"$tmp/latencies")" \
		"$(percentile 99 <"$tmp/latencies")" 0 "$(wc -l <"$tmp/latencies")" 3000 30000
	stop_container "postgres-$mode"
}
is_ready() { in_netns loop "$postgres_bin/pg_isready" -q -h 127.0.0.1 -p 5432; }

test_servers() {
	mode=$1
	start_bramble --no-probe.sched
	test_nginx
	test_nginx_rules
	test_redis
	test_postgres
	scrape
	note "$mode: lost: $(grep '^bramble_probe_lost_total.*tcp' "$tmp/metrics" | grep -v ' 0$' | tr '\n' ';')"
	stop_bramble
}

for_each_btf test_servers
finish
