# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a double was built as: the tool and release it pretends to be, and what stands behind it.

Written into the archive by `assemble.py`, because a double runs where nobody sets its environment: under sudo, as another user.
"""

from __future__ import annotations

import json
import os
import pkgutil
import re
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

RESOURCE = "built.json"
_STATE = "PODNET_DOUBLES_STATE"


@dataclass(frozen=True)
class Built:
    """``kind_library`` is the kind that a containerlab has inside; ``state`` is empty for the default folder."""

    tool: str
    version: str
    kind_library: str
    python: str
    sandbox: str
    calico_version: str
    state: str = ""

    def to_json(self) -> str:
        """One JSON object."""
        return json.dumps(asdict(self), sort_keys=True)

    @property
    def release(self) -> tuple[int, ...]:
        """The version as numbers, for comparing."""
        return tuple(int(part) for part in re.findall(r"\d+", self.version)[:3])

    def state_folder(self, environment: Mapping[str, str] = os.environ) -> Path:
        """Where the doubles remember: PODNET_DOUBLES_STATE, else the one built in, else a folder of this user's beside TMPDIR."""
        default = Path(tempfile.gettempdir()) / f"podnet-doubles-{os.geteuid()}"
        return Path(environment.get(_STATE) or self.state or default)


def load() -> Built:
    """What this double was built as."""
    content = pkgutil.get_data(__package__, RESOURCE)
    if content is None:
        raise SystemExit("podnet double: not built; see tests/doubles/README.md")
    return Built(**json.loads(content))
