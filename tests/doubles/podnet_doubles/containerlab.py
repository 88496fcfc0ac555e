# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line of containerlab, for labs whose nodes are of kind k8s-kind.

Facts (containerlab source at the releases named in `releases.py`: cmd/, core/, main.go): exit codes 0 and 1 only; the log goes
to stderr, `HH:MM:SS LEVL text key=value`; a failed create is deploy's failure from 0.75 on and one error line before; what
deploy made before it failed stays; destroy touches nothing but the lab folder (--cleanup) where no container of the lab is
left; SIGINT and SIGTERM during a first deploy destroy the lab.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NoReturn

from podnet_doubles import docker, kind_config, lab_containers, lab_folder, lab_network, releases, topology
from podnet_doubles.built import Built
from podnet_doubles.clusters import Clusters, Wish
from podnet_doubles.errors import NotImitated, ToolError
from podnet_doubles.flags import Flag, duration, parse, seconds
from podnet_doubles.topology import IMITATED_KIND, Node, Topology

_GLOBAL = {
    "topo": Flag(short="t"),
    "name": Flag(),
    "timeout": Flag("2m0s", "duration"),
    "debug": Flag(False, bool, "d"),
    "runtime": Flag(short="r"),
    "log-level": Flag("info"),
    "vars": Flag((), list),
}
_FORMAT = Flag("table", short="f")
_FLAGS: dict[str, dict[str, Flag]] = {
    "version": {"short": Flag(False, bool, "s"), "json": Flag(False, bool, "j")},
    "validate": {},
    "deploy": {
        "reconfigure": Flag(False, bool, "c"),
        "format": _FORMAT,
        "max-workers": Flag("0"),
        "skip-post-deploy": Flag(False, bool),
        "dry-run": Flag(False, bool),
    },
    "destroy": {
        "cleanup": Flag(False, bool, "c"),
        "keep-mgmt-net": Flag(False, bool),
        "all": Flag(False, bool, "a"),
        "yes": Flag(False, bool, "y"),
        "graceful": Flag(False, bool),
        "max-workers": Flag("0"),
    },
    "inspect": {"format": _FORMAT, "details": Flag(False, bool), "all": Flag(False, bool, "a"), "wide": Flag(False, bool, "w")},
}
_ALIASES = {"dep": "deploy", "des": "destroy", "ins": "inspect", "i": "inspect", "val": "validate"}
#: What deploy waits for the nodes where the topology says nothing (containerlab source, v0.79: nodes/k8s_kind).
_WAIT = 15 * 60.0
#: Before, an error was printed as cobra does, `Error: text` (containerlab source: main.go).
_PLAIN_ERRORS = (0, 70)
_CLEANS_UP_ANY_FOLDER = (0, 69)


class _Cancelled(BaseException):
    """SIGINT or SIGTERM."""


def main(built: Built, arguments: Sequence[str]) -> int:
    """Run one command; its exit code."""
    try:
        _Containerlab(built, arguments).run()
    except ToolError as error:
        print(error if built.release >= _PLAIN_ERRORS else f"Error: {error}", file=sys.stderr)
        return 1
    except NotImitated as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def say(level: str, text: str, **facts: Any) -> None:
    """One line of containerlab's log."""
    told = "".join(f" {_key(key)}={_key(str(value))}" for key, value in facts.items())
    print(f"{datetime.now():%H:%M:%S} {level[:4]} {text}{told}", file=sys.stderr)


class _KindLog:
    """kind's library inside containerlab logs under the cluster's name."""

    def __init__(self, cluster: str) -> None:
        self._cluster = cluster

    def info(self, text: str) -> None:
        say("INFO", text, **{"kind-cluster": self._cluster})

    def warn(self, text: str) -> None:
        say("WARN", text, **{"kind-cluster": self._cluster})

    def error(self, text: str) -> None:
        say("ERRO", text, **{"kind-cluster": self._cluster})


