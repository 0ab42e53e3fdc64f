# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# shellcheck shell=bash disable=SC2034 # variables that the tests use
#
# What the integration tests share: containers as a kubelet makes them, a
# bramble to watch them, and checks. A test sources this file, calls the functions
# below, and ends with `finish`. Whatever it started, mounted or made is gone
# when it ends, however it ends.
#
# It leaves alone what it did not make: mounts are made in private mount namespaces,
# cgroups are removed one by one as they were made, and only processes that were
# started here are killed.
set -uo pipefail

# Where no cgroups are mounted, this test mounts them for itself: with the options that they have
# elsewhere on this machine, as these are the same for all mounts.
if [ "$(id -u)" = 0 ] && [ -z "${OWN_CGROUPS:-}" ] && ! grep -qE ' cgroup2? ' /proc/self/mounts; then
	# shellcheck disable=SC2016 # expanded by the inner shell
	OWN_CGROUPS=1 exec unshare --mount --propagation slave sh -c '
		options=$(sed -n "s/.* - cgroup2 [^ ]* //p" /proc/1/mountinfo | head -n 1)
		mount -t cgroup2 ${options:+-o "$options"} cgroup2 /sys/fs/cgroup
		exec bash "$@"' sh "$0" "$@"
fi

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$here/../.." && pwd)
test_name=$(basename "$0" .sh)

BRAMBLE=${BRAMBLE:-$top/build/bramble}
workloads=$top/build/tests

tmp=$(mktemp -d "${TMPDIR:-/tmp}/bramble-test.XXXXXX")
log_dir=$tmp/pods
mkdir -p "$log_dir" "$tmp/containers" "$tmp/rootfs"

# ---------------------------------------------------------------- verdicts

stage=integration
# shellcheck source=tests/checks.sh
. "$top/tests/checks.sh"

# wait_until SECONDS COMMAND...: tries ten times a second.
wait_until() {
	local tries=$(($1 * 10))
	shift
	while ((tries-- > 0)); do
		"$@" && return 0
		sleep 0.1
	done
	return 1
}

# ---------------------------------------------------------------- cgroups

# Where the version 2 hierarchy is: /sys/fs/cgroup, or beside version 1 (hybrid).
cgroup2_mount() {
	awk '$3 == "cgroup2" { print $2; exit }' /proc/self/mounts
}

cgroup2=$(cgroup2_mount)
declare -a made_cgroups=()

