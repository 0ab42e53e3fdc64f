#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""
usage: tests/deploy/inspect_objects.py BRAMBLE OBJECTS.yaml...

Whether the objects of each file fit the program: its flags, what it reads, the capabilities that docs/capabilities.md
gives reasons for; and one another. Prints "FILE: fits", or "FILE WHAT-IS-WRONG", a line each.
"""
import os
import re
import subprocess
import sys

import yaml

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")


SWITCH = {"0", "1", "false", "true", "no", "yes", "off", "on"}


class Flags:
    """The program's flags, by its own table."""

    def __init__(self, program):
        table = subprocess.run([program, "--help-table"], check=True, capture_output=True, text=True).stdout
        self.serve = {"help": False}  # name -> whether it takes a value
        self.commands = {}            # name -> the commands that have it
        self.variables = {}           # variable -> the kind of its flag
        self.files = set()            # flags and variables that name a file or a directory
        self.defaults = set()
        for row in (line.split("\t") for line in table.splitlines()):
            if row[0] == "command":
                command = row[1]
            elif row[0] == "flag":
                self.add(command, *row[1:])

    def add(self, command, name, kind, form, _choices, default, _help, variable):
        self.commands.setdefault(name, set()).add(command)
        self.variables[variable] = kind
        if {"FILE", "DIR"} & set(form.split("|")):
            self.files |= {name, variable}
        self.defaults.add(default)    # kubectl exec runs the others
        if command == "serve":
            self.serve[name] = kind != "bool"
            if kind == "bool":
                self.serve["no-" + name] = False


def documented_capabilities():
    with open(os.path.join(TOP, "docs", "capabilities.md"), encoding="utf-8") as file:
        text = file.read()
    sentence = re.search(r"give root only ([^.]*)\.", text).group(1)
    rows = set(re.findall(r"^\| `CAP_([A-Z_]+)` \|", text, re.M))
    return set(re.findall(r"`([A-Z_]+)`", sentence)), rows


def used_in(value):
    return set(re.findall(r"\$\((\w+)\)", value))


def wrong_flags(container, flags):
    """Flags that are arguments, which serve alone has."""
    variables = {item["name"] for item in container["env"]}
    arguments = container["args"]
    if arguments[0] != "serve":
        yield f"the first argument is {arguments[0]}, and not serve"
    for argument in arguments[1:]:
        name, has_value, value = argument[2:].partition("=")
        if name not in flags.serve:
            yield f"bramble serve has no flag {argument}"
        elif flags.serve[name] != bool(has_value):
            yield f"{argument}: the flag {'takes a value' if flags.serve[name] else 'takes none'}"
        elif flags.commands.get(name.removeprefix("no-"), set()) & {"check", "explain"}:
            yield f"{argument}: `bramble check` in the pod does not have it; write its variable"
        for variable in used_in(value) - variables:
            yield f"{argument}: there is no variable {variable}"


def wrong_variables(container, flags):
    """Flags that are variables. A kubelet fills in what stands before."""
    before = set()
    for item in container["env"]:
        name, value = item["name"], item.get("value", "")
        kind = flags.variables.get(name)
        if name.startswith("BRAMBLE_") and not kind:
            yield f"no flag has the variable {name}"
        if kind == "bool" and value.lower() not in SWITCH:
            yield f"{name}: {value} is nothing for a switch"
        if name in before:
            yield f"{name} is there twice"
        for variable in used_in(value) - before:
            yield f"{name}: no variable {variable} stands before it"
        before.add(name)


def wrong_mounts(pod, container, flags):
    """Every mount is of a volume and is read by the program; nothing of the host can be written."""
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    mounts = {mount["name"]: mount for mount in container["volumeMounts"]}
    values = [argument.removeprefix("--").partition("=")[::2] for argument in container["args"]]
    values += [(item["name"], item.get("value", "")) for item in container["env"]]
    given = {value for name, value in values if name in flags.files}
    # Where the program looks by itself: the defaults of its flags, and tracefs.
    known = given | flags.defaults | {"/sys/kernel/tracing"}
    for name in sorted(set(volumes) ^ set(mounts)):
        yield f"{name} is a volume without a mount, or a mount without a volume"
    for name, mount in mounts.items():
        path = mount["mountPath"]
        if not any(other == path or other.startswith(path + "/") for other in known):
            yield f"nothing of bramble's reads {path}"
        if "hostPath" in volumes.get(name, {}) and not mount.get("readOnly"):
            yield f"{path} of the host can be written"
    for path in given:
        inside = any(path == m["mountPath"] or path.startswith(m["mountPath"] + "/") for m in mounts.values())
        if path.startswith("/") and not inside:
            yield f"{path} is a path of a flag, and is not mounted"


