# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A scenario's cluster made in a sandbox: Calico, then the pods, then waiting until nothing moves any more."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager

import yaml
from cluster import SANDBOX, Cluster, Failed, Object, running, until
from scenario import ENCAPSULATIONS, Scenario, operator_object, owner

_MANIFESTS = SANDBOX / "podnet_sandbox" / "manifests"
_STATUSES = "/apis/operator.tigera.io/v1/tigerastatuses"
_POOLS = "/apis/crd.projectcalico.org/v1/ippools"
_POOL = f"{_POOLS}/default-ipv4-ippool"
#: BIRD looks at the kernel every 2 s (`scan time 2`): what has not moved for longer stays.
_QUIET_SECONDS = 2.5
_QUIET_LOOK = """
{ ip route; ip -6 route; birdcl -s /run/calico/bird.ctl show route; birdcl -s /run/calico/bird.ctl show protocols; true; } 2>/dev/null |
  sed 's/[0-9][0-9]:[0-9:]*//'
"""
_REST_SECONDS = 90


@contextmanager
def brought_up(scenario: Scenario) -> Iterator[Cluster]:
    """The cluster at rest."""
    with running(scenario.config()) as cluster:
        _install(cluster, scenario)
        if scenario.first_encapsulation and not scenario.pods_were_there_first:
            switch_encapsulation(cluster, scenario.encapsulation)
        for obj in scenario.applied():
            cluster.create(obj)
            if obj["kind"] != "IPPool":
                _wait_for_pods(cluster, scenario, obj)
        if scenario.pods_were_there_first:
            switch_encapsulation(cluster, scenario.encapsulation)
        come_to_rest(cluster)
        yield cluster


def switch_encapsulation(cluster: Cluster, encapsulation: str) -> None:
    """Through the Installation, where there is Calico's API server to change pools by; else all pools, as with calicoctl by hand."""
    before = cluster.get(_POOL)["spec"]
    if cluster.get(f"{_STATUSES}/apiserver"):
        path = "/apis/operator.tigera.io/v1/installations/default"
        pools = cluster.get(path)["spec"]["calicoNetwork"]["ipPools"]
        cluster.merge(path, {"spec": {"calicoNetwork": {"ipPools": [{**pools[0], "encapsulation": encapsulation}, *pools[1:]]}}})
    else:
        ipip, vxlan = next(modes for modes, word in ENCAPSULATIONS.items() if word == encapsulation)
        for pool in cluster.get(_POOLS)["items"]:
            cluster.merge(f"{_POOLS}/{pool['metadata']['name']}", {"spec": {"ipipMode": ipip, "vxlanMode": vxlan}})
    until(lambda: cluster.get(_POOL)["spec"] != before, f"the pool is of encapsulation {encapsulation}")


def calico_nodes(cluster: Cluster) -> dict[str, str]:
    """Node → its calico-node pod."""
    pods = cluster.get("/api/v1/namespaces/calico-system/pods?labelSelector=k8s-app%3Dcalico-node")["items"]
    return {pod["spec"]["nodeName"]: pod["metadata"]["name"] for pod in pods}


def _install(cluster: Cluster, scenario: Scenario) -> None:
    """Operator, Installation and, where one was recorded, Calico's API server; their pods on the nodes of the recording."""
    for name in ("operator-crds.yaml", "tigera-operator.yaml"):
        for obj in yaml.safe_load_all((_MANIFESTS / name).read_text()):
            cluster.create(obj)
    _wait_available(cluster, "deployment")
    with _only_on(cluster, scenario, "calico-kube-controllers"):
        cluster.create(scenario.installation())
        for name in ("ippools", "calico"):
            _wait_available(cluster, name)
    if scenario.by_operator:
        with _only_on(cluster, scenario, "calico-apiserver"):
            cluster.create(operator_object("APIServer", {}))
            _wait_available(cluster, "apiserver")


@contextmanager
def _only_on(cluster: Cluster, scenario: Scenario, workload: str) -> Iterator[None]:
    """Cordon the nodes on which the recorded scheduler had not put the workload's pods."""
    wanted = scenario.node_of(workload) or set(scenario.nodes)
    others = [node for node in scenario.nodes if node not in wanted]
    _cordon(cluster, others, True)
    yield
    _cordon(cluster, others, None)


def _cordon(cluster: Cluster, nodes: Collection[str], unschedulable: bool | None) -> None:
    for node in nodes:
        cluster.merge(f"/api/v1/nodes/{node}", {"spec": {"unschedulable": unschedulable}})


def _wait_available(cluster: Cluster, name: str) -> None:
    if name == "deployment":
        path = "/apis/apps/v1/namespaces/tigera-operator/deployments/tigera-operator"
        until(lambda: (cluster.get(path)["status"].get("availableReplicas") or 0) > 0, "the operator runs")
        return
    until(lambda: condition(cluster.get(f"{_STATUSES}/{name}"), "Available"), f"tigerastatus {name} is Available")


def _wait_for_pods(cluster: Cluster, scenario: Scenario, workload: Object) -> None:
    name, kind = workload["metadata"]["name"], workload["kind"]
    if kind == "Pod" and scenario.had_no_network(name):
        asked = f"/api/v1/namespaces/default/events?fieldSelector=reason%3DFailedCreatePodSandBox,involvedObject.name%3D{name}"
        until(lambda: cluster.get(asked)["items"], f"pod {name} is told that it has no network")
        return

    def ready() -> bool:
        pods = cluster.get("/api/v1/namespaces/default/pods")["items"]
        mine = [pod for pod in pods if pod["metadata"]["name"] == name or (owner(pod) or {}).get("name") == name]
        wanted = 1 if kind == "Pod" else len(cluster.get("/api/v1/nodes")["items"])
        return len([pod for pod in mine if condition(pod, "Ready")]) == wanted

    until(ready, f"{kind} {name} is ready")


def condition(obj: Object | None, kind: str) -> bool:
    """Whether the object is known to be so."""
    conditions = ((obj or {}).get("status") or {}).get("conditions") or ()
    return any(entry["type"] == kind and entry["status"] == "True" for entry in conditions)


def come_to_rest(cluster: Cluster, silent: Collection[str] = ()) -> None:
    """BGP Established everywhere but with the ``silent`` peers, and neither routes nor BIRD's table moving."""
    before: set[str] = set()
    deadline = time.monotonic() + _REST_SECONDS
    while True:
        now = {f"{node}: {line}" for node, pod in calico_nodes(cluster).items() for line in cluster.run("calico-system", pod, _QUIET_LOOK).splitlines()}
        down = {line for line in now if ": Mesh_" in line and "Established" not in line and not any(peer in line for peer in silent)}
        moving = (now ^ before) | down
        if not moving:
            return
        if time.monotonic() > deadline:
            raise Failed(f"still moving after {_REST_SECONDS} s: {'; '.join(sorted(moving)[:10])}")
        before = now
        time.sleep(_QUIET_SECONDS)
