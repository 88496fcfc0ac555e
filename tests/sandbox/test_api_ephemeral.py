# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ephemeral containers are added through their own path, and stay as they are."""

from __future__ import annotations

import copy

import pytest
from api_server import POD, ApiServer

PODS = "/api/v1/namespaces/default/pods"
PATH = f"{PODS}/a/ephemeralcontainers"
STRATEGIC = "strategic-merge-patch+json"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with ApiServer(tmp_path_factory.mktemp("api")) as running:
        running.post(PODS, POD)
        answer = running.patch(PATH, {"spec": {"ephemeralContainers": [{"name": "first", "image": "busybox"}]}}, STRATEGIC)
        assert answer.status == 200
        yield running


def add(server, **container):
    return server.patch(PATH, {"spec": {"ephemeralContainers": [{"name": "more", "image": "busybox", **container}]}}, STRATEGIC)


def test_one_is_added_with_its_defaults_and_nothing_else_is_changed(server):
    pod = server.get(f"{PODS}/a").body
    assert [(one["name"], one["imagePullPolicy"]) for one in pod["spec"]["ephemeralContainers"]] == [("first", "Always")]
    changed = copy.deepcopy(pod)
    changed["metadata"].setdefault("labels", {})["new"] = "label"
    changed["spec"]["containers"][0]["image"] = "other"
    answer = server.request("PUT", PATH, changed)
    assert answer.status == 200
    assert answer.body["spec"]["containers"][0]["image"] == pod["spec"]["containers"][0]["image"]
    assert "new" not in answer.body["metadata"]["labels"]


@pytest.mark.parametrize(
    ("patch", "said"),
    [
        ([{"op": "remove", "path": "/spec/ephemeralContainers/0"}], 'existing ephemeral containers "first" may not be removed'),
        ([{"op": "replace", "path": "/spec/ephemeralContainers/0/image", "value": "x"}], 'containers "first" may not be changed'),
    ],
    ids=["removed", "changed"],
)
def test_one_that_is_there_is_neither_changed_nor_removed(server, patch, said):
    answer = server.patch(PATH, patch, "json-patch+json")
    assert (answer.status, answer.body["reason"]) == (422, "Invalid") and said in answer.message


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"name": "c"}, 'spec.ephemeralContainers[1].name: Duplicate value: "c"'),
        ({"image": ""}, "spec.ephemeralContainers[1].image: Required value"),
        ({"ports": [{"containerPort": 80}]}, "ports: Forbidden: cannot be set for an Ephemeral Container"),
        ({"targetContainerName": "nobody"}, 'targetContainerName: Not found: "nobody"'),
    ],
    ids=["name", "image", "ports", "target"],
)
def test_what_makes_no_sense_is_refused(server, fields, said):
    answer = add(server, **fields)
    assert answer.status == 422 and said in answer.message


def test_they_are_not_set_in_any_other_way(server):
    there = {**POD, "metadata": {"name": "b"}, "spec": {**POD["spec"], "ephemeralContainers": [{"name": "e", "image": "i"}]}}
    assert "spec.ephemeralContainers: Forbidden: cannot be set on create" in server.post(PODS, there).message
    pod = server.get(f"{PODS}/a").body
    pod["spec"]["ephemeralContainers"] = []
    assert server.request("PUT", f"{PODS}/a", pod).status == 422


def test_their_names_are_names_of_the_pods_containers(server):
    assert add(server).status == 200
    two = {**POD, "metadata": {"name": "two"}, "spec": {"containers": [*POD["spec"]["containers"], {"name": "d", "image": "i"}]}}
    server.post(PODS, two)
    server.patch(f"{PODS}/two/ephemeralcontainers", {"spec": {"ephemeralContainers": [{"name": "e", "image": "i"}]}}, STRATEGIC)
    message = server.get(f"{PODS}/two/log").message
    assert message == "a container name must be specified for pod two, choose one of: [c d] or one of the ephemeral containers: [e]"
