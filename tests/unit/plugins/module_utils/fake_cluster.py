# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster of dictionaries: two nodes, one Calico pod on each, every answer to be changed by the test."""

from __future__ import annotations

import json

from ansible_collections.podnet.calico.plugins.module_utils._cluster import Limits
from ansible_collections.podnet.calico.plugins.module_utils._errors import NOT_FOUND, PodnetError
from ansible_collections.podnet.calico.plugins.module_utils._exec import ExecResult
from ansible_collections.podnet.calico.plugins.module_utils._parallel import Deadline, run_all

CRD = "/apis/crd.projectcalico.org/v1/"
READY = [{"type": "Ready", "status": "True"}]


def node(name, address, **status):
    """A Node."""
    metadata = {"name": name, "annotations": {"projectcalico.org/IPv4Address": address + "/16"}}
    return {"metadata": metadata, "status": dict({"conditions": READY, "addresses": []}, **status)}


def pod(name, on, address, namespace="default", host_network=False, labels=None):
    """A Running pod."""
    return {
        "metadata": {"name": name, "namespace": namespace, "labels": labels or {}},
        "spec": {"nodeName": on, "hostNetwork": host_network, "containers": [{"name": "main"}]},
        "status": {"phase": "Running", "podIP": address, "conditions": READY},
    }


def calico_node(on, address):
    """The door to a node."""
    return pod("calico-node-" + on, on, address, "calico-system", True, {"k8s-app": "calico-node"})


class FakeCluster:
    """``lists``: path → items; ``sections``: what each command of a script prints; ``on_exec`` answers all other execs."""

    server = "https://fake"

    def __init__(self):
        self.limits = Limits(concurrency=4, exec_timeout=5, deadline=20)
        self.start_clock()
        self.groups = ["apps", "crd.projectcalico.org", "projectcalico.org"]
        self.lists = {
            "/api/v1/nodes": [node("one", "172.18.0.2"), node("two", "172.18.0.3")],
            "/api/v1/pods": [
                pod("a", "one", "192.168.0.1"),
                pod("b", "two", "192.168.1.1"),
                pod("c", "one", "192.168.0.2"),
                calico_node("one", "172.18.0.2"),
                calico_node("two", "172.18.0.3"),
            ],
            "/apis/apps/v1/daemonsets": [],
            "/apis/apps/v1/deployments": [],
            "/apis/operator.tigera.io/v1/installations": [],
        }
        for plural in ("ipamblocks", "blockaffinities", "ipamhandles", "ipamconfigs", "bgpconfigurations", "bgppeers",
                       "felixconfigurations", "clusterinformations"):  # fmt: skip
            self.lists[CRD + plural] = []
        self.lists[CRD + "ippools"] = [{"metadata": {"name": "pool"}, "spec": {"cidr": "192.168.0.0/16"}}]
        self.failures = {}
        self.refused = {}
        self.execs = []
        self.on_exec = lambda pod, argv, on_stderr: ExecResult(code=0)

    def start_clock(self):
        """A new deadline."""
        self.deadline = Deadline(self.limits.deadline)

    def list(self, path, convert, label_selector=None):
        """Items; of a selector ``a=b`` only those that bear the label."""
        if path in self.failures:
            raise self.failures[path]
        if path not in self.lists:
            raise PodnetError("GET %s: not found" % path, reason=NOT_FOUND)
        items = self.lists[path]
        if label_selector:
            key, _equals, value = label_selector.partition("=")
            items = [item for item in items if item["metadata"].get("labels", {}).get(key) == value]
        return [convert(item) for item in items]

    def get(self, path):
        """Discovery, and nothing else."""
        if path in self.failures:
            raise self.failures[path]
        if path == "/apis":
            return {"groups": [{"name": name} for name in self.groups]}
        if path == "/version":
            return {"gitVersion": "v1.32.13"}
        raise PodnetError("GET %s: not found" % path, reason=NOT_FOUND)

    def exec(self, namespace, pod, container, argv, limit=0, timeout=None, on_stderr=None, attempts=3):
        """A script prints an empty table for each of its commands."""
        self.execs.append((namespace, pod, container, attempts))
        if (namespace, pod) in self.refused:
            return self.refused[(namespace, pod)]
        if argv[0] != "sh":
            return self.on_exec(pod, argv, on_stderr)
        mark = argv[2].split("\n")[0][2:]
        names = ("links", "addresses", "routes", "rules", "neighbours", "fdb")
        out = "".join("\n%s %s\n%s\n%s = 0\n" % (mark, name, self.table(name), mark) for name in names)
        return ExecResult(out.encode(), b"", 0)

    def table(self, name):
        """What a command prints."""
        return json.dumps([{"ifname": "eth0", "flags": ["UP"], "mtu": 1450}] if name == "links" else [])

    def run_all(self, function, jobs):
        """As the real one."""
        return run_all(function, jobs, self.limits.concurrency, self.deadline)
