# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests and answers over TLS: reading, writing, patching, watching."""

from __future__ import annotations

import json
import threading
import time

import pytest
from api_server import DEPLOYMENT, POD, ApiServer
from podnet_sandbox.api import protobuf

PODS, CONFIGMAPS = "/api/v1/namespaces/default/pods", "/api/v1/namespaces/default/configmaps"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with ApiServer(tmp_path_factory.mktemp("api")) as running:
        yield running


def configmap(name, **data):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def eventually(condition, seconds=5.0):
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not come true"
        time.sleep(0.02)
    return found


def test_an_update_of_an_outdated_object_is_a_conflict(server):
    old = server.post(CONFIGMAPS, configmap("stale", a="1")).body
    server.patch(f"{CONFIGMAPS}/stale", {"data": {"a": "2"}})
    answer = server.request("PUT", f"{CONFIGMAPS}/stale", old)
    assert answer.status == 409
    assert answer.message == (
        'Operation cannot be fulfilled on configmaps "stale": the object has been modified; please apply your changes to the latest '
        "version and try again"
    )


def test_pages_show_one_moment(server):
    for index in range(5):
        server.post(CONFIGMAPS, {**configmap(f"page-{index}"), "metadata": {"name": f"page-{index}", "labels": {"paged": "yes"}}})
    query = "labelSelector=paged%3Dyes&limit=2"
    first = server.get(f"{CONFIGMAPS}?{query}").body
    server.request("DELETE", f"{CONFIGMAPS}/page-4")
    second = server.get(f"{CONFIGMAPS}?{query}&continue={first['metadata']['continue']}").body
    third = server.get(f"{CONFIGMAPS}?{query}&continue={second['metadata']['continue']}").body
    names = [item["metadata"]["name"] for page in (first, second, third) for item in page["items"]]
    assert names == [f"page-{index}" for index in range(5)]
    assert "continue" not in third["metadata"]


def test_a_continue_token_that_is_forgotten_is_gone(server):
    answer = server.get(f"{CONFIGMAPS}?limit=2&continue=eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MSwic3RhcnQiOiJ4XHUwMDAwIn0")
    assert (answer.status, answer.body["reason"]) == (410, "Expired")


def test_a_watch_tells_a_selector_s_view(server):
    """Leaving the selection is DELETED, entering it ADDED."""
    lines = []

    def watch():
        path = f"{CONFIGMAPS}?watch=1&labelSelector=w%3D1&timeoutSeconds=2&resourceVersion={start}"
        lines.extend(server.get(path).lines)

    server.post(CONFIGMAPS, configmap("watched"))
    start = server.get(CONFIGMAPS).body["metadata"]["resourceVersion"]
    watcher = threading.Thread(target=watch)
    watcher.start()
    for labels in ({"w": "1"}, {"x": "1"}, {"w": None}):
        server.patch(f"{CONFIGMAPS}/watched", {"metadata": {"labels": labels}})
    watcher.join()
    assert [line["type"] for line in lines] == ["ADDED", "MODIFIED", "DELETED"]


