# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options that modules share (private): where the cluster is, how long it may take, what to look into."""

from __future__ import annotations

import copy
from typing import Any, Dict, Optional

from ansible_collections.kubernetes.core.plugins.module_utils.args_common import AUTH_ARG_SPEC
from ansible_collections.podnet.calico.plugins.module_utils._cluster import Cluster, Limits, connect
from ansible_collections.podnet.calico.plugins.module_utils._cut import refusal
from ansible_collections.podnet.calico.plugins.module_utils._errors import PodnetError
from ansible_collections.podnet.calico.plugins.module_utils._model import Shard
from ansible_collections.podnet.calico.plugins.module_utils._selection import Selectors


def cluster_arguments() -> Dict[str, Any]:
    """kubernetes.core's authentication options and the doc fragment podnet.calico.cluster."""
    return dict(
        copy.deepcopy(AUTH_ARG_SPEC),
        concurrency=dict(type="int", default=16),
        exec_timeout=dict(type="float", default=15),
        deadline=dict(type="float", default=300),
    )


def selection_arguments() -> Dict[str, Any]:
    """The doc fragment podnet.calico.cluster.selection."""
    return dict(
        node_selector=dict(type="str"),
        pod_selector=dict(type="str"),
        namespaces=dict(type="list", elements="str", default=[]),
    )


def cluster_of(module: Any) -> Cluster:
    """Connect as the module's options say."""
    params = module.params
    if isinstance(params.get("kubeconfig"), str):
        # A path is no secret, and hiding it turns "cannot read /home/…" into "cannot read ********".
        module.no_log_values.discard(params["kubeconfig"])
    for name in ("concurrency", "exec_timeout", "deadline"):
        if params[name] <= 0:
            raise PodnetError("%s is %g and must be greater than 0" % (name, params[name]))
    limits = Limits(params["concurrency"], params["exec_timeout"], params["deadline"])
    return connect({name: params.get(name) for name in AUTH_ARG_SPEC}, limits)


def selectors_of(module: Any) -> Selectors:
    """Which nodes and pods the module's options select; an empty text selects all."""
    params = module.params
    return Selectors(
        params.get("node_selector") or None,
        params.get("pod_selector") or None,
        tuple(params.get("namespaces") or ()),
        _shard_of(params),
    )


def _shard_of(params: Any) -> Optional[Shard]:
    """Which part of the cluster is to be collected, where the option ``shard`` says so."""
    given = params.get("shard")
    if not given:
        return None
    wrong = refusal(given["of"]) or refusal((given["collection"],))
    if wrong is None and given["name"] not in given["of"]:
        wrong = "%s is none of %s" % (given["name"], ", ".join(given["of"]) or "no names")
    if wrong is not None:
        raise PodnetError("shard: " + wrong, "Name all shards in shard.of, the same for all of them.")
    selection = ["%s=%s" % (name, params[name]) for name in ("node_selector", "pod_selector") if params.get(name)]
    selection += ["namespaces=%s" % ",".join(sorted(params["namespaces"]))] if params.get("namespaces") else []
    return Shard(given["name"], tuple(sorted(given["of"])), given["collection"], given["node_selector"] or None, tuple(selection))
