# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Store's rules: what every write obeys, whoever makes it."""

from __future__ import annotations

import pytest
from podnet_sandbox.api.errors import ApiError
from podnet_sandbox.api.store import Store

CRD = "customresourcedefinitions.apiextensions.k8s.io"
POD = {"metadata": {"name": "a", "namespace": "default"}, "spec": {"containers": [{"name": "c", "image": "i"}]}}


@pytest.fixture
def store():
    return Store(service_subnet="10.96.0.0/16")


def configmap(name="c", **data):
    return {"metadata": {"name": name, "namespace": "default"}, "data": data}


def definition(schema, **version):
    return {
        "metadata": {"name": "widgets.example.org"},
        "spec": {
            "group": "example.org",
            "scope": "Cluster",
            "names": {"kind": "Widget", "plural": "widgets"},
            "versions": [
                {
                    "name": "v1",
                    "served": True,
                    "storage": True,
                    "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": schema}}},
                    **version,
                }
            ],
        },
    }


def refusal(function, *arguments, **named):
    with pytest.raises(ApiError) as raised:
        function(*arguments, **named)
    return raised.value


def test_a_new_object_gets_what_the_server_gives(store):
    made = store.create("deployments.apps", {
        "metadata": {"generateName": "d-", "namespace": "default"},
        "spec": {"selector": {"matchLabels": {"a": "b"}}, "template": {"metadata": {"labels": {"a": "b"}}, "spec": POD["spec"]}},
    })  # fmt: skip
    assert made["apiVersion"] == "apps/v1" and made["kind"] == "Deployment"
    assert made["metadata"]["name"].startswith("d-") and len(made["metadata"]["name"]) == 7
    assert made["metadata"]["uid"] and made["metadata"]["generation"] == 1
    assert made["spec"]["replicas"] == 1 and made["spec"]["strategy"]["type"] == "RollingUpdate"


def test_what_is_read_belongs_to_the_reader(store):
    store.create("configmaps", configmap(a="1"))
    store.get("configmaps", "c", "default")["data"]["a"] = "changed"
    store.list("configmaps")[0]["data"]["a"] = "changed"
    assert store.get("configmaps", "c", "default")["data"] == {"a": "1"}


def test_an_update_from_an_outdated_object_is_a_conflict(store):
    first = store.create("configmaps", configmap(a="1"))
    store.patch("configmaps", "c", {"data": {"a": "2"}}, "default")
    error = refusal(store.update, "configmaps", {**first, "data": {"a": "3"}})
    assert (error.code, error.reason) == (409, "Conflict")


def test_a_write_that_changes_nothing_is_no_change(store):
    first = store.create("configmaps", configmap(a="1"))
    seen = []
    store.subscribe(lambda *change: seen.append(change))
    assert store.patch("configmaps", "c", {"data": {"a": "1"}}, "default") == first
    assert seen == []


def test_generation_counts_changes_of_spec_alone(store):
    store.create(CRD, definition({"type": "object", "x-kubernetes-preserve-unknown-fields": True}, subresources={"status": {}}))
    store.create("widgets.example.org", {"metadata": {"name": "w"}, "spec": {"a": 1}})
    relabelled = store.patch("widgets.example.org", "w", {"metadata": {"labels": {"a": "b"}}})
    changed = store.patch("widgets.example.org", "w", {"spec": {"a": 2}})
    assert (relabelled["metadata"]["generation"], changed["metadata"]["generation"]) == (1, 2)


def test_status_is_written_through_its_own_path_only(store):
    store.create("pods", POD)
    ignored = store.patch("pods", "a", {"status": {"phase": "Running"}}, "default")
    taken = store.patch("pods", "a", {"status": {"phase": "Running"}, "metadata": {"labels": {"x": "y"}}}, "default", "status")
    assert ignored["status"]["phase"] == "Pending"
    assert taken["status"]["phase"] == "Running" and "labels" not in taken["metadata"]


def test_a_scheduled_pod_waits_for_its_kubelet_before_it_goes(store):
    store.create("pods", POD)
    store.patch("pods", "a", {"spec": {"nodeName": "n"}}, "default")
    going = store.delete("pods", "a", "default")
    assert going["metadata"]["deletionGracePeriodSeconds"] == 30 and store.find("pods", "a", "default")
    store.finalize_delete("pods", "a", "default")
    assert store.find("pods", "a", "default") is None
    store.finalize_delete("pods", "a", "default")  # gone already: fine


def test_a_pod_no_node_has_goes_at_once(store):
    store.create("pods", POD)
    store.delete("pods", "a", "default")
    assert store.find("pods", "a", "default") is None


