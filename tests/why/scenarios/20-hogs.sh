# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# shellcheck shell=bash disable=SC2034,SC2154
start_pod crypto hog-1 miner taskset 1 spin 120
start_pod ml train-1 train taskset 1 spin 120
start_pod shop victim-1 web taskset 1 burst 120 5000 5000
real_time hog-1 train-1 victim-1
expect "two neighbours that never sleep" shop/victim-1/web cpu crypto/hog-1/miner+ml/train-1/train

closed=$(free_port)
start_pod shop refused-0 web taskset 2 sh -c "while :; do nc 127.0.0.1 $closed; sleep 0.2; done"
expect "a port at which nobody listens" shop/refused-0/web connect_failures itself

# The kernel counts for a network namespace.
make_netns outside
make_netns door
join_netns outside door
container_network=$(netns_path door)
start_pod shop door-0 api env WAITS_ADDRESS=10.99.0.2 taskset 2 waits door 7003 300
wait_until 5 listens door 7003 || note "nobody listens"
container_network=$(netns_path outside)
start_pod shop knocks-0 web env WAITS_ADDRESS=10.99.0.2 taskset 2 waits knock 7003
container_network=
real_time refused-0 knocks-0 door-0
expect "a server whose queue of connections is full" shop/knocks-0/web network shop/door-0
