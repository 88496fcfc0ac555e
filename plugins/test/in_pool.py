# Copyright (c) 2026 podnet.calico authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether an address is in a pool."""

from __future__ import annotations

DOCUMENTATION = r"""
name: in_pool
short_description: Whether an address is in a pool, or in one of several
version_added: "0.1.0"
author:
  - The podnet.calico authors (@podnet)
positional: _input, pools
description:
  - True where an address, or a whole CIDR, lies in the pool, or in one of a list of pools.
options:
  _input:
    description: An address or a CIDR.
    type: str
    required: true
  pools:
    description: A CIDR, or a dictionary with C(cidr) as M(podnet.calico.block_affinity_info) returns it, or a list of these.
    type: raw
    required: true
seealso:
  - plugin: podnet.calico.in_block
    plugin_type: test
  - plugin: podnet.calico.pool_of
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Which of these addresses are pods'
  ansible.builtin.assert:
    that:
      - seen | select('podnet.calico.in_pool', '192.168.0.0/16') | list == ['192.168.93.193']
      - "'10.0.0.1' is not podnet.calico.in_pool([{'cidr': '192.168.0.0/16'}, '172.16.0.0/12'])"
  vars:
    seen: [172.18.0.3, 192.168.93.193]
"""

RETURN = r"""
_value:
  description: Whether it is.
  type: bool
"""

from typing import Any, Callable, Dict

from ansible_collections.podnet.calico.plugins.plugin_utils._offline import is_inside


def in_pool(address: Any, pools: Any) -> bool:
    """Whether ``address`` is in one of ``pools``; see DOCUMENTATION."""
    return is_inside("in_pool", "the pool", address, pools)


class TestModule:
    """What Ansible loads."""

    def tests(self) -> Dict[str, Callable[..., Any]]:
        """The tests of this file, by name."""
        return {"in_pool": in_pool}
