#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# Runs: beside others
#
# Bad input gets one clear line, the right exit code, and loses nothing.
. "$(dirname "$0")/lib.sh"

# Users other than root must be able to run it.
chmod 755 "$tmp"
install -m 755 "$BRAMBLE" "$tmp/bramble"
BRAMBLE=$tmp/bramble

# refuses WHAT CODE PATTERN... -- COMMAND...: the command ends with the code, and
# what it says on standard error has each pattern (extended, any case).
refuses() {
	local what=$1 code=$2 patterns=() pattern got
	shift 2
	while [ "$1" != -- ]; do
		patterns+=("$1")
		shift
	done
	shift
	timeout 10 "$@" </dev/null >"$tmp/out" 2>"$tmp/err"
	got=$?
	sed 's/^/    said: /' "$tmp/err"
	if [ $got != "$code" ]; then
		fail "$what: ended with $got, not $code"
		return
	fi
	for pattern in "${patterns[@]}"; do
		grep -qiE -- "$pattern" "$tmp/err" || {
			fail "$what: does not say \"$pattern\""
			return
		}
	done
	# One line for the cause; no page of follow-up errors.
	if [ "$what" != "no command" ] && [ "$(wc -l <"$tmp/err")" -gt 3 ]; then
		fail "$what: says $(wc -l <"$tmp/err") lines"
		return
	fi
	pass "$what"
}

# runs_and_says WHAT PATTERN COMMAND...: it says that once, and serves all the same.
runs_and_says() {
	local what=$1 pattern=$2
	shift 2
	in_background "$@" 2>"$tmp/run.log"
	wait_until 30 grep -q "level=info msg=\"serving" "$tmp/run.log"
	wait_until 2 grep -q "$pattern" "$tmp/run.log"
	kill -TERM "$background_pid"
	wait "$background_pid" || fail "$what: ended with $?"
	check "$what: $pattern" test "$(grep -c "$pattern" "$tmp/run.log")" = 1
	check "$what: and runs" grep -q 'stopped by SIG' "$tmp/run.log"
}

listen=--web.listen-address=127.0.0.1:$(free_port)
socket=--web.socket=$tmp/other.sock
serve=("$BRAMBLE" serve "$listen" "$socket")
own_mounts=(unshare --mount --propagation private sh -c)

# ---- wrong usage: 2
refuses "an unknown flag" 2 'no-such-flag' -- "${serve[@]}" --no-such-flag
refuses "an unknown command" 2 'surf' -- "$BRAMBLE" surf
refuses "no command" 2 'usage|command' -- "$BRAMBLE"
refuses "a number that is none" 2 'slots' 'many' -- "${serve[@]}" --slots=many
refuses "a number out of range" 2 'slots' -- "${serve[@]}" --slots=0
refuses "a duration that is none" 2 'retain' 'soon' -- "${serve[@]}" --retain=soon
refuses "an address that is none" 2 'listen-address' -- "$BRAMBLE" serve "$socket" --web.listen-address=nowhere:
refuses "a flag without its value" 2 'kube.log-dir' -- "$BRAMBLE" serve --kube.log-dir

# ---- not allowed, or not there: 1
# Where tracefs is not mounted, that comes first: 05-nothing-mounted.sh.
refuses "not root" 1 'root|CAP_BPF' -- \
	"${with_tracefs[@]}" setpriv --reuid=65534 --regid=65534 --clear-groups "${serve[@]}"
refuses "no CAP_BPF" 1 'CAP_BPF|CAP_SYS_ADMIN' -- \
	"${with_tracefs[@]}" capsh --drop=cap_bpf,cap_sys_admin -- -c 'exec "$@"' sh "${serve[@]}"
refuses "no CAP_PERFMON" 1 'CAP_PERFMON|CAP_SYS_ADMIN' -- \
	"${with_tracefs[@]}" capsh --drop=cap_perfmon,cap_sys_admin -- -c 'exec "$@"' sh "${serve[@]}"

