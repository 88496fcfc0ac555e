# Copyright (c) 2026 podnet.calico authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The handle of an address."""

from __future__ import annotations

DOCUMENTATION = r"""
name: handle_id
short_description: The handle by which IPAM knows an address
version_added: "0.1.0"
author:
  - The podnet.calico authors (@podnet)
positional: _input, use
description:
  - The handle under which Calico's IPAM keeps the address of a pod or of a node's tunnel. Its IPAMHandle is called the same
    in lower case.
options:
  _input:
    description: Of a pod, the id in its annotation C(cni.projectcalico.org/containerID); of a tunnel, the name of the node.
    type: str
    required: true
  use:
    description: What the address is for.
    type: str
    choices: [workload, vxlan, ipip, wireguard]
    default: workload
seealso:
  - plugin: podnet.calico.block_name
    plugin_type: filter
"""

EXAMPLES = r"""
- name: The handle of a node's VXLAN address
  ansible.builtin.assert:
    that:
      - "'worker' | podnet.calico.handle_id('vxlan') == 'vxlan-tunnel-addr-worker'"
      - "'95e55bfab0ee' | podnet.calico.handle_id == 'k8s-pod-network.95e55bfab0ee'"
"""

RETURN = r"""
_value:
  description: The handle.
  type: str
"""

from typing import Any, Callable, Dict

from ansible_collections.podnet.calico.plugins.module_utils import _blocks
from ansible_collections.podnet.calico.plugins.plugin_utils._offline import calculated, named


def handle_id(holder: Any, use: str = "workload") -> str:
    """The handle of what ``holder`` has; see DOCUMENTATION."""
    return calculated("handle_id", _blocks.handle_id, named("handle_id", "a container's id or a node's name", holder), use)


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> Dict[str, Callable[..., Any]]:
        """The filters of this file, by name."""
        return {"handle_id": handle_id}
