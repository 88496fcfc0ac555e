# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""podnet.calico.awx_setup against a double of AWX's API, by the real modules of awx.awx: all is made, and nothing the second time."""

from __future__ import annotations

import json
import re

import pytest
import rules
from conftest import CHECKOUT, EVERYTHING, KINDS, ansible_playbook
from fake_awx import TOKEN, Store, serving

PLURALS = {kind: "inventories" if kind == "inventory" else f"{kind}s" for kind in KINDS}


class Loading:
    """A double, and runs of the playbook against it."""

    def __init__(self, home, url: str, store: Store) -> None:
        self.home, self.url, self.store = home, url, store

    def run(self, variables: dict, **environment: str):
        who = {"CONTROLLER_HOST": self.url, "CONTROLLER_OAUTH_TOKEN": TOKEN, "ANSIBLE_PIPELINING": "1"}
        return ansible_playbook(self.home, "podnet.calico.awx_setup", variables, **{**who, **environment})

    def written(self) -> list[tuple[str, str]]:
        return [(method, path) for method, path in self.store.requests if method != "GET"]


@pytest.fixture(scope="module")
def loading(modules, tmp_path_factory):
    store = Store(rules.playbooks(CHECKOUT))
    galaxy, machine = (store.seed("credential_types", name=name, inputs={"fields": []}) for name in ("Galaxy", "Machine"))
    store.seed("credentials", name="Ansible Galaxy", credential_type=galaxy, organization=None, inputs={})
    store.seed("credentials", name="Lab hosts", credential_type=machine, organization=None, inputs={})
    with serving(store) as url:
        yield Loading(tmp_path_factory.mktemp("setup"), url, store)


@pytest.fixture(scope="module")
def variables(kubeconfig) -> dict:
    return {**EVERYTHING, "awx_setup_kubeconfig": str(kubeconfig)}


@pytest.fixture(scope="module")
def first(loading, variables):
    """The first run."""
    ended = loading.run(variables)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended


def test_everything_is_made(loading, first, calls):
    objects = loading.store.objects
    for kind in KINDS:
        made = {one["name"] for one in objects[PLURALS[kind]].values()}
        assert {call["name"] for call in calls[kind]} == made - {"Galaxy", "Machine", "Ansible Galaxy", "Lab hosts"}, kind
    assert len(objects["workflow_job_template_nodes"]) == sum(len(call["workflow_nodes"]) for call in calls["workflow_job_template"])


def named(store: Store, collection: str, name: str) -> int:
    (found,) = [number for number, one in store.objects[collection].items() if one.get("name") == name]
    return found


def test_what_belongs_together_is_associated(loading, first, calls):
    store = loading.store
    (organization,) = store.objects["organizations"]
    assert store.associated[organization, "galaxy_credentials"] == [named(store, "credentials", "Ansible Galaxy")]
    group = named(store, "groups", "shards")
    assert {store.objects["hosts"][host]["name"] for host in store.associated[group, "hosts"]} == {"shard-1", "shard-2", "shard-3"}
    verify = named(store, "job_templates", "podnet verify")
    assert store.associated[verify, "credentials"] == [named(store, "credentials", "podnet cluster")]
    (wanted,) = [call for call in calls["job_template"] if call["name"] == "podnet verify"]
    assert store.surveys[verify] == wanted["survey_spec"]
    assert json.loads(store.objects["job_templates"][verify]["extra_vars"]) == wanted["extra_vars"]
    links = {
        (store.objects["workflow_job_template_nodes"][number]["identifier"], kind, store.objects["workflow_job_template_nodes"][child]["identifier"])
        for (number, kind), children in store.associated.items() if kind.endswith("_nodes")
        for child in children
    }  # fmt: skip
    assert {("verify", "always_nodes", "report"), ("judge", "always_nodes", "report"), ("deploy", "failure_nodes", "destroy")} <= links


def test_what_awx_is_to_fill_in_arrives_as_it_is_written(loading, first):
    store = loading.store
    injectors = store.objects["credential_types"][named(store, "credential_types", "podnet kubeconfig")]["injectors"]
    assert injectors["file"]["template"] == "{{ kubeconfig }}" and injectors["env"]["K8S_AUTH_KUBECONFIG"] == "{{ tower.filename }}"
    body = store.objects["notification_templates"][named(store, "notification_templates", "podnet webhook")]["messages"]["error"]["body"]
    assert isinstance(body, str) and "{{ job.artifacts.podnet_verdict | default('missing') | tojson }}" in body
    shards = json.loads(store.objects["inventories"][named(store, "inventories", "podnet shards")]["variables"])
    assert shards["ansible_python_interpreter"] == "{{ ansible_playbook_python }}"


