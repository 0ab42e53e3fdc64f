#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# On a machine without tracefs, and without a cgroup hierarchy, check, serve and top mount what they
# need for themselves. These mounts are in no list, the machine's own list does not change, and what
# is mounted later is seen. Without the right to mount, the commands say what to do.
. "$(dirname "$0")/lib.sh"

# A machine, in a mount namespace, where these are not mounted.
# shellcheck disable=SC2016 # expanded by the inner shell
unmount='
	for dir in $unmounted; do
		while mountpoint -q $dir; do umount -R -l $dir || exit 99; done
	done
	exec "$@"'
with_nothing() { # DIRECTORIES COMMAND...
	local dirs=$1
	shift
	env unmounted="$dirs" unshare --mount --propagation private sh -c "$unmount" sh "$@"
}
tracefs="/sys/kernel/tracing /sys/kernel/debug"
everything="$tracefs /sys/fs/cgroup"

own_mount='not mounted; serve mounts it for itself'
said='not mounted: bramble mounts'
host_before=$(cat /proc/self/mountinfo)
nothing_left() { [ "$(cat /proc/self/mountinfo)" = "$host_before" ]; }

# test_commands WHAT MISSING DIRECTORIES
test_commands() {
	local what=$1 missing=$2 dirs=$3 code before pod
	check "$what: what is to be missing is" with_nothing "$dirs" sh -c \
		"! grep -E ' (tracefs|debugfs$([ "$missing" = tracefs ] || echo '|cgroup2?')) ' /proc/self/mounts"

	with_nothing "$dirs" "$BRAMBLE" check --json >"$tmp/check.json"
	code=$?
	check_holds "$what: check ends with 0" "$code == 0"
	check "$what: check says what serve does" test "$(jq -r --arg own "$own_mount" \
		'[.facts[] | select(.detail == $own and .state == "present") | .name] | join(" and ")' "$tmp/check.json")" = "$missing"
	check "$what: check misses none of it" test "$(jq '.can_run and
		([.facts[] | select(.needed and .state != "present")] | length) == 0' "$tmp/check.json")" = true

	bramble_prefix=(env unmounted="$dirs" unshare --mount --propagation private sh -c "$unmount" sh)
	bramble_log_dir=$tmp/later
	mkdir -p "$bramble_log_dir"
	before=$(with_nothing "$dirs" cut -d' ' -f3- /proc/self/mountinfo)
	start_bramble
	check "$what: serve is in the namespace it was started in, and adds no mount to it" \
		test "$(cut -d' ' -f3- "/proc/$bramble_pid/mountinfo")" = "$before"
	check "$what: the machine's mounts are as before while it runs" nothing_left
	check "$what: serve says it once" test "$(grep -c "level=info.*$said" "$bramble_log")" = 1
	check "$what: it warns of nothing" test -z "$(grep 'level=\(warn\|error\)' "$bramble_log")"
	scrape
	check_holds "$what: it counts" "$(metric_or_0 bramble_cpu_context_switches_total) > 0"
	check_holds "$what: all probes but fsync's, which waits for a file system, are up" "$(
		metric_or_0 bramble_probe_up) - $(metric_or_0 bramble_probe_up probe=fsync) == $(
		grep '^bramble_probe_up{' "$tmp/metrics" | grep -vc '"fsync"')"

	# Mounted later, where serve runs: with the names of a pod, which are there before its container.
	pod=later-${what%% *}
	nsenter --mount="/proc/$bramble_pid/ns/mnt" mount --bind "$log_dir" "$bramble_log_dir" ||
		give_up "cannot mount the log directories"
	start_pod shop "$pod" main burst 40 500 3000
	check "$what: what is mounted later is seen" wait_until 30 is_named "$pod"
	stop_container "$pod"
	stop_bramble
	check_holds "$what: serve ends with 0" "$bramble_code == 0"

	with_nothing "$dirs" timeout 20 "$BRAMBLE" top --once --socket="$tmp/none.sock" --kube.log-dir="$log_dir" \
		>"$tmp/top.txt" 2>"$tmp/top.log"
	code=$?
	check_holds "$what: top --once ends with 0" "$code == 0"
	check "$what: top shows rows" test "$(grep -c . "$tmp/top.txt")" -ge 2
	check "$what: top says it once" test "$(grep -c "$said" "$tmp/top.log")" = 1
	check "$what: the machine's mounts are as before" nothing_left
}

is_named() { # POD
	scrape
	[ -n "$(metric bramble_cpu_wait_seconds_count namespace=shop pod="$1" container=main)" ]
}

test_commands "tracefs alone" tracefs "$tracefs"
test_commands "everything" "tracefs and cgroup v2" "$everything"

# ---- what the user names is never mounted
refuses() { # WHAT PATTERN DIRECTORIES COMMAND...
	local what=$1 pattern=$2 dirs=$3 code
	shift 3
	with_nothing "$dirs" timeout 10 "$@" </dev/null >"$tmp/out" 2>&1
	code=$?
	head -n 3 "$tmp/out" | sed 's/^/    said: /'
	check_holds "$what: ends with 1" "$code == 1"
	check "$what: says \"$pattern\"" grep -q -- "$pattern" "$tmp/out"
	check "$what: mounts nothing" sh -c "! grep -q '$said' '$tmp/out'"
}
commands=("serve --web.listen-address=127.0.0.1:$(free_port) --web.socket=" "top --once --socket=$tmp/none.sock")
for command in "${commands[@]}"; do
	read -ra words <<<"$command"
	refuses "${words[0]}, a named tracefs that is none" 'tracefs: it is not mounted at /sys/kernel/tracing' "$tracefs" \
		"$BRAMBLE" "${words[@]}" --path.tracefs=/sys/kernel/tracing
	refuses "${words[0]}, a named cgroupfs that is none" 'cgroup v2: /sys/fs/cgroup: no cgroup2' "$everything" \
		"$BRAMBLE" "${words[@]}" --path.cgroupfs=/sys/fs/cgroup
done
refuses "check, a named tracefs that is none" 'MISSING  tracefs' "$tracefs" "$BRAMBLE" check --path.tracefs=/sys/kernel/tracing

# ---- without the right to mount
# shellcheck disable=SC2016
unprivileged=(capsh --drop=cap_sys_admin -- -c 'exec "$@"' sh)
for command in "${commands[@]}"; do
	read -ra words <<<"$command"
	refuses "${words[0]} without CAP_SYS_ADMIN, no tracefs" 'tracefs: it is not mounted.*mount -t tracefs tracefs' \
		"$tracefs" "${unprivileged[@]}" "$BRAMBLE" "${words[@]}"
	refuses "${words[0]} without CAP_SYS_ADMIN, nothing" 'cgroup v2: it is not mounted.*mount -t cgroup2' \
		"$everything" "${unprivileged[@]}" "$BRAMBLE" "${words[@]}"
done
refuses "check without CAP_SYS_ADMIN" 'MISSING  tracefs' "$tracefs" "${unprivileged[@]}" "$BRAMBLE" check
check "check without CAP_SYS_ADMIN tells how to mount it" grep -q 'mount -t tracefs' "$tmp/out"
check "nothing is left on the machine" nothing_left
finish
