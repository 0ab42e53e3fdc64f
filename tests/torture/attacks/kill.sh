#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# SIGKILL at 100 random moments of its start and of its work, with load. Nothing of it may stay in the
# kernel, nothing may be pinned, and the next start must work.
. "$(dirname "$0")/../lib.sh"

times=$(scaled 100 5 5)
pins() { find /sys/fs/bpf 2>/dev/null | sort; }
# The ids that a process holds: "prog 12", "map 13", "link 14".
held() { sed -nE 's/^(prog|map|link)_id:[[:space:]]*([0-9]+)$/\1 \2/p' "/proc/$1"/fdinfo/* 2>/dev/null | sort -u; }
all_ids() {
	local kind
	for kind in prog map link; do
		bpftool -j $kind show 2>/dev/null | jq -r ".[] | \"$kind \(.id)\""
	done | sort
}
left() { all_ids | comm -12 "$tmp/held" -; }
none_left() { [ -z "$(left)" ]; }

pins >"$tmp/pins"
in_background "$tmp/bin/burst" 3600 300 300
not_ready=0 still=0 held_max=0
tried "SIGKILL at $times random moments"
for ((i = 0; i < times; i++)); do
	spawn_bramble
	sleep "$(calc "$RANDOM / 32768 * 0.8" 3)"
	held "$bramble_pid" >"$tmp/held"
	n=$(wc -l <"$tmp/held")
	held_max=$((n > held_max ? n : held_max))
	kill -KILL "$bramble_pid"
	wait "$bramble_pid" 2>/dev/null
	bramble_pid=
	wait_until 5 none_left || still=$((still + 1))
	((i % 10 == 9 || i == times - 1)) || continue
	spawn_bramble
	wait_until 10 bramble_ready || not_ready=$((not_ready + 1))
	kill -KILL "$bramble_pid"
	wait "$bramble_pid" 2>/dev/null
	bramble_pid=
done
note "it held up to $held_max programs, maps and links"
bound "programs, maps and links it held at most" "$held_max" ">" 50
bound "times that something of it stayed in the kernel" $still == 0
bound "starts that failed afterwards" $not_ready == 0
bound_that "nothing is pinned" cmp -s "$tmp/pins" <(pins)
finish
