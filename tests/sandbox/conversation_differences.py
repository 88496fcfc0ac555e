# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real kube-apiserver's conversations, replayed to a sandbox that was brought up alike, and what the two say differently.

``differences()`` returns what was found, each with its reason where there is one in `REASONS`; run as a program it prints them.
Uids, resourceVersions and continue tokens are renamed as they come: a later request that names the recorded one names ours.
"""

from __future__ import annotations

import asyncio
import json
import re
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from api_server import Answer, ApiServer
from conversation_reasons import REASONS
from lab import Lab, operator_object, workload
from podnet_sandbox.api import store as store_module

CONVERSATIONS = json.loads((Path(__file__).parent / "recordings" / "kube-apiserver-v1.32.13.json").read_text())

#: What differs from run to run, by the key it stands under: only that it is there is compared, and what kind of value it is.
VOLATILE = frozenset({
    "continue", "creationTimestamp", "deletionTimestamp", "expirationTimestamp", "lastTransitionTime", "resourceVersion", "startTime",
    "startedAt", "time", "token", "uid",
})  # fmt: skip
#: Suffixes of names that are made up, by what comes before them.
_GENERATED = re.compile(r"\b(kube-api-access|cm)-[a-z0-9]{5}\b")
_AGE = re.compile(r"^(\d+[smhdy])+$")
_FORGOTTEN = re.compile(r"(too old resource version: \d+) \(\d+\)")
_HASH = re.compile(r"hash=[0-9A-F]+$")
_SERVICE_ADDRESS = re.compile(r"^10\.96\.\d+\.\d+$")
#: The pods of the recorded cluster by name, in the order the sandbox makes them: node by node.
_PODS = {"multitool-1-": ["f8c6z", "8cxhr", "dfgjl"], "multitool-2-": ["v5gws", "qk5h5", "zx5t9"]}


class Difference(NamedTuple):
    """One thing said differently. ``where``: HTTP status, a header, or the path in the body; ``reason`` '' : not listed."""

    case: str
    where: str
    recorded: Any
    ours: Any
    reason: str


class RecordedCluster(ApiServer):
    """A whole sandbox but for the kernel, with the objects the recorded cluster had."""

    namespace_grace = 5.0

    async def _prepare(self):
        self._lab = Lab()
        await self._lab.cluster.start()
        await self._lab.install_calico()
        self._lab.apply(operator_object("APIServer"))
        await self._lab.until(lambda: self._lab.available("apiserver"))
        for name in ("multitool-1", "multitool-2"):
            container = {"name": "multitool", "image": "wbitt/network-multitool:latest", "imagePullPolicy": "IfNotPresent"}
            container |= {"ports": [{"containerPort": 80}], "securityContext": {"capabilities": {"add": ["NET_ADMIN", "NET_RAW"]}}}
            self._lab.apply(workload("DaemonSet", name, containers=[container], tolerations=[{"operator": "Exists"}]))
        await self._lab.until(lambda: len([pod for pod in self._lab.pods("multitool") if self._lab.ready(pod)]) == 6)
        return self._lab.store, self._lab.cluster

    def settle(self):
        """Let the controllers see what was done."""
        self.call(self._lab.cluster._loop.settle)

    async def _finish(self):
        await self._lab.cluster.stop()


@cache
def answers() -> dict[str, Answer]:
    """What the sandbox says, by case, in the recorded order."""
    generated, suffixes = store_module.generated, {prefix: list(names) for prefix, names in _PODS.items()}

    def as_recorded(prefix, randomness):
        return prefix + suffixes[prefix].pop(0) if suffixes.get(prefix) else generated(prefix, randomness)

    store_module.generated = as_recorded
    try:
        with tempfile.TemporaryDirectory() as folder, RecordedCluster(Path(folder), kubelet=False) as server:
            names: dict[str, str] = {}
            found = {}
            for item in CONVERSATIONS:
                found[item["case"]] = _replay(server, item, names)
                names.update(_renamed(_said(item["response"]), _body(found[item["case"]])))
            return found
    finally:
        store_module.generated = generated


@cache
def differences() -> tuple[Difference, ...]:
    """Everything said differently, in the recorded order."""
    found = []
    for item in CONVERSATIONS:
        case, recorded, answer = item["case"], item["response"], answers()[item["case"]]
        for where, theirs, ours in _compared(recorded, answer):
            reason = next((reason for cases, places, reason in REASONS if _matches(case, cases) and _fits(where, places)), "")
            found.append(Difference(case, where, theirs, ours, reason))
    return tuple(found)


def unused_reasons() -> list[tuple[str, str]]:
    """The entries of `REASONS` that nothing differs by any more: these have to go."""
    found = differences()
    return [
        (cases, places)
        for cases, places, _reason in REASONS
        if not any(_matches(item.case, cases) and _fits(item.where, places) for item in found)
    ]


def _matches(case: str, cases: str) -> bool:
    return any(_fits(case, pattern) for pattern in cases.split("|"))


def _fits(text: str, pattern: str) -> bool:
    """``*`` stands for anything; brackets are brackets."""
    return re.fullmatch(".*".join(re.escape(part) for part in pattern.split("*")), text) is not None


def _compared(recorded: Mapping[str, Any], answer: Answer) -> Iterator[tuple[str, Any, Any]]:
    if answer.status != recorded["status"]:
        yield "HTTP status", recorded["status"], answer.status
    for name, value in recorded["headers"].items():
        ours = answer.headers.get(name) or ""
        if not ours.startswith(value):
            yield f"header {name}", value, ours
    if "text" in recorded and "body" not in recorded:
        if answer.text != recorded["text"]:
            yield "text", recorded["text"], answer.text
        return
    theirs = _said(recorded)
    yield from walk(theirs, _body(answer), "")


def _said(recorded: Mapping[str, Any]) -> Any:
    return recorded.get("lines", recorded.get("body"))


def _body(answer: Answer) -> Any:
    """JSON, or, where there are several lines of it, a list."""
    try:
        lines = answer.lines
    except ValueError:
        return answer.text
    return lines[0] if len(lines) == 1 else lines


# Comparing


def walk(theirs: Any, ours: Any, path: str, key: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Where two values differ: path, theirs, ours (None: not there)."""
    if isinstance(theirs, dict) and isinstance(ours, dict):
        for name in [*theirs, *(name for name in ours if name not in theirs)]:
            if name == "managedFields" and name not in theirs:
                continue  # the recording leaves them out, but where apply is its subject
            below = f"{path}.{name}" if path else name
            yield from walk(theirs.get(name, ABSENT), ours.get(name, ABSENT), below, name)
        return
    if isinstance(theirs, list) and isinstance(ours, list):
        yield from _walk_list(theirs, ours, path, key)
        return
    if _plain(theirs, key) != _plain(ours, key):
        yield path, _shown(theirs), _shown(ours)


