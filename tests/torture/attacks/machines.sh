#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# In virtual machines: CPUs that are taken away under load, a first CPU that is not there at the start, and
# a clock that is set. `make test-vm` has the same.
cd "$(dirname "$0")/../../.." || exit
attack=machines
kernels=${TORTURE_KERNELS:-debian-5.10 debian-6.12-16k}
if [ -n "${SHORT:-}" ]; then
	echo "SKIP integration torture-machines: the stage test-vm has it"
	exit 0
fi
# shellcheck disable=SC2086 # a list
VM_ONLY=hotplug,clock ${MAKE:-make} --no-print-directory test-vm KERNELS="$kernels" 2>&1 | tee build/torture/machines.out
status=${PIPESTATUS[0]}
row() { echo "ROW|$attack|$1|$2|$3|$4"; }
for kernel in $kernels; do
	for test in hotplug clock; do
		case $test in
		hotplug) words='hotplug|unplugged-0|first-gone-0' tried="CPUs that come and go, $kernel" ;;
		clock) words=clock tried="a clock that is set, $kernel" ;;
		esac
		good=$(grep -cE "^PASS vm $kernel: ($words)" build/torture/machines.out)
		bad=$(grep -cE "^FAIL vm $kernel: ($words)" build/torture/machines.out)
		row "$tried" "checks that fail, of $((good + bad)): $bad" "== 0" \
			"$([ "$good" -gt 0 ] && [ "$bad" = 0 ] && echo holds || echo BROKEN)"
		[ "$good" -gt 0 ] && [ "$bad" = 0 ] || status=1
	done
done
exit "$status"
