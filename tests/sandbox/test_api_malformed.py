# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What nobody should send: the API refuses it in a Status, never by a fault of its own, and goes on."""

from __future__ import annotations

import json
import os
import socket
import ssl
from urllib.parse import quote

import pytest
from api_server import DEPLOYMENT, POD, ApiServer, tls_client_context
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from podnet_sandbox.api.kinds import builtin

PODS = "/api/v1/namespaces/default/pods"
THING = {
    "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "things.x.io"},
    "spec": {
        "group": "x.io", "scope": "Namespaced", "names": {"plural": "things", "singular": "thing", "kind": "Thing", "listKind": "ThingList"},
        "versions": [{
            "name": "v1", "served": True, "storage": True,
            "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": {
                "type": "object", "properties": {"n": {"type": "integer"}, "s": {"type": "string", "pattern": "^a+$"}}}}}},
        }],
    },
}  # fmt: skip
EXAMPLES = 400 if os.environ.get("PODNET_TEST_ALL") == "1" else 40
fuzzed = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with ApiServer(tmp_path_factory.mktemp("api")) as running:
        assert running.post("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", THING).status == 201
        running.post(PODS, POD)
        yield running


def paths():
    """Of the built-in kinds and one custom one, as they are at first: who fuzzes may delete a definition."""
    yield "/apis/x.io/v1/namespaces/default/things"
    for resource in builtin():
        base = f"/apis/{resource.group}/{resource.version}" if resource.group else f"/api/{resource.version}"
        yield base + ("/namespaces/default/" if resource.namespaced else "/") + resource.plural


# Bodies

NAMES = st.sampled_from(["metadata", "name", "namespace", "labels", "finalizers", "ownerReferences", "spec", "containers", "template", "x"])
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-(10**30), 10**30), st.text(max_size=8), st.sampled_from(["a", "2001-01-01", "\ud800"]))
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4), max_leaves=8)


@st.composite
def damaged(draw, original):
    """An object with something else in one place of it."""
    obj = json.loads(json.dumps(original))
    place = obj
    while True:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        key = draw(st.sampled_from(keys))
        if not isinstance(place[key], (dict, list)) or not place[key] or draw(st.booleans()):
            place[key] = draw(VALUES)
            return obj
        place = place[key]


@fuzzed
@given(data=st.data())
def test_an_object_with_a_wrong_value_somewhere_is_never_the_servers_fault(server, data):
    path = data.draw(st.sampled_from(sorted(paths())))
    body = data.draw(damaged({**data.draw(st.sampled_from([POD, DEPLOYMENT])), "kind": "", "apiVersion": ""}))
    assert server.post(path, json.dumps(body).encode(), dryRun="All").status < 500


PATCHES = ["merge-patch+json", "strategic-merge-patch+json", "json-patch+json", "apply-patch+yaml"]
OPERATIONS = st.fixed_dictionaries({
    "op": st.sampled_from(["add", "remove", "replace", "move", "copy", "test", "none"]),
    "path": st.sampled_from(["", "/", "/spec", "/spec/containers/-", "/spec/containers/9", "/metadata/labels/x", "x", "/metadata"]),
    "from": st.sampled_from(["/spec", "/metadata/labels", ""]), "value": VALUES,
})  # fmt: skip


@fuzzed
@given(kind=st.sampled_from(PATCHES), patch=st.lists(OPERATIONS, max_size=3) | damaged(POD) | VALUES)
def test_a_patch_of_anything_is_never_the_servers_fault(server, kind, patch):
    answer = server.patch(f"{PODS}/a?dryRun=All&fieldManager=m", json.dumps(patch).encode(), kind)
    assert answer.status < 500 or "reason" not in answer.body  # what kube-apiserver, too, calls 500 without a reason


@fuzzed
@given(body=st.binary(max_size=60), media=st.sampled_from(["json", "yaml", "vnd.kubernetes.protobuf", "x"]), magic=st.booleans())
def test_bytes_are_never_the_servers_fault(server, body, media, magic):
    answer = server.post(PODS, b"k8s\x00" * magic + body, Content_Type=f"application/{media}")
    assert 400 <= answer.status < 500


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"[" * 200_000 + b"]" * 200_000, "exceeded max depth"),
        (b"- " * 100_000 + b"x", "exceeded max depth"),  # libyaml would follow it until the stack ends, and the process with it
        (b"a: &a [" + b"x," * 9 + b"]\n" + b"".join(b"b%d: &b%d [%s]\n" % (n, n, (b"*b%d," % (n - 1) if n else b"*a,") * 9) for n in range(12)),
         "document contains excessive aliasing"),
        (b"&a [*a]", "anchor 'a' value contains itself"),
        (b"metadata: !!binary AAAA", "cannot convert bytes to JSON"),
        (b"? {a: 1}\n: 2", "unhashable"),
        (b"a: .nan", "cannot convert float to JSON"),
        (b"a: '\xff'", "UTF-8"),
    ],
)  # fmt: skip
def test_yaml_that_would_lead_a_parser_astray_is_refused(server, body, said):
    answer = server.post(PODS, body, Content_Type="application/yaml")
    assert answer.status == 400 and said.lower() in answer.message.lower(), answer.message
    assert server.get(PODS).status == 200


@pytest.mark.parametrize("body", [b'{"spec": NaN}', b'{"spec": 1e999}', b'{"a":' * 5000 + b"1" + b"}" * 5000, b'{"a": "\xff"}'])
def test_json_that_gos_reader_does_not_take_is_refused(server, body):
    assert server.post(PODS, body).status == 400
    assert server.patch(f"{PODS}/a", body).status == 400


