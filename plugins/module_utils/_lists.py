# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a cluster lists (private): the kinds that a snapshot is made of, read side by side, and why one is missing."""

from __future__ import annotations

import shlex
from typing import Any, Callable, Dict, Iterable, List, NamedTuple, Optional, Sequence, Tuple

from ansible_collections.podnet.calico.plugins.module_utils import _objects
from ansible_collections.podnet.calico.plugins.module_utils._cluster import Cluster
from ansible_collections.podnet.calico.plugins.module_utils._errors import BAD_REQUEST, FORBIDDEN, NOT_FOUND, UNREACHABLE, PodnetError
from ansible_collections.podnet.calico.plugins.module_utils._model import Node, Pod, Unobserved

CRD_GROUP, V3_GROUP = "crd.projectcalico.org", "projectcalico.org"
NODE_SELECTOR, POD_SELECTOR, SHARD_SELECTOR = "node_selector", "pod_selector", "shard.node_selector"


class Kind(NamedTuple):
    """A kind to list: ``plural``, API path prefix, and its reader (None: kept raw).

    ``selector``: a label selector that limits the list, evaluated by the API server; ``option``: the option that it is from.
    """

    plural: str
    prefix: str
    convert: Any = None
    option: Optional[str] = None
    selector: Optional[str] = None

    @property
    def key(self) -> str:
        """What its objects are called, in whichever API group; of those that an option selects, the option."""
        return self.option or ("ipamconfigs" if self.plural == "ipamconfigurations" else self.plural)

    @property
    def path(self) -> str:
        return "%s/%s" % (self.prefix, self.plural)

    @property
    def command(self) -> str:
        """The same list by hand."""
        parts = self.prefix.strip("/").split("/")
        name = self.plural if parts[0] == "api" else "%s.%s" % (self.plural, parts[1])
        chosen = " -l %s" % shlex.quote(self.selector) if self.selector else ""
        return "kubectl get %s --all-namespaces%s -o json" % (name, chosen)


_CORE = (
    Kind("nodes", "/api/v1", _objects.node),
    Kind("pods", "/api/v1", _objects.pod),
    Kind("daemonsets", "/apis/apps/v1", _objects.daemonset),
    Kind("deployments", "/apis/apps/v1", _objects.deployment),
    Kind("installations", "/apis/operator.tigera.io/v1"),
)
_CALICO: Tuple[Tuple[str, Any], ...] = (
    ("ippools", _objects.pool),
    ("ipamblocks", _objects.block),
    ("blockaffinities", _objects.affinity),
    ("ipamhandles", _objects.handle),
    ("ipamconfigs", None),
    ("bgpconfigurations", None),
    ("bgppeers", None),
    ("felixconfigurations", None),
    ("clusterinformations", None),
)
# Calico without the operator has no Installation, and a kind that a version does not serve has no objects.
_OPTIONAL = frozenset({"installations", "ipamconfigs", "ipamhandles"})


def kinds_of(group: str) -> Tuple[Kind, ...]:
    """All kinds that are listed, Calico's in the API group that holds them."""
    return _CORE + _calico_kinds(group)


def calico_group(cluster: Cluster) -> str:
    """The API group that holds Calico's data, chosen as Calico's own components choose (v3.32 discovery.go).

    The aggregated API server serves projectcalico.org beside the CRDs and lacks blocks and handles, so the CRDs' group
    comes first. Raises PodnetError on a cluster without Calico.
    """
    served = {entry.get("name") for entry in cluster.get("/apis").get("groups") or ()}
    for group in (CRD_GROUP, V3_GROUP):
        if group in served:
            return group
    raise PodnetError(
        "The cluster at %s has no Calico: its API serves neither %s nor %s" % (cluster.server, CRD_GROUP, V3_GROUP),
        "Check the kubeconfig and context, or install Calico first.",
    )


def _calico_kinds(group: str) -> Tuple[Kind, ...]:
    prefix = "/apis/%s/%s" % (group, "v1" if group == CRD_GROUP else "v3")
    renamed = {"ipamconfigs": "ipamconfigurations"} if group == V3_GROUP else {}
    return tuple(Kind(renamed.get(plural, plural), prefix, convert) for plural, convert in _CALICO)


def selected(option: str, plural: str, selector: Optional[str]) -> Tuple[Kind, ...]:
    """(namespace, name) of what a label selector matches, as one more list; nothing where there is no selector."""
    return (Kind(plural, "/api/v1", _whose, option, selector),) if selector else ()


def _whose(item: Dict[str, Any]) -> Tuple[Optional[str], str]:
    return item["metadata"].get("namespace"), item["metadata"]["name"]


