# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a controller written in Go does with the API, by client-go itself (`client_go/objects.go`)."""

from __future__ import annotations

import json
import os
import subprocess

import pytest
from api_server import kubectl_path
from client_programs import go_program
from streaming_lab import StreamingLab

pytestmark = [
    pytest.mark.skipif(kubectl_path() is None, reason="kubectl is not installed"),
    pytest.mark.skipif(os.geteuid() != 0, reason="starts a sandbox as root"),
]


#: client-go lists and watches in one request with the feature, and in two without it.
@pytest.fixture(scope="module", params=["true", "false"], ids=["watch list", "list and watch"])
def answers(request, tmp_path_factory):
    program = go_program("client_go")
    lab = StreamingLab(tmp_path_factory.mktemp("client_go"))
    try:
        env = {**os.environ, "KUBE_FEATURE_WatchListClient": request.param}
        done = subprocess.run([program, lab.kubeconfig], capture_output=True, text=True, check=False, timeout=300, env=env)
        assert done.returncode == 0, done.stderr[-3000:]
        yield json.loads(done.stdout)
    finally:
        lab.close()


def test_an_informer_hears_of_each_pod_once_and_forgets_it(answers):
    assert answers["informer"] == {"added": 2, "ready": 2, "deleted": 2, "kept": 0}


def test_a_refusal_is_what_client_go_takes_it_for(answers):
    assert answers["errors"] == {"taken": "AlreadyExists", "missing": "NotFound", "invalid": "Invalid", "selector": "BadRequest"}
    assert answers["conflicting put"] == "Conflict"


def test_what_a_typed_client_sends_in_protobuf_is_kept_whole(answers):
    assert answers["kinds"] == {
        "partition": 3, "probe": "http", "volume": True, "field": "spec.nodeName", "suspend": True, "minAvailable": "50%",
    }  # fmt: skip


def test_a_definition_with_its_schema_comes_back_from_protobuf_as_it_was_sent(answers):
    assert answers["definition"] == {"listed": True, "watched": True, "the same": True}


def test_who_applies_what_another_applied_is_refused_until_it_insists(answers):
    assert answers["apply"] == {"refused": "Conflict", "value": "2", "managers": ["two"]}


def test_a_list_in_pages_loses_and_doubles_nothing(answers):
    assert answers["pages"] == {"names": [f"page-{number}" for number in range(5)], "pages": 3}


def test_a_leader_is_elected_and_lets_go(answers):
    assert answers["leader"] == {"led": True, "transitions": 0, "holder": ""}


def test_an_event_said_twice_is_one_that_counts(answers):
    assert answers["events"] == {"events": 1, "source": "client-go"}


def test_scale_eviction_and_foreground_deletion_are_obeyed(answers):
    assert answers["scale"] == {"replicas": 1, "selector": "app=scaled"}
    assert answers["evicted"] == {"another": True}
    assert answers["foreground"] == {"left": 0}


def test_an_account_is_who_its_token_says_and_may_nothing_more(answers):
    assert answers["account"] == {"user": "system:serviceaccount:default:go", "nodes": "Forbidden"}


def test_metadata_alone_can_be_had(answers):
    assert answers["metadata"] == {"nodes": ["a", "b"]}


def test_calicos_objects_are_read_by_kind(answers):
    objects = answers["calico"]
    (pool,) = objects["IPPool"]
    assert (pool["cidr"], pool["blockSize"], pool["vxlanMode"]) == ("192.168.0.0/16", 26, "Always")
    assert {affinity["node"] for affinity in objects["BlockAffinity"]} == {"a", "b"}
    assert sorted(block["affinity"] for block in objects["IPAMBlock"]) == ["host:a", "host:b"]
    assert len(objects["ClusterInformation"]) == 1 and objects["IPAMHandle"] and objects["IPAMConfig"]
