# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""ResourceQuotas and LimitRanges: what is refused, in kube-apiserver's words, and what containers are given."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from podnet_sandbox.api.errors import ApiError
from podnet_sandbox.api.quantities import Quantity
from podnet_sandbox.api.store import Store

NAMESPACE = "default"


@pytest.fixture
def store():
    return Store(service_subnet="10.96.0.0/16")


def obj(kind, name, api_version="v1", **fields):
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": name, "namespace": NAMESPACE}, **fields}


def quota(store, name="q", scopes=None, selector=None, **hard):
    spec = {"hard": {key.replace("__", "/").replace("_", "."): value for key, value in hard.items()}}
    if scopes:
        spec["scopes"] = scopes
    if selector:
        spec["scopeSelector"] = {"matchExpressions": [selector]}
    store.create("resourcequotas", obj("ResourceQuota", name, spec=spec))


def limits(store, kind="Container", **item):
    store.create("limitranges", obj("LimitRange", "l", spec={"limits": [{"type": kind, **item}]}))


def pod(name, *containers, **spec):
    """``containers``: (requests, limits) of each."""
    made = [
        {"name": f"c{number}", "image": "i", "resources": {"requests": dict(requests), "limits": dict(limited)}}
        for number, (requests, limited) in enumerate(containers or [({}, {})])
    ]
    return obj("Pod", name, spec={"containers": made, **spec})


def refused(store, res, new, **options):
    with pytest.raises(ApiError) as raised:
        store.create(res, new, **options)
    assert raised.value.code == 403
    return raised.value.message


# Quotas

def test_a_pod_too_many_is_refused_and_one_that_has_ended_makes_room(store):
    quota(store, pods=1)
    store.create("pods", pod("a"))
    assert refused(store, "pods", pod("b")) == 'pods "b" is forbidden: exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1'
    store.patch("pods", "a", {"status": {"phase": "Succeeded"}}, NAMESPACE, subresource="status")
    store.create("pods", pod("b"))


def test_what_pods_ask_for_together_is_what_counts(store):
    quota(store, requests_cpu="1", limits_memory="1Gi")
    store.create("pods", pod("a", ({"cpu": "500m"}, {"memory": "256Mi"}), ({"cpu": "250m"}, {"memory": "256Mi"})))
    said = refused(store, "pods", pod("b", ({"cpu": "0.5"}, {"memory": "768Mi"})))
    assert said.endswith(
        "exceeded quota: q, requested: limits.memory=768Mi,requests.cpu=500m, used: limits.memory=512Mi,requests.cpu=750m, "
        "limited: limits.memory=1Gi,requests.cpu=1"
    )
    store.create("pods", pod("b", ({"cpu": "250m"}, {"memory": "512Mi"})))


def test_who_says_nothing_under_a_quota_of_it_is_refused(store):
    quota(store, cpu=1, requests_memory="1Gi")
    said = refused(store, "pods", pod("a", ({"cpu": "1m"}, {}), ({}, {})))
    assert said.endswith("failed quota: q: must specify cpu for: c1; requests.memory for: c0,c1")


def test_an_init_container_counts_where_it_is_the_greedier(store):
    quota(store, cpu=1)
    made = pod("a", ({"cpu": "100m"}, {}))
    made["spec"]["initContainers"] = [{"name": "i", "image": "i", "resources": {"requests": {"cpu": "2"}}}]
    assert "requested: cpu=2, used: cpu=0, limited: cpu=1" in refused(store, "pods", made)


