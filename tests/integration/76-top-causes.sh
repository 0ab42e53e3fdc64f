#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# Containers whose trouble is known. top's sentence about each, and the largest share of its bar, must
# name the right cause. tests/unit/test_sentence.c has the other signals.
#
# The disk is an ext4 of this test's own, where there is one.
if [ "$(id -u)" = 0 ] && [ -z "${TOP_CAUSES_MOUNTS:-}" ]; then
	TOP_CAUSES_MOUNTS=1 exec unshare --mount --propagation private bash "$0" "$@"
fi
. "$(dirname "$0")/lib.sh"
trap 'cleanup_disk; cleanup' EXIT
# shellcheck disable=SC2317 # called by the trap
cleanup_disk() {
	local name
	for name in "${!container_pid[@]}"; do
		stop_container "$name"
	done
	umount -l "$tmp/share" 2>/dev/null
}

mkdir -p "$tmp/share"
truncate -s 64M "$tmp/disk.img"
mkfs.ext4 -q "$tmp/disk.img" 2>/dev/null && mount -o loop "$tmp/disk.img" "$tmp/share" ||
	note "no ext4 on a loop device here: the share is on $(stat -f -c %T "$tmp/share")"
start_bramble

watch() { # SECONDS
	"$BRAMBLE" top --once --json --interval="$1s" --socket="$tmp/bramble.sock" >"$tmp/top.json" 2>"$tmp/top.log" ||
		cat "$tmp/top.log" >&2
}
row() { # NAME FILTER
	jq -r --arg name "$1" ".containers[] | select(.name == \$name) | $2" "$tmp/top.json"
}
measured() { # CAUSE: whether anything measures it here
	[ "$(jq -r "[.containers[].waits.$1 | select(. != null)] | length > 0" "$tmp/top.json")" = true ]
}
# not_measured CAUSE [REASON]: without one it has to be
not_measured() {
	if [ -n "${2:-}" ]; then skip "$1: $2"; else fail "$1: is measured"; fi
}
# says WHAT NAME REGEX
says() {
	local sentence
	sentence=$(row "$2" .sentence)
	note "$sentence"
	check "$1: the sentence" grep -qE -- "$3" <<<"$sentence"
}
# most WHAT NAME CAUSE: it has the largest share of the bar.
most() {
	check "$1: the bar" test "$(row "$2" '.waits | to_entries | map(select(.value != null)) | max_by(.value) |
		select(.value > 0.01) | .key')" = "$3"
}
stop_containers() {
	local name
	for name in "$@"; do
		stop_container "$name"
	done
}

# ---- CPU: a hog and its victim
start_pod crypto hog-0 miner taskset 1 spin 60
start_pod shop victim-0 web taskset 1 burst 60 20000 5000
sleep 0.5
real_time hog-0 victim-0
watch 2
says "a hog's victim" shop/victim-0/web 'waited [0-9]+ % of the last 2(\.[0-9])? s for CPU, [0-9]+ % of that while crypto/hog-0/miner ran'
most "a hog's victim" shop/victim-0/web CPU
says "the hog" crypto/hog-0/miner 'others waited [0-9]+ % for CPU while it ran, .* most of all'
stop_containers hog-0 victim-0

# ---- two hogs that wait for each other and for a third
for i in a b c; do
	start_pod crypto "hog-$i" miner taskset 1 spin 60
done
sleep 0.5
real_time hog-a hog-b hog-c
watch 3
says "three hogs" crypto/hog-a/miner 'for CPU, [0-9]+ % of that while crypto/hog-[bc]/miner ran'
most "three hogs" crypto/hog-a/miner CPU
stop_containers hog-a hog-b hog-c

# ---- its own tasks, and one that has a CPU of its own
start_pod batch self-0 main sh -c 'taskset 1 spin 60 & taskset 1 spin 60'
sleep 0.5
real_time self-0
watch 2
says "its own tasks" batch/self-0/main 'for CPU, [0-9]+ % of that while its own other tasks ran'
most "its own tasks" batch/self-0/main CPU
stop_containers self-0
start_pod batch alone-0 main taskset 1 spin 60
sleep 0.5
real_time alone-0
watch 2
says "busy, and no wait" batch/alone-0/main 'hardly waited in the last 2(\.[0-9])? s: it ran, on (9[0-9]|100) % of a CPU|waited [0-9](\.[0-9])? % of the last'
stop_containers alone-0

# ---- network, disk, and nothing at all
slow_port=$(free_port) door_port=$(free_port) closed_port=$(free_port)
start_pod shop server-0 api waits serve "$slow_port" 100
start_pod shop door-0 api waits door "$door_port" 1100
sleep 0.3
start_pod shop client-0 web waits ask "$slow_port"
for i in 0 1 2; do
	start_pod shop knock-$i web waits knock "$door_port"
done
start_pod shop refused-0 web waits knock "$closed_port"
start_pod data fsync-0 db waits fsync /share/fsync
start_pod data read-0 db waits read /share/read
start_pod data write-0 log waits write /share/write
start_pod batch idle-0 main sh -c 'while :; do sleep 0.5; done'
sleep 4
watch 4
says "idle" batch/idle-0/main 'hardly waited in the last 4(\.[0-9])? s[;.]'
if measured network; then
	says "a client of a slow server" shop/client-0/web 'waited [0-9]+ % of the last 4(\.[0-9])? s for answers of network peers'
	most "a client of a slow server" shop/client-0/web network
	says "the slow server" shop/server-0/api 'of its own answers 99 of 100 took up to [0-9.]+m?s, for none of these reasons: the time is its own'
	says "connections that open slowly" shop/knock-0/web 'waited [0-9]+ % of the last 4(\.[0-9])? s for connections to be opened'
	most "connections that open slowly" shop/knock-0/web network
	says "connections that are refused" shop/refused-0/web '[0-9]+ connections failed'
else
	not_measured network "$("$BRAMBLE" check --json | jq -r '.facts[] |
		select(.name == "sock/sk_data_ready" and .state == "missing") | "this kernel has no \(.name)"')"
fi
if measured fsync; then
	says "an fsync writer" data/fsync-0/db 'waited [0-9]+ % of the last 4(\.[0-9])? s for fsync'
	most "an fsync writer" data/fsync-0/db fsync
else
	not_measured fsync "$([ "$(stat -f -c %T "$tmp")" = ext2/ext3 ] || echo "$tmp is not on ext4")"
fi
if measured disk; then
	says "a reader past the cache" data/read-0/db 'waited [0-9]+ % of the last 4(\.[0-9])? s for the disk'
	most "a reader past the cache" data/read-0/db disk
	check "a writer that does not wait is not said to wait for the disk" \
		test "$(row data/write-0/log '.waits.disk < 0.05 and (.waits.fsync // 0) < 0.05')" = true
else
	not_measured disk "$([ "$(stat -f -c %T "$tmp")" != tmpfs ] || echo "$tmp is on no disk")"
fi
finish
