# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Time as the API writes it (RFC 3339, UTC, whole seconds) and reads it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_FORMAT = "%Y-%m-%dT%H:%M:%SZ"


def now() -> str:
    """This second."""
    return datetime.now(UTC).strftime(_FORMAT)


def later(seconds: float) -> str:
    """``seconds`` from now."""
    return (datetime.now(UTC) + timedelta(seconds=seconds)).strftime(_FORMAT)


def age(timestamp: str | None) -> float | None:
    """Seconds since ``timestamp``; None for one that is missing or not a time."""
    if not timestamp:
        return None
    try:
        moment = datetime.fromisoformat(timestamp)
    except ValueError:
        return None
    return (datetime.now(UTC) - moment).total_seconds()
