# Copyright (c) 2026 podnet.calico authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The MAC of a node's VXLAN device."""

from __future__ import annotations

DOCUMENTATION = r"""
name: vtep_mac
short_description: The MAC of a node's end of VXLAN tunnels
version_added: "0.1.0"
author:
  - The podnet.calico authors (@podnet)
positional: _input
description:
  - The MAC that Felix gives the C(vxlan.calico) of a node, V(66) and five bytes of the SHA-1 of the node's name. The node's
    annotation C(projectcalico.org/VXLANTunnelMACAddr), where it is set, overrides that.
options:
  _input:
    description: The name of the node.
    type: str
    required: true
seealso:
  - plugin: podnet.calico.bridge_fdb
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Whose MAC it is
  ansible.builtin.assert:
    that: "'pod-routing-worker' | podnet.calico.vtep_mac == '66:41:a6:e0:42:85'"
"""

RETURN = r"""
_value:
  description: The MAC.
  type: str
"""

from typing import Any, Callable, Dict

from ansible_collections.podnet.calico.plugins.module_utils import _names
from ansible_collections.podnet.calico.plugins.plugin_utils._offline import named


def vtep_mac(node: Any) -> str:
    """The MAC of the VXLAN device of ``node``; see DOCUMENTATION."""
    return _names.vtep_mac(named("vtep_mac", "the name of a node", node))


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> Dict[str, Callable[..., Any]]:
        """The filters of this file, by name."""
        return {"vtep_mac": vtep_mac}
