# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each command of the command line does and says. A command takes the parsed options and returns the exit code."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from . import launch
from .config import SandboxConfig
from .state import StateFolder, default_folder

NOT_UP = 3
DEFAULT_NAME = SandboxConfig().name
#: What may differ between two `up`s of one sandbox: where it is and who it is follows from the running one.
_INCIDENTAL = ("state_dir", "uuid", "port")


def _folder(options: argparse.Namespace, config: SandboxConfig | None = None) -> StateFolder:
    if options.state_dir:
        return StateFolder(options.state_dir.absolute())
    if config is not None and config.state_dir:
        return StateFolder(Path(config.state_dir).absolute())
    return StateFolder(default_folder(options.name or (config.name if config else DEFAULT_NAME)))


def up(options: argparse.Namespace) -> int:
    settings = SandboxConfig.from_json(options.config, **chosen(options))
    folder = _folder(options, settings)
    running = folder.read() if folder.alive() else None
    if running is not None:
        _same_or_refuse(settings, running, folder)
        return _answer_up(options, folder, running, changed=False)
    bird = not options.without_bird and not (settings.encapsulation and settings.bgp == "Disabled")
    if options.check:
        launch.check_programmes(bird=bird)
        return _answer_up(options, folder, _planned(settings), changed=True)
    state = launch.start(settings, folder, bird=bird)
    return _answer_up(options, folder, state, changed=True)


def chosen(options: argparse.Namespace) -> dict[str, Any]:
    """The settings that were given as options."""
    names = ("name", "encapsulation", "block_size", "bgp", "calico_version", "node_subnets")
    found = {name: value for name in names if (value := getattr(options, name)) is not None}
    if options.nodes is not None:
        workers = ["worker", *(f"worker{number}" for number in range(2, options.nodes))]
        roles = ["control-plane", *workers][: max(options.nodes, 0)]
        found["nodes"] = [f"{options.name or DEFAULT_NAME}-{role}" for role in roles]
    return found


def _same_or_refuse(settings: SandboxConfig, running: Mapping[str, Any], folder: StateFolder) -> None:
    wanted = json.loads(settings.to_json())
    # A setting that the running one was started before has its default there.
    there = json.loads(SandboxConfig().to_json()) | running["config"]
    differing = [
        f"{name}: {there[name]!r} runs, {value!r} is asked for"
        for name, value in wanted.items()
        if name not in _INCIDENTAL and there[name] != value
    ]
    if settings.port and not str(running["server"]).endswith(f":{settings.port}"):
        differing.append(f"port: {running['server']} runs, {settings.port} is asked for")
    if differing:
        raise launch.LaunchError(
            f"a sandbox of that name is already up in {folder.path}, with other settings ({'; '.join(differing)}). End it "
            f"first (make destroy, or `podnet-sandbox down --state-dir {folder.path}`), or choose another name"
        )


def _planned(settings: SandboxConfig) -> dict[str, Any]:
    return {
        "name": settings.name,
        "uuid": settings.uuid,
        "server": "",
        "nodes": launch.node_list(settings),
    }


def _answer_up(options: argparse.Namespace, folder: StateFolder, state: Mapping[str, Any], *, changed: bool) -> int:
    answer = {name: state[name] for name in ("name", "uuid", "server", "nodes")}
    answer |= {"changed": changed, "kubeconfig": str(folder.kubeconfig), "state_dir": str(folder.path)}
    if changed and state.get("replaced"):
        answer["replaced"] = state["replaced"]
    if options.json:
        print(json.dumps(answer, sort_keys=True))
        return 0
    did = "would start" if options.check and changed else "started" if changed else "is already up"
    print(f"sandbox {answer['name']} {did}: {len(answer['nodes'])} nodes, {answer['server'] or 'a free port'}")
    if "replaced" in answer:
        dead = answer["replaced"]
        print(f"the one before it (process {dead['pid']}) had ended without `down`; what it said last is in {dead['log']}")
    print(f"export KUBECONFIG={answer['kubeconfig']}")
    return 0


