#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""
usage: cluster.py config PORT API [discovery] > prometheus.yml
       cluster.py serve PORT FILE

What a cluster is to Prometheus, for bramble at 127.0.0.1:PORT: the pod of deploy/kubernetes.

config writes a configuration with the jobs in deploy/prometheus: "annotations" and "job" as they
are there, "podmonitor" and "servicemonitor" as the Prometheus Operator renders them, and
"without-honor-labels", which is the first one without it. Targets are written out, with the meta
labels that Prometheus makes of such pods, so that what is tested is the relabelling. With
"discovery", "api-annotations" and "api-job" find their targets in the API server, as they do in a
cluster: this takes a Prometheus that was built with it. API is the address of serve.
"kube-state-metrics" is a job, too.

serve writes its port into FILE and answers as the API server does to who lists and watches
pods, and as kube-state-metrics does on /metrics.
"""
import http.server
import json
import os
import re
import sys
import time
import urllib.parse

import yaml

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")
NODE, POD, POD_6 = "pi-1", "bramble-x7k2p", "bramble-6666q"
CONTAINERS = [("shop", "web-0", "web"), ("crypto", "hog-0", "miner")]


def read(path):
    with open(os.path.join(TOP, "deploy", path), encoding="utf-8") as file:
        return [document for document in yaml.safe_load_all(file) if document]


def of_kind(documents, kind):
    return next(d for d in documents if d["kind"] == kind)


def pods(port):
    """
    bramble's pod, as its DaemonSet makes it, at this port; that of another node, which has IPv6
    alone and does not answer; and a neighbour that is not to be scraped.
    """
    template = of_kind(read("kubernetes/base/daemonset.yaml"), "DaemonSet")["spec"]["template"]
    meta, spec = template["metadata"], template["spec"]
    (container_port,) = spec["containers"][0]["ports"]
    annotations = dict(meta["annotations"])
    if annotations["prometheus.io/port"] != str(container_port["containerPort"]):
        sys.exit("the annotation prometheus.io/port is not the container's port")
    annotations["prometheus.io/port"] = str(port)
    container_port["containerPort"] = port
    status = {"phase": "Running", "podIP": "127.0.0.1", "podIPs": [{"ip": "127.0.0.1"}], "hostIP": "127.0.0.1"}
    bramble = {
        "metadata": {"name": POD, "namespace": "bramble", "uid": "1", "resourceVersion": "1",
                     "labels": meta["labels"], "annotations": annotations},
        "spec": {"nodeName": NODE, "containers": [{"name": spec["containers"][0]["name"], "image": "bramble",
                                                   "ports": [container_port]}]},
        "status": status,
    }
    six = json.loads(json.dumps(bramble))
    six["metadata"].update(name=POD_6, uid="3")
    six["spec"]["nodeName"] = "pi-2"
    six["status"].update(podIP="fd00::5", podIPs=[{"ip": "fd00::5"}])
    other = {
        "metadata": {"name": "other", "namespace": "bramble", "uid": "2", "resourceVersion": "1", "labels": {}},
        "spec": {"nodeName": NODE, "containers": [{"name": "other", "image": "other",
                                                   "ports": [{"name": "metrics", "containerPort": 9}]}]},
        "status": status,
    }
    return [bramble, six, other]


def sanitized(name):
    return re.sub("[^a-zA-Z0-9_]", "_", name)


def meta_labels(pod):
    """What kubernetes_sd_configs says of a pod and its one port, and of the Service before it."""
    metadata, container = pod["metadata"], pod["spec"]["containers"][0]
    labels = {
        "namespace": metadata["namespace"],
        "pod_name": metadata["name"],
        "pod_ip": pod["status"]["podIP"],
        "pod_phase": pod["status"]["phase"],
        "pod_node_name": pod["spec"]["nodeName"],
        "pod_container_name": container["name"],
        "pod_container_port_name": container["ports"][0]["name"],
    }
    for kind in "label", "annotation":
        for name, value in metadata.get(kind + "s", {}).items():
            labels[f"pod_{kind}_{sanitized(name)}"] = value
            labels[f"pod_{kind}present_{sanitized(name)}"] = "true"
    service = of_kind(read("kubernetes/overlays/servicemonitor/servicemonitor.yaml"), "Service")
    if service["spec"]["selector"].items() <= metadata["labels"].items():
        (port,) = service["spec"]["ports"]
        if port["targetPort"] == container["ports"][0]["name"]:
            labels["endpoint_port_name"] = port["name"]
        labels["service_name"] = service["metadata"]["name"]
        for name, value in service["metadata"]["labels"].items():
            labels[f"service_label_{sanitized(name)}"] = value
            labels[f"service_labelpresent_{sanitized(name)}"] = "true"
        labels["endpoint_address_target_kind"] = "Pod"
        labels["endpoint_address_target_name"] = metadata["name"]
    return {"__meta_kubernetes_" + name: value for name, value in labels.items()}


def snake(name):
    return re.sub("[A-Z]", lambda m: "_" + m.group().lower(), name)


def selected(source, selector):
    for name, value in selector["matchLabels"].items():
        yield {"action": "keep", "regex": f"({value});true",
               "source_labels": [f"__meta_kubernetes_{source}_label_{sanitized(name)}",
                                 f"__meta_kubernetes_{source}_labelpresent_{sanitized(name)}"]}


def copied(target, source):
    return {"source_labels": ["__meta_kubernetes_" + source], "target_label": target}


def monitor(name, kind, endpoints, source, port_name):
    """As pkg/prometheus/promcfg.go of the operator renders it: its relabelling, then the object's."""
    spec = of_kind(read(f"kubernetes/overlays/{name}/{name}.yaml"), kind)["spec"]
    (endpoint,) = spec[endpoints]
    rules = [*selected(source, spec["selector"]),
             {"action": "keep", "source_labels": ["__meta_kubernetes_" + port_name], "regex": endpoint["port"]},
             copied("namespace", "namespace"), copied("container", "pod_container_name"), copied("pod", "pod_name"),
             {"target_label": "endpoint", "replacement": endpoint["port"]}]
    if kind == "ServiceMonitor":
        rules.append(copied("service", "service_name"))
    rules += [{snake(key): value for key, value in rule.items()} for rule in endpoint["relabelings"]]
    return {"job_name": name, "honor_labels": endpoint["honorLabels"], "metrics_path": endpoint["path"],
            "relabel_configs": rules}


