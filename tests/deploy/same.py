#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""
usage: tests/deploy/same.py A.yaml [+B.yaml | -KIND]... = C.yaml [+D.yaml | -KIND]...

Whether two sets of objects are the same, as parsed: a file, with the objects of more files, without those of a kind.
Prints what differs.
"""
import json
import sys

import yaml


def load(terms):
    objects = {}
    for term in terms:
        if term.startswith("-"):
            objects = {key: value for key, value in objects.items() if key[0] != term[1:]}
            continue
        with open(term.lstrip("+"), encoding="utf-8") as file:
            for item in filter(None, yaml.safe_load_all(file)):
                key = (item["kind"], item["metadata"].get("namespace"), item["metadata"]["name"])
                if key in objects:
                    sys.exit(f"{term}: {key} is there twice")
                objects[key] = item
    return objects


def differences(path, left, right):
    if isinstance(left, dict) and isinstance(right, dict):
        for key in sorted(set(left) | set(right)):
            yield from differences(f"{path}.{key}", left.get(key), right.get(key))
    elif isinstance(left, list) and isinstance(right, list) and len(left) == len(right):
        for i, (one, other) in enumerate(zip(left, right)):
            yield from differences(f"{path}[{i}]", one, other)
    elif left != right:
        yield f"{path}: {json.dumps(left)} is not {json.dumps(right)}"


def main():
    middle = sys.argv.index("=")
    left, right = load(sys.argv[1:middle]), load(sys.argv[middle + 1:])
    found = []
    for key in sorted(set(left) | set(right), key=str):
        found += differences("/".join(str(k) for k in key), left.get(key), right.get(key))
    print("\n".join(found))
    sys.exit(1 if found or not left else 0)


if __name__ == "__main__":
    main()
