# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of one pod: its route on its host, the host's side of its cable. Sources as in ``on_nodes``."""

from __future__ import annotations

from typing import List

from .._model import Link
from .._names import pod_device
from .entry import Change, Fault
from .scene import Scene, neighbours_of, nothing_here
from .settings import text_of

_SECOND_METRIC = 77
_TOO_SMALL = 50
_POD_ANNOTATIONS = ("cni.projectcalico.org/podIP", "cni.projectcalico.org/podIPs")
# Of TEST-NET-3 (RFC 5737): in nobody's pool.
_OUTSIDE = "203.0.113.77/32"


def _host_route(scene: Scene) -> str:
    return "%s/32" % scene.pod.address


def _link(scene: Scene) -> Link:
    found = [link for link in scene.field("links") if link.name == scene.device]
    if not found:
        raise nothing_here("%s has no device %s for pod %s/%s" % (scene.node.name, scene.device, scene.pod.namespace, scene.pod.name))
    return found[0]


def _no_route(scene: Scene) -> List[Change]:
    return [Change("routes", scene.node.name, _host_route(scene), [])]


def _second_route(scene: Scene) -> List[Change]:
    route = scene.route(_host_route(scene), "the pod's route")
    second = route._replace(metric=route.metric + _SECOND_METRIC, protocol="static")
    return [Change("routes", scene.node.name, _host_route(scene), [text_of(route), text_of(second)])]


def _wrong_device(scene: Scene) -> List[Change]:
    route = scene.route(_host_route(scene), "the pod's route")
    beside = neighbours_of(scene)
    if not beside:
        raise nothing_here("%s runs no second pod whose device the route could take" % scene.node.name)
    wrong = pod_device(beside[0].namespace, beside[0].name, scene.snapshot.header.settings.interface_prefix)
    return [Change("routes", scene.node.name, _host_route(scene), [text_of(route._replace(dev=wrong))])]


def _device_down(scene: Scene) -> List[Change]:
    # The kernel takes the route along; it is taken away first, so that what is put back is remembered.
    route = Change("routes", scene.node.name, _host_route(scene), [])
    return [route, Change("link", scene.node.name, _link(scene).name, "down")]


def _small_mtu(scene: Scene) -> List[Change]:
    link = _link(scene)
    return [Change("mtu", scene.node.name, link.name, str(link.mtu - _TOO_SMALL))]


def _no_proxy_arp(scene: Scene) -> List[Change]:
    return [Change("sysctl", scene.node.name, "net/ipv4/conf/%s/proxy_arp" % _link(scene).name, "0")]


def _outside(scene: Scene) -> List[Change]:
    path = "/api/v1/namespaces/%s/pods/%s" % (scene.pod.namespace, scene.pod.name)
    return [Change("annotation", path, key, _OUTSIDE) for key in _POD_ANNOTATIONS]


FAULTS = (
    Fault(
        "pod-route-deleted", "A node has no route to a pod of its own",
        "Deletes the pod's /32 on its host: the block's blackhole takes its packets.", "host.route",
        "Yes: Felix at its resync, within 100 s.", "measured on Calico v3.30.7: after 27 s to 89 s", _no_route, True,
    ),
    Fault(
        "pod-route-doubled", "A node has two routes to one pod",
        "Adds a second /32 to the pod beside Calico's, of a higher metric and protocol static.", "host.route",
        "Felix deletes foreign routes on pods' devices (removeExternalRoutes, by default on) at its resync, within 100 s.",
        "not measured; the configuration reference of Felix v3.30", _second_route, True,
    ),
    Fault(
        "pod-route-device", "A node sends a pod's packets to another pod",
        "Changes the device of the pod's /32 to that of another pod of the node, in place.", "host.route",
        "Not by Calico v3.30, to which it looks its own; by Felix of v3.32 at its resync, within 100 s.",
        "not measured of pods' routes; block routes that are changed in place behave so", _wrong_device, True,
    ),
    Fault(
        "pod-device-down", "A pod's cable is unplugged at the host",
        "Sets the host's side of the pod's veth down; its route goes with it.", "host.device",
        "No: Felix takes the route away and never sets the device up. Once it is up, the route is back in 0.1 s.",
        "measured on Calico v3.30.7: 100 s", _device_down, True,
    ),
    Fault(
        "pod-device-mtu", "The two ends of a pod's cable have different MTUs",
        "Makes the MTU of the host's side 50 bytes smaller: large packets to the pod are refused or lost, small ones arrive.", "pods.mtu",
        "No: the CNI plugin sets it once. Seen only with evidence of pods.", "not measured", _small_mtu, True,
    ),
    Fault(
        "proxy-arp-off", "A host does not answer a pod's ARP",
        "Sets proxy_arp of the pod's device to 0: the pod is cut off as soon as its neighbour entry for 169.254.1.1 is old.",
        "sysctls.pod-device", "No.", "measured on Calico v3.30.7: 100 s", _no_proxy_arp, True,
    ),
    Fault(
        "pod-address-outside", "A pod whose address is in no block",
        "Writes an address outside every block into the pod's annotations of the CNI plugin, from which Felix makes its route: the "
        "pod's /32 goes, and one to the wrong address comes.", "pods.allocation",
        "No: the CNI plugin writes them when it wires the pod.", "not measured; libcalico-go reads them before the Pod's status (v3.30)",
        _outside, True,
    ),
)  # fmt: skip
