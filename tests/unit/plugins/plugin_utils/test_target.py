# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cached inventory is of one cluster: what tells it from another, and that no secret does."""

from __future__ import annotations

import copy

import pytest
import yaml
from ansible_collections.podnet.calico.plugins.plugin_utils._target import target

KUBECONFIG = {
    "current-context": "prod",
    "clusters": [{"name": "c", "cluster": {"server": "https://one:6443"}}],
    "contexts": [{"name": "prod", "context": {"cluster": "c", "user": "u"}}],
    "users": [{"name": "u", "user": {"token": "SECRET", "client-key-data": "SECRET"}}],
}


@pytest.fixture(autouse=True)
def nothing_ambient(monkeypatch, tmp_path):
    for name in ("K8S_AUTH_KUBECONFIG", "KUBECONFIG", "K8S_AUTH_HOST", "K8S_AUTH_CONTEXT", "K8S_AUTH_USERNAME", "KUBERNETES_SERVICE_HOST"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))


def written(path, change=lambda document: None):
    document = copy.deepcopy(KUBECONFIG)
    change(document)
    path.write_text(yaml.safe_dump(document))
    return {"kubeconfig": str(path)}


def test_no_secret_is_in_it(tmp_path):
    said = target(dict(written(tmp_path / "k"), api_key="SECRET", password="SECRET"))
    assert "https://one:6443" in said and "SECRET" not in said


def test_another_path_with_the_same_contents_is_the_same_cluster(tmp_path):
    assert target(written(tmp_path / "a")) == target(written(tmp_path / "b"))


def test_a_new_token_is_the_same_cluster(tmp_path):
    before = target(written(tmp_path / "k"))
    assert target(written(tmp_path / "k", lambda document: document["users"][0]["user"].update(token="other"))) == before


@pytest.mark.parametrize(
    "change",
    [
        lambda document: document.update({"current-context": "other"}),
        lambda document: document["clusters"][0]["cluster"].update(server="https://two:6443"),
        lambda document: document["contexts"][0]["context"].update(user="view"),
    ],
)
def test_another_server_context_or_user_is_another(tmp_path, change):
    assert target(written(tmp_path / "a")) != target(written(tmp_path / "b", change))


def test_options_and_environment_count_alike(tmp_path, monkeypatch):
    given = written(tmp_path / "k")
    monkeypatch.setenv("K8S_AUTH_KUBECONFIG", given["kubeconfig"])
    assert target({}) == target(given)
    monkeypatch.setenv("K8S_AUTH_CONTEXT", "other")
    assert target(given) == target(dict(given, context="other")) != target(dict(given, context="prod"))


def test_a_kubeconfig_as_a_dictionary_counts_as_one_in_a_file(tmp_path):
    assert target({"kubeconfig": KUBECONFIG}) == target(written(tmp_path / "k"))


@pytest.mark.parametrize("contents", [b"", b"[1, 2]", b"clusters: 3", b"clusters: [3]", b"{", b"\xff\xfe\x00", b"clusters: [{cluster: x}]"])
def test_a_file_that_is_no_kubeconfig_is_for_the_connection_to_refuse(tmp_path, contents):
    (tmp_path / "k").write_bytes(contents)
    assert target({"kubeconfig": "%s:%s" % (tmp_path / "k", tmp_path / "missing")})