class _Absent:
    def __repr__(self) -> str:
        return "absent"


ABSENT = _Absent()


def _walk_list(theirs: list[Any], ours: list[Any], path: str, key: str) -> Iterator[tuple[str, Any, Any]]:
    identity = next((name for name in ("name", "resource", "subresource") if _tells_apart(name, theirs) and _tells_apart(name, ours)), "")
    if not identity:
        for index in range(max(len(theirs), len(ours))):
            pair = (items[index] if index < len(items) else ABSENT for items in (theirs, ours))
            yield from walk(*pair, f"{path}[{index}]", key)
        return
    mine = {_plain(item[identity], ""): item for item in ours}
    for item in theirs:
        name = _plain(item[identity], "")
        yield from walk(item, mine.pop(name, ABSENT), f"{path}[{name}]", key)
    for name, item in mine.items():
        yield from walk(ABSENT, item, f"{path}[{name}]", key)


def _tells_apart(name: str, items: list[Any]) -> bool:
    names = [item.get(name) for item in items if isinstance(item, dict)]
    return bool(names) and None not in names and len(set(names)) == len(items)


def _plain(value: Any, key: str) -> Any:
    if key in VOLATILE and isinstance(value, str) and value:
        return f"<{key}>"
    if key == "cells" and isinstance(value, str) and _AGE.match(value):
        return "<age>"
    if isinstance(value, str):
        if key in ("clusterIP", "clusterIPs", "cells") and _SERVICE_ADDRESS.match(value):
            return "<service address>"
        return _FORGOTTEN.sub(r"\1 (…)", _HASH.sub("hash=…", _GENERATED.sub(r"\1-xxxxx", value)))
    return value


def _shown(value: Any) -> Any:
    return None if value is ABSENT else value


# Replaying


def _replay(server: ApiServer, item: Mapping[str, Any], names: Mapping[str, str]) -> Answer:
    request = item["request"]
    headers = {"Accept": request["accept"]}
    if "content-type" in request:
        headers["Content-Type"] = request["content-type"]
    body = request.get("body")
    data = body.encode() if isinstance(body, str) else None if body is None else _rename(json.dumps(body), names).encode()
    if item["case"] == "watch add and delete":
        threading.Thread(target=_add_and_delete, args=(server,)).start()
    path = _rename(request["path"], names)
    answer = server.request(request["method"], path, data, token=_token(server, request.get("as", "")), **headers)
    server.settle()
    return answer


def _add_and_delete(server: ApiServer) -> None:
    time.sleep(0.3)
    server.create("configmaps", {"metadata": {"name": "w1", "namespace": "rec"}})
    server.call(server.store.delete, "configmaps", "w1", "rec")


def _token(server: ApiServer, who: str) -> str | None:
    if not who:
        return None
    return server.call(server.authenticator.issue_for_account, "rec", "default") if "ServiceAccount" in who else ""


def _rename(text: str, names: Mapping[str, str]) -> str:
    return re.sub(r"[A-Za-z0-9_=-]{4,}", lambda found: _renamed_word(found[0], names), text)


def _renamed_word(word: str, names: Mapping[str, str]) -> str:
    """``resourceVersion=11334`` is one word of a query."""
    head, equals, tail = word.rpartition("=")
    if equals and tail:
        return f"{head}={names.get(tail, tail)}"
    return names.get(word, word)


def _renamed(theirs: Any, ours: Any) -> Iterator[tuple[str, str]]:
    """What a later request may name: recorded uid, resourceVersion or token, and ours."""
    if isinstance(theirs, dict) and isinstance(ours, dict):
        for key in ("uid", "resourceVersion", "continue"):
            if isinstance(theirs.get(key), str) and isinstance(ours.get(key), str):
                yield theirs[key], ours[key]
        for key in theirs.keys() & ours.keys():
            yield from _renamed(theirs[key], ours[key])
    elif isinstance(theirs, list) and isinstance(ours, list):
        for pair in zip(theirs, ours, strict=False):
            yield from _renamed(*pair)


if __name__ == "__main__":
    asyncio.set_event_loop_policy(None)
    for found in differences():
        print(f"{found.case} | {found.where} | {str(found.recorded)[:160]} | {str(found.ours)[:160]} | {found.reason}")
    print("unused:", unused_reasons())
