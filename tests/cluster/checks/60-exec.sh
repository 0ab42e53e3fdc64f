#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# What somebody does who has kubectl alone: bramble's commands through kubectl exec.
. "$(dirname "$0")/../lib.sh"
. "$here/node.sh"

bramble() { k exec -n bramble ds/bramble -- bramble "$@"; }

# In a terminal of 30 rows, for some seconds, and then q.
in_terminal() {
	{ sleep 4; printf q; sleep 5; } |
		timeout 20 script -qec "stty rows 30 cols 110; kubectl --kubeconfig=$node/admin.conf exec -it -n bramble ds/bramble -- bramble $*" /dev/null
}

text=$(bramble top --once)
check "top --once works" [ $? = 0 ]
check "it shows pods by their names" grep -q 'kube-system/etcd-node1' <<<"$text"
echo "$text" | head -n 20
text=$(bramble check)
code=$?
check "check works, and finds all that is needed" [ $code = 0 ]
sed 's/^/| /' <<<"$text"
# With the flags that serve has from the manifest.
check "check finds the kubelet" grep -qE '^ *ok +kubelet ' <<<"$text"
explained=$(bramble explain "$(sed -n 's/^0:://p' "/proc/$(pids_of_bramble)/cgroup")")
check "explain reads bramble's own path" test "$(jq -r '.kind + " " + .pod_uid' <<<"$explained")" = \
	"container $(field pod "$(bramble_pod)" '{.metadata.uid}' bramble)"
text=$(TERM=xterm-256color in_terminal top)
code=$?
check "top draws in a terminal" grep -q 'WAIT%' <<<"$text"
check "and q ends it" [ $code = 0 ]
text=$(bramble report --time=100ms)
check "report works" [ $? = 0 ]
check "and counts the fsyncs on the node's disk" grep -qE '^- fsyncs on [a-z0-9]+: bramble 100 ' <<<"$text"
sed 's/^/| /' <<<"$text"
check "version says the tree's" grep -qF " $(cat "$top/VERSION")" <<<"$(bramble version)"
row "kubectl exec" "\`top --once\`, \`top\` in a terminal, \`check\` (ends with $code), \`report\`"
finish
