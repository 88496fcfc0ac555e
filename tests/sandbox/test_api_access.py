# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may do what: certificates, tokens, RBAC, and the words of a refusal."""

from __future__ import annotations

import base64
import time

import pytest
from api_server import POD, ApiServer

PODS = "/api/v1/namespaces/default/pods"
RBAC = "/apis/rbac.authorization.k8s.io/v1"
READER = "system:serviceaccount:default:reader"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with ApiServer(tmp_path_factory.mktemp("api")) as running:
        running.create("serviceaccounts", {"metadata": {"name": "reader", "namespace": "default"}})
        running.post(PODS, POD)
        yield running


@pytest.fixture
def reader(server):
    """The token of a ServiceAccount that may read pods in namespace default, and no more."""
    rules = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]}]
    server.post(f"{RBAC}/namespaces/default/roles", {"kind": "Role", "metadata": {"name": "reader"}, "rules": rules})
    server.post(f"{RBAC}/namespaces/default/rolebindings", {
        "kind": "RoleBinding", "metadata": {"name": "reader"}, "roleRef": {"kind": "Role", "name": "reader"},
        "subjects": [{"kind": "ServiceAccount", "name": "reader", "namespace": "default"}],
    })  # fmt: skip
    return token(server)


def token(server, account="reader", **spec):
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}
    return server.post(f"/api/v1/namespaces/default/serviceaccounts/{account}/token", request).body["status"]["token"]


def test_a_token_that_is_none_is_unauthorized(server):
    answer = server.request("GET", PODS, token="wrong")
    assert (answer.status, answer.body["reason"], answer.message) == (401, "Unauthorized", "Unauthorized")


def test_nobody_sees_the_version_and_nothing_else(server):
    assert server.request("GET", "/version", token="").body["gitVersion"] == "v1.32.13"
    assert server.request("GET", "/apis", token="").message == 'forbidden: User "system:anonymous" cannot get path "/apis"'
    assert server.request("GET", PODS, token="").status == 403


def test_a_token_may_what_its_role_grants(server, reader):
    assert server.request("GET", PODS, token=reader).status == 200
    assert server.request("GET", f"{PODS}/a", token=reader).status == 200
    elsewhere = server.request("GET", "/api/v1/pods", token=reader)
    assert elsewhere.message == f'pods is forbidden: User "{READER}" cannot list resource "pods" in API group "" at the cluster scope'


def test_exec_needs_pods_exec(server, reader):
    answer = server.request("GET", f"{PODS}/a/exec?command=id&stdout=1", token=reader)
    assert (answer.status, answer.message) == (
        403, f'pods "a" is forbidden: User "{READER}" cannot get resource "pods/exec" in API group "" in the namespace "default"',
    )  # fmt: skip


def test_from_kubernetes_1_35_on_exec_needs_create_as_well(tmp_path):
    """AuthorizePodWebsocketUpgradeCreatePermission, kubernetes/kubernetes PR 134577."""
    path = f"{PODS}/a/exec?command=true&stdout=1"
    for version, message in (("v1.34.2", "Upgrade request required"), ("v1.35.0", 'cannot create resource "pods/exec"')):
        with ApiServer(tmp_path, version=version) as server:
            server.create("serviceaccounts", {"metadata": {"name": "reader", "namespace": "default"}})
            server.post(PODS, POD)
            rules = [{"apiGroups": [""], "resources": ["pods/exec"], "verbs": ["get"]}]
            server.post(f"{RBAC}/namespaces/default/roles", {"kind": "Role", "metadata": {"name": "reader"}, "rules": rules})
            server.post(f"{RBAC}/namespaces/default/rolebindings", {
                "kind": "RoleBinding", "metadata": {"name": "reader"}, "roleRef": {"kind": "Role", "name": "reader"},
                "subjects": [{"kind": "ServiceAccount", "name": "reader", "namespace": "default"}],
            })  # fmt: skip
            assert message in server.request("GET", path, token=token(server)).message


