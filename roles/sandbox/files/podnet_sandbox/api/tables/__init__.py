# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What `kubectl get` prints: the API server makes the table, kubectl only aligns it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..registry import Resource
from . import access, cluster, networking, storage, workloads
from .cells import Printer, column
from .custom import custom_printer
from .pods import PODS

_PRINTERS: Mapping[str, Printer] = {
    "pods": PODS,
    **workloads.PRINTERS,
    **networking.PRINTERS,
    **cluster.PRINTERS,
    **storage.PRINTERS,
    **access.PRINTERS,
}
_NAME = column("Name", format="name")
_PLAIN = Printer((column("Created At", "date"),), lambda obj: [obj["metadata"].get("creationTimestamp")])


def table(
    resource: Resource, objects: Iterable[Mapping[str, Any]], metadata: Mapping[str, Any], include: str = "Metadata"
) -> dict[str, Any]:
    """``objects`` as a Table; ``include`` says what of each object goes with its row (None, Metadata, Object)."""
    printer = _printer(resource)
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": dict(metadata),
        "columnDefinitions": [*((_NAME,) if printer.named else ()), *printer.columns],
        "rows": [_row(printer, obj, include) for obj in objects],
    }


def partial(obj: Mapping[str, Any]) -> dict[str, Any]:
    """``obj`` reduced to its metadata."""
    return {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": obj["metadata"]}


def _printer(resource: Resource) -> Printer:
    if resource.custom:
        return custom_printer(resource.columns)
    return _PRINTERS.get(resource.name, _PLAIN)


def _row(printer: Printer, obj: Mapping[str, Any], include: str) -> dict[str, Any]:
    row: dict[str, Any] = {"cells": [*([obj["metadata"]["name"]] if printer.named else []), *printer.cells(obj)]}
    row["object"] = None if include == "None" else obj if include == "Object" else partial(obj)
    return row
