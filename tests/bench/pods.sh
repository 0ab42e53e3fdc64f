# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# shellcheck shell=bash disable=SC2034 # variables that the scripts use
#
# What the benchmarks with many containers share: processes in cgroups of their own, named as
# a kubelet names them, that each work 0.5 ms in every 100 ms, and a serve that sees them.
# Sets top, tmp, and after start_serve: serve (its pid), url.
set -euo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
tmp=$(mktemp -d)
cgroup2=$(awk '$0 ~ / - cgroup2 / { print $5; exit }' /proc/self/mountinfo)
[ "$(id -u)" = 0 ] && [ -n "$cgroup2" ] || { echo "$0: needs root and cgroup v2" >&2; exit 1; }

pids=() cgroups=() servers=()
end_containers() {
	local i
	if ((${#pids[@]})); then # wait without a pid would wait for serve, too
		kill "${pids[@]}" 2>/dev/null || true
		kill -CONT "${pids[@]}" 2>/dev/null || true
		wait "${pids[@]}" 2>/dev/null || true
	fi
	for ((i = ${#cgroups[@]} - 1; i >= 0; i--)); do
		rmdir "${cgroups[i]}" 2>/dev/null || true
	done
	pids=() cgroups=()
}
finish() {
	end_containers
	if ((${#servers[@]})); then kill "${servers[@]}" 2>/dev/null || true; fi
	rm -rf "$tmp"
}
trap finish EXIT

make_cgroup() { # PATH: notes what it makes, to remove just that
	[ -d "$cgroup2$1" ] || { mkdir "$cgroup2$1" && cgroups+=("$cgroup2$1"); }
}

start_serve() { # ADDRESS
	url=http://$1/metrics
	mkdir -p "$tmp/pods"
	"$top/build/bramble" serve --web.listen-address="$1" --web.socket= --kube.log-dir="$tmp/pods" \
		2>"$tmp/log" &
	serve=$!
	servers+=("$serve")
}

start_containers() { # COUNT
	local i uid pod container
	make_cgroup /kubepods
	make_cgroup /kubepods/burstable
	for ((i = 1; i <= $1; i++)); do
		uid=$(printf '%08x-0000-4000-8000-%012x' $i $i)
		mkdir -p "$tmp/pods/bench_pod-$i-7d4b9c6f5-x2x8k_$uid/main"
		: >"$tmp/pods/bench_pod-$i-7d4b9c6f5-x2x8k_$uid/main/0.log"
	done
	sleep 0.5
	for ((i = 1; i <= $1; i++)); do
		pod=/kubepods/burstable/pod$(printf '%08x-0000-4000-8000-%012x' $i $i)
		container=$pod/$(printf '%064x' $i)
		make_cgroup "$pod"
		make_cgroup "$container"
		(
			echo $BASHPID >"$cgroup2$container/cgroup.procs"
			exec "$top/build/tests/burst" 600 500 100000
		) &
		pids+=($!)
	done
}

# cpu_ns PID: CPU time of all its threads.
cpu_ns() { cat "/proc/$1/task"/*/schedstat | awk '{ sum += $1 } END { printf "%.0f\n", sum }'; }