class _Containerlab:
    def __init__(self, built: Built, arguments: Sequence[str]) -> None:
        self._built = built
        words = [word for word in arguments if _ALIASES.get(word, word) in _FLAGS]
        if not words:
            raise NotImitated("containerlab", f"the command {' '.join(arguments) or '(none)'}")
        self._verb = _ALIASES.get(words[0], words[0])
        if self._verb == "validate" and built.release < releases.VALIDATE:
            raise ToolError('unknown command "validate" for "containerlab"')
        known = {**_GLOBAL, **_FLAGS[self._verb]}
        if self._verb == "version" and built.release < releases.SHORT_VERSION:
            known = _GLOBAL
        self._given, _rest = parse(arguments, known)

    def run(self) -> None:
        if self._verb in ("deploy", "destroy"):
            _need_root()
        getattr(self, f"_{self._verb}")()

    def _version(self) -> None:
        version = self._built.version
        minor = ".".join(version.split(".")[:2])
        patch = "" if version.endswith(".0") else f"#{version.replace('.', '')}"
        notes = f"https://containerlab.dev/rn/{minor}/{patch}"
        source = "https://github.com/srl-labs/containerlab"
        if self._given.get("short"):
            print(version)
        elif self._given.get("json"):
            facts = {"version": version, "commit": "podnet-double", "date": "unknown", "repository": source, "releaseNotes": notes}
            print(json.dumps(facts, separators=(",", ":")))
        else:
            print(f"\n    version: {version}\n     commit: podnet-double\n       date: unknown")
            print(f"     source: {source}\n rel. notes: {notes}")

    def _validate(self) -> None:
        lab = self._read()
        if not lab.name or not lab.nodes:
            raise ToolError(f'topology file "{lab.file.name}" defines no name or nodes. likely an empty file')
        links = len(lab.raw.get("links") or [])
        say("INFO", "Topology is valid", name=lab.name, nodes=len(lab.nodes), links=links)

    def _deploy(self) -> None:
        if self._given["dry-run"]:
            raise NotImitated("containerlab", "deploy --dry-run")
        say("INFO", "Containerlab started", version=self._built.version)
        lab = self._read()
        # Kind's containers carry no label of containerlab's, so every deploy of such a lab is a first one.
        self._cancellable(lab, lambda: self._deploy_first(lab))
        found = lab_containers.of_topology(lab)
        self._print(found)

    def _deploy_first(self, lab: Topology) -> None:
        if self._given["reconfigure"]:
            self._destroy_lab(lab, keep_network=True)
            say("INFO", "Removing directory", path=lab.folder)
            shutil.rmtree(lab.folder, ignore_errors=True)
        lab_network.ensure(lab, say)
        say("INFO", "Creating lab directory", path=lab.folder)
        lab_folder.begin(lab)
        failures = [failure for failure in (self._create(lab, node) for node in lab.nodes) if failure]
        if failures and self._built.release >= releases.DEPLOY_SAYS_SO:
            raise ToolError("deployment failed for one or more nodes: " + "\n".join(failures))
        lab_folder.finish(lab, state=self._built.release >= releases.STATE_FILE)
        say("INFO", "podnet double of containerlab: /etc/hosts and /etc/ssh/ssh_config.d are left alone")

    def _create(self, lab: Topology, node: Node) -> str:
        """Why the node could not be made; empty where it was."""
        if node.kind != IMITATED_KIND:
            raise NotImitated("containerlab", f"the node {node.name} of kind {node.kind}: only {IMITATED_KIND} is")
        say("INFO", "Creating node", node=node.name)
        try:
            Clusters(self._built, _KindLog(node.name)).create(self._wish(lab, node))
        except ToolError as error:
            says_so = self._built.release >= releases.DEPLOY_SAYS_SO
            failure = f'node "{node.name}" deploy: {error}' if says_so else f'failed deploy stage for node "{node.name}": {error}'
            say("ERRO", failure)
            return failure
        return ""

    def _wish(self, lab: Topology, node: Node) -> Wish:
        config: dict[str, Any] = {}
        if node.startup_config:
            try:
                config = kind_config.read_leniently(Path(node.startup_config).read_text(encoding="utf-8"))
            except OSError as error:
                raise ToolError(f"open {node.startup_config}: {(error.strerror or '').lower()}") from error
        config = kind_config.complete(config, name=node.name, image=node.image, kind_release=self._built.kind_library)
        wait = _WAIT if node.wait is None else seconds(node.wait)
        if node.wait is None:
            say(
                "WARN",
                f"podnet double of containerlab: extras.k8s_kind.deploy.wait is not set, so the real one waits {duration(_WAIT)}",
            )
        path = node.kubeconfig if self._built.release >= releases.KUBECONFIG_OPTION else ""
        return Wish(config, kubeconfig=str(lab.folder / node.name / path) if path else "", wait=wait)

    def _destroy(self) -> None:
        if self._given["all"]:
            self._destroy_all()
            return
        if not self._given["topo"] and self._given["name"]:
            raise NotImitated("containerlab", "destroy --name: kind's containers have no label of a lab")
        lab = self._read()
        if lab_containers.of_topology(lab):
            self._destroy_lab(lab, keep_network=self._given["keep-mgmt-net"])
            if self._given["cleanup"]:
                shutil.rmtree(lab.folder, ignore_errors=True)
            return
        say("INFO", "no containerlab containers found")
        # The first lab folder beside the topology, whosever it is (containerlab source, v0.69 to v0.79: destroyLabDirs).
        beside = sorted(lab.file.parent.glob("clab-*"))
        if self._given["cleanup"] and beside and self._built.release >= _CLEANS_UP_ANY_FOLDER:
            say("INFO", "Removing lab directory", path=beside[0])
            shutil.rmtree(beside[0])

    def _destroy_all(self) -> None:
        if lab_containers.labelled():
            raise NotImitated("containerlab", "destroy --all where there are labelled containers: they are not this double's")
        if self._built.release < _PLAIN_ERRORS:
            raise ToolError("no containerlab labs found")
        say("INFO", "no containerlab containers found")

    def _destroy_lab(self, lab: Topology, *, keep_network: bool) -> None:
        if not lab_containers.of_topology(lab):
            return
        say("INFO", "Destroying lab", name=lab.name)
        for node in lab.nodes:
            say("INFO", f'Deleting kind cluster "{node.name}"')
            try:
                Clusters(self._built, _KindLog(node.name)).delete(node.name, "")
            except ToolError as error:
                say("ERRO", f'could not remove container "clab-{lab.name}-{node.name}": {error}')
        if not keep_network:
            lab_network.remove(lab)

    def _inspect(self) -> None:
        given, grouped = self._given, self._built.release >= releases.GROUPED_INSPECT
        if not (given["name"] or given["topo"] or given["all"] or list(Path().glob("*.clab.y*ml"))):
            raise ToolError("no topology files matching the pattern *.clab.yml or *.clab.yaml found")
        if not given["details"] and given["format"] not in ("table", "json"):
            raise NotImitated("containerlab", f"inspect --format {given['format']}")
        by_label = given["all"] or (given["name"] and not given["topo"])
        found = lab_containers.labelled(given["name"]) if by_label else lab_containers.of_topology(self._read())
        if not found and not (grouped and (given["details"] or given["format"] == "json")):
            say("INFO", "no containers found")
        elif not found:
            print("{}")
        elif given["details"]:
            print(lab_containers.details(found, grouped=grouped))
        else:
            self._print(found)

    def _print(self, found: list[dict[str, Any]]) -> None:
        if self._given["format"] == "json":
            print(lab_containers.summary(found, grouped=self._built.release >= releases.GROUPED_INSPECT))
        else:
            print(lab_containers.table(found))

    def _read(self) -> Topology:
        if self._given["runtime"] not in ("", "docker"):
            raise NotImitated("containerlab", f"the runtime {self._given['runtime']}")
        try:
            docker.run("version", "--format", "{{.Server.Version}}")
        except docker.CommandFailed as failure:
            # The real one talks to the socket itself; its kind library needs the docker command all the same.
            raise ToolError(failure.output.strip() or str(failure)) from failure
        file = topology.find(self._given["topo"])
        say("INFO", "Parsing & checking topology", file=file.name)
        return topology.read(file)

    def _cancellable(self, lab: Topology, work: Callable[[], None]) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, _cancel)
        try:
            work()
        except _Cancelled as cancelled:
            say("ERRO", f'received signal "{cancelled}", canceling context')
            self._destroy_lab(lab, keep_network=False)
            raise SystemExit(1) from cancelled


def _cancel(number: int, _frame: object) -> NoReturn:
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)
    raise _Cancelled("terminated" if number == signal.SIGTERM else "interrupt")


def _need_root() -> None:
    _real, effective, saved = os.getresuid()
    if effective and saved:
        needs = "this containerlab command requires root privileges or root via SUID to run"
        raise ToolError(f"{needs}, effective UID: {effective} SUID: {saved}")


def _key(text: str) -> str:
    return f'"{text}"' if " " in text or not text else text
