# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""BGP's objects from the API to a node's BIRD; what cannot be told to it is told to whoever looks at the object."""

from __future__ import annotations

from lab import NODES, in_a_lab
from podnet_sandbox.controllers.calico.bgp_troubles import BgpTroubles

CONTROL_PLANE, WORKER, WORKER2 = NODES
CRD = "crd.projectcalico.org/v1"
RULE = {"action": "Reject", "cidr": "10.0.0.0/8", "matchOperator": "In"}


def crd(kind, name, **spec):
    return {"apiVersion": CRD, "kind": kind, "metadata": {"name": name}, "spec": spec}


def router(**spec):
    return crd("BGPPeer", "router", node=WORKER, peerIP="172.18.0.99", asNumber=64999, **spec)


def secret(text):
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "bgp", "namespace": "calico-system"}, "stringData": {"password": text}}


PASSWORD = {"secretKeyRef": {"name": "bgp", "key": "password"}}


def to_router(lab):
    """What worker's BIRD is told of the router."""
    bgp = lab.kernel.networks[WORKER].bgp
    return next((peer for peer in bgp.peers if peer.address == "172.18.0.99"), None)


def said(lab, reason):
    return [event["message"] for event in lab.store.scan("events") if event["reason"] == reason and event["source"]["component"] == "confd"]


@in_a_lab
async def test_a_password_follows_its_secret(lab):
    lab.apply(router(password=PASSWORD))
    await lab.until(lambda: to_router(lab) and said(lab, "PasswordNotUsed"))
    assert to_router(lab).password == ""
    assert said(lab, "PasswordNotUsed") == [
        'spec.password: secret "bgp" of namespace calico-system is not there; the session is tried without a password'
    ]
    lab.apply(secret("rosebud"))
    await lab.until(lambda: to_router(lab).password == "rosebud")
    lab.patch("secrets", "bgp", {"stringData": {"password": "another"}}, "calico-system")
    await lab.until(lambda: to_router(lab).password == "another")
    assert lab.kernel.networks[WORKER2].bgp.peers[0].password == ""


@in_a_lab
async def test_a_filter_that_cannot_be_rendered_leaves_bird_as_it_is_until_it_is_mended(lab):
    lab.apply(crd("BGPFilter", "no-ten", importV4=[RULE]))
    lab.apply(router(filters=["no-ten"]))
    await lab.until(lambda: to_router(lab) and to_router(lab).filters == ("no-ten",))
    before = lab.kernel.networks[WORKER].bgp
    assert before.filters[0].imports == ("if ( net ~ 10.0.0.0/8 ) then { reject; }",)
    lab.patch("bgpfilters.crd.projectcalico.org", "no-ten", {"spec": {"importV4": [{**RULE, "action": "Drop"}]}})
    await lab.until(lambda: said(lab, "NotRendered"))
    assert said(lab, "NotRendered") == [
        "BGPFilter no-ten, spec.importV4[0]: 'Drop' is none of Accept, Reject; until it is mended every BIRD goes on with the configuration it has"
    ]
    assert lab.kernel.networks[WORKER].bgp == before
    lab.patch("bgpfilters.crd.projectcalico.org", "no-ten", {"spec": {"importV4": [{**RULE, "action": "Accept"}]}})
    await lab.until(lambda: lab.kernel.networks[WORKER].bgp.filters[0].imports == ("if ( net ~ 10.0.0.0/8 ) then { accept; }",))


@in_a_lab
async def test_a_kernel_without_signatures_is_told_of_once(lab):
    lab.apply(secret("rosebud"))
    lab.apply(router(password=PASSWORD))
    troubles = BgpTroubles(lab.store, "v3.30.7", signs=lambda: False)
    troubles.reconcile()
    troubles.reconcile()
    (event,) = [event for event in lab.store.scan("events") if "CONFIG_TCP_MD5SIG" in event["message"]]
    assert event["count"] == 1 and event["involvedObject"]["name"] == "router" and event["type"] == "Warning"
