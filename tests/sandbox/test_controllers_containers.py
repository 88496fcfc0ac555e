# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A pod's containers: init containers, restarts, probes, hooks, volumes, how they are ended."""

from __future__ import annotations

import asyncio

import pytest
from lab import MULTITOOL, NODES, in_a_lab, pod, pod_handles
from podnet_sandbox.controllers.kubelet.backoff import Backoff

WORKER = NODES[1]


def first(name="first", **fields):
    return {"name": name, "image": MULTITOOL, **fields}


def started(lab):
    """(pod, container) of namespace default, in the order they were started."""
    return [(name, container) for namespace, name, container in lab.kernel.started if namespace == "default"]


def state(lab, name, init=False):
    (found,) = lab.pod(name)["status"]["initContainerStatuses" if init else "containerStatuses"]
    return found["state"]


@in_a_lab
async def test_init_containers_run_one_after_the_other_and_before_the_others(lab):
    lab.apply(pod("slow", initContainers=[first(), first("second")]))
    await lab.until(lambda: started(lab))
    assert started(lab) == [("slow", "first")]
    assert state(lab, "slow") == {"waiting": {"reason": "PodInitializing"}}
    assert lab.condition(lab.pod("slow"), "Initialized")["message"] == "containers with incomplete status: [first second]"
    lab.kernel.exit("default", "slow", "first", 0)
    await lab.until(lambda: len(started(lab)) == 2)
    lab.kernel.exit("default", "slow", "second", 0)
    await lab.until(lambda: lab.ready(lab.pod("slow")))
    assert [name for _, name in started(lab)] == ["first", "second", "multitool"]
    assert [entry["state"]["terminated"]["reason"] for entry in lab.pod("slow")["status"]["initContainerStatuses"]] == ["Completed"] * 2


@in_a_lab
async def test_an_init_container_that_fails_is_run_again_unless_the_pod_is_never_restarted(lab):
    lab.apply(pod("stubborn", initContainers=[first()]))
    lab.apply(pod("brittle", initContainers=[first()], restartPolicy="Never"))
    await lab.until(lambda: len(started(lab)) == 2)
    for name in ("stubborn", "brittle"):
        lab.kernel.exit("default", name, "first", 1)
    await lab.until(lambda: lab.pod("brittle")["status"]["phase"] == "Failed")
    await lab.until(lambda: started(lab).count(("stubborn", "first")) == 2)
    assert ("brittle", "multitool") not in started(lab)


@in_a_lab
async def test_a_sidecar_runs_beside_the_others_and_does_not_keep_the_pod(lab):
    lab.apply(pod("helped", initContainers=[first(restartPolicy="Always")], restartPolicy="Never"))
    await lab.until(lambda: lab.ready(lab.pod("helped")))
    assert "running" in state(lab, "helped", init=True)
    lab.kernel.exit("default", "helped", "multitool", 0)
    await lab.until(lambda: lab.pod("helped")["status"]["phase"] == "Succeeded")
    assert [entry[:3] for entry in lab.kernel.ended] == [("default", "helped", "first")]


@in_a_lab
async def test_a_container_that_crashes_again_has_to_wait(lab):
    lab.apply(pod("restless"))
    await lab.until(lambda: lab.ready(lab.pod("restless")))
    for number in (1, 2):
        lab.kernel.exit("default", "restless", "multitool", 1)
        await lab.until(lambda number=number: lab.pod("restless")["status"]["containerStatuses"][0].get("lastState"))
        if number == 1:
            await lab.until(lambda: lab.ready(lab.pod("restless")))
    await lab.until(lambda: "waiting" in state(lab, "restless"))
    where = f"restless_default({lab.pod('restless')['metadata']['uid']})"
    assert state(lab, "restless")["waiting"] == {
        "reason": "CrashLoopBackOff",
        "message": f"back-off 10s restarting failed container=multitool pod={where}",
    }
    assert lab.events("BackOff", "restless") == [f"Back-off restarting failed container multitool in pod {where}"]


def test_the_wait_grows_to_five_minutes_and_is_forgotten_after_a_long_run():
    times = iter([0, 0, 1, 2, 3, 4, 5, 6, 7, 3000])
    backoff = Backoff(clock=lambda: next(times))
    assert [backoff.next() for _ in range(8)] == [0, 10, 20, 40, 80, 160, 300, 300]
    assert backoff.next() == 0


