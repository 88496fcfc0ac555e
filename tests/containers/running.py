# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run of ansible-playbook, and what became of it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

BIN = Path(sys.executable).parent
#: Longer than any one run may take; it ends a hung one.
PATIENCE_SECONDS = 900


@dataclass(frozen=True)
class Run:
    """One ended ansible-playbook: its exit code, and what the JSON callback told."""

    code: int
    report: dict
    text: str

    @property
    def results(self) -> list[dict]:
        return [
            {"task": task["task"]["name"].rpartition(" : ")[2], **result}
            for play in self.report["plays"]
            for task in play["tasks"]
            for result in task["hosts"].values()
        ]

    @property
    def fault(self) -> str:
        """The message of the last task that failed, or that did not reach its host; empty where there is none."""
        ended = [str(result.get("msg", "")) for result in self.results if result.get("failed") or result.get("unreachable")]
        return ended[-1] if ended else ""

    @property
    def changed(self) -> list[str]:
        return [result["task"] for result in self.results if result.get("changed")]

    @property
    def summary(self) -> dict:
        """The verdict's counts, as the play published them."""
        return (self.report.get("global_custom_stats") or {}).get("podnet_summary", {})


def ansible_playbook(arguments: Sequence[str | Path], environment: Mapping[str, str]) -> Run:
    """Run it to its end."""
    ended = subprocess.run(
        [BIN / "ansible-playbook", *arguments],
        env={**environment, "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json", "ANSIBLE_SHOW_CUSTOM_STATS": "true"},
        text=True,
        capture_output=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    start = ended.stdout.find("{\n")
    assert start >= 0, ended.stdout + ended.stderr
    return Run(ended.returncode, json.loads(ended.stdout[start:]), ended.stdout + ended.stderr)