@pytest.mark.parametrize(
    ("hard", "res", "first", "second", "what"),
    [
        ({"count__configmaps": 1}, "configmaps", obj("ConfigMap", "a"), obj("ConfigMap", "b"), "count/configmaps"),
        ({"configmaps": 1}, "configmaps", obj("ConfigMap", "a"), obj("ConfigMap", "b"), "configmaps"),
        ({"services": 1}, "services", *(obj("Service", name, spec={"ports": [{"port": 80}]}) for name in "ab"), "services"),
        (
            {"services_nodeports": 1}, "services",
            *(obj("Service", name, spec={"type": "NodePort", "ports": [{"port": 80}]}) for name in "ab"), "services.nodeports",
        ),
        (
            {"services_loadbalancers": 1}, "services",
            *(obj("Service", name, spec={"type": "LoadBalancer", "ports": [{"port": 80}]}) for name in "ab"), "services.loadbalancers",
        ),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)  # fmt: skip
def test_objects_are_counted(store, hard, res, first, second, what):
    quota(store, **hard)
    store.create(res, first)
    assert f"requested: {what}=1, used: {what}=1, limited: {what}=1" in refused(store, res, second)


def test_a_service_that_becomes_more_is_held_to_it(store):
    quota(store, services_nodeports=0)
    store.create("services", obj("Service", "a", spec={"ports": [{"port": 80}]}))
    with pytest.raises(ApiError, match="exceeded quota: q, requested: services.nodeports=1, used: services.nodeports=0"):
        store.patch("services", "a", {"spec": {"type": "NodePort"}}, NAMESPACE)
    store.patch("services", "a", {"metadata": {"labels": {"a": "b"}}}, NAMESPACE)


def test_storage_is_counted_by_class(store):
    quota(store, requests_storage="10Gi", **{"fast.storageclass.storage.k8s.io__requests.storage": "1Gi"})

    def claim(name, size, **spec):
        return obj("PersistentVolumeClaim", name, spec={"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}}, **spec})

    store.create("persistentvolumeclaims", claim("a", "8Gi"))
    assert "requested: requests.storage=3Gi, used: requests.storage=8Gi, limited: requests.storage=10Gi" in refused(
        store, "persistentvolumeclaims", claim("b", "3Gi")
    )
    fast = "fast.storageclass.storage.k8s.io/requests.storage"
    assert f"requested: {fast}=2Gi, used: {fast}=0, limited: {fast}=1Gi" in refused(
        store, "persistentvolumeclaims", claim("b", "2Gi", storageClassName="fast")
    )


@pytest.mark.parametrize(
    ("scope", "inside", "outside"),
    [
        ("BestEffort", pod("x"), pod("x", ({"cpu": "1m"}, {}))),
        ("NotBestEffort", pod("x", ({"cpu": "1m"}, {})), pod("x")),
        ("Terminating", pod("x", activeDeadlineSeconds=5), pod("x")),
        ("NotTerminating", pod("x"), pod("x", activeDeadlineSeconds=5)),
    ],
)
def test_a_scope_says_whom_a_quota_is_for(store, scope, inside, outside):
    quota(store, scopes=[scope], pods=0)
    assert "exceeded quota: q" in refused(store, "pods", inside)
    store.create("pods", outside)


def test_a_scope_may_be_a_priority(store):
    store.create("priorityclasses.scheduling.k8s.io", {
        "apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": "high"}, "value": 5,
    })  # fmt: skip
    quota(store, selector={"scopeName": "PriorityClass", "operator": "In", "values": ["high"]}, pods=0)
    assert "exceeded quota" in refused(store, "pods", pod("a", priorityClassName="high"))
    store.create("pods", pod("a"))


@pytest.mark.parametrize(
    ("scopes", "hard", "said"),
    [
        (["BestEffort"], {"cpu": 1}, "unsupported scope applied to resource"),
        (["NotBestEffort"], {"configmaps": 1}, "unsupported scope applied to resource"),
        (["Terminating", "NotTerminating"], {"pods": 1}, "conflicting scopes"),
        (["Never"], {"pods": 1}, "unsupported scope"),
    ],
)
def test_a_scope_that_makes_no_sense_is_refused(store, scopes, hard, said):
    shown = "[]core.ResourceQuotaScope{" + ", ".join(f'"{scope}"' for scope in scopes) + "}"
    with pytest.raises(ApiError) as raised:
        quota(store, scopes=scopes, **hard)
    assert raised.value.message == f'ResourceQuota "q" is invalid: spec.scopes: Invalid value: {shown}: {said}'


def test_a_quota_or_range_of_nothing_holds_nobody(store):
    store.create("resourcequotas", obj("ResourceQuota", "empty"))
    store.create("limitranges", obj("LimitRange", "empty"))
    store.create("resourcequotas", obj("ResourceQuota", "null", spec={"hard": {"configmaps": None}}))
    store.create("pods", pod("a", ({"cpu": None}, {})))
    assert "limited: configmaps=0" in refused(store, "configmaps", obj("ConfigMap", "a"))


def test_another_namespace_is_not_held_to_it(store):
    quota(store, pods=0)
    store.create("namespaces", {"metadata": {"name": "other"}})
    made = pod("a")
    made["metadata"]["namespace"] = "other"
    store.create("pods", made)
    assert "exceeded quota" in refused(store, "pods", pod("a"), dry_run=True)


# Limit ranges

def test_containers_are_given_what_they_do_not_say(store):
    limits(store, default={"cpu": "500m"}, defaultRequest={"cpu": "100m", "memory": "64Mi"}, max={"memory": "1Gi"})
    made = store.create("pods", pod("a", ({}, {}), ({"cpu": "200m"}, {"cpu": "300m"})))
    first, second = (container["resources"] for container in made["spec"]["containers"])
    assert first == {"requests": {"cpu": "100m", "memory": "64Mi"}, "limits": {"cpu": "500m", "memory": "1Gi"}}
    assert second == {"requests": {"cpu": "200m", "memory": "64Mi"}, "limits": {"cpu": "300m", "memory": "1Gi"}}
    assert made["metadata"]["annotations"]["kubernetes.io/limit-ranger"] == (
        "LimitRanger plugin set: cpu, memory request for container c0; cpu, memory limit for container c0; "
        "memory request for container c1; memory limit for container c1"
    )
    assert made["status"]["qosClass"] == "Burstable"


def test_bounds_are_defaults_where_there_are_no_others(store):
    limits(store, max={"cpu": "2"}, min={"memory": "8Mi"})
    (item,) = store.get("limitranges", "l", NAMESPACE)["spec"]["limits"]
    assert item["default"] == {"cpu": "2"} and item["defaultRequest"] == {"cpu": "2", "memory": "8Mi"}


@pytest.mark.parametrize(
    ("item", "resources", "said"),
    [
        ({"min": {"cpu": "200m"}}, ({"cpu": "100m"}, {}), "minimum cpu usage per Container is 200m, but request is 100m"),
        ({"max": {"cpu": "200m"}}, ({}, {"cpu": "1"}), "maximum cpu usage per Container is 200m, but limit is 1"),
        (
            {"maxLimitRequestRatio": {"memory": "2"}}, ({"memory": "1Gi"}, {"memory": "3Gi"}),
            "memory max limit to request ratio per Container is 2, but provided ratio is 3.000000",
        ),
        ({"maxLimitRequestRatio": {"cpu": "2"}}, ({"cpu": "1"}, {}), "cpu max limit to request ratio per Container is 2, but no limit is specified or limit is 0"),
        (
            {"min": {"cpu": "2"}, "max": {"memory": "1Mi"}}, ({"cpu": "1"}, {"memory": "2Mi"}),
            "[minimum cpu usage per Container is 2, but request is 1, maximum memory usage per Container is 1Mi, but limit is 2Mi]",
        ),
    ],
    ids=["min", "max", "ratio", "no limit", "both"],
)  # fmt: skip
def test_a_container_outside_the_bounds_is_refused(store, item, resources, said):
    limits(store, **item)
    assert refused(store, "pods", pod("a", resources)) == f'pods "a" is forbidden: {said}'


def test_a_pod_is_held_to_bounds_of_its_own_and_given_nothing(store):
    limits(store, "Pod", max={"cpu": "1"})
    said = refused(store, "pods", pod("a", ({}, {"cpu": "600m"}), ({}, {"cpu": "600m"})))
    assert said.endswith("maximum cpu usage per Pod is 1, but limit is 1200m")
    assert refused(store, "pods", pod("a")).endswith("maximum cpu usage per Pod is 1.  No limit is specified")


def test_a_claim_is_held_to_its_bounds(store):
    limits(store, "PersistentVolumeClaim", min={"storage": "1Gi"}, max={"storage": "2Gi"})
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "5Gi"}}}
    said = refused(store, "persistentvolumeclaims", obj("PersistentVolumeClaim", "a", spec=spec))
    assert said.endswith("maximum storage usage per PersistentVolumeClaim is 2Gi, but request is 5Gi")


# Numbers

@pytest.mark.parametrize(
    ("texts", "written"),
    [
        (("0.5", "500m"), "1"), (("1500m",), "1500m"), (("1000",), "1k"), (("1Gi", "1Gi"), "2Gi"), (("512Mi", "512Mi"), "1Gi"),
        (("1Gi", "1Mi"), "1025Mi"), (("100M", "100M"), "200M"), (("1Ki", "1"), "1025"), ((), "0"), (("1n",), "1n"), (("0", "1Gi"), "1Gi"),
    ],
)  # fmt: skip
def test_sums_are_written_as_kubernetes_writes_them(texts, written):
    assert str(sum(map(Quantity.read, texts), Quantity())) == written


@given(st.integers(-(10**15), 10**15), st.sampled_from([1, 1000, 10**9]), st.booleans())
def test_what_is_written_is_read_as_the_same(number, divisor, binary):
    quantity = Quantity(Fraction(number, divisor), binary)
    assert Quantity.read(str(quantity)).value == quantity.value
