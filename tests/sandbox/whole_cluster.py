# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is observed of a whole sandbox, from Installation to pings, for test_cluster.py to judge. Run by isolated.py."""

from __future__ import annotations

import re

from lab import Lab, pod, workload
from podnet_sandbox.controllers.kubelet.probes import asker

TOLERATE_ALL = [{"operator": "Exists"}]


async def observe(kernel):
    """Build the lab, look at it from inside its containers, and say what was seen."""
    lab = Lab(kernel=kernel)
    await lab.cluster.start()
    try:
        await lab.install_calico()
        for name in ("multitool-1", "multitool-2"):
            lab.apply(workload("DaemonSet", name, tolerations=TOLERATE_ALL))
        lab.apply(pod("multitool", nodeName=lab.config.nodes[1]))
        lab.apply(probed("healthy"))
        lab.apply(probed("overridden", command=["sleep", "60"]))
        await lab.until(lambda: len([item for item in lab.pods("multitool") if lab.ready(item)]) == 7)
        await lab.until(lambda: lab.ready(lab.pod("healthy")))
        await lab.until(lambda: all(lab.cluster.synced(node) for node in lab.config.nodes))
        seen = {"nodes": await nodes(lab), "pods": await pods(lab), "overridden": lab.pod("overridden")["status"], "alive": await alive(lab)}
        lab.store.delete("pods", "multitool", "default")
        await lab.until(lambda: lab.pod("multitool") is None)
        await lab.until(lambda: all(lab.cluster.synced(node) for node in lab.config.nodes))
        return {**seen, "nodes_after_deletion": await nodes(lab)}
    finally:
        await lab.cluster.stop()


async def nodes(lab):
    found = {}
    for item in lab.pods("calico-node", "calico-system"):
        name, node = item["metadata"]["name"], item["spec"]["nodeName"]
        annotations = lab.store.get("nodes", node)["metadata"]["annotations"]
        found[node] = {
            "address": lab.config.address_of(node),
            "tunnel": annotations["projectcalico.org/IPv4VXLANTunnelAddr"],
            "routes": await lines(lab, "calico-system", name, "calico-node", "ip", "route"),
            "protocols": await lines(
                lab, "calico-system", name, "calico-node", "birdcl", "-s", "/var/run/calico/bird.ctl", "show", "protocols"
            ),
        }
    return found


async def alive(lab):
    """What each calico-node answers to its own liveness probe."""
    said = []
    for item in lab.pods("calico-node", "calico-system"):
        container = item["spec"]["containers"][0]
        said.append((await asker(lab.kernel, item, container, container["livenessProbe"], item["status"]["podIP"])()).why)
    return said


async def pods(lab):
    found = {}
    items = lab.pods("multitool")
    for item in items:
        name = item["metadata"]["name"]
        found[name] = {
            "address": item["status"]["podIP"],
            "node": item["spec"]["nodeName"],
            "routes": await lines(lab, "default", name, "multitool", "ip", "route"),
        }
    for name, facts in found.items():
        argv = ("ping", "-c1", "-W2", facts["address"])
        reply = " ".join(await lines(lab, "default", "multitool", "multitool", *argv))
        match = re.search(r"ttl=(\d+)", reply)
        found[name]["ttl"] = int(match[1]) if match else None
    return found


async def lines(lab, namespace, name, container, *argv):
    session = await lab.cluster.exec(namespace, name, container, argv, stdin=False, tty=False)
    output = (await session.stdout.read()).decode()
    await session.wait()
    return [line.strip() for line in output.splitlines() if line.strip()]


def probed(name, **container):
    """A multitool with a readiness probe on the port its entrypoint opens."""
    made = pod(name)
    made["spec"]["containers"][0].update(
        env=[{"name": "HTTP_PORT", "value": "8080"}, {"name": "HTTPS_PORT", "value": "8443"}],
        readinessProbe={"httpGet": {"path": "/", "port": 8080}},
        **container,
    )
    return made
