#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# Runs: beside others
#
# Every command and every flag, as `bramble help` and --help list them, with the wrong
# input each could get: the documented exit code, and one line on standard error. What is new is
# tested as soon as it is in the help.
. "$(dirname "$0")/lib.sh"

commands=$("$BRAMBLE" help | awk '/^Commands:/ { on = 1; next } !NF { on = 0 } on { print $1 }')
check "help lists the commands ($(tr '\n' ' ' <<<"$commands"))" test "$(wc -l <<<"$commands")" -ge 6

# flags_of COMMAND: "NAME KIND" a line; kind is switch, value or list
flags_of() {
	"$BRAMBLE" "$1" --help | sed -n \
		-e 's/^  --\[no-\]\([^ ]*\).*/\1 switch/p' \
		-e 's/^  --\([^ =[]*\)=[^ ]* \.\.\..*/\1 list/p;t' \
		-e 's/^  --\([^ =[]*\)=.*/\1 value/p'
}

# An empty value means something for these: none, or all.
may_be_empty=" web.config.file web.socket kube.labels filter socket "

wrong=()

# ends CODE PATTERN WHAT ARGUMENT...: like refuses() elsewhere, but only what is wrong is noted.
ends() {
	local code=$1 pattern=$2 what=$3 got
	shift 3
	timeout 10 "$BRAMBLE" "$@" </dev/null >"$tmp/out" 2>"$tmp/err"
	got=$?
	if [ $got != "$code" ]; then
		wrong+=("$what: ended with $got, not $code")
	elif [ "$(wc -l <"$tmp/err")" != 1 ]; then
		wrong+=("$what: $(wc -l <"$tmp/err") lines on standard error")
	elif ! grep -qF -- "$pattern" "$tmp/err"; then
		wrong+=("$what: does not say \"$pattern\": $(head -c 200 "$tmp/err")")
	fi
}

