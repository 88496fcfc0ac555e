# Copyright (c) 2026 podnet.calico authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The blocks of a pool."""

from __future__ import annotations

DOCUMENTATION = r"""
name: blocks_in
short_description: Lists the blocks of a pool
version_added: "0.1.0"
author:
  - The podnet.calico authors (@podnet)
positional: _input, block_size
description:
  - All blocks that a pool is cut into, by address; at most 65536, more are an error.
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
  - plugin: podnet.calico.pool_capacity
    plugin_type: filter
  - plugin: podnet.calico.block_of
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Which blocks nobody owns yet
  ansible.builtin.assert:
    that: "'192.168.0.0/24' | podnet.calico.blocks_in | reject('in', owned) | list == ['192.168.0.64/26', '192.168.0.192/26']"
  vars:
    owned: [192.168.0.0/26, 192.168.0.128/26]
"""

RETURN = r"""
_value:
  description: The CIDRs.
  type: list
  elements: str
"""

from typing import Any, Callable, Dict, List, Optional

from ansible_collections.podnet.calico.plugins.module_utils import _blocks
from ansible_collections.podnet.calico.plugins.plugin_utils._offline import block_size as size_of
from ansible_collections.podnet.calico.plugins.plugin_utils._offline import calculated, cidr


def blocks_in(pool: Any, block_size: Optional[int] = None) -> List[str]:
    """The blocks of ``pool``; see DOCUMENTATION."""
    return calculated("blocks_in", _blocks.blocks_in, cidr("blocks_in", "the pool", pool), size_of("blocks_in", pool, block_size))


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> Dict[str, Callable[..., Any]]:
        """The filters of this file, by name."""
        return {"blocks_in": blocks_in}