def wrong_rights(pod, container):
    context = container["securityContext"]
    usual, documented = documented_capabilities()
    added = set(context.get("capabilities", {}).get("add", []))
    if context["privileged"]:
        if added or not context["allowPrivilegeEscalation"]:
            yield "the API server refuses a privileged container that may not have more privileges"
    else:
        if context["allowPrivilegeEscalation"]:
            yield "it may get more privileges"
        if context["capabilities"]["drop"] != ["ALL"] or not usual <= added or not added <= documented:
            yield f"capabilities {sorted(added)}: docs/capabilities.md has {sorted(usual)}, and reasons for {sorted(documented)}"
    if context["runAsUser"] != 0 or not context["readOnlyRootFilesystem"]:
        yield "it is not root, or can write its root file system"
    if context["seccompProfile"] != {"type": "Unconfined"}:
        yield "a seccomp profile may refuse bpf(2)"
    if pod.get("hostNetwork") or pod.get("hostIPC"):
        yield "of the host's namespaces it needs that of processes alone"
    if pod["automountServiceAccountToken"]:
        yield "a second token is mounted"
    (access,) = [v for v in pod["volumes"] if v["name"] == "kubelet-access"]
    if access["projected"]["sources"][0]["serviceAccountToken"]["expirationSeconds"] != 3600:
        yield "the kubelet's token does not expire in an hour"


def wrong_daemonset(daemonset, flags):
    spec, template = daemonset["spec"], daemonset["spec"]["template"]
    pod = template["spec"]
    (container,) = pod["containers"]
    yield from wrong_flags(container, flags)
    yield from wrong_variables(container, flags)
    yield from wrong_mounts(pod, container, flags)
    yield from wrong_rights(pod, container)
    if not spec["selector"]["matchLabels"].items() <= template["metadata"]["labels"].items():
        yield "the DaemonSet does not select its own pods"
    if spec["updateStrategy"].get("type", "RollingUpdate") != "RollingUpdate" or \
            spec["updateStrategy"].get("rollingUpdate", {}).get("maxSurge"):
        yield "two probes on a node would count everything twice"
    (port,) = container["ports"]
    annotations = template["metadata"].get("annotations", {})
    if annotations.get("prometheus.io/scrape") and annotations["prometheus.io/port"] != str(port["containerPort"]):
        yield "the annotation prometheus.io/port is not the container's port"
    for probe in ("readinessProbe", "livenessProbe"):
        action = container[probe].get("httpGet") or container[probe]["tcpSocket"]
        if action["port"] != port["name"]:
            yield f"the {probe} asks another port"


def wrong_links(objects):
    """Whether names and labels that objects have of one another are right."""
    by_kind = {}
    for item in objects:
        by_kind.setdefault(item["kind"], []).append(item)
    (daemonset,) = by_kind["DaemonSet"]
    labels = daemonset["spec"]["template"]["metadata"]["labels"]
    account = daemonset["spec"]["template"]["spec"]["serviceAccountName"]
    for binding in by_kind.get("ClusterRoleBinding", []):
        if binding["subjects"] != [{"kind": "ServiceAccount", "name": account,
                                    "namespace": daemonset["metadata"]["namespace"]}]:
            yield f"the ClusterRoleBinding binds {binding['subjects']}, and the pod is {account}"
    for role in by_kind.get("ClusterRole", []):
        for rule in role["rules"]:
            if rule["verbs"] != ["get"] or rule["apiGroups"] != [""] or \
                    rule["resources"] not in (["nodes/pods"], ["nodes/proxy"]):
                yield f"the ClusterRole allows {rule}"
    for kind, key in (("Service", None), ("PodMonitor", "podMetricsEndpoints"), ("ServiceMonitor", "endpoints")):
        for item in by_kind.get(kind, []):
            selector = item["spec"]["selector"] if kind == "Service" else item["spec"]["selector"]["matchLabels"]
            target = by_kind["Service"][0]["metadata"]["labels"] if kind == "ServiceMonitor" else labels
            if not selector.items() <= target.items():
                yield f"the {kind} selects nothing of bramble's"
            for endpoint in item["spec"][key] if key else []:
                if endpoint["port"] != "metrics" or not endpoint["honorLabels"]:
                    yield f"the {kind} does not keep the labels of the series"


def main():
    flags = Flags(sys.argv[1])
    failed = False
    for path in sys.argv[2:]:
        name = os.path.basename(path).removesuffix(".yaml")
        with open(path, encoding="utf-8") as file:
            objects = [item for item in yaml.safe_load_all(file) if item]
        wrong = list(wrong_links(objects))
        for daemonset in (item for item in objects if item["kind"] == "DaemonSet"):
            wrong += wrong_daemonset(daemonset, flags)
        print("\n".join(f"{name} {what}" for what in wrong) or f"{name}: fits")
        failed = failed or bool(wrong)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
