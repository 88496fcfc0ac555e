# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real kube-apiserver's conversations, replayed: the sandbox must answer each of them as it did.

`recordings/kube-apiserver-v1.32.13.json`. What differs from run to run (uids, times, revisions, random suffixes) is not compared;
what the sandbox does otherwise on purpose is listed in `DIFFERENT`, each with its reason.
"""

from __future__ import annotations

import json
import re
import threading
import time
from pathlib import Path

import pytest
from api_server import ApiServer

CONVERSATIONS = json.loads((Path(__file__).parent / "recordings" / "kube-apiserver-v1.32.13.json").read_text())
BY_CASE = {item["case"]: item for item in CONVERSATIONS}

VOLATILE = {
    "uid", "resourceVersion", "creationTimestamp", "deletionTimestamp", "time", "managedFields", "token", "expirationTimestamp",
    "lastTransitionTime", "lastProbeTime", "storageVersionHash", "description", "ownerReferences", "clusterIP", "clusterIPs",
    "serverAddress",
}  # fmt: skip
#: Other contents than the recorded cluster had: the state differs, the behaviour is compared elsewhere in this file.
OTHER_STATE = {
    "groups", "core resources", "apps resources", "calico crd resources", "aggregated discovery of core", "openapi v3 index",
    "nodes table", "pods table", "daemonsets table", "services table", "namespaces table", "custom resource table",
    "custom resource list", "one pod table, metadata only objects", "list limit 2", "list continue", "list for watch",
    "watch from 0", "watch table",
}  # fmt: skip
DIFFERENT = {
    "version": "built by nobody's Go compiler",
    "protobuf": "objects are served as JSON and YAML only",
    "pod immutable field": "the recorded message goes on with a diff of Go structs",
    "put with stale resourceVersion": "the recorded body names the recorded object's uid; see test_api_rest",
    "watch too old": "nothing is compacted so early here; see test_api_rest",
    "watch list with bookmark": "the recorded server had this feature switched off",
    "status subresource patch": "no scheduler wrote a condition here",
    "status through main resource is ignored": "no scheduler wrote a condition here",
    "delete pod, grace 0": "no scheduler wrote a condition here",
    "create in terminating namespace": "an empty namespace is gone at once here; see test_api_rest",
}
IPPOOLS = {
    "metadata": {"name": "ippools.crd.projectcalico.org"},
    "spec": {
        "group": "crd.projectcalico.org",
        "scope": "Cluster",
        "names": {"kind": "IPPool", "plural": "ippools"},
        "versions": [{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {
            "type": "object",
            "properties": {"spec": {"type": "object", "properties": {"cidr": {"type": "string"}, "blockSize": {"type": "integer"}}}},
        }}}],
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    """What the sandbox says, request by request, in the recorded order."""
    with ApiServer(tmp_path_factory.mktemp("api"), kubelet=False) as server:
        server.create("customresourcedefinitions.apiextensions.k8s.io", IPPOOLS)
        return {item["case"]: _replay(server, item) for item in CONVERSATIONS}


def _replay(server, item):
    request = item["request"]
    sent = request["path"].replace("resourceVersion=11334", f"resourceVersion={server.store.revision}")
    body = request.get("body")
    headers = {"Accept": request["accept"]}
    if "content-type" in request:
        headers["Content-Type"] = request["content-type"]
    if item["case"] == "watch add and delete":
        threading.Thread(target=_add_and_delete, args=(server,)).start()
    data = body.encode() if isinstance(body, str) else body
    return server.request(request["method"], sent, data, token=_token(server, request.get("as", "")), **headers)


def _add_and_delete(server):
    time.sleep(0.3)
    server.create("configmaps", {"metadata": {"name": "w1", "namespace": "rec"}})
    server.call(server.store.delete, "configmaps", "w1", "rec")


def _token(server, who):
    if not who:
        return None
    if "ServiceAccount" not in who:
        return ""
    if server.store.find("serviceaccounts", "default", "rec") is None:
        server.create("serviceaccounts", {"metadata": {"name": "default", "namespace": "rec"}})
    return server.call(server.authenticator.issue_for_account, "rec", "default")


def comparable(value):
    if isinstance(value, dict):
        return {key: comparable(item) for key, item in value.items() if key not in VOLATILE}
    if isinstance(value, list):
        return [comparable(item) for item in value]
    if isinstance(value, str):
        return re.sub(r"\b(kube-api-access|cm)-[a-z0-9]{5}\b", r"\1-xxxxx", value)
    return value


@pytest.mark.parametrize("case", [case for case in BY_CASE if case not in OTHER_STATE | DIFFERENT.keys()])
def test_the_sandbox_answers_as_the_real_server_did(answers, case):
    recorded, answer = BY_CASE[case]["response"], answers[case]
    assert answer.status == recorded["status"]
    for name, value in recorded["headers"].items():
        assert (answer.headers.get(name) or "").startswith(value), name
    if "body" in recorded:
        assert comparable(answer.body) == comparable(recorded["body"])
    elif "lines" in recorded:
        assert comparable(answer.lines) == comparable(recorded["lines"])
    else:
        assert answer.text == recorded["text"]


@pytest.mark.parametrize("case", sorted(OTHER_STATE))
def test_lists_and_tables_have_the_form_of_the_real_server(answers, case):
    recorded, answer = BY_CASE[case]["response"], answers[case]
    if case == "list continue":  # the recorded token is of another server: as an expired one
        assert (answer.status, answer.body["reason"]) == (410, "Expired")
        return
    assert answer.status == recorded["status"]
    assert (answer.headers["Content-Type"] or "").startswith(recorded["headers"]["content-type"])
    if "lines" not in recorded:
        ours, theirs = answer.body, recorded["body"]
        assert ours.get("kind") == theirs.get("kind") and ours.get("apiVersion") == theirs.get("apiVersion")


@pytest.mark.parametrize("case", [case for case in sorted(OTHER_STATE) if case.endswith(" table") and case[:5] not in ("custo", "watch")])
def test_tables_have_the_columns_of_the_real_server(answers, case):
    def columns(body):
        return [(item["name"], item["type"], item["format"], item["priority"]) for item in body["columnDefinitions"]]

    assert columns(answers[case].body) == columns(BY_CASE[case]["response"]["body"])


@pytest.mark.parametrize("case", ["core resources", "apps resources"])
def test_what_discovery_says_of_a_resource_is_what_the_real_server_says(answers, case):
    theirs = {item["name"]: item for item in BY_CASE[case]["response"]["body"]["resources"]}
    ours = answers[case].body["resources"]
    assert {"pods", "pods/exec", "services"} <= {item["name"] for item in ours} or case != "core resources"
    for item in ours:
        assert comparable(theirs[item["name"]]) == item


def test_aggregated_discovery_says_of_a_resource_what_the_real_server_says(answers):
    def resources(body):
        return {item["resource"]: item for item in body["items"][0]["versions"][0]["resources"]}

    theirs, ours = (resources(body) for body in (BY_CASE["aggregated discovery of core"]["response"]["body"], answers["aggregated discovery of core"].body))
    for name, item in ours.items():
        shown = {entry["subresource"]: entry for entry in theirs[name].get("subresources", ())}
        assert all(shown[entry["subresource"]] == entry for entry in item.pop("subresources", ()))
        assert {key: value for key, value in theirs[name].items() if key != "subresources"} == item


def test_every_exception_is_still_one(answers):
    """An entry of DIFFERENT that answers as recorded has to go."""
    same = []
    for case in DIFFERENT:
        recorded, answer = BY_CASE[case]["response"], answers[case]
        if answer.status == recorded["status"] and "body" in recorded and comparable(json.loads(answer.text.splitlines()[0])) == comparable(recorded["body"]):
            same.append(case)
    assert not same
