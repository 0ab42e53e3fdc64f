# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# shellcheck shell=bash disable=SC2154 # lib.sh's variables
#
# A node of Kubernetes in namespaces of its own: containerd, a kubelet, and what the kubelet starts. Source it
# after lib.sh, in a mount, network and UTS namespace that nobody else is in.
#
# Its processes are in two cgroups of the version 2 hierarchy, so that they can be ended at once:
# bramble-cluster/node has the daemons, bramble-cluster/kubepods the pods.

# Where hierarchies of cgroups are mounted, the one of version 2 last.
cgroup_mounts() { awk '$3 ~ /^cgroup2?$/ { print $3, $2 }' /proc/self/mounts | sort | cut -d ' ' -f 2; }
cgroup2_mount() { awk '$3 == "cgroup2" { print $2; exit }' /proc/self/mounts; }

# enter_cgroup NAME: for this shell and what it starts, below that of the test.
enter_cgroup() {
	local folder
	folder=$(cgroup2_mount)/$cgroup/$1
	mkdir -p "$folder" && echo "$BASHPID" >"$folder/cgroup.procs"
}

make_cgroups() {
	local mount
	for mount in $(cgroup_mounts); do
		mkdir -p "$mount/$cgroup" || return
	done
}

# The kubelet sets these for the whole machine. Here it sets a file of its own instead.
shadow_sysctls() {
	local name
	for name in vm/overcommit_memory vm/panic_on_oom kernel/panic kernel/panic_on_oops \
		kernel/keys/root_maxkeys kernel/keys/root_maxbytes; do
		mkdir -p "$node/sysctl"
		cp "/proc/sys/$name" "$node/sysctl/${name//\//.}" &&
			mount --bind "$node/sysctl/${name//\//.}" "/proc/sys/$name" || return
	done
}

# The node's own /var/lib, /var/log and /run, in place of the machine's. The first two are on a disk: files
# have a time of birth there.
own_folders() {
	local folder
	for folder in /var/lib /var/log; do
		mkdir -p "$node$folder" && mount --bind "$node$folder" $folder || return
	done
	mount -t tmpfs -o mode=755 tmpfs /run
}

own_network() {
	ip link set lo up && ip address add "$address/32" dev lo && echo 1 >/proc/sys/net/ipv4/ip_forward
}

# fill TEMPLATE FILE
fill() { sed "s,@CACHE@,$cache,g; s,@NODE@,$node,g; s,@CGROUP@,$cgroup,g" "$here/$1" >"$2"; }

make_disk() {
	mkdir -p "$node/cni" || return
	"$here/make-certs" "$node" "$address" && "$here/make-control-plane" "$node" "$address" || return
	fill containerd.toml "$node/containerd.toml"
	fill kubelet.yaml "$node/kubelet.yaml"
	fill cni.conflist "$node/cni/10-ptp.conflist"
}

# daemon NAME COMMAND...: in the background, its process in $node/NAME.pid.
daemon() {
	local name=$1
	shift
	(
		enter_cgroup node || exit
		exec setsid "$@" >>"$out/$name.log" 2>&1 </dev/null
	) &
	echo $! >"$node/$name.pid"
	disown # the shell does not say that it was killed
}

# It first looks at all containers that it had. Until then it refuses what a kubelet asks, and a kubelet gives up.
containerd_is_up() { grep -q 'Start streaming server' <(tail -n "+$1" "$out/containerd.log") && ctr version; }
start_containerd() {
	local line
	line=$(($(wc -l 2>/dev/null <"$out/containerd.log") + 1))
	daemon containerd containerd --config "$node/containerd.toml"
	wait_until 60 containerd_is_up $line
}

import_images() {
	local archive
	for archive in "$images"/*.tar "$out"/image/bramble-*.oci.tar; do
		ctr -n k8s.io images import "$archive" >>"$out/import.log" 2>&1 || { tail -n 3 "$out/import.log"; return 1; }
	done
}

kubelet_config=$node/kubelet.yaml
start_kubelet() {
	daemon kubelet "$cache"/kubernetes-*/kubelet --config="$kubelet_config" --kubeconfig="$node/kubelet.conf" \
		--container-runtime=remote --container-runtime-endpoint=unix:///run/containerd/containerd.sock \
		--node-ip="$address" --pod-infra-container-image=cluster.test/pause:1 --v=2
}

stop_kubelet() {
	local pid
	pid=$(cat "$node/kubelet.pid")
	kill "$pid" && wait_until 20 test ! -e "/proc/$pid"
}

# Of this node: others may run on the machine.
pids_of_bramble() {
	local pid
	find "$(cgroup2_mount)/$cgroup" -name cgroup.procs -exec cat {} + | while read -r pid; do
		[ "$(cat "/proc/$pid/comm" 2>/dev/null)" != bramble ] || echo "$pid"
	done
}

node_is_ready() {
	[ "$(field node node1 '{.status.conditions[?(@.type=="Ready")].status}')" = True ]
}

# Everything ends at once, as when the power fails: /run is empty then, and there are no cgroups of pods.
node_down() {
	local name mount unified
	unified=$(cgroup2_mount)/$cgroup
	for name in node kubepods; do
		[ ! -e "$unified/$name" ] || echo 1 >"$unified/$name/cgroup.kill" || return
		wait_until 20 grep -q 'populated 0' "$unified/$name/cgroup.events" || return
	done
	awk '$5 ~ "^/(run|var/lib)/" { print $5 }' /proc/self/mountinfo | sort -r | while read -r mount; do
		umount -l "$mount"
	done
	umount -l /run && mount -t tmpfs -o mode=755 tmpfs /run
	"$here/sweep" cgroups kubepods
}

node_up() { start_containerd && start_kubelet; }
