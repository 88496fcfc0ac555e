# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The main job on a cluster that this project did not build: other people's pods, no mark of a lab, and a restricted account."""

from __future__ import annotations

import json

import pytest
from ansible_collections.podnet.calico.plugins.module_utils._checks import judge
from ansible_collections.podnet.calico.plugins.module_utils._cluster import Limits, connect
from ansible_collections.podnet.calico.plugins.module_utils._collect import NODES, PODS, collect
from ansible_collections.podnet.calico.plugins.module_utils._errors import PodnetError
from ansible_collections.podnet.calico.plugins.module_utils._selection import Selectors

SHOP = "shop"
#: As of an image that holds one program and nothing else: neither a shell nor ip is found.
DISTROLESS = {"command": ["/bin/sleep", "infinity"], "env": [{"name": "PATH", "value": "/nowhere"}]}
SLEEPS = {"command": ["sleep", "infinity"]}


def pod(name, app, **spec):
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {"app": app}}, "spec": spec}


def container(**more):
    return {"name": "main", "image": "docker.io/library/busybox:1.37", **more}


def owner(kind, group, name, app, **spec):
    """A workload of ``app``, with pods of one distroless container unless ``spec`` says otherwise."""
    template = {"metadata": {"labels": {"app": app}}, "spec": {"containers": [container(**DISTROLESS)], **spec}}
    described = {"selector": {"matchLabels": {"app": app}}, "template": template}
    return {"apiVersion": f"{group}/v1", "kind": kind, "metadata": {"name": name}, "spec": described}


def create(cluster, folder, *objects):
    """Create objects in the namespace."""
    file = folder / "objects.yaml"
    file.write_text("\n---\n".join(map(json.dumps, objects)))
    cluster.kubectl("create", "--namespace", SHOP, "-f", str(file))


@pytest.fixture(scope="module")
def shop(foreign, tmp_path_factory):
    """The cluster with a shop in it."""
    folder = tmp_path_factory.mktemp("shop")
    foreign.kubectl("create", "namespace", SHOP)
    web = owner("Deployment", "apps", "web", "web")
    web["spec"]["replicas"] = 2
    agent = owner("DaemonSet", "apps", "agent", "agent", hostNetwork=True, tolerations=[{"operator": "Exists"}])
    database = owner("StatefulSet", "apps", "database", "database")
    database["spec"]["serviceName"] = "database"
    job = owner("Job", "batch", "backup", "backup", containers=[container(command=["true"])], restartPolicy="Never")
    del job["spec"]["selector"]
    create(foreign, folder, web, agent, database, job, pod("alone", "alone", containers=[container(**SLEEPS)]))
    foreign.kubectl("rollout", "status", "--namespace", SHOP, "deployment/web", "--timeout", "60s")
    foreign.kubectl("rollout", "status", "--namespace", SHOP, "daemonset/agent", "--timeout", "60s")
    foreign.kubectl("rollout", "status", "--namespace", SHOP, "statefulset/database", "--timeout", "60s")
    foreign.kubectl("wait", "--namespace", SHOP, "--for=condition=Complete", "job/backup", "--timeout", "60s")
    foreign.kubectl("wait", "--namespace", SHOP, "--for=condition=Ready", "pod/alone", "--timeout", "60s")
    return foreign


@pytest.fixture
def account(shop):
    """A connection of the restricted account that keeps in ``asked`` where it was that commands were run."""
    cluster = connect({"kubeconfig": str(shop.restricted("verify.yaml"))}, Limits())
    run, cluster.asked = cluster.exec, []

    def exec_and_tell(namespace, pod, *arguments, **options):
        cluster.asked.append((namespace, pod.rpartition("-")[0]))
        return run(namespace, pod, *arguments, **options)

    cluster.exec = exec_and_tell
    return cluster


def of_shop(snapshot):
    return {pod.name.partition("-")[0]: pod for pod in snapshot.pods if pod.namespace == SHOP}


def headlines(verdict):
    return [finding for finding in verdict.findings if finding.cause is None]


