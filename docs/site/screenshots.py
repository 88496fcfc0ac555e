# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""screenshots.py: docs/images/*.png, of the reports of a healthy and a broken lab and of the built site. Needs Chromium; pngquant, where
it is there, makes them small.

The lab is its own, and is gone afterwards.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from capture import CHECKOUT, NAME, Shell
from make_html import build

IMAGES = CHECKOUT / "docs" / "images"
#: Bytes: what tests/release lets into the tarball.
_LARGEST = 64_000


def shoot(browser: str, page: Path, picture: str, size: tuple[int, int]) -> None:
    """The first ``size`` pixels of a page as docs/images/PICTURE.png."""
    target = IMAGES / f"{picture}.png"
    with tempfile.TemporaryDirectory() as profile:
        looking = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", f"--user-data-dir={profile}"]
        whole = ["--run-all-compositor-stages-before-draw", "--virtual-time-budget=3000"]  # else a busy machine leaves tiles out
        window = [f"--window-size={size[0]},{size[1]}", f"--screenshot={target}", page.as_uri()]
        subprocess.run([*looking, *whole, *window], check=True, capture_output=True, timeout=120)
    if pngquant := shutil.which("pngquant"):
        subprocess.run([pngquant, "--force", "--strip", "--speed", "1", "--output", target, "32", target], check=True)
    print(f"{target.relative_to(CHECKOUT)}: {target.stat().st_size} bytes" + " (too many)" * (target.stat().st_size > _LARGEST))


def reports(browser: str, folder: Path) -> None:
    """The report of a lab, before and after one of its routes leads to the wrong node."""
    shell = Shell(folder / NAME)
    try:
        for command, picture in (("make site", "report-healthy"), ("make break && ! make verify", "report-broken")):
            printed, code = shell.run(command)
            if code:
                raise RuntimeError(f"{command}: exit code {code}\n" + "\n".join(printed[-40:]))
            shoot(browser, folder / NAME / "runs" / "latest" / "report.html", picture, (1100, 900))
    finally:
        shell.run("make destroy")
        shell.close()


def main() -> int:
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        print("No Chromium here: docs/images/*.png stay as they are. As root: apt-get install chromium")
        return 0
    with tempfile.TemporaryDirectory(prefix="podnet-docs-") as folder:
        reports(browser, Path(folder))
        if code := build(Path(folder) / "site"):
            return code
        shoot(browser, Path(folder) / "site" / "html" / "docs" / "lesson.html", "lesson", (1280, 900))
    return 0


if __name__ == "__main__":
    sys.exit(main())
