# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Print, as one JSON object, what this machine has of what the sandbox needs: commands, Python modules, the user.

Arguments: ``command:<name>`` or ``module:<name>``, any number. Standard library only: it runs before anything is installed.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import sys

#: Where root's commands live; an ordinary user's PATH on Debian leaves them out.
_ADMINISTRATION = ("/usr/local/sbin", "/usr/sbin", "/sbin")


def main(wanted: list[str]) -> dict[str, object]:
    """What is missing of ``wanted``, and who asks."""
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), *_ADMINISTRATION])
    split = [item.split(":", 1) for item in wanted]
    return {
        "uid": os.geteuid(),
        "missing_commands": [name for kind, name in split if kind == "command" and not shutil.which(name, path=path)],
        "missing_modules": [name for kind, name in split if kind == "module" and not importlib.util.find_spec(name)],
        "apt": shutil.which("apt-get", path=path) is not None,
        "python": sys.executable,
    }


if __name__ == "__main__":
    json.dump(main(sys.argv[1:]), sys.stdout)