def test_yaml_says_dates_and_numbers_as_keys_in_text(server):
    body = b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: dates, labels: {on: 2001-01-01}}\ndata: {1: 2001-01-01, false: x}\n"
    answer = server.post("/api/v1/namespaces/default/configmaps", body, Content_Type="application/yaml")
    assert answer.status == 201 and answer.body["data"] == {"1": "2001-01-01", "false": "x"}
    assert answer.body["metadata"]["labels"] == {"true": "2001-01-01"}


def test_half_a_surrogate_pair_is_no_character(server):
    answer = server.post("/api/v1/namespaces/default/configmaps", b'{"metadata": {"name": "half"}, "data": {"a": "x\\ud800y"}}')
    assert answer.status == 201 and answer.body["data"]["a"] == "x?y"


def test_a_body_that_is_too_large_is_refused_in_the_real_servers_words(server):
    answer = server.post(PODS, b" " * (3 * 1024 * 1024 + 1))
    assert (answer.status, answer.body["reason"]) == (413, "RequestEntityTooLarge")
    assert answer.message == "Request entity too large: limit is 3145728"


# Paths, queries, headers

PARAMETERS = ["allowWatchBookmarks", "continue", "dryRun", "fieldSelector", "fieldValidation", "force", "gracePeriodSeconds",
              "includeObject", "labelSelector", "limit", "propagationPolicy", "resourceVersion", "resourceVersionMatch",
              "sendInitialEvents", "sinceSeconds", "tailLines", "timeoutSeconds"]  # fmt: skip
WORDS = st.one_of(st.text(max_size=6), st.sampled_from(["0", "-1", "²", "9" * 30, "9" * 5000, "a=b", "a in (b", "a>1", "x>²", "true"]))


@fuzzed
@given(data=st.data(), method=st.sampled_from(["GET", "DELETE", "HEAD", "OPTIONS", "POST"]))
def test_any_path_and_query_is_never_the_servers_fault(server, data, method):
    path = data.draw(st.sampled_from(sorted(paths())))
    path += "".join(f"/{quote(part, safe='')}" for part in data.draw(st.lists(st.text(max_size=5) | st.just("status"), max_size=3)))
    query = data.draw(st.dictionaries(st.sampled_from(PARAMETERS), WORDS, max_size=4))
    given_ = "&".join(f"{name}={quote(value.encode(errors='replace'))}" for name, value in query.items())
    answer = server.request(method, f"{path}?{given_}", b"{}" if method == "POST" else None)
    # A resourceVersion of the future is waited for, and one that is none is what kube-apiserver calls 500 without a reason.
    assert answer.status < 500 or method == "HEAD" or answer.body.get("reason") in ("Timeout", None)


@pytest.mark.parametrize("name", ["gracePeriodSeconds", "limit", "timeoutSeconds&watch=1", "tailLines"])
def test_a_number_that_is_none_is_refused_in_gos_words(server, name):
    name, _, more = name.partition("&")
    path, method = {"tailLines": (f"{PODS}/a/log", "GET"), "gracePeriodSeconds": (f"{PODS}/b", "DELETE")}.get(name, (PODS, "GET"))
    answer = server.request(method, f"{path}?{name}=%C2%B2&{more}")
    assert answer.status == 400 and answer.message == 'strconv.ParseInt: parsing "²": invalid syntax'


def raw(server, data):
    """What comes back for bytes on a connection, up to its end."""
    context = tls_client_context(server.credentials)
    host, _, port = server.address.partition(":")
    with socket.create_connection((host, int(port)), timeout=10) as plain, context.wrap_socket(plain, server_hostname=host) as connection:
        try:
            connection.sendall(data)
            connection.settimeout(0.3)
            answer = b""
            while part := connection.recv(65536):
                answer += part
            return answer
        except (TimeoutError, ConnectionError, ssl.SSLError):
            return b""


@fuzzed
@given(st.binary(max_size=200) | st.builds(lambda a, b: b"GET /version HTTP/1.1\r\n" + a + b"\r\n\r\n" + b, st.binary(max_size=60), st.binary(max_size=20)))
def test_bytes_that_are_no_request_end_a_connection_and_nothing_else(server, data):
    answer = raw(server, data)
    assert not answer or (answer.startswith(b"HTTP/1.") and b" 500 " not in answer.partition(b"\r\n")[0])
    assert server.get("/version").status == 200


def test_a_long_command_fits_into_a_request_and_endless_headers_do_not(server):
    assert server.get(f"/version?command={'x' * 100_000}").status == 200  # Go takes a mebibyte of request line and headers
    assert b" 400 " in raw(server, b"GET /version HTTP/1.1\r\nX: " + b"x" * (2 << 20) + b"\r\n\r\n").partition(b"\r\n")[0]


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ({"additionalProperties": 5}, "boolean or JSON schema expected"),
        ({"maxLength": "x"}, "json: cannot unmarshal string into Go struct field JSONSchemaProps.spec.versions.schema.openAPIV3Schema.properties.maxLength"),
        ({"propertys": {}}, 'strict decoding error: unknown field "spec.versions[0].schema.openAPIV3Schema.properties.q.propertys"'),
    ],
    ids=["form", "type", "name"],
)
def test_what_is_wrong_inside_a_definitions_schema_is_said(server, schema, said):
    thing = json.loads(json.dumps(THING))
    thing["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["q"] = {"type": "object", **schema}
    answer = server.post("/apis/apiextensions.k8s.io/v1/customresourcedefinitions?fieldValidation=Strict&dryRun=All", thing)
    assert answer.status == 400 and said in answer.message