verdict() { # WHAT
	if [ ${#wrong[@]} = 0 ]; then
		pass "$1"
	else
		printf '    %s\n' "${wrong[@]}"
		fail "$1: ${wrong[0]}"
	fi
	wrong=()
}

# ---- help, and output that cannot be written
for command in $commands; do
	for words in "$command --help" "$command -h" "help $command"; do
		# shellcheck disable=SC2086 # words
		"$BRAMBLE" $words >"$tmp/out" 2>"$tmp/err" || wrong+=("$words: ended with $?")
		[ ! -s "$tmp/err" ] || wrong+=("$words: says $(head -c 200 "$tmp/err")")
		[ "$words" = "help help" ] || grep -qE '^([Uu]sage): bramble' "$tmp/out" || wrong+=("$words: no usage")
		# A path is not broken.
		[ -z "$(awk 'length > 80 && NF > 1' "$tmp/out")" ] || wrong+=("$words: wider than 80 columns")
	done
done
verdict "every command has its help, at most 80 columns wide"

prints=("--help" "--version" "version" "help" "explain /a" "check" "check --json")
for command in $commands; do prints+=("$command --help" "help $command"); done
for words in "${prints[@]}"; do
	# shellcheck disable=SC2086
	timeout 10 "$BRAMBLE" $words >/dev/full 2>"$tmp/err"
	echo "$?" >"$tmp/code"
	[ "$(cat "$tmp/code")" = 1 ] || wrong+=("$words to a full device: ended with $(cat "$tmp/code")")
	[ "$(grep -c 'standard output: No space left' "$tmp/err") $(wc -l <"$tmp/err")" = "1 1" ] ||
		wrong+=("$words to a full device: says $(head -c 300 "$tmp/err")")
	# shellcheck disable=SC2086
	timeout 10 "$BRAMBLE" $words >&- 2>"$tmp/err"
	echo "$?" >"$tmp/code"
	[ "$(cat "$tmp/code")" = 1 ] || wrong+=("$words to a closed output: ended with $(cat "$tmp/code")")
	grep -q 'standard output: Bad file descriptor' "$tmp/err" || wrong+=("$words to a closed output: says $(head -c 300 "$tmp/err")")
done
verdict "what cannot be written, to a full device or a closed one, is 1 and one line, for all that prints"

# A reader that is gone ends it by the signal, or, where that is ignored, is an error.
for words in version "check --json" "help serve"; do
	# shellcheck disable=SC2086
	(
		trap '' PIPE
		sleep 0.2
		"$BRAMBLE" $words 2>"$tmp/err"
		echo $? >"$tmp/code"
	) | true
	[ "$(cat "$tmp/code")" = 1 ] || wrong+=("$words: ended with $(cat "$tmp/code")")
	[ "$(grep -c 'standard output: Broken pipe' "$tmp/err") $(wc -l <"$tmp/err")" = "1 1" ] ||
		wrong+=("$words: says $(head -c 300 "$tmp/err")")
done
verdict "a closed pipe is 1 and one line"

# ---- commands
ends 2 "a command is missing" "no command"
for word in "" x -x --no-such-flag serv; do ends 2 "unknown command \"$word\"" "the command \"$word\"" "$word"; done
ends 2 'unknown command "x"' "help x" help x
ends 2 '"top"' "help serve top" help serve top
ends 2 "CGROUP_PATH" "explain without a path" explain
ends 2 'takes one name, and not "b" as well' "why with two names" why a b
for command in $commands; do
	[[ " explain help why " == *" $command "* ]] ||
		ends 2 'takes no argument "surplus"' "$command surplus" "$command" surplus
	ends 2 "unknown flag --no-such-flag" "$command --no-such-flag" "$command" --no-such-flag
	ends 2 "unknown flag -x" "$command -x" "$command" -x
	ends 2 "unknown flag --;" "$command --=" "$command" --=x
done
verdict "wrong words are 2 and one line, for every command"

# ---- flags
all_flags=$(for command in $commands; do flags_of "$command"; done | awk '{ print $1 }' | sort -u)
for command in $commands; do
	own=$(flags_of "$command" | awk '{ print $1 }')
	for flag in $all_flags; do
		grep -qxF -- "$flag" <<<"$own" ||
			ends 2 "unknown flag --$flag" "$command with another command's --$flag" "$command" "--$flag=1"
	done
	while read -r flag kind; do
		[ -n "$flag" ] || continue
		if [ "$kind" = switch ]; then
			ends 2 "--$flag takes no value" "$command --$flag=on" "$command" "--$flag=on"
			ends 2 "--$flag is given more than once" "$command --$flag --no-$flag" "$command" "--$flag" "--no-$flag"
			continue
		fi
		ends 2 "--$flag needs a value" "$command --$flag at the end" "$command" "--$flag"
		ends 2 "--$flag needs a value" "$command --$flag before a flag" "$command" "--$flag" --help
		ends 2 "unknown flag --no-$flag" "$command --no-$flag" "$command" "--no-$flag"
		[[ $may_be_empty == *" $flag "* ]] || ends 2 "--$flag" "$command --$flag with nothing" "$command" "--$flag="
		[ "$kind" = list ] || ends 2 "--$flag" "$command --$flag twice" "$command" "--$flag=1m" "--$flag=1m"
	done < <(flags_of "$command")
done
verdict "no value, an empty one, one too many, a flag twice or of another command are 2 and one line, for every flag"

# Numbers, durations and choices, by what the parser says of a value that is none of them.
for command in $commands; do
	while read -r flag kind; do
		[ "$kind" = value ] || continue
		"$BRAMBLE" "$command" "--$flag=no such value" --no-such-flag >/dev/null 2>"$tmp/err"
		case $(cat "$tmp/err") in
		*"--$flag: "*"is not a whole number"*)
			values=("-1" "+1" "1e3" "0x10" " 1" "1 " "1.5" 99999999999999999999999999) ;;
		*"--$flag: "*"is not a duration"*)
			values=("-1s" "5" "1.5h" "1s1m" "99999999999999d" "1 s" "s") ;;
		*"--$flag: "*"is not one of"*) values=("1" "*" "none,none" "INFO") ;;
		*) continue ;;
		esac
		for value in "${values[@]}"; do
			ends 2 "--$flag: " "$command --$flag=$value" "$command" "--$flag=$value"
		done
	done < <(flags_of "$command")
done
verdict "numbers, times and words that are none, or out of range, are 2 and one line, for every flag that takes one"

all_off=()
for flag in $(flags_of serve | awk '$1 ~ /^probe\./ { print $1 }'); do all_off+=("--no-$flag"); done
for command in serve top; do
	ends 2 "all probes are turned off" "$command without a probe" "$command" "${all_off[@]}"
	for url in x http://127.0.0.1 https:// https://x/y; do
		ends 2 "--kube.kubelet-url=$url" "$command --kube.kubelet-url=$url" "$command" "--kube.kubelet-url=$url"
	done
	ends 2 "--kube.labels" "$command --kube.labels=," "$command" --kube.labels=,
