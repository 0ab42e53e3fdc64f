#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# The live view, as a user has it: in a terminal (tmux), with keys, sizes, signals, and a serve
# that comes and goes. Screens are compared by what they say.
. "$(dirname "$0")/lib.sh"

# Servers of our own, without anybody's configuration: a new one for each session.
session=0
tmux_socket=
t() { tmux -S "$tmux_socket" -f /dev/null "$@"; }
trap 't kill-server 2>/dev/null; cleanup' EXIT

screen() { t capture-pane -p -t live; }
has() { screen | grep -qE -- "$1"; }
has_not() { ! has "$1"; }
press() { t send-keys -t live "$@"; }
sees() { # WHAT REGEX: within 10 s
	wait_until 10 has "$2" || screen >&2
	check "$1" has "$2"
}
pane() { t display-message -p -t live "$1"; }

# start_top ARGS...: runs it in a terminal of 80 x 24, with "left: CODE" behind it.
start_top() {
	[ $session = 0 ] || t kill-server 2>/dev/null
	tmux_socket=$tmp/tmux$((++session))
	rm -f "$tmp/stty.after"
	cat >"$tmp/session" <<-END
		stty -a >'$tmp/stty.before'
		${top_prefix:-} '$BRAMBLE' top $*
		echo "left: \$?"
		stty -a >'$tmp/stty.after'
		exec sleep 1000
	END
	t new-session -d -s live -x 80 -y 24 "env LC_ALL=${top_locale:-C.UTF-8} ${top_term:+TERM=$top_term} sh '$tmp/session'"
}
top_pid() { pgrep -P "$(pane '#{pane_pid}')" -f 'bramble top'; }
terminal_is_back() {
	[ "$(pane '#{alternate_on} #{cursor_flag}')" = "0 1" ] && [ -s "$tmp/stty.after" ] &&
		cmp -s "$tmp/stty.before" "$tmp/stty.after"
}
check_left() { # WHAT CODE
	wait_until 5 has "^left: $2" || screen >&2
	check "$1: ends with $2" has "^left: $2"
	wait_until 5 terminal_is_back
	check "$1: the terminal is as before" terminal_is_back
}

start_bramble
start_pod crypto hog-0 miner taskset 1 spin 170
start_pod shop web-7d4b9c6f5-x2x8k web taskset 1 burst 170 20000 5000
start_pod shop idle-0 main sleep 170
sleep 1
socket=$tmp/bramble.sock

# ---- a session
start_top --socket="$socket"
sees "rows appear" 'crypto/.*miner'
check "the titles" has '^NAME .*CPU%.*WAIT%.*CAUSED BY'
check "whose counts these are" has "every 1 s, by container"
check "the node's load" has '^load [0-9.]+ [0-9.]+ [0-9.]+ of [0-9]+  mem [0-9]+%'
last_line() { screen | tail -n 1; }
check "24 lines, the last of them the keys" test "$(screen | wc -l) $(last_line | cut -c 1-6)" = "24 q quit"

press / 'shop/web' Enter
sees "filter: said above" 'filter: shop/web'
check "filter: the others are gone" wait_until 3 has_not 'crypto/.*miner +[0-9-]'
sees "the sentence names the cause" 'shop/web-7d4b9c6f5-x2x8k/web waited [0-9.]+ % of the last'
names_the_hog() { screen | tr '\n' ' ' | grep -qE 'for CPU, [0-9]+ % of that .*while +crypto/hog-0/miner +ran'; }
real_time hog-0 web-7d4b9c6f5-x2x8k
wait_until 30 names_the_hog || screen >&2
check "the cause is the hog" names_the_hog
real_time --end hog-0 web-7d4b9c6f5-x2x8k
sees "the bar names the cause" 'CCCCCC'
press / C-u '(' Enter
sees "filter: a wrong one is told" 'no regular expression'
press Escape
sees "filter: the old one stays" 'filter: shop/web'

press Enter
sees "a row opens: the heat map" 'wait for a CPU'
sees "its latencies and times" '(ms|us) │.*[░▒▓█]'
sees "its neighbours" 'ran while it waited for CPU'
check "its events" has 'recent events'
t resize-window -t live -x 60 -y 20
sees "60 x 20: the heat map" '(ms|us) │.*[░▒▓█]'
press q
sees "60 x 20: back to the table" '^NAME .*CPU% WAIT%'
check "60 x 20: no line is longer" test "$(screen | LC_ALL=C.UTF-8 wc -L)" -le 60
check "60 x 20: 20 lines" test "$(screen | wc -l)" = 20
t resize-window -t live -x 200 -y 50
press Enter
sees "200 x 50: the hog is among the neighbours" '[0-9]m?s +crypto/hog-0/miner'
press q
sees "200 x 50: more columns" 'WHERE TIME GOES.*DISK.*FSYNC.*RESP.*REQ/s.*RETR.*CSW/s'
check "200 x 50: whole names" has '^shop/web-7d4b9c6f5-x2x8k/web '
t resize-window -t live -x 80 -y 24

