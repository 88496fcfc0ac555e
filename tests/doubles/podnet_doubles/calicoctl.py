# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line of calicoctl: `version`, and the refusal of a cluster with another Calico.

Facts (Calico source, v3.30 to v3.32: calicoctl/commands/version.go, common/version_mismatch.go): the client's lines come before
the cluster is asked; `version` itself never compares; every other command refuses another release unless told not to, and does
not where the cluster does not say what it has. Every other command is then not imitated.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from podnet_doubles import api
from podnet_doubles.built import Built
from podnet_doubles.errors import NotImitated, ToolError
from podnet_doubles.flags import Flag, parse

_INFORMATION = "/apis/crd.projectcalico.org/v1/clusterinformations/default"
_FLAGS = {"allow-version-mismatch": Flag(False, bool), "config": Flag(short="c"), "poll": Flag("0s", "duration")}
_COMMANDS = "apply convert create datastore delete get ipam label node patch replace validate cluster".split()
_OVERRIDE = "Use --allow-version-mismatch to override.\n"


def main(built: Built, arguments: Sequence[str]) -> int:
    """Run one command; its exit code."""
    try:
        _run(built, list(arguments))
    except (ToolError, NotImitated) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _run(built: Built, arguments: list[str]) -> None:
    if "version" in arguments:
        try:
            parse(arguments, _FLAGS)
        except ToolError as error:
            help_hint = "Use flag '--help' to read about a specific subcommand."
            raise ToolError(f"Invalid option: 'calicoctl {' '.join(arguments)}'. {help_hint}") from error
        _version(built)
        return
    word = next((word for word in arguments if not word.startswith("-")), "")
    if word not in _COMMANDS:
        raise ToolError(f"Unknown command: \"{word}\"\nUse 'calicoctl --help' to read about a specific subcommand.")
    if "--allow-version-mismatch" not in arguments:
        _compare(built)
    raise NotImitated("calicoctl", f"the command {' '.join(arguments)}")


def _version(built: Built) -> None:
    print(f"Client Version:    {built.version}\nGit commit:        podnet-double")
    try:
        spec = _information()
    except api.ApiUnreachable as error:
        raise ToolError(f"Unable to retrieve Cluster Version or Type: {error}") from error
    print(f"Cluster Version:   {spec.get('calicoVersion') or 'unknown'}\nCluster Type:      {spec.get('clusterType') or 'unknown'}")


def _compare(built: Built) -> None:
    try:
        spec = _information()
    except api.ApiUnreachable as error:
        if "404" in str(error):
            return
        raise ToolError(f"Unable to get Cluster Information to verify version mismatch: {error}\n{_OVERRIDE}") from error
    cluster = str(spec.get("calicoVersion") or "").removeprefix("v").split("-")[0]
    if cluster and cluster != built.version.removeprefix("v").split("-")[0]:
        raise ToolError(f"Version mismatch.\nClient Version:   {built.version}\nCluster Version:  {cluster}\n{_OVERRIDE}")


def _information() -> dict[str, Any]:
    path = os.environ.get("KUBECONFIG") or str(Path.home() / ".kube" / "config")
    try:
        config = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise api.ApiUnreachable(f"kubeconfig {path}: {error.strerror}") from error
    if not (config or {}).get("clusters"):
        raise api.ApiUnreachable(f"kubeconfig {path} names no cluster")
    return dict(api.request(config, _INFORMATION).get("spec") or {})
