# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the API refuses and how it says so: one exception that becomes a Kubernetes ``Status``.

Wording is that of kube-apiserver v1.32.13 (recorded conversations); clients and people match on it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .registry import Resource


class ApiError(Exception):
    """A refusal: HTTP ``code``, machine-readable ``reason``, ``message`` for people, ``details`` of the subject."""

    def __init__(self, code: int, reason: str, message: str, details: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details
        #: What the Status says of a list: a continue token, for one.
        self.metadata: Mapping[str, Any] = {}

    def status(self) -> dict[str, Any]:
        """The ``Status`` object that answers the request."""
        body: dict[str, Any] = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": dict(self.metadata),
            "status": "Failure",
            "message": self.message,
        }
        if self.reason:
            body["reason"] = self.reason
        if self.details is not None:
            body["details"] = dict(self.details)
        body["code"] = self.code
        return body


@dataclass(frozen=True)
class Cause:
    """One invalid field: ``field`` is its path, ``reason`` the FieldValue… code, ``message`` what is wrong with it."""

    reason: str
    message: str
    field: str

    def as_dict(self) -> dict[str, str]:
        return {"reason": self.reason, "message": self.message, "field": self.field}


def required(field: str, why: str = "") -> Cause:
    """A field that is missing."""
    return Cause("FieldValueRequired", f"Required value: {why}" if why else "Required value", field)


def invalid_value(field: str, value: str, why: str) -> Cause:
    """A field whose ``value`` (as Go prints it) is not allowed."""
    return Cause("FieldValueInvalid", f"Invalid value: {value}: {why}", field)


def unsupported(field: str, value: str, allowed: Iterable[str]) -> Cause:
    """A field whose value is none of ``allowed``."""
    listed = ", ".join(f'"{item}"' for item in allowed)
    return Cause("FieldValueNotSupported", f'Unsupported value: "{value}": supported values: {listed}', field)


def duplicate(field: str, value: str) -> Cause:
    """A value that must be there only once."""
    return Cause("FieldValueDuplicate", f'Duplicate value: "{value}"', field)


def forbidden_field(field: str, why: str) -> Cause:
    """A field that may not be set or changed."""
    return Cause("FieldValueForbidden", f"Forbidden: {why}", field)


def _subject(resource: Resource, name: str, kind: str | None = None) -> dict[str, Any]:
    details: dict[str, Any] = {}
    if name:
        details["name"] = name
    if resource.group:
        details["group"] = resource.group
    details["kind"] = kind or resource.plural
    return details


def not_found(resource: Resource, name: str) -> ApiError:
    """No object of that name."""
    return ApiError(404, "NotFound", f'{resource.name} "{name}" not found', _subject(resource, name))


def no_such_resource() -> ApiError:
    """The group exists, the kind does not."""
    return ApiError(404, "NotFound", "the server could not find the requested resource", {})


def method_not_allowed() -> ApiError:
    """The resource exists and cannot be used this way."""
    message = "the server does not allow this method on the requested resource"
    return ApiError(405, "MethodNotAllowed", message, {})


def already_exists(resource: Resource, name: str, *, going: bool = False) -> ApiError:
    """Create of a name that is taken, by an object that is ``going``."""
    said = "object is being deleted: " if going else ""
    return ApiError(409, "AlreadyExists", f'{said}{resource.name} "{name}" already exists', _subject(resource, name))


def conflict(resource: Resource, name: str, why: str = "") -> ApiError:
    """A write based on an outdated object, or one with a precondition that does not hold."""
    why = why or "the object has been modified; please apply your changes to the latest version and try again"
    message = f'Operation cannot be fulfilled on {resource.name} "{name}": {why}'
    return ApiError(409, "Conflict", message, _subject(resource, name))


def invalid(resource: Resource, name: str, causes: Iterable[Cause]) -> ApiError:
    """An object that was understood and is wrong: all ``causes`` at once."""
    found = list(causes)
    listed = list(dict.fromkeys(f"{cause.field}: {cause.message}" for cause in found))
    text = listed[0] if len(listed) == 1 else f"[{', '.join(listed)}]"
    kind = f"{resource.kind}.{resource.group}" if resource.group else resource.kind
    details = _subject(resource, name, resource.kind)
    details["causes"] = [cause.as_dict() for cause in found]
    return ApiError(422, "Invalid", f'{kind} "{name}" is invalid: {text}', details)


def forbidden(resource: Resource, name: str, why: str, causes: Iterable[Cause] = ()) -> ApiError:
    """Not allowed: by RBAC or by admission. ``why`` follows `is forbidden:`."""
    subject = f'{resource.name} "{name}"' if name else resource.name
    details = _subject(resource, name)
    listed = [cause.as_dict() for cause in causes]
    if listed:
        details["causes"] = listed
    return ApiError(403, "Forbidden", f"{subject} is forbidden: {why}", details)


def bad_request(message: str) -> ApiError:
    """The request itself makes no sense."""
    return ApiError(400, "BadRequest", message)


def rejected() -> ApiError:
    """A patch that was understood and cannot be done."""
    return ApiError(422, "Invalid", "the server rejected our request due to an error in our request", {})


def plain_error(message: str) -> ApiError:
    """What kube-apiserver has no kind of error for: it passes on what was said, as its own fault."""
    return ApiError(500, "", message)


def not_a_patch(patch: str, why: str) -> ApiError:
    """A patch whose result is no object of its kind; ``patch`` as Go prints it."""
    cause = invalid_value("patch", json.dumps(patch, ensure_ascii=False), why)
    return ApiError(422, "Invalid", f' "" is invalid: patch: {cause.message}', {"causes": [cause.as_dict()]})


def unauthorized() -> ApiError:
    """Credentials that are not valid."""
    return ApiError(401, "Unauthorized", "Unauthorized")


def expired(message: str) -> ApiError:
    """A resourceVersion or continue token that is no longer known."""
    return ApiError(410, "Expired", message)


def internal(message: str) -> ApiError:
    """The server's own fault."""
    return ApiError(500, "InternalError", f"Internal error occurred: {message}")


def unsupported_media_type(accepted: Iterable[str]) -> ApiError:
    """A body in a format this server does not read."""
    message = "the body of the request was in an unknown format - accepted media types include: " + ", ".join(accepted)
    return ApiError(415, "UnsupportedMediaType", message)


def not_acceptable(offered: Iterable[str]) -> ApiError:
    """An answer was asked for in a format this server does not write."""
    message = "only the following media types are accepted: " + ", ".join(offered)
    return ApiError(406, "NotAcceptable", message)
