# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the controllers make of objects, over the real store and a kernel that only remembers."""

from __future__ import annotations

import asyncio
import functools
import json

import pytest
from lab import NODES, POOL, STATUSES, operator_object, pod, running, workload
from podnet_sandbox.config import SandboxConfig

CONTROL_PLANE, WORKER, WORKER2 = NODES
BLOCKS, AFFINITIES = "ipamblocks.crd.projectcalico.org", "blockaffinities.crd.projectcalico.org"
POOLS, HANDLES = "ippools.crd.projectcalico.org", "ipamhandles.crd.projectcalico.org"
TOLERATE_ALL = [{"operator": "Exists"}]


def in_a_lab(test):
    """Run the coroutine ``test(lab, …)`` in a cluster with Calico."""

    @functools.wraps(test)
    def run(**arguments):
        async def body():
            async with running() as lab:
                await lab.install_calico()
                await test(lab, **arguments)

        asyncio.run(body())

    del run.__wrapped__  # pytest would take `lab` for a fixture
    return run


def in_a_bare_lab(test):
    """The same without Calico."""

    @functools.wraps(test)
    def run():
        async def body():
            async with running() as lab:
                await test(lab)

        asyncio.run(body())

    del run.__wrapped__
    return run


# Before Calico


@in_a_bare_lab
async def test_without_a_network_plugin_nodes_are_not_ready_and_say_why(lab):
    for node in lab.store.scan("nodes"):
        ready = lab.condition(node, "Ready")
        assert (ready["status"], ready["reason"]) == ("False", "KubeletNotReady")
        assert "cni plugin not initialized" in ready["message"]
        assert {"effect": "NoSchedule", "key": "node.kubernetes.io/not-ready"} in node["spec"]["taints"]


@pytest.mark.parametrize(("nodes", "away"), [(("only",), False), (("control-plane", "worker"), True)])
def test_pods_are_kept_from_the_control_plane_unless_it_is_alone(nodes, away):
    async def taints():
        async with running(config=SandboxConfig(nodes=nodes)) as lab:
            return [taint["key"] for taint in lab.store.get("nodes", nodes[0])["spec"]["taints"]]

    assert ("node-role.kubernetes.io/control-plane" in asyncio.run(taints())) == away


@in_a_bare_lab
async def test_a_new_cluster_has_its_namespaces_service_and_kubeadm_configuration(lab):
    assert {item["metadata"]["name"] for item in lab.store.scan("namespaces")} == {
        "default", "kube-node-lease", "kube-public", "kube-system",
    }  # fmt: skip
    assert lab.store.get("services", "kubernetes", "default")["spec"]["clusterIP"] == "10.96.0.1"
    configuration = lab.store.get("configmaps", "kubeadm-config", "kube-system")["data"]["ClusterConfiguration"]
    assert "podSubnet: 192.168.0.0/16" in configuration
    assert lab.store.get("serviceaccounts", "default", "default")


@in_a_bare_lab
async def test_nothing_of_calico_exists_until_an_installation_is_applied(lab):
    lab.apply_manifests()
    await lab.until(lambda: any(lab.ready(item) for item in lab.pods(namespace="tigera-operator")))
    await asyncio.sleep(0.05)
    assert lab.store.scan(STATUSES) == [] and lab.store.find("namespaces", "calico-system") is None


@in_a_bare_lab
async def test_an_installation_without_a_running_operator_does_nothing(lab):
    lab.apply_manifests()
    lab.patch("deployments.apps", "tigera-operator", {"spec": {"replicas": 0}}, "tigera-operator")
    await lab.until(lambda: not lab.pods(namespace="tigera-operator"))
    lab.apply_installation()
    await asyncio.sleep(0.05)
    assert lab.store.scan(POOLS) == []


# The operator


