# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# shellcheck shell=bash disable=SC2034,SC2154 # variables of lib.sh and of the tests
#
# What the tests of the network share: network namespaces, the kernel's counters
# of each, containers that run the host's programs, and histograms at full
# resolution. To be sourced after lib.sh.

# ---------------------------------------------------------------- namespaces

declare -A netns_pid=()

# make_netns NAME: with nothing but its loopback. It ends with the test.
make_netns() {
	local own
	own=$(readlink /proc/self/ns/net)
	in_background unshare --net sleep 600
	netns_pid[$1]=$background_pid
	is_apart() { [ "$(readlink "/proc/${netns_pid[$1]}/ns/net")" != "$own" ]; }
	wait_until 5 is_apart "$1" || give_up "cannot make a network namespace"
	in_netns "$1" ip link set lo up
}

netns_path() { echo "/proc/${netns_pid[$1]}/ns/net"; }

in_netns() { # NAME COMMAND...
	local name=$1
	shift
	nsenter --net="$(netns_path "$name")" "$@"
}

# join_netns A B: a pair of veth devices, "to-B" in A and "to-A" in B, with the addresses
# 10.99.0.1 and fd99::1 in A, 10.99.0.2 and fd99::2 in B. A packet is one segment, so
# that the kernel's counters of segments are counters of packets.
join_netns() {
	ip link add "to-$2" netns "${netns_pid[$1]}" type veth peer name "to-$1" netns "${netns_pid[$2]}" ||
		give_up "cannot make a pair of veth devices"
	set_up_device "$1" "to-$2" 1
	set_up_device "$2" "to-$1" 2
}

set_up_device() { # NAMESPACE DEVICE NUMBER
	in_netns "$1" ip address add "10.99.0.$3/24" dev "$2"
	in_netns "$1" ip address add "fd99::$3/64" dev "$2" nodad
	in_netns "$1" ip link set "$2" up gso_max_segs 1 2>/dev/null || in_netns "$1" ip link set "$2" up
}

# snmp NAME FIELD [FILE]: such as "snmp client ActiveOpens" of the line Tcp, or of TcpExt in
# netstat. All namespaces are the tests' own, so nobody else counts there.
snmp() {
	in_netns "$1" awk -v field="$2" '
		$1 == "Tcp:" || $1 == "TcpExt:" {
			if (!($1 in seen)) {
				seen[$1] = 1
				for (i = 2; i <= NF; i++)
					name[$1, i] = $i
				next
			}
			for (i = 2; i <= NF; i++)
				if (name[$1, i] == field)
					print $i
		}' /proc/net/snmp /proc/net/netstat
}

# ---------------------------------------------------------------- containers

# use_host_programs: the next containers see the host's /usr and /etc, read-only, and
# the workloads in /workloads.
use_host_programs() {
	local root=$tmp/hostfs name
	mkdir -p "$root"/{usr,etc,proc,dev,tmp,share,workloads,var/lib,var/log/nginx,run}
	chmod 1777 "$root/tmp" # runc gives a tmpfs the mode of where it is mounted
	for name in bin sbin lib lib64; do
		ln -sfn "usr/$name" "$root/$name"
	done
	container_root=$root
	container_mounts=$(jq -n --arg workloads "$workloads" '
		[{destination: "/usr", source: "/usr"}, {destination: "/etc", source: "/etc"},
		 {destination: "/workloads", source: $workloads}] |
		map(. + {type: "bind", options: ["rbind", "ro"]}) +
		[{destination: "/tmp", type: "tmpfs", source: "tmpfs", options: ["mode=1777"]}]')
}

use_busybox() {
	container_root=
	container_mounts='[]'
}

# listens NAME PORT: whether something listens on the port in that namespace.
listens() { [ -n "$(in_netns "$1" ss -Hltn "sport = :$2")" ]; }

# run_pod NAMESPACE POD CONTAINER COMMAND...: starts it and returns when it has ended. What it
# printed is in $tmp/POD.out.
run_pod() {
	start_pod "$@" || return 1
	wait_until "${run_pod_seconds:-60}" container_ended "$2" || { note "$2 does not end"; return 1; }
}

# printed POD WORD: the number after the word in what the pod printed.
printed() {
	awk -v word="$2" '{ for (i = 1; i < NF; i++) if ($i == word) value = $(i + 1) } END { print value }' "$tmp/$1.out"
}

# ---------------------------------------------------------------- histograms

# snapshot: all containers at full resolution, into $tmp/containers.json.
snapshot() {
	curl -sf "$bramble_url/api/v1/containers" >"$tmp/containers.json" || give_up "snapshot failed"
}

# buckets POD FIELD [VALUE]: "k count" lines of a histogram of the last snapshot: count values
# in (2^((k-1)/4), 2^(k/4)] s. VALUE is that of a further label.
buckets() {
	jq -r --arg pod "$1" --arg field "$2" --arg value "${3:-}" '
		.containers[] | select(.pod == $pod) | .[$field] // empty |
		if type == "array" then .[].value else . end |
		if $value == "" then . else .[$value] // empty end |
		.buckets[]? | "\(.[0]) \(.[1])"' "$tmp/containers.json"
}

# quantile_k Q: of "k count" lines: the bucket that the quantile is in.
quantile_k() {
	sort -n | awk -v q="$1" '
		{ k[NR] = $1; count[NR] = $2; sum += $2 }
		END {
			rank = int(q * sum + 0.999999)
			rank = rank < 1 ? 1 : rank
			for (i = 1; i <= NR; i++)
				if ((seen += count[i]) >= rank) { print k[i]; exit }
		}'
}

# check_within WHAT K EXPECTED_K BUCKETS: K is at most BUCKETS away from EXPECTED_K.
check_within() {
	check_holds "$1: within $4 of the expected bucket (k $2, expected $3)" "($2 - ($3)) ^ 2 <= $4 ^ 2"
}

# k_of SECONDS: the bucket of a value.
k_of() {
	awk -v s="$1" 'BEGIN { k = 4 * log(s) / log(2); c = int(k); if (c < k) c++; print c < -80 ? -80 : c }'
}
