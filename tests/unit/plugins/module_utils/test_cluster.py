# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists and connections: pages, retries, and errors that tell a person what to do."""

from __future__ import annotations

import multiprocessing
import threading

import pytest

pytest.importorskip("kubernetes")
pytest.importorskip("ansible_collections.kubernetes.core")

# pylint: disable=wrong-import-position
from ansible_collections.podnet.calico.plugins.module_utils import _cluster
from ansible_collections.podnet.calico.plugins.module_utils._cluster import Limits, connect
from ansible_collections.podnet.calico.plugins.module_utils._errors import (
    BAD_REQUEST,
    CONFLICT,
    FORBIDDEN,
    NOT_FOUND,
    UNAUTHORIZED,
    UNREACHABLE,
    PodnetError,
)
from ansible_collections.podnet.calico.tests.unit.plugins.module_utils.fake_api import FakeApi, status


@pytest.fixture(name="api")
def api_fixture(monkeypatch, tmp_path):
    """A running fake API, and no kubeconfig or K8S_AUTH_* of the machine."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))  # kubernetes.core keeps its discovery there
    monkeypatch.setattr(_cluster, "_pause", lambda attempt: 0.01)
    for name in ("KUBECONFIG", "K8S_AUTH_KUBECONFIG", "K8S_AUTH_CONTEXT", "K8S_AUTH_HOST", "K8S_AUTH_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    api = FakeApi()
    with api.running() as url:
        api.url = url
        yield api


def connected(api, **limits):
    """A cluster on the fake API."""
    return connect({"host": api.url, "api_key": "secret"}, Limits(**limits))


def names(cluster, selector=None):
    """The names of the pods."""
    return cluster.list("/api/v1/pods", lambda item: item["metadata"]["name"], selector)


def pages(*contents):
    """An answer that gives one page after the other, by continue token."""

    def answer(query):
        number = int(query.get("continue", "0"))
        token = str(number + 1) if number + 1 < len(contents) else ""
        return {"metadata": {"continue": token}, "items": [{"metadata": {"name": name}} for name in contents[number]]}

    return answer


def test_a_list_is_read_in_pages_of_500(api):
    api.answers["/api/v1/pods"] = pages(["a", "b"], ["c"])
    assert names(connected(api)) == ["a", "b", "c"]
    queries = [query for path, query, _headers in api.requests if path == "/api/v1/pods"]
    assert [query["limit"] for query in queries] == ["500", "500"]


def test_a_label_selector_is_left_to_the_server(api):
    api.answers["/api/v1/pods"] = pages(["a"])
    names(connected(api), "app in (x, y)")
    assert api.requests[-1][1]["labelSelector"] == "app in (x, y)"


def test_a_list_whose_continue_token_expired_is_read_again_from_the_start(api):
    first = iter([status(410, "The provided continue parameter is too old"), None])

    def answer(query):
        if query.get("continue"):
            return next(first) or {"items": [{"metadata": {"name": "late"}}]}
        return {"metadata": {"continue": "t"}, "items": [{"metadata": {"name": "early"}}]}

    api.answers["/api/v1/pods"] = answer
    assert names(connected(api)) == ["early", "late"]


@pytest.mark.parametrize("code", [429, 500, 503])
def test_a_server_that_is_busy_or_ill_is_asked_again(api, code):
    answers = iter([status(code, "not now"), {"items": []}])
    api.answers["/api/v1/pods"] = lambda query: next(answers)
    assert names(connected(api)) == []


def test_a_server_that_stays_ill_is_given_up_with_its_words(api):
    api.answers["/api/v1/pods"] = status(500, "etcdserver: no leader")
    with pytest.raises(PodnetError, match="GET /api/v1/pods on .*: etcdserver: no leader"):
        names(connected(api))


def test_a_kind_that_is_not_served_is_not_the_same_as_one_that_may_not_be_read(api):
    api.answers["/apis/a/v1/pools"] = (404, b"404 page not found\n")
    api.answers["/apis/a/v1/blocks"] = status(403, 'blocks is forbidden: User "x" cannot list resource "blocks"')
    cluster = connected(api)
    with pytest.raises(PodnetError) as missing:
        cluster.list("/apis/a/v1/pools", dict)
    with pytest.raises(PodnetError) as forbidden:
        cluster.list("/apis/a/v1/blocks", dict)
    assert (missing.value.reason, forbidden.value.reason) == (NOT_FOUND, FORBIDDEN)
    assert 'cannot list resource "blocks"' in str(forbidden.value)


def test_wrong_credentials_are_called_so(api):
    api.answers["/version"] = status(401, "Unauthorized")
    with pytest.raises(PodnetError, match="does not accept the credentials") as error:
        connected(api)
    assert error.value.reason == UNAUTHORIZED


def test_a_server_that_is_not_there_is_called_unreachable():
    with pytest.raises(PodnetError, match="127.0.0.1:9 cannot be reached .*Is the cluster up") as error:
        connect({"host": "http://127.0.0.1:9", "api_key": "x"}, Limits())
    assert error.value.reason == UNREACHABLE


def test_a_kubeconfig_that_is_missing_is_named(tmp_path):
    with pytest.raises(PodnetError, match="The kubeconfig %s/none cannot be read" % tmp_path):
        connect({"kubeconfig": str(tmp_path / "none")}, Limits())


def test_the_environment_names_the_kubeconfig_as_for_kubernetes_core(monkeypatch, tmp_path):
    monkeypatch.setenv("K8S_AUTH_KUBECONFIG", str(tmp_path / "of-the-environment"))
    with pytest.raises(PodnetError, match="of-the-environment cannot be read"):
        connect({"kubeconfig": None}, Limits())


def test_a_kubeconfig_without_the_context_says_which(tmp_path):
    path = tmp_path / "kubeconfig"
    path.write_text("apiVersion: v1\nkind: Config\nclusters: []\ncontexts: []\nusers: []\ncurrent-context: ''\n")
    with pytest.raises(PodnetError, match="no usable configuration .*context nowhere"):
        connect({"kubeconfig": str(path), "context": "nowhere"}, Limits())


@pytest.mark.parametrize("connections", [3, 5 * multiprocessing.cpu_count() + 3])
def test_every_connection_of_a_round_is_kept_for_the_next_one(api, caplog, connections):
    everybody = threading.Barrier(connections)
    api.answers["/api/v1/pods"] = lambda query: (everybody.wait(20), {"items": []})[1]
    cluster = connected(api, concurrency=connections)
    with caplog.at_level("DEBUG", "urllib3.connectionpool"):
        for _round in range(2):
            outcomes = cluster.run_all(lambda _number: names(cluster), range(connections))
            assert [outcome.value for outcome in outcomes] == [[]] * connections
    said = [record.getMessage() for record in caplog.records]
    assert not [words for words in said if "pool is full" in words]
    assert len([words for words in said if words.startswith("Starting new")]) == connections


def test_what_the_server_does_not_understand_is_told_apart(api):
    api.answers["/api/v1/pods"] = status(400, "unable to parse requirement")
    with pytest.raises(PodnetError, match="unable to parse requirement") as caught:
        names(connected(api), "a=b=c")
    assert caught.value.reason == BAD_REQUEST


@pytest.mark.parametrize(
    ("limits", "says"),
    [
        ({"exec_timeout": 15, "deadline": 0.4}, "did not end before the deadline of 0.4 s passed"),
        ({"exec_timeout": 0.4, "deadline": 30}, "did not end within 0.4 s"),
    ],
)
def test_a_command_that_does_not_end_is_told_by_what_ended_it(api, limits, says):
    release = threading.Event()
    api.exec = lambda send, request: release.wait(10)
    cluster = connected(api)
    cluster.limits = cluster.limits._replace(**limits)
    cluster.start_clock()
    result = cluster.exec("default", "a", None, ["true"])
    release.set()
    assert (result.problem, result.transient) == (says, False)


def test_the_deadline_ends_a_list(api):
    api.answers["/api/v1/pods"] = pages(["a"])
    cluster = connected(api, deadline=30)
    cluster.deadline = _cluster.Deadline(0)
    with pytest.raises(PodnetError, match="deadline of 30 s passed"):
        names(cluster)


def test_a_refused_exec_names_verb_resource_and_namespace(api):
    api.refuse_exec = status(403, 'pods "p" is forbidden: User "x" cannot get resource "pods/exec"')
    result = connected(api).exec("calico-system", "p", None, ["true"])
    assert 'Grant verbs ["get", "create"] on resource "pods/exec" (API group "") in namespace "calico-system"' in result.problem


def test_an_exec_is_tried_again_when_the_connection_broke(api):
    attempts = iter([False, True])

    def second_time_lucky(send, request):
        if next(attempts):
            send(3, b'{"status":"Success"}')

    api.exec = second_time_lucky
    assert connected(api).exec("n", "p", None, ["true"]).code == 0


@pytest.mark.parametrize(
    "method, kind", [("post", "application/json"), ("put", "application/json"), ("patch", "application/merge-patch+json")]
)
def test_an_object_is_written_as_its_method_wants_it(api, method, kind):
    api.answers["/api/v1/nodes/one"] = {"kind": "Node"}
    assert connected(api).write(method, "/api/v1/nodes/one", {"spec": {}}) == {"kind": "Node"}
    assert api.writes == [(method.upper(), "/api/v1/nodes/one", kind, {"spec": {}})]


def test_an_object_is_deleted(api):
    api.answers["/api/v1/nodes/one"] = {"kind": "Status"}
    connected(api).write("delete", "/api/v1/nodes/one")
    assert [write[:2] for write in api.writes] == [("DELETE", "/api/v1/nodes/one")]


@pytest.mark.parametrize("code, reason", [(409, CONFLICT), (403, FORBIDDEN), (404, NOT_FOUND), (503, None)])
def test_a_refused_write_says_so_and_is_not_sent_again(api, code, reason):
    api.answers["/api/v1/nodes/one"] = status(code, "the object has been modified")
    with pytest.raises(PodnetError, match="PUT /api/v1/nodes/one on http.*: the object has been modified") as caught:
        connected(api).write("put", "/api/v1/nodes/one", {})
    assert caught.value.reason == reason
    assert len(api.writes) == 1
