#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# The other commands and pages, as a user meets them: top beside a running serve and
# with a probe of its own, check, explain, help, and what HTTP serves beside /metrics.
. "$(dirname "$0")/lib.sh"

start_bramble
start_pod crypto hog-0 miner taskset 1 spin 30
start_pod shop victim-0 web taskset 1 burst 30 20000 5000
sleep 1
real_time hog-0 victim-0

# ---- top
top_json() { "$BRAMBLE" top --once --json --interval=2s "$@" 2>"$tmp/top.log"; }
victim_row='.containers[] | select(.namespace == "shop" and .pod == "victim-0" and .container == "web")'
check_top() { # WHAT JSON
	check "$1: the victim waits" test "$(jq "$victim_row | .cpu_wait.ratio > 0.1" <<<"$2")" = true
	check "$1: because of the hog, most of all" \
		test "$(jq -r "$victim_row | .caused_by[0].name" <<<"$2")" = crypto/hog-0/miner
	check "$1: quantiles in order" test "$(jq "$victim_row |
		.cpu_wait.p50_seconds > 0 and .cpu_wait.p50_seconds <= .cpu_wait.p99_seconds" <<<"$2")" = true
}
check_top "top --json of serve" "$(top_json --socket="$tmp/bramble.sock")"
check "top of serve loads no probe" test ! -s "$tmp/top.log"
check_top "top --json with its own probe" \
	"$(top_json --socket="$tmp/none.sock" --kube.log-dir="$log_dir")"
check "top with its own probe says so" grep -q 'loading a probe' "$tmp/top.log"

"$BRAMBLE" top --once --socket="$tmp/bramble.sock" --filter='^(shop|crypto)/' --sort=name >"$tmp/top.txt"
check "top --filter, --sort: the rows" test "$(awk 'NR > 1 { print $1 }' "$tmp/top.txt" | tr '\n' ' ')" = \
	"crypto/hog-0/miner shop/victim-0/web "
check "top: the table names the cause" grep -q 'shop/victim-0/web.*crypto/hog-0/miner' "$tmp/top.txt"
"$BRAMBLE" top --once --filter="$(printf 'x%.0s' {1..1024})" >/dev/null 2>"$tmp/top.log"
check "top: a filter that is too long is wrong usage, told in a line" \
	test "$? $(wc -l <"$tmp/top.log")" = "2 1"
"$BRAMBLE" top --once --socket="/$(printf 'x%.0s' {1..107})" >/dev/null 2>"$tmp/top.log"
check "top: a path that no socket can have is wrong usage, told in a line" \
	test "$? $(wc -l <"$tmp/top.log")" = "2 1"
for flag in sort group; do
	words=$("$BRAMBLE" top --$flag=nothing 2>&1 | sed 's/.*is not one of //; s/, / /g')
	help=$("$BRAMBLE" top --help | tr -s ' \n' ' ' | sed "s/.*--$flag=//; s/ --.*//; s/[^a-z0-9]/ /g")
	for word in $words; do
		[[ " $help " = *" $word "* ]] || missing="${missing:-} $flag=$word"
	done
done
check "top --help has all words of --sort and --group:${missing:-}" test -z "${missing:-}"
"$BRAMBLE" top --once --filter='(' >/dev/null 2>"$tmp/top.log"
check "top: a wrong filter is wrong usage" test $? = 2
for mode in --once --json --batch=2; do
	"$BRAMBLE" top "$mode" --interval=100ms --socket="$tmp/bramble.sock" >/dev/full 2>"$tmp/top.log"
	check "top $mode: ends with 1 if its output cannot be written" test $? = 1
	check "top $mode: says why, in one line" test "$(grep -c 'standard output: No space left' "$tmp/top.log") $(wc -l <"$tmp/top.log")" = "1 1"
done
in_background "$BRAMBLE" top --socket="$tmp/bramble.sock" --interval=200ms >"$tmp/top.txt"
sleep 1.5
kill -TERM "$background_pid"
wait "$background_pid"
check "top goes on until SIGTERM, and ends with 0" test $? = 0
check "top printed several tables" test "$(grep -c '^NAME ' "$tmp/top.txt")" -ge 3

# ---- pages
status() { curl -s -o "$tmp/page" -w '%{http_code}' "$@"; }
check "/healthz" test "$(status "$bramble_url/healthz")" = 200
check "/readyz" test "$(status "$bramble_url/readyz")" = 200
check "/ links to the metrics" sh -c "test $(status "$bramble_url/") = 200 && grep -q 'href=\"/metrics\"' $tmp/page"
check "another page is 404" test "$(status "$bramble_url/nothing")" = 404
check "POST is 405" test "$(status -X POST "$bramble_url/metrics")" = 405
check "HEAD has the length and no body" test "$(curl -sI "$bramble_url/metrics" | grep -ic '^content-length: [1-9]')" = 1
check "/api/v1/containers is what docs/api.md says" test "$(curl -s "$bramble_url/api/v1/containers" |
	jq '.containers[] | select(.pod == "victim-0") | .cpu_wait.count == ([.cpu_wait.buckets[][1]] | add) and
	.cpu_wait.sum_seconds > 0 and .cpu_context_switches.voluntary > 0 and (.cpu_wait_caused | length) > 0')" = true
stop_bramble

# ---- check, explain, help
"$BRAMBLE" check >"$tmp/check.txt"
check "check: can run here, 0" sh -c "test $? = 0 && grep -q 'can run here' $tmp/check.txt"
check "check: at most 80 columns" test -z "$(awk 'length > 80' "$tmp/check.txt")"
check "check --json" test "$("$BRAMBLE" check --json | jq '.can_run and (.facts | length) > 10')" = true
uid=$(new_uid) id=$(random_hex 64)
check "explain" test "$("$BRAMBLE" explain "/kubepods.slice/kubepods-pod${uid//-/_}.slice/cri-containerd-$id.scope" |
	jq -c '[.kind, .pod_uid, .container_id, .runtime, .qos]')" = \
	"[\"container\",\"$uid\",\"$id\",\"containerd\",\"guaranteed\"]"
"$BRAMBLE" explain >/dev/null 2>&1
check "explain without a path is wrong usage" test $? = 2
for command in serve top check explain version; do
	check "$command --help" sh -c "'$BRAMBLE' $command --help | grep -q '^usage: bramble $command'"
done
check "version" sh -c "'$BRAMBLE' version | grep -qE '^bramble [0-9]+\.[0-9]+\.[0-9]+ \('"
finish