def test_the_main_job_passes_and_says_what_it_did_not_look_at(shop):
    run = shop.verify(shop.restricted("verify.yaml"))
    assert run.code == 0, run.fault
    assert run.published["podnet_summary"]["failed"] == 0 and run.published["podnet_summary"]["inconclusive"] == 0
    assert run.published["podnet_summary"]["passed"] > 90
    assert "Read-only: lists, and exec of commands that only read." in run.text
    with open(run.published["podnet_verdict_path"], encoding="utf-8") as stream:
        results = json.load(stream)["results"]
    assert all(result["reason"] for result in results if result["outcome"] == "skipped")


def test_commands_are_run_in_calico_node_and_nowhere_else(account):
    snapshot = collect(account, (NODES,))
    assert account.asked == [("calico-system", "calico-node")] * len(snapshot.nodes)


def test_pods_of_every_owner_are_judged_from_their_nodes(account):
    snapshot = collect(account, (NODES,))
    pods, verdict = of_shop(snapshot), judge(snapshot)
    owners = {name: (pods[name].owner or "").partition("/")[0] for name in pods}
    assert owners == {"web": "ReplicaSet", "agent": "DaemonSet", "database": "StatefulSet", "backup": "Job", "alone": ""}
    assert pods["agent"].host_network and pods["backup"].phase == "Succeeded"
    # Host-side, each pod with an address of Calico's own is judged; those on the host's network and those that ended are none.
    judged = sum(result.passed for result in verdict.results if result.id == "host.device")
    wired = [pod for pod in snapshot.pods if not pod.host_network and pod.phase == "Running"]
    assert verdict.findings == () and judged == len(wired) and pods["web"] in wired


def test_a_deleted_route_is_named_by_its_node_and_block(shop, account):
    routes = shop.on_node("worker", "ip", "-4", "route").splitlines()
    (block, *_others) = [line.split() for line in routes if "/26 via " in line]
    verdict = None
    # Once more, should the resync of Felix have repaired it just in between.
    while verdict is None or not verdict.findings:
        account.start_clock()
        shop.on_node("worker", "ip", "route", "del", block[0])
        verdict = judge(collect(account, (NODES,)))
        shop.on_node("worker", "ip", "route", "replace", *block)
    (headline,) = headlines(verdict)
    assert (headline.id, headline.node, headline.subject.prefix) == ("blocks.remote-route", f"{shop.name}-worker", block[0])
    assert f"{headline.node} has no route to {block[0]}" in verdict.msg


def test_of_selected_pods_one_without_a_shell_is_not_seen_and_others_are_not_selected(shop, account):
    shop.kubectl("apply", "--namespace", SHOP, "-f", str(shop.restricted("verify.yaml").parent / "rbac" / "pods.yaml"))
    account.start_clock()
    snapshot = collect(account, (NODES, PODS), Selectors(pods="app in (alone, database)", namespaces=(SHOP,)))
    pods, verdict = of_shop(snapshot), judge(snapshot)
    assert {where for where in account.asked if where[0] == SHOP} == {(SHOP, ""), (SHOP, "database")}
    assert {pods[name].skipped for name in ("web", "agent", "backup")} == {"not selected (pod_selector)"}
    assert pods["alone"].facts.unobserved == ()
    assert {finding.outcome for finding in verdict.findings} == {"inconclusive"}
    (headline,) = headlines(verdict)
    assert headline.subject.name == "database-0" and "pod_selector" in headline.remedy
    assert 'exec: "sh": executable file not found in $PATH' in verdict.msg


def test_what_is_no_label_selector_is_named_before_anything_is_run(account):
    account.start_clock()
    before = len(account.asked)
    with pytest.raises(PodnetError) as raised:
        collect(account, (NODES, PODS), Selectors(nodes="zone in"))
    assert raised.value.message.startswith("node_selector is no label selector: «zone in» (GET /api/v1/nodes on https://")
    assert "unable to parse requirement" in raised.value.message and len(account.asked) == before