def test_a_watch_with_initial_events_ends_them_with_a_bookmark(server):
    server.post(CONFIGMAPS, configmap("initial"))
    query = "watch=1&sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan&timeoutSeconds=1"
    lines = server.get(f"{CONFIGMAPS}?{query}").lines
    assert {line["type"] for line in lines[:-1]} == {"ADDED"} and lines[-1]["type"] == "BOOKMARK"
    assert lines[-1]["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}


def test_a_watch_from_a_forgotten_moment_is_told_so(server):
    server.post(CONFIGMAPS, configmap("busy"))
    start = server.get(CONFIGMAPS).body["metadata"]["resourceVersion"]

    def change_often():
        for number in range(2100):
            server.store.patch("configmaps", "busy", {"data": {"n": str(number)}}, "default")

    server.call(change_often)
    lines = server.get(f"{CONFIGMAPS}?watch=1&resourceVersion={start}&timeoutSeconds=5").lines
    assert len(lines) == 1 and lines[0]["object"]["code"] == 410
    assert lines[0]["object"]["message"].startswith(f"too old resource version: {start} (")


def test_a_pod_table_shows_what_kubectl_prints(server):
    server.post(PODS, {**POD, "metadata": {"name": "shown"}})
    eventually(lambda: server.get(f"{PODS}/shown").body["status"]["phase"] == "Running")
    table = server.get(f"{PODS}/shown", Accept=TABLE).body
    cells = dict(zip([item["name"] for item in table["columnDefinitions"]], table["rows"][0]["cells"], strict=True))
    assert cells["Ready"] == "1/1" and cells["Status"] == "Running" and cells["IP"] == "192.168.0.1" and cells["Node"] == "node-1"
    assert table["rows"][0]["object"]["kind"] == "PartialObjectMetadata"


def test_strategic_merge_merges_lists_by_their_keys(server):
    path = "/apis/apps/v1/namespaces/default/deployments"
    server.post(path, DEPLOYMENT)
    patch = {"spec": {"template": {"spec": {"containers": [
        {"name": "c", "env": [{"name": "A", "value": "1"}], "ports": [{"containerPort": 80}]},
        {"name": "side", "image": "s:1"},
    ]}}}}  # fmt: skip
    containers = server.patch(f"{path}/d", patch, "strategic-merge-patch+json").body["spec"]["template"]["spec"]["containers"]
    assert [(item["name"], item["image"]) for item in containers] == [("c", "i:1"), ("side", "s:1")]
    patch = {"spec": {"template": {"spec": {"containers": [{"name": "side", "$patch": "delete"}, {"name": "c", "env": None}]}}}}
    containers = server.patch(f"{path}/d", patch, "strategic-merge-patch+json").body["spec"]["template"]["spec"]["containers"]
    assert [item["name"] for item in containers] == ["c"] and "env" not in containers[0] and containers[0]["ports"]
    order = {"spec": {"template": {"spec": {
        "$setElementOrder/containers": [{"name": "first"}, {"name": "c"}], "containers": [{"name": "first", "image": "f:1"}],
    }}}}  # fmt: skip
    containers = server.patch(f"{path}/d", order, "strategic-merge-patch+json").body["spec"]["template"]["spec"]["containers"]
    assert [item["name"] for item in containers] == ["first", "c"]


def test_server_side_apply_owns_list_entries_by_key(server):
    def apply(manager, containers, force="false"):
        body = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "ssa"}, "spec": {
            "selector": {"matchLabels": {"a": "b"}}, "template": {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": containers}},
        }}  # fmt: skip
        path = f"/apis/apps/v1/namespaces/default/deployments/ssa?fieldManager={manager}&force={force}"
        return server.request("PATCH", path, json.dumps(body).encode(), Content_Type="application/apply-patch+yaml")

    assert apply("one", [{"name": "a", "image": "a:1"}]).status == 201
    both = apply("two", [{"name": "b", "image": "b:1"}]).body
    assert [item["name"] for item in both["spec"]["template"]["spec"]["containers"]] == ["a", "b"]
    refused = apply("two", [{"name": "a", "image": "a:2"}])
    assert (refused.status, refused.message) == (
        409, 'Apply failed with 1 conflict: conflict with "one": .spec.template.spec.containers[name="a"].image',
    )  # fmt: skip
    taken = apply("two", [{"name": "a", "image": "a:2"}], force="true").body
    assert [(item["name"], item["image"]) for item in taken["spec"]["template"]["spec"]["containers"]] == [("a", "a:2")]
    owned = {entry["manager"]: json.dumps(entry["fieldsV1"]) for entry in taken["metadata"]["managedFields"]}
    assert "f:image" in owned["two"] and "f:image" not in owned["one"]


def test_apply_conflicts_with_who_updated(server):
    server.request("POST", f"{CONFIGMAPS}?fieldManager=writer", configmap("updated", a="1"))
    body = json.dumps(configmap("updated", a="2")).encode()
    answer = server.request("PATCH", f"{CONFIGMAPS}/updated?fieldManager=applier", body, Content_Type="application/apply-patch+yaml")
    assert answer.message == 'Apply failed with 1 conflict: conflict with "writer" using v1: .data.a'


