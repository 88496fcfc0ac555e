# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calico for who starts a sandbox by itself: the objects that a person would apply, in the order they would.

The operator's stand-in manifests, and an Installation with one pool. A lab that an Ansible role builds applies its own.
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
    yield {
        "apiVersion": "operator.tigera.io/v1",
        "kind": "Installation",
        "metadata": {"name": "default"},
        "spec": {"calicoNetwork": {"bgp": config.bgp, "ipPools": [{**pool, "natOutgoing": "Enabled", "nodeSelector": "all()"}]}},
    }