press / C-u Enter
press g
sees "by pod" 'by pod'
sees "by pod: no container's name" '^shop/we[^/]*x2x8k '
press g
sees "by workload" 'by workload'
sees "by workload: nobody told it, so it is the pod" '^shop/we[^/]*x2x8k '
press g
sees "by namespace" '^crypto  '
press g
sees "by container again" 'by container'
press '?'
sees "help" 'filter names by a regex'
press q
press s
press r
press +
sees "another interval" 'every 2 s'
press -
press Space
sees "frozen" 'FROZEN'
before=$(screen | tail -n +3)
sleep 2.5
check "frozen: nothing moves" test "$(screen | tail -n +3)" = "$before"
press Space
wait_until 5 has_not FROZEN
check "not frozen any more" has_not FROZEN

# ---- serve goes away and comes back, on the same socket
stop_bramble
sees "serve is gone: said so" 'is gone, trying again'
check "serve is gone: the last rows stay" has 'crypto/.*miner'
start_bramble
check "serve is back: reconnected" wait_until 15 has_not 'is gone'
sees "serve is back: rows" 'crypto/.*miner'
press q
check_left "q" 0

# ---- other ends
for signal in INT TERM HUP; do
	start_top --socket="$socket"
	wait_until 10 has '^NAME'
	kill -$signal "$(top_pid)"
	check_left "SIG$signal" 0
done
start_top --socket="$socket"
wait_until 10 has '^NAME'
kill -SEGV "$(top_pid)"
check_left "a crash" 139
start_top --socket="$socket"
wait_until 10 has '^NAME'
pid=$(top_pid)
t kill-server
check "a closed terminal ends it" wait_until 5 sh -c "! kill -0 $pid 2>/dev/null"

# ---- other terminals
top_term=vt100 top_locale=C
start_top --socket="$socket"
sees "vt100 without UTF-8: rows" 'crypto/.*miner'
press Down
press Enter
sees "vt100: a heat map of ASCII" '(ms|us) \|'
check "vt100: nothing but ASCII" sh -c "! tmux -S $tmux_socket capture-pane -p -t live | LC_ALL=C grep -q '[^ -~]'"
press q q
check_left "vt100" 0
top_locale=
for top_term in linux xterm screen tmux-256color; do
	start_top --socket="$socket"
	sees "TERM=$top_term: rows" 'crypto/.*miner'
	for size in '20 5' '1 1'; do
		t resize-window -t live -x "${size% *}" -y "${size#* }"
		sleep 0.3
	done
	t resize-window -t live -x 80 -y 24
	sees "TERM=$top_term: rows, after a screen of 20 x 5, and one of 1 x 1" 'crypto/.*miner'
	press q
	check_left "TERM=$top_term" 0
done
# Those on which nothing can be drawn.
top_term=''
for top_prefix in 'TERM=dumb' 'TERM=nosuch' 'TERM=' 'env -u TERM'; do
	start_top --socket="$socket" --interval=300ms
	sees "$top_prefix: says why there is no live view" 'no live view: TERM'
	sees "$top_prefix: tables" '^NAME .*CPU%'
	kill -INT "$(top_pid)"
	check_left "$top_prefix" 0
done
top_prefix=
start_top --socket="$socket" --mouse
sees "the mouse is on" '^NAME'
check "the mouse is on: asked for" wait_until 3 sh -c "[ \"\$(tmux -S $tmux_socket display-message -p -t live '#{mouse_any_flag}')\" = 1 ]"
press q
check_left "the mouse is off again" 0
check "the mouse is off again: told" test "$(pane '#{mouse_any_flag}')" = 0