# note_cgroup PATH: remembers the cgroups on the way to PATH that do not exist yet,
# in every hierarchy, for them to be removed at the end. PATH is about to be made.
note_cgroup() {
	local mount path
	while read -r mount; do
		path=$1
		while [ -n "$path" ] && [ "$path" != / ]; do
			[ -d "$mount$path" ] || made_cgroups+=("$mount$path")
			path=${path%/*}
		done
	done < <(awk '$3 == "cgroup" || $3 == "cgroup2" { print $2 }' /proc/self/mounts)
}

# make_cgroup PATH: only in the version 2 hierarchy.
make_cgroup() {
	note_cgroup "$1"
	mkdir -p "$cgroup2$1"
}

remove_cgroups() {
	local path
	# The longest first: children before their parents.
	printf '%s\n' "${made_cgroups[@]}" | sort -ru | while read -r path; do
		[ -n "$path" ] && [ -d "$path" ] || continue
		# Another test may have made its own below it meanwhile.
		[ -z "$(find "$path" -mindepth 1 -maxdepth 1 -type d -print -quit)" ] || continue
		# A killed task may take a moment to leave.
		wait_until 2 rmdir "$path" 2>/dev/null || note "cannot remove $path" >&2
	done
}

# ---------------------------------------------------------------- pods and containers

random_hex() { # DIGITS
	od -An -N $(($1 / 2)) -tx1 /dev/urandom | tr -d ' \n'
}

new_uid() { cat /proc/sys/kernel/random/uuid; }

# make_rootfs: busybox and the workloads, shared by all containers, read-only there.
make_rootfs() {
	local root=$tmp/rootfs
	[ -e "$root/bin/busybox" ] && return
	mkdir -p "$root"/{bin,proc,dev,tmp,share}
	cp "$(command -v busybox)" "$root/bin/busybox"
	"$root/bin/busybox" --install "$root/bin" # hard links
	cp "$workloads"/{spin,blocks,burst,direct,forker,exchange,fsyncs,hog,lives,tcpserve,tcpload,tcppass,waits,nests} "$root/bin/"
}

# add_program NAME: of this machine, with its libraries, to that file system.
add_program() {
	local file
	make_rootfs
	for file in $(command -v "$1") $(ldd "$(command -v "$1")" | grep -o '/[^ ]*'); do
		mkdir -p "$tmp/rootfs${file%/*}"
		cp -L "$file" "$tmp/rootfs$file"
	done
}

# make_log_dir NAMESPACE POD UID CONTAINER: what the kubelet makes before it
# starts a container.
make_log_dir() {
	local dir="$log_dir/$1_$2_$3/$4"
	mkdir -p "$dir"
	: >"$dir/0.log"
}

declare -A container_pid=() container_cgroup=() pod_uid=()
# A network namespace, such as /proc/PID/ns/net, for the next containers; else the host's.
container_network=
# A root file system for them, else busybox's of above; and mounts, in JSON.
container_root=
container_mounts='[]'
container_uid=0

# start_container NAME CGROUP_PATH COMMAND...
#
# Runs a command in a container of Debian's runc with that cgroupsPath. Sets
# container_pid[NAME] and container_cgroup[NAME]. The directory "share" of the
# test is /share inside, writable, with what is mounted below it. What the container
# prints is in $tmp/NAME.out. container_resources may hold JSON for linux.resources.
start_container() {
	local name=$1 cgroup=$2 bundle=$tmp/containers/$1 command
	shift 2
	# Not jq's --args: jq 1.6 takes a "-c" among them for its own. No newlines, then.
	command=$(printf '%s\n' "$@" | jq -Rn '[inputs]')
	make_rootfs
	note_cgroup "$cgroup"
	mkdir -p "$bundle" "$tmp/share"
	# The default configuration, without a network of its own and without a
	# /sys. It has no oomScoreAdj: lowering it is not allowed everywhere.
	(cd "$bundle" && rm -f config.json && runc spec && jq \
		--argjson command "$command" --arg cgroup "$cgroup" --arg root "${container_root:-$tmp/rootfs}" \
		--arg share "$tmp/share" --arg network "$container_network" --argjson mounts "$container_mounts" \
		--argjson uid "$container_uid" --argjson resources "${container_resources:-{\}}" '
		.process.terminal = false |
		.process.args = $command |
		.process.cwd = "/" |
		.process.user = {uid: $uid, gid: $uid} |
		.root = {path: $root, readonly: true} |
		.mounts |= map(select(.destination | startswith("/sys") | not)) |
		.mounts += [{destination: "/share", type: "bind", source: $share, options: ["rbind", "rw"]}] + $mounts |
		.linux.resources += $resources |
		.linux.cgroupsPath = $cgroup |
		.linux.namespaces |= map(select(.type != "network")) |
		.linux.namespaces += (if $network == "" then [] else [{type: "network", path: $network}] end)
		' config.json >config.new && mv config.new config.json) || return 1
	runc --root "$tmp/runc" run -d --bundle "$bundle" --pid-file "$bundle/pid" "$name" \
		</dev/null >"$tmp/$name.out" 2>&1 || {
		cat "$tmp/$name.out" >&2
		return 1
	}
	container_pid[$name]=$(cat "$bundle/pid")
	container_cgroup[$name]=$cgroup
}

# container_runs NAME: it has not ended yet. A zombie has ended.
container_runs() {
	local stat
	stat=$(cat "/proc/${container_pid[$1]}/stat" 2>/dev/null) || return 1
	stat=${stat##*) }
	[ "${stat:0:1}" != Z ]
}
container_ended() { ! container_runs "$1"; }

# real_time [--end] NAME...: the tasks of these containers have their CPU to themselves, whatever else
# runs on this machine, and share it in time slices. So it is known who waits for whom.
real_time() {
	local policy=--rr priority=1 name pid v1
	if [ "$1" = --end ]; then
		policy=--other priority=0
		shift
	fi
	# A version 1 cpu cgroup may have no real-time share: the root has.
	v1=$(awk '$3 == "cgroup" && $4 ~ /(^|,)cpu(,|$)/ { print $2; exit }' /proc/self/mounts)
	for name in "$@"; do
		for pid in $(cat "$cgroup2${container_cgroup[$name]}/cgroup.procs"); do
			[ -z "$v1" ] || echo "$pid" >"$v1/cgroup.procs"
			chrt $policy -p $priority "$pid" || note "no real time here"
		done
	done
}

# stop_container NAME: kills it, if it still runs, and removes it and its cgroup.
stop_container() {
	runc --root "$tmp/runc" delete --force "$1" >/dev/null 2>&1
	unset "container_pid[$1]"
}

# add_container NAMESPACE POD CONTAINER COMMAND...: one more in a pod. Its NAME for the
# functions above is POD-CONTAINER.
add_container() {
	local namespace=$1 pod=$2 container=$3
	shift 3
	make_log_dir "$namespace" "$pod" "${pod_uid[$pod]}" "$container"
	start_container "$pod-$container" "/kubepods/burstable/pod${pod_uid[$pod]}/$(random_hex 64)" "$@"
}

# start_pod [-q QOS] NAMESPACE POD CONTAINER COMMAND...
#
# A pod of one container, as the kubelet makes it: log directory first, then
# the container in /kubepods/burstable/pod<uid>/<64 hex>. QOS: burstable, besteffort
# or guaranteed. The container's NAME for the functions above is POD.
start_pod() {
	local qos=burstable uid parent
	if [ "$1" = -q ]; then
		qos=$2
		shift 2
	fi
	local namespace=$1 pod=$2 container=$3
	shift 3
	uid=$(new_uid)
	pod_uid[$pod]=$uid
	make_log_dir "$namespace" "$pod" "$uid" "$container"
	parent=/kubepods/$qos
	[ "$qos" != guaranteed ] || parent=/kubepods
	start_container "$pod" "$parent/pod$uid/$(random_hex 64)" "$@"
}

# ---------------------------------------------------------------- bramble

# A system call that is not in src/sandbox/calls.def ends bramble, with the call in its log. So every
# test shows that the list is complete.
export BRAMBLE_SANDBOX_KILL=1

bramble_pid=
bramble_url=
bramble_log=$tmp/bramble.log
# Where it looks for names, if not where the pods' log directories are made.
bramble_log_dir=
# The flags of where names come from, if not from there.
declare -a bramble_names=()
# A command that runs bramble, such as one that makes a private mount namespace.
declare -a bramble_prefix=()

# A private mount namespace in which the kernel has no BTF.
# shellcheck disable=SC2016 # expanded by the inner shell
without_btf=(unshare --mount --propagation private
	sh -c 'mount -t tmpfs none /sys/kernel/btf && exec "$@"' sh)

# for_each_btf FUNCTION: calls it with the mode as its argument: with-btf, and without-btf, in which
# bramble sees no BTF of the kernel.
for_each_btf() {
	if [ -e /sys/kernel/btf/vmlinux ]; then
		"$1" with-btf
		bramble_prefix=("${without_btf[@]}")
	else
		skip "with BTF: this kernel has none"
	fi
	"$1" without-btf
}

# A namespace in which tracefs is mounted, whether or not it is mounted on this machine.
# shellcheck disable=SC2016
with_tracefs=(unshare --mount --propagation private
	sh -c 'mountpoint -q /sys/kernel/tracing || mount -t tracefs tracefs /sys/kernel/tracing || exit 99
		exec "$@"' sh)

# TEST_PORTS: the first of those that this script may take, and how many.
free_port() {
	local first count port
	read -r first count <<<"${TEST_PORTS:-20000 12000}"
	while :; do
		port=$((first + RANDOM % count))
		[ -n "$(ss -Hatn "sport = :$port")" ] || break
	done
	echo $port
}

# Options for curl, where it cannot ask without.
ready_options=()
bramble_ready() { curl -sf -m 5 -o /dev/null "${ready_options[@]}" "$bramble_url/readyz"; }

# spawn_bramble ARGS...: starts `bramble serve` on a free port of the loopback.
spawn_bramble() {
	local port
	port=$(free_port)
	bramble_url=http://127.0.0.1:$port
	local names=("${bramble_names[@]}")
	[ ${#names[@]} -gt 0 ] || names=(--kube.source=logs --kube.log-dir="${bramble_log_dir:-$log_dir}")
	"${bramble_prefix[@]}" "$BRAMBLE" serve --web.listen-address="127.0.0.1:$port" \
		--web.socket="$tmp/bramble.sock" "${names[@]}" "$@" \
		</dev/null >"$bramble_log" 2>&1 &
	bramble_pid=$!
}

# start_bramble ARGS...: spawns it and returns when it is ready.
start_bramble() {
	local tries=100
	spawn_bramble "$@"
	until bramble_ready; do
		if ((tries-- == 0)) || ! kill -0 "$bramble_pid" 2>/dev/null; then
			cat "$bramble_log" >&2
			give_up "bramble serve $*: is not ready"
		fi
		sleep 0.1
	done
}

# What is bramble's own of its memory, in kB. RSS also has the pages of files that it maps: they are
# the page cache's, and shared with whoever maps the same libraries.
anon_kb() { awk '/^RssAnon/ { print $2 }' "/proc/$bramble_pid/status"; }
# The memory of its BPF maps, which the kernel holds.
maps_kb() {
	awk '$1 == "memlock:" { memlock = $2 } $1 == "map_id:" { bytes[$2] = memlock }
		END { for (id in bytes) sum += bytes[id]; printf "%d\n", sum / 1024 }' "/proc/$bramble_pid/fdinfo/"* 2>/dev/null
}

# stop_bramble: SIGTERM. Sets bramble_code and bramble_stop_ms. Fails if bramble crashed, which may
# happen only while it frees its memory.
stop_bramble() {
	local begin end pid=$bramble_pid
	[ -n "$pid" ] || return 0
	begin=$(date +%s%3N)
	kill -TERM "$pid" 2>/dev/null
	# A bramble that hangs is killed, so that the test goes on. Its exit code shows that.
	(sleep 5 && kill -KILL "$pid") >/dev/null 2>&1 &
	local killer=$!
	wait "$pid"
	bramble_code=$?
	end=$(date +%s%3N)
	kill "$killer" 2>/dev/null
	wait "$killer" 2>/dev/null
	bramble_stop_ms=$((end - begin))
	bramble_pid=
	case $bramble_code in
	132 | 134 | 135 | 136 | 139) fail "bramble ends without a crash: signal $((bramble_code - 128))" ;;
	159) fail "bramble makes the system calls of its sandbox alone: $(grep -o 'the sandbox refuses[^:]*' "$bramble_log" | head -n 1)" ;;
	esac
}

# series_twice FILE: the series that a text has more than once.
series_twice() {
	awk '!/^#/ { series = substr($0, 1, length($0) - length($NF) - 1); if (seen[series]++ == 1) print series }' "$1"
}

# scrape: /metrics into $tmp/metrics. No scrape of any test may have a series twice: Prometheus
# keeps the first and says nothing.
scrape() {
	local twice
	curl -sf "$bramble_url/metrics" >"$tmp/metrics" || give_up "scrape of $bramble_url/metrics failed"
	twice=$(series_twice "$tmp/metrics")
	[ -z "$twice" ] || fail "a series stands twice: $twice"
}

# select_metric NAME LABEL=VALUE...: the lines of the last scrape that have these
# labels, whatever other labels they have. Label values with " or \ are not for this.
select_metric() {
	awk -v name="$1" -v wanted="$(shift; printf '%s\n' "$@")" '
		BEGIN {
			n = split(wanted, want, "\n")
			for (i = 1; i <= n; i++)
				if (sub("=", "=\"", want[i]))
					want[i] = want[i] "\""
		}
		/^#/ { next }
		{
			open = index($0, "{")
			space = index($0, " ")
			labels = ","
			if (open && open < space || open && !space) {
				this = substr($0, 1, open - 1)
				match($0, /}[^}]*$/)
				labels = "," substr($0, open + 1, RSTART - open - 1) ","
			} else {
				this = substr($0, 1, space - 1)
			}
			if (this != name)
				next
			for (i = 1; i <= n; i++)
				if (want[i] != "" && !index(labels, "," want[i] ","))
					next
			print
		}' "$tmp/metrics"
}

# metric NAME LABEL=VALUE...: the sum of these lines; nothing if there are none.
metric() {
	select_metric "$@" | awk '{ sum += $NF; n++ } END { if (n) printf "%.9f\n", sum }'
}

# metric_or_0 NAME LABEL=VALUE...
metric_or_0() {
	local value
	value=$(metric "$@")
	echo "${value:-0}"
}

# ---------------------------------------------------------------- the end

declare -a started_pids=()

# in_background COMMAND...: a process of this test. Sets background_pid.
in_background() {
	"$@" &
	background_pid=$!
	started_pids+=($!)
}

cleanup() {
	local name pid
	# A subshell that a signal ends before it has taken off this trap leaves all that to the test.
	[ "$BASHPID" = $$ ] || return
	trap '' INT TERM HUP
	for pid in "${started_pids[@]}"; do
		kill -KILL "$pid" 2>/dev/null && wait "$pid" 2>/dev/null
	done
	stop_bramble
	for name in "${!container_pid[@]}"; do
		stop_container "$name"
	done
	remove_cgroups
	if [ "$failed" != 0 ] && [ -s "$bramble_log" ]; then
		echo "    the last lines of bramble's log:"
		tail -n 20 "$bramble_log" | sed 's/^/    /'
	fi
	rm -rf "$tmp"
	[ "$failed" = 0 ] || exit 1 # also for what has failed in here
}
trap cleanup EXIT
trap 'exit 1' INT TERM HUP

if [ "$(id -u)" != 0 ]; then
	skip "everything: it needs root"
	exit 0
fi
if [ -z "$cgroup2" ]; then
	if grep -q ' cgroup ' /proc/self/mounts; then
		skip "everything: this machine has cgroup version 1 alone, and bramble needs version 2"
		exit 0
	fi
	give_up "cgroup version 2 is not mounted, and cannot be"
fi
