#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# Runs: beside others
#
# What a running serve has given up (docs/security.md), and that it loses nothing by that. All other
# tests here run with it, too.
. "$(dirname "$0")/lib.sh"

# status_of FIELD: of all threads of bramble; each value once
status_of() { sed -n "s/^$1:[[:space:]]*//p" /proc/"$bramble_pid"/task/*/status | sort -u | paste -sd' '; }

# The families of the last scrape that have samples whatever happens, and the probes that are up.
# Whether a wait has a cause by then depends on what else runs here.
seen() {
	sed -nE 's/^((bramble_(node|probe|cpu|slots|scrape|containers|kube)|process_)[a-z0-9_]*).*/\1/p' "$tmp/metrics" | grep -v wait_caused | sort -u
	grep '^bramble_probe_up' "$tmp/metrics"
}
layer() { metric_or_0 bramble_probe_sandbox layer="$1" | cut -d. -f1; }

start_pod shop web-0 web burst 60 500 3000

start_bramble --no-sandbox
sleep 1
scrape
seen | grep -v capability >"$tmp/without"
check_holds "--no-sandbox: it is not in force" "$(layer capabilities) + $(layer seccomp) + $(layer landlock) == 0"
check "--no-sandbox: there is no filter" test "$(status_of Seccomp)" = 0
check "--no-sandbox: its capabilities are shown" grep -q '^bramble_probe_capability_info{capability="cap_bpf"} 1$' "$tmp/metrics"
stop_bramble

start_bramble
sleep 1
scrape
seen | grep -v capability >"$tmp/with"
check "the sandbox takes no family and no probe away" diff "$tmp/without" "$tmp/with"
check "it has no new privileges" test "$(status_of NoNewPrivs)" = 1
check "all its threads have the filter" test "$(status_of Seccomp)" = 2
check_holds "and it says so" "$(layer capabilities) + $(layer no_new_privs) + $(layer seccomp) == 3"
if [ "$(layer landlock)" = 1 ]; then
	pass "Landlock is in force"
else
	skip "Landlock: this kernel has none"
fi
# What remains is what it says that remains. Here that may be what loads programs later: for a file
# system whose module is not there yet.
remaining=$(sed -n 's/^bramble_probe_capability_info{capability="\(.*\)"} 1$/\1/p' "$tmp/metrics" | paste -sd' ')
# bits_of NAME...: as /proc writes a set
bits_of() {
	local name bits=0
	for name; do
		case $name in
		cap_dac_read_search) bits=$((bits | 1 << 2)) ;;
		cap_sys_admin) bits=$((bits | 1 << 21)) ;;
		cap_perfmon) bits=$((bits | 1 << 38)) ;;
		cap_bpf) bits=$((bits | 1 << 39)) ;;
		*) bits=-1 ;;
		esac
	done
	printf '%016x' $bits
}
# shellcheck disable=SC2086 # words
check "its capabilities are those that it shows (${remaining:-none})" \
	test "$(status_of CapEff)" = "$(bits_of $remaining)"
foretold=$("$BRAMBLE" check --json | jq -r '.facts[] | select(.group == "sandbox" and .name == "capabilities").detail')
check "bramble check has foretold them" \
	test "$foretold" = "after the start ${remaining:+these stay: }${remaining:-none stays}"
for set in CapPrm CapBnd; do
	check "and no others in $set" test "$(status_of $set)" = "$(status_of CapEff)"
done
check "none can be had back" test "$(status_of CapInh) $(status_of CapAmb)" = "0000000000000000 0000000000000000"

# Which BPF objects are open: what is not here any more, a hole in bramble cannot use.
open_kind() { readlink /proc/"$bramble_pid"/fd/* | grep -cxF "anon_inode:$1"; }
open_maps() {
	local id
	for id in $(sed -n 's/^map_id:[[:space:]]*//p' /proc/"$bramble_pid"/fdinfo/*); do
		"$bpftool" -j map show id "$id" | jq -r .name
	done | sort | paste -sd' '
}
bpftool=$(command -v bpftool || echo /usr/sbin/bpftool)
# The kernel has 15 letters of a name. Where programs see no ancestors, there are aliases, too.
maps='block_cells block_requests blocked_cells cgroup_events fsync_cells fsync_stalls killed_tasks memory_cells'
maps+=' memory_stalls sched_cells slot_by_cgroup slot_free slot_roots stall_cells tcp_cells tcp_peer_cells tcp_peers_free'
maps+=' tcp_port_cells tcp_ports_free tcp_slot_target tcp_socket_targ tcp_sockets tcp_targets wait_pairs'
note "open: $(open_kind bpf-map) maps, $(open_kind bpf-prog) programs, $(open_kind bpf_link) links"
check "the maps that are open are those that it uses by their descriptors" test "$(open_maps)" = "$maps"
check_holds "no types are open" "$(open_kind btf) == 0"
# A link has the event of a classic tracepoint since 5.15.
check_holds "the tracepoints' events are not open" "$(open_kind '[perf_event]') == 0"
# What may be attached later is a begin and an end for each of ext4, f2fs and btrfs.
check_holds "only programs that are attached, or may be later, are open" \
	"$(open_kind bpf_link) <= $(open_kind bpf-prog) && $(open_kind bpf-prog) <= $(open_kind bpf_link) + 6"

# Names and slots come and go as without it.
start_pod shop late-0 web burst 60 500 3000
is_named() {
	scrape
	[ "$(metric_or_0 bramble_cpu_wait_seconds_count pod=late-0 container=web)" != 0 ]
}
check "a pod that starts later is named" wait_until 10 is_named
check "it logs no refused call" test -z "$(grep 'the sandbox refuses' "$bramble_log")"
stop_bramble
check_holds "it ends with 0" "$bramble_code == 0"
check "its socket is gone" test ! -e "$tmp/bramble.sock"

# With what the systemd unit gives it, and no more.
unit=$(sed -n 's/^CapabilityBoundingSet=//p' "$top/deploy/systemd/bramble.service.in" | tr 'A-Z ' 'a-z,')
dropped=$(capsh --print | sed -n 's/^Bounding set =//p' | tr , '\n' | grep -vxF "$(echo "$unit" | tr , '\n')" | paste -sd,)
bramble_prefix=(capsh --drop="$dropped" -- -c 'exec "$@"' sh)
start_bramble
scrape
check_holds "with the capabilities of its systemd unit all probes are up" \
	"$(metric_or_0 bramble_probe_up) == $(grep -c '^bramble_probe_up{' "$tmp/metrics")"
check "and it warns of nothing" test -z "$(grep 'level=warn' "$bramble_log")"
stop_bramble
finish
