#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# Runs: beside others
#
# As 95-torture.sh, those attacks of clients: they count nothing.
cd "$(dirname "$0")/../.." || exit
exec tests/torture/run --short handshakes silent
