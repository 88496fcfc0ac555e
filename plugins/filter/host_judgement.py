# Copyright (c) 2026 podnet.calico authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a lab can be built on a machine: everything that stands in the way, before anything is touched."""

from __future__ import annotations

DOCUMENTATION = r"""
name: host_judgement
short_description: Says what stands in the way of a lab on a machine
version_added: "0.1.0"
author:
  - The podnet.calico authors (@podnet)
positional: _input
description:
  - Holds what M(podnet.calico.host_info) found against what a lab needs, and returns every error and every warning, not the
    first only. Each says what was found and what to do.
options:
  _input:
    description: The key C(host) of the result of M(podnet.calico.host_info).
    type: dict
    required: true
  distributions:
    description: The distributions whose packages are known, by id, each with the versions the role was tested on.
    type: dict
    required: true
  kubernetes_version:
    description: The Kubernetes release of the nodes.
    type: str
    required: true
  memory_required_mb:
    description: Below this much memory, in MiB, a lab is refused.
    type: int
    required: true
  memory_wanted_mb:
    description: Below this much memory, in MiB, a warning is given.
    type: int
    required: true
  disk_required_mb:
    description: Below this much free where Docker keeps its data, in MiB, a lab is refused.
    type: int
    required: true
  disk_wanted_mb:
    description: Below this much free where Docker keeps its data, in MiB, a warning is given.
    type: int
    required: true
  subnets:
    description: The lab's networks, by the variable that sets each.
    type: dict
    required: true
  node_network:
    description: The Docker network of the nodes. Where it exists, it is the lab's and clashes with no node subnet.
    type: str
    default: kind
  now:
    description: The clock of the machine that asks, in seconds since 1970.
    type: float
    required: true
"""

EXAMPLES = r"""
- name: Refuse a machine that cannot carry the lab
  ansible.builtin.assert:
    that: judgement.errors | length == 0
    fail_msg: "{{ judgement.errors | join('\n') }}"
  vars:
    judgement: >-
      {{ looked.host | podnet.calico.host_judgement(distributions={'debian': ['12', '13']}, kubernetes_version='v1.34.3',
                                                    memory_required_mb=3500, memory_wanted_mb=7500, disk_required_mb=6000,
                                                    disk_wanted_mb=15000, subnets={'podnet_node_subnet': '172.18.0.0/16'},
                                                    now=now(utc=true).timestamp()) }}
"""

RETURN = r"""
_value:
  description: C(errors) and C(warnings), each a list of sentences.
  type: dict
"""

import re
from datetime import datetime, timezone
from ipaddress import IPv4Network
from typing import Any, Callable, Dict, Iterator, List, Mapping, Tuple

from ansible.errors import AnsibleFilterError

#: "error" or "warning", and what it says.
_Sentence = Tuple[str, str]
_ARCHITECTURES = ("x86_64", "amd64", "aarch64", "arm64")
#: kind's own minimum (kind: known issues, and its release notes).
_OLDEST_DOCKER = (20, 10)
#: From this release on kubelet refuses control groups of version 1 (kubernetes-sigs/kind issue 4077).
_NEEDS_CGROUP_2 = (1, 35)
#: Certificates that one machine makes are not yet valid on a machine whose clock is behind by more than kubeadm's allowance.
_CLOCK_DIFFERENCE_SECONDS = 300
#: A clock before this is a clock that was never set: the collection is younger.
_CLOCK_EARLIEST = datetime(2026, 1, 1, tzinfo=timezone.utc).timestamp()
#: How Docker names the bridges of its networks.
_BRIDGE = re.compile(r"docker0$|br-[0-9a-f]{12}$")
#: What can be proposed in place of a network that is taken.
_PROPOSALS = {
    "podnet_node_subnet": ["172.%d.0.0/16" % second for second in range(18, 32)],
    "podnet_pod_subnet": ["10.%d.0.0/16" % second for second in range(244, 256)],
    "podnet_service_subnet": ["10.%d.0.0/16" % second for second in range(96, 112)],
}


