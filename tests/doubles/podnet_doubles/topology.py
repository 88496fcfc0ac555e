# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""containerlab's topology file.

Facts (containerlab source, v0.79: core/config.go, core/topology.go, core/file.go, types/node_definition.go): read strictly,
unlike the kind configuration it names; the lab folder is `clab-<name>` beside the file, or in $CLAB_LABDIR_BASE; a path may be
a folder with exactly one *.clab.y*ml in it, and is looked for in the current folder when none is given; the management
network's defaults.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from podnet_doubles import strict_yaml
from podnet_doubles.errors import ToolError

_NODE_FIELDS = """kind group type startup-config startup-delay enforce-startup-config suppress-startup-config auto-remove
restart-policy config image image-pull-policy license position hostname entrypoint cmd exec binds volumes
devices cap-add privileged cgroupns-mode cgroup-parent pid-mode tmpfs security-opts shm-size ports mgmt-ipv4
mgmt-ipv6 env env-files user labels network-mode runtime cpu cpu-set memory sysctls stages dns certificate
healthcheck credentials aliases components link-apply-mode""".split()
_STRUCTS: strict_yaml.Structs = {
    "Config": {
        "name": "string",
        "prefix": "string",
        "mgmt": "MgmtNet",
        "settings": "any",
        "topology": "Topology",
        "debug": "bool",
    },
    "MgmtNet": {
        **dict.fromkeys("network bridge ipv4-subnet ipv4-gw ipv4-range ipv6-subnet ipv6-gw ipv6-range".split(), "string"),
        "mtu": "int",
        "external-access": "bool",
        "skip-when-unused": "bool",
        "driver-opts": {"of": "string"},
    },
    "Topology": {
        "defaults": "NodeDefinition",
        "kinds": {"of": "NodeDefinition"},
        "groups": {"of": "NodeDefinition"},
        "nodes": {"of": "NodeDefinition"},
        "links": ["any"],
    },
    "NodeDefinition": {**dict.fromkeys(_NODE_FIELDS, "any"), "extras": "Extras"},
    "Extras": {
        "srl-agents": ["string"],
        "mysocket-proxy": "string",
        "ceos-copy-to-flash": ["string"],
        "k8s_kind": "K8sKindExtras",
    },
    "K8sKindExtras": {"deploy": "K8sKindDeployExtras"},
    "K8sKindDeployExtras": {"kubeconfig": "string", "wait": "string"},
}
#: Of the kinds containerlab has, those a test of ours may name.
_KINDS = ("bridge", "ext-container", "host", "k8s-kind", "linux", "ovs-bridge")
IMITATED_KIND = "k8s-kind"


@dataclass(frozen=True)
class Node:
    """A node of kind k8s-kind: its name is the cluster's name."""

    name: str
    kind: str
    image: str
    startup_config: str
    kubeconfig: str
    wait: str | None


@dataclass(frozen=True)
class Topology:
    """A lab. Subnets are empty where the network has none of that family."""

    name: str
    file: Path
    folder: Path
    network: str
    ipv4: str
    ipv6: str
    mtu: int
    nodes: tuple[Node, ...]
    raw: Mapping[str, Any]


def find(given: str) -> Path:
    """The topology file that is meant. Raises `ToolError`."""
    if not given:
        found = sorted(Path().glob("*.clab.y*ml"))
        if not found:
            raise ToolError("no topology files matching the pattern *.clab.yml or *.clab.yaml found")
        if len(found) > 1:
            names = "[" + " ".join(f'"{path}"' for path in found) + "]"
            raise ToolError(
                f"more than one topology file matching the pattern *.clab.yml or *.clab.yaml found, can't pick one: {names}"
            )
        return found[0].absolute()
    path = Path(given)
    if not path.exists():
        raise ToolError(f"stat {given}: no such file or directory")
    if not path.is_dir():
        return path.absolute()
    found = sorted(path.glob("*.clab.y*ml"))
    if not found:
        raise ToolError(f'no topology files found in directory "{given}"')
    if len(found) > 1:
        names = ", ".join(one.name for one in found)
        raise ToolError(
            f'found multiple topology definitions [ {names} ] in a given directory "{given}". Provide the specific filename'
        )
    return found[0].absolute()


def read(file: Path) -> Topology:
    """Read a topology file. Raises `ToolError`."""
    try:
        document = strict_yaml.load(file.read_text(encoding="utf-8"), "Config", _STRUCTS, package="types")
    except ToolError as error:
        hint = "Consult with release notes to see if any fields were changed/removed"
        raise ToolError(f"failed to read topology file: {error}\n{hint}") from error
    topology, mgmt = document.get("topology") or {}, document.get("mgmt") or {}
    name = str(document.get("name") or "")
    auto = not mgmt.get("ipv4-subnet") and not mgmt.get("ipv6-subnet")
    return Topology(
        name=name,
        file=file,
        folder=Path(os.environ.get("CLAB_LABDIR_BASE") or file.parent) / f"clab-{name}",
        network=mgmt.get("network") or "clab",
        ipv4="172.20.20.0/24" if auto else mgmt.get("ipv4-subnet", ""),
        ipv6="3fff:172:20:20::/64" if auto else mgmt.get("ipv6-subnet", ""),
        mtu=mgmt.get("mtu") or 0,
        nodes=tuple(_node(each, definition or {}, topology, file.parent) for each, definition in _nodes(topology)),
        raw=topology,
    )


def _nodes(topology: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return sorted((topology.get("nodes") or {}).items())


def _node(name: str, definition: Mapping[str, Any], topology: Mapping[str, Any], base: Path) -> Node:
    kind = _inherited("kind", definition, topology, "") or ""
    if kind not in _KINDS:
        raise ToolError(f'constructing node "{name}": kind "{kind}" is not supported. Supported kinds are "{", ".join(_KINDS)}"')
    extras = _inherited("extras", definition, topology, kind) or {}
    deploy = (extras.get("k8s_kind") or {}).get("deploy") or {}
    startup = str(_inherited("startup-config", definition, topology, kind) or "")
    return Node(
        name=name,
        kind=kind,
        image=str(_inherited("image", definition, topology, kind) or ""),
        startup_config=str(base / startup) if startup else "",
        kubeconfig=str(deploy.get("kubeconfig") or ""),
        wait=deploy.get("wait"),
    )


def _inherited(field: str, definition: Mapping[str, Any], topology: Mapping[str, Any], kind: str) -> Any:
    """The node's own, else its group's, its kind's, the defaults'."""
    group = (topology.get("groups") or {}).get(definition.get("group")) or {}
    of_kind = (topology.get("kinds") or {}).get(kind) or {}
    sources = (definition, group, of_kind, topology.get("defaults") or {})
    return next((source[field] for source in sources if source.get(field)), None)
