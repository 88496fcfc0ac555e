# Copyright (c) 2026 podnet.calico authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The block that holds an address."""

from __future__ import annotations

DOCUMENTATION = r"""
name: block_of
short_description: The block that an address is in
version_added: "0.1.0"
author:
  - The podnet.calico authors (@podnet)
positional: _input, pool, block_size
description:
  - The block that holds an address, which is what a node's route to it is for.
  - It is arithmetic. Whether somebody owns that block, and who, M(podnet.calico.block_affinity_info) says.
options:
  _input:
    description: An address, with or without C(/32).
    type: str
    required: true
  pool:
    description: The pool, as a CIDR or as a dictionary with C(cidr) and C(block_size), such as those of
      M(podnet.calico.block_affinity_info). An address outside is an error.
    type: raw
  block_size:
    description: The length of the blocks' prefix. Where it is not given, the pool's own; else 26, or 122 for IPv6.
    type: int
seealso:
  - plugin: podnet.calico.pool_of
    plugin_type: filter
  - plugin: podnet.calico.block_name
    plugin_type: filter
  - plugin: podnet.calico.in_block
    plugin_type: test
"""

EXAMPLES = r"""
- name: The block of a pod
  ansible.builtin.assert:
    that:
      - "'192.168.93.200' | podnet.calico.block_of == '192.168.93.192/26'"
      - "'192.168.93.200' | podnet.calico.block_of(block_size=28) == '192.168.93.192/28'"
      - "'10.0.9.1' | podnet.calico.block_of({'cidr': '10.0.0.0/16', 'block_size': 24}) == '10.0.9.0/24'"
"""

RETURN = r"""
_value:
  description: The CIDR of the block.
  type: str
"""

from typing import Any, Callable, Dict, Optional

from ansible_collections.podnet.calico.plugins.module_utils import _blocks
from ansible_collections.podnet.calico.plugins.plugin_utils._offline import block_size as size_of
from ansible_collections.podnet.calico.plugins.plugin_utils._offline import calculated, cidr, text


def block_of(address: Any, pool: Optional[Any] = None, block_size: Optional[int] = None) -> str:
    """The block that holds ``address``; see DOCUMENTATION."""
    text("block_of", "an address", address)
    network = None if pool is None else cidr("block_of", "the pool", pool)
    return calculated("block_of", _blocks.block_of, address, network, size_of("block_of", pool, block_size))


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> Dict[str, Callable[..., Any]]:
        """The filters of this file, by name."""
        return {"block_of": block_of}
