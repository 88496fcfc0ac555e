# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Content negotiation: what a client accepts, what a body is."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml
from aiohttp import web

from . import json_text, protobuf
from .documents import DocumentError, read_yaml
from .errors import ApiError, bad_request, not_acceptable, unsupported_media_type

JSON, YAML, PROTOBUF = "application/json", "application/yaml", "application/vnd.kubernetes.protobuf"
APPLY, JSON_PATCH = "application/apply-patch+yaml", "application/json-patch+json"
MERGE_PATCH, STRATEGIC_PATCH = "application/merge-patch+json", "application/strategic-merge-patch+json"
_ANY = ("*/*", "application/*")
#: A list of more objects is sent in pieces of so many bytes.
_LONG, _PIECE = 100, 1 << 16
_META_VERSIONS = ("v1", "v1beta1")


@dataclass(frozen=True)
class Wanted:
    """The form of an answer: ``media`` (JSON, YAML, protobuf) and ``shape``: '' (the objects), Table, PartialObjectMetadata…"""

    media: str = JSON
    shape: str = ""


def accepted(header: str, *, protobuf_too: bool = False) -> Wanted:
    """The first form in an ``Accept`` header that can be served. Raises `ApiError` 406 if there is none.

    ``protobuf_too``: of kinds whose fields are described, and not in the shape of a table.
    """
    if not header:
        return Wanted()
    for media, parameters in media_types(header):
        shape = parameters.get("as", "")
        if shape and (parameters.get("g") != "meta.k8s.io" or parameters.get("v") not in _META_VERSIONS):
            continue
        if shape not in ("", "Table", "PartialObjectMetadata", "PartialObjectMetadataList"):
            continue
        if media == JSON or media in _ANY:
            return Wanted(JSON, shape)
        if media == YAML:
            return Wanted(YAML, shape)
        if media == PROTOBUF and protobuf_too and not shape:
            return Wanted(PROTOBUF)
    raise not_acceptable((JSON, YAML, PROTOBUF) if protobuf_too else (JSON, YAML))


def media_types(header: str) -> list[tuple[str, dict[str, str]]]:
    """The media types of a header with their parameters, in its order."""
    found = []
    for part in header.split(","):
        media, *parameters = (piece.strip() for piece in part.split(";"))
        pairs = (parameter.partition("=") for parameter in parameters)
        found.append((media, {key.strip(): value.strip() for key, _ignored, value in pairs}))
    return found


def respond(wanted: Wanted, body: Any, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    """``body`` in the form that was asked for."""
    if wanted.media == PROTOBUF:
        data = protobuf.encode(body)
        if data is not None:
            return web.Response(body=data, status=status, headers=headers, content_type=PROTOBUF)
    if wanted.media == YAML:
        return web.Response(text=yaml.safe_dump(body, sort_keys=True), status=status, headers=headers, content_type=YAML)
    listed = next((name for name in ("items", "rows") if len(body.get(name) or ()) > _LONG), None)
    whole = encode(body) if listed is None else _pieces(body, listed)
    return web.Response(body=whole, status=status, headers=headers, content_type=JSON)


async def _pieces(body: Mapping[str, Any], listed: str) -> AsyncIterator[bytes]:
    """A long list bit by bit: others have their turn meanwhile, and a client that does not read takes no memory."""
    piece = bytearray(encode({key: value for key, value in body.items() if key != listed})[:-1] + f',"{listed}":['.encode())
    for place, item in enumerate(body[listed]):
        piece += b"," * bool(place) + encode(item)
        if len(piece) > _PIECE:
            yield bytes(piece)
            piece.clear()
    yield bytes(piece) + b"]}"


def refuse(error: ApiError, accept: str = "") -> web.Response:
    """The answer to a request that is refused; as protobuf where that is the first form accepted."""
    seconds = (error.details or {}).get("retryAfterSeconds")
    headers = {"Retry-After": str(seconds)} if seconds else None
    if accept.split(",")[0].strip() == PROTOBUF:
        return respond(Wanted(PROTOBUF), error.status(), error.code, headers)
    return web.Response(body=encode(error.status()), status=error.code, headers=headers, content_type=JSON)


def encode(body: Any) -> bytes:
    """Compact JSON."""
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode(errors="replace")


def decode(data: bytes, content_type: str, kind: str) -> Any:
    """A request's body, which should be a ``kind``. Raises `ApiError` 400 or 415."""
    media = content_type.partition(";")[0].strip()
    if media in (JSON, ""):
        return decode_json(data, kind)
    if media == YAML:
        return decode_yaml(data)
    if media == PROTOBUF:
        return protobuf.decode(data)
    raise unsupported_media_type((JSON, YAML, PROTOBUF))


def decode_json(data: bytes, kind: str) -> Any:
    """JSON with Go's complaint about what is not. Raises `ApiError` 400."""
    try:
        return json_text.parse(data)
    except ValueError as error:
        why = f"couldn't get version/kind; json parse error: {error} ({json_text.summary(data)})"
        raise bad_request(f"the object provided is unrecognized (must be of type {kind}): {why}") from error


def decode_yaml(data: bytes) -> Any:
    """YAML (or JSON, which is YAML). Raises `ApiError` 400."""
    try:
        return read_yaml(data)
    except DocumentError as error:
        raise bad_request(f"error decoding YAML: {error}") from error
    except yaml.YAMLError as error:
        raise bad_request(f"error decoding YAML: error converting YAML to JSON: yaml: {_go_yaml(error)}") from error


def _go_yaml(error: yaml.YAMLError) -> str:
    """What go-yaml says; it names no line for what is wrong on the first."""
    mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None) or getattr(error, "reason", "")
    if mark is None or not mark.line:
        return str(problem)
    return f"line {mark.line + (1 if isinstance(error, yaml.scanner.ScannerError) else 0)}: {problem}"
