# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""make_html.py FOLDER: the documentation's site in FOLDER/html, without network; a warning is an error.

FOLDER/source is what Sphinx reads: what git knows of the checkout, so that a link between two files is right on GitHub and
in the site, and in `collection/` the pages that antsibull-docs makes of plugins and roles.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parents[1]
#: Where the commands of this environment are, and the collections that PyPI's `ansible` brings.
BIN, PACKAGES = Path(sys.executable).parent, sysconfig.get_path("purelib")


def mirror(source: Path) -> None:
    """Copies into ``source`` each file that git has, or would take: MyST follows a link to where it leads."""
    listed = subprocess.check_output(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=CHECKOUT, text=True)
    for name in filter(None, listed.split("\0")):
        if (CHECKOUT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(CHECKOUT / name, source / name)


def collection_pages(folder: Path) -> None:
    """A page of each plugin and role of this checkout in ``folder``, which antsibull-docs wants to be nobody else's to write."""
    folder.mkdir(mode=0o755)
    folder.chmod(0o755)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")} | {
        "PATH": f"{BIN}:{os.environ['PATH']}",
        "ANSIBLE_HOME": str(CHECKOUT / ".ansible"),
        "ANSIBLE_COLLECTIONS_PATH": f"{CHECKOUT}/.ansible/collections:{PACKAGES}",
        "ANSIBLE_COLLECTIONS_SCAN_SYS_PATH": "false",
    }
    making = ["antsibull-docs", "collection", "--use-current", "--fail-on-error", "--squash-hierarchy", "--no-add-antsibull-docs-version"]
    subprocess.run([*making, "--dest-dir", str(folder), "podnet.calico"], env=environment, check=True)
    for page in folder.glob("*.rst"):
        page.write_text(short(page.read_text(encoding="utf-8")), encoding="utf-8")


def short(page: str) -> str:
    """A page of antsibull-docs with its name alone as title, which is what the menu shows, and without a table of contents: the theme
    has one beside the page."""
    page = re.sub(r"^podnet\.calico\.(\S+ \w+) -- (.+)\n(\++)\n", r"\1\n\3\n\n**\2**\n", page, count=1, flags=re.MULTILINE)
    return page.replace(".. contents::\n   :local:\n   :depth: 1\n", "")


def build(folder: Path) -> int:
    """Builds the site in ``folder``, whose old one goes. Sphinx's exit code."""
    source, html = folder / "source", folder / "html"
    for old in (source, html, folder / "doctrees"):
        shutil.rmtree(old, ignore_errors=True)
    mirror(source)
    collection_pages(source / "collection")
    sphinx = [sys.executable, "-m", "sphinx", "--fail-on-warning", "--keep-going", "--quiet"]
    return subprocess.run([*sphinx, "-c", HERE, "-d", folder / "doctrees", source, html], check=False).returncode


if __name__ == "__main__":
    target = Path(sys.argv[1]).resolve()
    code = build(target)
    print(f"{target}/html/index.html" if code == 0 else "The site was not built: see above.")
    sys.exit(code)
