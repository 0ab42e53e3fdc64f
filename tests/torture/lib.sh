# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# shellcheck shell=bash disable=SC2034,SC2154 # variables of the attacks and of the integration tests' lib.sh
#
# What the attacks share, beside all that the integration tests' lib.sh has: rows of the table, a scraper
# that adds up, cgroups of another user, a witness whose numbers must be exact whatever others do.
#
#   SCALE   how much of everything: 1 is what the table in docs/torture.md has
#   SHORT   set: seconds of it, for `make test`; no time is judged
# shellcheck source=../../integration/lib.sh # as the attacks see it
. "$(dirname "${BASH_SOURCE[0]}")/../integration/lib.sh"

attack=$test_name
test_name=torture-$attack
SCALE=${SCALE:-1}
SHORT=${SHORT:-}
programs=$workloads/torture
# All that an attack makes has this in its name, so that it can be found and removed.
mark=$(random_hex 8)
# The same for what is not to be counted with it: pods that attack.
hostile_mark=$(random_hex 8)

# Another user must be able to run what is in here.
chmod 711 "$tmp"
mkdir -m 755 "$tmp/bin" "$tmp/share"
cp "$programs"/{cgroups,containers,clients} "$workloads"/{burst,spin} "$tmp/bin/"

# ---------------------------------------------------------------- how much

# scaled N [LEAST [SHORT]]: N * SCALE, rounded, and at least LEAST; in the short form SHORT, if it is given.
scaled() {
	if [ -n "$SHORT" ] && [ -n "${3:-}" ]; then
		echo "$3"
	else
		awk "BEGIN { n = int($1 * $SCALE + 0.5); least = ${2:-1}; print (n > least ? n : least) }"
	fi
}

# ---------------------------------------------------------------- rows of the table

what_was_tried=
tried() { what_was_tried=$*; }

row() { # FOUND BOUND VERDICT
	echo "ROW|$attack|$what_was_tried|$1|$2|$3"
	what_was_tried=
}

# bound WHAT FOUND OPERATOR LIMIT [UNIT]: what was found, and what it must be, as awk compares numbers.
# A number that is missing breaks the bound.
bound() {
	local what=$1 found=$2 operator=$3 limit=$4 unit=${5:+ $5}
	if [ -n "$found" ] && [ -n "$limit" ] && awk "BEGIN { exit !(($found) $operator ($limit)) }" 2>/dev/null; then
		pass "$what: $found$unit, bound $operator $limit"
		row "$what: $found$unit" "$operator $limit$unit" holds
	else
		fail "$what: ${found:-nothing found}$unit, bound $operator $limit"
		row "$what: ${found:-nothing found}$unit" "$operator $limit$unit" BROKEN
	fi
}

# bound_time: the same for a time, which the short form shows and does not judge.
bound_time() {
	if [ -n "$SHORT" ]; then
		note "$1: $2 ${5:-}, not judged here"
	else
		bound "$@"
	fi
}

# bound_scrapes: how long the worst one took. The time in which bramble or the scraper waited for a CPU
# that others had does not count: a machine that is busy with other things is no fault of either.
bound_scrapes() {
	bound_time "worst scrape, of $(found scrapes) of up to $(($(found bytes) / 1000)) kB (with waits for a CPU $(
		found worst_ms) ms; $(found worst_cpu_ms) ms of CPU)" "$(found worst_own_ms)" "<" 500 ms
	bound "scrapes that failed" "$(found failed)" == 0
}

# bound_that WHAT COMMAND...: something that holds or does not.
bound_that() {
	local what=$1
	shift
	if "$@"; then
		pass "$what"
		row "$what" yes holds
	else
		fail "$what"
		row "$what" yes BROKEN
	fi
}

calc() { awk "BEGIN { printf \"%.${2:-0}f\", $1 }"; } # EXPRESSION [DIGITS]
abs() { echo "${1#-}"; }

# ---------------------------------------------------------------- a scraper

scraper_pid=
# Counters of which a container of tests/torture/containers.c makes as many as it says.
counters=(bramble_fsync_seconds_count bramble_tcp_connect_seconds_count bramble_cpu_context_switches_total)