@in_a_lab
async def test_calico_makes_nodes_ready_and_annotates_them(lab):
    for node in lab.store.scan("nodes"):
        name = node["metadata"]["name"]
        annotations = node["metadata"]["annotations"]
        assert set(annotations) == {"projectcalico.org/IPv4Address", "projectcalico.org/IPv4VXLANTunnelAddr"}
        assert annotations["projectcalico.org/IPv4Address"] == f"{lab.config.address_of(name)}/16"
        assert lab.ready(node)
        assert lab.condition(node, "NetworkUnavailable")["reason"] == "CalicoIsUp"
        (block,) = [b["spec"] for b in lab.store.scan(BLOCKS) if b["spec"]["affinity"] == f"host:{name}"]
        assert block["cidr"].startswith(annotations["projectcalico.org/IPv4VXLANTunnelAddr"])
        assert block["attributes"][0] == {
            "handle_id": f"vxlan-tunnel-addr-{name}",
            "secondary": {"node": name, "type": "vxlanTunnelAddress"},
        }


@in_a_lab
async def test_the_pool_has_the_recorded_shape(lab):
    (pool,) = lab.store.scan(POOLS)
    assert pool["spec"] == {
        "allowedUses": ["Workload", "Tunnel"],
        "assignmentMode": "Automatic",
        "blockSize": 26,
        "cidr": "192.168.0.0/16",
        "ipipMode": "Never",
        "natOutgoing": True,
        "nodeSelector": "all()",
        "vxlanMode": "CrossSubnet",
    }
    assert "labels" not in pool["metadata"]
    kept = json.loads(pool["metadata"]["annotations"]["projectcalico.org/metadata"])
    assert kept["labels"] == {"app.kubernetes.io/managed-by": "tigera-operator"}


@in_a_lab
async def test_the_installation_is_completed_and_reports_what_it_made(lab):
    await lab.until(lambda: lab.ready(lab.store.find("installations.operator.tigera.io", "default")))
    installation = lab.store.get("installations.operator.tigera.io", "default")
    assert installation["spec"]["calicoNetwork"]["bgp"] == "Enabled"
    assert installation["spec"]["calicoNetwork"]["ipPools"][0]["allowedUses"] == ["Workload", "Tunnel"]
    status = installation["status"]
    assert status["computed"] == installation["spec"]
    assert (status["mtu"], status["variant"], status["calicoVersion"]) == (1450, "Calico", "v3.30.7")


@in_a_lab
async def test_statuses_are_those_of_a_healthy_calico(lab):
    assert [item["metadata"]["name"] for item in lab.store.scan(STATUSES)] == ["calico", "ippools"]
    for item in lab.store.scan(STATUSES):
        found = {c["type"]: (c["status"], c["reason"], c["message"]) for c in item["status"]["conditions"]}
        good = ("AllObjectsAvailable", "All objects available")
        assert found == {
            "Available": ("True", *good),
            "Degraded": ("False", *good),
            "Progressing": ("False", *good),
        }


@in_a_lab
async def test_the_api_server_is_there_when_it_is_asked_for(lab):
    lab.apply(operator_object("APIServer"))
    await lab.until(lambda: lab.available("apiserver"))
    assert len(lab.pods("calico-apiserver", "calico-apiserver")) == 2


@in_a_lab
async def test_calico_node_runs_on_the_host_network_of_every_node(lab):
    pods = lab.pods("calico-node", "calico-system")
    assert {item["spec"]["nodeName"] for item in pods} == set(NODES)
    for item in pods:
        assert item["spec"]["containers"][0]["name"] == "calico-node"
        assert item["spec"]["containers"][0]["image"] == "quay.io/calico/node:v3.30.7"
        assert item["status"]["podIP"] == lab.config.address_of(item["spec"]["nodeName"])
        assert lab.kernel.pods["calico-system", item["metadata"]["name"]][1] is None


@in_a_lab
async def test_every_kernel_is_told_its_routes_and_its_peers(lab):
    for name in NODES:
        network = lab.kernel.networks[name]
        assert network.vxlan is not None and len(network.bgp.peers) == 2
        assert lab.kernel.bird[name] == network.bgp and lab.kernel.felix_ready[name]
        assert len([route for route in network.routes if route.dst.endswith("/26")]) == 3


@in_a_lab
async def test_changing_the_encapsulation_needs_calicos_api_server(lab):
    change_pool(lab, {"encapsulation": "None"})
    await lab.until(lambda: lab.condition(lab.store.find(STATUSES, "ippools"), "Degraded")["status"] == "True")
    message = lab.condition(lab.store.find(STATUSES, "ippools"), "Degraded")["message"]
    assert message == "Unable to modify IP pools while Calico API server is unavailable"
    assert lab.store.scan(POOLS)[0]["spec"]["vxlanMode"] == "CrossSubnet"


