# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A recorded scenario, and what a sandbox has to be given to be the same cluster. Pure, but for reading the recording."""

from __future__ import annotations

import copy
import functools
import ipaddress
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RECORDINGS = Path(__file__).parents[1] / "fixtures" / "real"
#: Installed by the real operator: the objects around Calico are recorded as well.
BY_OPERATOR = (
    "calico-v3.30.7/vxlancrosssubnet-operator",
    "calico-v3.30.7/none-operator",
    "calico-v3.30.7/vxlan-bgp-disabled",
    "calico-v3.30.7/vxlancrosssubnet-two-subnets",
    "calico-v3.30.7/borrowed-vxlancrosssubnet",
    "calico-v3.30.7/pool-exhausted",
)
#: calico-node and kube-controllers were started by hand, without operator, Typha and Calico's API server.
BY_HAND = (
    "calico-v3.30.7/vxlancrosssubnet",
    "calico-v3.30.7/none",
    "calico-v3.30.7/vxlan",
    "calico-v3.30.7/borrowed-vxlan",
    "calico-v3.30.7/borrowed-none",
    "calico-v3.30.7/none/live-switch-old-pods",
)
#: Images of v3.32.1 put under what the operator of v3.30.7 had rendered.
BY_IMAGE = ("calico-v3.32.1/vxlancrosssubnet", "calico-v3.32.1/none")
KINDS = {"by the operator": BY_OPERATOR, "by hand": BY_HAND, "by image": BY_IMAGE}
SCENARIOS = BY_OPERATOR + BY_HAND + BY_IMAGE
#: Of these only some objects were recorded; the others are those of the cluster they were made on.
_PART_OF = {"calico-v3.30.7/pool-exhausted": "calico-v3.30.7/vxlan-bgp-disabled"}
#: Where Calico, or all pods, had been there under another encapsulation.
_FIRST_ENCAPSULATION = {
    "calico-v3.30.7/none-operator": "VXLANCrossSubnet",
    "calico-v3.30.7/none/live-switch-old-pods": "VXLANCrossSubnet",
    "calico-v3.32.1/none": "VXLANCrossSubnet",
}
_WITH_ALL_PODS = ("calico-v3.30.7/none/live-switch-old-pods",)
#: The recorder's bridge between the nodes, also where they were cut into subnets.
_FABRIC = "172.18.0.0/16"
#: (ipipMode, vxlanMode) of a pool in the operator's word.
ENCAPSULATIONS = {("Never", "Never"): "None", ("Never", "CrossSubnet"): "VXLANCrossSubnet", ("Never", "Always"): "VXLAN"}
_POOL = "default-ipv4-ippool"

Object = dict[str, Any]


