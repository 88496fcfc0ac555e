# Copyright (c) 2026 podnet.calico authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a pool holds."""

from __future__ import annotations

DOCUMENTATION = r"""
name: pool_capacity
short_description: Counts the blocks and addresses of a pool
version_added: "0.1.0"
author:
  - The podnet.calico authors (@podnet)
positional: _input, block_size
description:
  - How many blocks a pool has, and addresses. A node needs one block at least; every address of a block can be a pod's.
options:
  _input:
    description: The pool, as a CIDR or as a dictionary with C(cidr) and C(block_size), such as those of
      M(podnet.calico.block_affinity_info).
    type: raw
    required: true
  block_size:
    description: The length of the blocks' prefix. Where it is not given, the pool's own; else 26, or 122 for IPv6.
    type: int
seealso:
  - plugin: podnet.calico.blocks_in
    plugin_type: filter
  - plugin: podnet.calico.pool_errors
    plugin_type: filter
"""

EXAMPLES = r"""
- name: A pool for 300 nodes
  ansible.builtin.assert:
    that:
      - ('10.0.0.0/16' | podnet.calico.pool_capacity).blocks >= 300
      - ('10.0.0.0/16' | podnet.calico.pool_capacity(24)).blocks < 300
"""

RETURN = r"""
_value:
  description: C(block_size), C(blocks), C(addresses_per_block), C(addresses).
  type: dict
"""

from typing import Any, Callable, Dict, Optional

from ansible_collections.podnet.calico.plugins.module_utils import _blocks
from ansible_collections.podnet.calico.plugins.plugin_utils._offline import block_size as size_of
from ansible_collections.podnet.calico.plugins.plugin_utils._offline import calculated, cidr


def pool_capacity(pool: Any, block_size: Optional[int] = None) -> Dict[str, int]:
    """What ``pool`` holds; see DOCUMENTATION."""
    network = cidr("pool_capacity", "the pool", pool)
    return calculated("pool_capacity", _blocks.capacity, network, size_of("pool_capacity", pool, block_size))


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> Dict[str, Callable[..., Any]]:
        """The filters of this file, by name."""
        return {"pool_capacity": pool_capacity}
