# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands in the pages as output is what the commands print today, but for what changes from lab to lab."""

from __future__ import annotations

import re

import pytest
from blocks import Step, blocks, screen, written
from capture import PAGES as CAPTURED
from capture import captured
from conftest import CHECKOUT, PAGES
from terminal import PICTURE, picture

#: What no two labs have alike, and what it is called instead; in this order.
_CHANGING = (
    (r"\b([0-9a-f]{2}:){5}[0-9a-f]{2}\b", "MAC"),
    (r"\bfe80::[0-9a-f:]+", "LINK-LOCAL"),
    (r"\b\d{8}T\d{6}\.\d+Z\b", "TIME"),
    (r"\b\d\d:\d\d:\d\d(\.\d+)?\b", "TIME"),
    (r"\bcali[0-9a-f]{11}\b", "CALI"),
    (r"\bpod-routing-(worker\d?|control-plane)\b", "NODE"),
    (r"\b(multitool-[12]|calico-node|calico-apiserver-\w+)-[a-z0-9]{5}\b", r"\1-POD"),
    (r"\bcalico-apiserver-\w+-POD\b", "calico-apiserver-POD"),
    (r"\b(?:\d{1,3}\.){3}\d{1,3}\b", "IP"),
    (r"\b\d+(\.\d+)?(/\d+\.\d+)* ?(ms|s|m\d+s|m)\b", "TIME"),
    (r"\beth0@if\d+\b", "eth0@PEER"),
    (r"\bid \d+\b", "id ID"),
    (r"\b(REACHABLE|STALE|DELAY|PROBE)\b", "STATE"),
    (r"\s+", " "),
)


def shape(output: list[str]) -> list[str]:
    """The lines without what changes, in an order that does not hang on it."""
    lines = []
    for line in output:
        for pattern, name in _CHANGING:
            line = re.sub(pattern, name, line)
        lines.append(line.strip())
    return sorted(filter(None, lines))


@pytest.fixture(scope="module")
def today() -> dict[str, list[list[Step]]]:
    return captured()


@pytest.mark.parametrize("page", CAPTURED)
def test_a_page_shows_what_its_commands_print_today(today, page):
    shown = [step for block in blocks((CHECKOUT / page).read_text(encoding="utf-8")) for step in block.steps]
    printed = [step for block in today[page] for step in block]
    assert shown, f"{page} has nothing that is run"
    assert [step.command for step in shown] == [step.command for step in printed]
    for here, now in zip(shown, printed):
        assert shape(here.output) == shape(now.output), f"{here.command}: run `make captures`"


def test_what_is_to_be_run_is_in_a_page_that_is_run():
    marked = {page for page in PAGES if re.search(r"^<!-- run", (CHECKOUT / page).read_text(encoding="utf-8"), re.MULTILINE)}
    assert marked == set(CAPTURED)


def test_the_picture_is_of_the_text_in_the_readme():
    assert PICTURE.read_text(encoding="utf-8") == picture((CHECKOUT / "README.md").read_text(encoding="utf-8")), "run `make captures`"


PAGE = """\
Before.

<!-- run: exit=2 -->
```console
$ first \\
> and more
old
$ second
```

```console
$ never run
```
"""


def test_the_blocks_of_a_page_are_those_below_the_mark():
    (block,) = blocks(PAGE)
    assert block.exit_code == 2
    assert block.steps == [Step("first \\\nand more", ["old"]), Step("second", [])]


def test_output_is_written_below_its_command_and_nothing_else_is_changed():
    assert written(PAGE, [[Step("first \\\nand more", ["new", "$x"]), Step("second", [])]]) == PAGE.replace("old", "new\n$x")


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        (PAGE.replace("exit=2", "exit=two"), r"run: exit=two -->: the options are screen, quiet, once and exit=CODE"),
        (PAGE.replace("$ first", "first"), r"begins with a command \(\$ …\), not with 'first "),
    ],
)
def test_a_block_that_cannot_be_run_is_refused_with_the_reason(page, reason):
    with pytest.raises(ValueError, match=reason):
        blocks(page)


def test_an_output_without_a_screen_is_told_with_its_end():
    with pytest.raises(ValueError, match="no screen in what was printed:\nfatal: no lab"):
        screen(["fatal: no lab"])


def test_two_labs_of_other_addresses_have_one_shape_and_other_counts_have_not():
    one = "10.0.0.1 dev cali6d09fa47963 lladdr 12:ca:10:20:30:2a 133 of 133"
    other = "10.9.8.7 dev cali0123456789a lladdr 0a:be:ef:00:01:02 133 of 133"
    assert shape([one]) == shape([other]) != shape([other.replace("133 of", "132 of")])
