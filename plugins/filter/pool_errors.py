# Copyright (c) 2026 podnet.calico authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with a plan of address pools, before anything is built from it."""

from __future__ import annotations

DOCUMENTATION = r"""
name: pool_errors
short_description: Says what is wrong with a plan of Calico pools
version_added: "0.1.0"
author:
  - The podnet.calico authors (@podnet)
positional: _input
description:
  - Holds pools against the cluster they are planned for, without any cluster, and returns every error, not the first only.
    Each names the variable, its value and the remedy.
options:
  _input:
    description: The pools, in the shape of the role calico's C(calico_pools), with every key present.
    type: list
    elements: dict
    required: true
  nodes:
    description: The number of nodes; each needs at least one block.
    type: int
    required: true
  node_subnet:
    description: The nodes' own network.
    type: str
    required: true
  pod_subnet:
    description: The cluster's pod subnet, inside which the operator wants every pool.
    type: str
    required: true
  service_subnet:
    description: The network of the Services' addresses.
    type: str
    required: true
  bgp:
    description: Whether BIRD is to run.
    type: bool
    default: true
"""

EXAMPLES = r"""
- name: Refuse a plan that cannot work
  ansible.builtin.assert:
    that: errors | length == 0
    fail_msg: "{{ errors | join('\n') }}"
  vars:
    errors: >-
      {{ calico_pools | podnet.calico.pool_errors(nodes=3, node_subnet='172.18.0.0/16', pod_subnet='192.168.0.0/16',
                                                  service_subnet='10.96.0.0/16') }}
"""

RETURN = r"""
_value:
  description: One sentence per error; empty when the plan is sound.
  type: list
  elements: str
"""

from ipaddress import IPv4Network
from typing import Any, Callable, Dict, Iterator, List, Mapping, Optional, Sequence

from ansible.errors import AnsibleFilterError
from ansible_collections.podnet.calico.plugins.module_utils._blocks import LARGEST, SMALLEST

_SMALLEST_BLOCK = SMALLEST[4]
_LARGEST_BLOCK = LARGEST[4]
#: The operator refuses these where BIRD does not run (tigera/operator, installation validation).
_NEED_BGP = ("None", "IPIP", "IPIPCrossSubnet")


def pool_errors(
    pools: Sequence[Mapping[str, Any]],
    nodes: int,
    node_subnet: str,
    pod_subnet: str,
    service_subnet: str,
    bgp: bool = True,
) -> List[str]:
    """Every error of the plan, as sentences; see DOCUMENTATION."""
    if isinstance(pools, (str, Mapping)) or not all(isinstance(pool, Mapping) for pool in pools):
        raise AnsibleFilterError("pool_errors wants a list of pools, got %s" % type(pools).__name__)
    errors: List[str] = []
    subnets = {
        "podnet_node_subnet": _network("podnet_node_subnet", node_subnet, errors),
        "podnet_pod_subnet": _network("podnet_pod_subnet", pod_subnet, errors),
        "podnet_service_subnet": _network("podnet_service_subnet", service_subnet, errors),
    }
    errors.extend(_overlaps(subnets, "choose another network for one of them"))
    if not pools:
        errors.append("calico_pools is empty: pods would get no address. Give at least one pool")
    plan = {"calico_pools[%d].cidr" % index: pool for index, pool in enumerate(pools)}
    networks = {label: _network(label, pool["cidr"], errors) for label, pool in plan.items()}
    for label, pool in plan.items():
        if networks[label] is not None:
            errors.extend(_placement(label, networks[label], subnets))
        errors.extend(_block_size(label, pool["block_size"], networks[label]))
        errors.extend(_encapsulation(label, pool["encapsulation"], bgp))
    errors.extend(_overlaps(networks, "pools are disjoint; shrink one of them"))
    errors.extend(_names(plan))
    if not errors:
        errors.extend(_capacity(pools, nodes))
    return errors