def read(cluster: Cluster, kinds: Sequence[Kind]) -> Tuple[Dict[str, Any], List[Unobserved]]:
    """Objects by key, all kinds at once; what may not be listed or is not there is empty and, where it matters, unobserved.

    What an option selects is a set; None where it could not be read, which is not the same as nothing.
    """
    outcomes = cluster.run_all(lambda kind: cluster.list(kind.path, kind.convert or _raw, kind.selector), kinds)
    objects: Dict[str, Any] = {}
    missing: Dict[str, Unobserved] = {}
    for kind, outcome in zip(kinds, outcomes):
        error = outcome.error
        if not outcome.finished:
            error = PodnetError("the deadline of %g s passed before the list was read" % cluster.limits.deadline)
        objects[kind.key] = outcome.value or []
        if kind.option:
            objects[kind.key] = frozenset(outcome.value) if error is None else None
        if error is None or (kind.key in _OPTIONAL and getattr(error, "reason", None) == NOT_FOUND):
            continue
        why = _why(kind, error)
        if kind.plural not in missing:  # of what is not listed at all, none can be selected
            missing[kind.key] = Unobserved(kind.key, kind.command, why)
    objects["pods"].sort(key=lambda pod: (pod.namespace, pod.name))
    objects["nodes"] = _with_calico_node(sorted(objects["nodes"]), objects["pods"])
    return objects, list(missing.values())


def _raw(item: Dict[str, Any]) -> Dict[str, Any]:
    return item


def _why(kind: Kind, error: BaseException) -> str:
    """Why a list is missing. Raised is what concerns the whole cluster, as a lost connection does, and a mistake in an option."""
    if isinstance(error, (ValueError, KeyError, TypeError, AttributeError)):
        return "an object in it cannot be read (%s: %s)" % (type(error).__name__, error)
    if not isinstance(error, PodnetError) or error.reason not in (None, FORBIDDEN, NOT_FOUND, BAD_REQUEST):
        raise error
    if kind.option and error.reason == BAD_REQUEST:
        remedy = "Write it as kubectl get -l takes it, for example: app=web,tier!=cache or zone in (a, b)."
        raise PodnetError("%s is no label selector: «%s» (%s)" % (kind.option, kind.selector, error.message), remedy)
    if error.reason != FORBIDDEN:
        return error.message
    group = "" if kind.prefix.startswith("/api/") else kind.prefix.split("/")[2]
    return '%s. Grant verb "list" on resource "%s" (API group "%s")' % (error.message, kind.plural, group)


def ask(cluster: Cluster, questions: Sequence[Callable[[Cluster], Any]]) -> List[Any]:
    """The answers to all questions, or the first one's error. Side by side, because only run_all ends at the deadline:
    a read timeout starts anew with every byte, so a server that sends one now and then would hold the task for good.
    """
    answers = cluster.run_all(lambda question: question(cluster), questions)
    for answer in answers:
        if answer.error is not None:
            raise answer.error
    if not all(answer.finished for answer in answers):
        late = "The deadline of %g s passed before %s said what it serves" % (cluster.limits.deadline, cluster.server)
        raise PodnetError(late, reason=UNREACHABLE)
    return [answer.value for answer in answers]


def kubeadm(cluster: Cluster) -> Tuple[Optional[str], List[Unobserved]]:
    """kubeadm's own record of the cluster, or why it may not be read; a cluster made by other means has none."""
    try:
        answer = cluster.get("/api/v1/namespaces/kube-system/configmaps/kubeadm-config")
    except PodnetError as error:
        if error.reason == NOT_FOUND:
            return None, []
        if error.reason != FORBIDDEN:
            raise
        reason = '%s. Grant verb "get" on resource "configmaps" (API group ""), name "kubeadm-config", in namespace "kube-system"'
        command = "kubectl get configmap --namespace kube-system kubeadm-config"
        return None, [Unobserved("kubeadm-config", command, reason % error.message)]
    return (answer.get("data") or {}).get("ClusterConfiguration"), []


def _with_calico_node(nodes: Iterable[Node], pods: Iterable[Pod]) -> List[Node]:
    """Nodes with their calico-node pod: where an update runs two for a moment, the ready and lasting one."""
    doors: Dict[str, Pod] = {}
    for pod in sorted(filter(_objects.is_calico_node, pods), key=lambda pod: (pod.ready, not pod.terminating)):
        doors[pod.node or ""] = pod
    return [
        node._replace(
            calico_node_pod="%s/%s" % (doors[node.name].namespace, doors[node.name].name),
            calico_node_ready=doors[node.name].ready,
        )
        if node.name in doors
        else node
        for node in nodes
    ]