# ---- a serve that does not answer
start_top --socket="$socket"
sees "a busy serve" '^NAME'
kill -STOP "$bramble_pid"
sees "a busy serve: said so" 'is busy, waiting for it'
kill -CONT "$bramble_pid"
check "a busy serve: it answers again" wait_until 10 has_not 'is busy'
press q
check_left "a busy serve" 0
kill -STOP "$bramble_pid"
start_top --socket="$socket"
sees "a busy serve from the start: said so" 'is busy: it has not answered for 2 s'
check "a busy serve from the start: no second probe" has_not 'loading a probe'
kill -CONT "$bramble_pid"
sees "a busy serve from the start: rows, once it answers" 'crypto/.*miner'
press q
check_left "a busy serve from the start" 0
kill -STOP "$bramble_pid"
start_top --socket="$socket"
sees "nobody waits longer than he wants" 'is busy: it has not answered for 2 s'
kill -INT "$(top_pid)"
check_left "SIGINT while serve is busy" 0
in_background "$BRAMBLE" top --once --socket="$socket" </dev/null >"$tmp/out" 2>&1
sleep 3
kill -CONT "$bramble_pid"
wait "$background_pid"
check "--once waits for a busy serve" test $? = 0
check "--once waits for a busy serve: says so, and loads none" sh -c "grep -q 'is busy: it has not' $tmp/out &&
	grep -q crypto/hog-0/miner $tmp/out && ! grep -q 'loading a probe' $tmp/out"

# ---- whose probe, whose rights
# refused WHAT REGEX COMMAND...: it ends with 1 and says why, and loads no probe
refused() {
	local what=$1 why=$2
	shift 2
	"$@" --once </dev/null >"$tmp/out" 2>&1
	check "$what: fails" test $? = 1
	check "$what: says why" grep -qE "$why" "$tmp/out"
	check "$what: in one line" test "$(wc -l <"$tmp/out")" = 1
}
: >"$tmp/file"
refused "no socket" "$tmp/file is no socket" "$BRAMBLE" top --socket="$tmp/file"
in_background python3 -c '
import socket, sys
s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen()
while True:
    c = s.accept()[0]
    if c.recv(999):
        c.sendall(b"HTTP/1.0 404 Not Found\r\nContent-Length: 0\r\n\r\n")
    c.close()' "$tmp/other.sock"
wait_until 5 test -S "$tmp/other.sock"
refused "another program's socket" 'no second probe is loaded where somebody listens' "$BRAMBLE" top --socket="$tmp/other.sock"
chown 65534 "$tmp/other.sock"
chmod 600 "$tmp/other.sock"
refused "root, who may not everything" 'may not open .*: permission denied' \
	setpriv --bounding-set=-dac_override,-dac_read_search "$BRAMBLE" top --socket="$tmp/other.sock"
kill -KILL "$bramble_pid"
wait "$bramble_pid" 2>/dev/null
bramble_pid=
"$BRAMBLE" top --once --socket="$socket" --kube.log-dir="$log_dir" </dev/null >"$tmp/out" 2>&1
check "a socket that is left over: a probe is loaded" grep -q 'crypto/hog-0/miner' "$tmp/out"
check "a socket that is left over: said so" grep -q "nobody listens at $socket any more" "$tmp/out"
start_bramble
start_top --socket="$tmp/none.sock" --kube.log-dir="$log_dir"
sees "a probe of its own: rows" 'crypto/.*miner'
check "a probe of its own: said so" has 'a probe of its own'
press q
check_left "a probe of its own" 0
check "a probe of its own: said before it is loaded" has 'loading a probe \.\.\.'
t kill-server

cp "$BRAMBLE" "$tmp/bramble"
chmod 755 "$tmp" "$tmp/bramble"
as_nobody() { setpriv --reuid=65534 --regid=65534 --clear-groups "$tmp/bramble" top "$@"; }
chmod 600 "$socket"
as_nobody --once --socket="$socket" >"$tmp/out" 2>&1
check "not root, not allowed: fails" test $? = 1
check "not root, not allowed: says why" grep -q "may not open $socket: permission denied" "$tmp/out"
chmod 666 "$socket"
check "not root, but allowed: works" sh -c "setpriv --reuid=65534 --regid=65534 --clear-groups '$tmp/bramble' top --once --socket='$socket' | grep -q crypto/hog-0/miner"

# ---- without a terminal
"$BRAMBLE" top --socket="$socket" --batch=3 --interval=200ms --group=namespace </dev/null >"$tmp/out" 2>&1
check "--batch 3: ends with 0" test $? = 0
check "--batch 3: three tables" test "$(grep -c '^NAME' "$tmp/out")" = 3
check "--batch 3: by namespace" grep -q '^crypto  ' "$tmp/out"
"$BRAMBLE" top --socket="$socket" --batch=2 --json --interval=200ms </dev/null >"$tmp/out" 2>&1
check "--batch 2 --json: two objects" test "$(jq -s length "$tmp/out")" = 2
finish
