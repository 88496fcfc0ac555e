# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pages as they are in git, and the site that is built of them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

CHECKOUT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(CHECKOUT / "docs" / "site"))

_PLACES = ("*.md", "docs/**/*.md", "roles/*/README.md", "awx/**/*.md", "tests/doubles/README.md")
#: Every page that people read, by its path in the repository.
PAGES = sorted({str(path.relative_to(CHECKOUT)) for place in _PLACES for path in CHECKOUT.glob(place)})


@pytest.fixture(scope="session")
def site(tmp_path_factory) -> Path:
    """The folder of the built site."""
    from make_html import build

    folder = tmp_path_factory.mktemp("site")
    assert build(folder) == 0, "make html says why"
    return folder / "html"


@pytest.fixture(scope="session")
def html(site) -> dict[Path, BeautifulSoup]:
    """Each HTML page of the site, by its file."""
    return {path: BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser") for path in sorted(site.rglob("*.html"))}
