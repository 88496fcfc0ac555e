# Copyright (c) 2026 podnet.calico authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The forwarding entries of a VXLAN device."""

from __future__ import annotations

DOCUMENTATION = r"""
name: bridge_fdb
short_description: Reads what C(bridge fdb) printed
version_added: "0.1.0"
author:
  - The podnet.calico authors (@podnet)
positional: _input, dev
description:
  - The forwarding entries of a VXLAN device, from what C(bridge fdb) printed. C(ip -f bridge neigh), which calico-node has,
    prints the same entries and is read, too. Text or JSON (C(ip -j)) is told by itself; of BusyBox's C(ip) it is text.
  - Nothing printed is an empty list; what cannot be the command's output is an error that quotes the place.
options:
  _input:
    description: What the command printed, as text.
    type: str
    required: true
  dev:
    description: The device that the command was asked about. Iproute2 leaves it out of its output then.
    type: str
seealso:
  - plugin: podnet.calico.ip_neigh
    plugin_type: filter
  - plugin: podnet.calico.vtep_mac
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Frames for the tunnel's end of a node go to that node
  ansible.builtin.assert:
    that: (printed | podnet.calico.bridge_fdb(dev='vxlan.calico') | first).mac == 'pod-routing-worker' | podnet.calico.vtep_mac
  vars:
    printed: 66:41:a6:e0:42:85 dst 172.18.0.3 self permanent
"""

RETURN = r"""
_value:
  description: The entries by MAC, each with C(dev), C(mac), C(dst) (the address of the node that frames to it are sent to),
    C(states). Entries without a destination are left out.
  type: list
  elements: dict
"""

from typing import Any, Callable, Dict, List, Optional

from ansible_collections.podnet.calico.plugins.module_utils import _iproute
from ansible_collections.podnet.calico.plugins.plugin_utils._offline import listing


def bridge_fdb(output: Any, dev: Optional[str] = None) -> List[Dict[str, Any]]:
    """The forwarding entries of a VXLAN device; see DOCUMENTATION."""
    return listing("bridge_fdb", "bridge fdb", _iproute.parse_fdb, output, dev)


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> Dict[str, Callable[..., Any]]:
        """The filters of this file, by name."""
        return {"bridge_fdb": bridge_fdb}
