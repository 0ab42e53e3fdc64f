#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# Files that are no files: a FIFO to which nobody writes, a device that never ends, a directory. The start
# must neither hang nor take them.
. "$(dirname "$0")/../lib.sh"

mkfifo "$tmp/fifo"
make_certificate
printf 'tls_server_config: {cert_file: fifo, key_file: server.key}\n' >"$tmp/tls.yml"
# It must be ready or have ended by then, whatever it was given.
decides() { curl -sf -m 1 -o /dev/null "$bramble_url/readyz" || ! kill -0 "$bramble_pid" 2>/dev/null; }
# give FLAG FILE: sets anon_kb_most, and adds to undecided
give() {
	local anon
	bramble_names=(--kube.source=kubelet --kube.kubelet-url=https://127.0.0.1:1 --kube.insecure)
	spawn_bramble "--$1=$2"
	if ! wait_until 3 decides; then
		note "neither ready nor ended: --$1=$2"
		undecided=$((undecided + 1))
	fi
	anon=$(anon_kb 2>/dev/null)
	[ "${anon:-0}" -le "$anon_kb_most" ] || anon_kb_most=$anon
	if kill -0 "$bramble_pid" 2>/dev/null; then
		stop_bramble
	else
		wait "$bramble_pid"
		note "$(tail -n 1 "$bramble_log")"
		bramble_pid=
	fi
}

for flag in kube.token-file kube.ca-file web.config.file btf; do
	tried "--$flag is a FIFO, /dev/zero, a directory"
	undecided=0 anon_kb_most=0
	for file in "$tmp/fifo" /dev/zero "$tmp"; do
		give $flag "$file"
	done
	bound "times that it was neither ready nor had ended after 3 s, of 3" $undecided == 0
	bound "RssAnon at most" $anon_kb_most "<" 16384 kB
done
finish
