# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many commands in one exec (private): a POSIX sh script that prints each command's output between marks, and its reader.

An exec costs a TLS connection and a process; the commands inside cost next to nothing, so a node and a pod are asked
once. The mark is 128 random bits, drawn for every exec: no interface name, alias or BGP password can contain it. The
same mark goes to standard error, so that each command keeps its own error text.
"""

from __future__ import annotations

import secrets
from typing import Dict, List, NamedTuple, Optional

_PRELUDE = r"""m=%s
r() { n=$1; shift; printf '\n%%s %%s\n' $m "$n"; printf '\n%%s %%s\n' $m "$n" >&2; "$@"; c=$?; printf '\n%%s = %%s\n' $m $c; return $c; }
"""
_END = "\nprintf '\\n%s .\\n' $m\n"


class Section(NamedTuple):
    """What one command printed. ``code`` is None when it was cut off before it ended."""

    stdout: str
    stderr: str
    code: Optional[int]

    @property
    def said(self) -> str:
        """The last words of a failed command, for a person: first line of its error text, else of its output."""
        for text in (self.stderr, self.stdout):
            lines = text.strip().splitlines()
            if lines:
                return lines[0][:300]
        return "exit code %s" % self.code


class Script(NamedTuple):
    """A script to run with ``sh -c`` and the mark that its output is cut at."""

    text: str
    mark: str

    @property
    def argv(self) -> List[str]:
        return ["sh", "-c", self.text]


def build(body: str) -> Script:
    """A script of ``body``, whose lines call ``r NAME COMMAND …`` for every output to keep."""
    mark = secrets.token_hex(16)
    return Script(_PRELUDE % mark + body.strip() + _END, mark)


def read(script: Script, stdout: bytes, stderr: bytes) -> Dict[str, Section]:
    """The sections by name, in the order they ran. Bytes that are not UTF-8 become U+FFFD."""
    errors = dict(_pieces(stderr, script.mark))
    sections: Dict[str, Section] = {}
    name = None
    for title, text in _pieces(stdout, script.mark):
        if title.startswith("= ") and name is not None:
            code = title[2:].strip()
            if code.isdigit():
                sections[name] = sections[name]._replace(code=int(code))
            name = None
        elif title != ".":
            name = title
            sections[name] = Section(text, errors.get(name, ""), None)
    return sections


def _pieces(output: bytes, mark: str) -> List[tuple]:
    """(title, text) for each mark; text before the first mark (a login banner) is dropped."""
    pieces = []
    for part in output.decode("utf-8", "replace").split("\n%s " % mark)[1:]:
        title, newline, text = part.partition("\n")
        if newline:  # a title without its newline was cut off
            pieces.append((title, text))
    return pieces
