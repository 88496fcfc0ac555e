# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hold a sandbox against every recorded scenario and write docs/fidelity.md: `make fidelity`. Needs root, or user namespaces.

    compare.py            writes the page; what no reason explains is printed, and is the exit code 1
    compare.py SCENARIO…  prints what differs there, without the listed differences
    compare.py api        writes only the page's section about the Kubernetes API, which follows from no comparison
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from api_section import api_section
from comparing import Comparison, Difference, compare
from page import page
from reasons import explained
from scenario import SCENARIOS

PAGE = Path(__file__).parents[2] / "docs" / "fidelity.md"
#: Sandboxes at a time.
_AT_A_TIME = 2


def compare_all(names: Sequence[str] = SCENARIOS) -> list[Comparison]:
    """Each scenario, in the order of ``names``, and behind it what was done to its cluster."""
    with ThreadPoolExecutor(_AT_A_TIME) as pool:
        return [comparison for each in pool.map(compare, names) for comparison in each]


def rendered(comparisons: Sequence[Comparison]) -> str:
    """The page as it has to be."""
    return page(comparisons, api_section())


def unexplained(comparisons: Sequence[Comparison]) -> list[Difference]:
    """What no entry of reasons.yaml explains."""
    return explained(each for comparison in comparisons for each in comparison.differences)[1]


def with_api_section(text: str) -> str:
    """The page with the section about the Kubernetes API as it has to be."""
    section = api_section()
    return text[: text.index(section[0])] + "\n".join(section) + "\n"


def main(names: Sequence[str]) -> int:
    if list(names) == ["api"]:
        PAGE.write_text(with_api_section(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
        return 0
    comparisons = compare_all(names or SCENARIOS)
    rest = unexplained(comparisons)
    for item in rest:
        print(f"{item.scenario} {item.output}: {item.key}: {item.recorded or 'nothing'!r} recorded, {item.sandbox or 'nothing'!r} here")
    if not names:
        PAGE.write_text(rendered(comparisons), encoding="utf-8")
    return 1 if rest else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
