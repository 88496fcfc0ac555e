# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The recordings of a real Calico, loaded once; and small edits of a snapshot, as faults."""

from __future__ import annotations

import functools
import pathlib

from ansible_collections.podnet.calico.plugins.module_utils import _recording

FOLDER = pathlib.Path(__file__).resolve().parents[3] / "fixtures" / "real"
SCENARIOS = sorted(str(path.parent.relative_to(FOLDER)) for path in FOLDER.glob("*/*/nodes"))
LAB = "calico-v3.30.7/vxlancrosssubnet-operator"


@functools.cache
def recording(name=LAB):
    return _recording.load(str(FOLDER / name))


def text(name, path):
    return (FOLDER / name / path).read_text()


def with_node(snapshot, name, change):
    """The snapshot with ``change`` applied to one node."""
    return snapshot._replace(nodes=tuple(change(node) if node.name == name else node for node in snapshot.nodes))


def with_facts(snapshot, name, **fields):
    """The snapshot with fields of one node's facts replaced; a callable gets the old value."""

    def change(node):
        new = {key: value(getattr(node.facts, key)) if callable(value) else value for key, value in fields.items()}
        return node._replace(facts=node.facts._replace(**new))

    return with_node(snapshot, name, change)


def without_route(snapshot, node, dst):
    return with_facts(snapshot, node, routes=lambda routes: tuple(r for r in routes if (r.dst, r.table) != (dst, "main")))


def changed_route(snapshot, node, dst, **fields):
    def change(routes):
        return tuple(r._replace(**fields) if (r.dst, r.table) == (dst, "main") else r for r in routes)

    return with_facts(snapshot, node, routes=change)


def with_pod(snapshot, name, change):
    return snapshot._replace(pods=tuple(change(pod) if pod.name == name else pod for pod in snapshot.pods))


def failed(verdict):
    """The check ids that failed by themselves, not as a consequence."""
    return {finding.id for finding in verdict.findings if finding.outcome == "failed" and finding.cause is None}
