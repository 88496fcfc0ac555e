# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A pod on its node: address, files and environment, probes, restarts, its end."""

from __future__ import annotations

import asyncio

import pytest
from lab import NODES, in_a_lab, pod, pod_handles
from podnet_sandbox.api.background import Background

CONTROL_PLANE, WORKER, WORKER2 = NODES


@in_a_lab
async def test_a_pod_is_wired_as_calicos_cni_does_it(lab):
    lab.apply(pod("multitool", nodeName=WORKER))
    await lab.until(lambda: lab.ready(lab.pod("multitool")))
    found = lab.pod("multitool")
    node, network, spec = lab.kernel.pods["default", "multitool"]
    assert (node, network.address, network.mtu) == (WORKER, found["status"]["podIP"], 1450)
    assert network.host_device == "cali6d09fa47963"  # recorded for default/multitool
    annotations = found["metadata"]["annotations"]
    assert annotations["cni.projectcalico.org/podIP"] == f"{network.address}/32"
    container = annotations["cni.projectcalico.org/containerID"]
    (handle,) = pod_handles(lab)
    assert handle == f"k8s-pod-network.{container}"
    assert spec.hostname == "multitool" and b"nameserver 10.96.0.10" in spec.files["/etc/resolv.conf"]
    await lab.until(lambda: network in lab.kernel.networks[WORKER].pods)
    assert f"{network.address}/32" in {route.dst for route in lab.kernel.networks[WORKER].routes}


@in_a_lab
async def test_a_deleted_pod_gives_its_address_back(lab):
    lab.apply(pod("multitool", nodeName=WORKER))
    await lab.until(lambda: lab.ready(lab.pod("multitool")))
    address = lab.pod("multitool")["status"]["podIP"]
    lab.store.delete("pods", "multitool", "default")
    await lab.until(lambda: lab.pod("multitool") is None)
    assert pod_handles(lab) == [] and ("default", "multitool") not in lab.kernel.pods
    lab.apply(pod("multitool", nodeName=WORKER))
    await lab.until(lambda: lab.ready(lab.pod("multitool")))
    assert lab.pod("multitool")["status"]["podIP"] != address  # first in, first out


@in_a_lab
async def test_a_namespace_chooses_pools_for_its_pods_and_a_pod_another_or_an_address(lab):
    for name, cidr in (("namespaces", "10.1.0.0/24"), ("pods", "10.2.0.0/24")):
        spec = {"cidr": cidr, "blockSize": 26, "vxlanMode": "CrossSubnet", "nodeSelector": "!all()"}
        lab.apply({"apiVersion": "crd.projectcalico.org/v1", "kind": "IPPool", "metadata": {"name": name}, "spec": spec})
    chosen = {"cni.projectcalico.org/ipv4pools": '["namespaces"]', "cni.projectcalico.org/ipAddrs": '["10.1.0.9"]'}
    lab.patch("namespaces", "default", {"metadata": {"annotations": chosen}})
    lab.apply(pod("plain", nodeName=WORKER))
    lab.apply(pod("choosy", annotations={"cni.projectcalico.org/ipv4pools": '["10.2.0.0/24"]'}, nodeName=WORKER))
    lab.apply(pod("exact", annotations={"cni.projectcalico.org/ipAddrs": '["10.2.0.77"]'}, nodeName=WORKER))
    await lab.until(lambda: all(lab.ready(lab.pod(name)) for name in ("plain", "choosy", "exact")))
    addresses = {name: lab.pod(name)["status"]["podIP"] for name in ("plain", "choosy", "exact")}
    assert addresses["plain"].startswith("10.1.0.") and addresses["plain"] != "10.1.0.9"
    assert addresses["choosy"].startswith("10.2.0.") and addresses["exact"] == "10.2.0.77"


