# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calico's v3 objects as they come of v1 objects: each recorded pair of a real Calico's API server, and the way back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from podnet_sandbox.api.aggregated import fields
from podnet_sandbox.api.aggregated.kinds import kinds
from podnet_sandbox.api.aggregated.metadata import KEPT, converted_uid

RECORDINGS = Path(__file__).parents[1] / "fixtures" / "real"
NODE_STATUSES = Path(__file__).parent / "recordings" / "node-statuses"
V330 = {kind.resource.plural: kind for kind in kinds((3, 30))}
V332 = {kind.resource.plural: kind for kind in kinds((3, 32))}
APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def recorded():
    """(file, v1 object, v3 object) of each object that is in both forms; all by an API server v3.30.7."""
    for folder in (*sorted(RECORDINGS.glob("*/*/api")), NODE_STATUSES):
        for file in sorted(folder.glob("*.v3.projectcalico.org.json")):
            kind = V330[file.name.split(".")[0]]
            shown = {item["metadata"]["name"]: item for item in items(file)}
            for kept in items(folder / f"{kind.plural}.crd.projectcalico.org.json"):
                yield kind, kept, shown.pop(kept["metadata"]["name"])
            assert not shown, f"{file}: {sorted(shown)} have no v1 object"


def items(file):
    return json.loads(file.read_text())["items"]


PAIRS = list(recorded())


def as_recorded(obj):
    """kubectl left the managers out, the recorder what was last applied."""
    metadata = {key: value for key, value in obj["metadata"].items() if key != "managedFields"}
    if "annotations" in metadata:
        metadata["annotations"] = {key: value for key, value in metadata["annotations"].items() if key != APPLIED}
    return {**obj, "metadata": metadata}


def test_there_are_recorded_pairs_of_nine_kinds():
    assert len(PAIRS) > 50
    assert {kind.resource.kind for kind, _kept, _shown in PAIRS} >= {
        "BGPConfiguration", "BlockAffinity", "CalicoNodeStatus", "ClusterInformation", "FelixConfiguration", "IPAMConfiguration", "IPPool",
        "KubeControllersConfiguration",
    }  # fmt: skip


def test_each_recorded_v1_object_is_shown_as_the_recorded_v3_object():
    for kind, kept, shown in PAIRS:
        assert as_recorded(kind.shown(kept)) == shown


def test_each_recorded_v3_object_is_kept_as_it_was_again():
    """All but what an API server v3.30.7 does not know of a v1 object that a v3.32.1 wrote, and but IPAM's own affinities."""
    for kind, kept, _shown in PAIRS:
        shown = kind.shown(kept)
        again = kind.stored(shown)
        assert again["kind"] == kept["kind"] and again["apiVersion"] == kept["apiVersion"]
        assert kind.shown({**again, "metadata": {**kept["metadata"], **again["metadata"]}}) == shown
        if kind.resource.kind in ("CalicoNodeStatus", "FelixConfiguration", "IPAMConfiguration", "IPPool"):
            assert again["spec"] == kept["spec"]
            before, after = (json.loads(obj["metadata"]["annotations"][KEPT]) for obj in (kept, again))
            assert {**before, "creationTimestamp": None} == {**after, "creationTimestamp": None}


def test_a_uid_is_turned_over_and_back():
    assert converted_uid("7b0a075c-5e3b-4bd0-9470-8a2e215c01db") == "de50e03a-7adc-4b0b-940e-5174843a80db"
    assert converted_uid(converted_uid("7b0a075c-5e3b-4bd0-9470-8a2e215c01db")) == "7b0a075c-5e3b-4bd0-9470-8a2e215c01db"
    assert converted_uid("none at all") == "none at all"


def kept_object(kind, spec, **metadata):
    made = {"name": "x", "uid": "7b0a075c-5e3b-4bd0-9470-8a2e215c01db", "resourceVersion": "7", "creationTimestamp": "2026-01-01T00:00:00Z"}
    return {"apiVersion": "crd.projectcalico.org/v1", "kind": kind, "metadata": {**made, **metadata}, "spec": spec}


def test_what_nobody_wrote_through_v3_keeps_its_metadata():
    shown = V330["ippools"].shown(kept_object("IPPool", {"cidr": "10.0.0.0/8"}, labels={"a": "b"}, generation=3, finalizers=["f"]))
    assert shown["metadata"]["labels"] == {"a": "b"}
    assert (shown["metadata"]["generation"], shown["metadata"]["finalizers"]) == (3, ["f"])
    assert shown["metadata"]["uid"] == "de50e03a-7adc-4b0b-940e-5174843a80db"


def test_a_pool_is_completed_when_it_is_read():
    assert V330["ippools"].shown(kept_object("IPPool", {"cidr": "10.0.0.0/8", "disabled": False}))["spec"] == {
        "allowedUses": ["Workload", "Tunnel"], "assignmentMode": "Automatic", "blockSize": 26, "cidr": "10.0.0.0/8", "ipipMode": "Never",
        "nodeSelector": "all()", "vxlanMode": "Never",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("release", "expected"),
    [
        (V330, {"state": "confirmed", "node": "n", "cidr": "10.0.0.0/26", "deleted": True}),
        (V332, {"state": "confirmed", "node": "n", "cidr": "10.0.0.0/26", "deleted": True, "type": "host"}),
    ],
)
def test_an_affinity_tells_its_type_since_v332_and_whether_it_is_deleted_as_a_bool(release, expected):
    spec = {"state": "confirmed", "node": "n", "cidr": "10.0.0.0/26", "deleted": "true", "type": "host"}
    assert release["blockaffinities"].shown(kept_object("BlockAffinity", spec))["spec"] == expected


def test_an_owner_has_the_uid_of_its_side():
    owner = {"apiVersion": "projectcalico.org/v3", "kind": "IPPool", "name": "p", "uid": "de50e03a-7adc-4b0b-940e-5174843a80db"}
    foreign = {"apiVersion": "v1", "kind": "Node", "name": "n", "uid": "de50e03a-7adc-4b0b-940e-5174843a80db"}
    kind = V330["networksets"]
    shown = {**kind.shown(kept_object("NetworkSet", {}, namespace="default"))}
    shown["metadata"]["ownerReferences"] = [owner, foreign]
    kept = kind.stored(shown)
    written = json.loads(kept["metadata"]["annotations"][KEPT])["ownerReferences"]
    assert written == [{**owner, "apiVersion": "crd.projectcalico.org/v1", "uid": "7b0a075c-5e3b-4bd0-9470-8a2e215c01db"}, foreign]
    kept["metadata"] |= {"creationTimestamp": "2026-01-01T00:00:00Z"}
    assert kind.shown(kept)["metadata"]["ownerReferences"] == [owner, foreign]


def test_a_policy_is_kept_under_its_tier_s_name_until_v332():
    policy = kept_object("NetworkPolicy", {"selector": "all()"}, name="allow", namespace="default")
    policy |= {"apiVersion": "projectcalico.org/v3"}
    kept = V330["networkpolicies"].stored(policy)
    assert kept["metadata"]["name"] == "default.allow"
    assert V330["networkpolicies"].shown({**kept, "metadata": {**policy["metadata"], **kept["metadata"]}})["metadata"]["name"] == "allow"
    assert V332["networkpolicies"].stored(policy)["metadata"]["name"] == "allow"


def test_every_kind_is_described_in_each_release():
    for release in ((3, 30), (3, 31), (3, 32)):
        described = fields.described(release)
        for kind in kinds(release):
            assert described.find("projectcalico.org/v3", kind.resource.kind) is not None
