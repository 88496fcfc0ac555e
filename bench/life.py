# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long a sandbox of three nodes takes to come up and to go, as whole commands, beside a Python that does nothing."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from measure import command, timed

ROOT = Path(__file__).resolve().parent.parent


class Sandbox:
    """One sandbox in a folder of its own. Used as a context, it is gone afterwards."""

    def __init__(self, name: str, folder: Path, env: dict[str, str], config: str = "{}") -> None:
        self.name, self.folder, self.config = name, folder, config
        self.env = {**env, "PYTHONPATH": str(ROOT / "roles/sandbox/files")}

    @property
    def kubeconfig(self) -> str:
        """Path of its kubeconfig."""
        return str(self.folder / "kubeconfig")

    def up(self) -> None:
        """Starts it; returns when the API answers."""
        self._run("up", "--config", self.config)

    def down(self) -> None:
        """Ends it and removes its files; nothing to do is no error."""
        self._run("down")

    def __enter__(self) -> Sandbox:
        self.up()
        return self

    def __exit__(self, *_: object) -> None:
        self.down()

    def _run(self, verb: str, *arguments: str) -> None:
        argv = [sys.executable, "-m", "podnet_sandbox", verb, "--name", self.name, "--state-dir", str(self.folder)]
        command([*argv, *arguments], env=self.env)


def report(env: dict[str, str], runs: int) -> None:
    """Prints the figures; leaves nothing up."""
    with tempfile.TemporaryDirectory(prefix="podnet-bench-") as folder:
        sandbox = Sandbox("podnet-bench", Path(folder) / "lab", env)
        up = timed(sandbox.up, max(runs, 5), before=sandbox.down)
        down = timed(sandbox.down, max(runs, 5), before=sandbox.up)
    nothing = timed(lambda: command([sys.executable, "-c", "import asyncio, ssl, json, argparse"]), max(runs, 5))
    print(f"sandbox up, 3 nodes      {up}")
    print(f"sandbox down             {down}")
    print(f"a Python that does nothing   {nothing}")