@dataclass(frozen=True)
class Scenario:
    """One folder of recordings. ``name`` is its path below `RECORDINGS`."""

    name: str

    @property
    def folder(self) -> Path:
        return RECORDINGS / self.name

    @property
    def by_operator(self) -> bool:
        """Whether Calico's own objects stood around it (also under v3.32.1)."""
        return self.name not in BY_HAND

    def says(self, path: str) -> bool:
        """Whether the output at ``path`` is Calico's or Kubernetes' word there: by hand, somebody had written the pods."""
        return self.by_operator or path != "api/pods.json"

    @functools.cached_property
    def outputs(self) -> dict[str, str]:
        """Path below the folder → content."""
        files = (path for path in sorted(self.folder.rglob("*")) if path.is_file())
        found = {str(path.relative_to(self.folder)): path.read_text(encoding="utf-8") for path in files}
        if self.name in _PART_OF:
            found["api/pods.json"] = json.dumps({"items": [*json.loads(found["api/pods.json"])["items"], *self._pods_around()]})
        return found

    def _pods_around(self) -> list[Object]:
        """Calico's own, where only somebody's were listed."""
        return [pod for pod in Scenario(_PART_OF[self.name]).items("pods") if pod["metadata"]["namespace"] != "default"]

    def items(self, resource: str) -> list[Object]:
        """The objects of ``api/RESOURCE.json``; where it was not recorded, those of the cluster it is a part of, or none."""
        text = self.outputs.get(f"api/{resource}.json")
        if not text and self.name in _PART_OF:
            return Scenario(_PART_OF[self.name]).items(resource)
        return json.loads(text).get("items", []) if text else []

    @property
    def nodes(self) -> list[str]:
        """The control plane first."""
        return sorted(node["metadata"]["name"] for node in self.items("nodes"))

    @property
    def calico_version(self) -> str:
        node = next(pod for pod in self.items("pods") if pod["metadata"]["name"].startswith("calico-node-"))
        return node["spec"]["containers"][0]["image"].rpartition(":")[2]

    def config(self) -> Object:
        """What the sandbox is started with: nodes, addresses, version. Calico comes by `installation`."""
        annotations = {node["metadata"]["name"]: node["metadata"]["annotations"] for node in self.items("nodes")}
        interfaces = [ipaddress.IPv4Interface(annotations[name]["projectcalico.org/IPv4Address"]) for name in self.nodes]
        subnets = sorted({str(interface.network) for interface in interfaces})
        return {
            "name": "fidelity",
            "nodes": self.nodes,
            "node_addresses": [str(interface.ip) for interface in interfaces],
            "node_subnet": _FABRIC,
            "node_subnets": subnets if subnets != [_FABRIC] else [],
            "calico_version": self.calico_version,
        }

    @property
    def _pool(self) -> Object:
        return next(item["spec"] for item in self.items("ippools.crd.projectcalico.org") if item["metadata"]["name"] == _POOL)

    @property
    def encapsulation(self) -> str:
        """The pool's, in the end."""
        return ENCAPSULATIONS[self._pool["ipipMode"], self._pool["vxlanMode"]]

    @property
    def first_encapsulation(self) -> str:
        """Another one that the pool had before; "" if none."""
        return _FIRST_ENCAPSULATION.get(self.name, "")

    @property
    def pods_were_there_first(self) -> bool:
        """Whether all pods had been wired before the pool was changed, not Calico's own alone."""
        return self.name in _WITH_ALL_PODS

    def had_no_network(self, pod: str) -> bool:
        """Whether the pod was waiting for an address there."""
        return any(item["metadata"]["name"] == pod and item["status"]["phase"] == "Pending" for item in self.items("pods"))

    def installation(self) -> Object:
        """The recorded Installation, or by hand one that says the same; with the pool's encapsulation as it was at first."""
        recorded = self.items("installations.operator.tigera.io")
        spec = copy.deepcopy(recorded[0]["spec"]) if recorded else {"calicoNetwork": {"bgp": "Enabled", "ipPools": [{}]}}
        pool = self._pool
        spec["calicoNetwork"]["ipPools"][0] |= {
            "cidr": pool["cidr"],
            "blockSize": pool["blockSize"],
            "encapsulation": self.first_encapsulation or self.encapsulation,
            "natOutgoing": "Enabled" if pool.get("natOutgoing") else "Disabled",
            "nodeSelector": pool["nodeSelector"],
        }
        return operator_object("Installation", spec)

    def applied(self) -> Iterator[Object]:
        """What somebody created besides Calico, in the order in which it came to be: IPPools, DaemonSets by their first pods, bare pods."""
        pods = [item for item in self.items("pods") if self.was_looked_at(item)]
        pools = [item for item in self.items("ippools.crd.projectcalico.org") if item["metadata"]["name"] != _POOL]
        came = [(item["metadata"]["creationTimestamp"], item) for item in pools + [pod for pod in pods if not owner(pod)]]
        for item in self.items("daemonsets") or Scenario(BY_OPERATOR[0]).items("daemonsets"):  # not recorded: the same cluster's
            own = [pod for pod in pods if (owner(pod) or {}).get("name") == item["metadata"]["name"]]
            came += [(min(pod["metadata"]["creationTimestamp"] for pod in own), item)] if own else []
        for _time, item in sorted(came, key=lambda each: (each[0], each[1]["kind"], each[1]["metadata"]["name"])):
            yield _pod(item) if item["kind"] == "Pod" else _bare(item)

    def was_looked_at(self, pod: Object) -> bool:
        """Whether the pod's own view was recorded: others came or went meanwhile, or are Calico's. Of a part no view was."""
        if self.name in _PART_OF:
            return pod["metadata"]["namespace"] == "default"
        return any(path.startswith(f"pods/{pod['metadata']['namespace']}.{pod['metadata']['name']}/") for path in self.outputs)

    def node_of(self, workload: str) -> set[str]:
        """Where the recorded pods of a Deployment ran."""
        return {pod["spec"]["nodeName"] for pod in self.items("pods") if stem(pod).startswith(workload)}  # -byhand: a pod of somebody's


def operator_object(kind: str, spec: Object) -> Object:
    return {"apiVersion": "operator.tigera.io/v1", "kind": kind, "metadata": {"name": "default"}, "spec": spec}


def owner(obj: Object) -> Object | None:
    """The owner reference, if there is one."""
    return next(iter(obj["metadata"].get("ownerReferences") or ()), None)


def stem(pod: Object) -> str:
    """A pod's name without what a controller makes up; calico-node of a by-hand cluster is named as a DaemonSet's pod."""
    name, by = pod["metadata"]["name"], (owner(pod) or {}).get("kind")
    if by == "ReplicaSet":
        return name.rsplit("-", 2)[0]
    return name.rsplit("-", 1)[0] if by or name.startswith("calico-node-") else name


def _bare(item: Object) -> Object:
    """The object as somebody would apply it."""
    metadata = item["metadata"]
    kept = {key: metadata[key] for key in ("name", "namespace", "labels") if key in metadata}
    return {"apiVersion": item["apiVersion"], "kind": item["kind"], "metadata": kept, "spec": item["spec"]}


def _pod(item: Object) -> Object:
    """A pod without what CNI, kubelet and admission wrote."""
    made = copy.deepcopy(_bare(item))
    annotations = item["metadata"].get("annotations") or {}
    asked = {key: value for key, value in annotations.items() if not key.endswith(("/containerID", "/podIP", "/podIPs"))}
    if asked:
        made["metadata"]["annotations"] = asked
    made["spec"].pop("volumes", None)
    for container in made["spec"]["containers"]:
        container.pop("volumeMounts", None)
    return made
