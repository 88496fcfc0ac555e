# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The folders that are mounted into containers: in memory, seen in the sandbox's mount namespace only.

What the kubelet writes (ConfigMaps, Secrets, tokens) is replaced as a whole by turning one link, as a kubelet does it: a
container sees all of the old or all of the new. What containers write (emptyDir) is a file system of its own, so that no pod
fills the others'.
"""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from ...confinement import inside, syscalls
from .workloads import Mount, PodFile, WorkloadError

#: Bytes of an emptyDir that names no limit, and of a node's files: it is memory of the machine.
EMPTY_DIR_BYTES = 64 << 20
_ALL_BYTES = 256 << 20
_DATA = "..data"


class Volumes:
    """All pods' volumes, below ``scratch``, any folder: it is covered in the sandbox's mount namespace."""

    def __init__(self, scratch: str) -> None:
        self._base = Path(scratch)
        self._versions = itertools.count(1)
        self._mounted: dict[tuple[str, str], list[Path]] = {}

    @property
    def root(self) -> str:
        """Where containers build their root file system, each in a mount namespace of its own."""
        return str(self._base / "root")

    def start(self) -> None:
        """Cover the folder."""
        _mount_memory(self._base, 0o755, _ALL_BYTES)
        os.mkdir(self.root)

    def stop(self) -> None:
        """Uncover it."""
        syscalls.unmount(str(self._base))

    def write(self, pod: tuple[str, str], volume: str, files: Mapping[str, PodFile]) -> None:
        """Have ``volume`` hold ``files`` (by path inside it) and nothing else."""
        folder = self._folder(pod, volume)
        data = f"..{next(self._versions)}"
        for path, file in files.items():
            _check(path)
            _write(folder / data / path, file)
        (folder / data).mkdir(exist_ok=True)
        before = os.readlink(folder / _DATA) if (folder / _DATA).is_symlink() else None
        os.symlink(data, folder / f"{_DATA}.new")
        os.rename(folder / f"{_DATA}.new", folder / _DATA)
        self._link(folder, {path.split("/")[0] for path in files})
        if before:
            shutil.rmtree(folder / before)

    def empty(self, pod: tuple[str, str], volume: str, size: int | None = None, *, anew: bool = False) -> None:
        """Have ``volume`` be a folder to write in, of at most ``size`` bytes; one that is there keeps its content, unless ``anew``."""
        folder = self._folder(pod, volume)
        mounted = self._mounted.setdefault(pod, [])
        if anew:
            for place in [each for each in mounted if each == folder or each.name.startswith(f"{folder.name}.")]:  # parts of it first
                syscalls.unmount(str(place))
                mounted.remove(place)
                if place != folder:
                    place.rmdir()
        if folder not in mounted:
            _mount_memory(folder, 0o777, size or EMPTY_DIR_BYTES)
            mounted.append(folder)

    def host(self, pod: tuple[str, str], volume: str, node: str, path: str) -> None:
        """Have ``volume`` be the folder ``path`` of ``node``: of a tree of its own, empty at first, that the node's pods share.

        Raises `WorkloadError` where a pod has put something else in its way.
        """
        folder, tree = self._folder(pod, volume), self._base / "hosts" / node
        if folder in self._mounted.get(pod, ()):
            return
        if not tree.exists():
            tree.mkdir(parents=True)
            _mount_memory(tree, 0o755, EMPTY_DIR_BYTES)
        try:
            self._show(str(tree), os.path.normpath(f"/{path}"), folder)
        except OSError as error:
            raise WorkloadError(f"hostPath type check failed: {path} is not a directory") from error
        self._mounted.setdefault(pod, []).append(folder)

    def source(self, pod: tuple[str, str], mount: Mount) -> str:
        """What is to be mounted for ``mount``. Raises `WorkloadError` for a sub-path that is not there."""
        folder = self._folder(pod, mount.volume)
        if not mount.sub_path:
            return str(folder)
        _check(mount.sub_path)
        if folder in self._mounted.get(pod, ()):
            return self._part(pod, folder, mount.sub_path)
        found = os.path.realpath(folder / mount.sub_path)
        if not os.path.exists(found):
            raise WorkloadError(f'failed to prepare subPath for volumeMount "{mount.volume}" of container: {mount.sub_path} is not there')
        return found

    def remove(self, pod: tuple[str, str]) -> None:
        """The pod is gone, and its volumes with it."""
        for folder in self._mounted.pop(pod, ()):
            syscalls.unmount(str(folder))
        shutil.rmtree(self._base / "volumes" / pod[0] / pod[1], ignore_errors=True)

    def _part(self, pod: tuple[str, str], folder: Path, sub_path: str) -> str:
        """A folder in a volume that containers write, under a name of its own: they may put a link in its place at any time."""
        own = folder.with_name(f"{folder.name}.{sub_path.strip('/').replace('/', '.')}")
        if own not in self._mounted[pod]:
            own.mkdir()
            try:
                self._show(str(folder), sub_path, own)
            except OSError as error:
                raise WorkloadError(f'failed to prepare subPath {sub_path} of volume "{folder.name}": {error}') from error
            self._mounted[pod].insert(0, own)
        return str(own)

    @staticmethod
    def _show(tree: str, path: str, place: Path) -> None:
        """Have ``place`` be the folder ``path`` inside ``tree``, where containers may have made links: none is followed."""
        with inside.folder(tree, path) as found:
            syscalls.mount(f"/proc/self/fd/{found}", str(place), None, syscalls.MS_BIND)

    def _folder(self, pod: tuple[str, str], volume: str) -> Path:
        folder = self._base / "volumes" / pod[0] / pod[1] / volume
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    @staticmethod
    def _link(folder: Path, names: set[str]) -> None:
        """The names people see, each a link into the current data."""
        for entry in folder.iterdir():
            if not entry.name.startswith("..") and entry.name not in names:
                entry.unlink()
        for name in names:
            if not (folder / name).is_symlink():
                os.symlink(f"{_DATA}/{name}", folder / name)


def _check(path: str) -> None:
    """Raises `WorkloadError` for a path that would lead out of its volume. A real API server does not let one in."""
    if path.startswith("/") or ".." in path.split("/"):
        raise WorkloadError(f"{path}: must be a relative path, must not contain '..'")


def _mount_memory(place: Path, mode: int, size: int) -> None:
    syscalls.mount("tmpfs", str(place), "tmpfs", syscalls.MS_NOSUID | syscalls.MS_NODEV, f"mode={mode:o},size={size}")


def _write(path: Path, file: PodFile) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(file.content)
    path.chmod(file.mode)
