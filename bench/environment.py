# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""podnet.calico.verify where only what the collection declares is installed, beside the same from a checkout; and the sizes of both."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from measure import Timing, command, timed

ROOT = Path(__file__).resolve().parent.parent
RECORDING = ROOT / "tests" / "fixtures" / "real" / "calico-v3.30.7" / "vxlan"
GIVEN = json.dumps({"podnet_provider": "existing", "podnet_lab_name": "podnet-bench", "pod_routing_snapshots": [str(RECORDING)]})
MEGABYTE = 1e6


def size(folder: Path) -> float:
    """MB of the files below a folder."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink()) / MEGABYTE


def verifying(python: Path, collections: str, state: Path, env: dict[str, str], runs: int) -> Timing:
    """A recording of three nodes judged, with the Ansible beside a Python."""
    told = {"ANSIBLE_COLLECTIONS_PATH": collections, "XDG_STATE_HOME": str(state), "PATH": f"{python.parent}:{env['PATH']}"}
    argv = [str(python.parent / "ansible-playbook"), "podnet.calico.verify", "-i", "localhost,", "-e", GIVEN]
    return timed(lambda: command(argv, env={**env, **told}), runs)


def report(env: dict[str, str], runs: int) -> None:
    """Prints the figures."""
    with tempfile.TemporaryDirectory(prefix="podnet-bench-") as work:
        folder = Path(work)
        script = [sys.executable, str(ROOT / "scripts" / "build_collection.py"), str(ROOT), str(folder)]
        tarball = Path(subprocess.check_output(script, env=env, text=True, stderr=subprocess.DEVNULL).strip())
        image = [sys.executable, str(ROOT / "scripts" / "execution_environment.py"), str(tarball), str(folder / "image")]
        made = timed(lambda: command(image, env=env), 1)
        declared = verifying(folder / "image/venv/bin/python", str(folder / "image/collections"), folder, env, runs)
        checkout = verifying(Path(sys.executable), env["ANSIBLE_COLLECTIONS_PATH"], folder, env, runs)
        installed = size(folder / "image" / "collections")
        print(f"{'the environment, from what is declared':<50} {made.median:.0f} s, one run")
        print(f"{'verify in it, a recording of 3 nodes':<50} {declared}")
        print(f"{'verify from the checkout':<50} {checkout}: {declared.median / checkout.median:.2f} of it in the environment")
        print(f"{'tarball':<50} {tarball.stat().st_size / MEGABYTE:.2f} MB, installed {installed:.1f} MB")
        print(f"{'Python packages of the environment':<50} {size(folder / 'image' / 'venv'):.0f} MB")
        print(f"{'Python packages of the checkout':<50} {size(Path(sys.prefix)):.0f} MB")
