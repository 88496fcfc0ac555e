# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""terminal.py: draws the README's screen as docs/images/site.svg, from the README's own text."""

from __future__ import annotations

import textwrap
from io import StringIO
from pathlib import Path

from blocks import blocks
from rich.console import Console
from rich.text import Text

CHECKOUT = Path(__file__).resolve().parents[2]
PICTURE = CHECKOUT / "docs" / "images" / "site.svg"
#: Columns: what can still be read where GitHub shows the picture at 850 pixels. The label that lines begin with has 13.
_WIDTH, _LABEL = 112, 13
#: rich's own template loads its font from a server; a picture must load nothing.
_TEMPLATE = """\
<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg" role="img">
<title>make site, and the screen that it ends with</title>
<style>
.{unique_id}-title {{ font: 14px sans-serif; }}
.{unique_id}-matrix {{ font-family: ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; font-size: {char_height}px;
  line-height: {line_height}px; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal"><rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" /></clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""


def _wrapped(line: str) -> list[str]:
    """The line, and below it what does not fit, where the text beside the label begins."""
    text = line.lstrip()
    own, below = " " * (len(line) - len(text)), " " * _LABEL
    return textwrap.wrap(text, _WIDTH, initial_indent=own, subsequent_indent=below, break_long_words=False) or [""]


def _styled(line: str) -> Text:
    text = Text(line)
    text.highlight_regex(r"^[A-Z]\w+( \w+)?(?=  )", "bold cyan")
    text.highlight_regex(r"\d+ of \d+ checks passed", "bold green")
    text.highlight_regex(r"~/\S+", "bright_blue")
    text.highlight_regex(r"make \w+( FAULT=\S+\b)?", "yellow")
    return text


def picture(readme: str) -> str:
    """The first block of the README as an SVG that loads nothing."""
    (step,) = blocks(readme)[0].steps
    console = Console(record=True, width=_WIDTH, file=StringIO(), force_terminal=True, color_system="truecolor", legacy_windows=False)
    console.print(Text.assemble(("$ ", "green"), (step.command, "bold")), "", sep="\n")
    for line in step.output:
        for part in _wrapped(line):
            console.print(_styled(part), soft_wrap=True)
    return console.export_svg(title="podnet.calico", code_format=_TEMPLATE, unique_id="site")


if __name__ == "__main__":
    PICTURE.write_text(picture((CHECKOUT / "README.md").read_text(encoding="utf-8")), encoding="utf-8")
    print(PICTURE.relative_to(CHECKOUT))