@in_a_lab
async def test_a_pod_without_an_address_waits_in_containercreating_until_one_is_free(lab):
    tiny = {"cidr": "10.77.0.0/30", "blockSize": 30, "vxlanMode": "CrossSubnet", "nodeSelector": "all()"}
    metadata = {"name": "tiny"}
    lab.apply({"apiVersion": "crd.projectcalico.org/v1", "kind": "IPPool", "metadata": metadata, "spec": tiny})
    asks = {"cni.projectcalico.org/ipv4pools": '["tiny"]'}
    for number in range(5):
        lab.apply(pod(f"tiny-{number}", annotations=asks, nodeName=WORKER))
    await lab.until(lambda: len([item for item in lab.pods("tiny") if lab.ready(item)]) == 4)
    (waiting,) = [item for item in lab.pods("tiny") if not lab.ready(item)]
    name = waiting["metadata"]["name"]
    await lab.until(lambda: lab.events("FailedCreatePodSandBox", name))
    message = lab.events("FailedCreatePodSandBox", name)[0]
    assert message.startswith("Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network")
    assert message.endswith(
        'plugin type="calico" failed (add): failed to request IPv4 addresses: '
        "Assigned 0 out of 1 requested IPv4 addresses; No IPs available in pools: [10.77.0.0/30]"
    )
    waiting = lab.pod(name)
    state = waiting["status"]["containerStatuses"][0]["state"]
    assert (waiting["status"]["phase"], state) == ("Pending", {"waiting": {"reason": "ContainerCreating"}})
    happy = next(item for item in lab.pods("tiny") if lab.ready(item))
    lab.store.delete("pods", happy["metadata"]["name"], "default")
    await lab.until(lambda: lab.ready(lab.pod(name)))


@in_a_lab
async def test_an_unknown_image_is_errimagepull(lab):
    lab.apply(pod("typo", image="wbitt/network-multitol:latest"))
    seen = set()

    def pulled_back_off():
        statuses = (lab.pod("typo").get("status") or {}).get("containerStatuses") or ()
        seen.update(entry["state"].get("waiting", {}).get("reason") for entry in statuses)
        return "ImagePullBackOff" in seen

    await lab.until(pulled_back_off)
    assert "ErrImagePull" in seen and lab.pod("typo")["status"]["phase"] == "Pending"
    assert "wbitt/network-multitol:latest" in lab.events("Failed", "typo")[0]


@in_a_lab
async def test_a_failing_readiness_probe_keeps_a_pod_out_of_its_service(lab):
    lab.kernel.answers["silent"] = False
    probe = {"httpGet": {"path": "/", "port": 8080}}
    for name in ("silent", "serving"):
        made = pod(name)
        made["metadata"]["labels"] = {"app": "web"}
        made["spec"]["containers"][0]["readinessProbe"] = probe
        lab.apply(made)
    port = {"port": 80, "targetPort": 8080, "protocol": "TCP"}
    service = {"selector": {"app": "web"}, "ports": [port]}
    metadata = {"name": "web", "namespace": "default"}
    lab.apply({"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": service})
    await lab.until(lambda: lab.ready(lab.pod("serving")))
    assert lab.pod("silent")["status"]["phase"] == "Running" and not lab.ready(lab.pod("silent"))
    address = lab.pod("serving")["status"]["podIP"]
    cluster_ip = lab.store.get("services", "web", "default")["spec"]["clusterIP"]
    await lab.until(lambda: (cluster_ip, (f"{address}:8080",)) in service_backends(lab))
    (subset,) = lab.store.get("endpoints", "web", "default")["subsets"]
    assert [entry["ip"] for entry in subset["addresses"]] == [address]
    assert [entry["targetRef"]["name"] for entry in subset["notReadyAddresses"]] == ["silent"]
    await lab.until(lambda: lab.events("Unhealthy", "silent"))
    assert f"http://{lab.pod('silent')['status']['podIP']}:8080/" in lab.events("Unhealthy", "silent")[0]
    lab.kernel.answers["silent"] = True
    await lab.until(lambda: lab.ready(lab.pod("silent")))