@in_a_lab
async def test_without_encapsulation_tunnels_go_and_bird_programs(lab):
    lab.apply(operator_object("APIServer"))
    await lab.until(lambda: lab.available("apiserver"))
    change_pool(lab, {"encapsulation": "None"})
    await lab.until(lambda: all(lab.kernel.networks[name].vxlan is None for name in NODES))
    for node in lab.store.scan("nodes"):
        assert "projectcalico.org/IPv4VXLANTunnelAddr" not in node["metadata"]["annotations"]
    assert not [item for item in lab.store.scan(HANDLES) if item["metadata"]["name"].startswith("vxlan-tunnel")]
    assert all(pool.program for pool in lab.kernel.networks[WORKER].bgp.pools)
    assert not [route for route in lab.kernel.networks[WORKER].routes if route.dst.endswith("/26")]


@in_a_lab
async def test_disabling_bgp_rolls_calico_node_and_stops_bird(lab):
    before = {item["metadata"]["uid"] for item in lab.pods("calico-node", "calico-system")}
    patch = {"spec": {"calicoNetwork": {"bgp": "Disabled"}}}
    lab.patch("installations.operator.tigera.io", "default", patch)
    await lab.until(lambda: set(lab.kernel.bird.values()) == {None})
    await lab.until(lambda: lab.available("calico"))
    assert not before & {item["metadata"]["uid"] for item in lab.pods("calico-node", "calico-system")}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"cidr": "172.18.0.0/20"}, "overlaps the node network 172.18.0.0/16"),
        ({"encapsulation": "IPIP"}, "encapsulation IPIP is not modelled by the sandbox"),
        ({"encapsulation": "Magic"}, "Magic is invalid for ipPool.encapsulation"),
        ({"blockSize": 33}, "blockSize 33 must be from 20 to 32"),
        ({"blockSize": 15}, "blockSize 15 must be from 20 to 32"),
    ],
)
def test_an_installation_that_cannot_be_is_degraded_and_says_why(change, message):
    async def body():
        async with running() as lab:
            lab.apply_manifests()
            lab.apply_installation({**POOL, **change})
            await lab.until(lambda: lab.store.find(STATUSES, "calico"))
            assert message in lab.condition(lab.store.get(STATUSES, "calico"), "Degraded")["message"]
            assert lab.store.scan(POOLS) == []

    asyncio.run(body())


# Workloads


@in_a_lab
async def test_a_daemonset_puts_a_pod_on_every_node_it_tolerates(lab):
    lab.apply(workload("DaemonSet", "everywhere", tolerations=TOLERATE_ALL))
    lab.apply(workload("DaemonSet", "workers"))
    lab.apply(workload("DaemonSet", "chosen", nodeSelector={"kubernetes.io/hostname": WORKER2}))
    await lab.until(lambda: all(lab.ready(item) for item in lab.pods()) and len(lab.pods()) == 6)
    assert nodes_of(lab, "everywhere") == sorted(NODES)
    assert nodes_of(lab, "workers") == [WORKER, WORKER2]
    assert nodes_of(lab, "chosen") == [WORKER2]
    status = lab.store.get("daemonsets.apps", "everywhere", "default")["status"]
    assert (status["desiredNumberScheduled"], status["numberReady"], status["numberMisscheduled"]) == (3, 3, 0)


