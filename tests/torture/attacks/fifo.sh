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
for flag in kube.token-file kube.ca-file web.config.file btf; do
	for file in "$tmp/fifo" /dev/zero "$tmp"; do
		tried "--$flag=$(basename "${file/#$tmp/a }")"
		bramble_names=(--kube.source=kubelet --kube.kubelet-url=https://127.0.0.1:1 --kube.insecure)
		spawn_bramble "--$flag=$file"
		bound_that "--$flag=${file/#$tmp/TMP}: it is ready or has ended after a few seconds" wait_until 3 decides
		bound "RssAnon" "$(anon_kb 2>/dev/null | grep . || echo 0)" "<" 16384 kB
		if kill -0 "$bramble_pid" 2>/dev/null; then
			stop_bramble
		else
			wait "$bramble_pid"
			note "$(tail -n 1 "$bramble_log")"
			bramble_pid=
		fi
	done
done
finish
