# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab whose nodes are in two subnets: built, and proved with real packets on both ways of VXLANCrossSubnet."""

from __future__ import annotations

from conftest import Lab


def test_both_ways_of_cross_subnet_are_taken_and_proved(stranger):
    lab = Lab(stranger, "subnets")
    try:
        run = lab.play("podnet.calico.site", variables={"sandbox_node_subnets": ["172.18.1.0/24", "172.18.2.0/24"]})
        assert run.code == 0, run.fault
        summary = run.published["podnet_summary"]
        assert summary["passed"] > 0 and summary["failed"] == summary["inconclusive"] == 0
        routes = [line for line in lab.on_node("worker", "ip", "route").splitlines() if "/26 via " in line]
        assert sorted(line.split()[4] for line in routes) == ["eth0", "vxlan.calico"]
        assert lab.on_node("worker2", "ip", "route", "show", "default") == "default via 172.18.2.1 dev eth0 \n"
    finally:
        gone = lab.play("podnet.calico.destroy")
        assert gone.code == 0, gone.text
