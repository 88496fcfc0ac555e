# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line: its commands, their options and their help. What they do is in `commands`.

Exit codes: 0 done (or already so), 1 refused or failed (the reason on standard error), 2 a command line that makes no sense,
3 `status` of a sandbox that is not up; `exec` ends with the command's own.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from . import commands, launch
from .config import CALICO_RELEASES, ENCAPSULATIONS, ConfigError
from .state import StateError

_INTERRUPTED = 130
_EXIT_CODES = """\
Exit codes: 0 done, or already so; 1 refused or failed, the reason on standard error; 2 a command line that makes no sense;
3 `status` of one that is not up; `exec` ends with the command's own.
"""
_EXAMPLE = f"""\
Examples:
  podnet-sandbox up --encapsulation VXLANCrossSubnet
  export KUBECONFIG=$(podnet-sandbox kubeconfig)
  kubectl get nodes -o wide
  kubectl wait --for=condition=Available tigerastatus/calico --timeout=60s
  kubectl run web --image=wbitt/network-multitool && kubectl wait --for=condition=Ready pod/web
  podnet-sandbox exec web -- ip route
  podnet-sandbox down

{_EXIT_CODES}"""
_UP = """\
Examples:
  podnet-sandbox up                                        three nodes, without Calico
  podnet-sandbox up --encapsulation None --nodes 5         five nodes, Calico with routes of BGP
  podnet-sandbox up --name second --encapsulation VXLAN    beside the first
  podnet-sandbox up --config '{"node_subnet": "10.1.0.0/24", "port": 6443}'

Repeating it changes nothing; other settings under the same name are refused. Where a sandbox has died, it is replaced, and that
is said. Nothing is written but the files in its folder.
"""
_DOWN = "Ends its processes; namespaces and devices go with them. Files in its folder that are not the sandbox's stay."
_STATUS = "Exit code 0: it is up. 3: it is not; a dead one's files, if there are some, are mentioned."
_KUBECONFIG = "Example:\n  export KUBECONFIG=$(podnet-sandbox kubeconfig)"
_EXEC = """\
Examples:
  podnet-sandbox exec web -- ip route
  podnet-sandbox exec -n calico-system calico-node-abcde -- birdcl show protocols

Without input and terminal; kubectl exec has those. Ends with the command's exit code; 1 as well where it could not be run.
"""
_SNAPSHOT = """\
Example:
  podnet-sandbox snapshot before

FOLDER/api/RESOURCE.json         every list of the API, as kubectl get -o json has it
FOLDER/nodes/NODE/FILE           what ip, bridge, ipset, iptables and birdcl say on the node
FOLDER/pods/NAMESPACE.POD/FILE   what ip says in each pod that runs on the pod network
FOLDER/problems.txt              what could not be recorded, if anything

The folder is for you alone (Secrets are among the lists). podnet.calico judges it: make verify FROM=FOLDER.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command."""
    options = _parser().parse_args(arguments)
    try:
        code = int(options.run(options))
        sys.stdout.flush()
        return code
    except (launch.LaunchError, ConfigError, StateError) as error:
        reason = str(error)
    except BrokenPipeError:  # who read the answer has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        reason = str(error)
    except KeyboardInterrupt:
        print(f"podnet-sandbox {options.command}: interrupted", file=sys.stderr)
        return _INTERRUPTED
    print(f"podnet-sandbox {options.command}: {reason}", file=sys.stderr)
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="podnet-sandbox",
        description="A Kubernetes cluster with Calico's pod routing, in network namespaces of this machine: the real kernel "
        "forwards, the real BIRD speaks BGP, kubectl works. No Docker, no images, no internet; root, or user namespaces.",
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    up = _command(verbs, "up", commands.up, "start a sandbox; returns when its API answers", _UP)
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
    down = _command(verbs, "down", commands.down, "end a sandbox and remove its files", _DOWN)
    down.add_argument("--check", action="store_true", help="change nothing, say what would be done")
    _command(verbs, "status", commands.status, "say whether it is up", _STATUS)
    listed = verbs.add_parser("list", help="say which sandboxes there are", description="The sandboxes of $XDG_STATE_HOME/podnet.")
    listed.set_defaults(run=commands.list_all)
    listed.add_argument("--json", action="store_true", help="answer in JSON")
    _command(verbs, "kubeconfig", commands.show_kubeconfig, "print the path of its kubeconfig", _KUBECONFIG)
    execute = _command(verbs, "exec", commands.execute, "run a command in a pod", _EXEC)
    execute.add_argument("--namespace", "-n", default="default", help="the pod's namespace (default %(default)s)")
    execute.add_argument("--container", "-c", default="", help="the container, where the pod has several")
    execute.add_argument("pod", metavar="POD")
    execute.add_argument("argv", nargs=argparse.REMAINDER, metavar="-- COMMAND")
    snapshot = _command(verbs, "snapshot", commands.snapshot, "record all objects, and what nodes and pods see, in a folder", _SNAPSHOT)
    snapshot.add_argument("folder", metavar="FOLDER", type=Path, help="a folder that does not exist yet, or is empty")
    _command(verbs, "logs", commands.logs, "print what the sandbox's own processes said", "Pods' output: kubectl logs POD.")
    return parser


def _listed(text: str) -> list[str]:
    return text.split(",")


def _command(verbs: Any, name: str, run: Callable[[argparse.Namespace], int], text: str, more: str) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = verbs.add_parser(
        name, help=text, description=f"{text[0].upper()}{text[1:]}.", epilog=more, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    command.set_defaults(run=run)
    command.add_argument("--name", default=None, help=f"the sandbox's name (default {commands.DEFAULT_NAME})")
    command.add_argument("--state-dir", type=Path, default=None, help="its folder (default $XDG_STATE_HOME/podnet/NAME)")
    command.add_argument("--json", action="store_true", help="answer in JSON")
    return command
