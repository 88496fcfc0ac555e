# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one exception of the collection (private), and the one place that turns it into a failed task."""

from __future__ import annotations

from typing import Any, NoReturn, Optional

FORBIDDEN, NOT_FOUND, UNREACHABLE, UNAUTHORIZED = "forbidden", "not found", "unreachable", "unauthorized"
BAD_REQUEST = "bad request"  # the server does not understand what it was asked
CONFLICT = "conflict"  # the object was changed, or made, by somebody else meanwhile


class PodnetError(Exception):
    """Something that the person who runs the task can act on.

    ``message`` says what was being done, to what, and what came back; ``remedy`` what to do next. ``reason`` is one of
    the constants above where code must tell them apart, else None. ``facts`` are further keys of the task's result.
    """

    def __init__(self, message: str, remedy: Optional[str] = None, reason: Optional[str] = None, **facts: Any) -> None:
        super().__init__(message if remedy is None else "%s %s" % (_sentence(message), remedy))
        self.message = message
        self.remedy = remedy
        self.reason = reason
        self.facts = facts


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else text + "."


def fail_from(module: Any, error: PodnetError) -> NoReturn:
    """End the task as failed with everything the error knows."""
    module.fail_json(msg=str(error), **error.facts)
    raise AssertionError("fail_json returned")  # it never does; this tells so to the reader and to type checkers
