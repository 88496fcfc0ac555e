# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a cluster is cut into shards (private, pure): each node is one shard's, whoever asks, and wherever it is asked.

A hash that Python salts anew in each process would cut otherwise in each job: SHA-256 of the node's name does not.
"""

from __future__ import annotations

import re
from hashlib import sha256
from typing import Iterable, Optional, Sequence

#: A name becomes that of a file, a variable and an object in a store; roles/shards/vars/main.yml has the same.
NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")
NAME_RULE = "letters, digits, and . _ - between them, 63 at most"


def shard_of(node: Optional[str], names: Sequence[str]) -> str:
    """The shard that looks into the node, of all shards' names in order."""
    return names[int.from_bytes(sha256((node or "").encode("utf-8", "surrogatepass")).digest(), "big") % len(names)]


def key_of(name: str) -> str:
    """The variable that the shard is published as."""
    return "podnet_shard_" + re.sub("[^A-Za-z0-9]", "_", name)


def refusal(names: Iterable[str]) -> Optional[str]:
    """Why these cannot be the names of shards, or of a collection; None where they can."""
    seen = {}
    for name in names:
        if not isinstance(name, str) or not NAME.fullmatch(name):
            return "%r is no name: %s" % (name, NAME_RULE)
        if key_of(name) in seen:
            twice = "is named twice" if seen[key_of(name)] == name else "is published as %s would be" % seen[key_of(name)]
            return "%s %s" % (name, twice)
        seen[key_of(name)] = name
    return None
