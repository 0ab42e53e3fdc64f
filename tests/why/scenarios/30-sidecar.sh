# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# shellcheck shell=bash disable=SC2034,SC2154
start_pod shop victim-2 web taskset 1 burst 120 5000 5000
add_container shop victim-2 sidecar taskset 1 spin 120
real_time victim-2 victim-2-sidecar
expect "a sidecar of the same pod" shop/victim-2/web cpu shop/victim-2/sidecar

container_resources='{"memory": {"limit": 16777216, "swap": 16777216}}'
start_pod memory stalled-0 main taskset 2 sh -c 'while :; do dd if=/dev/zero of=/share/stalled bs=1M count=32 2>/dev/null; done'
start_pod memory killed-0 main taskset 2 sh -c 'while :; do hog 64; sleep 1; done'
start_pod memory child-0 main taskset 2 sh -c 'while :; do hog 1 1 1; hog 64 4; done'
container_resources=
real_time stalled-0 killed-0 child-0
expect "files that fill its memory limit" memory/stalled-0/main memory_limit itself
expect "a process that wants more than its memory limit" memory/killed-0/main oom_kill itself memory_limit blocked
expect "a child with threads that wants more than the limit" memory/child-0/main oom_kill itself memory_limit blocked