def test_finalizers_hold_an_object_until_the_last_is_removed(store):
    store.create("configmaps", {**configmap(), "metadata": {"name": "c", "namespace": "default", "finalizers": ["x.org/a"]}})
    store.delete("configmaps", "c", "default")
    error = refusal(store.patch, "configmaps", "c", {"metadata": {"finalizers": ["x.org/a", "x.org/b"]}}, "default")
    assert "no new finalizers can be added" in error.message
    store.patch("configmaps", "c", {"metadata": {"finalizers": None}}, "default")
    assert store.find("configmaps", "c", "default") is None


def owned(name, owner, **more):
    reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": owner["metadata"]["name"], "uid": owner["metadata"]["uid"], **more}
    return {**configmap(name), "metadata": {"name": name, "namespace": "default", "ownerReferences": [reference]}}


def test_what_an_object_owned_goes_with_it(store):
    owner = store.create("configmaps", configmap("owner"))
    child = store.create("configmaps", owned("child", owner))
    store.create("configmaps", owned("grandchild", child))
    store.delete("configmaps", "owner", "default")
    assert store.list("configmaps") == []


def test_orphans_stay(store):
    owner = store.create("configmaps", configmap("owner"))
    store.create("configmaps", owned("child", owner))
    store.delete("configmaps", "owner", "default", propagation="Orphan")
    assert "ownerReferences" not in store.get("configmaps", "child", "default")["metadata"]


def test_what_has_another_owner_stays(store):
    one, two = store.create("configmaps", configmap("one")), store.create("configmaps", configmap("two"))
    child = owned("child", one)
    child["metadata"]["ownerReferences"] += owned("child", two)["metadata"]["ownerReferences"]
    store.create("configmaps", child)
    store.delete("configmaps", "one", "default")
    left = store.get("configmaps", "child", "default")["metadata"]["ownerReferences"]
    assert [item["name"] for item in left] == ["two"]


def test_foreground_deletion_waits_for_what_blocks_it(store):
    owner = store.create("configmaps", configmap("owner"))
    child = owned("child", owner, blockOwnerDeletion=True)
    child["metadata"]["finalizers"] = ["x.org/hold"]
    store.create("configmaps", child)
    store.delete("configmaps", "owner", "default", propagation="Foreground")
    assert store.get("configmaps", "owner", "default")["metadata"]["finalizers"] == ["foregroundDeletion"]
    store.patch("configmaps", "child", {"metadata": {"finalizers": None}}, "default")
    assert store.list("configmaps") == []


def test_a_definition_adds_its_resource_and_takes_it_away(store):
    assert not store.resources.serves("widgets.example.org")
    made = store.create(CRD, definition({"type": "object"}))
    assert {item["type"]: item["status"] for item in made["status"]["conditions"]} == {"NamesAccepted": "True", "Established": "True"}
    store.create("widgets.example.org", {"metadata": {"name": "w"}})
    gone = []
    store.subscribe(lambda event, res, obj, old: gone.append((event, res)))
    store.delete(CRD, "widgets.example.org")
    assert ("DELETED", "widgets.example.org") in gone and not store.resources.serves("widgets.example.org")


@pytest.mark.parametrize(
    ("schema", "spec", "said"),
    [
        ({"size": {"type": "integer"}}, {"size": "big"}, 'spec.size in body must be of type integer: "string"'),
        ({"size": {"type": "integer", "maximum": 32}}, {"size": 33}, "spec.size in body should be less than or equal to 32"),
        ({"mode": {"type": "string", "enum": ["A", "B"]}}, {"mode": "C"}, 'Unsupported value: "C": supported values: "A", "B"'),
        ({"name": {"type": "string", "pattern": "^a"}}, {"name": "b"}, "spec.name in body should match '^a'"),
    ],
)
def test_a_custom_resource_is_held_against_its_schema(store, schema, spec, said):
    store.create(CRD, definition({"type": "object", "properties": schema}))
    error = refusal(store.create, "widgets.example.org", {"metadata": {"name": "w"}, "spec": spec})
    assert error.code == 422 and error.message.startswith('Widget.example.org "w" is invalid: spec.') and said in error.message


