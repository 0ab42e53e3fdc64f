# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# shellcheck shell=bash disable=SC2034,SC2154 # what the tests use, and lib.sh's
#
# Prometheus for the integration tests: the installed one, which is 2.42 in Debian 12, and a
# newer one. Any number of servers run at a time, each with a name. Source it after lib.sh.

declare -A prometheus_url=()

# A configuration is the global part, which scrapes every second, and then jobs.
configuration() { printf 'global: {scrape_interval: 1s}\nscrape_configs:\n'; }

# job NAME [LINE...]: scrapes bramble, with more lines of configuration.
job() {
	echo "  - job_name: $1"
	shift
	[ $# = 0 ] || printf '    %s\n' "$@"
	echo "    static_configs: [{targets: [\"${bramble_url#http://}\"]}]"
}

# start_prometheus NAME PROGRAM FLAG...: with the configuration in $tmp/NAME.yml. It finds its
# targets 5 s later.
start_prometheus() {
	local name=$1 program=$2
	shift 2
	prometheus_url[$name]=http://127.0.0.1:$(free_port)
	in_background "$program" --config.file="$tmp/$name.yml" --storage.tsdb.path="$tmp/$name.tsdb" \
		--web.listen-address="${prometheus_url[$name]#http://}" --log.level=warn "$@" >"$tmp/$name.log" 2>&1
}

# query NAME QUERY: the answer as JSON.
query() { curl -sf --data-urlencode "query=$2" "${prometheus_url[$1]}/api/v1/query"; }

# first_value NAME QUERY: of the only series it answers; nothing if there is no number.
first_value() {
	query "$1" "$2" | jq -r '.data.result | if length == 1 then .[0].value[1] else empty end' |
		grep -E '^[0-9.e+-]+$'
}

has_value() { [ -n "$(first_value "$1" "$2")" ]; } # NAME QUERY

# find_prometheus_3: sets prometheus_3 to the path of a Prometheus 3.5 or later, or skips what needs it.
find_prometheus_3() {
	local reason
	prometheus_3=
	if reason=$("$top/tests/fetch-prometheus" "$top/build/prometheus-3" 2>&1); then
		prometheus_3=$top/build/prometheus-3/prometheus
		note "$(head -n 1 "$top/build/prometheus-3/version")"
	else
		skip "Prometheus 3: $reason"
	fi
}