def test_unknown_fields_of_custom_resources_are_warned_of_and_dropped(server):
    schema = {"type": "object", "properties": {"spec": {"type": "object", "properties": {"cidr": {"type": "string"}}}}}
    server.post(CRDS, {
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "nets.example.org"},
        "spec": {"group": "example.org", "scope": "Cluster", "names": {"kind": "Net", "plural": "nets", "shortNames": ["nt"]},
                 "versions": [{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}]},
    })  # fmt: skip
    net = {"apiVersion": "example.org/v1", "kind": "Net", "metadata": {"name": "n"}, "spec": {"cidr": "10.0.0.0/8", "bogus": 1}}
    strict = server.post("/apis/example.org/v1/nets?fieldValidation=Strict", net)
    assert (strict.status, strict.message) == (
        400, 'Net in version "v1" cannot be handled as a Net: strict decoding error: unknown field "spec.bogus"',
    )  # fmt: skip
    answer = server.post("/apis/example.org/v1/nets", net)
    assert answer.headers["Warning"] == '299 - "unknown field \\"spec.bogus\\""' and answer.body["spec"] == {"cidr": "10.0.0.0/8"}
    no_revision = server.request("PUT", "/apis/example.org/v1/nets/n", net)
    assert "metadata.resourceVersion: Invalid value: 0x0: must be specified for an update" in no_revision.message


def test_a_wrong_type_is_refused_as_go_refuses_it(server):
    pod = {**POD, "spec": {"containers": [{"name": "c", "image": "i", "ports": [{"containerPort": "http"}]}]}}
    answer = server.post(PODS, pod)
    assert (answer.status, answer.message) == (
        400,
        'Pod in version "v1" cannot be handled as a Pod: json: cannot unmarshal string into Go struct field '
        "ContainerPort.spec.containers.ports.containerPort of type int32",
    )


def test_a_namespace_that_is_going_takes_nothing_new(server):
    server.post("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "going"}})
    held = {**configmap("held"), "metadata": {"name": "held", "finalizers": ["x.org/hold"]}}
    server.post("/api/v1/namespaces/going/configmaps", held)
    server.request("DELETE", "/api/v1/namespaces/going")
    late = server.post("/api/v1/namespaces/going/configmaps", configmap("late"))
    assert (late.status, late.body["details"]["causes"][0]["reason"]) == (403, "NamespaceTerminating")
    server.patch("/api/v1/namespaces/going/configmaps/held", {"metadata": {"finalizers": None}})
    eventually(lambda: server.get("/api/v1/namespaces/going").status == 404)


def test_dry_run_changes_nothing(server):
    server.post(CONFIGMAPS, configmap("dry", a="1"))
    before = server.get(f"{CONFIGMAPS}/dry").body
    changed = server.request("PATCH", f"{CONFIGMAPS}/dry?dryRun=All", {"data": {"a": "2"}}, Content_Type="application/merge-patch+json")
    assert changed.body["data"] == {"a": "2"}
    server.request("DELETE", f"{CONFIGMAPS}/dry?dryRun=All")
    assert server.get(f"{CONFIGMAPS}/dry").body == before


def test_a_deletion_for_another_uid_is_refused(server):
    server.post(CONFIGMAPS, configmap("mine"))
    body = {"kind": "DeleteOptions", "apiVersion": "v1", "preconditions": {"uid": "other"}}
    answer = server.request("DELETE", f"{CONFIGMAPS}/mine", body)
    assert answer.status == 409 and "the UID in the precondition (other) does not match" in answer.message


def test_scale_is_read_and_written_alike_for_all_kinds(server):
    path = "/apis/apps/v1/namespaces/default/deployments"
    server.post(path, {**DEPLOYMENT, "metadata": {"name": "scaled"}})
    assert server.get(f"{path}/scaled/scale").body["spec"] == {"replicas": 2}
    server.patch(f"{path}/scaled/scale", {"spec": {"replicas": 5}})
    assert server.get(f"{path}/scaled").body["spec"]["replicas"] == 5


def test_yaml_is_served_and_read(server):
    text = b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: yaml}\ndata: {a: '1'}\n"
    assert server.request("POST", CONFIGMAPS, text, Content_Type="application/yaml").status == 201
    assert "kind: ConfigMap\n" in server.get(f"{CONFIGMAPS}/yaml", Accept="application/yaml").text


