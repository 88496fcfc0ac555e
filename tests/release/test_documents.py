# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Galaxy and the documentation builds make of the tarball: no error, no warning, and every plugin and role documented."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from conftest import CHECKOUT, RELEASE, run

ROLES = {path.name for path in (CHECKOUT / "roles").iterdir()}
PLUGINS = {
    (kind, path.stem)
    for kind, folder in (("module", "modules"), ("filter", "filter"), ("test", "test"), ("inventory", "inventory"))
    for path in (CHECKOUT / "plugins" / folder).glob("*.py")
    if not path.stem.startswith("_")
}
#: ansible-lint takes half of the importer's time, and is a lint of its own here.
THOROUGH = "true" if os.environ.get("PODNET_TEST_ALL") else "false"


@pytest.fixture(scope="module")
def imported(tarball, tmp_path_factory) -> tuple[str, dict]:
    """What galaxy-importer says of the tarball, and what it would hand to Galaxy."""
    folder = tmp_path_factory.mktemp("importer")
    importer = (RELEASE / "python", "-m", "galaxy_importer.main", tarball)
    done = run(*importer, cwd=folder, HOME=str(folder), GALAXY_IMPORTER_RUN_ANSIBLE_LINT=THOROUGH)
    assert done.returncode == 0, done.stdout
    return done.stdout, json.loads((folder / "importer_result.json").read_text())


def test_galaxy_imports_it_without_a_word_of_warning(imported):
    said, _result = imported
    assert [line for line in said.splitlines() if line.startswith(("WARNING", "ERROR", "CRITICAL"))] == []
    assert "Importer processing completed successfully" in said


def test_galaxy_finds_the_documentation_of_every_plugin_and_role(imported):
    contents = imported[1]["docs_blob"]["contents"]
    plugins = {(content["content_type"], content["content_name"]) for content in contents if (content.get("doc_strings") or {}).get("doc")}
    assert PLUGINS - plugins == set()
    readmes = {content["content_name"] for content in contents if content["content_type"] == "role" and content["readme_html"]}
    assert readmes == ROLES


def test_what_documentation_refers_to_is_there(installed):
    """antsibull-docs takes from git what lies in a work tree: collections in a checkout's environment would be empty, and found first
    or last by where the checkout lies."""
    linting = ("lint-collection-docs", "--plugin-docs", "--validate-collection-refs=self", "--skip-rstcheck")
    ours = installed / "ansible_collections" / "podnet" / "calico"
    done = run(
        "antsibull-docs", *linting, ours, cwd=Path("/"), ANSIBLE_COLLECTIONS_PATH=str(installed), ANSIBLE_COLLECTIONS_SCAN_SYS_PATH="false"
    )
    assert done.returncode == 0, done.stdout