# start_scraper INTERVAL_MS: of the bramble that runs. found NAME [GROUP] is what it found by now.
start_scraper() {
	rm -f "$tmp/scraped"
	in_background "$programs/scraper" "${bramble_url##*:}" "$1" "$bramble_pid" "$mark" "$tmp/scraped" "${counters[@]}"
	scraper_pid=$background_pid
	wait_until 20 test -s "$tmp/scraped" || give_up "the scraper has no scrape"
}
stop_scraper() {
	kill -TERM "$scraper_pid" 2>/dev/null
	wait "$scraper_pid"
	scraper_pid=
}

found() { # NAME [GROUP]
	awk -v name="$1" -v group="${2:-}" '$1 == name && (group == "" || $2 == group) { print $NF; exit }' "$tmp/scraped"
}
# What was counted of a counter for the containers, whoever it was counted for.
found_all() { echo $(($(found "$1" ours) + $(found "$1" overflow) + $(found "$1" unknown))); }

# Whether the fsyncs are there by now. A pod without a name is shown after 15 s.
all_shown() { [ "$(found_all bramble_fsync_seconds_count)" -ge "$(cut -d' ' -f4 "$tmp/done")" ]; }

# bound_counted: whether all that containers.c did, as it says in $tmp/done, was counted, and once.
bound_counted() {
	local containers fsyncs connections least most switches
	read -r _ containers _ fsyncs _ connections _ least most <"$tmp/done"
	switches=$(found_all bramble_cpu_context_switches_total)
	note "$containers containers: $(for name in ours overflow unknown; do
		echo "$name $(found bramble_fsync_seconds_count $name) fsyncs $(found bramble_cpu_context_switches_total $name) switches;"; done | xargs)"
	bound "fsyncs not counted, of $fsyncs" $((fsyncs - $(found_all bramble_fsync_seconds_count))) == 0
	bound "connections not counted, of $connections" $((connections - $(found_all bramble_tcp_connect_seconds_count))) == 0
	bound "switches not counted, of $least" $((least > switches ? least - switches : 0)) "<=" $((least / 1000))
	bound "switches counted twice" $((switches > most ? switches - most : 0)) "<=" $((least / 1000))
	bound "series that stood twice" "$(found twice)" == 0
}

# Whether RssAnon is near what it was: $1 kB, and MARGIN kB, which is what the heap keeps.
MARGIN=4096
anon_is_back() { [ "$(anon_kb)" -le $(($1 + MARGIN)) ]; }

# ---------------------------------------------------------------- other users

# delegate NAME: a cgroup for uid 65534, as systemd delegates one. Sets delegated, a full path.
delegate() {
	make_cgroup "/torture-$mark-$1"
	delegated=$cgroup2/torture-$mark-$1
	give_away "$delegated"
}
give_away() { chown 65534:65534 "$1" "$1"/cgroup.{procs,threads,subtree_control}; } # CGROUP

# as_nobody CGROUP COMMAND...: in this cgroup, as uid 65534, without any privilege.
as_nobody() {
	# shellcheck disable=SC2016 # expanded by the inner shell
	exec sh -c 'echo 0 >"$1/cgroup.procs" && shift && exec setpriv --reuid=65534 --regid=65534 --clear-groups \
		--inh-caps=-all --no-new-privs "$@"' sh "$@"
}

# hostile_pod POD: a pod whose container's cgroup uid 65534 may do with as it likes. Sets hostile, a full path.
hostile_pod() {
	local uid id
	uid=$hostile_mark-ffff-4000-8000-$(random_hex 12)
	id=$(random_hex 64)
	pod_uid[$1]=$uid
	make_log_dir hostile "$1" "$uid" main
	make_cgroup "/kubepods/burstable/pod$uid/$id"
	hostile=$cgroup2/kubepods/burstable/pod$uid/$id
	give_away "$hostile"
}

# ---------------------------------------------------------------- clients

# make_certificate: one for this machine, and its key, as $tmp/server.pem and $tmp/server.key.
make_certificate() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=torture \
		-addext subjectAltName=IP:127.0.0.1 -keyout "$tmp/server.key" -out "$tmp/server.pem" 2>/dev/null ||
		give_up "openssl cannot make a certificate"
	chmod 600 "$tmp/server.key"
}

