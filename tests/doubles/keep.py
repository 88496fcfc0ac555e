# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What `podnet.calico.download` keeps of the doubles' publishers: the folder of a host that reaches nobody.

    python tests/doubles/keep.py FOLDER [PACKAGE]

fills FOLDER/kept with everything but images, containerlab as PACKAGE (tar.gz, deb), and writes FOLDER/variables.json: the set of versions, and URLs at which nobody answers.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import mirror
import publishers

ROOT = Path(__file__).resolve().parents[2]
#: The port "discard": nobody listens there.
NOBODY = "http://127.0.0.1:9"


def keep(folder: Path, package: str = "tar.gz") -> dict[str, Any]:
    """Publish, download, and return the variables of a host without a network. The doubles remember in FOLDER/state."""
    for stale in ("site", "kept"):
        shutil.rmtree(folder / stale, ignore_errors=True)
    published = publishers.publish(folder / "site", state=folder / "state")
    kept = str(folder / "kept")
    with mirror.Mirror(published) as site:
        given = {**site.variables, "podnet_artefacts_dir": kept, "podnet_download_images": False, "containerlab_package": package}
        program = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", "localhost,", "playbooks/download.yml"]
        subprocess.run([*program, "-e", json.dumps(given)], cwd=ROOT, check=True)
    return {**published.variables(NOBODY), "podnet_artefacts_dir": kept}


if __name__ == "__main__":
    variables = keep(Path(sys.argv[1]).resolve(), *sys.argv[2:])
    (Path(sys.argv[1]) / "variables.json").write_text(json.dumps(variables), encoding="utf-8")
