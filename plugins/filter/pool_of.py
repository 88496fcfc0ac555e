# Copyright (c) 2026 podnet.calico authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pool that holds an address."""

from __future__ import annotations

DOCUMENTATION = r"""
name: pool_of
short_description: The pool that an address or block is in
version_added: "0.1.0"
author:
  - The podnet.calico authors (@podnet)
positional: _input, pools
description:
  - The pool that holds an address or a whole block; of several, the smallest.
options:
  _input:
    description: An address or a CIDR.
    type: str
    required: true
  pools:
    description: The pools, each as a CIDR or as a dictionary with C(cidr), such as C(calico_cluster.pools) of the inventory.
    type: list
    elements: raw
    required: true
seealso:
  - plugin: podnet.calico.block_of
    plugin_type: filter
  - plugin: podnet.calico.in_pool
    plugin_type: test
"""

EXAMPLES = r"""
- name: How packets to an address are encapsulated
  ansible.builtin.assert:
    that: ('10.1.2.3' | podnet.calico.pool_of(pools)).encapsulation == 'IPIP'
  vars:
    pools:
      - {name: default-ipv4-ippool, cidr: 192.168.0.0/16, encapsulation: VXLANCrossSubnet}
      - {name: racks, cidr: 10.0.0.0/8, encapsulation: IPIP}
"""

RETURN = r"""
_value:
  description: The pool as it was given, or V(null) where it is in none.
  type: raw
"""

from typing import Any, Callable, Dict

from ansible_collections.podnet.calico.plugins.module_utils._prefix import PrefixTable, prefix
from ansible_collections.podnet.calico.plugins.plugin_utils._offline import calculated, cidr, listed, text


def pool_of(address: Any, pools: Any) -> Any:
    """The pool that ``address`` is in; see DOCUMENTATION."""
    calculated("pool_of", prefix, text("pool_of", "an address or CIDR", address))
    table: PrefixTable[Any] = PrefixTable()
    for number, pool in enumerate(listed("pool_of", "a list of pools", pools)):
        calculated("pool_of", table.add, cidr("pool_of", "pool %d" % number, pool), pool)
    return table.longest(address)


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> Dict[str, Callable[..., Any]]:
        """The filters of this file, by name."""
        return {"pool_of": pool_of}