def test_access_reviews_answer_as_the_server_would(server, reader):
    def may(verb, resource, subresource=""):
        attributes = {"verb": verb, "resource": resource, "subresource": subresource, "namespace": "default"}
        review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "spec": {"resourceAttributes": attributes}}
        path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
        return server.request("POST", path, review, token=reader).body["status"]["allowed"]

    assert may("get", "pods") and not may("delete", "pods") and not may("create", "pods", "exec")


def test_a_rules_review_lists_what_is_granted(server, reader):
    review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectRulesReview", "spec": {"namespace": "default"}}
    answer = server.request("POST", "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews", review, token=reader)
    assert {"verbs": ["get", "list"], "apiGroups": [""], "resources": ["pods"]} in answer.body["status"]["resourceRules"]


def test_a_token_dies_with_its_account(server):
    server.create("serviceaccounts", {"metadata": {"name": "short", "namespace": "default"}})
    granted = token(server, "short")
    assert server.request("GET", "/apis", token=granted).status == 200
    server.request("DELETE", "/api/v1/namespaces/default/serviceaccounts/short")
    assert server.request("GET", "/apis", token=granted).status == 401


def test_a_tampered_token_is_refused(server):
    head, body, signature = token(server).split(".")
    assert server.request("GET", "/apis", token=f"{head}.{body}x.{signature}").status == 401
    assert server.request("GET", "/apis", token=f"{head}.{body}.").status == 401


def test_a_token_secret_is_filled(server):
    secret = {
        "kind": "Secret", "type": "kubernetes.io/service-account-token",
        "metadata": {"name": "reader-token", "annotations": {"kubernetes.io/service-account.name": "reader"}},
    }  # fmt: skip
    server.post("/api/v1/namespaces/default/secrets", secret)
    deadline = time.monotonic() + 5
    while not (data := server.get("/api/v1/namespaces/default/secrets/reader-token").body.get("data")):
        assert time.monotonic() < deadline, "no token was written"
    assert server.request("GET", "/apis", token=base64.b64decode(data["token"]).decode()).status == 200
    assert base64.b64decode(data["ca.crt"]).decode() == server.credentials.ca_certificate


def test_a_client_certificate_is_its_subject(server):
    review = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    by_token = server.post("/apis/authentication.k8s.io/v1/selfsubjectreviews", review).body["status"]["userInfo"]
    assert by_token["username"] == "kubernetes-admin" and "system:masters" in by_token["groups"]
    done = server.kubectl("get", "--raw", "/api/v1/namespaces/default")  # the kubeconfig has the certificate
    assert '"name":"default"' in done.stdout


@pytest.mark.parametrize(("name", "allowed"), [("named", 200), ("other", 403)])
def test_a_rule_for_named_objects_grants_no_others(server, name, allowed):
    rules = [{"apiGroups": [""], "resources": ["configmaps"], "resourceNames": ["named"], "verbs": ["get"]}]
    server.post(f"{RBAC}/clusterroles", {"kind": "ClusterRole", "metadata": {"name": "named"}, "rules": rules})
    server.post(f"{RBAC}/clusterrolebindings", {
        "kind": "ClusterRoleBinding", "metadata": {"name": "named"}, "roleRef": {"kind": "ClusterRole", "name": "named"},
        "subjects": [{"kind": "Group", "name": "system:serviceaccounts:default"}],
    })  # fmt: skip
    path = f"/api/v1/namespaces/default/configmaps/{name}"
    server.post("/api/v1/namespaces/default/configmaps", {"kind": "ConfigMap", "metadata": {"name": name}})
    assert server.request("GET", path, token=token(server)).status == allowed


def test_acting_as_somebody_else_needs_to_be_granted(server, reader):
    path = "/api/v1/namespaces/default/secrets"
    as_reader = server.get(path, Impersonate_User=READER)
    assert as_reader.message == (
        f'secrets is forbidden: User "{READER}" cannot list resource "secrets" in API group "" in the namespace "default"'
    )
    assert server.get(PODS, Impersonate_User=READER).status == 200
    refused = server.request("GET", PODS, token=reader, Impersonate_User="root")
    assert (refused.status, refused.message) == (
        403, f'users "root" is forbidden: User "{READER}" cannot impersonate resource "users" in API group "" at the cluster scope',
    )  # fmt: skip
