# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line: up, status, down, exec, kubeconfig.

Exit codes: 0 done (or already so), 1 refused or failed (the reason on standard error), 3 `status` of a sandbox that
is not up; `exec` ends with the command's own.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from . import launch
from .config import CALICO_RELEASES, ENCAPSULATIONS, ConfigError, SandboxConfig
from .state import StateError, StateFolder, default_folder

_NOT_UP = 3
_DEFAULT_NAME = SandboxConfig().name
_EXAMPLE = """\
  export KUBECONFIG=$(podnet-sandbox up --encapsulation VXLANCrossSubnet --json | jq -r .kubeconfig)
  kubectl get nodes -o wide
  kubectl wait --for=condition=Available tigerastatus/calico --timeout=60s
  kubectl run web --image=wbitt/network-multitool && kubectl wait --for=condition=Ready pod/web
  kubectl exec web -- ip route
  podnet-sandbox down

Exit codes: 0 done, or already so; 1 refused or failed, the reason on standard error; 3 `status` of one that is not up;
`exec` ends with the command's own.
"""
#: What may differ between two `up`s of one sandbox: where it is and who it is follows from the running one.
_INCIDENTAL = ("state_dir", "uuid", "port")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except (launch.LaunchError, ConfigError, StateError) as error:
        print(f"podnet-sandbox {options.command}: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="podnet-sandbox",
        description="A Kubernetes cluster with Calico's pod routing, in network namespaces of this machine: the real kernel "
        "forwards, the real BIRD speaks BGP, kubectl works. No Docker, no images, no internet; root, or user namespaces.",
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True)
    up = _command(commands, "up", _up, "start a sandbox; returns when its API answers")
    up.add_argument("--nodes", type=int, metavar="N", help="how many nodes, the control plane among them (default 3)")
    up.add_argument("--node-subnets", metavar="CIDR,…", type=_listed, help="the nodes' subnets, with a router between them (default one)")
    calico = "have Calico from the start, with one pool of this encapsulation; without, apply it yourself"
    up.add_argument("--encapsulation", choices=ENCAPSULATIONS, help=calico)
    up.add_argument("--block-size", type=int, metavar="BITS", help="prefix length of the pool's blocks (default 26)")
    up.add_argument("--bgp", choices=("Enabled", "Disabled"), help="BIRD on the nodes (default Enabled)")
    up.add_argument("--calico-version", metavar="VERSION", help=f"routes as of {', '.join(CALICO_RELEASES)} (default v3.30.7)")
    up.add_argument("--config", default="{}", help="all settings, a JSON object (name, nodes, node_subnet, port …); options go before it")
    up.add_argument("--check", action="store_true", help="change nothing, say what would be done")
    up.add_argument("--without-bird", action="store_true", help="allow a machine without BIRD, for Calico applied with bgp: Disabled")
    down = _command(commands, "down", _down, "end a sandbox and remove its files")
    down.add_argument("--check", action="store_true", help="change nothing, say what would be done")
    _command(commands, "status", _status, "say whether it is up; exit code 3 when it is not")
    _command(commands, "kubeconfig", _kubeconfig, "print the path of its kubeconfig")
    execute = _command(commands, "exec", _exec, "run a command in a pod")
    execute.add_argument("--namespace", "-n", default="default")
    execute.add_argument("--container", "-c", default="")
    execute.add_argument("pod")
    execute.add_argument("argv", nargs=argparse.REMAINDER, metavar="-- COMMAND")
    return parser


def _listed(text: str) -> list[str]:
    return text.split(",")


def _command(commands: Any, name: str, run: Any, text: str) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text)
    command.set_defaults(run=run)
    command.add_argument("--name", default=None, help=f"the sandbox's name (default {_DEFAULT_NAME})")
    command.add_argument("--state-dir", type=Path, default=None, help="its folder (default $XDG_STATE_HOME/podnet/NAME)")
    command.add_argument("--json", action="store_true", help="answer in JSON")
    return command


def _folder(options: argparse.Namespace, config: SandboxConfig | None = None) -> StateFolder:
    if options.state_dir:
        return StateFolder(options.state_dir.absolute())
    if config is not None and config.state_dir:
        return StateFolder(Path(config.state_dir).absolute())
    return StateFolder(default_folder(options.name or (config.name if config else _DEFAULT_NAME)))


def _up(options: argparse.Namespace) -> int:
    settings = SandboxConfig.from_json(options.config, **_chosen(options))
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


def _chosen(options: argparse.Namespace) -> dict[str, Any]:
    """The settings that were given as options."""
    names = ("name", "encapsulation", "block_size", "bgp", "calico_version", "node_subnets")
    chosen = {name: value for name in names if (value := getattr(options, name)) is not None}
    if options.nodes is not None:
        workers = ["worker", *(f"worker{number}" for number in range(2, options.nodes))]
        roles = ["control-plane", *workers][: max(options.nodes, 0)]
        chosen["nodes"] = [f"{options.name or _DEFAULT_NAME}-{role}" for role in roles]
    return chosen


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
    if options.json:
        print(json.dumps(answer, sort_keys=True))
        return 0
    did = "would start" if options.check and changed else "started" if changed else "is already up"
    print(f"sandbox {answer['name']} {did}: {len(answer['nodes'])} nodes, {answer['server'] or 'a free port'}")
    print(f"export KUBECONFIG={answer['kubeconfig']}")
    return 0


def _down(options: argparse.Namespace) -> int:
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


def _status(options: argparse.Namespace) -> int:
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
    return 0 if up else _NOT_UP


def _kubeconfig(options: argparse.Namespace) -> int:
    folder = _folder(options)
    if not folder.alive():
        raise launch.LaunchError(f"no sandbox is up in {folder.path}")
    print(folder.kubeconfig)
    return 0


def _exec(options: argparse.Namespace) -> int:
    folder = _folder(options)
    if not folder.alive():
        raise launch.LaunchError(f"no sandbox is up in {folder.path}")
    argv = options.argv[1:] if options.argv[:1] == ["--"] else options.argv
    if not argv:
        raise launch.LaunchError("exec: no command; write it after --")
    from .exec_client import run  # the Kubernetes client takes most of a second to import

    return run(folder.kubeconfig, options.namespace, options.pod, options.container, argv)
