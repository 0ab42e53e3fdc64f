#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# Runs: beside others
#
# Two of everything with the same name: chips, zones, CPU policies, containers. Also cgroups with
# names that bramble uses itself. Each series must be there once, and Prometheus must have all of
# them.
. "$(dirname "$0")/lib.sh"
. "$here/prometheus.sh"

# ---- a machine with two of each, in a sysfs of its own
sys=$tmp/sys
for i in 0 1; do
	mkdir -p "$sys/devices/pci/nvme/nvme$i" "$sys/class/hwmon/hwmon$i" "$sys/class/hwmon/hwmon1$i" \
		"$sys/class/thermal/thermal_zone$i" "$sys/devices/system/cpu/cpufreq/policy$i"
	ln -s "../../../devices/pci/nvme/nvme$i" "$sys/class/hwmon/hwmon$i/device"
	for chip in "$sys/class/hwmon/hwmon$i" "$sys/class/hwmon/hwmon1$i"; do
		echo nvme >"$chip/name"
		echo Composite | tee "$chip/temp1_label" >"$chip/temp2_label"
		echo 4${i}000 | tee "$chip/temp1_input" >"$chip/temp2_input"
	done
	echo cpu-thermal >"$sys/class/thermal/thermal_zone$i/type"
	echo 5${i}000 >"$sys/class/thermal/thermal_zone$i/temp"
	echo "0 1" >"$sys/devices/system/cpu/cpufreq/policy$i/related_cpus"
	echo 2400000 | tee "$sys/devices/system/cpu/cpufreq/policy$i/"{cpuinfo_max,scaling_max,scaling_cur}_freq >/dev/null
done

# ---- two docker containers with one name
mkdir -p "$tmp/var-lib/docker/containers" "$sys/kernel/tracing"
# shellcheck disable=SC2016 # expanded by the inner shell
bramble_prefix=(env VAR_LIB="$tmp/var-lib" SYS="$sys" unshare --mount --propagation private
	sh -c 'mount --bind "$VAR_LIB" /var/lib && mount -t tracefs none "$SYS/kernel/tracing" && exec "$@"' sh)
start_bramble --path.sysfs="$sys"
for i in 1 2; do
	id=$(random_hex 64)
	mkdir -p "$tmp/var-lib/docker/containers/$id"
	echo "{\"ID\":\"$id\",\"Name\":\"/web\"}" >"$tmp/var-lib/docker/containers/$id/config.v2.json"
	start_container web$i "/docker/$id" taskset 1 burst 60 4000 2000
done
start_container other /other taskset 1 burst 60 4000 2000
start_container idle /idle taskset 1 burst 60 4000 2000
all_count() {
	scrape
	[ "$(metric_or_0 bramble_cpu_wait_seconds_count unit=/other)" != 0 ] &&
		[ "$(metric_or_0 bramble_cpu_wait_seconds_count unit=/idle)" != 0 ] &&
		[ "$(metric_or_0 bramble_cpu_wait_seconds_count container=web)" != 0 ]
}
check "two containers of one name are one, and names of bramble's own are no cgroup's" wait_until 10 all_count
check "no series stands twice" test -z "$(series_twice "$tmp/metrics")"
check_holds "all sensors are there" "$(select_metric bramble_node_temperature_celsius | wc -l) == 10"
check_holds "and both policies" "$(select_metric bramble_node_cpu_frequency_max_hertz | wc -l) == 2"
check_holds "a chip is told by its device, as node_exporter does" "$(metric_or_0 bramble_node_temperature_celsius \
	chip=nvme_nvme1 chip_name=nvme sensor=temp1 label=Composite) == 41"
curl -sf -H 'Accept: application/openmetrics-text' "$bramble_url/metrics" >"$tmp/openmetrics"
check "nor in OpenMetrics" test -z "$(series_twice "$tmp/openmetrics")"
check "top reads the CPU's temperature" grep -q '50' <(curl -sf --unix-socket "$tmp/bramble.sock" \
	http://localhost/api/v1/containers | jq '.node.temperature_celsius[] | select(.chip_name == "cpu-thermal") | .value')

# ---- a disk without a number in sysfs has its name from /proc/diskstats
truncate -s 1M "$tmp/disk"
loop=$(losetup --find --show "$tmp/disk") || give_up "losetup of $tmp/disk"
trap 'losetup -d "$loop"; cleanup' EXIT
dd if="$loop" of=/dev/null bs=64k count=4 iflag=direct status=none
is_named() {
	scrape
	[ "$(metric_or_0 bramble_block_io_seconds_count device="${loop#/dev/}" op=read)" != 0 ]
}
check "a disk that sysfs does not list has its name" wait_until 5 is_named
strange=$(grep -o '[{,]device="[^"]*"' <(grep ^bramble_block_ "$tmp/metrics") | sort -u | cut -d'"' -f2 | while read -r device; do
	grep -q " $device " /proc/diskstats || echo "$device"
done)
check "and so has each other: $strange" test -z "$strange"

# ---- a real Prometheus says so when a series comes twice with other values
(configuration && job bramble) >"$tmp/prometheus.yml"
start_prometheus prometheus prometheus
stored() { [ "$(first_value prometheus 'count(bramble_node_temperature_celsius)')" = 10 ]; }
check "Prometheus has all of them" wait_until 20 stored
check "and found nothing twice" test -z "$(grep -i 'duplicate\|same timestamp' "$tmp/prometheus.log")"
finish