# Version 1 alone: without the unified mount of a hybrid, or else with a hierarchy
# that has a name only, so that it takes no controller from this machine.
# shellcheck disable=SC2016
if [ "$cgroup2" = /sys/fs/cgroup ]; then
	hide_cgroup2='
		umount -l -R /sys/fs/cgroup && mount -t tmpfs none /sys/fs/cgroup &&
			mkdir /sys/fs/cgroup/systemd &&
			mount -t cgroup -o none,name=bramble-test none /sys/fs/cgroup/systemd || exit 99
		exec "$@"'
else
	hide_cgroup2="umount -l '$cgroup2' || exit 99"'; exec "$@"'
fi
if "${own_mounts[@]}" "$hide_cgroup2" sh true 2>/dev/null; then
	refuses "cgroup version 1 alone" 1 'cgroup.*(v2|version 2)|(v2|version 2).*cgroup' -- \
		"${own_mounts[@]}" "$hide_cgroup2" sh "${serve[@]}"
else
	skip "cgroup version 1 alone: this kernel has no version 1"
fi

# When the kernel refuses something, one line on standard error names the cause, and no remedy that
# cannot help. check uses the same words.
cat >"$tmp/filter.c" <<'END'
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>
/* usage: filter NUMBER COMMAND...: EPERM for a system call, as a container's seccomp profile has it */
int main(int argc, char **argv)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)atoi(argv[1]), 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {4, code};

	if (argc < 3 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		return 99;
	execv(argv[2], argv + 2);
	return 99;
}
END
call_number() { printf '#include <sys/syscall.h>\n%s\n' "SYS_$1" | "${CC:-cc}" -E - | tail -n 1; }
if "${CC:-cc}" -o "$tmp/filter" "$tmp/filter.c" 2>"$tmp/cc.log"; then
	for call in bpf perf_event_open; do
		filter=("$tmp/filter" "$(($(call_number $call)))")
		refuses "a seccomp filter for $call" 1 "a seccomp filter refuses the system call $call" -- \
			"${filter[@]}" "${serve[@]}"
		check "a seccomp filter for $call: no other cause is told" sh -c \
			"! grep -E 'CAP_|mount -t|verifier|security module' '$tmp/err'"
		"${filter[@]}" "$BRAMBLE" check >"$tmp/check.txt"
		check "a seccomp filter for $call: check cannot run" test $? = 1
		check "a seccomp filter for $call: check says the same" sh -c \
			"tr -s ' \\n' ' ' <'$tmp/check.txt' | grep -q 'a seccomp filter refuses the system call $call'"
	done
else
	skip "a seccomp filter: no compiler here"
fi
refuses "a user namespace" 1 "this is a user namespace" -- unshare -r "${serve[@]}"
check "a user namespace: no other cause is told" sh -c "! grep -E 'CAP_|mount -t' '$tmp/err'"

# shellcheck disable=SC2016
few_files=(sh -c 'ulimit -n 64; exec "$@"' sh)
refuses "64 open files" 1 '64 files may be open \(RLIMIT_NOFILE\), and it needs [0-9]+;.*ulimit -n' -- "${few_files[@]}" "${serve[@]}"
check "64 open files: no other cause is told" sh -c "! grep -E 'CAP_|mount -t|verifier' '$tmp/err'"
needed=$(sed -n 's/.*it needs \([0-9]*\);.*/\1/p' "$tmp/err")
"${few_files[@]}" "$BRAMBLE" check >"$tmp/check.txt"
check "64 open files: check cannot run, and says the same" sh -c \
	"test $? = 1 && tr -s ' \n' ' ' <'$tmp/check.txt' | grep -q '64 files may be open (RLIMIT_NOFILE), and it needs $needed for:'"
# A low soft limit is raised; what it needs is enough.
# shellcheck disable=SC2016
runs_and_says "64 open files, but the hard limit allows more" 'msg="serving' \
	sh -c 'ulimit -Sn 64; exec "$@"' sh "${serve[@]}"