def test_required_fields_and_defaults_of_a_custom_resource(store):
    schema = {"type": "object", "required": ["cidr"], "properties": {"cidr": {"type": "string"}, "size": {"type": "integer", "default": 26}}}
    store.create(CRD, definition(schema))
    error = refusal(store.create, "widgets.example.org", {"metadata": {"name": "w"}, "spec": {}})
    assert "spec.cidr: Required value" in error.message
    made = store.create("widgets.example.org", {"metadata": {"name": "w"}, "spec": {"cidr": "10.0.0.0/8", "unknown": 1}})
    assert made["spec"] == {"cidr": "10.0.0.0/8", "size": 26}


def test_services_get_an_address_of_their_own_from_the_range(store):
    made = [
        store.create("services", {"metadata": {"name": f"s{index}", "namespace": "default"}, "spec": {"ports": [{"port": 80}]}})
        for index in range(20)
    ]
    addresses = {item["spec"]["clusterIP"] for item in made}
    assert len(addresses) == 20 and all(address.startswith("10.96.") for address in addresses)
    again = Store(service_subnet="10.96.0.0/16").create("services", {
        "metadata": {"name": "s0", "namespace": "default"}, "spec": {"ports": [{"port": 80}]},
    })  # fmt: skip
    assert again["spec"]["clusterIP"] == made[0]["spec"]["clusterIP"], "a rebuilt lab has the same address"


def test_a_taken_address_is_refused(store):
    service = {"metadata": {"name": "s", "namespace": "default"}, "spec": {"clusterIP": "10.96.0.10", "ports": [{"port": 80}]}}
    store.create("services", service)
    error = refusal(store.create, "services", {**service, "metadata": {"name": "t", "namespace": "default"}})
    assert "provided IP is already allocated" in error.message


def test_an_object_in_no_namespace_is_refused(store):
    error = refusal(store.create, "pods", {**POD, "metadata": {"name": "a", "namespace": "nowhere"}})
    assert (error.code, error.message) == (404, 'namespaces "nowhere" not found')


def test_selectors(store):
    for name, labels in (("one", {"app": "x", "tier": "1"}), ("two", {"app": "y"}), ("three", {})):
        store.create("pods", {**POD, "metadata": {"name": name, "namespace": "default", "labels": labels}})
    store.patch("pods", "one", {"spec": {"nodeName": "n"}}, "default")

    def names(**selectors):
        return {pod["metadata"]["name"] for pod in store.list("pods", **selectors)}

    assert names(labels="app=x") == {"one"}
    assert names(labels="app!=x") == {"two", "three"}
    assert names(labels="app in (x, y),tier") == {"one"}
    assert names(labels="!app") == {"three"}
    assert names(labels="app notin (x)") == {"two", "three"}
    assert names(labels="tier>0") == {"one"}
    assert names(fields="spec.nodeName=n,metadata.namespace=default") == {"one"}
    assert names(fields="spec.nodeName!=n") == {"two", "three"}
    assert refusal(store.list, "pods", fields="spec.image=x").message == "field label not supported: spec.image"


def test_a_pod_s_spec_is_fixed_but_for_its_image(store):
    store.create("pods", POD)
    store.update("pods", {**store.get("pods", "a", "default"), "spec": {
        **store.get("pods", "a", "default")["spec"],
        "containers": [{**store.get("pods", "a", "default")["spec"]["containers"][0], "image": "other"}],
    }})  # fmt: skip
    error = refusal(store.patch, "pods", "a", {"spec": {"hostNetwork": True}}, "default")
    assert error.message.startswith('Pod "a" is invalid: spec: Forbidden: pod updates may not change fields other than')


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({}, "spec.containers: Required value"),
        ({"containers": [{"name": "C", "image": "i"}]}, "spec.containers[0].name: Invalid value"),
        ({"containers": [{"name": "c", "image": "i"}, {"name": "c", "image": "i"}]}, 'spec.containers[1].name: Duplicate value: "c"'),
        ({"containers": [{"name": "c", "image": "i", "ports": [{"containerPort": 70000}]}]}, "must be between 1 and 65535, inclusive"),
        ({"containers": [{"name": "c", "image": "i", "readinessProbe": {}}]}, "readinessProbe: Required value: must specify a handler type"),
        ({"containers": [{"name": "c", "image": "i", "volumeMounts": [{"name": "v", "mountPath": "/x"}]}]}, 'volumeMounts[0].name: Not found: "v"'),
        ({"containers": [{"name": "c", "image": "i"}], "restartPolicy": "Sometimes"}, 'spec.restartPolicy: Unsupported value: "Sometimes"'),
    ],
)
def test_what_is_wrong_with_a_pod_is_said(store, spec, said):
    error = refusal(store.create, "pods", {"metadata": {"name": "a", "namespace": "default"}, "spec": spec})
    assert error.code == 422 and said in error.message
