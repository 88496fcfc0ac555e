# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""StatefulSets: names, order, updates, claims."""

from __future__ import annotations

from lab import in_a_lab, workload
from podnet_sandbox.api.errors import ApiError

SETS = "statefulsets.apps"


def stateful(name, replicas=3, **spec):
    made = workload("StatefulSet", name, replicas=replicas)
    made["spec"] |= {"serviceName": name, **spec}
    return made


def names(lab, prefix="db-"):
    return [p["metadata"]["name"] for p in lab.pods(prefix) if not p["metadata"].get("deletionTimestamp")]


def all_ready(lab, count):
    return len(names(lab)) == count == sum(lab.ready(p) for p in lab.pods("db-"))


@in_a_lab
async def test_pods_are_made_one_after_the_other_each_when_those_before_are_ready(lab):
    lab.kernel.answers["db-1"] = False
    made = stateful("db")
    made["spec"]["template"]["spec"]["containers"][0]["readinessProbe"] = {"tcpSocket": {"port": 80}}
    lab.apply(made)
    await lab.until(lambda: lab.events("Unhealthy", "db-1"))
    assert names(lab) == ["db-0", "db-1"]
    lab.kernel.answers["db-1"] = True
    await lab.until(lambda: all_ready(lab, 3))
    pod = lab.pod("db-2")
    assert (pod["spec"]["hostname"], pod["spec"]["subdomain"]) == ("db-2", "db")
    assert pod["metadata"]["labels"]["statefulset.kubernetes.io/pod-name"] == "db-2"
    assert lab.events("SuccessfulCreate", "db")[0] == "create Pod db-0 in StatefulSet db successful"


@in_a_lab
async def test_scaling_down_takes_the_last_one_first(lab):
    lab.apply(stateful("db"))
    await lab.until(lambda: all_ready(lab, 3))
    gone = []
    lab.store.subscribe(lambda kind, res, obj, old: gone.append(obj["metadata"]["name"]) if kind == "DELETED" and res == "pods" else None)
    lab.patch(SETS, "db", {"spec": {"replicas": 1}}, "default")
    await lab.until(lambda: names(lab) == ["db-0"] and len(gone) == 2)
    assert gone == ["db-2", "db-1"]


@in_a_lab
async def test_without_an_order_all_are_made_at_once(lab):
    lab.kernel.answers["db"] = False
    made = stateful("db", podManagementPolicy="Parallel")
    made["spec"]["template"]["spec"]["containers"][0]["readinessProbe"] = {"tcpSocket": {"port": 80}}
    lab.apply(made)
    await lab.until(lambda: names(lab) == ["db-0", "db-1", "db-2"])


@in_a_lab
async def test_a_new_template_comes_from_the_last_down_to_the_partition(lab):
    lab.apply(stateful("db"))
    await lab.until(lambda: all_ready(lab, 3))
    await lab.until(lambda: lab.store.get(SETS, "db", "default")["status"].get("readyReplicas") == 3)
    before = {p["metadata"]["name"]: p["metadata"]["uid"] for p in lab.pods("db-")}
    template = {"metadata": {"annotations": {"changed": "yes"}}}
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"partition": 1}}
    lab.patch(SETS, "db", {"spec": {"template": template, "updateStrategy": strategy}}, "default")
    await lab.until(lambda: lab.store.get(SETS, "db", "default")["status"].get("updatedReplicas") == 2 and all_ready(lab, 3))
    after = {p["metadata"]["name"]: p["metadata"]["uid"] for p in lab.pods("db-")}
    assert [name for name in before if before[name] == after[name]] == ["db-0"]
    status = lab.store.get(SETS, "db", "default")["status"]
    assert status["currentRevision"] != status["updateRevision"]
    lab.store.delete("pods", "db-0", "default")  # below the partition it comes back as it was
    await lab.until(lambda: all_ready(lab, 3) and lab.pod("db-0")["metadata"]["uid"] != before["db-0"])
    assert "changed" not in (lab.pod("db-0")["metadata"].get("annotations") or {})
    lab.patch(SETS, "db", {"spec": {"updateStrategy": {"rollingUpdate": {"partition": 0}}}}, "default")
    await lab.until(lambda: lab.store.get(SETS, "db", "default")["status"]["currentRevision"] == status["updateRevision"])


@in_a_lab
async def test_a_volume_that_nobody_provides_keeps_its_pod_waiting(lab):
    claim = {"metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}
    made = stateful("db", volumeClaimTemplates=[claim])
    made["spec"]["template"]["spec"]["containers"][0]["volumeMounts"] = [{"name": "data", "mountPath": "/data"}]
    lab.apply(made)
    await lab.until(lambda: lab.events("FailedScheduling", "db-0"))
    assert lab.store.get("persistentvolumeclaims", "data-db-0", "default")["status"]["phase"] == "Pending"
    assert "unbound immediate PersistentVolumeClaims" in lab.events("FailedScheduling", "db-0")[0]
    assert lab.events("FailedBinding", "data-db-0") == [
        "no persistent volumes available for this claim and no storage class is set"
    ]
    assert names(lab) == ["db-0"]


@in_a_lab
async def test_pods_that_the_api_refuses_are_an_event_and_hold_up_nobody_else(lab):
    create = lab.store.create

    def refusing(res, obj, **options):
        if res == "pods" and obj["metadata"].get("name") == "bad-0":
            raise ApiError(403, "Forbidden", 'pods "bad-0" is forbidden: no')
        return create(res, obj, **options)

    lab.store.create = refusing
    lab.apply(stateful("bad", replicas=1))
    lab.apply(stateful("db", replicas=1))
    await lab.until(lambda: all_ready(lab, 1))
    assert lab.events("FailedCreate", "bad") == ['create Pod bad-0 in StatefulSet bad failed error: pods "bad-0" is forbidden: no']