def test_openapi_describes_what_discovery_names(server):
    index = server.get("/openapi/v3").body["paths"]
    document = server.get(index["api/v1"]["serverRelativeURL"]).body
    schemas = document["components"]["schemas"]
    assert schemas["io.k8s.api.core.v1.Pod"]["x-kubernetes-group-version-kind"] == [{"group": "", "kind": "Pod", "version": "v1"}]
    spec = schemas["io.k8s.api.core.v1.PodSpec"]["properties"]
    assert spec["containers"]["x-kubernetes-list-map-keys"] == ["name"]
    assert any(item["name"] == "fieldValidation" for item in document["paths"]["/api/v1/namespaces/{namespace}/pods"]["post"]["parameters"])


def test_a_fault_of_the_server_is_a_status_too(server, monkeypatch):
    monkeypatch.setattr(server.store, "scan", lambda *_: 1 / 0)
    answer = server.get("/api/v1/nodes")
    assert (answer.status, answer.body["reason"]) == (500, "InternalError") and "ZeroDivisionError" in answer.message


def test_the_garbage_collector_takes_what_nobody_owns(server):
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": "none", "uid": "00000000-0000-4000-8000-000000000000"}
    server.post(CONFIGMAPS, {**configmap("orphan"), "metadata": {"name": "orphan", "ownerReferences": [owner]}})
    eventually(lambda: server.get(f"{CONFIGMAPS}/orphan").status == 404)


def test_foreground_deletion_waits_for_what_blocks_it(server):
    owner = server.post(CONFIGMAPS, configmap("owner")).body
    reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": owner["metadata"]["uid"], "blockOwnerDeletion": True}
    held = {"name": "owned", "ownerReferences": [reference], "finalizers": ["example.org/hold"]}
    server.post(CONFIGMAPS, {**configmap("owned"), "metadata": held})
    deleted = server.request("DELETE", f"{CONFIGMAPS}/owner?propagationPolicy=Foreground").body
    assert deleted["metadata"]["finalizers"] == ["foregroundDeletion"]
    assert server.get(f"{CONFIGMAPS}/owner").status == 200
    server.patch(f"{CONFIGMAPS}/owned", {"metadata": {"finalizers": None}})
    eventually(lambda: server.get(f"{CONFIGMAPS}/owner").status == 404)


def test_orphans_stay(server):
    owner = server.post(CONFIGMAPS, configmap("leaving")).body
    reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "leaving", "uid": owner["metadata"]["uid"]}
    server.post(CONFIGMAPS, {**configmap("left"), "metadata": {"name": "left", "ownerReferences": [reference]}})
    server.request("DELETE", f"{CONFIGMAPS}/leaving?propagationPolicy=Orphan")
    assert server.get(f"{CONFIGMAPS}/leaving").status == 404
    assert "ownerReferences" not in server.get(f"{CONFIGMAPS}/left").body["metadata"]


def test_a_list_can_be_had_of_a_moment_that_has_passed(server):
    before = server.post(CONFIGMAPS, configmap("past", a="1")).body["metadata"]["resourceVersion"]
    server.patch(f"{CONFIGMAPS}/past", {"data": {"a": "2"}})
    server.request("DELETE", f"{CONFIGMAPS}/past")
    then = server.get(f"{CONFIGMAPS}?resourceVersion={before}&resourceVersionMatch=Exact&fieldSelector=metadata.name%3Dpast").body
    assert [item["data"] for item in then["items"]] == [{"a": "1"}] and then["metadata"]["resourceVersion"] == before


