# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sphinx's configuration. make_html.py lays out what Sphinx reads: the repository's own folders, and `collection/` beside them."""

from __future__ import annotations

from pathlib import Path

import yaml
from docutils import nodes

_HERE = Path(__file__).parent
_ANSIBLE = "https://docs.ansible.com/projects/ansible/latest/reference_appendices"
_PAGES_OF_ANSIBLE = {"common_return_values": "common_return_values.html", "ansible_configuration_settings": "config.html"}
_GALAXY = yaml.safe_load((_HERE.parents[1] / "galaxy.yml").read_text(encoding="utf-8"))

project = f"{_GALAXY['namespace']}.{_GALAXY['name']}"
version = release = _GALAXY["version"]
copyright = "2026, the podnet.calico authors"
extensions = ["myst_parser", "sphinx_antsibull_ext", "sphinx_external_toc"]
external_toc_path = str(_HERE / "toc.yml")
include_patterns = ["*.md", "docs/**.md", "roles/*/README.md", "awx/README.md", "tests/*/README.md", "collection/**.rst"]

# Headings have the anchors that GitHub gives them.
myst_heading_anchors = 6
# Each reference leads somewhere. Other collections' plugins have no pages here, and there is no network to look theirs up.
nitpicky = True
nitpick_ignore_regex = [("std:ref", r"ansible_collections\.(?!podnet\.calico\.).*")]
# antsibull-docs' index brings tables of contents of its own, of the same pages as toc.yml; a glob of toc.yml may find nothing more.
suppress_warnings = ["etoc.toctree", "etoc.glob"]

pygments_style = "ansible"
pygments_dark_style = "github-dark"
highlight_language = "text"
html_theme = "furo"
html_title = f"{project} {release}"
html_static_path = [str(_HERE / "static")]
html_css_files = ["site.css"]
html_extra_path = [str(_HERE / "root")]
antsibull_ext_color_scheme = "none"
html_copy_source = False
html_show_sphinx = False
html_theme_options = {"source_repository": _GALAXY["repository"], "source_branch": "main", "source_directory": ""}


def _elsewhere(app, env, node, contnode):
    """A reference to what has no page here: a folder, which GitHub shows, or ansible-core's own documentation."""
    kind, target = node.get("reftype"), node.get("reftarget", "")
    folder = (Path(app.srcdir) / node["refdoc"]).parent.joinpath(target).resolve()
    if kind == "myst" and target and folder.is_dir():
        address = f"{_GALAXY['repository']}/tree/main/{folder.relative_to(Path(app.srcdir).resolve())}"
    elif kind == "envvar":
        address = f"{_ANSIBLE}/config.html#envvar-{target}"
    elif kind == "ref" and target in _PAGES_OF_ANSIBLE:
        address = f"{_ANSIBLE}/{_PAGES_OF_ANSIBLE[target]}"
    else:
        return None
    return nodes.reference("", "", contnode, refuri=address, internal=False)


def setup(app):
    app.connect("missing-reference", _elsewhere)
