# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pages as GitHub shows them: each link between them leads to a file that is there and to a heading that is in it."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from conftest import CHECKOUT, PAGES
from markdown_it import MarkdownIt
from markdown_it.token import Token

_MARKDOWN = MarkdownIt("commonmark").enable("table")
#: Hosts that pages may lead to. Nothing here asks them: whether they answer is not known.
HOSTS = {"docs.ansible.com", "github.com"}


def inline(page: str) -> list[Token]:
    """All tokens of a page's text."""
    tokens = _MARKDOWN.parse((CHECKOUT / page).read_text(encoding="utf-8"))
    return [child for token in tokens for child in token.children or []]


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives the headings of a page: its rules, written down here again on their own."""
    found: dict[str, int] = {}
    tokens = _MARKDOWN.parse(page.read_text(encoding="utf-8"))
    for opening, content in pairwise(tokens):
        if opening.type == "heading_open":
            text = "".join(child.content for child in content.children if child.type in ("text", "code_inline"))
            name = re.sub(r"[^\w\- ]", "", text.strip().lower()).replace(" ", "-")
            found[name] = found.get(name, -1) + 1
    return {name if not number else f"{name}-{number}" for name, count in found.items() for number in range(count + 1)}


def links(page: str) -> list[str]:
    return [str(token.attrs[name]) for token in inline(page) for name in ("href", "src") if name in token.attrs]


@pytest.mark.parametrize("page", PAGES)
def test_a_link_leads_to_a_file_and_a_heading_that_are_there(page):
    broken = []
    for link in links(page):
        if urlsplit(link).scheme:
            continue
        name, _hash, anchor = unquote(link).partition("#")
        target = (CHECKOUT / page).parent / name if name else CHECKOUT / page
        if not target.exists() or (anchor and (target.suffix != ".md" or anchor not in anchors(target))):
            broken.append(link)
    assert broken == []


@pytest.mark.parametrize("page", PAGES)
def test_a_link_outwards_is_well_formed_and_to_a_host_that_is_known(page):
    outwards = [urlsplit(link) for link in links(page) if urlsplit(link).scheme]
    assert [url.geturl() for url in outwards if url.scheme != "https" or url.hostname not in HOSTS or " " in url.path] == []


def test_what_is_linked_in_the_repository_by_its_address_is_there():
    """Links that have to work from Galaxy too."""
    prefix = re.compile(r"https://github\.com/podnet/podnet\.calico/(?:blob|tree)/main/([^#]+)")
    named = {found[1] for page in PAGES for link in links(page) if (found := prefix.match(link))}
    assert named and [name for name in sorted(named) if not (CHECKOUT / name).exists()] == []


@pytest.mark.parametrize("page", PAGES)
def test_a_picture_says_in_words_what_it_shows(page):
    assert [token.attrs["src"] for token in inline(page) if token.type == "image" and len(token.content) < 20] == []


def test_each_picture_is_in_a_page():
    shown = {Path(link).name for page in PAGES for link in links(page)}
    assert {path.name for path in (CHECKOUT / "docs" / "images").iterdir()} - shown == set()
