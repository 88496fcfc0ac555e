# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a fault is made with: commands in calico-node, and objects of the API. Everything done is kept, for the result."""

from __future__ import annotations

import copy
import json
import shlex
from typing import Any, Callable, Dict, List, Optional, Sequence

from .._cluster import Cluster
from .._collect import node_facts
from .._errors import CONFLICT, NOT_FOUND, PodnetError
from .._model import Node, NodeFacts
from .._objects import CALICO_NODE_CONTAINER
from .entry import Done

_ATTEMPTS = 5
# Bytes of a command's output that are kept.
_OUTPUT = 2000


class Hands:
    """Reads what a change concerns and changes it; facts of a node are read once until ``look_again``."""

    def __init__(self, cluster: Cluster, nodes: Sequence[Node]) -> None:
        self.cluster = cluster
        self.done: List[Done] = []
        self._nodes = {node.name: node for node in nodes}
        self._facts: Dict[str, NodeFacts] = {}

    def facts(self, name: str, field: str) -> Any:
        """One field of a node's facts. PodnetError when it could not be read: what is not seen is not changed."""
        if name not in self._facts:
            self._facts[name] = node_facts(self.cluster, self._node(name))
        facts = self._facts[name]
        for gap in facts.unobserved:
            if gap.what.partition(".")[0] == field:
                raise PodnetError("%s of %s could not be read by «%s»: %s" % (field, name, gap.command, gap.reason))
        return getattr(facts, field)

    def look_again(self) -> None:
        """Forget what was read."""
        self._facts.clear()

    def run(self, name: str, argv: Sequence[str]) -> None:
        """A command in the node's network namespace, once. PodnetError when it fails."""
        node = self._node(name)
        command = " ".join(map(shlex.quote, argv))
        if node.calico_node_pod is None:
            raise PodnetError(
                "«%s» cannot be run on %s: it has no running calico-node pod" % (command, name),
                "See why: kubectl get pods --all-namespaces --selector k8s-app=calico-node -o wide.",
            )
        namespace, _slash, pod = node.calico_node_pod.partition("/")
        result = self.cluster.exec(namespace, pod, CALICO_NODE_CONTAINER, list(argv), attempts=1)
        output = (result.stdout + result.stderr).decode("utf-8", "replace").strip()[:_OUTPUT]
        if result.problem or result.code:
            raise PodnetError("«%s» on %s %s" % (command, name, result.problem or "ended with %s: %s" % (result.code, output)))
        self.done.append(Done(name, "kubectl exec -n %s %s -c %s -- %s" % (namespace, pod, CALICO_NODE_CONTAINER, command), output))

    def object(self, path: str) -> Optional[Dict[str, Any]]:
        """The object at an API path, or None."""
        try:
            return self.cluster.get(path)
        except PodnetError as error:
            if error.reason == NOT_FOUND:
                return None
            raise

    def create(self, path: str, body: Dict[str, Any]) -> None:
        """An object at its path."""
        self.cluster.write("post", path.rpartition("/")[0], body)
        self._note("echo %s | kubectl create -f -" % shlex.quote(json.dumps(body)), path, "created")

    def delete(self, path: str) -> None:
        """The object at a path."""
        self.cluster.write("delete", path)
        self._note("kubectl delete %s" % _kubectl_name(path), path, "deleted")

    def edit(self, path: str, change: Callable[[Dict[str, Any]], None], by_hand: str) -> None:
        """Change an object as it is at that moment: again, on the newer one, when somebody else was faster.

        ``by_hand``: how a person does it, %s being the object.
        """
        for attempt in range(1, _ATTEMPTS + 1):
            item = copy.deepcopy(self.cluster.get(path))
            change(item)
            try:
                self.cluster.write("put", path, item)
                break
            except PodnetError as error:
                if error.reason != CONFLICT or attempt == _ATTEMPTS:
                    raise
        self._note(by_hand % _kubectl_name(path), path, "edited")

    def _note(self, command: str, path: str, output: str) -> None:
        self.done.append(Done("API server", command, "%s %s" % (path.rpartition("/")[2], output)))

    def _node(self, name: str) -> Node:
        if name not in self._nodes:
            raise PodnetError("The cluster has no node %s" % name, "There are %s." % ", ".join(sorted(self._nodes)))
        return self._nodes[name]


def _kubectl_name(path: str) -> str:
    """/apis/crd.projectcalico.org/v1/ipamblocks/NAME, or /api/v1/namespaces/NAMESPACE/pods/NAME, as kubectl takes it."""
    parts = path.strip("/").split("/")
    if parts[0] == "apis":
        return "%s.%s/%s" % (parts[3], parts[1], parts[4])
    namespace = "-n %s " % parts[3] if len(parts) > 4 else ""
    return "%s%s/%s" % (namespace, parts[-2], parts[-1])
