# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""OpenAPI v3: the schemas of all kinds, made from the field tables and the definitions' own schemas.

kubectl needs it before it applies anything: to see that the server validates (``fieldValidation``), and, for kinds whose schema it
does not have built in, which lists merge by key.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from .media import JSON, encode
from .registry import Registry, Resource
from .schema import Field, ListField, MapField, ObjectField, OneOf, Scalar, kinds

Object = dict[str, Any]

_SCALARS: Mapping[str, Object] = {
    "bool": {"type": "boolean"},
    "bytes": {"type": "string", "format": "byte"},
    "int32": {"type": "integer", "format": "int32"},
    "int64": {"type": "integer", "format": "int64"},
    "intstr": {"oneOf": [{"type": "integer"}, {"type": "string"}], "format": "int-or-string"},
    "microtime": {"type": "string", "format": "date-time"},
    "number": {"type": "number", "format": "double"},
    "quantity": {"oneOf": [{"type": "string"}, {"type": "number"}]},
    "string": {"type": "string"},
    "time": {"type": "string", "format": "date-time"},
}
#: Scalars that Kubernetes names as types of their own: kubectl explain shows these names.
_NAMED = {
    "intstr": "io.k8s.apimachinery.pkg.util.intstr.IntOrString",
    "microtime": "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime",
    "quantity": "io.k8s.apimachinery.pkg.api.resource.Quantity",
    "time": "io.k8s.apimachinery.pkg.apis.meta.v1.Time",
}
_PACKAGES = {
    "apiextensions.k8s.io": "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions",
    "apiregistration.k8s.io": "io.k8s.kube-aggregator.pkg.apis.apiregistration",
    "meta.k8s.io": "io.k8s.apimachinery.pkg.apis.meta",
    "projectcalico.org": "com.github.projectcalico.api.pkg.apis.projectcalico",
}
_PARAMETERS = ("dryRun", "fieldManager", "fieldValidation", "pretty")
_PREFIX = "#/components/schemas/"
#: Asked for as `…v2@v1.0+protobuf`, which is no media type.
_OLDER_PROTOBUF = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"


class OpenApi:
    """Documents by group and version, made when asked for and kept until the registry changes."""

    def __init__(self, registry: Registry, kubernetes_version: str) -> None:
        self._registry = registry
        self._version = kubernetes_version
        self._revision = -1
        self._documents: dict[str, bytes] = {}
        self._types: Object = {}

    def index(self) -> Object:
        """``/openapi/v3``: where the documents are; the hash changes with their content."""
        paths = {}
        for group, versions in self._registry.groups().items():
            for version in versions:
                name = f"apis/{group}/{version}" if group else f"api/{version}"
                mark = f"{self._registry.revision}/{name}" if group else name
                digest = hashlib.sha256(mark.encode()).hexdigest().upper()
                paths[name] = {"serverRelativeURL": f"/openapi/v3/{name}?hash={digest}"}
        return {"paths": paths}

    def older(self, accept: str) -> tuple[bytes, str]:
        """``/openapi/v2`` and its type: a document that describes nothing, for what asks for it does without what it does not find.

        kubectl looks there for the contents of a List, and leaves them to the server then.
        """
        title = "Kubernetes"
        if "proto-openapi.spec.v2" in accept:
            info = _text(1, title) + _text(2, self._version)
            return _text(1, "2.0") + b"\x12" + bytes((len(info),)) + info, _OLDER_PROTOBUF
        return encode({"swagger": "2.0", "info": {"title": title, "version": self._version}, "paths": {}, "definitions": {}}), JSON

    def document(self, name: str) -> bytes | None:
        """The document at ``/openapi/v3/<name>`` as JSON, None if there is none."""
        if self._revision != self._registry.revision:
            self._documents.clear()
            self._revision = self._registry.revision
        if name not in self._documents:
            group, version = _group_version(name)
            resources = self._registry.in_version(group, version)
            if not resources:
                return None
            self._documents[name] = encode(self._build(resources))
        return self._documents[name]

    def _build(self, resources: list[Resource]) -> Object:
        schemas: Object = {}
        paths: Object = {}
        for resource in resources:
            name = _schema_name(resource)
            schemas[name] = _kind_schema(resource, schemas)
            paths.update(_paths(resource, name))
        info = {"title": "Kubernetes", "version": self._version}
        return {"openapi": "3.0.0", "info": info, "paths": paths, "components": {"schemas": schemas}}


def _text(number: int, text: str) -> bytes:
    """A short text as a field of a message."""
    return bytes((number << 3 | 2, len(text))) + text.encode()


