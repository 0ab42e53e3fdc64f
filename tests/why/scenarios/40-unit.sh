# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# shellcheck shell=bash disable=SC2154
start_unit bramble-test-backup.service taskset 1 "$workloads/spin" 120
start_pod shop victim-3 web taskset 1 burst 120 5000 5000
real_time bramble-test-backup.service victim-3
expect "a systemd unit that never sleeps" shop/victim-3/web cpu bramble-test-backup.service
expect_advice shop/victim-3/web cpu "systemctl set-property bramble-test-backup.service"

make_disk logs
make_disk etcd
start_pod data fsync-0 db taskset 2 waits fsync /share/logs/file
expect "fsyncs, alone on a disk" data/fsync-0/db fsync itself
start_pod kube-system etcd-pi etcd taskset 2 waits fsync /share/etcd/wal
real_time fsync-0 etcd-pi
expect "etcd on a slow disk" kube-system/etcd-pi/etcd fsync itself
expect_advice kube-system/etcd-pi/etcd fsync "move etcd off the SD card"
