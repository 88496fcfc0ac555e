# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person who judges a recording, or names something wrong, reads."""

from __future__ import annotations

import json
import shutil

import pytest
from conftest import CHECKOUT

RECORDED = CHECKOUT / "tests" / "fixtures" / "real" / "calico-v3.30.7" / "vxlancrosssubnet-operator"


@pytest.fixture
def verify(stranger):
    def run(*arguments, **variables):
        given = {"podnet_provider": "existing", "podnet_lab_name": "screen", **variables}
        return stranger.play("podnet.calico.verify", *arguments, variables=given)

    return run


def screen(run):
    """The lines of the last screen."""
    (lines,) = [result["msg"] for result in run.results if result["task"].startswith("Say what was proved") and "msg" in result]
    return lines


def test_a_recording_that_fails_is_not_to_be_verified_in_another_cluster_nor_judged_again(verify, tmp_path):
    broken = tmp_path / "broken"
    shutil.copytree(RECORDED, broken)
    routes = broken / "nodes" / "pod-routing-worker" / "ip-j-d-route-table-all.json"
    routes.write_text(json.dumps([route for route in json.loads(routes.read_text()) if route["dst"] != "192.168.112.192/26"]))
    run = verify(pod_routing_snapshots=[str(broken)])
    assert run.code != 0 and "192.168.112.192/26" in run.fault
    lines = screen(run)
    assert lines[:2] == [
        f"Judged       {broken}",
        "Cluster      Calico v3.30.7, 3 nodes, 16 pods, 1 pool: 192.168.0.0/16 VXLANCrossSubnet",
    ]
    text = "\n".join(lines)
    assert "Try next" in text and "record it again" in text
    assert "verify again" not in text and "Snapshot  " not in text and "judge this snapshot again" not in text


def test_where_every_check_is_left_out_it_is_said_once(verify):
    run = verify(pod_routing_snapshots=[str(RECORDED)], pod_routing_skip_checks=["*"])
    assert run.code != 0
    assert run.fault == "Nothing was proved: every check was left out"


def test_diff_says_so_where_the_routes_are_as_expected(verify):
    run = verify("--diff", pod_routing_snapshots=[str(RECORDED)])
    assert run.code == 0
    assert "Routes       inside the pools, those observed and those expected are the same on 3 nodes" in screen(run)


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        ({"pod_routing_evidence": ["foo"]}, "pod_routing_evidence has foo, which is none of api, nodes, pods, probes."),
        ({"pod_routing_fail_on": "failed,bar"}, "pod_routing_fail_on has bar, which is none of failed, warning, inconclusive."),
        ({"pod_routing_report_formats": ["pdf"]}, "pod_routing_report_formats has pdf, which is none of html, junit, markdown."),
    ],
)
def test_what_there_is_not_is_named_in_one_line_with_the_choices(verify, variables, says):
    run = verify(pod_routing_snapshots=[str(RECORDED)], **variables)
    assert run.code != 0
    assert run.fault == says
    assert "argument_spec_data" not in run.text


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"\xcb\x8d\x00\xff", "it holds no text"),
        (b"a: b: c", "it is no YAML (line 1: mapping values are not allowed here)"),
    ],
)
def test_a_kubeconfig_that_is_no_yaml_is_named(verify, tmp_path, content, says):
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_bytes(content)
    run = verify(pod_routing_kubeconfig=str(kubeconfig))
    assert run.code != 0
    assert run.fault.startswith(f"{kubeconfig} is no kubeconfig: {says}. Name another")
    assert "surrogates" not in run.text
