# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the files of shards are had from (private): a folder that jobs share, an object store, or what the jobs published.

What a job has published says what its file must be, never where to look: a path or URL in it is not followed.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import gzip
import hashlib
import os
import re
import stat
import time
import zlib
from collections import Counter
from http.client import HTTPException
from typing import Any, Dict, Iterator, Mapping, NamedTuple, Optional, Sequence, Tuple
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit

from ansible.module_utils.urls import ConnectionError as UrlsError
from ansible.module_utils.urls import open_url
from ansible_collections.podnet.calico.plugins.module_utils._cut import NAME, key_of
from ansible_collections.podnet.calico.plugins.module_utils._errors import PodnetError
from ansible_collections.podnet.calico.plugins.module_utils._shards import DAMAGED, MISSING, OTHER_COLLECTION, UNEXPECTED

PATH, URL, ARTIFACT = "path", "url", "artifact"
STORES = (PATH, URL, ARTIFACT)
#: Of base64: roles/shards publishes 200 kB at most.
_ARTIFACT_LENGTH = 300000
_CHUNK = 1 << 20
_SHA256 = re.compile("[0-9a-f]{64}")
_POLL_SECONDS = 1.0


class Source(NamedTuple):
    """Where files may be: ``folder`` is shared, ``url`` has {shard} and {collection} in it, ``urls`` are by shard, ``dest`` is our own."""

    store: str
    dest: str
    folder: Optional[str] = None
    url: str = ""
    urls: Mapping[str, str] = {}
    headers: Mapping[str, str] = {}
    max_bytes: int = 1 << 28


class Record(NamedTuple):
    """What a job has published of its shard."""

    store: str
    sha256: Optional[str] = None
    data: str = ""


class _Refused(Exception):
    """Why the file cannot be had, as the gap of the whole will say."""


class _NotYet(_Refused):
    """It may come."""


def as_published(told: Mapping[str, Any]) -> Dict[str, Any]:
    """What shards published, of what a job was told: AWX hands on each text !unsafe, and ansible-core reads one of digits as a number."""
    return {key: _in_words(entry) if isinstance(entry, dict) else entry for key, entry in told.items()}


def _in_words(entry: Dict[str, Any]) -> Dict[str, Any]:
    numbers = {key: entry[key] for key in ("name", "collection") if isinstance(entry.get(key), int) and not isinstance(entry[key], bool)}
    return {**entry, **{key: str(number) for key, number in numbers.items()}}


def collection_of(published: Mapping[str, Any], given: str, default: str) -> str:
    """The collection that is judged: the one that is named, or that most have published; PodnetError where there is none."""
    told = Counter(
        entry["collection"] for entry in published.values() if isinstance(entry, dict) and isinstance(entry.get("collection"), str)
    )
    found = given or (max(told, key=lambda one: (told[one], one)) if told else default)
    if not NAME.fullmatch(found):
        raise PodnetError(
            "It is not known which collection to judge: %s" % (repr(found) if found else "no shard has published one"),
            "Name it with collection (podnet_collection), as it was named to the shards.",
        )
    return found


def obtain(
    names: Sequence[str], collection: str, published: Mapping[str, Any], source: Source, wait: float
) -> Tuple[Dict[str, str], Dict[str, str]]:
    """(path by shard, why by shard that could not be had). Waits for those that may come, ``wait`` seconds in all."""
    keys = {key_of(name): name for name in names}
    strangers = {key: entry for key, entry in published.items() if key not in keys and isinstance(entry, dict)}
    known = {keys[key]: entry for key, entry in published.items() if key in keys}
    paths = {name: os.path.join(source.dest, name + ".jsonl.gz") for name in names}
    refused = {_called(key, entry): "%s: it has published %s" % (UNEXPECTED, key) for key, entry in strangers.items()}
    pending = sorted(names)
    end = time.monotonic() + wait
    while pending:
        later = []
        for name in pending:
            try:
                if known and name not in known:
                    raise _Refused("%s: no job has published %s" % (MISSING, key_of(name)))
                record = _record(name, collection, known[name], source) if known else Record(source.store)
                paths[name] = _fetch(name, collection, record, source)
                refused.pop(name, None)
            except _Refused as error:
                refused[name] = str(error)
                # What was refused is not read: one that says it is another shard would make that one there twice.
                with contextlib.suppress(OSError):
                    os.remove(os.path.join(source.dest, name + ".jsonl.gz"))
                later += [name] if isinstance(error, _NotYet) else []
        pending = later
        left = end - time.monotonic()
        if not pending or left <= 0:
            break
        time.sleep(min(_POLL_SECONDS, left))
    return paths, refused


def _called(key: str, entry: Mapping[str, Any]) -> str:
    name = entry.get("name")
    return name if isinstance(name, str) and NAME.fullmatch(name) else key[:80]


