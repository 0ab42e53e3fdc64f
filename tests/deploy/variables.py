#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""
usage: tests/deploy/variables.py OBJECTS.yaml

Prints the variables of the DaemonSet's container, NAME=VALUE, in their order.
"""
import sys

import yaml

with open(sys.argv[1], encoding="utf-8") as file:
    (daemonset,) = [item for item in yaml.safe_load_all(file) if item and item["kind"] == "DaemonSet"]
for variable in daemonset["spec"]["template"]["spec"]["containers"][0]["env"]:
    print(variable["name"] + "=" + (variable.get("value") or str(variable.get("valueFrom"))))
