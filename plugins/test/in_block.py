# Copyright (c) 2026 podnet.calico authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether an address is in a block."""

from __future__ import annotations

DOCUMENTATION = r"""
name: in_block
short_description: Whether an address is in a block, or in one of several
version_added: "0.1.0"
author:
  - The podnet.calico authors (@podnet)
positional: _input, blocks
description:
  - True where an address, or a whole CIDR, lies in the block, or in one of a list of blocks.
options:
  _input:
    description: An address or a CIDR.
    type: str
    required: true
  blocks:
    description: A CIDR, or a dictionary with C(cidr) as M(podnet.calico.block_affinity_info) returns it, or a list of these.
    type: raw
    required: true
seealso:
  - plugin: podnet.calico.in_pool
    plugin_type: test
  - plugin: podnet.calico.block_of
    plugin_type: filter
"""

EXAMPLES = r"""
- name: The address that a pod has borrowed from another node
  ansible.builtin.assert:
    that:
      - "'192.168.112.200' is podnet.calico.in_block(['192.168.93.192/26', '192.168.112.192/26'])"
      - "'192.168.112.200' is not podnet.calico.in_block('192.168.93.192/26')"
"""

RETURN = r"""
_value:
  description: Whether it is.
  type: bool
"""

from typing import Any, Callable, Dict

from ansible_collections.podnet.calico.plugins.plugin_utils._offline import is_inside


def in_block(address: Any, blocks: Any) -> bool:
    """Whether ``address`` is in one of ``blocks``; see DOCUMENTATION."""
    return is_inside("in_block", "the block", address, blocks)


class TestModule:
    """What Ansible loads."""

    def tests(self) -> Dict[str, Callable[..., Any]]:
        """The tests of this file, by name."""
        return {"in_block": in_block}