def test_who_makes_an_object_owns_its_defaults_and_not_what_admission_adds(server):
    made = server.request("POST", f"{PODS}?fieldManager=me", {**POD, "metadata": {"name": "whose"}}).body
    entry = next(item for item in made["metadata"]["managedFields"] if item["manager"] == "me")
    assert {"f:containers", "f:dnsPolicy", "f:restartPolicy"} <= entry["fieldsV1"]["f:spec"].keys()
    assert "f:volumes" not in entry["fieldsV1"]["f:spec"] and made["spec"]["volumes"]
    assert '{".": {}, "f:image": {}' in json.dumps(entry["fieldsV1"]["f:spec"]["f:containers"]['k:{"name":"c"}'])


def test_an_apply_tells_ports_apart_by_number_and_protocol(server):
    """What is left out of a key is its default: ``TCP``."""
    path = "/api/v1/namespaces/default/services"
    server.post(path, {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "keyed"}, "spec": {"ports": [{"name": "a", "port": 80}]}})
    body = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "keyed"}, "spec": {"ports": [
        {"name": "a", "port": 80, "targetPort": 8080}, {"name": "b", "port": 53, "protocol": "UDP"},
    ]}}  # fmt: skip
    url = f"{path}/keyed?fieldManager=applier&force=true"
    ports = server.request("PATCH", url, json.dumps(body).encode(), Content_Type="application/apply-patch+yaml").body["spec"]["ports"]
    assert [(port["name"], port["port"], port["protocol"], port["targetPort"]) for port in ports] == [
        ("a", 80, "TCP", 8080), ("b", 53, "UDP", 53),
    ]  # fmt: skip


def test_protobuf_is_served_and_watched(server):
    server.post(CONFIGMAPS, configmap("binary"))
    accept = "application/vnd.kubernetes.protobuf"
    answer = server.get(f"{CONFIGMAPS}?limit=1", Accept=accept)
    assert answer.headers["Content-Type"] == accept and answer.text.startswith("k8s\0")
    refused = server.get(f"{CONFIGMAPS}/none", Accept=accept)
    assert refused.status == 404 and protobuf.decode(refused.text.encode(errors="surrogateescape"))["message"] == 'configmaps "none" not found'
    watched = server.get(f"{CONFIGMAPS}?watch=1&timeoutSeconds=1", Accept=accept)
    assert watched.headers["Content-Type"] == f"{accept};stream=watch" and "ADDED" in watched.text


def test_a_table_without_objects_says_so(server):
    rows = server.get("/api/v1/namespaces?includeObject=None", Accept=TABLE).body["rows"]
    assert rows and all(row["object"] is None for row in rows)


def test_claims_show_their_columns(server):
    path = "/api/v1/namespaces/default/persistentvolumeclaims"
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    server.post(path, {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "claim"}, "spec": spec})
    table = server.get(f"{path}/claim", Accept=TABLE).body
    cells = dict(zip([item["name"] for item in table["columnDefinitions"]], table["rows"][0]["cells"], strict=True))
    assert (cells["Status"], cells["VolumeAttributesClass"], cells["VolumeMode"]) == ("Pending", "<unset>", "Filesystem")


def test_who_owns_what_is_still_known_after_a_patch_of_another(server):
    """Of a kind without a status, too: an apply of the same afterwards changes nothing."""
    path = "/api/v1/namespaces/default/configmaps/owned"
    applied = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "owned"}, "data": {"a": "1"}}
    server.patch(f"{path}?fieldManager=one", applied, "apply-patch+yaml")
    for value in ("x", None):
        patched = server.patch(f"{path}?fieldManager=two", {"metadata": {"annotations": {"b": value}}}).body
        assert "one" in {entry["manager"] for entry in patched["metadata"]["managedFields"]}
    again = server.patch(f"{path}?fieldManager=one", applied, "apply-patch+yaml").body
    assert again["metadata"]["resourceVersion"] == patched["metadata"]["resourceVersion"]