def host_judgement(
    host: Mapping[str, Any],
    distributions: Mapping[str, List[str]],
    kubernetes_version: str,
    memory_required_mb: int,
    memory_wanted_mb: int,
    disk_required_mb: int,
    disk_wanted_mb: int,
    subnets: Mapping[str, str],
    now: float,
    node_network: str = "kind",
) -> Dict[str, List[str]]:
    """Every error and every warning, as sentences; see DOCUMENTATION."""
    if not isinstance(host, Mapping) or "docker" not in host:
        raise AnsibleFilterError("host_judgement wants the key host of podnet.calico.host_info's result, got %r" % (host,))
    found: List[_Sentence] = []
    found.extend(_system(host, distributions))
    found.extend(_cgroup(host["cgroup"], kubernetes_version))
    found.extend(_kernel(host["kernel_modules"]))
    found.extend(
        _size(
            "The machine has %d MiB of memory" % host["memory_mb"],
            (host["memory_mb"], int(memory_required_mb), int(memory_wanted_mb)),
            "Give it more, or set podnet_workers: 1",
        )
    )
    found.extend(
        _size(
            "%d MiB are free in %s" % (host["disk_free_mb"], host["docker"]["root"]),
            (host["disk_free_mb"], int(disk_required_mb), int(disk_wanted_mb)),
            "Make room there, or move Docker's data-root (/etc/docker/daemon.json)",
        )
    )
    found.extend(_docker(host["docker"]))
    found.extend(_subnets(host, subnets, node_network))
    found.extend(_clock(host["time"], float(now)))
    return {level + "s": [text for kind, text in found if kind == level] for level in ("error", "warning")}


def _error(text: str) -> _Sentence:
    return "error", text


def _warning(text: str) -> _Sentence:
    return "warning", text


def _system(host: Mapping[str, Any], distributions: Mapping[str, List[str]]) -> Iterator[_Sentence]:
    system = host["distribution"]
    if host["architecture"] not in _ARCHITECTURES:
        yield _error(
            "The machine is %s. containerlab, kind and the node images exist for amd64 and arm64 only: take another machine."
            % host["architecture"]
        )
    if system["id"] not in distributions:
        if host["missing"] or not host["docker"]["running"]:
            yield _error(
                "%s is not a distribution whose packages this role knows (%s). Install what is missing yourself, as Debian calls "
                "it %s, start Docker, and run this again: then nothing needs to be installed."
                % (system["name"], ", ".join(sorted(distributions)), ", ".join(host["missing"]) or "nothing")
            )
        return
    tested = distributions[system["id"]]
    if system["version"] not in tested:
        run = ["%s %s" % (one.capitalize(), "/".join(many)) for one, many in distributions.items() if many]
        yield _warning("%s was not run: the role is tested on %s." % (system["name"], ", ".join(run)))


def _cgroup(version: int, kubernetes: str) -> Iterator[_Sentence]:
    if version < 2 and _numbers(kubernetes) >= _NEEDS_CGROUP_2:
        yield _error(
            "The machine runs control groups of version 1, on which kubelet %s does not start. Boot it with "
            "systemd.unified_cgroup_hierarchy=1, or take versions with Kubernetes 1.34 or older (podnet_versions)." % kubernetes
        )


def _kernel(modules: Mapping[str, str]) -> Iterator[_Sentence]:
    absent = [name for name, state in modules.items() if state == "absent"]
    unknown = [name for name, state in modules.items() if state == "unknown"]
    if absent:
        yield _error(
            "The kernel has no %s. Install the distribution's full kernel (Debian: linux-image-amd64 or -arm64, Ubuntu: "
            "linux-modules-extra-$(uname -r)), or take a machine whose kernel has it." % ", ".join(absent)
        )
    if unknown:
        yield _warning(
            "Whether the kernel has %s could not be seen: it publishes neither modules nor configuration. "
            "Where it lacks one, nodes do not start or pods are not reached." % ", ".join(unknown)
        )


def _size(subject: str, sizes: Tuple[int, int, int], remedy: str) -> Iterator[_Sentence]:
    """``sizes``: what there is, what is required and what is wanted."""
    have, required, wanted = sizes
    if have < required:
        yield _error("%s, and a lab needs %d. %s." % (subject, required, remedy))
    elif have < wanted:
        yield _warning("%s. A lab of three nodes works, tightly; %d are comfortable." % (subject, wanted))


