# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A list that may not be read, of each recorded cluster: what depends on it is inconclusive, told once, and nothing fails for it."""

from __future__ import annotations

import re

import pytest
from ansible_collections.podnet.calico.plugins.module_utils import _snapshot
from ansible_collections.podnet.calico.plugins.module_utils._checks import judge
from ansible_collections.podnet.calico.plugins.module_utils._model import Settings, Unobserved
from ansible_collections.podnet.calico.tests.unit.plugins.module_utils.recordings import SCENARIOS, recording, without_route

OBJECTS = {
    "nodes": "nodes", "pods": "pods", "ippools": "pools", "ipamblocks": "blocks", "blockaffinities": "affinities",
    "ipamhandles": "handles", "daemonsets": "workloads", "deployments": "workloads",
}  # fmt: skip
SETTINGS = {
    "felixconfigurations": (
        "bpf_enabled", "route_source", "route_sync_disabled", "wireguard_enabled", "program_cluster_routes", "device_route_protocol",
        "interface_prefix",
    ),
    "installations": ("bgp_enabled", "linux_dataplane", "mtu", "ipam_type", "cni_type"),
    "bgpconfigurations": ("mesh_enabled", "as_number"),
    "bgppeers": ("bgp_peers",),
    "ipamconfigs": ("strict_affinity", "max_blocks_per_host"),
}  # fmt: skip


def without(snapshot, *plurals):
    """The snapshot as it is collected by one who may not list these."""
    for plural in plurals:
        header = snapshot.header
        default = {field: getattr(Settings(), field) for field in SETTINGS.get(plural, ())}
        gap = Unobserved(plural, "kubectl get " + plural, f'refused. Grant verb "list" on resource "{plural}" (API group "x")')
        header = header._replace(settings=header.settings._replace(**default), unobserved=(*header.unobserved, gap))
        if plural == "clusterinformations":
            header = header._replace(calico_version=None, cluster_id=None)
        snapshot = snapshot._replace(header=header, **({OBJECTS[plural]: ()} if plural in OBJECTS else {}))
    return snapshot


def new(snapshot, plurals):
    """What the verdict says beyond that of one who may list all."""
    known = {(finding.id, finding.node, finding.subject) for finding in judge(snapshot).findings}
    found = judge(without(snapshot, *plurals)).findings
    return [finding for finding in found if (finding.id, finding.node, finding.subject) not in known]


@pytest.mark.parametrize("plural", [*OBJECTS, *SETTINGS, "clusterinformations"])
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_one_list_less_is_one_headline_and_fails_nothing(scenario, plural):
    found = new(recording(scenario), [plural])
    assert {finding.outcome for finding in found} == {"inconclusive"}
    assert [(finding.id, f'"{plural}"' in finding.remedy) for finding in found if finding.cause is None] == [("api.observed", True)]


def customised(tmp_path, edits, **settings):
    """The lab's recording with another setting, and what follows from it on the nodes."""
    path = tmp_path / "snapshot.jsonl"
    _snapshot.write(str(path), recording())
    text = path.read_text()
    for pattern, by in edits:
        text, times = re.subn(pattern, by, text)
        assert times
    path.write_text(text)
    snapshot = _snapshot.read(str(path))
    return snapshot._replace(header=snapshot.header._replace(settings=snapshot.header.settings._replace(**settings)))


@pytest.mark.parametrize(
    ("edits", "settings"),
    [
        ([(r"\bcali(?=[0-9a-f]{11}\b)", "pods")], {"interface_prefix": "pods"}),
        (
            [(r'"protocol":"80"', '"protocol":"99"'), (r'("dev":"cali[0-9a-f]{11}","dst":"[^"]*/32")', r'\1,"protocol":"99"')],
            {"device_route_protocol": 99},
        ),
    ],
)
def test_a_setting_that_is_not_the_default_and_may_not_be_read_fails_nothing(tmp_path, edits, settings):
    snapshot = customised(tmp_path, edits, **settings)
    assert judge(snapshot).summary["failed"] == 0
    found = new(snapshot, ["felixconfigurations"])
    assert {finding.outcome for finding in found} == {"inconclusive"}
    assert [finding.id for finding in found if finding.cause is None] == ["api.observed"]
    assert {finding.id for finding in found} & {"host.route", "blocks.remote-route"}


def test_a_missing_route_is_still_named_where_others_show_that_the_settings_are_the_defaults():
    snapshot = without_route(recording(), "pod-routing-worker", "192.168.116.0/26")
    found = judge(without(snapshot, "felixconfigurations", "installations")).findings
    assert [finding.id for finding in found if finding.outcome == "failed" and finding.cause is None] == ["blocks.remote-route"]
