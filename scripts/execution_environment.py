# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""execution_environment.py TARBALL FOLDER [--lowest]: what ansible-builder makes of the tarball, without the image around it.

FOLDER/venv holds what `ansible-builder introspect` finds declared in the installed tarball, with the ansible-core and ansible-runner
of execution-environment.yml, and nothing else; FOLDER/collections the tarball and what galaxy.yml depends on, taken from PyPI's
`ansible`. Versions are those of requirements/; with --lowest, of what the collection itself declares, the lowest it allows.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import sysconfig
from pathlib import Path

import yaml
from packaging.requirements import Requirement

CHECKOUT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
COLLECTIONS = "ansible_collections"


def run(*argv: object) -> None:
    """A command whose failure is shown and raised; its output goes to stderr."""
    subprocess.run([str(word) for word in argv], check=True, stdout=sys.stderr)


def declared(collections: Path) -> list[Requirement]:
    """The Python requirements that ansible-builder finds in a folder of collections, and those of the image."""
    found = collections.parent / "introspected.txt"
    run(BIN / "ansible-builder", "introspect", collections, "--write-pip", found)
    image = yaml.safe_load((CHECKOUT / "execution-environment.yml").read_text())["dependencies"]
    lines = [line.partition("#")[0].strip() for line in found.read_text().splitlines()]
    lines += [image[part]["package_pip"] for part in ("ansible_core", "ansible_runner")]
    return [Requirement(line) for line in lines if line]


def pins() -> list[str]:
    """NAME==VERSION of this Python's lock; a constraint cannot carry hashes to what is not pinned."""
    lock = CHECKOUT / "requirements" / "py{}{}-run.txt".format(*sys.version_info)
    return [line.split()[0] for line in lock.read_text().splitlines() if "==" in line.split(" \\")[0] and line[0].isalnum()]


def lowest(requirement: Requirement) -> str:
    """The oldest version that a requirement allows, pinned; as it stands where it sets no bound."""
    bounds = [bound.version for bound in requirement.specifier if bound.operator == ">="]
    return f"{requirement.name}=={bounds[0]}" if bounds else str(requirement)


def main() -> None:
    """Makes the folder; prints the Python in it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tarball", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--lowest", action="store_true")
    given = parser.parse_args()
    collections, venv, constraints = given.folder / "collections", given.folder / "venv", given.folder / "constraints.txt"
    run(BIN / "ansible-galaxy", "collection", "install", given.tarball, "--no-deps", "--force", "-p", collections)
    # Before the others lie beside it: what it declares itself must be enough.
    wanted = declared(collections)
    for dependency in yaml.safe_load((CHECKOUT / "galaxy.yml").read_text())["dependencies"]:
        link = collections.joinpath(COLLECTIONS, *dependency.split("."))
        link.parent.mkdir(exist_ok=True)
        link.symlink_to(Path(sysconfig.get_path("purelib")).joinpath(COLLECTIONS, *dependency.split(".")))
    constraints.write_text("".join(f"{pin}\n" for pin in ([] if given.lowest else pins())))
    run(sys.executable, "-m", "venv", venv)
    run(
        *(venv / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--constraint", constraints),
        *(lowest(each) if given.lowest and not each.name.startswith("ansible-") else each for each in wanted),
    )
    print(venv / "bin" / "python")


if __name__ == "__main__":
    main()