def down(options: argparse.Namespace) -> int:
    folder = _folder(options)
    if not folder.path.is_dir():
        removed: list[str] = []
    elif options.check:
        removed = [f"process {(folder.read() or {}).get('pid', '?')}"] if folder.alive() else []
        removed += folder.own_files()
    else:
        removed = [f"process {(folder.read() or {}).get('pid')}"] if launch.stop(folder) else []
        removed += folder.clear()
    if options.json:
        print(json.dumps({"changed": bool(removed), "removed": removed}))
    else:
        print(f"removed {', '.join(removed)}" if removed else f"there is no sandbox in {folder.path}")
    return 0


def status(options: argparse.Namespace) -> int:
    folder = _folder(options)
    up = folder.alive()
    state = folder.read() or {}
    answer = {"running": up, "state_dir": str(folder.path), "stale": bool(state) and not up}
    answer |= {name: state[name] for name in ("name", "uuid", "server", "nodes", "pid") if name in state}
    if options.json:
        print(json.dumps(answer, sort_keys=True))
    elif up:
        print(f"sandbox {state.get('name', '?')} is up: {state.get('server', 'starting')}, process {state.get('pid', '?')}")
    else:
        print(f"no sandbox is up in {folder.path}" + (" (a dead one's files are there)" if state else ""))
    return 0 if up else NOT_UP


def show_kubeconfig(options: argparse.Namespace) -> int:
    print(_living(options).kubeconfig)
    return 0


def execute(options: argparse.Namespace) -> int:
    folder = _living(options)
    argv = options.argv[1:] if options.argv[:1] == ["--"] else options.argv
    if not argv:
        raise launch.LaunchError("exec: no command; write it after --")
    from .exec_client import run  # the Kubernetes client takes most of a second to import

    return run(folder.kubeconfig, options.namespace, options.pod, options.container, argv)


def snapshot(options: argparse.Namespace) -> int:
    folder = _living(options)
    from .snapshot import take

    problems = take(folder.kubeconfig, options.folder.absolute())
    if options.json:
        print(json.dumps({"folder": str(options.folder.absolute()), "problems": problems}))
    else:
        for problem in problems:
            print(problem, file=sys.stderr)
        print(f"{options.folder}: {'recorded' if not problems else 'recorded, but for what problems.txt names'}")
    return 0


def list_all(options: argparse.Namespace) -> int:
    parent = default_folder(DEFAULT_NAME).parent
    found = [StateFolder(path.parent) for path in sorted(parent.glob("*/sandbox.lock"))] if parent.is_dir() else []
    answer = []
    for folder in found:
        state = folder.read() or {}
        named = {name: state[name] for name in ("name", "server", "pid") if name in state}
        answer.append({"name": folder.path.name, **named, "running": folder.alive(), "nodes": len(state.get("nodes", ()))})
    if options.json:
        print(json.dumps(answer, sort_keys=True))
        return 0
    for each in answer:
        print(f"{each['name']:<24} {'up' if each['running'] else 'dead':<5} {each['nodes']:>4} nodes  {each.get('server', '')}")
    if not answer:
        print(f"no sandbox has files in {parent}")
    return 0


def logs(options: argparse.Namespace) -> int:
    folder = _folder(options)
    if not folder.log.exists():
        raise launch.LaunchError(f"there is no log in {folder.path}: no sandbox was started there. Which there are: podnet-sandbox list")
    with folder.log.open("rb") as file:
        sys.stdout.flush()
        shutil.copyfileobj(file, sys.stdout.buffer)
    return 0


def _living(options: argparse.Namespace) -> StateFolder:
    folder = _folder(options)
    if not folder.alive():
        raise launch.LaunchError(f"no sandbox is up in {folder.path}. Start one: podnet-sandbox up")
    return folder