@in_a_lab
async def test_a_container_that_is_not_alive_is_ended_and_started_again(lab):
    made = pod("sick", terminationGracePeriodSeconds=0)
    made["spec"]["containers"][0]["livenessProbe"] = {"tcpSocket": {"port": 80}, "failureThreshold": 1, "periodSeconds": 1}
    lab.apply(made)
    await lab.until(lambda: lab.ready(lab.pod("sick")))
    lab.kernel.answers["sick"] = False
    await lab.until(lambda: lab.pod("sick")["status"]["containerStatuses"][0]["restartCount"] == 1)
    assert lab.events("Killing", "sick") == ["Container multitool failed liveness probe, will be restarted"]
    assert lab.events("Unhealthy", "sick")[0].startswith("Liveness probe failed:")


@in_a_lab
async def test_a_container_is_asked_for_readiness_when_its_startup_probe_has_succeeded(lab):
    lab.kernel.answers["late"] = False
    made = pod("late")
    probe = {"tcpSocket": {"port": 80}}
    made["spec"]["containers"][0] |= {"startupProbe": probe, "readinessProbe": probe}
    lab.apply(made)
    await lab.until(lambda: lab.events("Unhealthy", "late"))
    assert lab.pod("late")["status"]["containerStatuses"][0]["started"] is False
    assert [message.partition(":")[0] for message in lab.events("Unhealthy", "late")] == ["Startup probe failed"]
    lab.kernel.answers["late"] = True
    await lab.until(lambda: lab.ready(lab.pod("late")))


@pytest.mark.parametrize(("stubborn", "phase"), [(False, "Succeeded"), (True, "Failed")])
def test_a_deleted_pods_containers_have_their_grace(stubborn, phase):
    @in_a_lab
    async def body(lab):
        lab.apply(pod("leaving", terminationGracePeriodSeconds=0.05))
        await lab.until(lambda: lab.ready(lab.pod("leaving")))
        if stubborn:
            lab.kernel.stubborn.add("leaving")
        last = []
        lab.store.subscribe(lambda kind, res, obj, old: last.append(obj) if obj["metadata"]["name"] == "leaving" else None)
        lab.store.delete("pods", "leaving", "default")
        await lab.until(lambda: lab.pod("leaving") is None)
        assert [name for _, name, *_ in lab.kernel.ended] == ["leaving"]
        assert last[-1]["status"]["phase"] == phase
        assert lab.events("Killing", "leaving") == ["Stopping container multitool"]

    body()


@in_a_lab
async def test_who_deletes_a_pod_by_force_does_not_wait_for_it(lab):
    lab.kernel.stubborn.add("leaving")
    lab.apply(pod("leaving", terminationGracePeriodSeconds=3600))
    await lab.until(lambda: lab.ready(lab.pod("leaving")))
    lab.store.delete("pods", "leaving", "default")
    await lab.until(lambda: lab.kernel.ended)
    lab.store.delete("pods", "leaving", "default", grace=0)
    await lab.until(lambda: ("default", "leaving") not in lab.kernel.pods)
    assert pod_handles(lab) == []


@in_a_lab
async def test_a_pod_past_its_deadline_has_failed(lab):
    lab.apply(pod("late", activeDeadlineSeconds=1))
    await lab.until(lambda: lab.pod("late") and lab.pod("late")["status"]["phase"] == "Failed")
    status = lab.pod("late")["status"]
    assert (status["reason"], status["message"]) == ("DeadlineExceeded", "Pod was active on the node longer than the specified deadline")
    assert status["containerStatuses"][0]["state"]["terminated"]["exitCode"] == 0


@in_a_lab
async def test_a_pod_that_has_ended_gives_its_address_back_and_stays(lab):
    lab.apply(pod("once", restartPolicy="Never"))
    await lab.until(lambda: lab.ready(lab.pod("once")))
    address = lab.pod("once")["status"]["podIP"]
    lab.kernel.exit("default", "once", "multitool", 0)
    await lab.until(lambda: pod_handles(lab) == [])
    assert lab.pod("once")["status"]["podIP"] == address
    assert lab.condition(lab.pod("once"), "Ready")["reason"] == "PodCompleted"
    assert lab.kernel.pods["default", "once"][1] is None


@in_a_lab
async def test_another_image_for_a_pod_replaces_its_container(lab):
    lab.apply(pod("typo", image="wbitt/network-multitol:latest"))
    await lab.until(lambda: lab.events("Failed", "typo"))
    containers = [{"name": "multitool", "image": MULTITOOL}]
    lab.store.update("pods", {**lab.pod("typo"), "spec": {**lab.pod("typo")["spec"], "containers": [
        {**lab.pod("typo")["spec"]["containers"][0], **containers[0]}]}})
    await lab.until(lambda: lab.ready(lab.pod("typo")))


