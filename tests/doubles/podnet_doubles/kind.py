# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line of kind.

Facts (kind 0.31.0, run): everything a person reads goes to stderr, results alone to stdout; a failure is `ERROR: text` and exit 1;
no clusters, no nodes and deleting what is not there are exit 0; KIND_CLUSTER_NAME stands in for --name.
"""

from __future__ import annotations

import os
import platform
import random
import shlex
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from podnet_doubles import docker, kind_config, kind_images, kubeconfig
from podnet_doubles.built import Built
from podnet_doubles.clusters import Clusters, Wish
from podnet_doubles.errors import NotImitated, ToolError
from podnet_doubles.flags import Flag, parse, seconds
from podnet_doubles.sandbox import Sandboxes

_NAME = Flag(default="kind", short="n")
_PATH = Flag()
#: Command → its flags.
_FLAGS: dict[tuple[str, ...], dict[str, Flag]] = {
    ("version",): {},
    ("create", "cluster"): {
        "name": Flag(short="n"),
        "config": _PATH,
        "image": _PATH,
        "kubeconfig": _PATH,
        "retain": Flag(False, bool),
        "wait": Flag("0s", "duration"),
    },
    ("delete", "cluster"): {"name": _NAME, "kubeconfig": _PATH},
    ("delete", "clusters"): {"all": Flag(False, bool, "A"), "kubeconfig": _PATH},
    ("get", "clusters"): {},
    ("get", "nodes"): {"name": _NAME, "all-clusters": Flag(False, bool, "A")},
    ("get", "kubeconfig"): {"name": _NAME, "internal": Flag(False, bool)},
    ("export", "kubeconfig"): {"name": _NAME, "internal": Flag(False, bool), "kubeconfig": _PATH},
    ("export", "logs"): {"name": _NAME},
    ("load", "docker-image"): {"name": _NAME, "nodes": _PATH},
    ("load", "image-archive"): {"name": _NAME, "nodes": _PATH},
}
_GLOBAL = {"quiet": Flag(False, bool, "q"), "verbosity": Flag("0", str, "v"), "loglevel": _PATH}
_SALUTATIONS = ("Have a nice day! 👋", "Thanks for using kind! 😊")


class _Log:
    def __init__(self, quiet: bool) -> None:
        self._quiet = quiet

    def info(self, text: str) -> None:
        if not self._quiet:
            print(text, file=sys.stderr)

    def warn(self, text: str) -> None:
        self.info(f"WARNING: {text}" if not text.startswith(("WARNING", "podnet double")) else text)

    def error(self, text: str) -> None:
        print(f"ERROR: {text}", file=sys.stderr)


def main(built: Built, arguments: Sequence[str]) -> int:
    """Run one command; its exit code."""
    try:
        return _Kind(built, arguments).run()
    except (ToolError, NotImitated) as error:
        print(f"ERROR: {error}" if isinstance(error, ToolError) else error, file=sys.stderr)
        return 1


class _Kind:
    def __init__(self, built: Built, arguments: Sequence[str]) -> None:
        self._built = built
        if list(arguments[:1]) == ["--version"]:
            arguments = ["version", "--version"]
        self._command = _command(arguments)
        known = {**_GLOBAL, **_FLAGS[self._command]}
        known |= {"version": Flag(False, bool)} if self._command == ("version",) else {}
        self._given, rest = parse(arguments, known)
        self._rest = rest[len(self._command) :] if not self._given.get("version") else []
        if "name" in self._given and os.environ.get("KIND_CLUSTER_NAME") and not _names(arguments):
            self._given["name"] = os.environ["KIND_CLUSTER_NAME"]
        self._log = _Log(self._given["quiet"])
        self._clusters = Clusters(built, self._log)

    def run(self) -> int:
        takes = {
            ("export", "logs"): 1,
            ("load", "docker-image"): None,
            ("load", "image-archive"): None,
            ("delete", "clusters"): None,
        }
        most = takes.get(self._command, 0)
        if most is not None and len(self._rest) > most:
            raise ToolError(f'unknown command "{self._rest[most]}" for "kind {" ".join(self._command)}"')
        action: Callable[[], None] = getattr(self, f"_{'_'.join(self._command).replace('-', '_')}")
        action()
        return 0

    def _version(self) -> None:
        if self._given["version"]:
            print(f"kind version {self._built.version}")
        elif self._given["quiet"]:
            print(self._built.version)
        else:
            # The double is no Go program; the word is there because scripts split this line.
            print(f"kind v{self._built.version} go0.0-podnet-double linux/{_architecture()}")

    def _create_cluster(self) -> None:
        given = self._given
        try:
            config = kind_config.read_strictly(_content(given["config"])) if given["config"] else {}
            release = self._built.version
            config = kind_config.complete(config, name=given["name"], image=given["image"], kind_release=release)
            self._clusters.create(Wish(config, given["kubeconfig"], seconds(given["wait"]), given["retain"]))
        except ToolError as error:
            raise ToolError(f"failed to create cluster: {error}") from error
        context = kubeconfig.key(config["name"])
        path = f" --kubeconfig {shlex.quote(given['kubeconfig'])}" if given["kubeconfig"] else ""
        self._log.info(f'Set kubectl context to "{context}"')
        self._log.info(f"You can now use your cluster with:\n\nkubectl cluster-info --context {context}{path}\n")
        self._log.info(random.choice(_SALUTATIONS))

    def _delete_cluster(self) -> None:
        self._delete(self._given["name"])

    def _delete_clusters(self) -> None:
        for name in self._clusters.names() if self._given["all"] else self._rest:
            self._delete(name)

    def _delete(self, name: str) -> None:
        self._log.info(f'Deleting cluster "{name}" ...')
        try:
            self._clusters.delete(name, self._given["kubeconfig"])
        except ToolError as error:
            raise ToolError(f'failed to delete cluster "{name}": {error}') from error

    def _get_clusters(self) -> None:
        found = self._clusters.names()
        if not found:
            self._log.info("No kind clusters found.")
        for name in found:
            print(name)

    def _get_nodes(self) -> None:
        every = self._given["all-clusters"]
        names = self._clusters.names() if every else [self._given["name"]]
        found = [node for name in names for node in self._clusters.nodes(name)]
        if not found:
            where = "for any cluster." if every else f'found for cluster "{self._given["name"]}".'
            self._log.info(f"No kind nodes {where}")
        for node in found:
            print(node)

    def _get_kubeconfig(self) -> None:
        print(kubeconfig.render(self._clusters.kubeconfig(self._given["name"], internal=self._given["internal"])))

    def _export_kubeconfig(self) -> None:
        name = self._given["name"]
        kubeconfig.merge(self._clusters.kubeconfig(name, internal=self._given["internal"]), self._given["kubeconfig"])
        self._log.info(f'Set kubectl context to "{kubeconfig.key(name)}"')

    def _export_logs(self) -> None:
        name = self._given["name"]
        found = self._clusters.nodes(name)
        if not found:
            raise ToolError(f'unknown cluster "{name}"')
        folder = Path(self._rest[0] if self._rest else tempfile.mkdtemp())
        self._log.info(f'Exporting logs for cluster "{name}" to:')
        print(folder)
        for node in found:
            (folder / node).mkdir(parents=True, exist_ok=True)
            (folder / node / "inspect.json").write_text(docker.run("inspect", node), encoding="utf-8")
        (folder / "docker-info.txt").write_text(docker.run("info"), encoding="utf-8")
        (folder / "kind-version.txt").write_text(f"{self._built.version}\n", encoding="utf-8")
        (folder / "podnet-sandbox.log").write_text(Sandboxes(self._built).log(name), encoding="utf-8")

    def _load_docker_image(self) -> None:
        kind_images.load_images(self._clusters, Sandboxes(self._built), self._log, self._given, self._rest)

    def _load_image_archive(self) -> None:
        kind_images.load_archive(self._clusters, Sandboxes(self._built), self._given, self._rest)


def _command(arguments: Sequence[str]) -> tuple[str, ...]:
    words = [word for word in arguments if not word.startswith("-")]
    for length in (2, 1):
        if tuple(words[:length]) in _FLAGS:
            return tuple(words[:length])
    groups = {command[0] for command in _FLAGS if len(command) > 1}
    if words and words[0] in groups:
        raise ToolError("Subcommand is required")
    if words:
        raise ToolError(f'unknown command "{words[0]}" for "kind"')
    raise NotImitated("kind", "no command given, and its help is not imitated")


def _names(arguments: Sequence[str]) -> bool:
    return any(argument.split("=")[0] == "--name" or argument[:2] == "-n" for argument in arguments)


def _content(path: str) -> str:
    if path == "-":
        return sys.stdin.read()
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise ToolError(f"error reading file: open {path}: {(error.strerror or '').lower()}") from error


def _architecture() -> str:
    return {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
