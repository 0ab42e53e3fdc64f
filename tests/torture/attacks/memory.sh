#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# Memory is refused, one allocation after the other: to every command, to the start of serve, and to its
# scrapes. tests/allocations/run does it.
cd "$(dirname "$0")/../../.." || exit
attack=memory
[ -z "${SHORT:-}" ] || { echo "SKIP integration torture-memory: the stage of the allocations has it"; exit 0; }
out=build/torture/memory.out
short=$(awk "BEGIN { if (${SCALE:-1} < 1) print \"--short\" }")
${MAKE:-make} --no-print-directory build/tests/refuse.so || exit
# shellcheck disable=SC2086 # none or one
tests/allocations/run $short 2>&1 | tee $out
status=${PIPESTATUS[0]}
good=$(grep -c '^PASS ' $out)
bad=$(grep -c '^FAIL ' $out)
[ "$good" -gt 0 ] && [ "$bad" = 0 ] || status=1
echo "ROW|$attack|allocations refused, one after the other${short:+ (some)}|checks that fail, of $((good + bad)): $bad|== 0|$(
	[ "$status" = 0 ] && echo holds || echo BROKEN)"
exit "$status"
