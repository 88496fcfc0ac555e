# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""rbac/ is what verification needs: with it every check is decided, and each permission less is named.

The cases are made from the manifests, so that a new rule is covered. The modules' own functions are called in this
process; a playbook for each rule would take minutes.
"""

from __future__ import annotations

import time
from typing import NamedTuple

import pytest
import yaml
from ansible_collections.podnet.calico.plugins.module_utils import _collect, _lists
from ansible_collections.podnet.calico.plugins.module_utils._checks import judge
from ansible_collections.podnet.calico.plugins.module_utils._cluster import Limits, connect
from ansible_collections.podnet.calico.plugins.module_utils._errors import PodnetError
from ansible_collections.podnet.calico.plugins.module_utils._selection import EVERYTHING, Selectors
from conftest import CHECKOUT

RBAC = "/apis/rbac.authorization.k8s.io/v1"
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
API_SERVERS = "/apis/operator.tigera.io/v1/apiservers"
API_SERVICES = "/apis/apiregistration.k8s.io/v1/apiservices"
#: Kinds that have another name in projectcalico.org/v3.
RENAMED = {"ipamconfigs": "ipamconfigurations"}
EVIDENCE = {"view.yaml": ("api",), "verify.yaml": ("api", "nodes")}


def documents(file):
    return list(yaml.safe_load_all((CHECKOUT / "rbac" / file).read_text()))


class Permission(NamedTuple):
    """One verb on one resource, of one rule of a role in a file."""

    file: str
    role: dict
    rule: int
    group: str
    resource: str
    verb: str

    @property
    def path(self) -> str:
        metadata = self.role["metadata"]
        where = f"namespaces/{metadata['namespace']}/roles" if "namespace" in metadata else "clusterroles"
        return f"{RBAC}/{where}/{metadata['name']}"

    @property
    def rules_without(self) -> list:
        """The role's rules, this permission left out and every other kept."""
        rules = []
        for number, rule in enumerate(self.role["rules"]):
            named = {"resourceNames": rule["resourceNames"]} if "resourceNames" in rule else {}
            rules += [
                {"apiGroups": [group], "resources": [resource], "verbs": [verb], **named}
                for group in rule["apiGroups"]
                for resource in rule["resources"]
                for verb in rule["verbs"]
                if (number, group, resource, verb) != (self.rule, self.group, self.resource, self.verb)
            ]
        return rules


def permissions(file):
    return [
        Permission(file, role, number, group, resource, verb)
        for role in documents(file)
        if role["kind"] in ("Role", "ClusterRole")
        for number, rule in enumerate(role["rules"])
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    ]


class Subject:
    """The cluster, and a ServiceAccount of rbac/ that looks at it."""

    def __init__(self, lab, kubeconfig) -> None:
        self.admin = connect({"kubeconfig": str(lab.kubeconfig)}, Limits())
        self.account = connect({"kubeconfig": str(kubeconfig)}, Limits())

    def verdict(self, evidence, selectors=EVERYTHING):
        self.account.start_clock()
        return judge(_collect.collect(self.account, evidence, selectors))

    def grant(self, permission, rules) -> None:
        self.admin.start_clock()
        self.admin.write("patch", permission.path, {"rules": rules})


@pytest.fixture(scope="module")
def subjects(foreign):
    return {file: Subject(foreign, foreign.restricted(file)) for file in EVIDENCE}


@pytest.fixture
def other_group(subjects, monkeypatch):
    """The cluster as one that serves Calico's data as CRDs of projectcalico.org/v3 alone: the same objects, copied."""
    subject = subjects["view.yaml"]
    subject.admin.start_clock()
    made = []
    try:
        # Such a cluster has no API server of Calico's, which would stand before these CRDs.
        subject.admin.write("delete", f"{API_SERVERS}/default")
        until(lambda: subject.admin.list("/api/v1/namespaces/calico-apiserver/pods", dict), lambda found: not found)
        until(lambda: subject.admin.get("/apis"), lambda found: f"'{_lists.V3_GROUP}'" not in str(found))
        for crd in subject.admin.list(CRDS, dict):
            if crd["spec"]["group"] == _lists.CRD_GROUP and crd["spec"]["names"]["plural"] in dict(_lists._CALICO):
                made.append(copied(subject.admin, crd))
        # What a cluster serves is asked at /apis; the sandbox's own Calico lives in the group that is hidden here.
        for one in subjects.values():
            monkeypatch.setattr(one.account, "get", without_group(one.account.get))
        yield
    finally:
        for name in made:
            subject.admin.write("delete", f"{CRDS}/{name}")
        subject.admin.write("post", API_SERVERS, {"apiVersion": "operator.tigera.io/v1", "kind": "APIServer", "metadata": {"name": "default"}})
        until(lambda: subject.admin.list(API_SERVICES, dict), lambda found: "all checks passed" in str(found))


def until(look, holds, seconds=20.0):
    deadline = time.monotonic() + seconds
    while not holds(found := look()):
        assert time.monotonic() < deadline, found
        time.sleep(0.1)