# shellcheck disable=SC2016
runs_and_says "as many open files as it says it needs" 'msg="serving' \
	sh -c "ulimit -n $needed"'; exec "$@"' sh "${serve[@]}"
check "as many open files as it says it needs: all probes run" sh -c "! grep -E 'not running|files may be open' '$tmp/run.log'"

# With too little memory it says so, and does not blame the kernel. How much is too little depends on
# the libraries. Below that, their loader ends with 127. With enough memory it serves until the
# timeout. Two of these are enough.
wrong='' refused=0 served=0
for kib in $(seq 20000 3000 122000); do
	# shellcheck disable=SC2016
	timeout 3 sh -c "ulimit -v $kib"'; exec "$@"' sh "${serve[@]}" >"$tmp/out" 2>"$tmp/err"
	code=$?
	case $code in
	1) refused=$((refused + 1)) ;;
	124)
		served=$((served + 1))
		[ $served -lt 2 ] && continue || break
		;;
	127) continue ;;
	*) wrong+="$kib KiB: ended with $code: $(tail -n 1 "$tmp/err"); " && continue ;;
	esac
	[ "$(grep -c level=error "$tmp/err")" = 1 ] && grep 'level=error' "$tmp/err" | grep -qi 'memory' ||
		wrong+="$kib KiB: $(tail -n 1 "$tmp/err"); "
done
check "too little memory is told as that: $wrong" test -z "$wrong"
check_holds "too little memory was tried ($refused times)" "$refused > 0"

# In a cgroup namespace of its own, as docker makes it, it says so at once, and runs.
make_cgroup /bramble-test/inside
in_own_namespace() {
	echo "$BASHPID" >"$cgroup2/bramble-test/inside/cgroup.procs"
	# shellcheck disable=SC2016
	exec unshare --cgroup "${own_mounts[@]}" 'umount -l -R /sys/fs/cgroup && mount -t tmpfs none /sys/fs/cgroup &&
		mount -t cgroup2 none /sys/fs/cgroup && exec "$@"' sh "$@"
}
runs_and_says "a cgroup namespace: says once that it hides containers" \
	'level=warn.*unit=.*unknown.*shows a part of the hierarchy alone.*--path.cgroupfs' in_own_namespace "${serve[@]}"

refuses "a BTF file that is not there" 1 '/nonexistent.btf' -- "${serve[@]}" --btf=/nonexistent.btf
refuses "a folder for a BTF file" 1 '--btf=/: Is a directory' -- "${serve[@]}" --btf=/
head -c 1000 /dev/urandom >"$tmp/noise.btf"
mkfifo "$tmp/fifo"
refuses "a FIFO for a BTF file" 1 "--btf=$tmp/fifo: it is a FIFO" -- "${serve[@]}" --btf="$tmp/fifo"
refuses "a FIFO for a web configuration" 1 "$tmp/fifo: it is a FIFO" -- "${serve[@]}" --web.config.file="$tmp/fifo"
refuses "a device for a web configuration" 1 "/dev/zero: it is a device" -- "${serve[@]}" --web.config.file=/dev/zero
refuses "a BTF file that is noise" 1 'noise.btf' -- "${serve[@]}" --btf="$tmp/noise.btf"

# ---- paths that do not exist: the message names the flag
for what in "procfs /nonexistent" "procfs /sys" "procfs /etc/passwd" "sysfs /nonexistent" "sysfs /etc/passwd"; do
	refuses "--path.${what/ /=}" 1 "there is no ${what% *} at ${what#* }; say where it is with --path.${what% *}" -- \
		"${serve[@]}" "--path.${what/ /=}"
done
for what in cgroupfs tracefs; do
	for path in /nonexistent /etc/passwd /tmp; do
		refuses "--path.$what=$path" 1 "$path.*--path.$what" -- "${serve[@]}" "--path.$what=$path"
	done
done

