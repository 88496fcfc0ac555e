# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Command lines as Go's cobra and pflag read them.

Facts: pflag's messages as the real kind 0.31.0 prints them (`unknown flag: --nope`); `--name x`, `--name=x`, `-n x` and `-nx` are
one; a boolean takes a value only by `=`; `--` ends the flags; Go durations (`1m30s`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from podnet_doubles.errors import ToolError

_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_DURATION = re.compile(r"[-+]?(?:0|(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|ms|s|m|h))+)")
_PART = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|ms|s|m|h)")


@dataclass(frozen=True)
class Flag:
    """``kind`` is str, bool, list (repeatable) or "duration" (kept as text, checked)."""

    default: Any = ""
    kind: Any = str
    short: str = ""


def parse(arguments: Sequence[str], flags: Mapping[str, Flag]) -> tuple[dict[str, Any], list[str]]:
    """(value of each flag, the rest). Raises `ToolError` with pflag's text."""
    values = {name: list(flag.default) if flag.kind is list else flag.default for name, flag in flags.items()}
    shorts = {flag.short: name for name, flag in flags.items() if flag.short}
    rest: list[str] = []
    waiting = list(arguments)
    while waiting:
        argument = waiting.pop(0)
        if argument == "--":
            return values, rest + waiting
        if not argument.startswith("-") or argument == "-":
            rest.append(argument)
            continue
        shown, name, value = _split(argument, flags, shorts)
        flag = flags[name]
        if value is None and flag.kind is not bool:
            if not waiting:
                raise ToolError(f"flag needs an argument: {shown}")
            value = waiting.pop(0)
        _store(values, name, flag, value)
    return values, rest


def seconds(text: str) -> float:
    """A Go duration in seconds. Raises `ToolError` with Go's text."""
    if not _DURATION.fullmatch(text):
        raise ToolError(f'time: invalid duration "{text}"')
    total = sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(text))
    return -total if text.startswith("-") else total


def duration(amount: float) -> str:
    """Seconds as Go prints a duration, to the second: 15m0s."""
    whole = round(amount)
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    if hours:
        return f"{hours}h{minutes}m{rest}s"
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"


def _split(argument: str, flags: Mapping[str, Flag], shorts: Mapping[str, str]) -> tuple[str, str, str | None]:
    if argument.startswith("--"):
        shown, _equals, given = argument.partition("=")
        if shown[2:] not in flags:
            raise ToolError(f"unknown flag: {shown}")
        return shown, shown[2:], given if "=" in argument else None
    letter = argument[1]
    if letter not in shorts:
        raise ToolError(f"unknown shorthand flag: '{letter}' in {argument}")
    return f"'{letter}' in {argument}", shorts[letter], argument[2:].removeprefix("=") or None


def _store(values: dict[str, Any], name: str, flag: Flag, value: str | None) -> None:
    if flag.kind is bool:
        values[name] = value != "false"
    elif flag.kind is list:
        values[name].append(value)
    else:
        if flag.kind == "duration":
            _check_duration(name, str(value))
        values[name] = value


def _check_duration(name: str, value: str) -> None:
    try:
        seconds(value)
    except ToolError as error:
        raise ToolError(f'invalid argument "{value}" for "--{name}" flag: {error}') from error
