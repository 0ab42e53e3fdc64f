#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# Containers whose trouble is known: `bramble why` names its cause and who caused it. Of those that have
# none it says nothing. It looks at ten seconds; the unit tests have what takes minutes.
#
# The disk is an ext4 of this test's own, where there is one.
if [ "$(id -u)" = 0 ] && [ -z "${WHY_MOUNTS:-}" ]; then
	WHY_MOUNTS=1 exec unshare --mount --propagation private bash "$0" "$@"
fi
. "$(dirname "$0")/lib.sh"
trap 'cleanup_disk; cleanup' EXIT
# shellcheck disable=SC2317 # called by the trap
stop_pods() {
	local name
	for name in "${!container_pid[@]}"; do
		stop_container "$name"
	done
}
# shellcheck disable=SC2317
cleanup_disk() {
	stop_pods
	umount -l "$tmp/share" 2>/dev/null
}

why() { # FILE ARGS...: sets code
	local file=$1
	shift
	"$BRAMBLE" why --socket="$tmp/bramble.sock" "$@" >"$file" 2>"$file.log"
	code=$?
}
# finding NAME CAUSE FILTER: of the findings of one container
finding() { jq -r --arg name "$1" --arg cause "$2" ".findings[] | select(.name == \$name and .cause == \$cause) | $3" "$tmp/why.json"; }
measured() { jq -e --arg cause "$1" '.not_measured | index($cause) | not' "$tmp/why.json" >/dev/null; }
# says WHAT NAME CAUSE REGEX [REASON]: the finding is there, and so is its advice. REASON: why nothing measures it here
says() {
	local sentence
	if ! measured "$3"; then
		if [ -n "${5:-}" ]; then skip "$1: $5"; else fail "$1: is not measured"; fi
		return
	fi
	sentence=$(finding "$2" "$3" .sentence)
	note "$sentence"
	note "$(finding "$2" "$3" .advice)"
	check "$1: $3 is named" grep -qE -- "$4" <<<"$sentence"
	check "$1: $3: what helps, since when" test "$(finding "$2" "$3" '.goes_on and (.advice | length > 20) and
		.began_seconds_ago >= 9 and .began_seconds_ago <= 60')" = true
}
# only NAME CAUSE...: nothing else is said of it
only() {
	local name=$1 causes
	shift
	causes=$(jq -r --arg name "$name" '[.findings[] | select(.name == $name) | .cause] | sort | join(" ")' "$tmp/why.json")
	[ -z "$causes" ] || [ $# -gt 0 ] || note "$(jq -r --arg name "$name" '.findings[] | select(.name == $name) | .sentence' "$tmp/why.json")"
	check "$name: nothing is said but ${*:-nothing}" test "$causes" = "$*"
}

# ---- there is no serve
why "$tmp/none" shop/victim-0
check "no serve: exit 1" test "$code" = 1
check "no serve: the remedy" grep -q 'bramble serve' "$tmp/none.log"

# The record has intervals of 10 s. One lies in this as a whole.
interval=22

mkdir -p "$tmp/share"
truncate -s 256M "$tmp/disk.img"
mkfs.ext4 -q "$tmp/disk.img" 2>/dev/null && mount -o loop "$tmp/disk.img" "$tmp/share" ||
	note "no ext4 on a loop device here: the share is on $(stat -f -c %T "$tmp/share")"
start_bramble

# ---- those with a trouble
start_pod crypto hog-0 miner taskset 1 spin 120
start_pod shop victim-0 web taskset 1 burst 120 5000 5000
real_time hog-0 victim-0
slow_port=$(free_port) closed_port=$(free_port) quick_port=$(free_port) poll_port=$(free_port)
start_pod shop server-0 api waits serve "$slow_port" 200
sleep 0.3
start_pod shop client-0 web waits ask "$slow_port"
start_pod shop refused-0 web sh -c "while :; do nc 127.0.0.1 $closed_port; sleep 0.2; done"
start_pod data fsync-0 db waits fsync /share/fsync
start_pod data read-0 db waits read /share/read
container_resources='{"cpu": {"quota": 20000, "period": 100000}}'
start_pod shop throttled-0 main spin 120
container_resources='{"memory": {"limit": 16777216, "swap": 16777216}}'
start_pod memory stalled-0 main sh -c 'while :; do dd if=/dev/zero of=/share/stalled bs=1M count=32 2>/dev/null; done'
start_pod memory killed-0 main sh -c 'while :; do hog 64; sleep 1; done'
container_resources=
sleep "$interval"
why "$tmp/why.json" --since=10s --json
scrape
check "the node: exit 0" test "$code" = 0

says "a hog's victim" shop/victim-0/web cpu 'waited [0-9]+ % of the last [0-9]+ s for CPU, [0-9]+ % of that while crypto/hog-0/miner ran'
check "a hog's victim: by whom" test "$(finding shop/victim-0/web cpu '.by[0] | .namespace + " " + .pod + " " + .container')" = "crypto hog-0 miner"
says "at its CPU limit" shop/throttled-0/main cpu_limit 'because of its own CPU limit' \
	"$(grep -qw cpu "$cgroup2/cgroup.controllers" || echo "cgroup v2 has no cpu controller here")"
no_tcp=$("$BRAMBLE" check --json | jq -r '.facts[] | select(.name == "sock/sk_data_ready" and .state == "missing") | "this kernel has no \(.name)"')
says "a client of a slow server" shop/client-0/web network 'waited [0-9]+ % of the last [0-9]+ s for answers of network peers .*On this node shop/server-0/api answered slowly' "$no_tcp"
if measured network; then
	check "the slow server" grep -q 'answered slowly' <<<"$(finding shop/server-0/api slow_answers .sentence)"
	check "connections that are refused" grep -qE '[0-9]+ connections failed' <<<"$(finding shop/refused-0/web connect_failures .sentence)"
fi
says "an fsync writer" data/fsync-0/db fsync 'waited [0-9]+ % of the last [0-9]+ s for fsync' \
	"$([ "$(stat -f -c %T "$tmp/share")" = ext2/ext3 ] || echo "$tmp is not on ext4")"
says "a reader past the cache" data/read-0/db disk 'waited [0-9]+ % of the last [0-9]+ s for the disk' \
	"$([ "$(stat -f -c %T "$tmp")" != tmpfs ] || echo "$tmp is on no disk")"
note "$(finding memory/stalled-0/main memory_limit .sentence)"
check "at its memory limit" grep -q 'for memory .* It is at a memory limit' <<<"$(finding memory/stalled-0/main memory_limit .sentence)"
check "killed for lack of memory" grep -qE '[0-9]+ killed for lack of memory' <<<"$(finding memory/killed-0/main oom_kill .sentence)"
only crypto/hog-0/miner

# ---- one pod, in words, and for scripts
why "$tmp/victim" --since=10s --exit-code shop/victim-0
cat "$tmp/victim"
check "--exit-code: 3 where there are findings" test "$code" = 3
check "in words" grep -q 'what helps: ' "$tmp/victim"
why "$tmp/by-pod" --since=10s --exit-code victim-0
check "a pod without its namespace" cmp -s <(sed 's/because of shop.victim-0:/because of victim-0:/' "$tmp/victim") "$tmp/by-pod"
why "$tmp/hog" --since=10s --exit-code crypto/hog-0
cat "$tmp/hog"
check "the hog: nothing is wrong with it, and others lose by it" test "$code" = 0
check "the hog: who loses by it" grep -qE '^-  shop/victim-0/web waited' "$tmp/hog"
why "$tmp/unknown" shop/nobody-0
check "an unknown pod: exit 1, and the reason" test "$code $(grep -c 'no pod, container or unit of this name' "$tmp/unknown.log")" = "1 1"
why "$tmp/node" --since=10s
cat "$tmp/node"
check "the node: its three worst, and how many more" test "$(grep -c '^[0-9]*\. ' "$tmp/node") $(grep -c '^and [0-9]* more' "$tmp/node")" = "3 1"

# ---- for alerts
lost=$(metric bramble_findings cause=cpu namespace=shop pod=victim-0 by_namespace=crypto by_pod=hog-0 by_container=miner)
note "bramble_findings of the victim: $lost"
check_holds "bramble_findings: the victim, by the hog" "$lost > 0.05 && $lost <= 1"
check "the API: a wrong duration is refused" test "$(curl -s -o /dev/null -w '%{http_code}' "$bramble_url/api/v1/why?since=2h")" = 400

# ---- those with none: nothing else makes them wait for a CPU
stop_pods
start_pod quiet quick-0 api taskset 1 waits serve "$quick_port" 10
start_pod quiet poll-0 api taskset 1 waits serve "$poll_port" 1500
sleep 0.3
start_pod quiet asks-0 web taskset 1 waits ask "$quick_port"
start_pod quiet polls-0 web taskset 1 waits ask "$poll_port"
start_pod quiet idle-0 main taskset 1 sh -c 'while :; do sleep 0.5; done'
start_pod quiet sleeper-0 main sleep 600
quiet=(idle-0/main sleeper-0/main asks-0/web polls-0/web quick-0/api poll-0/api)
if [ "$(nproc)" -gt 1 ]; then
	start_pod quiet busy-0 main taskset 2 spin 120
	quiet+=(busy-0/main)
else
	skip "busy, and alone: there is only one CPU"
fi
for name in "${quiet[@]}"; do
	real_time "${name%/*}"
done
sleep "$interval"
why "$tmp/why.json" --since=10s --json
scrape
for name in "${quiet[@]}"; do
	only "quiet/$name"
done
check "bramble_findings: none of the quiet" test -z "$(select_metric bramble_findings namespace=quiet)"
why "$tmp/idle" --since=10s --exit-code quiet/idle-0
check "--exit-code: 0 where there are none" test "$code" = 0
check "nothing is said of an idle pod" grep -q '^Nothing was wrong with quiet/idle-0' "$tmp/idle"
finish
