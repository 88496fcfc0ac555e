# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`kind load`: images of this host's Docker into the nodes.

Facts (kind source, v0.31.0: pkg/cmd/kind/load; run): an image that Docker does not have is refused before the cluster is looked
for; a node that has the image already is passed over. Not imitated: nothing is unpacked in the idle containers; what was loaded
where is remembered.
"""

from __future__ import annotations

import tarfile
from pathlib import Path
from typing import Any

from podnet_doubles import docker
from podnet_doubles.clusters import Clusters, Log
from podnet_doubles.errors import ToolError
from podnet_doubles.sandbox import Sandboxes


def load_images(clusters: Clusters, sandboxes: Sandboxes, log: Log, given: dict[str, Any], images: list[str]) -> None:
    """`kind load docker-image`. Raises `ToolError`."""
    if not images:
        raise ToolError("a list of image names is required")
    ids = {}
    for image in dict.fromkeys(images):
        try:
            ids[image] = docker.run("image", "inspect", "-f", "{{ .Id }}", image).strip()
        except docker.CommandFailed as failure:
            raise ToolError(f'image: "{image}" not present locally') from failure
    nodes = _nodes(clusters, given)
    loaded = sandboxes.loaded_images(given["name"])
    for image, identity in ids.items():
        lacking = [node for node in nodes if identity not in loaded.get(node, [])]
        for node in lacking:
            log.info(f'Image: "{image}" with ID "{identity}" not yet present on node "{node}", loading...')
            loaded.setdefault(node, []).append(identity)
        if not lacking:
            log.info(f'Image: "{image}" with ID "{identity}" found to be already present on all nodes.')
    sandboxes.remember_images(given["name"], loaded)


def load_archive(clusters: Clusters, sandboxes: Sandboxes, given: dict[str, Any], archives: list[str]) -> None:
    """`kind load image-archive`. Raises `ToolError`."""
    if not archives:
        raise ToolError("a list of image archives is required")
    for archive in archives:
        if not Path(archive).exists():
            raise ToolError(f"stat {archive}: no such file or directory")
    nodes = _nodes(clusters, given)
    loaded = sandboxes.loaded_images(given["name"])
    for archive in archives:
        if not tarfile.is_tarfile(archive):
            raise ToolError(f'failed to load image: command "ctr --namespace=k8s.io images import" failed: {archive} is no archive')
        for node in nodes:
            loaded.setdefault(node, []).append(Path(archive).name)
    sandboxes.remember_images(given["name"], loaded)


def _nodes(clusters: Clusters, given: dict[str, Any]) -> list[str]:
    found = clusters.nodes(given["name"])
    if not found:
        raise ToolError(f'no nodes found for cluster "{given["name"]}"')
    wanted = [name for name in given["nodes"].split(",") if name]
    unknown = [name for name in wanted if name not in found]
    if unknown:
        raise ToolError(f'unknown node: "{unknown[0]}"')
    return wanted or found
