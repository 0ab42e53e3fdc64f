#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# bramble ends cleanly within a second, and leaves nothing in the kernel: no program, map, link or
# pin. Other probes on this machine come and go, so the test does not compare lists. It checks that
# the ids of this bramble are gone.
. "$(dirname "$0")/lib.sh"

# ids KIND: "KIND ID" of what the process holds, by its file descriptors.
held_by() { # PID
	cat "/proc/$1"/fdinfo/* 2>/dev/null |
		sed -nE 's/^(prog|map|link|btf)_id:[[:space:]]*([0-9]+)$/\1 \2/p' | sort -u
}

# A program keeps the maps it uses, though no descriptor is open.
with_maps() {
	local kind id
	while read -r kind id; do
		echo "$kind $id"
		[ "$kind" = prog ] || continue
		bpftool -j prog show id "$id" 2>/dev/null | jq -r '.map_ids[]? | "map \(.)"'
	done | sort -u
}

still_there() { # FILE
	local kind id
	while read -r kind id; do
		bpftool "$kind" show id "$id" >/dev/null 2>&1 && echo "$kind $id"
	done <"$1"
}
all_gone() { [ -z "$(still_there "$1")" ]; }
pins() { find /sys/fs/bpf 2>/dev/null | sort; }

pins >"$tmp/pins"
for signal in TERM INT KILL; do
	start_bramble
	scrape
	held_by "$bramble_pid" | with_maps >"$tmp/held"
	note "held: $(cut -d' ' -f1 "$tmp/held" | sort | uniq -c | xargs)"
	check "SIG$signal: it had programs and maps" grep -q '^prog' "$tmp/held"
	case $signal in
	TERM)
		stop_bramble
		check_holds "SIGTERM: it ends with 0" "$bramble_code == 0"
		check_holds "SIGTERM: within a second" "$bramble_stop_ms < 1000"
		check "SIGTERM: its socket is gone" test ! -e "$tmp/bramble.sock"
		;;
	*)
		# Bash starts background jobs with SIGINT ignored; a program that
		# handles it takes it nevertheless.
		kill -$signal "$bramble_pid"
		wait "$bramble_pid" 2>/dev/null
		code=$?
		bramble_pid=
		[ $signal = KILL ] || check_holds "SIG$signal: it ends with 0" "$code == 0"
		;;
	esac
	check "SIG$signal: nothing is left in the kernel" wait_until 3 all_gone "$tmp/held"
	still_there "$tmp/held" | sed 's/^/    left: /'
done
check "nothing is pinned" cmp -s "$tmp/pins" <(pins)

# ---- signals that do not end it, and the file of its socket
start_bramble
for signal in HUP USR1 USR2 ALRM PIPE; do
	kill -$signal "$bramble_pid"
done
reloaded() { grep -q 'SIGHUP: there is no --web.config.file' "$bramble_log"; }
check "SIGHUP asks for the configuration again" wait_until 2 reloaded
check "neither SIGHUP nor SIGUSR1 ends it" bramble_ready

in_background "$BRAMBLE" serve --web.listen-address="127.0.0.1:$(free_port)" --web.socket="$tmp/bramble.sock" \
	--kube.source=logs --kube.log-dir="$log_dir" 2>"$tmp/second.log"
check "a second one on the same socket says so" \
	wait_until 15 grep -q 'cannot be served on the socket.*another bramble serves there' "$tmp/second.log"
check "the second one serves all the same" wait_until 5 grep -q 'msg="serving' "$tmp/second.log"
kill -QUIT "$background_pid"
wait "$background_pid"
check "SIGQUIT: it ends with 0" test $? = 0
socket_serves() { curl -sf -o /dev/null --unix-socket "$tmp/bramble.sock" http://bramble/healthz; }
check "the first one's socket is still served" socket_serves
stop_bramble
check "both are gone: no file is left" test -z "$(find "$tmp" -name 'bramble.sock*')"

# A scrape that hangs in the middle must not hold it up.
start_bramble
exec 9<>"/dev/tcp/127.0.0.1/${bramble_url##*:}"
printf 'GET /metrics HTTP/1.1\r\nHost: x\r\n' >&9
sleep 0.2
stop_bramble
exec 9>&-
check_holds "a client that hangs does not hold it up" "$bramble_code == 0 && $bramble_stop_ms < 1000"

# It starts again over the socket that a killed one left behind.
start_bramble
kill -KILL "$bramble_pid"
wait "$bramble_pid" 2>/dev/null
bramble_pid=
start_bramble
check "it starts again after it was killed" bramble_ready
finish
