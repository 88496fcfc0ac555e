# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Print, as one JSON object, what this machine has of what the sandbox needs: commands, Python modules, the user;
and whether it is a machine at all.

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
#: AWX sets it in every job (24.6: build_env), whatever image the job runs in.
_OF_AWX = "AWX_PRIVATE_DATA_DIR"
#: ansible-builder 3 puts it into every image.
_OF_ANSIBLE_BUILDER = "/opt/builder/bin/entrypoint"


def execution_environment() -> str:
    """What shows that this is an execution environment, a container that lives as long as one job; empty where nothing does."""
    if os.environ.get(_OF_AWX):
        return f"AWX set {_OF_AWX}"
    return f"{_OF_ANSIBLE_BUILDER} of ansible-builder is here" if os.path.exists(_OF_ANSIBLE_BUILDER) else ""


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
        "execution_environment": execution_environment(),
    }


if __name__ == "__main__":
    json.dump(main(sys.argv[1:]), sys.stdout)
