#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""
usage: tests/deploy/examples.py RENDER TOP PAGE...

Whether what the pages tell people to type fits the tree TOP: every path below deploy/ is there, and the chart takes every
value, of `--set` and of the examples in YAML. And whether their links lead somewhere. Prints "PAGE: WHAT", a line each.
"""
import json
import os
import re
import subprocess
import sys

import yaml


def paths(text):
    """deploy/... as people type it; links are relative, and are not looked at here."""
    return set(re.findall(r"(?<![\w./])(?:\./)?(deploy/[\w./-]*\w)", text))


def anchors(page):
    """Of the headings, as they are made from their text on the web."""
    with open(page, encoding="utf-8") as file:
        headings = re.findall(r"^#+ (.*)$", file.read(), re.M)
    plain = [re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading) for heading in headings]
    return {re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-") for heading in plain}


def dead_links(page, text):
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        path, _, anchor = link.partition("#")
        target = os.path.join(os.path.dirname(page), path) if path else page
        if link.startswith("http"):
            continue
        if not os.path.exists(target):
            yield link
        elif anchor and target.endswith(".md") and anchor not in anchors(target):
            yield link


def values_of(example):
    """The chart's values in an example: of a HelmRelease, an Application, or a file of values."""
    if not isinstance(example, dict):
        return None
    spec = example.get("spec", {})
    if "helm" in spec.get("source", {}):
        return spec["source"]["helm"]["valuesObject"]
    if "chart" in spec:
        return spec["values"]
    return None if "apiVersion" in example or "resources" in example else example


def examples(text):
    for block in re.findall(r"```yaml\n(.*?)```", text, re.S):
        for example in yaml.safe_load_all(block):
            values = values_of(example)
            if values and ("# values of the chart" in block or values is not example):
                yield values
    for pair in re.findall(r"--set\s+'?([\w.]+=[^\s`']+)", text):
        key, value = pair.split("=", 1)
        # Helm writes a list as {a,b}.
        yield {key: value[1:-1].split(",") if value.startswith("{") else yaml.safe_load(value)}


def main():
    render, top, *pages = sys.argv[1:]
    wrong, seen = [], 0
    for page in pages:
        with open(page, encoding="utf-8") as file:
            text = file.read()
        name = os.path.relpath(page, top)
        wrong += [f"{name}: {path} is not there" for path in sorted(paths(text)) if not os.path.exists(f"{top}/{path}")]
        wrong += [f"{name}: the link {link} leads nowhere" for link in dead_links(page, text)]
        for values in examples(text):
            seen += 1
            command = [render, f"{top}/deploy/helm/bramble"] + [f"{key}={json.dumps(value)}" for key, value in values.items()]
            result = subprocess.run(command, capture_output=True, text=True)
            if result.returncode:
                wrong.append(f"{name}: {values}: {result.stderr.strip()}")
    if not seen:
        wrong.append("no example was found")
    print("\n".join(wrong))
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
