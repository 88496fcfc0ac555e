# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of a recorded folder, and why one is missing (private).

A file that holds kubectl's complaint instead of what was asked for, or nothing, is as good as none. ``problems.txt`` is what
record-cluster could not record: ``FILE: reason`` in each line.
"""

from __future__ import annotations

import os
import re
from typing import Dict, List, NamedTuple, Optional

_COMPLAINTS = ("Error from server", "error: ", "Unable to connect to the server", "OCI runtime exec failed",
               "command terminated", "[exit status")
_REFUSED = re.compile(r'cannot (\w+) resource "([^"]+)" in API group "([^"]*)"(?: in the namespace "([^"]+)")?')
_NOT_SERVED = "the server doesn't have a resource type"
_MOST = 300
_ALSO_CALLED = {"ipamconfigs": "ipamconfigurations"}  # in projectcalico.org/v3
NO_SUCH_FILE = "the recording has no such file"


class Recorded(NamedTuple):
    """A file's text, or why there is none; ``told``: whether the folder itself says so."""

    text: Optional[str]
    reason: str = ""
    told: bool = False


class Files:
    """The files below a folder."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self._problems: Dict[str, str] = {}
        for line in (_text(os.path.join(folder, "problems.txt")) or "").splitlines():
            name, colon, reason = line.partition(": ")
            if colon and _NOT_SERVED not in reason:
                self._problems[name] = reason.strip()

    def read(self, *path: str, may_be_empty: bool = True) -> Recorded:
        """The file, or why it is as good as none."""
        name = "/".join(path)
        if name in self._problems:
            return Recorded(None, _with_grant(self._problems[name]), told=True)
        text = _text(os.path.join(self.folder, *path))
        if text is None:
            return Recorded(None, NO_SUCH_FILE)
        if text.startswith(_COMPLAINTS):
            return Recorded(None, "%s holds no such thing: %s" % (name, _with_grant(text)), told=True)
        if not may_be_empty and not text.strip():
            return Recorded(None, "%s is empty" % name, told=True)
        return Recorded(text)

    def named(self, folder: str, plural: str) -> List[str]:
        """The files of a list, ``PLURAL.json`` or ``PLURAL.GROUP.json``, the aggregated API's last; also those that could not be made."""
        try:
            there = os.listdir(os.path.join(self.folder, folder))
        except OSError:
            there = []
        there += [os.path.basename(name) for name in self._problems if name.startswith(folder + "/")]
        called = (plural, _ALSO_CALLED.get(plural))
        own = {name for name in there if name.endswith(".json") and name[: -len(".json")].partition(".")[0] in called}
        return sorted(own, key=lambda name: (name.partition(".")[2].startswith("v3."), name))

    def has(self, *path: str) -> bool:
        """Whether there is such a folder."""
        return os.path.isdir(os.path.join(self.folder, *path))


def _with_grant(complaint: str) -> str:
    """The first line, and for a refusal the rule that lacks, as a live collection names it."""
    line = (complaint.strip().splitlines() or [""])[0][:_MOST]
    refused = _REFUSED.search(complaint)
    if refused is None:
        return line
    verb, resource, group, namespace = refused.groups()
    where = ' in namespace "%s"' % namespace if namespace else ""
    return '%s. Grant verb "%s" on resource "%s" (API group "%s")%s' % (line.rstrip("."), verb, resource, group, where)


def _text(path: str) -> Optional[str]:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return None