def _network(label: str, value: Any, errors: List[str]) -> Optional[IPv4Network]:
    try:
        return IPv4Network(str(value))
    except ValueError as error:
        errors.append("%s is %r, expected an IPv4 network like 192.168.0.0/16: %s" % (label, str(value), error))
        return None


def _overlaps(networks: Mapping[str, Optional[IPv4Network]], remedy: str) -> Iterator[str]:
    labels = [label for label, network in networks.items() if network is not None]
    for index, first in enumerate(labels):
        for second in labels[index + 1 :]:
            if networks[first].overlaps(networks[second]):
                yield "%s %s overlaps %s %s: %s" % (first, networks[first], second, networks[second], remedy)


def _placement(label: str, pool: IPv4Network, subnets: Mapping[str, Optional[IPv4Network]]) -> Iterator[str]:
    """A pool lies in the pod subnet, and so outside the two others; a pool outside is held against these one by one."""
    pods = subnets["podnet_pod_subnet"]
    if pods is None or pool.subnet_of(pods):
        return
    for name in ("podnet_node_subnet", "podnet_service_subnet"):
        other = subnets[name]
        if other is not None and pool.overlaps(other):
            yield "%s %s overlaps %s %s: take a pool inside podnet_pod_subnet %s" % (label, pool, name, other, pods)
            return
    yield (
        "%s %s is not inside podnet_pod_subnet %s, and the operator refuses such a pool: "
        "take a part of the pod subnet, or change podnet_pod_subnet as well" % (label, pool, pods)
    )


def _block_size(label: str, size: Any, pool: Optional[IPv4Network]) -> Iterator[str]:
    name = label.replace(".cidr", ".block_size")
    if not _LARGEST_BLOCK <= int(size) <= _SMALLEST_BLOCK:
        yield "%s is %s, expected %d to %d" % (name, size, _LARGEST_BLOCK, _SMALLEST_BLOCK)
    elif pool is not None and int(size) < pool.prefixlen:
        yield "%s is %s, so one block is larger than the pool %s: take %d to %d" % (
            name,
            size,
            pool,
            max(pool.prefixlen, _LARGEST_BLOCK),
            _SMALLEST_BLOCK,
        )


def _encapsulation(label: str, encapsulation: str, bgp: bool) -> Iterator[str]:
    if not bgp and encapsulation in _NEED_BGP:
        yield (
            "%s is %s while calico_bgp is Disabled: its routes are BIRD's, and the operator refuses the pair. "
            "Take VXLAN or VXLANCrossSubnet, or calico_bgp: Enabled" % (label.replace(".cidr", ".encapsulation"), encapsulation)
        )


def _names(plan: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    seen: Dict[str, str] = {}
    for cidr_label, pool in plan.items():
        name = str(pool["name"])
        label = cidr_label.replace(".cidr", ".name")
        if name in seen:
            yield "%s is %r, as %s is already: give each pool a name of its own" % (label, name, seen[name])
        seen.setdefault(name, label)


def _capacity(pools: Sequence[Mapping[str, Any]], nodes: int) -> Iterator[str]:
    """Whether every node can own a block. Pools for selected or manual use are no promise to every node."""
    general = [p for p in pools if p["node_selector"] == "all()" and p["assignment_mode"] == "Automatic"]
    blocks = sum(2 ** (int(p["block_size"]) - IPv4Network(p["cidr"]).prefixlen) for p in general)
    if general and blocks < nodes:
        described = ", ".join("%s in /%s blocks" % (p["cidr"], p["block_size"]) for p in general)
        yield (
            "calico_pools: %s gives %d block%s, but there are %d nodes and each needs one of its own: "
            "take a larger pool or a larger block_size number (smaller blocks)" % (described, blocks, "" if blocks == 1 else "s", nodes)
        )


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> Dict[str, Callable[..., Any]]:
        """The filters of this file, by name."""
        return {"pool_errors": pool_errors}
