# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# shellcheck shell=bash
#
# The latest scrape of the node's bramble, in the file $now, which is gone when the check ends. Source it after lib.sh.
now=$(mktemp)
trap 'rm -f "$now"' EXIT

# get SERIES: its value, by a new scrape
get() { metrics >"$now" && value "$now" "$1"; }
