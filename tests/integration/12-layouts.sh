#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# Runs: beside others
#
# Containers in cgroups that a kubelet did not make: Talos, Proxmox VE, podman. The members of a
# group are counted separately, and nothing is counted for the group itself.
. "$(dirname "$0")/lib.sh"

pod_id=$(random_hex 64)
one=$(random_hex 64)
two=$(random_hex 64)

start_bramble
start_container etcd /podruntime/etcd burst 60 2000 3000
start_container kubelet /podruntime/kubelet burst 60 2000 3000
start_container guest /lxc/101/ns/system.slice/a.service burst 60 2000 3000
start_container other /lxc/102/ns/system.slice/a.service burst 60 2000 3000
start_container one "/libpod_parent/$pod_id/libpod-$one" burst 60 2000 3000
start_container two "/libpod_parent/$pod_id/libpod-$two" burst 60 2000 3000

waits() { # LABEL=VALUE
	metric_or_0 bramble_cpu_wait_seconds_count "$1"
}
all_count() {
	local label
	scrape
	for label in unit=podruntime/etcd unit=podruntime/kubelet unit=lxc/101 unit=lxc/102 \
		container="${one:0:12}" container="${two:0:12}"; do
		[ "$(waits "$label")" != 0 ] || return 1
	done
}
check "each is counted by its own name" wait_until 10 all_count
check_holds "none is another's" "$(waits unit=podruntime) + $(waits unit=lxc) + $(waits unit=libpod_parent) + \
	$(waits container="${pod_id:0:12}") == 0"

# What explain says is what is counted.
for path in "${container_cgroup[@]}"; do
	said=$("$BRAMBLE" explain "$path" | jq -r '.container_id[:12] // .unit')
	check_holds "explain $path: $said" "$(metric_or_0 bramble_cpu_wait_seconds_count unit="$said") + \
		$(metric_or_0 bramble_cpu_wait_seconds_count container="$said") > 0"
done

# The files of a group include what its members used. That must not count twice, not even when the
# last member is gone.
used() { # UNIT: there is CPU time of it
	[ -n "$(select_metric bramble_cpu_usage_seconds_total unit="$1")" ]
}
check "the CPU time of a member is read" used podruntime/etcd
for name in etcd kubelet guest other; do
	stop_container "$name"
done
scrape
for group in podruntime lxc libpod_parent; do
	check "and that of $group is not" test -z "$(select_metric bramble_cpu_usage_seconds_total unit=$group)"
done
finish
