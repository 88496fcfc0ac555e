# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every message that a person can be left with, as it is written in the code, with ``{name}`` where it is filled in.

Looked through: what plugins and the sandbox raise, what modules fail with or warn of, what filters judge, `fail` and `assert` of roles and
playbooks with the variables that these take their words from, what shell scripts say on standard error, and the Makefile. Left out: what
checks find (docs/checks/ has it), what the sandbox answers as a Kubernetes API, and errors that only a mistake in the code can cause.
"""

from __future__ import annotations

import functools
import pathlib
import re
from collections.abc import Iterator
from typing import NamedTuple

from .jinja import said_by_tasks
from .python import said_by_python

ROOT = pathlib.Path(__file__).resolve().parents[2]
_SCRIPTS = ("scripts/environment", "scripts/find-python", "scripts/with-engine", "roles/pod_routing/files/record-cluster")


class Message(NamedTuple):
    """The text with its placeholders, what it goes on with (the remedy), and the file that it is written in."""

    text: str
    remedy: str
    source: str


@functools.cache
def messages() -> tuple[Message, ...]:
    """All of them, each text once, with the first file that has it."""
    found: dict[str, Message] = {}
    for source, text, remedy in _all():
        text, remedy = _plain(text), _plain(remedy)
        if _is_told(text):
            found.setdefault(text, Message(text, remedy, source))
    return tuple(found.values())


def _all() -> Iterator[tuple[str, str, str]]:
    for path in sorted((ROOT / "plugins").rglob("*.py")) + sorted((ROOT / "roles/sandbox/files").rglob("*.py")):
        name = str(path.relative_to(ROOT))
        yield from ((name, *said) for said in said_by_python(path, is_sandbox="podnet_sandbox" in name))
    for role in sorted((ROOT / "roles").iterdir()):
        yield from ((str(path.relative_to(ROOT)), text, "") for path, text in said_by_tasks(role))
    yield from ((str(path.relative_to(ROOT)), text, "") for path, text in said_by_tasks(ROOT / "playbooks"))
    for name in _SCRIPTS:
        yield from ((name, text, "") for text in _said_by_shell((ROOT / name).read_text()))
    for said in re.findall(r"^\$\(error (.*)\)$", (ROOT / "Makefile").read_text(), re.MULTILINE):
        yield (
            "Makefile",
            re.sub(r"\$\(([A-Z]+)\)|\$\((?:[^()]|\([^()]*\)|\((?:[^()]|\([^()]*\))*\))*\)", lambda m: f"{{{m[1] or '…'}}}", said),
            "",
        )


def _said_by_shell(script: str) -> Iterator[str]:
    """What it echoes to standard error, and reasons that it prints for its caller."""
    for loud, reason in re.findall(r"""echo "((?:[^"\\]|\\.)*)" >&2|echo "((?:no|there is no) [^"]*)"$""", script, re.MULTILINE):
        yield re.sub(r"\$(?:\{(\w+)[^}]*\}|(\w+))", lambda match: f"{{{match[1] or match[2]}}}", loud or reason)


def _plain(text: str) -> str:
    return " ".join(text.split())


def _is_told(text: str) -> bool:
    """Whether it has words of its own: what only hands on another's is told where that one is."""
    own = re.sub(r"\{[^}]*\}|\([^)]*\)", "", text)
    return " " in text and re.search(r"[A-Za-z]{3,}", own) is not None
