#!/usr/bin/env python3
# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run podnet.calico from Python: live progress from the events, the verdict from the run's artifact data.

    python run_with_runner.py                                       # build the lab and prove it
    python run_with_runner.py --playbook podnet.calico.verify -e podnet_provider=existing -e pod_routing_kubeconfig=…

Exits with 0 where the verification passed, 1 where it failed, 2 where it is inconclusive: something could not be
observed, or nothing was verified at all. Needs ansible-runner and an installed podnet.calico; nothing of this checkout.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

import ansible_runner

PASSED, FAILED, INCONCLUSIVE = 0, 1, 2


class Progress:
    """Prints one line per task as it ends, and keeps what the run publishes with set_stats."""

    def __init__(self) -> None:
        self.artifacts: dict[str, Any] = {}
        self.fault: str | None = None

    def __call__(self, event: dict[str, Any]) -> bool:
        """Handle one event of the run. True: keep its file among the runner's artifacts."""
        data = event.get("event_data", {})
        kind = event["event"]
        if kind == "playbook_on_stats":
            self.artifacts = data.get("artifact_data") or {}
        elif kind == "runner_on_ok":
            changed = "changed" if data.get("res", {}).get("changed") else "ok"
            self._line(changed, data)
        elif kind == "runner_on_failed" and not data.get("ignore_errors"):
            self.fault = str(data.get("res", {}).get("msg", "no message"))
            self._line("failed", data)
        return True

    def _line(self, outcome: str, data: dict[str, Any]) -> None:
        print(f"{data.get('duration', 0):6.1f} s  {outcome:8} {data.get('task', '')}", flush=True)


def exit_code(artifacts: dict[str, Any], status: str) -> int:
    """What the published summary and the runner's own status ("successful", "failed" …) come to."""
    summary = artifacts.get("podnet_summary") or {}
    if summary.get("failed"):
        return FAILED
    if status != "successful" or summary.get("inconclusive") or not summary.get("passed"):
        return INCONCLUSIVE
    return PASSED


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--playbook", default="podnet.calico.site", help="default: %(default)s")
    parser.add_argument("--inventory", type=Path, help="an inventory; without one, this machine")
    parser.add_argument("-e", dest="variables", action="append", default=[], metavar="NAME=VALUE", help="a variable")
    return parser.parse_args()


def main() -> int:
    """Run the playbook and report."""
    options = arguments()
    progress = Progress()
    with tempfile.TemporaryDirectory(prefix="podnet-runner-") as folder:
        run = ansible_runner.run(
            private_data_dir=folder,
            playbook=options.playbook,
            inventory=str(options.inventory.resolve()) if options.inventory else "localhost,",
            extravars=dict(variable.split("=", 1) for variable in options.variables),
            event_handler=progress,
            quiet=True,
        )
        code = exit_code(progress.artifacts, run.status)
    summary = progress.artifacts.get("podnet_summary") or {}
    print({PASSED: "passed", FAILED: "failed", INCONCLUSIVE: "inconclusive"}[code], end=": ")
    print(", ".join(f"{count} {outcome}" for outcome, count in summary.items()) or "nothing was verified")
    if code != PASSED and progress.fault:
        print(progress.fault)
    for name in ("podnet_verdict_path", "podnet_report_path"):
        if name in progress.artifacts:
            print(f"{name}: {progress.artifacts[name]}")
    return code


if __name__ == "__main__":
    sys.exit(main())
