# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The docker command, run as kind runs it.

Facts (kind 0.31.0, run): a failure is told with the whole command, Go's word for its end, and what it printed; a missing docker is
`exec: "docker": executable file not found in $PATH`.
"""

from __future__ import annotations

import shlex
import subprocess
from dataclasses import dataclass

from podnet_doubles.errors import ToolError


class CommandFailed(ToolError):
    """A command that kind runs has failed."""

    def __init__(self, argv: list[str], error: str, output: str) -> None:
        super().__init__(
            f'command "{" ".join(map(_quoted, argv))}" failed with error: {error}\n\nCommand Output: {output.rstrip()}'
        )
        self.output = output


@dataclass(frozen=True)
class Network:
    """A Docker network's IPv4 part, and who is in it."""

    name: str
    subnet: str
    gateway: str
    containers: int


def run(*arguments: str, stdin: bytes | None = None) -> str:
    """What `docker ARGUMENTS` printed. Raises `CommandFailed`."""
    argv = ["docker", *arguments]
    try:
        ended = subprocess.run(argv, input=stdin, stdin=None if stdin else subprocess.DEVNULL, capture_output=True, check=False)
    except FileNotFoundError as error:
        raise CommandFailed(argv, 'exec: "docker": executable file not found in $PATH', "") from error
    output, complaint = ended.stdout.decode(errors="replace"), ended.stderr.decode(errors="replace")
    if ended.returncode:
        raise CommandFailed(argv, f"exit status {ended.returncode}", output + complaint)
    return output


def lines(*arguments: str) -> list[str]:
    """The lines that `docker ARGUMENTS` printed."""
    return run(*arguments).splitlines()


def succeeds(*arguments: str) -> bool:
    """Whether `docker ARGUMENTS` ends with 0."""
    try:
        run(*arguments)
    except CommandFailed:
        return False
    return True


def _quoted(word: str) -> str:
    # shellescape.Quote of kind leaves these alone as shlex does.
    return shlex.quote(word)
