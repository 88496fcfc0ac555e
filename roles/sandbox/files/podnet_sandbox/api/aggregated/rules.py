# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a kind of the v3 API has of its own: how its spec differs on the two sides, its defaults, what is wrong with one."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from ..errors import ApiError, Cause, invalid_value, plain_error

Object = dict[str, Any]
#: Lists what is kept, by the kind's plural: the v3 objects, not to be altered.
Lister = Callable[[str], Iterable[Mapping[str, Any]]]


class Problem(NamedTuple):
    """A field that is not as it must be: how Calico calls it, its value, and why not."""

    field: str
    value: Any
    reason: str

    def __str__(self) -> str:
        named = self.field if self.value is None else f"{self.field} = '{_plain(self.value)}'"
        return f"{named} ({self.reason})"


class Rules:
    """What holds where nothing is said: both sides are alike, everything may be written."""

    #: Whether a v3 object's name is kept beside that of the v1 object.
    keeps_name = False

    def show(self, obj: Object) -> None:
        """Make of a v1 object's content that of the v3 object, in place."""

    def keep(self, obj: Object) -> None:
        """The other way round."""

    def complete(self, obj: Object) -> None:
        """Fill in what Calico's client does before it writes, in place."""

    def check(self, obj: Mapping[str, Any], before: Mapping[str, Any] | None, objects: Lister) -> Iterator[Problem]:
        """What is wrong with a v3 object that replaces ``before`` (None: a new one). May raise `ApiError`."""
        yield from ()

    def check_deletion(self, obj: Mapping[str, Any], objects: Lister) -> None:
        """Raises `ApiError` where it must stay."""

    def stored_name(self, name: str) -> str:
        """The name of the v1 object."""
        return name


def invalid(name: str, problems: Iterable[Problem]) -> ApiError:
    """How Calico's API server refuses an object: without its kind, which its decoder has taken away (kubectl: The request is invalid)."""
    causes = [_cause(problem) for problem in problems]
    listed = list(dict.fromkeys(f"{cause.field}: {cause.message}" for cause in causes))
    text = listed[0] if len(listed) == 1 else f"[{', '.join(listed)}]"
    details = {"name": name, "causes": [cause.as_dict() for cause in causes]}
    return ApiError(422, "Invalid", f' "{name}" is invalid: {text}', details)


def cannot_delete(problems: Iterable[Problem]) -> ApiError:
    """What it says where an object cannot be written before it is deleted: its client's own words, as no status of the API."""
    found = list(problems)
    if len(found) == 1:
        return plain_error(f"error with field {found[0]}")
    return plain_error("error with the following fields:\n" + "".join(f"-  {problem}\n" for problem in found))


def unsupported(operation: str, identifier: str, why: str) -> ApiError:
    """Something that Calico's client does not do."""
    return plain_error(f"operation {operation} is not supported on {identifier}: {why}")


def _cause(problem: Problem) -> Cause:
    return invalid_value(problem.field, _literal(problem.value), problem.reason)


def _literal(value: Any) -> str:
    """As Go prints it (%#v)."""
    if value is None:
        return '"null"'
    if isinstance(value, list):
        return f"[]string{{{', '.join(json.dumps(item) for item in value)}}}"
    return json.dumps(value, ensure_ascii=False)


def _plain(value: Any) -> str:
    """As Go prints it (%v)."""
    if isinstance(value, bool):
        return str(value).lower()
    return f"[{' '.join(value)}]" if isinstance(value, list) else str(value)