def _group_version(name: str) -> tuple[str, str]:
    parts = name.strip("/").split("/")
    if parts[0] == "api" and len(parts) == 2:
        return "", parts[1]
    return (parts[1], parts[2]) if parts[0] == "apis" and len(parts) == 3 else ("-", "-")


def _schema_name(resource: Resource) -> str:
    if resource.custom:
        return ".".join([*reversed(resource.group.split(".")), resource.version, resource.kind])
    return _type_name(resource.group, resource.version, resource.kind)


def _type_name(group: str, version: str, name: str) -> str:
    package = _PACKAGES.get(group, "io.k8s.api." + (group or "core").split(".")[0])
    return f"{package}.{version}.{name}"


def _kind_schema(resource: Resource, schemas: Object) -> Object:
    kind = [{"group": resource.group, "kind": resource.kind, "version": resource.version}]
    if resource.custom:
        schema = dict(resource.schema or {"type": "object"})
        own = {**_TYPE_META, "metadata": _schema(kinds().type("meta.k8s.io", "ObjectMeta"), schemas)}
        schema["properties"] = {**(schema.get("properties") or {}), **own}
    else:
        fields = resource.fields
        schema = _object(fields, schemas) if fields else {"type": "object"}
    return {**schema, "x-kubernetes-group-version-kind": kind}


_TYPE_META: Mapping[str, Object] = {"apiVersion": {"type": "string"}, "kind": {"type": "string"}}


def _schema(field: Field, schemas: Object) -> Object:
    if isinstance(field, Scalar):
        name = _NAMED.get(field.kind)
        if name is None:
            return dict(_SCALARS[field.kind])
        schemas[name] = dict(_SCALARS[field.kind])
        return {"allOf": [{"$ref": _PREFIX + name}]}
    if isinstance(field, MapField):
        return {"type": "object", "additionalProperties": _schema(field.value, schemas), **_whole(field)}
    if isinstance(field, ListField):
        return {"type": "array", "items": _schema(field.item, schemas), **_merging(field)}
    if isinstance(field, ObjectField):
        name = _type_name(field.group, field.version, field.name)
        if name not in schemas:
            schemas[name] = {}  # types may hold themselves
            schemas[name] = _object(field, schemas)
        return {"allOf": [{"$ref": _PREFIX + name}], **({} if field.optional else {"default": {}})}
    if isinstance(field, OneOf):  # no type at all, as kube-apiserver says it
        return {}
    return {"type": "object", "x-kubernetes-preserve-unknown-fields": True}


def _object(field: ObjectField, schemas: Object) -> Object:
    properties = {name: _schema(item, schemas) for name, item in sorted(field.fields.items())}
    needed = {"required": sorted(field.required)} if field.required else {}
    return {"type": "object", "properties": properties, **needed, **_whole(field)}


def _whole(field: MapField | ObjectField) -> Object:
    return {"x-kubernetes-map-type": "atomic"} if field.atomic else {}


def _merging(field: ListField) -> Object:
    found: Object = {}
    if field.merge_set or field.merge_key:
        found["x-kubernetes-patch-strategy"] = "merge"
    if field.merge_key:
        found["x-kubernetes-patch-merge-key"] = field.merge_key
    if field.apply_keys:
        return found | {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": list(field.apply_keys)}
    return found | {"x-kubernetes-list-type": "set" if field.is_set else "atomic"}


def _paths(resource: Resource, name: str) -> Object:
    """The paths of a resource, with what kubectl reads from them: the kind, and that validation can be asked for."""
    root = f"/apis/{resource.group}/{resource.version}" if resource.group else f"/api/{resource.version}"
    root += "/namespaces/{namespace}/" if resource.namespaced else "/"
    kind = {"group": resource.group, "kind": resource.kind, "version": resource.version}
    answer = {"200": {"description": "OK", "content": {"application/json": {"schema": {"$ref": _PREFIX + name}}}}}
    written = {
        "parameters": [{"in": "query", "name": item, "schema": {"type": "string"}} for item in _PARAMETERS],
        "responses": answer,
        "x-kubernetes-group-version-kind": kind,
    }
    read = {"responses": answer, "x-kubernetes-action": "get", "x-kubernetes-group-version-kind": kind}
    one = {"get": read, "patch": {**written, "x-kubernetes-action": "patch"}, "put": {**written, "x-kubernetes-action": "put"}}
    create = {"post": {**written, "x-kubernetes-action": "post"}}
    return {root + resource.plural: create, f"{root}{resource.plural}/{{name}}": one}
