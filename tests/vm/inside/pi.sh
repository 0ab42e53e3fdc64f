#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# shellcheck shell=dash disable=SC2154 # from the kernel's command line, and from lib.sh
#
# What Raspberry Pi OS's kernels have and the other kernels here lack: swap on ZRAM, connection
# tracking with NAT, MPTCP, F2FS; and DM_DELAY, a disk that is as slow as it is told to be. Comes
# after fsync.sh, memory.sh, tcp.sh and block.sh, and uses what they have.

# configured OPTION...: whether the kernel was built with all of them. Sets missing to the first that it lacks.
configured() {
	for missing; do
		zcat /proc/config.gz | grep -q "^CONFIG_$missing=[ym]" || return 1
	done
	missing=
}

# has WHAT OPTION...: whether that can be tested here. If not, it is skipped, unless the matrix says
# that this kernel has it.
has() {
	local what=$1
	shift
	! configured "$@" || return 0
	case ,${vm_has:-}, in
	*,"$what",*) fail "$what: this kernel has CONFIG_$missing" ;;
	*) skip "$what: CONFIG_$missing is not set in this kernel" ;;
	esac
	return 1
}

# ---------------------------------------------------------------- ZRAM

meminfo() { awk -v name="$1:" '$1 == name { printf "%.0f", $2 * 1024 }' /proc/meminfo; }

test_zram() {
	has zram ZRAM || return 0
	echo 64M >/sys/block/zram0/disksize
	mkswap /dev/zram0 >/dev/null && swapon /dev/zram0 || { fail "zram: it can be swapped to"; return; }
	scrape
	same "zram: swap space is the kernel's" "$(meminfo SwapTotal)" bramble_node_swap_total_bytes
	check_holds "zram: and there is some" "$(meminfo SwapTotal) > 60e6"
	[ "$vm_memory" = no ] || swapping_pod
	swapoff /dev/zram0
	echo 1 >/sys/block/zram0/reset
	fact zram yes
}

is_asleep() { grep -q '^State:.S' "/proc/$1/status"; } # PID

# A pod that needs more than its limit swaps. Without swap it would be killed.
swapping_pod() {
	local out stalls max own psi
	out=$(vmstat_of pswpout)
	new_pod shop swaps-0 db
	echo 16M >"$pod_cgroup/memory.max"
	in_pod /test/hog 40 1 60
	go
	wait_until 20 is_asleep "$pod_pid"
	sleep 1
	scrape
	check_holds "zram: a pod at its limit swaps, and is not killed" \
		"$(vmstat_of pswpout) - $out > 1000000 / $vm_page && $(kills_of swaps-0) == 0 && $(event_of "$pod_cgroup" oom_kill) == 0"
	check_holds "zram: free swap space is the kernel's ($(metric bramble_node_swap_free_bytes) of $(meminfo SwapFree) bytes)" \
		"near($(metric bramble_node_swap_free_bytes), $(meminfo SwapFree), 4 * $vm_page) && $(meminfo SwapFree) < 50e6"
	stalls=$(stalls_of swaps-0) max=$(event_of "$pod_cgroup" max)
	own=$(metric_or_0 bramble_memory_stall_some_seconds_total pod=swaps-0)
	psi=$(sed -n 's/^some .*total=//p' "$pod_cgroup/memory.pressure" 2>/dev/null)
	check_holds "zram: it stalled as often as it met its limit ($stalls and $max)" \
		"$max > 5 && $stalls <= $max && $stalls >= 0.95 * $max - 1"
	# Both take a mean over the CPUs every 2 s, but not at the same moments: docs/saturation.md.
	[ "$vm_psi" != yes ] || check_holds "zram: its stalls are PSI's memory pressure ($own s and $psi us), or most of it" \
		"$own <= 1.15 * $psi / 1e6 + 0.005 && $own >= 0.7 * $psi / 1e6 - 0.005"
	kill -KILL "$pod_pid"
	wait "$pod_pid" 2>/dev/null
	gone
}

# ---------------------------------------------------------------- MPTCP

mptcp_of() { # FIELD of MPTcpExt
	in_net cat /proc/net/netstat | awk -v field="$1" '$1 == "MPTcpExt:" {
		if (!n) n = split($0, name, " "); else for (i = 2; i <= n; i++) if (name[i] == field) print $i }'
}

# Connections of MPTCP are the connections of TCP that they consist of. Without BTF, the sockets of MPTCP
# itself cannot be told from those of TCP, and count, too: docs/tcp.md.
test_mptcp() {
	local server active capable passive
	has mptcp MPTCP || return 0
	TCP_PROTOCOL=262 net_pod many paths-0 /test/tcpserve 127.0.0.1 7005 answer $tmp/answer 0
	server=$pod_pid
	go
	wait_until 5 listens 7005
	active=$(snmp ActiveOpens) passive=$(snmp PassiveOpens) capable=$(mptcp_of MPCapableSYNTX)
	TCP_PROTOCOL=262 run_net_pod many mptcp-0 /test/tcpload open 127.0.0.1 7005 20
	sleep 0.5
	scrape
	check_holds "mptcp: the kernel opened 20 connections of MPTCP's" "$(mptcp_of MPCapableSYNTX) - $capable == 20"
	equal "mptcp: opens are ActiveOpens, twice without BTF" "2 * ($(snmp ActiveOpens) - $active)" \
		"$(tcp connect_seconds_count mptcp-0)"
	equal "mptcp: accepted are PassiveOpens" "$(snmp PassiveOpens) - $passive" "$(tcp accepted_total paths-0)"
	equal "mptcp: none is open any more" "$(metric_or_0 bramble_tcp_open_connections namespace=many)" 0
	kill -KILL "$server"
	wait "$server" 2>/dev/null
	fact mptcp yes
}