def test_the_secret_reaches_awx_and_nothing_else(loading, first, kubeconfig):
    secrets = loading.store.secrets[named(loading.store, "credentials", "podnet cluster")]
    assert secrets == {"kubeconfig": kubeconfig.read_text().rstrip("\n")}
    assert "s3cr3t-t0ken" not in first.stdout + first.stderr and TOKEN not in first.stdout + first.stderr


def test_a_second_run_changes_nothing(loading, first, variables):
    before = json.dumps([loading.store.objects, loading.store.surveys], sort_keys=True)
    ended = loading.run(variables)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert re.search(r"changed=0 +unreachable=0 +failed=0", ended.stdout), ended.stdout
    assert json.dumps([loading.store.objects, loading.store.surveys], sort_keys=True) == before
    assert "[WARNING]: The field" not in ended.stderr and "secret" not in ended.stderr


@pytest.fixture
def untouched(loading):
    """Whatever is refused, nothing was written."""
    before = loading.written()
    yield loading
    assert loading.written() == before


#: Each wrong by itself; the kubeconfig is one that a person may have mistyped.
WRONG = {
    "awx_setup_image": ("", "awx_setup_image is empty"),
    "awx_setup_kubeconfig": ("/nowhere.yaml", "/nowhere.yaml is no file here"),
    "awx_setup_cluster_credential": ("x", "Set either awx_setup_kubeconfig (a file) or awx_setup_cluster_credential"),
    "awx_setup_prefix": ("My Cluster", "awx_setup_prefix is 'My Cluster'"),
    "awx_setup_dir": ("podnet", "an absolute path is wanted"),
    "awx_setup_shards": ({"Shard 1": {}, "shard-2": {}}, "awx_setup_shards has Shard 1:"),
    "awx_setup_lab_hosts": ({"bare": {}, "lab": {"podnet_lab_dir": "/x"}}, "awx_setup_lab_hosts: bare without podnet_lab_dir"),
    "awx_setup_lab_credential": ("", "awx_setup_lab_credential is empty"),
    "awx_setup_mail_sender": ("", "awx_setup_mail_sender is empty"),
    "awx_setup_rrule": ("RRULE:FREQ=DAILY", "AWX wants DTSTART:… RRULE:… with an INTERVAL"),
}


def test_all_that_cannot_be_loaded_is_told_at_once_and_nothing_is_made(untouched, variables):
    wrong = {name: value for name, (value, _says) in WRONG.items()}
    refused = untouched.run({**variables, **wrong}, CONTROLLER_HOST="", CONTROLLER_OAUTH_TOKEN="")
    told = " ".join(refused.stdout.split())
    assert refused.returncode != 0 and "CONTROLLER_HOST is not set" in told and "CONTROLLER_OAUTH_TOKEN is not set" in told
    assert [says for _value, says in WRONG.values() if says not in told] == [], told


def test_a_credential_that_awx_does_not_have_is_named(untouched, variables):
    refused = untouched.run({**variables, "awx_setup_lab_credential": "No such"})
    assert refused.returncode != 0 and "AWX has no credential 'No such'" in " ".join(refused.stdout.split())


@pytest.mark.parametrize(
    ("environment", "says"),
    [
        ({"CONTROLLER_HOST": "http://127.0.0.1:1"}, "AWX at http://127.0.0.1:1 cannot be asked: There was an unknown error"),
        ({"CONTROLLER_OAUTH_TOKEN": "wrong"}, "cannot be asked: Invalid authentication credentials"),
    ],
)
def test_an_awx_that_cannot_be_asked_is_told_apart(untouched, variables, environment, says):
    refused = untouched.run(variables, **environment)
    assert refused.returncode != 0 and says in " ".join(refused.stdout.split()), refused.stdout
    assert TOKEN not in refused.stdout


def test_without_the_collection_awx_awx_that_is_said(variables, tmp_path):
    """An ansible-core alone: it sees none of the collections beside it."""
    alone = {"ANSIBLE_COLLECTIONS_SCAN_SYS_PATH": "0", "ANSIBLE_COLLECTIONS_PATH": str(CHECKOUT / ".ansible" / "collections")}
    asked = {"CONTROLLER_HOST": "http://127.0.0.1:1", "CONTROLLER_OAUTH_TOKEN": TOKEN}
    refused = ansible_playbook(tmp_path, "podnet.calico.awx_setup", variables, **alone, **asked)
    assert refused.returncode != 0 and "The collection awx.awx is not installed here" in " ".join(refused.stdout.split()), refused.stdout
