# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""StatefulSets: pods with names that stay, made, updated and taken away in their order (statefulset-controller).

A volume claim of a template is made as the controller makes it. Nothing here provisions volumes, so such a claim waits for ever,
and its pod with it, as in any cluster without a StorageClass.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

from ..api.errors import ApiError
from .events import EventRecorder
from .objects import by_controller, count_of, is_finished, is_ready, is_terminating, pod_of, unavailable_for
from .pod_control import LETTING_IN, REFUSED
from .revisions import HASH_LABEL, current_revision, hash_of

Object = Mapping[str, Any]

_NAME_LABEL, _INDEX_LABEL = "statefulset.kubernetes.io/pod-name", "apps.kubernetes.io/pod-index"


class StatefulSets:
    """Makes and deletes the pods of StatefulSets, and writes their status."""

    watches = frozenset({"statefulsets.apps", "pods"}) | LETTING_IN

    def __init__(self, store: Any) -> None:
        self._store = store
        self._events = EventRecorder(store, "statefulset-controller")

    def reconcile(self) -> float | None:
        sets = self._store.scan("statefulsets.apps")
        if not sets:
            return None
        pods = by_controller(self._store.scan("pods"))
        waits = [
            self._reconcile(each, pods.get(each["metadata"]["uid"], [])) for each in sets if not is_terminating(each)
        ]
        return min((wait for wait in waits if wait), default=None)

    def _reconcile(self, owner: Object, pods: Sequence[Object]) -> float | None:
        update = current_revision(self._store, owner, [_hash(pod) for pod in pods])
        stable = self._stable(owner, update)
        by_ordinal = {_ordinal(owner, pod): pod for pod in pods}
        first = (owner["spec"].get("ordinals") or {}).get("start", 0)
        wanted = range(first, first + owner["spec"].get("replicas", 1))
        if self._fill(owner, wanted, by_ordinal, stable, update):
            surplus = sorted((number for number in by_ordinal if number not in wanted), reverse=True)
            if self._shrink(owner, surplus, by_ordinal):
                self._update(owner, wanted, by_ordinal, update)
        return self._write_status(owner, pods, stable, update)

    def _stable(self, owner: Object, update: Object) -> Object:
        """The revision that pods below the partition are made of: the last one that was rolled out to the end."""
        name = (owner.get("status") or {}).get("currentRevision")
        return self._store.find("controllerrevisions.apps", name, owner["metadata"]["namespace"]) or update if name else update

    def _fill(
        self, owner: Object, wanted: Sequence[int], pods: Mapping[int, Object], stable: Object, update: Object
    ) -> bool:
        """Make what is missing; whether all that has to be there first is there, running and ready."""
        for number in wanted:
            pod = pods.get(number)
            if pod is None:
                self._create(owner, number, wanted, stable, update)
            elif is_finished(pod) and not is_terminating(pod):
                self._delete(owner, pod)
            elif not is_terminating(pod) and self._is_available(owner, pod):
                continue
            if _ordered(owner):
                return False
        return True

    def _shrink(self, owner: Object, surplus: Sequence[int], pods: Mapping[int, Object]) -> bool:
        """Take away from the top; whether nothing is on its way out."""
        for number in surplus:
            if is_terminating(pods[number]):
                if _ordered(owner):
                    return False
                continue
            self._delete(owner, pods[number])
            if _ordered(owner):
                return False
        return not surplus

    def _update(self, owner: Object, wanted: Sequence[int], pods: Mapping[int, Object], update: Object) -> None:
        """Replace outdated pods from the top down to the partition, never more than maxUnavailable that are not there."""
        strategy = owner["spec"].get("updateStrategy") or {}
        if strategy.get("type", "RollingUpdate") != "RollingUpdate":
            return
        rolling = strategy.get("rollingUpdate") or {}
        budget = max(1, count_of(rolling.get("maxUnavailable", 1), len(wanted), up=True))
        for number in reversed(wanted):
            if number - wanted[0] < rolling.get("partition", 0) or budget < 1:
                return
            pod = pods.get(number)
            if pod is None or is_terminating(pod):
                budget -= 1
            elif _hash(pod) != hash_of(update):
                self._delete(owner, pod)
                budget -= 1
            elif not self._is_available(owner, pod):
                budget -= 1

    def _create(self, owner: Object, number: int, wanted: Sequence[int], stable: Object, update: Object) -> None:
        partition = ((owner["spec"].get("updateStrategy") or {}).get("rollingUpdate") or {}).get("partition", 0)
        revision = stable if number - wanted[0] < partition else update
        pod = _pod(owner, number, revision)
        for claim in owner["spec"].get("volumeClaimTemplates") or ():
            self._claim(owner, claim, pod["metadata"]["name"])
        try:
            self._store.create("pods", pod)
        except ApiError as error:
            if error.code not in REFUSED:
                raise
            what = f"create Pod {pod['metadata']['name']} in StatefulSet {owner['metadata']['name']} failed error: {error.message}"
            self._events.warning(owner, "FailedCreate", what)
            return
        self._say(owner, "Create", pod["metadata"]["name"])

    def _claim(self, owner: Object, template: Object, pod: str) -> None:
        name, namespace = f"{template['metadata']['name']}-{pod}", owner["metadata"]["namespace"]
        if self._store.find("persistentvolumeclaims", name, namespace) is None:
            labels = dict((owner["spec"]["selector"] or {}).get("matchLabels") or {})
            metadata = {"name": name, "namespace": namespace, "labels": labels}
            claim = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": template["spec"]}
            self._store.create("persistentvolumeclaims", claim)
            message = f"create Claim {name} Pod {pod} in StatefulSet {owner['metadata']['name']} success"
            self._events.normal(owner, "SuccessfulCreate", message)

    def _delete(self, owner: Object, pod: Object) -> None:
        metadata = pod["metadata"]
        self._store.delete("pods", metadata["name"], metadata["namespace"])
        self._say(owner, "Delete", metadata["name"])

    def _say(self, owner: Object, verb: str, pod: str) -> None:
        message = f"{verb.lower()} Pod {pod} in StatefulSet {owner['metadata']['name']} successful"
        self._events.normal(owner, f"Successful{verb}", message)

    @staticmethod
    def _is_available(owner: Object, pod: Object) -> bool:
        return unavailable_for(pod, owner["spec"].get("minReadySeconds", 0)) == 0

    def _write_status(self, owner: Object, pods: Sequence[Object], stable: Object, update: Object) -> float | None:
        live = [pod for pod in pods if not is_terminating(pod)]
        wanted = owner["spec"].get("replicas", 1)
        waits = [unavailable_for(pod, owner["spec"].get("minReadySeconds", 0)) for pod in live]
        ready, updated = sum(map(is_ready, live)), sum(1 for pod in live if _hash(pod) == hash_of(update))
        done = updated == wanted == ready == len(pods)
        current = update if done else stable
        status = {
            "availableReplicas": sum(1 for wait in waits if wait == 0),
            "collisionCount": 0,
            "currentReplicas": sum(1 for pod in live if _hash(pod) == hash_of(current)) or None,
            "currentRevision": current["metadata"]["name"],
            "observedGeneration": owner["metadata"].get("generation", 1),
            "readyReplicas": ready or None,
            "replicas": len(pods),
            "updateRevision": update["metadata"]["name"],
            "updatedReplicas": updated or None,
        }
        metadata = owner["metadata"]
        self._store.patch(
            "statefulsets.apps", metadata["name"], {"status": status}, metadata["namespace"], subresource="status"
        )
        return min((wait for wait in waits if wait), default=None)


