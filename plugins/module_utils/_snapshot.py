# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Snapshots as files (private): JSON Lines, gzip by name, read and written as a stream.

First line the header, then one line per object with what it is in ``line``. A field that has its default is left out; a field
that the schema does not list is refused, in both directions: a snapshot can only hold what ``_model`` names, so no
secret or foreign annotation can slip into one. A route, neighbour or forwarding entry that several nodes or pods have is a line
of its own before them, and they name it by its number among those lines, or several by ``[first, last]``: of a thousand nodes
each knows the same thousand blocks. The last line counts the others: a file that was cut off between two lines would be a smaller
cluster. JSON Schema: ``docs/schemas/snapshot-line.schema.json``.
"""

from __future__ import annotations

import gzip
import json
import os
import tempfile
from collections import Counter
from typing import IO, Any, Callable, Dict, Iterable, Iterator, List, Optional, Tuple, Type

from . import _model as model
from ._decoding import Decoder
from ._memory import uncollected
from ._model import Header, Snapshot

SCHEMA_VERSION = 1
END = "end"

KINDS: Dict[str, Tuple[str, Type]] = {
    "node": ("nodes", model.Node),
    "pod": ("pods", model.Pod),
    "pool": ("pools", model.Pool),
    "block": ("blocks", model.Block),
    "affinity": ("affinities", model.Affinity),
    "handle": ("handles", model.Handle),
    "workload": ("workloads", model.Workload),
    "probe": ("probes", model.Probe),
}
#: What has lines of its own where several nodes or pods have it, and the field of their facts that it is in.
SHARED: Dict[str, Tuple[str, Type]] = {
    "route": ("routes", model.Route),
    "neighbour": ("neighbours", model.Neighbour),
    "fdb": ("fdb", model.FdbEntry),
}
_Numbers = Dict[Type, Dict[Any, int]]


class SnapshotError(ValueError):
    """A file that is no snapshot, is damaged, or comes from another version; says which file, line and what to do."""


def write(path: str, snapshot: Snapshot) -> None:
    """Write to ``path`` (compressed if it ends in ``.gz``), readable by the owner only, in one step or not at all."""
    folder = os.path.dirname(os.path.abspath(path))
    handle, temporary = tempfile.mkstemp(dir=folder, prefix=".snapshot-")
    try:
        with os.fdopen(handle, "wb") as raw:
            if path.endswith(".gz"):
                with gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0) as packed:
                    _write_lines(packed, snapshot)
            else:
                _write_lines(raw, snapshot)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def _write_lines(stream: Any, snapshot: Snapshot) -> None:
    for line in lines(snapshot):
        stream.write(line.encode("utf-8"))
        stream.write(b"\n")


def lines(snapshot: Snapshot) -> Iterator[str]:
    """The snapshot, line by line, in an order that does not depend on how it was collected."""
    count = 0
    for line in _of_objects(snapshot):
        count += 1
        yield line
    yield _dump({"line": END, "lines": count})


def _of_objects(snapshot: Snapshot) -> Iterator[str]:
    yield _dump(dict(_encode(snapshot.header), line="header", schema_version=snapshot.header.schema_version))
    numbers: _Numbers = {}
    for kind, (field, class_) in SHARED.items():
        numbers[class_] = {item: number for number, item in enumerate(_in_common(snapshot, field))}
        yield from (_dump(dict(_encode(item), line=kind)) for item in numbers[class_])
    for kind, (field, _class) in KINDS.items():
        encoded = [dict(_encode(item, numbers), line=kind) for item in getattr(snapshot, field)]
        yield from sorted(map(_dump, encoded)) if kind != "probe" else map(_dump, encoded)


def _dump(entry: dict) -> str:
    return json.dumps(entry, separators=(",", ":"), sort_keys=True, ensure_ascii=False)


def _in_common(snapshot: Snapshot, field: str) -> List[Any]:
    """What more than one node or pod has in ``field`` of its facts, in the order of the first that has it."""
    seen: Dict[Any, int] = Counter()
    nodes = sorted(snapshot.nodes, key=lambda node: node.name)
    for one in (*nodes, *sorted(snapshot.pods, key=lambda pod: (pod.namespace, pod.name))):
        if one.facts is not None:
            seen.update(getattr(one.facts, field, ()))
    return [item for item, times in seen.items() if times > 1]


def _encode(item: Any, numbers: Optional[_Numbers] = None) -> Any:
    """NamedTuples as objects without their defaults, tuples as arrays; what has a number as that."""
    if hasattr(item, "_fields"):
        numbered = numbers.get(item.__class__) if numbers else None
        if numbered and item in numbered:
            return numbered[item]
        defaults = item._field_defaults
        return {
            name: _encode(value, numbers)
            for name, value in zip(item._fields, item)
            if name not in defaults or value != defaults[name]
        }
    if isinstance(item, (tuple, list)):
        entries = [_encode(entry, numbers) for entry in item]
        return _runs(entries) if item and numbers and item[0].__class__ in numbers else entries
    return item


def _runs(entries: List[Any]) -> List[Any]:
    """Numbers that follow each other as ``[first, last]``."""
    found: List[Any] = []
    for entry in entries:
        last = found[-1] if found else None
        if entry.__class__ is not int:
            found.append(entry)
        elif last.__class__ is list and last[1] + 1 == entry:
            last[1] = entry
        else:
            found.append([entry, entry])
    return [entry[0] if entry.__class__ is list and entry[0] == entry[1] else entry for entry in found]


@uncollected()
def read(path: str) -> Snapshot:
    """Read a whole snapshot. Equal strings and routes are shared: a thousand nodes have the same block routes."""
    return assemble(stream(path), path)


def assemble(objects: Iterable[Any], name: str = "snapshot") -> Snapshot:
    """A snapshot of a header and objects that come in any order."""
    fields: Dict[Type, List[Any]] = {entry[1]: [] for entry in KINDS.values()}
    header = None
    for item in objects:
        if isinstance(item, Header):
            header = item
        else:
            fields[type(item)].append(item)
    if header is None:
        raise SnapshotError("%s is empty: it has no header line. Collect it again with routing_snapshot." % name)
    return Snapshot(header, **{field: tuple(fields[class_]) for field, class_ in KINDS.values()}).in_order()


def stream(path: str) -> Iterator[Any]:
    """The header, then each object, while the file is read."""
    opener: Callable[..., IO[str]] = gzip.open if path.endswith(".gz") else open
    reader = Lines()
    try:
        with opener(path, "rt", encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                try:
                    item = reader.line(json.loads(line))
                except (ValueError, RecursionError) as error:
                    raise SnapshotError("%s, line %d: %s" % (path, number, _reason(error)))
                if item is not None:  # else it is shared by those to come, or the end
                    yield item
        if reader.count and not reader.ended:
            raise SnapshotError("%s is cut off: its last line, which counts the others, is not there. Collect it again." % path)
    except (OSError, EOFError) as error:
        raise SnapshotError("%s cannot be read to its end: %s. Collect it again with routing_snapshot." % (path, error))


def _reason(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return "not JSON (%s): the file is cut off or is no snapshot" % error.msg
    return str(error)


class Lines:
    """Lines of a snapshot → objects of the model, in the order in which they stand there."""

    def __init__(self) -> None:
        self._decoder = Decoder([class_ for _field, class_ in SHARED.values()])
        self.count = 0
        self.ended = False

    def line(self, entry: Any) -> Any:
        """One line as a model object; None for one that later lines name by its number, and for the last."""
        self.count += 1
        if not isinstance(entry, dict):
            raise ValueError("no object: this is no snapshot of podnet.calico")
        kind = entry.pop("line", None)
        if self.ended:
            raise ValueError("a line after the last")
        if self.count == 1:
            version = entry.get("schema_version")
            if kind != "header":
                raise ValueError("the first line is no header: this is no snapshot of podnet.calico")
            if version != SCHEMA_VERSION:
                raise ValueError("schema version %r is not %d: judge it with the version of podnet.calico that wrote it"
                                 % (version, SCHEMA_VERSION))
            return self._decoder.decode(Header, entry)
        if kind == END:
            if entry != {"lines": self.count - 1}:
                raise ValueError("%d lines stand before it, and it counts %r" % (self.count - 1, entry.get("lines")))
            self.ended = True
            return None
        if isinstance(kind, str) and kind in SHARED:
            self._decoder.share(SHARED[kind][1], entry)
            return None
        if not isinstance(kind, str) or kind not in KINDS:
            raise ValueError("a line of unknown sort %r" % (kind,))
        return self._decoder.decode(KINDS[kind][1], entry)
