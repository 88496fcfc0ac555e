# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds a double into one executable file: an archive that Python runs, with what it pretends to be written inside.

    python tests/doubles/assemble.py FOLDER [--kind 0.31.0] [--containerlab 0.79.0] [--calico v3.32.1] [--state FOLDER]

writes FOLDER/kind, FOLDER/containerlab and FOLDER/calicoctl; put FOLDER first on the PATH to have them instead of the real ones.
"""

from __future__ import annotations

import argparse
import sys
import zipfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from podnet_doubles.built import RESOURCE, Built  # noqa: E402
from podnet_doubles.releases import kind_library  # noqa: E402

PACKAGE = HERE / "podnet_doubles"
SANDBOX = HERE.parents[1] / "roles" / "sandbox" / "files"
#: Every entry of an archive has this time, so that the same double is the same file.
_EPOCH = (1980, 1, 1, 0, 0, 0)


def assemble(path: Path, tool: str, version: str, *, calico_version: str = "v3.32.1", state: Path | None = None) -> Path:
    """Write the double of ``tool`` at ``version`` to ``path``; it runs with this Python."""
    built = Built(
        tool=tool,
        version=version,
        kind_library=kind_library(numbers(version)) if tool == "containerlab" else "",
        python=sys.executable,
        sandbox=str(SANDBOX),
        calico_version=calico_version,
        state=str(state) if state else "",
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "wb") as file:
        file.write(f"#!{sys.executable}\n".encode())
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for source in sorted(PACKAGE.glob("*.py")):
                name = source.name if source.name == "__main__.py" else f"{PACKAGE.name}/{source.name}"
                archive.writestr(zipfile.ZipInfo(name, _EPOCH), source.read_bytes())
            archive.writestr(zipfile.ZipInfo(f"{PACKAGE.name}/{RESOURCE}", _EPOCH), built.to_json())
    path.chmod(0o755)
    return path


def numbers(version: str) -> tuple[int, ...]:
    """A release as numbers, for comparing."""
    return tuple(int(part) for part in version.lstrip("v").split("-")[0].split("."))


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Build the doubles of kind, containerlab and calicoctl.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--kind", default="0.31.0")
    parser.add_argument("--containerlab", default="0.79.0")
    parser.add_argument("--calico", default="v3.32.1")
    parser.add_argument("--state", type=Path, help="where they remember (default: PODNET_DOUBLES_STATE, else beside TMPDIR)")
    options = parser.parse_args()
    for tool, version in (("kind", options.kind), ("containerlab", options.containerlab), ("calicoctl", options.calico)):
        print(assemble(options.folder / tool, tool, version, calico_version=options.calico, state=options.state))


if __name__ == "__main__":
    main()
