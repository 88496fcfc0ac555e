# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a lab that was removed has left anything on this machine. Knows nothing of podnet.calico but its lab folder.

    leaks.py before RECORD              what the machine has, before there is a lab
    leaks.py lab RECORD LAB_FOLDER      what the lab consists of, while it runs: processes, namespaces, port
    leaks.py after RECORD LAB_FOLDER    what of it is left; exit code 1 where there is something

Other labs of the same machine do not disturb it: processes and namespaces are followed by their numbers, not by names.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

NAMESPACES = ("net", "mnt", "pid", "uts", "ipc", "user")
#: The kernel frees a network namespace and its links a moment after its last process.
PATIENCE_SECONDS = 10


def stat(pid: int) -> tuple[int, int] | None:
    """Parent and start time of a process, or None where there is none."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return int(fields[1]), int(fields[19])


def processes() -> dict[int, tuple[int, int]]:
    found = {int(entry): stat(int(entry)) for entry in os.listdir("/proc") if entry.isdigit()}
    return {pid: what for pid, what in found.items() if what is not None}


def namespaces(pid: int) -> set[str]:
    found = set()
    for kind in NAMESPACES:
        try:
            found.add(os.readlink(f"/proc/{pid}/ns/{kind}"))
        except OSError:
            continue
    return found


def descendants(root: int) -> dict[int, int]:
    """The process and everything below it, with start times."""
    everything = processes()
    tree = {root}
    while True:
        more = {pid for pid, (parent, _) in everything.items() if parent in tree} - tree
        if not more:
            return {pid: everything[pid][1] for pid in tree if pid in everything}
        tree |= more


def machine() -> dict[str, list[str]]:
    named = Path("/run/netns")
    return {
        "links": sorted(os.listdir("/sys/class/net")),
        "named network namespaces": sorted(os.listdir(named)) if named.is_dir() else [],
    }


def mounts_of(folder: str) -> list[str]:
    return [line for line in Path("/proc/self/mountinfo").read_text().splitlines() if f" {folder}" in line]


def listening(port: int) -> bool:
    rows = Path("/proc/net/tcp").read_text().splitlines()[1:]
    return any(row.split()[1].endswith(f":{port:04X}") and row.split()[3] == "0A" for row in rows)


def record_lab(record: Path, folder: Path) -> None:
    state = json.loads((folder / "state.json").read_text())
    tree = descendants(state["pid"])
    own = set().union(*(namespaces(pid) for pid in tree)) - namespaces(os.getpid())
    assert len(tree) > 1, f"the lab has no processes: {tree}"
    assert any(name.startswith("net:") for name in own), f"the lab has no network namespace of its own: {own}"
    # Without a record of before, the machine as it is must do: a running lab is not to be seen on it either.
    known = json.loads(record.read_text()) if record.exists() else {"machine": machine()}
    known["lab"] = {"processes": tree, "namespaces": sorted(own), "port": urlsplit(state["server"]).port}
    record.write_text(json.dumps(known))


def left(known: dict, folder: Path) -> dict[str, object]:
    lab = known["lab"]
    now = processes()
    used = {name for pid in now for name in namespaces(pid)}
    found: dict[str, object] = {
        "processes": [pid for pid, start in lab["processes"].items() if now.get(int(pid), (0, 0))[1] == start],
        "namespaces": sorted(used & set(lab["namespaces"])),
        "mounts": mounts_of(str(folder)),
        "port": lab["port"] if listening(lab["port"]) else None,
        "folder": sorted(os.listdir(folder)) if folder.exists() else None,
    }
    found |= {what: names for what, names in machine().items() if names != known["machine"][what]}
    empty_folder = found["folder"] == []
    return {what: value for what, value in found.items() if value or (what == "folder" and empty_folder)}


def main() -> int:
    action, record = sys.argv[1], Path(sys.argv[2])
    if action == "before":
        record.write_text(json.dumps({"machine": machine()}))
        return 0
    folder = Path(sys.argv[3])
    if action == "lab":
        record_lab(record, folder)
        return 0
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (found := left(json.loads(record.read_text()), folder)) and time.monotonic() < deadline:
        time.sleep(0.2)
    if found:
        print(f"the lab has left: {json.dumps(found)}", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
