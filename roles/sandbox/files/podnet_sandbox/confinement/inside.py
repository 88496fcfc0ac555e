# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of a running container, touched from outside of it (through /proc/<pid>/root) without being led astray.

An absolute link in a container means the container's root to its processes, but the host's to whoever follows it from
here. So no link is followed, at any step. Raises OSError (ELOOP, ENOTDIR) where there is one.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


@contextlib.contextmanager
def folder(root: str, path: str) -> Iterator[int]:
    """A descriptor of the folder ``path`` (absolute, inside ``root``), made where it is not there."""
    current = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for name in path.strip("/").split("/"):
            with contextlib.suppress(FileExistsError):
                os.mkdir(name, 0o755, dir_fd=current)
            below = os.open(name, _FOLDER, dir_fd=current)
            os.close(current)
            current = below
        yield current
    finally:
        os.close(current)


def write(root: str, path: str, content: bytes) -> None:
    """Replace the file ``path`` inside ``root`` whole."""
    above, _ignored, name = path.rpartition("/")
    temporary = f".{name}.new"
    with folder(root, above) as where:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o644, dir_fd=where)
        with open(descriptor, "wb") as file:
            file.write(content)
        os.rename(temporary, name, src_dir_fd=where, dst_dir_fd=where)


def remove(root: str, path: str) -> None:
    """Remove the file ``path`` inside ``root`` if it is there."""
    above, _ignored, name = path.rpartition("/")
    with folder(root, above) as where, contextlib.suppress(FileNotFoundError):
        os.unlink(name, dir_fd=where)


@contextlib.contextmanager
def socket_path(root: str, path: str) -> Iterator[str]:
    """A path of this process's own by which to connect to the socket ``path`` inside ``root``."""
    above, _ignored, name = path.rpartition("/")
    with folder(root, above) as where:
        if os.path.islink(f"/proc/self/fd/{where}/{name}"):
            raise OSError(f"{path} is a link")
        yield f"/proc/self/fd/{where}/{name}"
