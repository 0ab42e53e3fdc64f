#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# Seconds of each attack of tests/torture that no other test here has: what must be counted is counted, and
# memory stays bounded. No times are judged. 94-torture-clients.sh has some more.
#
# Of the others, containers and flood are in limit, nested and pairs in 46-nested, deep and fakepath in
# 14-trust, passwords and config in 32-web-config, malformed in 35-strict-http, fifo in 50-errors, machines in
# tests/vm.
cd "$(dirname "$0")/../.." || exit
exec tests/torture/run --short alive crowds events instances kill limit stop unnamed
