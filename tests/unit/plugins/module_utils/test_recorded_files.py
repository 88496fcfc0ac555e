# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A recorded folder in which something is missing, refused or garbage: it is said, and never taken for what is so."""

from __future__ import annotations

import json
import shutil

import pytest
from ansible_collections.podnet.calico.plugins.module_utils import _recording
from ansible_collections.podnet.calico.plugins.module_utils._checks import judge
from ansible_collections.podnet.calico.plugins.module_utils._snapshot import SnapshotError
from ansible_collections.podnet.calico.tests.unit.plugins.module_utils.recordings import FOLDER, LAB

NODE = "nodes/pod-routing-worker/"
FORBIDDEN = (
    'Error from server (Forbidden): %s is forbidden: User "x" cannot list resource "%s" in API group "crd.projectcalico.org" at the '
    "cluster scope"
)


@pytest.fixture
def folder(tmp_path):
    """As record-cluster makes it: each list once, without the aggregated API's view of the same, which would stand in for one that lacks."""
    shutil.copytree(FOLDER / LAB, tmp_path / "recorded", ignore=shutil.ignore_patterns("*.v3.projectcalico.org.json"))
    return tmp_path / "recorded"


def judged(folder):
    verdict = judge(_recording.load(str(folder)))
    assert not [finding.message for finding in verdict.findings if finding.outcome in ("failed", "warning")]
    return verdict, [finding for finding in verdict.findings if finding.cause is None]


@pytest.mark.parametrize("plural", ["felixconfigurations", "clusterinformations", "ipamhandles", "bgpconfigurations", "ippools"])
@pytest.mark.parametrize("where", ["problems.txt", "the file itself"])
def test_a_list_that_was_refused_is_undecided_with_the_rule_that_lacks(folder, plural, where):
    name = f"{plural}.crd.projectcalico.org.json"
    said = FORBIDDEN % (plural, plural)
    if where == "problems.txt":
        (folder / "api" / name).unlink(missing_ok=True)
        (folder / "problems.txt").write_text(f"api/{name}: {said}\n")
    else:
        (folder / "api" / name).write_text(said + "\n")
    verdict, headlines = judged(folder)
    assert verdict.failed
    assert [finding.id for finding in headlines] == ["api.observed"]
    assert f'Grant verb "list" on resource "{plural}" (API group "crd.projectcalico.org")' in headlines[0].remedy


def test_a_kind_that_the_cluster_does_not_serve_is_no_gap(folder):
    (folder / "api" / "installations.operator.tigera.io.json").unlink()
    said = 'error: the server doesn\'t have a resource type "installations"'
    (folder / "problems.txt").write_text(f"api/installations.operator.tigera.io.json: {said}\n")
    verdict, headlines = judged(folder)
    assert headlines == [] and not verdict.failed


@pytest.mark.parametrize(
    ("name", "text", "check", "says"),
    [
        ("birdcl-show-protocols.txt", "Error from server (InternalError): exec failed", "bgp.running", "Error from server (InternalError)"),
        ("birdcl-show-protocols.txt", "", "bgp.running", "is empty"),
        ("ip-j-route.json", "", "blocks.remote-route", "is empty"),
        ("ip-j-d-link.json", "", "vxlan.device", "is empty"),
        ("ip-j-rule.json", "", "blocks.policy-rule", "is empty"),
        ("ip-j-rule.json", "[", "blocks.policy-rule", "cut off or damaged"),
        ("sysctls.txt", "", "sysctls.forwarding", "is empty"),
        ("ipset-list.txt", "error: unable to upgrade connection", "nat.masquerade", "unable to upgrade"),
    ],
)
def test_a_file_that_holds_something_else_is_not_seen(folder, name, text, check, says):
    what = name.partition(".")[0].split("-")[-1]
    for other in (folder / NODE).glob(f"ip-*{what}*" if name.startswith("ip-") else name):
        other.unlink()
    (folder / NODE / name).write_text(text)
    verdict, _headlines = judged(folder)
    outcomes = {result.node: result.outcome for result in verdict.results if result.id == check}
    assert outcomes["pod-routing-worker"] == "inconclusive"
    assert any(says in finding.actual for finding in verdict.findings if finding.id == check)


def test_an_exec_that_was_refused_is_told_with_its_reason(folder):
    said = 'Error from server (Forbidden): pods "x" is forbidden: User "y" cannot get resource "pods" in API group "" in the namespace "c"'
    for path in (folder / NODE).iterdir():
        path.unlink()
    names = ("ip-j-d-link.json", "ip-j-addr.json", "ip-j-d-route-table-all.json", "ip-j-rule.json", "ip-j-neigh.json", "bridge-j-fdb.json")
    (folder / "problems.txt").write_text("".join(f"{NODE}{name}: {said}\n" for name in names))
    _verdict, headlines = judged(folder)
    assert any('Grant verb "get" on resource "pods" (API group "") in namespace "c"' in finding.remedy for finding in headlines)


def test_a_folder_of_recordings_says_which_it_holds(tmp_path):
    for name in ("monday", "tuesday"):
        (tmp_path / name / "api").mkdir(parents=True)
    with pytest.raises(SnapshotError, match="holds no recording") as raised:
        _recording.load(str(tmp_path))
    assert str(raised.value).endswith(f"Name one of those below it: {tmp_path}/monday, {tmp_path}/tuesday.")


@pytest.mark.parametrize(
    ("text", "says"),
    [("[]", "holds no list of objects"), ("{}", "holds no list of objects"), ('{"items": [1]}', "no list of objects"), ("\x00", "is no JSON")],
)
def test_a_folder_without_a_list_is_refused_with_what_is_there(tmp_path, text, says):
    (tmp_path / "api").mkdir()
    (tmp_path / "api" / "nodes.json").write_text(text)
    with pytest.raises(SnapshotError, match="holds no recording") as raised:
        _recording.load(str(tmp_path))
    assert says in str(raised.value) and "record-cluster" in str(raised.value)


def test_a_node_that_is_not_modelled_is_said_to_be_so_and_not_to_be_unread(folder):
    path = folder / "api" / "nodes.json"
    document = json.loads(path.read_text())
    next(item for item in document["items"] if item["metadata"]["name"] == "pod-routing-worker")["metadata"]["labels"]["kubernetes.io/os"] = "windows"
    path.write_text(json.dumps(document))
    shutil.rmtree(folder / NODE)
    verdict = judge(_recording.load(str(folder)))
    own = [finding for finding in verdict.findings if finding.node == "pod-routing-worker"]
    assert {finding.outcome for finding in own} == {"inconclusive"}
    assert {finding.message for finding in own if finding.cause is None} == {"pod-routing-worker: not modelled (windows node)"}
