# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long the lab of the provider kind takes, first and second time: real Docker, doubles of containerlab and kind, no real node."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from site_run import ROOT, measure_site

sys.path.insert(0, str(ROOT / "tests" / "doubles"))

import mirror
import publishers


def report(env: dict[str, str], runs: int) -> None:
    """Prints the figures where a Docker engine answers, else how to have one; leaves no lab behind."""
    if not shutil.which("docker") or subprocess.run(["docker", "version"], capture_output=True, check=False).returncode != 0:
        print("skipped: no Docker engine answers. With one for the time being: scripts/with-engine make bench ARGS=kind")
        return
    with tempfile.TemporaryDirectory(prefix="podnet-bench-") as folder:
        published = publishers.publish(Path(folder) / "site", state=Path(folder) / "state")
        with mirror.Mirror(published) as site:
            measure_site(env, runs, "kind", {**site.variables, "podnet_tools_dir": f"{folder}/tools", "podnet_download_delay": 0})
