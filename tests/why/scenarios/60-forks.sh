# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# shellcheck shell=bash disable=SC2154
# shellcheck disable=SC2016 # expanded by the container's shell
start_pod batch forks-0 make taskset 1 sh -c 'while :; do spin 0.05; done'
start_pod shop victim-5 web taskset 1 burst 120 5000 5000
real_time forks-0 victim-5
expect "a neighbour of short-lived processes" shop/victim-5/web cpu batch/forks-0/make

# A file system that is frozen for 400 ms in 500 ms, as a snapshot or an NFS server that hangs does.
make_disk frozen
start_pod data frozen-0 db taskset 2 sh -c 'while :; do echo x >/share/frozen/file; done'
each_while sh -c 'fsfreeze -f "$1"; sleep 0.4; fsfreeze -u "$1"; sleep 0.1' sh "$disk"
at_end() { fsfreeze -u "$tmp/share/frozen" 2>/dev/null; }
expect "a file system that hangs" data/frozen-0/db blocked itself

make_disk copies
start_pod data reads-1 db taskset 2 waits read /share/copies/file
start_pod batch copies-2 copy taskset 2 sh -c 'while :; do dd if=/dev/zero of=/share/copies/copy bs=1M count=64 conv=fsync 2>/dev/null; done'
real_time frozen-0 reads-1 copies-2
expect "reads beside one that fills the disk" data/reads-1/db disk batch/copies-2/copy blocked
