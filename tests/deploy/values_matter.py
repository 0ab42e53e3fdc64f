#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""
usage: tests/deploy/values_matter.py RENDER CHART FULL.yaml

Whether each value of the chart is in values.schema.json and in FULL.yaml, and changes what is rendered: alone, or taken
away from FULL.yaml, where another value hides it. Prints those of which this is not so.
"""
import json
import os
import subprocess
import sys

import yaml

# In a list or a map that is given as a whole, there is no value of the chart's.
WHOLE = {"resources", "nodeSelector", "webConfig.endpoint"}


def leaves(tree, path=""):
    for key, value in tree.items():
        where = f"{path}.{key}" if path else key
        if isinstance(value, dict) and value and where not in WHOLE:
            yield from leaves(value, where)
        else:
            yield where


def at(tree, path):
    for part in path.split("."):
        if not isinstance(tree, dict) or part not in tree:
            return None
        tree = tree[part]
    return tree


def render(program, chart, *values):
    arguments = [f"{path}={json.dumps(value)}" for path, value in values]
    return subprocess.run([program, chart, *arguments], check=True, capture_output=True, text=True).stdout


def main():
    program, chart, full_file = sys.argv[1:]
    with open(os.path.join(chart, "values.yaml"), encoding="utf-8") as file:
        defaults = yaml.safe_load(file)
    with open(full_file, encoding="utf-8") as file:
        full = yaml.safe_load(file)
    known = set(leaves(defaults))
    wrong = [f"{path} is in {os.path.basename(full_file)} alone" for path in leaves(full)
             if not any(path == value or path.startswith(value + ".") for value in known)]
    usual = render(program, chart)
    everything = [(path, at(full, path)) for path in sorted(known)]
    whole = render(program, chart, *everything)
    for path in sorted(known):
        value = at(full, path)
        if value is None:
            wrong.append(f"{path} is not in {os.path.basename(full_file)}")
        elif render(program, chart, (path, value)) == usual and \
                render(program, chart, *(pair for pair in everything if pair[0] != path)) == whole:
            wrong.append(f"{path} changes nothing")
    print("\n".join(wrong))
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