def copied(admin, crd) -> str:
    """Serve a kind in the other group too, with its objects; its name."""
    old = crd["spec"]["names"]
    plural = RENAMED.get(old["plural"], old["plural"])
    names = {"plural": plural, "singular": plural[:-1], "kind": old["kind"], "listKind": old["listKind"]}
    versions = [{**version, "name": "v3"} for version in crd["spec"]["versions"]]
    spec = {"group": _lists.V3_GROUP, "names": names, "scope": crd["spec"]["scope"], "versions": versions}
    name = f"{plural}.{_lists.V3_GROUP}"
    definition = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition"}
    admin.write("post", CRDS, {**definition, "metadata": {"name": name}, "spec": spec})
    for item in admin.list(f"/apis/{_lists.CRD_GROUP}/v1/{old['plural']}", dict):
        body = {"kind": old["kind"], "metadata": {"name": item["metadata"]["name"]}, "spec": item["spec"]}
        admin.write("post", f"/apis/{_lists.V3_GROUP}/v3/{plural}", {"apiVersion": f"{_lists.V3_GROUP}/v3", **body})
    return name


def without_group(get):
    def seen(path):
        answer = get(path)
        if path == "/apis":
            answer["groups"] = [group for group in answer["groups"] if group["name"] != _lists.CRD_GROUP]
        return answer

    return seen


def headlines(verdict):
    return [finding for finding in verdict.findings if finding.cause is None]


@pytest.mark.parametrize("file", EVIDENCE)
def test_with_the_manifest_every_check_is_decided_and_passes(subjects, file):
    verdict = subjects[file].verdict(EVIDENCE[file])
    assert verdict.findings == ()
    assert verdict.summary["inconclusive"] == 0 and verdict.summary["passed"] > 20


def test_evidence_from_nodes_needs_more_than_view(subjects):
    verdict = subjects["view.yaml"].verdict(EVIDENCE["verify.yaml"])
    (headline,) = headlines(verdict)
    assert verdict.failed and headline.outcome == "inconclusive"
    assert 'cannot get resource "pods/exec" in API group "" in the namespace "calico-system"' in verdict.msg
    assert 'Grant verbs ["get", "create"] on resource "pods/exec" (API group "") in namespace "calico-system"' in headline.remedy


def lacks(subject, permission, selectors=EVERYTHING):
    """Without the permission, one headline names it; the roles are as they were when this ends."""
    subject.grant(permission, permission.rules_without)
    try:
        verdict = subject.verdict(EVIDENCE[permission.file], selectors)
    except PodnetError as error:
        pytest.fail(f"no verdict at all: {error}")
    finally:
        subject.grant(permission, permission.role["rules"])
    assert verdict.failed, f"nobody needs {permission.verb} on {permission.resource} in group {permission.group!r}: take it out of rbac/"
    (headline,) = headlines(verdict)
    assert headline.outcome == "inconclusive"
    assert f'cannot {permission.verb} resource "{permission.resource}" in API group "{permission.group}"' in verdict.msg
    assert f'"{permission.verb}"' in headline.remedy and f'on resource "{permission.resource}"' in headline.remedy
    assert f'(API group "{permission.group}")' in headline.remedy


def name(permission):
    return " ".join(filter(None, (permission.file, permission.verb, permission.resource, permission.group)))


def of_group(v3):
    listed = permissions("verify.yaml")
    return [permission for permission in listed if (permission.group == _lists.V3_GROUP) is v3]


@pytest.mark.parametrize("permission", of_group(v3=False), ids=name)
def test_a_permission_that_lacks_is_named(subjects, permission):
    lacks(subjects["verify.yaml"], permission)


@pytest.mark.parametrize("resource", ["nodes", "pods"])
def test_whoever_is_selected_the_list_that_lacks_is_named(subjects, resource):
    (permission,) = [one for one in permissions("verify.yaml") if (one.resource, one.verb) == (resource, "list")]
    lacks(subjects["verify.yaml"], permission, Selectors(nodes="kubernetes.io/os=linux", pods="app", namespaces=("default",)))


def test_a_permission_that_lacks_is_named_in_the_other_api_group(subjects, other_group):
    subject = subjects["verify.yaml"]
    verdict = subject.verdict(EVIDENCE["verify.yaml"])
    assert verdict.findings == () and verdict.header.api_group == _lists.V3_GROUP
    for permission in of_group(v3=True):
        lacks(subject, permission)


def roles(file):
    """Rules by the name of their role."""
    return {one["metadata"]["name"]: one["rules"] for one in documents(file) if one["kind"] in ("Role", "ClusterRole")}


def test_verify_is_view_and_exec_in_the_namespace_of_calico_node():
    more = {"podnet-exec": [{"apiGroups": [""], "resources": ["pods/exec"], "verbs": ["create", "get"]}]}
    assert roles("verify.yaml") == roles("view.yaml") | more
    assert roles("pods.yaml") == more


def test_nothing_is_granted_that_every_user_has():
    assert not any("nonResourceURLs" in rule for file in EVIDENCE for rules in roles(file).values() for rule in rules)


def test_the_playbook_names_the_permission_that_lacks(foreign, subjects):
    """That it passes where nothing lacks is in test_foreign_cluster.py."""
    (permission,) = [one for one in permissions("verify.yaml") if one.resource == "ippools" and one.group == _lists.CRD_GROUP]
    subjects["verify.yaml"].grant(permission, permission.rules_without)
    try:
        run = foreign.verify(foreign.restricted("verify.yaml"), pod_routing_wait=0)
    finally:
        subjects["verify.yaml"].grant(permission, permission.role["rules"])
    assert run.code != 0
    assert 'cannot list resource "ippools" in API group "crd.projectcalico.org"' in run.fault
