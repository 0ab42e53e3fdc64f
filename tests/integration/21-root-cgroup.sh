#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# The root cgroup has processes and kernel threads: unit="root" and unit="kernel". Here are a busy
# process, and many processes that run only once and have no memory left at their last switch.
# unit="kernel" must equal what the kernel counted for its threads, with BTF and without.
. "$(dirname "$0")/lib.sh"

# books URL FILE: the metrics into FILE, and the switches of each of the kernel's threads (PF_KTHREAD
# in /proc/PID/stat, see proc_pid_stat(5)) just before and just after into FILE.books.
# books --grown BEFORE AFTER: how many switches they made at least and at most between the two
# times of the metrics, and how many threads ended, whose last switches nobody knows.
cat >"$tmp/books" <<'END'
import json, os, re, sys, urllib.request

def read():
    found = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat") as file:
                flags = int(file.read().rpartition(")")[2].split()[6])
            if flags & 0x200000:
                with open(f"/proc/{pid}/status") as file:
                    found[pid] = sum(map(int, re.findall(r"ctxt_switches:\s*(\d+)", file.read())))
        except OSError:
            pass
    return found

def grown(since, until):
    return sum(count - since.get(pid, 0) for pid, count in until.items())

if sys.argv[1] == "--grown":
    before, after = (json.load(open(file)) for file in sys.argv[2:])
    print(grown(before[1], after[0]), grown(before[0], after[1]), len(set(before[0]) - set(after[0])))
else:
    books = [read()]
    metrics = urllib.request.urlopen(sys.argv[1]).read()
    books.append(read())
    open(sys.argv[2], "wb").write(metrics)
    json.dump(books, open(sys.argv[2] + ".books", "w"))
END

switches() { metric_or_0 bramble_cpu_context_switches_total unit="$1" | cut -d. -f1; }

# in_root COMMAND...: a process of this test, moved there. Sets background_pid.
in_root() {
	# shellcheck disable=SC2016 # expanded by the inner shell
	in_background sh -c 'echo $$ >"$0/cgroup.procs"; exec "$@"' "$cgroup2" "$@"
}

short_lived=1000
test_mode() { # MODE
	local mode=$1 root kernel busy own least most gone
	start_bramble
	sleep 1
	python3 "$tmp/books" "$bramble_url/metrics" "$tmp/metrics" || give_up "cannot scrape"
	mv "$tmp/metrics.books" "$tmp/before"
	root=$(switches root) kernel=$(switches kernel)
	in_root "$workloads/burst" 60 500 1000 # longer than all below
	busy=$background_pid
	# shellcheck disable=SC2016
	in_root sh -c 'i=0; while [ $i -lt "$0" ]; do /bin/true; i=$((i + 1)); done' $short_lived
	wait "$background_pid"
	own=$(awk '/ctxt_switches:/ { sum += $2 } END { print sum + 0 }' "/proc/$busy/status")
	python3 "$tmp/books" "$bramble_url/metrics" "$tmp/metrics" || give_up "cannot scrape"
	kill "$busy"
	wait "$busy" 2>/dev/null
	root=$(($(switches root) - root)) kernel=$(($(switches kernel) - kernel))
	read -r least most gone < <(python3 "$tmp/books" --grown "$tmp/before" "$tmp/metrics.books")
	check_holds "$mode: the busy process ran ($own switches)" "$own > 200"
	check_holds "$mode: it and $short_lived short-lived ones are unit=\"root\" ($root switches)" \
		"$root >= $own + $short_lived"
	check_holds "$mode: unit=\"kernel\" ($kernel) has the switches of the kernel's threads ($least to $most, $gone ended)" \
		"$kernel >= $least - 5 && $kernel <= $most + 5 + 50 * $gone && $least > 0"
	stop_bramble
}

for_each_btf test_mode
finish