def _ordered(owner: Object) -> bool:
    return bool(owner["spec"].get("podManagementPolicy", "OrderedReady") == "OrderedReady")


def _hash(pod: Object) -> str:
    return str(pod["metadata"]["labels"].get(HASH_LABEL, ""))


def _ordinal(owner: Object, pod: Object) -> int:
    text = pod["metadata"]["name"].removeprefix(f"{owner['metadata']['name']}-")
    return int(text) if text.isdigit() else -1


def _pod(owner: Object, number: int, revision: Object) -> dict[str, Any]:
    name = f"{owner['metadata']['name']}-{number}"
    template = {key: value for key, value in revision["data"]["spec"]["template"].items() if key != "$patch"}
    pod = pod_of(template, owner, {HASH_LABEL: hash_of(revision), _NAME_LABEL: name, _INDEX_LABEL: str(number)})
    del pod["metadata"]["generateName"]
    pod["metadata"]["name"] = name
    pod["spec"] |= {"hostname": name, "subdomain": owner["spec"].get("serviceName", "")}
    if not pod["spec"]["subdomain"]:
        del pod["spec"]["subdomain"]
    claims = [
        {"name": claim["metadata"]["name"], "persistentVolumeClaim": {"claimName": f"{claim['metadata']['name']}-{name}"}}
        for claim in owner["spec"].get("volumeClaimTemplates") or ()
    ]
    names = {claim["name"] for claim in claims}
    kept = [copy.deepcopy(volume) for volume in pod["spec"].get("volumes") or () if volume["name"] not in names]
    if claims or kept:
        pod["spec"]["volumes"] = [*kept, *claims]
    return pod
