# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What `containerlab inspect -f json` says, in the shapes of its releases, and `docker inspect` (private, pure).

Facts, from containerlab's source: up to 0.67 `{"containers": [...]}`, from 0.68 on `{"<lab>": [...]}` and `{}` for none; addresses
carry their prefix length and are "N/A" where there is none; a kind node that is also named as an ext-container is listed twice.
kind has no inspect: its nodes are what Docker says of the containers with the label `io.x-k8s.kind.cluster` (kind's source,
pkg/cluster/internal/providers/docker).
"""

from __future__ import annotations

import json
from typing import Any, Dict, List, Mapping, NamedTuple

_CLUSTER = "io.x-k8s.kind.cluster"


class LabContainer(NamedTuple):
    """One container as containerlab or Docker lists it. Addresses are without prefix length, and empty where there is none.

    ``lab`` is containerlab's lab, or kind's cluster where Docker was asked.
    """

    lab: str
    name: str
    container_id: str
    image: str
    kind: str
    state: str
    ipv4: str
    ipv6: str


def containers(text: str) -> List[LabContainer]:
    """The containers in the output of `inspect`, each once, by name.

    Raises ValueError, with what came instead, where the text is not such an output.
    """
    try:
        document = json.loads(text or "{}")
    except ValueError as error:
        raise ValueError("containerlab inspect printed no JSON (%s): %.200r" % (error, text))
    if isinstance(document, list) and all(isinstance(row, Mapping) and "Id" in row for row in document):
        return sorted((_of_docker(row) for row in document), key=lambda container: container.name)
    if not isinstance(document, Mapping) or not all(isinstance(rows, list) for rows in document.values()):
        raise ValueError("containerlab inspect printed JSON of an unknown shape: %.200r" % text)
    rows = [_container(lab, row) for lab, listed in document.items() for row in listed]
    once: Dict[str, LabContainer] = {}
    for row in rows:
        # Of two rows of one container the one of the kind that made it says more than the companion's.
        if row.name not in once or once[row.name].kind == "ext-container":
            once[row.name] = row
    return [once[name] for name in sorted(once)]


def _container(lab: str, row: Mapping[str, Any]) -> LabContainer:
    return LabContainer(
        # The older shape has no lab as its key, but in each row.
        lab=str(row.get("lab_name") or lab),
        name=str(row.get("name", "")),
        container_id=str(row.get("container_id", "")),
        image=str(row.get("image", "")),
        kind=str(row.get("kind", "")),
        state=str(row.get("state", "")),
        ipv4=_address(row.get("ipv4_address")),
        ipv6=_address(row.get("ipv6_address")),
    )


def _of_docker(row: Mapping[str, Any]) -> LabContainer:
    config = row.get("Config") or {}
    attached = list(((row.get("NetworkSettings") or {}).get("Networks") or {}).values())
    return LabContainer(
        lab=str((config.get("Labels") or {}).get(_CLUSTER, "")),
        name=str(row.get("Name", "")).lstrip("/"),
        container_id=str(row["Id"]),
        image=str(config.get("Image", "")),
        kind="k8s-kind" if _CLUSTER in (config.get("Labels") or {}) else "",
        state=str((row.get("State") or {}).get("Status", "")),
        ipv4=next((_address(one.get("IPAddress")) for one in attached if one.get("IPAddress")), ""),
        ipv6=next((_address(one.get("GlobalIPv6Address")) for one in attached if one.get("GlobalIPv6Address")), ""),
    )


def _address(value: Any) -> str:
    text = str(value or "")
    return "" if text == "N/A" else text.split("/", 1)[0]
