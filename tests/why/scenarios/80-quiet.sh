# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# shellcheck shell=bash disable=SC2154
quick=$(free_port) poll=$(free_port)
start_pod quiet quick-0 api taskset 2 waits serve "$quick" 10
start_pod quiet poll-0 api taskset 2 waits serve "$poll" 1500
sleep 0.3
start_pod quiet asks-0 web taskset 2 waits ask "$quick"
start_pod quiet polls-0 web taskset 2 waits ask "$poll"
start_pod quiet idle-0 main taskset 2 sh -c 'while :; do sleep 0.5; done'
start_pod quiet sleeper-0 main sleep 600
start_pod quiet busy-0 main taskset 1 spin 120
start_pod quiet writer-0 main taskset 2 waits write /share/quiet
real_time quick-0 poll-0 asks-0 polls-0 idle-0 sleeper-0 busy-0 writer-0
expect_nothing "an idle pod" quiet/idle-0/main
expect_nothing "a sleeper" quiet/sleeper-0/main
expect_nothing "a busy one, alone on its CPU" quiet/busy-0/main
expect_nothing "a client of a quick server" quiet/asks-0/web
expect_nothing "a quick server" quiet/quick-0/api
expect_nothing "a client that waits for news" quiet/polls-0/web
expect_nothing "a server of long polls" quiet/poll-0/api
expect_nothing "a writer that leaves it to the kernel" quiet/writer-0/main
