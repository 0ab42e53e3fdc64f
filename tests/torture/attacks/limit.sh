#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# With the memory limit of the DaemonSet's manifest: a flood of empty cgroups and containers that come and
# go at the same time. The kernel must not kill it.
. "$(dirname "$0")/../lib.sh"

limit=$(($(sed -n '/^ *limits:/,$s/^ *memory: \(.*\)Mi$/\1/p' "$top/deploy/kubernetes/base/daemonset.yaml" | head -n 1) * 1048576))
memory=$(awk '$3 == "cgroup" && $4 ~ /(^|,)memory(,|$)/ { print $2; exit }' /proc/self/mounts)
if [ -n "$memory" ]; then
	limit_file=memory.limit_in_bytes used_file=memory.usage_in_bytes reclaim_file=memory.force_empty
	kills_file=memory.oom_control
elif grep -qw memory "$cgroup2/cgroup.subtree_control"; then
	memory=$cgroup2
	limit_file=memory.max used_file=memory.current reclaim_file=memory.reclaim kills_file=memory.events
else
	skip "a memory limit: no memory controller here"
	finish
fi
memory+=/torture-$mark-limit
made_cgroups+=("$memory")
mkdir "$memory"
echo "$limit" >"$memory/$limit_file" || give_up "cannot limit $memory"

count=$(scaled 100000 3000 6000)
containers=$(scaled 2000 100 100)
seconds=$(scaled 60 3 4)
# shellcheck disable=SC2016 # expanded by the inner shell
bramble_prefix=(sh -c 'echo 0 >"$0/cgroup.procs" && exec "$@"' "$memory")
start_bramble
start_witness
scrape
anon=$(anon_kb)
start_scraper 1000
delegate limit
tried "$((limit / 1048576)) MiB; $count empty cgroups and $containers containers in $seconds s"
in_background as_nobody "$delegated" "$tmp/bin/cgroups" flood "$delegated" "$count" $((count / seconds)) >/dev/null
flood=$background_pid
"$tmp/bin/containers" "$cgroup2" "$mark" "$containers" $((containers / seconds)) 1000 "$tmp/share" "$log_dir" >"$tmp/done" ||
	fail "the containers came and went"
wait "$flood"
stop_scraper
bound_that "it runs" bramble_ready
bound "processes that the kernel killed for it" "$(awk '$1 == "oom_kill" { print $2 }' "$memory/$kills_file")" == 0
# What the kernel cannot take back: the caches of files and names do not count.
[ ! -e "$memory/$reclaim_file" ] || {
	echo "$limit" >"$memory/$reclaim_file"
	bound "memory that cannot be taken back, of $((limit / 1048576)) MiB" $(($(cat "$memory/$used_file") / 1048576)) "<=" \
		$((limit / 1048576 * 3 / 4)) MiB
} 2>/dev/null
bound "RssAnon at most, $anon kB at the start" "$(found anon_worst_kb)" "<=" $((limit / 1024 / 2)) kB
bound_scrapes
bound_counted
bound_witness
finish
