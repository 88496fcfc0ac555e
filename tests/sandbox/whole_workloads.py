# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What workloads come to in a whole sandbox, for test_workloads.py to judge. Run by isolated.py."""

from __future__ import annotations

import re

from lab import Lab, pod, workload

SHELL = "busybox"
_READ = "cat /work/file /words/word; echo; while grep -q one /words/word; do sleep 0.1; done; cat /words/word; echo"


async def observe(kernel):
    """Let a Job, a StatefulSet and some pods live, and say what was seen of them."""
    lab = Lab(kernel=kernel)
    await lab.cluster.start()
    try:
        await lab.install_calico()
        lab.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "words", "namespace": "default"}, "data": {"word": "one"}})
        lab.apply(job("sum", "echo $JOB_COMPLETION_INDEX", completions=2, parallelism=2, completionMode="Indexed"))
        lab.apply(job("bad", "exit 3", backoffLimit=0))
        lab.apply({**workload("StatefulSet", "db", replicas=2), "metadata": {"name": "db", "namespace": "default"}})
        lab.apply(reader())
        lab.apply(shell("crash", "echo boom; exit 2"))
        await lab.until(lambda: all(done(lab, name) for name in ("sum", "bad")), 30)
        await lab.until(lambda: len([p for p in lab.pods("db-") if lab.ready(p)]) == 2, 30)
        await lab.until(lambda: lab.ready(lab.pod("reader")), 30)
        await lab.until(lambda: lab.events("BackOff", "crash"), 30)
        seen = {
            "sum": {p["metadata"]["name"][:5]: await log(lab, p["metadata"]["name"], "c") for p in lab.pods("sum-")},
            "bad": lab.store.get("jobs.batch", "bad", "default")["status"],
            "bad_pod": lab.pods("bad-")[0]["status"],
            "hosts": [await output(lab, p["metadata"]["name"], "hostname") for p in lab.pods("db-")],
            "reader": await log(lab, "reader", "c"),
            "crash": lab.pod("crash")["status"]["containerStatuses"][0],
            "routes": {p["status"]["podIP"]: await routes(lab) for p in lab.pods("bad-")},
        }
        lab.patch("configmaps", "words", {"data": {"word": "two"}}, "default")
        await lab.until(lambda: lab.pod("reader")["status"]["phase"] == "Succeeded", 30)
        seen["reader_later"] = await log(lab, "reader", "c")
        return seen
    finally:
        await lab.cluster.stop()


def job(name, command, **spec):
    container = {"name": "c", "image": SHELL, "command": ["sh", "-c", command]}
    template = {"spec": {"restartPolicy": "Never", "containers": [container]}}
    metadata = {"name": name, "namespace": "default"}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": {**spec, "template": template}}


def shell(name, command, **spec):
    made = pod(name, image=SHELL, **spec)
    made["spec"]["containers"] = [{"name": "c", "image": SHELL, "command": ["sh", "-c", command]}]
    return made


def reader():
    """Reads what its init container left and what a ConfigMap says, and ends when that says something else."""
    made = shell("reader", _READ, restartPolicy="Never")
    volumes = [{"name": "work", "emptyDir": {}}, {"name": "words", "configMap": {"name": "words"}}]
    mounts = [{"name": volume["name"], "mountPath": f"/{volume['name']}"} for volume in volumes]
    first = {"name": "first", "image": SHELL, "command": ["sh", "-c", "echo first > /work/file"], "volumeMounts": mounts[:1]}
    made["spec"] |= {"volumes": volumes, "initContainers": [first]}
    made["spec"]["containers"][0]["volumeMounts"] = mounts
    return made


def done(lab, name):
    conditions = lab.store.get("jobs.batch", name, "default")["status"].get("conditions") or ()
    return any(entry["type"] in ("Complete", "Failed") for entry in conditions)


async def log(lab, name, container):
    return b"".join([line async for line in lab.cluster.logs("default", name, container)]).decode()


async def output(lab, name, *argv):
    session = await lab.cluster.exec("default", name, "multitool", argv, stdin=False, tty=False)
    text = (await session.stdout.read()).decode()
    await session.wait()
    return text.strip()


async def routes(lab):
    """Addresses of pods that any node has a route to."""
    found = []
    for item in lab.pods("calico-node", "calico-system"):
        session = await lab.cluster.exec("calico-system", item["metadata"]["name"], "calico-node", ("ip", "route"), stdin=False, tty=False)
        found += re.findall(r"^(\S+) dev cali", (await session.stdout.read()).decode(), re.MULTILINE)
        await session.wait()
    return found
