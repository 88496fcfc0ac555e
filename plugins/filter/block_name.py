# Copyright (c) 2026 podnet.calico authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a block is called in the API."""

from __future__ import annotations

DOCUMENTATION = r"""
name: block_name
short_description: The name of a block's object in the API
version_added: "0.1.0"
author:
  - The podnet.calico authors (@podnet)
positional: _input, node
description:
  - The name of the IPAMBlock of a CIDR, or of a node's BlockAffinity to it, for C(kubectl get) and the like.
options:
  _input:
    description: The CIDR of a block.
    type: str
    required: true
  node:
    description: The name of a node. With it, the name is of the BlockAffinity.
    type: str
seealso:
  - plugin: podnet.calico.block_of
    plugin_type: filter
  - plugin: podnet.calico.handle_id
    plugin_type: filter
"""

EXAMPLES = r"""
- name: kubectl get ipamblocks.crd.projectcalico.org 192-168-93-192-26
  ansible.builtin.assert:
    that:
      - "'192.168.93.192/26' | podnet.calico.block_name == '192-168-93-192-26'"
      - "'192.168.93.192/26' | podnet.calico.block_name(node='worker') == 'worker-192-168-93-192-26'"
"""

RETURN = r"""
_value:
  description: The name.
  type: str
"""

from typing import Any, Callable, Dict, Optional

from ansible_collections.podnet.calico.plugins.module_utils import _blocks
from ansible_collections.podnet.calico.plugins.plugin_utils._offline import calculated, named, text


def block_name(block: Any, node: Optional[str] = None) -> str:
    """What the object of ``block`` is called; see DOCUMENTATION."""
    text("block_name", "the CIDR of a block", block)
    holder = None if node is None else named("block_name", "the name of a node", node)
    return calculated("block_name", _blocks.block_name, block, holder)


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> Dict[str, Callable[..., Any]]:
        """The filters of this file, by name."""
        return {"block_name": block_name}
