# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One pass over a cluster → Snapshot (private): objects by list, one exec per node and one per pod, side by side; the lists again.

What changed meanwhile is read once more. What then changes again is said (``changed``).

What cannot be seen is said in the snapshot (``unobserved``, ``skipped``), for the judgement to call it inconclusive; an
exception is raised only where nothing useful could follow: no connection, no credentials, no Calico.
"""

from __future__ import annotations

import time
from typing import Any, Callable, Dict, Iterable, List, NamedTuple, Optional, Sequence, Tuple, Union

from ansible_collections.podnet.calico.plugins.module_utils import _changes, _evidence, _lists, _objects, _script, _settings
from ansible_collections.podnet.calico.plugins.module_utils._cluster import (
    NODE_OUTPUT_BYTES,
    POD_OUTPUT_BYTES,
    Cluster,
)
from ansible_collections.podnet.calico.plugins.module_utils._errors import PodnetError
from ansible_collections.podnet.calico.plugins.module_utils._exec import ExecResult
from ansible_collections.podnet.calico.plugins.module_utils._model import (
    OF_ANOTHER_SHARD,
    Changed,
    Header,
    Node,
    Pod,
    Settings,
    Snapshot,
    Unobserved,
)
from ansible_collections.podnet.calico.plugins.module_utils._selection import EVERYTHING, Selectors, node_plan, pod_plan

API, NODES, PODS = "api", "nodes", "pods"
EVIDENCE = (API, NODES, PODS)
SCHEMA_VERSION = 1


class _View(NamedTuple):
    """What the lists showed at one moment: objects by plural, what could not be listed, and whom to ask."""

    objects: Dict[str, Any]
    settings: Settings
    missing: List[Unobserved]
    nodes: List[Node]
    pods: List[Pod]


_Facts = Dict[Tuple[str, str], Any]
_Look = Callable[[], _View]


def collect(cluster: Cluster, evidence: Sequence[str] = (API, NODES), selectors: Selectors = EVERYTHING) -> Snapshot:
    """Everything that ``evidence`` asks for, as it is now. The API is always read: nothing means anything without it."""
    collected_at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    group, version, (kubeadm, unread) = _about(cluster)

    def look() -> _View:
        objects, missing = _lists.read(cluster, _lists.kinds_of(group) + selectors.kinds(NODES in evidence))
        elsewhere = selectors.elsewhere(objects)
        nodes = node_plan(objects, NODES in evidence, elsewhere)
        pods = pod_plan(objects, PODS in evidence, selectors.namespaces, elsewhere)
        return _View(objects, _settings.settings(objects, kubeadm), missing + unread, nodes, pods)

    view = look()
    facts = _ask(cluster, view.nodes, view.pods)
    view, changed = _settle(cluster, look, view, facts) if facts else (view, ())
    objects = view.objects
    header = Header(
        schema_version=SCHEMA_VERSION,
        collected_at=collected_at,
        cluster_id=_settings.cluster_id(objects),
        server=cluster.server,
        calico_version=_settings.calico_version(objects),
        kubernetes_version=version.get("gitVersion"),
        api_group=group,
        evidence=tuple(name for name in EVIDENCE if name == API or name in evidence),
        settings=view.settings,
        unobserved=tuple(view.missing),
        changed=changed,
        shard=selectors.shard,
    )
    return Snapshot(
        header=header,
        nodes=_with_facts(view.nodes, facts),
        pods=_with_facts(view.pods, facts),
        pools=tuple(objects["ippools"]),
        blocks=tuple(objects["ipamblocks"]),
        affinities=tuple(objects["blockaffinities"]),
        handles=tuple(objects["ipamhandles"]),
        workloads=tuple(objects["daemonsets"] + objects["deployments"]),
    ).in_order()


def _with_facts(subjects: Iterable[Any], facts: _Facts) -> Tuple[Any, ...]:
    """Those that were asked with what they said; one that is not to be asked any more without."""
    return tuple(one._replace(facts=facts.get(_key(one)) if one.skipped is None else None) for one in subjects)


def _settle(cluster: Cluster, look: _Look, view: _View, facts: _Facts) -> Tuple[_View, Tuple[Changed, ...]]:
    """The objects beside which ``facts`` are to be judged, and what would not keep still; reads into ``facts`` once more.

    What did not change between two looks was read while it was so. What did is read again, between the second look and a
    third, and is in doubt if that one differs, too: the second look is the truth.
    """
    again = _look_again(look, view)
    if isinstance(again, Unobserved):
        return view._replace(missing=view.missing + [again]), ()
    moved = _changes.changes(view.objects, again.objects, (view.settings, again.settings))
    if not moved:
        return again, ()
    nodes = _changes.touched(moved, (node.name for node in again.nodes if node.skipped != OF_ANOTHER_SHARD))
    pods = {(change.namespace, change.name) for change in moved if change.kind == "Pod"}
    facts.update(_ask(cluster, [n for n in again.nodes if n.name in nodes], [p for p in again.pods if _key(p) in pods]))
    third = _look_again(look, again)
    if isinstance(third, Unobserved):
        return again, moved
    still = _changes.changes(again.objects, third.objects, (again.settings, third.settings))
    return again, tuple(change for change in still if change.nodes is None or nodes & set(change.nodes))


def _look_again(look: _Look, before: _View) -> Union[_View, Unobserved]:
    """Another look, or why there is none: what was read until then is judged all the same."""
    try:
        view = look()
    except PodnetError as error:
        return _not_again("the lists could not be read again: %s" % error.message)
    known = {gap.what for gap in before.missing}
    lost = [gap for gap in view.missing if gap.what not in known]
    return _not_again("%s could not be listed again: %s" % (lost[0].what, lost[0].reason)) if lost else view


def _not_again(reason: str) -> Unobserved:
    return Unobserved("changes", "kubectl get pods,nodes --all-namespaces --watch", reason)


def _about(cluster: Cluster) -> Tuple[str, Dict[str, Any], Tuple[Optional[str], List[Unobserved]]]:
    """Calico's group, the server's version, kubeadm's record."""
    group, version, record = _lists.ask(cluster, (_lists.calico_group, lambda asked: asked.get("/version"), _lists.kubeadm))
    return group, version, record