@in_a_lab
async def test_a_new_template_replaces_a_daemonsets_pods(lab):
    lab.apply(workload("DaemonSet", "multitool", tolerations=TOLERATE_ALL))
    await lab.until(lambda: len([item for item in lab.pods() if lab.ready(item)]) == 3)
    template = {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": "now"}}}
    before = {item["metadata"]["uid"] for item in lab.pods()}
    lab.patch("daemonsets.apps", "multitool", {"spec": {"template": template}}, "default")
    await lab.until(lambda: rolled_out(lab, "multitool", before))


@in_a_lab
async def test_a_deployment_scales_and_its_addresses_follow(lab):
    lab.apply(workload("Deployment", "web", replicas=3))
    await lab.until(lambda: len([item for item in lab.pods("web") if lab.ready(item)]) == 3)
    assert len(pod_handles(lab)) == 3
    lab.patch("deployments.apps", "web", {"spec": {"replicas": 1}}, "default")
    await lab.until(lambda: len(lab.pods("web")) == 1 and len(pod_handles(lab)) == 1)
    await lab.until(lambda: lab.store.get("deployments.apps", "web", "default")["status"].get("replicas") == 1)
    status = lab.store.get("deployments.apps", "web", "default")["status"]
    assert (status["readyReplicas"], status["updatedReplicas"]) == (1, 1)
    assert "unavailableReplicas" not in status


@in_a_lab
async def test_a_new_template_moves_a_deployment_to_a_new_replicaset(lab):
    lab.apply(workload("Deployment", "web", replicas=2))
    await lab.until(lambda: len([item for item in lab.pods("web") if lab.ready(item)]) == 2)
    old = {item["metadata"]["uid"] for item in lab.pods("web")}
    patch = {"spec": {"template": {"metadata": {"annotations": {"changed": "yes"}}}}}
    lab.patch("deployments.apps", "web", patch, "default")
    await lab.until(lambda: len(lab.pods("web")) == 2 and not old & {i["metadata"]["uid"] for i in lab.pods("web")})
    await lab.until(lambda: sorted(rs["spec"]["replicas"] for rs in lab.store.scan("replicasets.apps", "default")) == [0, 2])
    revision = lab.store.get("deployments.apps", "web", "default")["metadata"]["annotations"]
    assert revision["deployment.kubernetes.io/revision"] == "2"


@in_a_lab
async def test_a_pod_that_fits_nowhere_is_pending_and_says_why(lab):
    lab.apply(pod("lonely", nodeSelector={"no": "such"}))
    await lab.until(lambda: lab.events("FailedScheduling", "lonely"))
    condition = lab.condition(lab.pod("lonely"), "PodScheduled")
    assert (condition["status"], condition["reason"]) == ("False", "Unschedulable")
    assert condition["message"].startswith("0/3 nodes are available: 3 node(s) didn't match")
    lab.patch("nodes", WORKER, {"metadata": {"labels": {"no": "such"}}})
    await lab.until(lambda: lab.ready(lab.pod("lonely")))


@in_a_lab
async def test_a_tainted_node_is_avoided(lab):
    for number in range(4):
        lab.apply(pod(f"p{number}"))
    await lab.until(lambda: all(lab.ready(item) for item in lab.pods()))
    assert nodes_of(lab, "p") == [WORKER, WORKER, WORKER2, WORKER2]


# Pods


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
    assert lab.kernel.restarted == [("default", "restless", "multitool")]


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
    assert lab.kernel.pods["default", "wants"][2].containers[0].env["HTTP_PORT"] == "8080"


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
    env = lab.kernel.pods["default", "curious"][2].containers[0].env
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
    lab.store.delete("namespaces", "extra")
    await lab.until(lambda: lab.store.find("namespaces", "extra") is None)
    assert ("extra", "inside") not in lab.kernel.pods and pod_handles(lab) == []


# Nodes


@in_a_lab
async def test_a_deleted_node_loses_its_routes_at_once_and_its_addresses_soon(lab):
    lab.apply(pod("there", nodeName=WORKER2))
    await lab.until(lambda: lab.ready(lab.pod("there")))
    lab.store.delete("nodes", WORKER2)
    await lab.until(lambda: "172.18.0.4" not in {route.gateway for route in lab.kernel.networks[WORKER].routes})
    assert WORKER2 in {item["spec"]["node"] for item in lab.store.scan(AFFINITIES)}  # not collected yet
    await lab.until(lambda: WORKER2 not in {item["spec"]["node"] for item in lab.store.scan(AFFINITIES)})
    assert f"host:{WORKER2}" not in {item["spec"].get("affinity") for item in lab.store.scan(BLOCKS)}
    assert not lab.pods("there") and not [h for h in lab.store.scan(HANDLES) if WORKER2 in h["metadata"]["name"]]
    assert lab.store.find("nodes", WORKER2) is None


@in_a_lab
async def test_a_node_that_is_registered_again_gets_another_tunnel_address(lab):
    old = lab.store.get("nodes", WORKER2)
    lab.store.delete("nodes", WORKER2)
    await lab.until(lambda: not [p for p in lab.pods("calico-node", "calico-system") if p["spec"]["nodeName"] == WORKER2])
    bare = {"name": WORKER2, "labels": old["metadata"]["labels"]}
    lab.apply({"apiVersion": "v1", "kind": "Node", "metadata": bare, "spec": {}})
    key = "projectcalico.org/IPv4VXLANTunnelAddr"
    await lab.until(lambda: lab.store.get("nodes", WORKER2)["metadata"].get("annotations", {}).get(key))
    assert lab.store.get("nodes", WORKER2)["metadata"]["annotations"][key] != old["metadata"]["annotations"][key]
    await lab.until(lambda: lab.ready(lab.store.find("nodes", WORKER2)))


@in_a_lab
async def test_an_address_that_somebody_changed_stays_until_calico_node_starts_again(lab):
    def address():
        return lab.store.get("nodes", WORKER2)["metadata"]["annotations"].get("projectcalico.org/IPv4Address")

    def gateways():
        return {route.gateway for route in lab.kernel.networks[WORKER].routes}

    lab.patch("nodes", WORKER2, {"metadata": {"annotations": {"projectcalico.org/IPv4Address": "172.18.255.254/16"}}})
    await lab.until(lambda: "172.18.255.254" in gateways() and "172.18.0.4" not in gateways())
    assert address() == "172.18.255.254/16"
    (agent,) = [p for p in lab.pods("calico-node", "calico-system") if p["spec"]["nodeName"] == WORKER2]
    lab.store.delete("pods", agent["metadata"]["name"], "calico-system")
    await lab.until(lambda: address() == "172.18.0.4/16" and "172.18.0.4" in gateways())


@in_a_lab
async def test_routes_stay_when_calico_node_goes_and_bird_ends(lab):
    routes = lab.kernel.networks[WORKER].routes
    ds = {"spec": {"template": {"spec": {"nodeSelector": {"kubernetes.io/hostname": CONTROL_PLANE}}}}}
    lab.patch("deployments.apps", "tigera-operator", {"spec": {"replicas": 0}}, "tigera-operator")
    await lab.until(lambda: not lab.pods(namespace="tigera-operator"))
    lab.patch("daemonsets.apps", "calico-node", ds, "calico-system")
    await lab.until(lambda: lab.kernel.bird[WORKER] is None)
    assert lab.kernel.networks[WORKER].routes == routes and not lab.kernel.felix_ready[WORKER]
    assert lab.ready(lab.store.get("nodes", WORKER))  # CNI stays installed


@in_a_lab
async def test_a_settled_cluster_writes_nothing(lab):
    lab.apply(workload("DaemonSet", "multitool", tolerations=TOLERATE_ALL))
    await lab.until(lambda: len([item for item in lab.pods() if lab.ready(item)]) == 3)
    await lab.until(lambda: lab.store.get("daemonsets.apps", "multitool", "default")["status"]["numberReady"] == 3)
    await asyncio.sleep(0.2)
    revision = lab.store.revision
    await asyncio.sleep(0.7)
    assert lab.store.revision == revision


def nodes_of(lab, prefix):
    return sorted(item["spec"]["nodeName"] for item in lab.pods(prefix))


def pod_handles(lab):
    """Handles of pods outside Calico's own namespaces."""
    own = {item["metadata"].get("annotations", {}).get("cni.projectcalico.org/containerID") for item in lab.store.scan("pods", "calico-system")}
    names = (item["metadata"]["name"] for item in lab.store.scan(HANDLES))
    return [n for n in names if n.startswith("k8s-pod-network.") and n.partition(".")[2] not in own]


def service_backends(lab):
    return {(port.cluster_ip, port.backends) for port in lab.kernel.networks[WORKER].services}


def rolled_out(lab, name, before):
    status = lab.store.get("daemonsets.apps", name, "default")["status"]
    fresh = [item for item in lab.pods(name) if item["metadata"]["uid"] not in before]
    return len(fresh) == 3 and status.get("updatedNumberScheduled") == 3 == status["numberReady"]


def change_pool(lab, change):
    installation = lab.store.get("installations.operator.tigera.io", "default")
    installation["spec"]["calicoNetwork"]["ipPools"][0].update(change)
    lab.store.update("installations.operator.tigera.io", installation)
