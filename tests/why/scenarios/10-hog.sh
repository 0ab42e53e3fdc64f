# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# shellcheck shell=bash disable=SC2154
# One CPU is for the tasks of a round that fight for it: the other one is left to the machine.
start_pod crypto hog-0 miner taskset 1 spin 120
start_pod shop victim-0 web taskset 1 burst 120 5000 5000
real_time hog-0 victim-0
expect "a neighbour that never sleeps" shop/victim-0/web cpu crypto/hog-0/miner
expect_advice shop/victim-0/web cpu "give crypto/hog-0/miner a CPU limit"

port=$(free_port)
start_pod shop server-0 api taskset 2 waits serve "$port" 200
sleep 0.3
start_pod shop client-0 web taskset 2 waits ask "$port"
real_time server-0 client-0
expect "a client of a slow server" shop/client-0/web network shop/server-0/api
expect "a slow server" shop/server-0/api slow_answers itself
