# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""build_collection.py SOURCE FOLDER: the collection's tarball, from what git knows of SOURCE, the same bytes each time and everywhere.

ansible-galaxy packs what lies in a folder, in the folder's own order, with the times and owners of the files. So it is given a copy
of what is tracked (or would be: untracked and not ignored), and what it makes is written again: FILES.json and the archive in order,
the time of the last commit or SOURCE_DATE_EPOCH (seconds since 1970), owner 0, modes 0644 and 0755. The same bytes need the same
zlib, which Python brings along. Prints the tarball's path.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterable
from pathlib import Path

#: ansible-galaxy's own two files; the others are listed in the second, and that one's hash stands in the first.
MANIFEST, FILES = "MANIFEST.json", "FILES.json"


def tracked(source: Path) -> list[str]:
    """The files that git has, or would take, below ``source``."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=source, check=True, capture_output=True, text=True
    )
    return [name for name in listed.stdout.split("\0") if name and os.path.lexists(source / name)]


def date_of(source: Path) -> int:
    """SOURCE_DATE_EPOCH, else the last commit's time."""
    given = os.environ.get("SOURCE_DATE_EPOCH")
    return int(given or subprocess.check_output(["git", "log", "-1", "--format=%ct"], cwd=source, text=True))


def copy(source: Path, names: Iterable[str], target: Path) -> None:
    """Copies the named files; a link stays a link."""
    for name in names:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source / name, target / name, follow_symlinks=False)


def ordered(members: dict[str, bytes]) -> None:
    """Puts FILES.json in order, and its new hash into MANIFEST.json."""
    files = json.loads(members[FILES])
    files["files"].sort(key=lambda entry: entry["name"])
    members[FILES] = json.dumps(files, indent=1).encode()
    manifest = json.loads(members[MANIFEST])
    manifest["file_manifest_file"]["chksum_sha256"] = hashlib.sha256(members[FILES]).hexdigest()
    members[MANIFEST] = json.dumps(manifest, indent=1).encode()


def normalise(tarball: Path, date: int) -> None:
    """Writes the tarball again, without what the machine and the moment put into it. ``date``: seconds since 1970."""
    with tarfile.open(tarball) as packed:
        infos = {info.name: info for info in packed.getmembers()}
        contents = {name: packed.extractfile(info).read() for name, info in infos.items() if info.isreg()}
    ordered(contents)
    with open(tarball, "wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=date) as packed, tarfile.open(fileobj=packed, mode="w") as tar:
        for name in sorted(infos, key=lambda name: (name not in (MANIFEST, FILES), name)):
            info = infos[name]
            info.mtime, info.uid, info.gid, info.uname, info.gname, info.pax_headers = date, 0, 0, "", "", {}
            info.mode = 0o755 if info.isdir() or info.mode & 0o100 else 0o644
            info.size = len(contents.get(name, b""))
            tar.addfile(info, io.BytesIO(contents[name]) if name in contents else None)


def build(source: Path, folder: Path) -> Path:
    """The tarball of ``source`` in ``folder``, which is made; one of the same version is replaced."""
    with tempfile.TemporaryDirectory() as work:
        copy(source, tracked(source), Path(work) / "copy")
        galaxy = str(Path(sys.executable).parent / "ansible-galaxy")
        building = [galaxy, "collection", "build", f"{work}/copy", "--output-path", f"{work}/made"]
        subprocess.run(building, check=True, stdout=sys.stderr)
        (made,) = Path(work, "made").iterdir()
        normalise(made, date_of(source))
        folder.mkdir(parents=True, exist_ok=True)
        return Path(shutil.move(made, folder / made.name))


if __name__ == "__main__":
    print(build(Path(sys.argv[1]), Path(sys.argv[2])))