done
ends 2 "--metrics.include=(" "serve --metrics.include=(" serve "--metrics.include=("
ends 2 "--metrics.exclude=[" "serve --metrics.exclude=[" serve "--metrics.exclude=["
ends 2 "no family is left" "serve --metrics.exclude=.*" serve "--metrics.exclude=.*"
ends 2 "--web.telemetry-path=metrics" "serve --web.telemetry-path=metrics" serve --web.telemetry-path=metrics
for address in x : 9810 :99999 :-1 ::1 "[::1" "[::1]" 127.0.0.1 :x; do
	ends 2 "--web.listen-address" "serve --web.listen-address=$address" serve "--web.listen-address=$address"
done
ends 2 "--filter=(" "top --filter=(" top "--filter=("
ends 2 "--once and --batch" "top --once --batch=2" top --once --batch=2
verdict "what no run could make sense of is 2 and one line"

# ---- variables
"$BRAMBLE" --help-table | awk -F'\t' '$1 == "command" { command = $2 } $1 == "flag" { print command, $2, $3, $8 }' >"$tmp/variables"
# Kubernetes sets BRAMBLE_SERVICE_HOST and the like for a Service called bramble, BRAMBLE_X_PORT for bramble-x.
while read -r command flag _ variable; do
	[ "$variable" = "BRAMBLE_$(tr 'a-z.-' 'A-Z__' <<<"$flag")" ] || wrong+=("$command --$flag has the variable $variable")
	case $variable in *_PORT | *_PORT_[0-9]* | *_SERVICE_HOST | *_SERVICE_PORT_* | BRAMBLE_SANDBOX_KILL)
		wrong+=("$command --$flag: $variable may be set by somebody else") ;;
	esac
done <"$tmp/variables"
for twice in $(awk '{ print $1 "_" $4 }' "$tmp/variables" | sort | uniq -d); do wrong+=("two flags have one variable: $twice"); done
[ "$(wc -l <"$tmp/variables")" -ge 90 ] || wrong+=("only $(wc -l <"$tmp/variables") flags of all commands have one")
verdict "every flag of every command has a variable, which neither another flag nor a Service has"

# refuses_variable COMMAND VARIABLE VALUE SEPARATOR: it is 2, and the one line begins with the variable
refuses_variable() {
	local words=("$1")
	[ "$1" != explain ] || words+=(/a)
	export "$2=$3"
	ends 2 "bramble $1: $2$4" "$1 with $2=$3" "${words[@]}"
	unset "$2"
}