def nodes_only(cluster: Cluster) -> List[Node]:
    """The nodes alone: what the topology needs, on a cluster with or without Calico."""
    return sorted(cluster.list("/api/v1/nodes", _objects.node))


def _ask(cluster: Cluster, nodes: Iterable[Node], pods: Iterable[Pod]) -> _Facts:
    """Facts by subject. Nodes go first: they say most, should time run out."""
    jobs: List[Any] = [one for one in (*nodes, *pods) if one.skipped is None]
    outcomes = cluster.run_all(lambda job: _facts(cluster, job), jobs)
    late = "the deadline of %g s passed first" % cluster.limits.deadline
    facts: _Facts = {}
    for job, outcome in zip(jobs, outcomes):
        if outcome.error is not None:
            raise outcome.error
        facts[_key(job)] = outcome.value if outcome.finished else _nothing(job, late)
    return facts


def _key(subject: Any) -> Tuple[str, str]:
    return ("", subject.name) if isinstance(subject, Node) else (subject.namespace, subject.name)


def _nothing(subject: Any, reason: str) -> Any:
    return _evidence.node_facts({}, reason) if isinstance(subject, Node) else _evidence.pod_facts({}, reason)


def _facts(cluster: Cluster, subject: Any) -> Any:
    return node_facts(cluster, subject) if isinstance(subject, Node) else pod_facts(cluster, subject)


def node_facts(cluster: Cluster, node: Node) -> Any:
    """Facts of a node by one exec into its calico-node pod."""
    if node.calico_node_pod is None:
        return _nothing(node, "no calico-node pod runs on it (label k8s-app=%s)" % _objects.CALICO_NODE_LABEL)
    if (node.not_ready_reason or "").startswith("Unknown "):
        return _nothing(node, "the node is NotReady (%s): nothing can be run on it" % node.not_ready_reason)
    namespace, _slash, pod = node.calico_node_pod.partition("/")
    script = _script.build(_evidence.node_script())
    result = cluster.exec(namespace, pod, _objects.CALICO_NODE_CONTAINER, script.argv, NODE_OUTPUT_BYTES)
    return _evidence.node_facts(*_answer(script, result, node.calico_node_pod))


def pod_facts(cluster: Cluster, pod: Pod) -> Any:
    """Facts of a pod by one exec into it."""
    script = _script.build(_evidence.pod_script())
    result = cluster.exec(pod.namespace, pod.name, pod.container, script.argv, POD_OUTPUT_BYTES)
    return _evidence.pod_facts(*_answer(script, result, "%s/%s" % (pod.namespace, pod.name)))


def _answer(script: Any, result: ExecResult, where: str) -> Tuple[Dict[str, Any], Optional[str]]:
    """What was printed, by section, and why it is nothing, or not all."""
    sections = _script.read(script, result.stdout, result.stderr)
    problem = result.problem or ("printed nothing of what was asked" if not sections else None)
    return sections, problem and "exec in %s %s" % (where, problem)
