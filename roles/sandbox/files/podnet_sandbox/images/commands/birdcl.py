# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`birdcl`, which Debian's BIRD 1.6 does not ship: BIRD's control socket from a command line, printed as Calico's.

    birdcl [-s SOCKET] [-v] [-r] [-l] COMMAND …

Calico's BIRD is a fork of 1.6.8 and calls itself v0.3.3+birdv1.6.8; what a 1.6 says is passed on as it is. What a
BIRD 2 says is put into 1.6's layout (`bird2.py`).
"""

from __future__ import annotations

import re
import socket
import sys

_VERSION = "v0.3.3+birdv1.6.8"
_REPLY = re.compile(r"^(\d{4})([ -])(.*)$")


def converse(path: str, commands: list[str]) -> tuple[str, list[list[str]]]:
    """(greeting, the answer's lines for each command). OSError where nobody listens."""
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(path)
        stream = client.makefile("rw", encoding="utf-8", errors="replace")
        greeting = stream.readline()
        answers = []
        for command in commands:
            stream.write(f"{command}\n")
            stream.flush()
            answers.append(list(_answer(stream)))
        return greeting, answers


def _answer(stream):
    """Lines of one answer. `1007-text` goes on, `0000 text` is the last; a leading space continues a code."""
    for raw in stream:
        line = raw.rstrip("\n")
        match = _REPLY.match(line)
        text = match[3] if match else line[1:] if line[:1] in " +" else line
        if text or not (match and match[2] == " "):
            yield text
        if match and match[2] == " ":
            return


def arguments(argv: list[str]) -> tuple[str, str]:
    """(socket's path, command)."""
    path, rest = "/run/calico/bird.ctl", list(argv)
    while rest and rest[0].startswith("-"):
        option = rest.pop(0)
        if option.startswith("-s"):
            path = option[2:] or (rest.pop(0) if rest else path)
    return path, " ".join(rest)


def main(argv: list[str]) -> int:
    """Print the answer; 1 where BIRD cannot be reached."""
    path, command = arguments(argv)
    try:
        greeting, answers = converse(path, [command] if command else [])
    except OSError as error:
        print(f"Unable to connect to server control socket ({path}): {error.strerror}", file=sys.stderr)
        return 1
    major = int(re.search(r"BIRD v?(\d+)", greeting)[1])
    lines = answers[0] if answers else []
    if major >= 2:
        sys.path.insert(0, __file__.rpartition("/")[0])
        import bird2

        lines = bird2.as_bird1(command, lines)
    print(f"BIRD {_VERSION} ready.")
    for line in lines:
        print(re.sub(r"^BIRD [\d.]+$", f"BIRD {_VERSION}", line))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
