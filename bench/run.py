# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`make bench`: every figure the README quotes, measured here and now. Each is a median; ratios come from the same run."""

from __future__ import annotations

import argparse
import os
import platform

import environment
import gathering
import judging
import kind_run
import life
import sandbox
import site_run
import soundness

PARTS = {
    "site": site_run.report,
    "life": life.report,
    "sandbox": sandbox.report,
    "gathering": gathering.report,
    "judging": judging.report,
    "soundness": soundness.report,
    "kind": kind_run.report,
    "environment": environment.report,
}


def main() -> None:
    """Runs all parts, or those named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], help="default: all")
    parser.add_argument("--runs", type=int, default=3, help="runs of each measurement (default %(default)s)")
    arguments = parser.parse_args()
    env = {name: value for name, value in os.environ.items() if not name.startswith(("KUBECONFIG", "K8S_AUTH_"))}
    print(f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    for part in arguments.parts or PARTS:
        print(f"\n== {part}")
        PARTS[part](env, arguments.runs)


if __name__ == "__main__":
    main()
