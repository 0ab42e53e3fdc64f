# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# shellcheck shell=bash disable=SC2154
start_pod crypto hog-4 miner taskset 1 spin 120
start_unit bramble-test-proxy.service taskset 1 "$workloads/burst" 120 5000 5000
real_time hog-4 bramble-test-proxy.service
expect "a pod that slows a systemd unit" bramble-test-proxy.service cpu crypto/hog-4/miner
expect_advice bramble-test-proxy.service cpu "raise the weight of bramble-test-proxy.service"

make_disk reads
start_pod data read-0 db taskset 2 waits read /share/reads/file
expect "reads past the page cache" data/read-0/db disk itself

make_disk shared
start_pod data fsync-1 db taskset 2 waits fsync /share/shared/wal
start_pod batch copies-1 copy taskset 2 sh -c 'while :; do dd if=/dev/zero of=/share/shared/copy bs=1M count=64 conv=fsync 2>/dev/null; done'
real_time read-0 fsync-1 copies-1
expect "fsyncs beside one that fills the disk" data/fsync-1/db fsync batch/copies-1/copy blocked
