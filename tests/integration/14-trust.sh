#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# A container cannot hide in cgroups that lie deep and have long names. And nobody becomes a pod by
# making a path that looks like one: not a user in a part of the hierarchy that was given to it, and
# not a container in its own part. Each is tried before the probe starts, when a walk finds it, and
# after that, when events tell of it.
. "$(dirname "$0")/lib.sh"

long=$(printf 'x%.0s' {1..250})
nobody=65534
declare -a nested_in=()

# run_nested CGROUP UID LEVELS NAME: a process that is switched in 200 times a second, so deep.
run_nested() {
	in_background "$here/nested.py" run "$cgroup2$1" "$2" "$3" "$4" "$workloads/burst" 60 1000 4000
	nested_in+=("$cgroup2$1")
}
end_nested() {
	local pid cgroup
	for pid in "${started_pids[@]}"; do
		kill -KILL "$pid" 2>/dev/null && wait "$pid" 2>/dev/null
	done
	for cgroup in "${nested_in[@]}"; do
		[ ! -d "$cgroup" ] || wait_until 2 "$here/nested.py" remove "$cgroup" 2>/dev/null
	done
	nested_in=()
}
trap 'end_nested; cleanup' EXIT

# run_fakes: in a user's part, in a container's and in another pod's: the path of the pod "real".
run_fakes() {
	local cgroup uid
	while read -r cgroup uid; do
		make_cgroup "$cgroup"
		[ "$uid" = 0 ] || chown "$uid" "$cgroup2$cgroup"
		setpriv --reuid="$uid" --clear-groups mkdir -p "$cgroup2$cgroup${container_cgroup[real]%/*}"
		nested_in+=("$cgroup2$cgroup")
		run_nested "$cgroup${container_cgroup[real]%/*}" "$uid" 1 "${container_cgroup[real]##*/}"
	done <<-EOT
		$user $nobody
		/docker/$docker 0
		${container_cgroup[other]} 0
	EOT
}

# switches LABEL=VALUE...: counted so far
switches() { metric_or_0 bramble_cpu_context_switches_total "$@"; }
# many MORE BEFORE LABEL=VALUE...: so many more than before
many() {
	scrape
	awk "BEGIN { exit !($(switches "${@:3}") > $2 + $1) }"
}

start_pod shop real web sleep 60
start_pod shop other web sleep 60
start_pod shop early web sleep 60
docker=$(random_hex 64)
user=/bramble-test.slice/user@$nobody.service
run_nested "${container_cgroup[early]}" 0 40 "$long"
run_fakes
start_bramble
check "at the start, what runs 40 levels deep in long names counts for its pod" wait_until 10 many 100 0 pod=early
check "a path in a user's part counts for the user's service" wait_until 10 many 100 0 unit=user@$nobody.service
check "one in a container counts for the container" wait_until 10 many 100 0 container="${docker:0:12}"
check "one in another pod counts for that pod" wait_until 10 many 100 0 pod=other
check_holds "and none for the pod whose path it has" "$(switches pod=real) < 20"
check_holds "nothing is unknown, and nothing was left out" "$(switches unit=unknown) + \
	$(metric_or_0 bramble_probe_lost_total probe=cgroup reason=unread) == 0"

end_nested
user=/bramble-test.slice/user@1$nobody.service
docker=$(random_hex 64)
start_pod shop late web sleep 60
scrape
other=$(switches pod=other)
run_nested "${container_cgroup[late]}" 0 40 "$long"
run_fakes
check "later, what runs 40 levels deep in long names counts for its pod" wait_until 10 many 100 0 pod=late
check "a path in a user's part counts for the user's service" wait_until 10 many 100 0 unit=user@1$nobody.service
check "one in a container counts for the container" wait_until 10 many 100 0 container="${docker:0:12}"
check "one in another pod counts for that pod" wait_until 10 many 100 "$other" pod=other
check_holds "and none for the pod whose path it has" "$(switches pod=real) < 20"
check_holds "nothing is unknown" "$(switches unit=unknown) == 0"
check_holds "those that were not believed are counted" \
	"$(metric_or_0 bramble_probe_lost_total probe=cgroup reason=not_believed) >= 4"
check "and told once for each reason" test "$(grep -c 'looks like a pod\|has the id of a pod' "$bramble_log")" = 2

# The same flag makes it a pod's for serve and for explain.
path=$user${container_cgroup[real]}
check "explain says that it is not believed" test "$("$BRAMBLE" explain "$path" | jq -r .unit)" = user@1$nobody.service
check "and with the flag that it is" test "$("$BRAMBLE" explain --kube.cgroup-root="$user" "$path" |
	jq -r .pod_uid)" = "${pod_uid[real]}"
finish
