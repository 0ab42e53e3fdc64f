#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# Clients of every kind at once: what they do to the server, and whether the probe still counts.
. "$(dirname "$0")/lib.sh"

start_bramble
port=${bramble_url##*:}
start_pod load worker-0 main burst 600 1000 3000

sockets() { find "/proc/$bramble_pid/fd" -mindepth 1 -lname 'socket:*' | wc -l; }
hammer() { timeout 120 "$workloads/hammer" "$port" "$@"; }
answers() { awk -v status="$1" '$1 == status { print $2; found = 1 } END { if (!found) print 0 }' "$tmp/hammer"; }

hammer scrape 5 20 >/dev/null
anon_before=$(anon_kb)
maps=$(maps_kb)
cpus=$(($(sed 's/.*[-,]//' /sys/devices/system/cpu/possible) + 1))
note "RssAnon $anon_before kB, maps $maps kB, $cpus possible CPUs"
check_holds "anonymous memory is bounded" "$anon_before < 4096"
# docs/architecture.md has the sizes of the maps, most of them for 1024 slots.
check_holds "and so are maps" "$maps > 6 * 1024 && $maps < (8 + $cpus) * 1024"
sockets_before=$(sockets)

hammer scrape 50 20 >"$tmp/hammer"
note "50 scrapers at once, 20 scrapes each: $(tr '\n' ' ' <"$tmp/hammer")"
check "50 scrapers at once: every scrape is answered, whole" test "$(answers whole)" = 1000
anon_scraped=$(anon_kb)

in_background hammer slow 40 12
in_background hammer dribble 60 12
sleep 1
hammer scrape 4 10 >"$tmp/hammer"
check "with slow clients about, others are served" test "$(answers whole)" = 40
hammer abandon 20 50 >/dev/null
check "with abandoned scrapes, too" bramble_ready
anon_slow=$(anon_kb)

hammer malformed 10000 "$RANDOM" >"$tmp/hammer"
note "10000 malformed requests: $(tr '\n' ' ' <"$tmp/hammer")"
check "malformed requests are refused, not served wrongly" \
	test "$(awk '$1 >= 500 && $1 < 600 && $1 != 501 && $1 != 505' "$tmp/hammer")" = ""
check "after 10000 malformed requests it serves" bramble_ready
hammer scrape 5 20 >"$tmp/hammer"
check "and scrapes are whole" test "$(answers whole)" = 100

# ---- memory and descriptors
gone() { [ "$(sockets)" -le "$sockets_before" ]; }
check "every connection is closed in the end" wait_until 30 gone
anon_after=$(anon_kb)
note "RssAnon: $anon_before kB at first, $anon_scraped after 50 scrapers, $anon_slow among slow ones, $anon_after at the end"
check_holds "memory is bounded while clients misbehave" "$anon_slow < $anon_before + 16384"
# What 64 connections had stays in the heap, for the next ones.
check_holds "and does not grow" "$anon_after < $anon_before + 2048"

# ---- the probe counted on: the kernel's own count of the worker, before and after a scrape;
# the waits of runc, before the worker was there, are counted, too
task=/proc/${container_pid[worker-0]}/schedstat
read -r _ _ runs_before <"$task"
scrape
read -r _ _ runs_after <"$task"
counted=$(metric bramble_cpu_wait_seconds_count namespace=load pod=worker-0)
lost=$(metric_or_0 bramble_probe_lost_total)
note "the kernel says the worker was switched in $runs_before to $runs_after times; counted $counted; lost $lost"
check_holds "no wait of a container is missing" \
	"$counted > 0.99 * $runs_before - 5 && $counted < 1.01 * $runs_after + 150"
stop_bramble
check "it ends with 0" test "$bramble_code" = 0
finish