# ---- a socket that cannot be made: said once, and metrics are served all the same
for what in "/proc/nonexistent/bramble.sock: /proc/nonexistent is not there and cannot be made" \
	"/proc/version/bramble.sock: /proc/version is no directory" "$tmp/err: a file is there that is no socket" \
	"$tmp/$(random_hex 120): its path has .* bytes, and a socket's has 107 at most"; do
	runs_and_says "a socket that cannot be made: says so once, and why" "level=warn.*socket $what" \
		"$BRAMBLE" serve "$listen" --web.socket="${what%%: *}"
done

# shellcheck disable=SC2016
runs_and_says "a read-only /run: says so once" 'level=warn.*/run/bramble is on a read-only file system' \
	"${own_mounts[@]}" 'mount -t tmpfs -o ro none /run && exec "$@"' sh "$BRAMBLE" serve "$listen"

# ---- addresses that cannot be used, and other programs' sockets
refuses "an address of another machine" 1 '192.0.2.1:9810: this machine has no such address' -- \
	"$BRAMBLE" serve "$socket" --web.listen-address=192.0.2.1:9810
refuses "a host that is not known" 1 'no-such-host.invalid' -- \
	"$BRAMBLE" serve "$socket" --web.listen-address=no-such-host.invalid:9810
if [ "$(cat /proc/sys/net/ipv4/ip_unprivileged_port_start)" -gt 80 ]; then
	refuses "a privileged port" 1 'port 80.*CAP_NET_BIND_SERVICE' -- \
		capsh --drop=cap_net_bind_service -- -c 'exec "$@"' sh \
		"$BRAMBLE" serve "$socket" --web.listen-address=127.0.0.1:80
else
	skip "a privileged port: this machine has none (net.ipv4.ip_unprivileged_port_start)"
fi

# ---- a port in use: 1, and the one that has it goes on
start_bramble
refuses "a port in use" 1 "${bramble_url#http://}" 'in use' -- \
	"$BRAMBLE" serve "$socket" --web.listen-address="${bramble_url#http://}"
check "the one that has the port goes on" bramble_ready
stop_bramble

# ---- an unreadable log directory: no names for now, said once
later=$tmp/later
bramble_log_dir=$later
log_dir=$later.hidden
start_bramble
start_pod shop unnamed-0 main burst 120 1000 10000
sleep 3
scrape
container=$(basename "${container_cgroup[unnamed-0]}")
check_holds "without the log directory it counts" "$(metric_or_0 bramble_cpu_wait_seconds_count) > 0"
check "without the log directory the pod has no name" test -z \
	"$(metric bramble_cpu_wait_seconds_count pod=unnamed-0)"
check "it says that it cannot read the log directory" grep -q "$later" "$bramble_log"
mv "$later.hidden" "$later"
is_named() {
	scrape
	[ -n "$(metric bramble_cpu_wait_seconds_count namespace=shop pod=unnamed-0 container=main)" ]
}
check "when the directory comes, so does the name" wait_until 60 is_named
said=$(grep -c "$later" "$bramble_log")
check_holds "it said so once" "$said <= 2"
note "container $container; lines about the directory: $said"
stop_container unnamed-0
stop_bramble

# ---- more cgroups than slots: the overflow slot, and it is counted
start_bramble --slots=16
for ((i = 0; i < 40; i++)); do
	path=/kubepods/besteffort/pod$(new_uid)/$(random_hex 64)
	make_cgroup "$path"
	(echo "$BASHPID" >"$cgroup2$path/cgroup.procs" && exec "$workloads/burst" 0.2 500 500) &
	jobs[i]=$!
done
wait "${jobs[@]}"
scrape
check_holds "more cgroups than slots are counted as lost" \
	"$(metric_or_0 bramble_probe_lost_total reason=no_slot) > 0"
check_holds "their samples are in the overflow slot" \
	"$(metric_or_0 bramble_cpu_wait_seconds_count unit=overflow) > 0"
check "and it goes on" bramble_ready
finish