@in_a_lab
async def test_a_container_that_ends_is_started_again(lab):
    lab.apply(pod("restless"))
    await lab.until(lambda: lab.ready(lab.pod("restless")))
    lab.kernel.exit("default", "restless", "multitool", 1)
    await lab.until(lambda: lab.pod("restless")["status"]["containerStatuses"][0]["restartCount"] == 1)
    status = lab.pod("restless")["status"]["containerStatuses"][0]
    assert status["lastState"]["terminated"]["exitCode"] == 1 and "running" in status["state"]
    assert lab.kernel.started.count(("default", "restless", "multitool")) == 2


@pytest.mark.parametrize(("code", "phase"), [(0, "Succeeded"), (3, "Failed")])
def test_a_container_that_is_not_to_be_restarted_ends_its_pod(code, phase):
    @in_a_lab
    async def body(lab):
        lab.apply(pod("once", restartPolicy="Never", nodeName=WORKER))
        await lab.until(lambda: lab.ready(lab.pod("once")))
        address = lab.pod("once")["status"]["podIP"]
        lab.kernel.exit("default", "once", "multitool", code)
        await lab.until(lambda: lab.pod("once")["status"]["phase"] == phase)
        await lab.until(lambda: f"{address}/32" not in {r.dst for r in lab.kernel.networks[WORKER].routes})

    body()


@in_a_lab
async def test_a_missing_configmap_keeps_a_container_from_being_created(lab):
    made = pod("wants")
    source = {"configMapKeyRef": {"name": "settings", "key": "port"}}
    made["spec"]["containers"][0]["env"] = [{"name": "HTTP_PORT", "valueFrom": source}]
    lab.apply(made)
    await lab.until(lambda: lab.events("Failed", "wants"))
    assert 'configmap "settings" not found' in lab.events("Failed", "wants")[0]
    metadata = {"name": "settings", "namespace": "default"}
    lab.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"port": "8080"}})
    await lab.until(lambda: lab.ready(lab.pod("wants")))
    assert lab.kernel.containers["default", "wants", "multitool"].env["HTTP_PORT"] == "8080"


@in_a_lab
async def test_a_container_finds_services_and_itself_in_its_environment(lab):
    port = {"name": "http", "port": 80, "protocol": "TCP"}
    metadata = {"name": "web-1", "namespace": "default"}
    lab.apply({"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": {"ports": [port]}})
    address = lab.store.get("services", "web-1", "default")["spec"]["clusterIP"]
    made = pod("curious", nodeName=WORKER)
    made["spec"]["containers"][0]["env"] = [
        {"name": "WHERE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
        {"name": "MINE", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
        {"name": "URL", "value": "http://$(WEB_1_SERVICE_HOST)/$$(WHERE)/$(NOSUCH)"},
    ]
    lab.apply(made)
    await lab.until(lambda: lab.ready(lab.pod("curious")))
    env = lab.kernel.containers["default", "curious", "multitool"].env
    assert env["KUBERNETES_SERVICE_HOST"] == "10.96.0.1"
    assert env["WEB_1_SERVICE_HOST"] == address
    assert env["WEB_1_PORT_80_TCP"] == f"tcp://{address}:80"
    assert env["WHERE"] == WORKER
    assert env["MINE"] == lab.pod("curious")["status"]["podIP"]
    assert env["URL"] == f"http://{address}/$(WHERE)/$(NOSUCH)"


@in_a_lab
async def test_a_deleted_namespace_takes_its_pods_along(lab):
    lab.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "extra"}})
    made = pod("inside")
    made["metadata"]["namespace"] = "extra"
    lab.apply(made)
    await lab.until(lambda: lab.pod("inside", "extra") and lab.ready(lab.pod("inside", "extra")))
    emptying = asyncio.create_task(Background(lab.store, None, "", namespace_grace=0).run())
    lab.store.delete("namespaces", "extra")
    await lab.until(lambda: lab.store.find("namespaces", "extra") is None)
    emptying.cancel()
    assert ("extra", "inside") not in lab.kernel.pods and pod_handles(lab) == []


def service_backends(lab):
    return {(port.cluster_ip, port.backends) for port in lab.kernel.networks[WORKER].services}
