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

from .media import encode
from .registry import Registry, Resource
from .schema import Field, ListField, MapField, ObjectField, Scalar, kinds

Object = dict[str, Any]

_SCALARS: Mapping[str, Object] = {
    "any": {},
    "bool": {"type": "boolean"},
    "int": {"type": "integer", "format": "int64"},
    "intstr": {"type": "string", "format": "int-or-string"},
    "quantity": {"type": "string"},
    "string": {"type": "string"},
    "time": {"type": "string", "format": "date-time"},
}
_PARAMETERS = ("dryRun", "fieldManager", "fieldValidation", "pretty")
_PREFIX = "#/components/schemas/"


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


def _group_version(name: str) -> tuple[str, str]:
    parts = name.strip("/").split("/")
    if parts[0] == "api" and len(parts) == 2:
        return "", parts[1]
    return (parts[1], parts[2]) if parts[0] == "apis" and len(parts) == 3 else ("-", "-")


def _schema_name(resource: Resource) -> str:
    if resource.custom:
        return ".".join([*reversed(resource.group.split(".")), resource.version, resource.kind])
    return f"io.k8s.api.{resource.group.split('.')[0] or 'core'}.{resource.version}.{resource.kind}"


def _kind_schema(resource: Resource, schemas: Object) -> Object:
    kind = [{"group": resource.group, "kind": resource.kind, "version": resource.version}]
    if resource.custom:
        schema = dict(resource.schema or {"type": "object"})
        metadata = kinds().find("v1", "ConfigMap")
        if metadata is not None:
            properties = {**(schema.get("properties") or {}), "metadata": _schema(metadata.fields["metadata"], schemas)}
            schema["properties"] = properties
    else:
        fields = kinds().find(resource.api_version, resource.kind)
        schema = _object(fields, schemas) if fields else {"type": "object"}
    return {**schema, "x-kubernetes-group-version-kind": kind}


def _schema(field: Field, schemas: Object) -> Object:
    if isinstance(field, Scalar):
        return dict(_SCALARS[field.kind])
    if isinstance(field, MapField):
        return {"type": "object", "additionalProperties": _schema(field.value, schemas)}
    if isinstance(field, ListField):
        return {"type": "array", "items": _schema(field.item, schemas), **_merging(field)}
    if isinstance(field, ObjectField):
        name = f"io.k8s.api.types.v1.{field.name}"
        if name not in schemas:
            schemas[name] = {}  # types may hold themselves
            schemas[name] = _object(field, schemas)
        return {"allOf": [{"$ref": _PREFIX + name}], "default": {}}
    return {"type": "object", "x-kubernetes-preserve-unknown-fields": True}


def _object(field: ObjectField, schemas: Object) -> Object:
    return {"type": "object", "properties": {name: _schema(item, schemas) for name, item in field.fields.items()}}


def _merging(field: ListField) -> Object:
    found: Object = {}
    if field.is_set:
        return {"x-kubernetes-list-type": "set", "x-kubernetes-patch-strategy": "merge"}
    if field.merge_key:
        found |= {"x-kubernetes-patch-merge-key": field.merge_key, "x-kubernetes-patch-strategy": "merge"}
    if field.apply_keys:
        found |= {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": list(field.apply_keys)}
    return found or {"x-kubernetes-list-type": "atomic"}


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
