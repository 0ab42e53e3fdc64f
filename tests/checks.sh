# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# shellcheck shell=bash disable=SC2154 # stage and test_name: set by who sources it
#
# How bash tests say what they found: a line for each check. $stage comes first in it, and $test_name if there is one.
# $failed is 1 as soon as something failed.
failed=0

print_result() { # PASS|FAIL|SKIP WHAT...
	local word=$1
	shift
	echo "$word $stage${test_name:+ $test_name}: $*"
}

pass() { print_result PASS "$@"; }
fail() {
	print_result FAIL "$@"
	failed=1
}
skip() { # what: reason
	if [[ $* == ?*": "?* ]]; then
		print_result SKIP "$@"
	else
		fail "$*: skipped without a reason"
	fi
}
note() { echo "    $*"; }

# check WHAT COMMAND...: passes if the command succeeds.
check() {
	local what=$1
	shift
	if "$@"; then pass "$what"; else fail "$what"; fi
}

# check_holds WHAT EXPRESSION: an awk expression on numbers, such as "1.5 < 2".
# An empty operand (a metric that is not there) is an error, and fails.
check_holds() {
	if awk "BEGIN { exit !($2) }" 2>/dev/null; then
		pass "$1"
	else
		fail "$1: does not hold: $2"
	fi
}

finish() { exit $failed; }

# Ends the test before its time: the rest of it makes no sense.
give_up() {
	fail "$*"
	exit 1
}