def named(job, name):
    return {**job, "job_name": name}


def address(pod):
    ip, port = pod["status"]["podIP"], pod["spec"]["containers"][0]["ports"][0]["containerPort"]
    return f"[{ip}]:{port}" if ":" in ip else f"{ip}:{port}"


def config(port, api, discovery):
    (annotations,) = read("prometheus/annotations.yaml")[0]["scrape_configs"]
    (own,) = read("prometheus/job.yaml")[0]["scrape_configs"]
    jobs = [named(annotations, "annotations"), named(own, "job"),
            monitor("podmonitor", "PodMonitor", "podMetricsEndpoints", "pod", "pod_container_port_name"),
            monitor("servicemonitor", "ServiceMonitor", "endpoints", "service", "endpoint_port_name"),
            {**annotations, "job_name": "without-honor-labels", "honor_labels": False}]
    targets = [{"targets": [address(pod)], "labels": meta_labels(pod)} for pod in pods(port)]
    for job in jobs:
        job.pop("kubernetes_sd_configs", None)
        job["static_configs"] = targets
    if discovery:
        for job in named(annotations, "api-annotations"), named(own, "api-job"):
            job["kubernetes_sd_configs"] = [{**sd, "api_server": api} for sd in job["kubernetes_sd_configs"]]
            jobs.append(job)
    jobs.append({"job_name": "kube-state-metrics", "honor_labels": True,
                 "static_configs": [{"targets": [api.split("//")[1]]}]})
    return {"global": {"scrape_interval": "1s"}, "scrape_configs": jobs}


class Cluster(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    pods = []

    def log_message(self, *_):
        pass

    def reply(self, status, content_type, text):
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        query = urllib.parse.parse_qs(url.query)
        if url.path == "/metrics":
            lines = [f'kube_pod_container_info{{namespace="{n}",pod="{p}",container="{c}",image="x"}} 1\n'
                     for n, p, c in CONTAINERS]
            self.reply(200, "text/plain; version=0.0.4", "".join(lines))
        elif url.path not in ("/api/v1/pods", "/api/v1/namespaces/bramble/pods") or "sendInitialEvents" in query:
            status = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 404, "reason": "NotFound"}
            self.reply(404, "application/json", json.dumps(status))
        elif "watch" in query:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            time.sleep(300)  # nothing changes
        else:
            pod_list = {"kind": "PodList", "apiVersion": "v1", "metadata": {"resourceVersion": "1"}, "items": self.pods}
            self.reply(200, "application/json", json.dumps(pod_list))


def serve(port, path):
    Cluster.pods = pods(port)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Cluster)
    with open(path + ".new", "w", encoding="utf-8") as file:
        print(server.server_port, file=file)
    os.rename(path + ".new", path)
    server.serve_forever()


if sys.argv[1] == "config":
    yaml.safe_dump(config(int(sys.argv[2]), sys.argv[3], "discovery" in sys.argv), sys.stdout)
else:
    serve(int(sys.argv[2]), sys.argv[3])