# bcrypt PASSWORD COST
bcrypt() {
	python3 -W ignore -c 'import crypt, sys
print(crypt.crypt(sys.argv[1], crypt.mksalt(crypt.METHOD_BLOWFISH, rounds=2 ** int(sys.argv[2]))))' "$@"
}

# ask ARGS...: /metrics as another client than the attackers, with curl's arguments. Prints the status, 000
# for none in 10 s. FROM is its address.
FROM=127.0.0.2
ask() { curl -sk -m 10 --interface "$FROM" -o "$tmp/page" -w '%{http_code}' "$@" "$bramble_url/metrics"; }

# asks COUNT INTERVAL COMMAND...: prints how many times of so many the command does not print 200.
asks() {
	local left=$1 interval=$2 bad=0
	shift 2
	while ((left-- > 0)); do
		[ "$("$@")" = 200 ] || bad=$((bad + 1))
		sleep "$interval"
	done
	echo $bad
}

socket_answers() { curl -sf -m 10 -o /dev/null --unix-socket "$tmp/bramble.sock" http://localhost/readyz; }
top_works() {
	"$BRAMBLE" top --once --interval=200ms --socket="$tmp/bramble.sock" >"$tmp/top" 2>&1
	grep -q '^NAME ' "$tmp/top" || { head -n 3 "$tmp/top"; return 1; }
}

# ---------------------------------------------------------------- a witness

# A pod that works while others attack. Its switches are compared with the kernel's own count of them.
start_witness() {
	start_pod others witness main burst 3600 500 2000 || give_up "the witness does not start"
	wait_until 20 witness_is_named || fail "the witness has its name"
	stop_witness_and_read
	witness_kernel=$kernel_switches
	witness_counted=$counted_switches
	kill -CONT "${container_pid[witness]}"
}
witness_is_named() {
	scrape
	[ "$(metric_or_0 bramble_cpu_context_switches_total namespace=others pod=witness)" != 0 ]
}

# What the kernel and bramble have counted for it until now: it stands still meanwhile.
stop_witness_and_read() {
	local pid=${container_pid[witness]}
	kill -STOP "$pid"
	wait_until 5 grep -q '^State:.T' "/proc/$pid/status"
	sleep 0.2
	kernel_switches=$(awk '/ctxt_switches:/ { n += $2 } END { print n }' "/proc/$pid/status")
	scrape
	counted_switches=$(calc "$(metric_or_0 bramble_cpu_context_switches_total namespace=others pod=witness)")
}

bound_witness() {
	local kernel counted
	stop_witness_and_read
	kernel=$((kernel_switches - witness_kernel))
	counted=$((counted_switches - witness_counted))
	kill -CONT "${container_pid[witness]}"
	# A kernel under a hypervisor leaves out a program now and then.
	bound "another pod's switches that are missing, of $kernel" $((kernel - counted)) "<=" $((kernel / 1000))
	bound "and that are not its own" $((counted - kernel)) "<=" $((kernel / 1000))
}

# ---------------------------------------------------------------- the end

# Containers of this attack that its programs could not remove, as they were killed.
remove_marked() {
	local dir pid
	for dir in "$cgroup2"/kubepods/burstable/pod{"$mark","$hostile_mark"}-* "$cgroup2"/torture-"$mark"-*; do
		[ -d "$dir" ] || continue
		find "$dir" -name cgroup.procs -exec cat {} + 2>/dev/null | while read -r pid; do
			kill -KILL "$pid" 2>/dev/null
		done
		for _ in 1 2 3 4 5 6 7 8 9 10; do
			find "$dir" -depth -type d -exec rmdir {} + 2>/dev/null
			[ -d "$dir" ] || break
			sleep 0.1
		done
	done
}

torture_cleanup() {
	local pid
	[ "$BASHPID" = $$ ] || return
	trap '' INT TERM HUP
	# They remove what they have made.
	for pid in "${started_pids[@]}"; do
		kill -CONT "$pid" 2>/dev/null && kill -TERM "$pid" 2>/dev/null
	done
	[ -z "$bramble_pid" ] || kill -CONT "$bramble_pid" 2>/dev/null
	sleep 0.2
	remove_marked
	cleanup
}
trap torture_cleanup EXIT
note_cgroup "/kubepods/burstable/pod$mark"