def _docker(docker: Mapping[str, Any]) -> Iterator[_Sentence]:
    if docker["configuration_fault"]:
        yield _error("Docker does not start by a configuration that cannot be read: %s. Repair it." % docker["configuration_fault"])
    if docker["init"]:
        yield _error(
            '/etc/docker/daemon.json says "init": true, so that Docker puts an init of its own in front of each container\'s. '
            "The nodes' systemd does not start under it (kind: known issues). Remove the line and restart Docker."
        )
    if docker["running"] and _numbers(docker["version"]) < _OLDEST_DOCKER:
        yield _error("Docker Engine is %s; kind needs 20.10 or newer. Upgrade it." % docker["version"])
    if docker["snap"]:
        yield _warning(
            "Docker is a snap, which sees no files outside home folders and has a /tmp of its own (kind: known issues). Where "
            "a lab fails to start, replace it: snap remove docker, and run this again."
        )


def _subnets(host: Mapping[str, Any], subnets: Mapping[str, str], node_network: str) -> Iterator[_Sentence]:
    """Each of the lab's networks against the machine's."""
    taken = _taken(host, node_network)
    parsed: Dict[str, IPv4Network] = {}
    for variable, value in subnets.items():
        try:
            parsed[variable] = IPv4Network(value)
        except ValueError as error:
            yield _error("%s is %r, expected an IPv4 network like 172.18.0.0/16: %s." % (variable, value, error))
    for variable, wanted in parsed.items():
        clashes = [what for other, what, exempt in taken if other.overlaps(wanted) and exempt != variable]
        if clashes:
            used = [network for network, _what, _exempt in taken] + [other for name, other in parsed.items() if name != variable]
            yield _error("%s %s overlaps %s. %s" % (variable, wanted, " and ".join(clashes), _proposal(variable, used)))


def _taken(host: Mapping[str, Any], node_network: str) -> List[Tuple[IPv4Network, str, str]]:
    """Each IPv4 network of the machine, what it is, and the variable for which it does not count."""
    taken: List[Tuple[IPv4Network, str, str]] = []
    networks = host["docker"]["networks"]
    for network in networks:
        exempt = "podnet_node_subnet" if network["name"] == node_network else ""
        for subnet in network["subnets"]:
            if ":" not in subnet:
                taken.append((IPv4Network(subnet), "the Docker network %s (%s)" % (network["name"], subnet), exempt))
    bridges = {network["device"] for network in networks}
    for route in host["routes"]:
        # Bridges outlive the engine. Whose they are, it tells when it runs again.
        stopped = not host["docker"]["running"] and _BRIDGE.match(route["device"])
        if route["device"] not in bridges and not stopped:
            what = "this machine's route to %s by %s" % (route["destination"], route["device"])
            taken.append((IPv4Network(route["destination"]), what, ""))
    return taken


def _proposal(variable: str, used: List[IPv4Network]) -> str:
    """The first usual network that neither the machine nor the lab uses."""
    for proposal in _PROPOSALS.get(variable, []):
        if not any(other.overlaps(IPv4Network(proposal)) for other in used):
            return "Take a free one: -e %s=%s." % (variable, proposal)
    return "Set %s to a network that is free here." % variable


def _clock(theirs: float, ours: float) -> Iterator[_Sentence]:
    remedy = "Set it: timedatectl set-ntp true, or install chrony."
    difference = theirs - ours
    if theirs < _CLOCK_EARLIEST:
        shown = datetime.fromtimestamp(theirs, tz=timezone.utc).strftime("%Y-%m-%d")
        yield _error("The machine's clock says %s. No certificate of a download site is valid by it. %s" % (shown, remedy))
    elif abs(difference) > _CLOCK_DIFFERENCE_SECONDS:
        yield _error(
            "The machine's clock is %d seconds %s of this one's: certificates made here are not valid there, or vice versa. %s"
            % (abs(difference), "ahead" if difference > 0 else "behind", remedy)
        )


def _numbers(version: str) -> Tuple[int, ...]:
    """The first two numbers of a version, v1.35.0 or 20.10.24+dfsg1."""
    return tuple(int(number) for number in re.findall(r"\d+", version)[:2])


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> Dict[str, Callable[..., Any]]:
        """The filters of this file, by name."""
        return {"host_judgement": host_judgement}
