# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The blocks of a Markdown page that are run: commands, and what they printed. Pure.

A block is a fence of ``console`` below a comment that says how it is run:

    <!-- run: screen exit=2 -->
    ```console
    $ make verify
    Built …
    ```

A line after ``$ `` is a command, lines after ``> `` go on with it, anything else is output and is written by capture.py.
``screen`` keeps of Ansible's output the screen that ends it, ``exit`` is the code that is expected (0), ``quiet`` shows no output,
``once`` runs a command that was run before with ``once`` not again, and shows what it printed then.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_BLOCK = re.compile(r"^<!-- run(?::(?P<options>[^\n]*?))? -->\n```console\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_OPTIONS = re.compile(r"screen|quiet|once|exit=\d+")


class Step(NamedTuple):
    """A command, of one line or several, and the lines that are printed below it."""

    command: str
    output: list[str]


class Block(NamedTuple):
    """A block of a page: how it is run, and its steps in their order."""

    options: frozenset[str]
    exit_code: int
    steps: list[Step]


def _steps(text: str) -> list[Step]:
    found: list[Step] = []
    for line in text.splitlines():
        if line.startswith("$ "):
            found.append(Step(line[2:], []))
        elif line.startswith("> ") and found and not found[-1].output:
            found[-1] = Step(f"{found[-1].command}\n{line[2:]}", [])
        elif found:
            found[-1].output.append(line)
        else:
            raise ValueError(f"a block that is run begins with a command ($ …), not with {line!r}")
    return found


def _block(match: re.Match[str]) -> Block:
    words = (match["options"] or "").split()
    if odd := [word for word in words if not _OPTIONS.fullmatch(word)]:
        raise ValueError(f"<!-- run: {' '.join(odd)} -->: the options are screen, quiet, once and exit=CODE")
    codes = [int(word.partition("=")[2]) for word in words if word.startswith("exit=")]
    return Block(frozenset(word for word in words if "=" not in word), codes[0] if codes else 0, _steps(match["text"]))


def blocks(page: str) -> list[Block]:
    """The blocks of a page, in their order. ValueError: what is wrong with one."""
    return [_block(match) for match in _BLOCK.finditer(page)]


def written(page: str, anew: list[list[Step]]) -> str:
    """The page with the steps ``anew`` in its blocks, as many as there are."""
    remaining = iter(anew)

    def replace(match: re.Match[str]) -> str:
        lines = []
        for step in next(remaining):
            first, *more = step.command.splitlines()
            lines += [f"$ {first}", *(f"> {line}" for line in more), *step.output]
        return match[0].replace(match["text"], "\n".join(lines) + "\n")

    return _BLOCK.sub(replace, page)


def screen(output: list[str]) -> list[str]:
    """The screen that ends a verification, out of all that Ansible printed; ValueError where there is none."""
    if "    msg: |-" not in output:
        raise ValueError("there is no screen in what was printed:\n" + "\n".join(output[-40:]))
    start = len(output) - output[::-1].index("    msg: |-")
    end = next(number for number in range(start, len(output) + 1) if number == len(output) or not output[number].strip())
    return [line[8:] for line in output[start:end]]
