# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calico for who starts a sandbox by itself: the objects that a person would apply, in the order they would.

The operator's stand-in manifests, an Installation with one pool, and Calico's API server, without which the operator changes no
pool that exists (calico-facts 7.2). A lab that an Ansible role builds applies its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from ...config import SandboxConfig

_MANIFESTS = Path(__file__).parents[2] / "manifests"


def objects(config: SandboxConfig) -> Iterator[dict[str, Any]]:
    """What is to be created for ``config``; nothing where it names no encapsulation."""
    if not config.encapsulation:
        return
    for name in ("operator-crds.yaml", "tigera-operator.yaml"):
        yield from yaml.safe_load_all((_MANIFESTS / name).read_text(encoding="utf-8"))
    pool = {"cidr": config.pod_subnet, "blockSize": config.block_size, "encapsulation": config.encapsulation}
    network = {"bgp": config.bgp, "ipPools": [{**pool, "natOutgoing": "Enabled", "nodeSelector": "all()"}]}
    for kind, spec in (("Installation", {"calicoNetwork": network}), ("APIServer", {})):
        yield {"apiVersion": "operator.tigera.io/v1", "kind": kind, "metadata": {"name": "default"}, "spec": spec}