while read -r command flag kind variable; do
	: >"$tmp/err"
	[ "$kind" = bool ] || "$BRAMBLE" "$command" "--$flag=no such value" --no-such-flag >/dev/null 2>"$tmp/err"
	case $kind/$(cat "$tmp/err") in
	bool/*) refuses_variable "$command" "$variable" maybe ": " ;;
	*"is not a whole number"*) refuses_variable "$command" "$variable" -1 ": " ;;
	*"is not a duration"*) refuses_variable "$command" "$variable" 5 ": " ;;
	*"is not one of"*) refuses_variable "$command" "$variable" "no such value" ": " ;;
	esac
done <"$tmp/variables"
for command in serve top; do
	refuses_variable $command BRAMBLE_KUBE_LABELS , =
	for flag in $(flags_of serve | awk '$1 ~ /^probe\./ { print $1 }'); do export "BRAMBLE_PROBE_$(tr a-z A-Z <<<"${flag#probe.}")=0"; done
	ends 2 "turn one of them on: BRAMBLE_PROBE_SCHED BRAMBLE_PROBE_TCP" "$command without a probe, by variables" $command
	ends 2 "turn one of them on: --probe.sched BRAMBLE_PROBE_TCP" "$command without a probe, by both" $command --no-probe.sched
	unset "${!BRAMBLE_PROBE_@}"
done
for command in serve top check; do
	refuses_variable $command BRAMBLE_KUBE_KUBELET_URL x =x
	refuses_variable $command BRAMBLE_KUBE_SERVER_NAME a:1 =a:1
done
for command in serve top check explain; do
	refuses_variable $command BRAMBLE_KUBE_CGROUP_ROOT /a,b =b
	refuses_variable $command BRAMBLE_KUBE_CGROUP_ROOT /a, " has an empty value"
done
refuses_variable serve BRAMBLE_METRICS_INCLUDE "(" "=("
refuses_variable serve BRAMBLE_METRICS_EXCLUDE ".*" ": no family is left"
refuses_variable serve BRAMBLE_WEB_TELEMETRY_PATH metrics =metrics
refuses_variable serve BRAMBLE_WEB_LISTEN_ADDRESS ":9810,x" ": "
refuses_variable top BRAMBLE_FILTER "(" "=("
export BRAMBLE_ONCE=yes
ends 2 "BRAMBLE_ONCE and --batch exclude each other" "top --batch=2 with BRAMBLE_ONCE" top --batch=2
unset BRAMBLE_ONCE
verdict "a wrong variable is 2 and one line that names it, for every flag"

# A path that is believed if a flag says so.
user=/user.slice/user-1000.slice/user@1000.service
pod=$user/kubepods/pod8a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9
"$BRAMBLE" explain "$pod" >"$tmp/unbelieved"
"$BRAMBLE" explain --kube.cgroup-root="$user" "$pod" >"$tmp/believed"
# explains FILE WHAT ARGUMENT...: like what is in the file, and not a word besides
explains() {
	"$BRAMBLE" explain "${@:3}" "$pod" >"$tmp/out" 2>"$tmp/err" || wrong+=("$2: ended with $?")
	cmp -s "$tmp/out" "$1" || wrong+=("$2: $(cat "$tmp/out")")
	[ ! -s "$tmp/err" ] || wrong+=("$2: says $(cat "$tmp/err")")
}
! cmp -s "$tmp/unbelieved" "$tmp/believed" || wrong+=("the flag changes nothing: $(cat "$tmp/believed")")
export BRAMBLE_KUBE_CGROUP_ROOT=/other,$user
explains "$tmp/believed" "the variable"
explains "$tmp/unbelieved" "the command line beside the variable" --kube.cgroup-root=/other
export BRAMBLE_KUBE_CGROUP_ROOT=wrong
explains "$tmp/believed" "the command line beside a wrong variable" --kube.cgroup-root="$user"
export BRAMBLE_KUBE_CGROUP_ROOT=
explains "$tmp/unbelieved" "an empty variable"
unset BRAMBLE_KUBE_CGROUP_ROOT
export BRAMBLE_SERVICE_HOST=10.96.0.7 BRAMBLE_SERVICE_PORT=9810 BRAMBLE_SERVICE_PORT_METRICS=9810 \
	BRAMBLE_PORT=tcp://10.96.0.7:9810 BRAMBLE_PORT_9810_TCP=tcp://10.96.0.7:9810 BRAMBLE_PORT_9810_TCP_PORT=9810 \
	BRAMBLE_KUBE_CGROUP_ROOT_PORT=tcp://10.96.0.8:1 BRAMBLE_KUBE_CGROUP_ROTO=wrong BRAMBLE_SLOTS=wrong
explains "$tmp/unbelieved" "variables of Services, of nobody, and of another command's flag"
unset "${!BRAMBLE_SERVICE_@}" "${!BRAMBLE_PORT@}" "${!BRAMBLE_KUBE_@}" BRAMBLE_SLOTS
BRAMBLE_JSON=on "$BRAMBLE" check 2>"$tmp/err" | jq -e . >/dev/null || wrong+=("BRAMBLE_JSON=on bramble check prints no JSON: $(cat "$tmp/err")")
verdict "a variable sets its flag, the command line wins, and what is no flag's is ignored"

# An expression that would take gigabytes is refused before it is compiled.
huge='((((a{1,200}){1,200}){1,200}){1,200}){1,200}'
for words in "top --once --filter=$huge" "serve --metrics.include=$huge"; do
	# shellcheck disable=SC2086 # words
	(ulimit -v 300000 && exec timeout 10 "$BRAMBLE" $words) >"$tmp/out" 2>"$tmp/err"
	code=$?
	[ "$code $(grep -c 'its repeats add more than' "$tmp/err") $(wc -l <"$tmp/err")" = "2 1 1" ] ||
		wrong+=("$words: ended with $code: $(head -c 200 "$tmp/err")")
done
verdict "an expression that would take gigabytes is 2 and one line"

# ---- out of memory: with any bound on memory it works, or ends with 1 and says so
for command in version "help serve" "explain /a" check; do
	for kib in $(seq 20000 6000 122000); do
		# shellcheck disable=SC2086
		(ulimit -v "$kib" && exec timeout 10 "$BRAMBLE" $command) >"$tmp/out" 2>"$tmp/err"
		code=$?
		# The dynamic loader ends with 127, and says so itself.
		case $code in
		0) [ -s "$tmp/out" ] || wrong+=("$command in $kib KiB: 0, and nothing printed") ;;
		# What check cannot do is in what it prints.
		1 | 127) [ -s "$tmp/err" ] || { [ "$command" = check ] && [ -s "$tmp/out" ]; } || wrong+=("$command in $kib KiB: ended with $code without a word") ;;
		*) wrong+=("$command in $kib KiB: ended with $code: $(head -c 200 "$tmp/err")") ;;
		esac
	done
done
verdict "without memory it ends with 1 and says so"
finish
