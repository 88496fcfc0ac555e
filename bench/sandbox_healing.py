# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How soon BGP has converged, and what is broken is whole again, beside what a real Calico v3.30.7 was recorded to take.

Each is measured inside the node, by a loop in the shell that breaks it: what exec takes does not count. What Felix puts right
by its clocks (10 s for the tunnel's device, 90 s for routes) takes anything up to that long, in the sandbox as in the real one:
no event wakes the loop around the device (keepDeviceInSync in felix/dataplane/linux, v3.30 to v3.32), so the recorded seconds are
moments of those periods, and here things are broken at random ones.
"""

from __future__ import annotations

import json
import random
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from life import Sandbox
from measure import command

_POLL = (
    "b=$(date +%s%N); n=0; until {whole}; do n=$((n + 1)); [ $n -lt 6000 ] || break; sleep 0.02; done; "
    "echo $(( ($(date +%s%N) - b) / 1000000 ))"
)
_CONVERGED = '[ "$(ip route show proto bird | grep -c " via ")" = 2 ]'


@dataclass(frozen=True)
class Fault:
    """``breaking`` and what is true when all is ``whole`` again, in the node's shell; ``real``: the recording's seconds and its source.

    ``period``: seconds of the clock that heals it; 0: no clock does.
    """

    title: str
    encapsulation: str
    breaking: str
    whole: str
    real: str
    source: str
    period: float = 0


_BLOCK = 'r=$(ip route show proto {proto} | grep -m1 " via "); set -- $r; d=$1; '
FAULTS = (
    Fault("block route deleted, BIRD's", "None", _BLOCK.format(proto="bird") + "ip route del $d", 'ip route show $d | grep -q .',
          "1.0 to 2.2", "faults-none/block-route-deleted, FINDINGS A5"),
    Fault("block route's gateway changed, proto bird kept", "None",
          _BLOCK.format(proto="bird") + "ip route replace $d via 172.18.0.1 proto bird", 'ip route show $d | grep -qv 172.18.0.1',
          "1.0 to 2.2", "faults-none/block-route-gateway-changed"),
    Fault("bird killed: sessions up again", "None", "kill -9 $(pidof bird); sleep 0.1",
          '[ "$(birdcl -s /var/run/calico/bird.ctl show protocols 2>/dev/null | grep -c Established)" = 2 ]',
          "2 to 3", "faults-none/bird-killed"),
    Fault("vxlan.calico deleted", "VXLANCrossSubnet", "ip link del vxlan.calico", "ip link show vxlan.calico >/dev/null 2>&1",
          "0 to 10, seen 9.0, 9.3 and 8.2", "faults-vxlancrosssubnet, faults-vxlan/vxlan-device-deleted", 10),
    Fault("vxlan.calico down", "VXLANCrossSubnet", "ip link set vxlan.calico down", "ip link show vxlan.calico up | grep -q .",
          "0 to 10, seen about 2", "vxlancrosssubnet-two-subnets, FINDINGS E", 10),
    Fault("block route deleted, Felix's (at the resync)", "VXLANCrossSubnet", _BLOCK.format(proto="80") + "ip route del $d",
          'ip route show $d | grep -q .', "24.3; 74.4", "faults-vxlancrosssubnet, faults-vxlan/block-route-deleted"),
)  # fmt: skip


def report(env: dict[str, str], runs: int) -> None:
    """Prints the figures; leaves nothing up."""
    for encapsulation in dict.fromkeys(fault.encapsulation for fault in FAULTS):
        with tempfile.TemporaryDirectory(prefix="podnet-bench-") as folder:
            config = json.dumps({"name": "healing", "encapsulation": encapsulation})
            with Sandbox("healing", Path(folder) / "lab", env, config) as sandbox:
                began = time.perf_counter()
                door = _door(sandbox.kubeconfig)
                if encapsulation == "None":
                    _exec(sandbox.kubeconfig, door, _POLL.format(whole=_CONVERGED))
                    took = f"{time.perf_counter() - began:.2f} s after `up`, Calico's start and a pod on each included"
                    print(f"{'BGP of 3 nodes converged':<48} {took} (real: not recorded)")
                for fault in FAULTS:
                    if fault.encapsulation == encapsulation:
                        _measure(sandbox.kubeconfig, door, fault, 1 if "resync" in fault.title else runs)


def _measure(kubeconfig: str, door: str, fault: Fault, runs: int) -> None:
    script = f"{fault.breaking} && {_POLL.format(whole=fault.whole)}"
    took = []
    for _ in range(runs):
        took.append(int(_exec(kubeconfig, door, script).split()[-1]) / 1000)
        time.sleep(3 + random.uniform(0, fault.period))  # the next one breaks something that is whole, at any moment of its clock
    spread = f"{statistics.median(took):.2f} s (median of {len(took)}; {min(took):.2f} to {max(took):.2f})"
    print(f"{fault.title:<48} {spread}   real: {fault.real} s ({fault.source})")


def _door(kubeconfig: str) -> str:
    """A calico-node that is ready, on a worker."""
    kubectl = ["kubectl", "--kubeconfig", kubeconfig]
    command([*kubectl, "wait", "--for=condition=Available", "tigerastatus/calico", "--timeout=60s"])
    pods = json.loads(command([*kubectl, "-n", "calico-system", "get", "pods", "-l", "k8s-app=calico-node", "-o", "json"]))["items"]
    for number, pod in enumerate(pods):  # every node has a block once a pod is on it
        spec = {"nodeName": pod["spec"]["nodeName"], "containers": [{"name": "c", "image": "wbitt/network-multitool"}]}
        command([*kubectl, "run", f"p{number}", "--image=wbitt/network-multitool", "--overrides", json.dumps({"spec": spec})])
    command([*kubectl, "wait", "--for=condition=Ready", "--timeout=60s", "pod", *(f"p{number}" for number in range(len(pods)))])
    return next(pod["metadata"]["name"] for pod in pods if "worker" in pod["spec"]["nodeName"])


def _exec(kubeconfig: str, pod: str, script: str) -> str:
    where = ["-n", "calico-system", "exec", pod, "-c", "calico-node"]
    return command(["kubectl", "--kubeconfig", kubeconfig, *where, "--", "sh", "-c", script])
