# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Image references: `docker.io/wbitt/network-multitool:latest@sha256:…` taken apart. Pure."""

from __future__ import annotations

from typing import NamedTuple


class Reference(NamedTuple):
    """``repository`` has its registry (docker.io, and library/ there, where none is written)."""

    repository: str
    tag: str
    digest: str


def parse(text: str) -> Reference:
    """As containerd normalises it."""
    name, _ignored, digest = text.partition("@")
    head, slash, tail = name.rpartition("/")
    tail, _ignored, tag = tail.partition(":")
    repository = f"{head}{slash}{tail}"
    first, slash, _ignored = repository.partition("/")
    if not slash:
        repository = f"docker.io/library/{repository}"
    elif not ("." in first or ":" in first or first == "localhost"):
        repository = f"docker.io/{repository}"
    return Reference(repository, tag or ("" if digest else "latest"), digest)
