# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# shellcheck shell=bash disable=SC2034,SC2154
# The places of the node that this test has mounted for itself.
volume() { # PLACE
	container_mounts='[{"destination": "/share", "type": "bind", "source": "'$1'", "options": ["rbind", "rw"]}]'
}
volume /var/lib/kubelet
start_pod logs fills-0 main sh -c 'dd if=/dev/zero of=/share/log bs=1M count=15; sleep 600'
volume /var/lib/containerd
start_pod logs files-0 main sh -c 'i=0; while [ $i -lt 960 ]; do : >/share/$i; i=$((i + 1)); done; sleep 600'
container_mounts='[]'
mount -o remount,ro /var/lib/docker
expect "a pod that fills the kubelet's file system" node disk_full /var/lib/kubelet
expect "a pod that makes too many files" node no_inodes /var/lib/containerd
expect "a file system that has become read-only" node read_only /var/lib/docker
at_end() {
	mount -o remount,rw /var/lib/docker
	rm -f /var/lib/kubelet/log
	find /var/lib/containerd -type f -delete
}

make_netns lossy
make_netns far
join_netns lossy far
in_netns far nft -f - <<-'END' || give_up "nft"
	table inet why {
		chain input {
			type filter hook input priority 0;
			tcp dport 7001 meta length > 1000 numgen inc mod 50 == 7 drop
		}
	}
END
container_network=$(netns_path far)
start_pod far sink-0 main taskset 2 tcpserve :: 7001 sink
container_network=$(netns_path lossy)
wait_until 5 listens far 7001 || note "nobody listens"
start_pod shop lossy-0 web taskset 2 sh -c 'while :; do tcpload send 10.99.0.2 7001 200000; sleep 0.1; done'
container_network=
real_time sink-0 lossy-0
expect "a network that loses packets" shop/lossy-0/web retransmits itself

start_pod quiet threads-0 main taskset 1 sh -c 'spin 120 & spin 120 & wait'
real_time threads-0
expect_nothing "two processes that wait for each other" quiet/threads-0/main