def _record(name: str, collection: str, entry: Any, source: Source) -> Record:
    """What was published, looked at before it is used."""

    def damaged(what: str) -> _Refused:
        return _Refused("%s: what it has published as %s %s" % (DAMAGED, key_of(name), what))

    if not isinstance(entry, dict):
        raise damaged("is no mapping")
    if entry.get("name") != name:
        raise damaged("has another name")
    if not isinstance(entry.get("collection"), str) or not NAME.fullmatch(entry["collection"]):
        raise damaged("names no collection")
    if entry["collection"] != collection:
        raise _Refused("%s: %s, not %s" % (OTHER_COLLECTION, entry["collection"], collection))
    if entry.get("store") not in STORES:
        raise damaged("has no store, one of %s" % ", ".join(STORES))
    if not isinstance(entry.get("sha256"), str) or not _SHA256.fullmatch(entry["sha256"]):
        raise damaged("has no SHA-256 sum")
    data = entry.get("data", "")
    if not isinstance(data, str) or len(data) > _ARTIFACT_LENGTH:
        raise damaged("has data that are no text, or more than %d characters" % _ARTIFACT_LENGTH)
    return Record(entry["store"], entry["sha256"], data)


def _fetch(name: str, collection: str, record: Record, source: Source) -> str:
    """The path of the shard's file, which is what it must be."""
    path = os.path.join(source.dest, name + ".jsonl.gz")
    if record.store == PATH:
        path = _shared(name, collection, source)
    elif record.store == URL:
        _write(path, _download(_url(name, collection, source), source))
    else:
        _write(path, [_decoded(record.data)])
    if record.sha256 is not None and _sum(path) != record.sha256:
        raise _NotYet("%s: %s has not the SHA-256 sum that the shard has published" % (DAMAGED, os.path.basename(path)))
    _unpack(path, source.max_bytes)
    return path


def _shared(name: str, collection: str, source: Source) -> str:
    if not source.folder:
        raise _Refused("%s: it is in a folder, and none is named (podnet_shards_dir)" % MISSING)
    path = os.path.join(source.folder, collection, name + ".jsonl.gz")
    try:
        found = os.lstat(path)
    except OSError as error:
        raise _NotYet("%s: %s: %s" % (MISSING, path, error.strerror))
    if not stat.S_ISREG(found.st_mode):
        raise _Refused("%s: %s is no regular file" % (DAMAGED, path))
    if found.st_size > source.max_bytes:
        raise _Refused("%s: %s has %d bytes, and may have %d" % (DAMAGED, path, found.st_size, source.max_bytes))
    return path


def _url(name: str, collection: str, source: Source) -> str:
    url = source.urls.get(name) or source.url
    if urlsplit(url).scheme not in ("http", "https"):
        raise _Refused("%s: it is in an object store, and no URL of http or https is named (podnet_shard_url)" % MISSING)
    return url.replace("{shard}", name).replace("{collection}", collection)


def without_secrets(url: str) -> str:
    """The URL as it may be told: a query signs it, and a user may have a password."""
    parts = urlsplit(url)
    return "%s://%s%s" % (parts.scheme, parts.netloc.rpartition("@")[2], parts.path)


def _download(url: str, source: Source) -> Iterator[bytes]:
    """The object, in pieces, up to as many bytes as it may have."""
    told, size = "GET " + without_secrets(url), 0
    try:
        with open_url(url, headers=dict(source.headers), timeout=30, decompress=False) as answer:
            while True:
                piece = answer.read(_CHUNK)
                if not piece:
                    return
                size += len(piece)
                if size > source.max_bytes:
                    raise _Refused("%s: %s gave more than %d bytes" % (DAMAGED, told, source.max_bytes))
                yield piece
    except HTTPError as error:
        raise _NotYet("%s: %s: %d %s" % (MISSING, told, error.code, error.reason))
    except (URLError, OSError, HTTPException, UrlsError, ValueError) as error:
        raise _NotYet("%s: %s: %s" % (MISSING, told, getattr(error, "reason", error)))


def _decoded(data: str) -> bytes:
    try:
        return base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError) as error:
        raise _Refused("%s: its data are no base64 (%s)" % (DAMAGED, error))


def _write(path: str, pieces: Any) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        for piece in pieces:
            file.write(piece)


def _sum(path: str) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for piece in iter(lambda: file.read(_CHUNK), b""):
            digest.update(piece)
    return digest.hexdigest()


def _unpack(path: str, most: int) -> None:
    """That it can be unpacked, to no more than it may have: a small file may hold a large one."""
    size = 0
    try:
        with gzip.open(path, "rb") as file:
            while True:
                piece = file.read(_CHUNK)
                if not piece:
                    return
                size += len(piece)
                if size > most:
                    raise _Refused("%s: %s holds more than %d bytes" % (DAMAGED, os.path.basename(path), most))
    except (OSError, EOFError, zlib.error) as error:
        raise _NotYet("%s: %s cannot be unpacked (%s)" % (DAMAGED, os.path.basename(path), error))