# ---------------------------------------------------------------- connection tracking

nft() { in_net chroot /nft /usr/sbin/nft -f -; } # rules on standard input

# Connections are tracked, and where the kernel has NAT, they go to a port where nobody listens.
test_conntrack() {
	local server active passive to=7006 opened
	has conntrack NF_CONNTRACK NFT_CT || return 0
	nft <<-'END' || { fail "conntrack: nft makes a rule of it"; return; }
		table ip seen {
			chain in {
				type filter hook input priority 0;
				ct state established,new accept
			}
		}
	END
	if has nat NFT_NAT NFT_REDIR; then
		to=7106
		nft <<-'END' || { fail "nat: nft makes a rule of it"; return; }
			table ip moved {
				chain out {
					type nat hook output priority -100;
					tcp dport 7106 redirect to :7006
				}
			}
		END
	fi
	net_pod wall kept-0 /test/tcpserve 127.0.0.1 7006 answer $tmp/answer 0
	server=$pod_pid
	go
	wait_until 5 listens 7006
	active=$(snmp ActiveOpens) passive=$(snmp PassiveOpens)
	run_net_pod wall nat-0 /test/tcpload open 127.0.0.1 $to 20
	sleep 0.2
	scrape
	opened=$(tcp connect_seconds_count nat-0)
	check_holds "conntrack: the kernel tracks the connections" "$(in_net cat /proc/sys/net/netfilter/nf_conntrack_count) >= 20"
	equal "conntrack: 20 connections to port $to were opened" "$opened" 20
	equal "conntrack: opens are ActiveOpens" "$(snmp ActiveOpens) - $active" "$opened"
	equal "conntrack: accepted are PassiveOpens" "$(snmp PassiveOpens) - $passive" "$(tcp accepted_total kept-0)"
	equal "conntrack: none is open any more" "$(metric_or_0 bramble_tcp_open_connections namespace=wall)" 0
	kill -KILL "$server"
	wait "$server" 2>/dev/null
	fact conntrack "$([ $to = 7106 ] && echo 'with NAT' || echo yes)"
}

# ---------------------------------------------------------------- disks

# On a disk that answers each request after 30 ms: what waits for it is counted, and as long. It is a file
# in memory. QEMU's disks answer in real time, and this machine's clock jumps meanwhile.
delay_ms=30
test_dm_delay() {
	local loop device mean
	has dm_delay DM_DELAY || return 0
	loop=$(losetup -f)
	dd if=/dev/zero of=$tmp/slowed.img bs=1M count=16 2>/dev/null
	losetup "$loop" $tmp/slowed.img && mke2fs -q "$loop" >/dev/null 2>&1 || { fail "dm_delay: a disk of a file"; return; }
	device=$(/test/dm_delay slowed "$loop" "$(cat "/sys/block/${loop#/dev/}/size")" $delay_ms) ||
		{ fail "dm_delay: a slowed $loop"; return; }
	mkdir -p $tmp/dm
	mount -t ext4 "/dev/$device" $tmp/dm || { fail "dm_delay: ext4 on it"; return; }
	fsync_pod delayed fsync $tmp/dm/file
	umount $tmp/dm
	scrape
	agrees delayed
	mean=$(calc %.4f "$(metric_or_0 bramble_fsync_seconds_sum pod=delayed) / 20")
	check_holds "dm_delay: an fsync there takes as long as its requests, $delay_ms ms each ($mean s)" \
		"$mean >= $delay_ms / 1000 && $mean <= 6 * $delay_ms / 1000"
	check_holds "dm_delay: and is I/O stall ($(metric_or_0 bramble_io_stall_some_seconds_total pod=delayed) s)" \
		"near($(metric_or_0 bramble_io_stall_some_seconds_total pod=delayed), 20 * $mean, 0.02 + 20 * $mean * 0.05)"
	fact "dm_delay" "$mean s an fsync"
}

# F2FS has blocks as long as a page, and mkfs.f2fs makes none of 16 KiB.
test_f2fs() {
	has f2fs F2FS_FS || return 0
	[ "$vm_page" = 4096 ] || { skip "f2fs: mkfs.f2fs of Debian makes no blocks of $vm_page bytes"; return; }
	wait_until 60 is_decided f2fs
	check "fsync: on f2fs: measured" is_measured f2fs
	mount_disk f2fs || { fail "fsync: f2fs on a loop device"; return; }
	fsync_pod f2fs fsync $tmp/f2fs/file
	fsync_pod f2fs-dir dir $tmp/f2fs/dir
	scrape
	agrees f2fs
	agrees f2fs-dir
	fact f2fs yes
}

test_pi() {
	test_zram
	test_f2fs
	test_dm_delay
	make_net
	echo pong >$tmp/answer
	test_mptcp
	test_conntrack
	kill -KILL "$net_pid"
	wait "$net_pid" 2>/dev/null
	scrape
	check_holds "pi: nothing was lost for want of a place" "$(metric_or_0 bramble_probe_lost_total reason=no_place) == 0"
}
