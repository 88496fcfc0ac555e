# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The built site: it loads nothing from elsewhere, no link in it is dead, and everything that the project has is in it."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from conftest import CHECKOUT, PAGES

#: What a page is loaded with; a link is followed by people alone.
LOADED = {"link": "href", "image": "href", "object": "data"} | dict.fromkeys(("script", "img", "iframe", "source", "embed"), "src")
#: Of <link>, the kinds that load nothing.
FOLLOWED = {"index", "search", "next", "prev", "canonical", "author", "copyright"}


def elsewhere(address: str) -> bool:
    return bool(urlsplit(address).netloc)


def test_a_page_loads_nothing_from_the_network(html):
    loaded = [
        (path.name, address)
        for path, page in html.items()
        for tag in page.find_all(list(LOADED))
        if not (tag.name == "link" and set(tag.get("rel", [])) <= FOLLOWED)
        for address in [tag.get(LOADED[tag.name], "")]
        if elsewhere(address)
    ]
    assert loaded == []


def test_a_style_or_picture_loads_nothing_from_the_network(site):
    loading = re.compile(r"""(?:url\(\s*['"]?|@import\s+['"]?|(?:src|href)=['"])((?:https?:)?//[^'")\s]+)""")
    found = {path.name: loading.findall(path.read_text(encoding="utf-8")) for path in [*site.rglob("*.css"), *site.rglob("*.svg")]}
    assert found and {name: addresses for name, addresses in found.items() if addresses} == {}


def test_a_script_of_the_site_asks_no_other_host(site):
    asking = re.compile(r"""(?:fetch|import|open|XMLHttpRequest|importScripts|WebSocket)\(\s*["'`](?:https?:|wss?:)?//""")
    scripts = list(site.rglob("*.js"))
    assert scripts and [path.name for path in scripts if asking.search(path.read_text(encoding="utf-8"))] == []


def test_no_link_in_the_site_is_dead(site, html):
    names = {path: {tag["id"] for tag in page.find_all(id=True)} | {tag["name"] for tag in page.find_all("a", attrs={"name": True})}
             for path, page in html.items()}  # fmt: skip
    dead = set()
    for path, page in html.items():
        for tag in page.find_all("a", href=True):
            parts = urlsplit(tag["href"])
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if not target.is_file() or (parts.fragment and target in names and unquote(parts.fragment) not in names[target]):
                dead.add((str(path.relative_to(site)), tag["href"]))
    assert sorted(dead) == []


def test_each_page_has_a_title_and_a_language_and_its_pictures_have_words(html):
    pages = {path: page for path, page in html.items() if path.name not in ("search.html", "genindex.html")}
    assert [path.name for path, page in pages.items() if not page.title.get_text(strip=True) or not page.html.get("lang")] == []
    assert [(path.name, tag["src"]) for path, page in pages.items() for tag in page.find_all("img") if not tag.get("alt")] == []


@pytest.fixture(scope="module")
def menu(site, html) -> set[Path]:
    """The pages of the menu, which is beside each page."""
    index = site / "docs" / "index.html"
    tree = html[index].select_one(".sidebar-tree")
    return {index} | {(index.parent / tag["href"].partition("#")[0]).resolve() for tag in tree.find_all("a", href=True)} - {index.parent}


def test_each_page_is_in_the_menu(site, html, menu):
    made_by_sphinx = {site / name for name in ("index.html", "search.html", "genindex.html")}
    assert sorted(str(path.relative_to(site)) for path in set(html) - menu - made_by_sphinx) == []


def test_each_page_of_the_repository_is_in_the_site(menu, site):
    assert [page for page in PAGES if (site / page).with_suffix(".html") not in menu] == []


def public(folder: str, pattern: str = "*.py") -> list[str]:
    return sorted(path.stem for path in (CHECKOUT / folder).glob(pattern) if not path.stem.startswith("_"))


PLUGINS = {"module": "plugins/modules", "filter": "plugins/filter", "test": "plugins/test", "inventory": "plugins/inventory"}


@pytest.mark.parametrize(
    ("kind", "name"),
    [(kind, name) for kind, folder in PLUGINS.items() for name in public(folder)] + [("role", name) for name in public("roles", "*")],
)
def test_a_plugin_or_role_has_its_page(menu, site, html, kind, name):
    page = site / "collection" / f"{name}_{kind}.html"
    assert page in menu
    assert html[page].h1.get_text().startswith(f"{name} {kind}")


COMMANDS = (CHECKOUT / "docs" / "commands.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "place",
    ["playbooks/*.yml", "inventories/*/hosts.yml", "examples/*.*", "rbac/*.yaml", "docs/schemas/*.json"],
)
def test_each_file_that_can_be_used_is_linked_among_the_commands(place):
    files = sorted(str(path.relative_to(CHECKOUT)) for path in CHECKOUT.glob(place))
    linked = set(re.findall(r"\]\(([^)]+)\)", COMMANDS))
    assert files and [name for name in files if not {f"../{name}", name.removeprefix("docs/")} & linked] == []


def test_each_target_of_make_is_named_among_the_commands():
    targets = set(re.findall(r"^([a-z-]+):", (CHECKOUT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    section = COMMANDS.partition("## make\n")[2].partition("\n## ")[0]
    named = {word for code in re.findall(r"`([^`]+)`", section) for word in re.sub(r"^make (-s )?", "", code).split()[:1]}
    assert {"site", "lab-dir", "html"} <= targets and targets - named == set()


def test_each_scenario_of_molecule_is_named_among_the_commands():
    scenarios = [path.parent.name for path in (CHECKOUT / "molecule").glob("*/molecule.yml")]
    assert scenarios and [name for name in scenarios if f"`{name}`" not in COMMANDS] == []
