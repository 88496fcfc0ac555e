# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Python client, typed and dynamic, unmodified."""

from __future__ import annotations

import pytest
from api_server import DEPLOYMENT, POD, ApiServer

kubernetes = pytest.importorskip("kubernetes")
stream = pytest.importorskip("kubernetes.stream").stream


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with ApiServer(tmp_path_factory.mktemp("api")) as running:
        running.post("/api/v1/namespaces/default/pods", POD)
        yield running


@pytest.fixture(scope="module")
def client(server):
    return kubernetes.config.new_client_from_config(str(server.kubeconfig))


@pytest.fixture
def core(client):
    return kubernetes.client.CoreV1Api(client)


def test_typed_lists_hold_the_strict_models(client, core):
    assert {item.metadata.name for item in core.list_namespace().items} >= {"default", "kube-system"}
    pod = core.read_namespaced_pod("a", "default")
    assert pod.spec.containers[0].image == "multitool:1"
    made = kubernetes.client.AppsV1Api(client).create_namespaced_deployment("default", {**DEPLOYMENT, "metadata": {"name": "typed"}})
    assert made.spec.strategy.rolling_update.max_surge == "25%"
    assert kubernetes.client.RbacAuthorizationV1Api(client).read_cluster_role("view").rules
    assert kubernetes.client.VersionApi(client).get_code().git_version == "v1.32.13"


def test_exec_returns_output_and_code(core):
    command = ["sh", "-c", "echo out; echo err >&2; exit 3"]
    running = stream(core.connect_get_namespaced_pod_exec, "a", "default", command=command, stdout=True, stderr=True, _preload_content=False)
    running.run_forever(timeout=10)
    assert (running.read_stdout(), running.read_stderr(), running.returncode) == ("out\n", "err\n", 3)


def test_a_watch_ends_after_its_time(core):
    events = kubernetes.watch.Watch().stream(core.list_namespaced_pod, "default", timeout_seconds=1)
    assert [(event["type"], event["object"].metadata.name) for event in events] == [("ADDED", "a")]


def test_the_dynamic_client_finds_what_a_definition_added(server, client):
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    server.create("customresourcedefinitions.apiextensions.k8s.io", {
        "metadata": {"name": "nets.example.org"},
        "spec": {"group": "example.org", "scope": "Cluster", "names": {"kind": "Net", "plural": "nets"},
                 "versions": [{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}]},
    })  # fmt: skip
    nets = kubernetes.dynamic.DynamicClient(client).resources.get(api_version="example.org/v1", kind="Net")
    nets.create(body={"apiVersion": "example.org/v1", "kind": "Net", "metadata": {"name": "n"}, "spec": {"a": 1}})
    applied = nets.server_side_apply(
        body={"apiVersion": "example.org/v1", "kind": "Net", "metadata": {"name": "n"}, "spec": {"b": 2}}, field_manager="test"
    )
    assert applied.spec.to_dict() == {"a": 1, "b": 2}
    assert [item.metadata.name for item in nets.get().items] == ["n"]


def test_an_error_is_the_server_s_status(core):
    with pytest.raises(kubernetes.client.ApiException) as raised:
        core.read_namespaced_pod("none", "default")
    assert raised.value.status == 404 and 'pods \\"none\\" not found' in raised.value.body