# Volumes


@in_a_lab
async def test_volumes_hold_what_their_objects_say_and_follow_them(lab):
    metadata = {"name": "settings", "namespace": "default"}
    lab.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"port": "8080", "host": "a"}})
    lab.apply({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": {"key": "c2VjcmV0"}})
    volumes = [
        {"name": "some", "configMap": {"name": "settings", "items": [{"key": "port", "path": "sub/port"}]}},
        {"name": "all", "projected": {"sources": [{"secret": {"name": "settings"}}, {"configMap": {"name": "settings"}}]}},
        {"name": "self", "downwardAPI": {"items": [{"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}}]}},
        {"name": "scratch", "emptyDir": {}},
        {"name": "unused", "configMap": {"name": "missing"}},
    ]
    made = pod("reader", volumes=volumes)
    made["spec"]["containers"][0]["volumeMounts"] = [{"name": v["name"], "mountPath": f"/{v['name']}"} for v in volumes[:4]]
    lab.apply(made)
    await lab.until(lambda: lab.ready(lab.pod("reader")))
    files = {volume: content for (_, volume), content in lab.kernel.volumes.files.items()}
    assert files["some"] == {"sub/port": b"8080"}
    assert files["all"] == {"key": b"secret", "host": b"a", "port": b"8080"}
    assert files["self"] == {"labels": b'app="reader"'}
    assert lab.kernel.volumes.empties == [(("default", "reader"), "scratch")]
    mounts = {mount.volume: mount.read_only for mount in lab.kernel.containers["default", "reader", "multitool"].mounts}
    assert {name: mounts[name] for name in ("some", "all", "scratch")} == {"some": True, "all": True, "scratch": False}
    lab.patch("configmaps", "settings", {"data": {"port": "9090"}}, "default")
    await lab.until(lambda: lab.kernel.volumes.files[("default", "reader"), "some"] == {"sub/port": b"9090"})
    lab.patch("pods", "reader", {"metadata": {"labels": {"tier": "x"}}}, "default")
    await lab.until(lambda: lab.kernel.volumes.files[("default", "reader"), "self"] == {"labels": b'app="reader"\ntier="x"'})


@in_a_lab
async def test_every_pod_has_the_files_of_its_service_account(lab):
    lab.apply(pod("anyone"))
    await lab.until(lambda: lab.ready(lab.pod("anyone")))
    (mount,) = lab.kernel.containers["default", "anyone", "multitool"].mounts
    assert (mount.path, mount.read_only) == ("/var/run/secrets/kubernetes.io/serviceaccount", True)
    files = lab.kernel.volumes.files[("default", "anyone"), mount.volume]
    assert (files["namespace"], files["ca.crt"]) == (b"default", b"CA") and "token" in files


@in_a_lab
async def test_a_volume_that_cannot_be_filled_keeps_the_pod_from_starting(lab):
    made = pod("wants", volumes=[{"name": "conf", "configMap": {"name": "settings"}}])
    made["spec"]["containers"][0]["volumeMounts"] = [{"name": "conf", "mountPath": "/conf"}]
    lab.apply(made)
    await lab.until(lambda: lab.events("FailedMount", "wants"))
    assert lab.events("FailedMount", "wants") == ['MountVolume.SetUp failed for volume "conf" : configmap "settings" not found']
    assert state(lab, "wants") == {"waiting": {"reason": "ContainerCreating"}}
    metadata = {"name": "settings", "namespace": "default"}
    lab.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {}})
    await lab.until(lambda: lab.ready(lab.pod("wants")))


@in_a_lab
async def test_hooks_run_after_the_start_and_before_the_end(lab):
    made = pod("polite", terminationGracePeriodSeconds=5)
    hook = {"exec": {"command": ["true"]}}
    made["spec"]["containers"][0]["lifecycle"] = {"postStart": hook, "preStop": {"sleep": {"seconds": 0}}}
    lab.apply(made)
    await lab.until(lambda: lab.ready(lab.pod("polite")))
    lab.kernel.answers["polite"] = False  # from now on no hook does what it should
    lab.store.delete("pods", "polite", "default")
    await lab.until(lambda: lab.pod("polite") is None)
    assert lab.events("FailedPostStartHook", "polite") == [] == lab.events("FailedPreStopHook", "polite")
    made["metadata"]["name"] = "rude"
    lab.kernel.answers["rude"] = False
    lab.apply(made)
    await lab.until(lambda: lab.events("FailedPostStartHook", "rude"))
    await asyncio.sleep(0)
