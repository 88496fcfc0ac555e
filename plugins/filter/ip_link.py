# Copyright (c) 2026 podnet.calico authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The devices of a node or pod."""

from __future__ import annotations

DOCUMENTATION = r"""
name: ip_link
short_description: Reads what C(ip -d -s link) printed
version_added: "0.1.0"
author:
  - The podnet.calico authors (@podnet)
positional: _input
description:
  - The devices of a node or pod, from what C(ip -d -s link) printed. The options C(-d) and C(-s) may be left out. Text or
    JSON (C(ip -j)) is told by itself; of BusyBox's C(ip) it is text.
  - Nothing printed is an empty list; what cannot be the command's output is an error that quotes the place.
options:
  _input:
    description: What the command printed, as text.
    type: str
    required: true
seealso:
  - plugin: podnet.calico.ip_addr
    plugin_type: filter
  - plugin: podnet.calico.cali_name
    plugin_type: filter
"""

EXAMPLES = r"""
- name: The tunnel device leaves room for its headers
  ansible.builtin.assert:
    that: (printed | podnet.calico.ip_link | selectattr('name', 'eq', 'vxlan.calico') | first).mtu == 1450
  vars:
    printed: |
      4: vxlan.calico: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1450 qdisc noqueue state UNKNOWN mode DEFAULT group default qlen 1000
          link/ether 66:41:a6:e0:42:85 brd ff:ff:ff:ff:ff:ff
"""

RETURN = r"""
_value:
  description: The devices by index, each with C(name), C(mtu), C(admin_up), C(carrier), C(mac), C(kind), C(index),
    C(peer_index), C(vxlan) (C(vni), C(port), C(local), C(dev), C(learning)), C(rx_packets), C(tx_packets). What was not
    printed is V(null).
  type: list
  elements: dict
"""

from typing import Any, Callable, Dict, List

from ansible_collections.podnet.calico.plugins.module_utils import _iproute
from ansible_collections.podnet.calico.plugins.plugin_utils._offline import listing


def ip_link(output: Any) -> List[Dict[str, Any]]:
    """The devices of a node or pod; see DOCUMENTATION."""
    return listing("ip_link", "ip -d -s link", _iproute.parse_links, output)


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> Dict[str, Callable[..., Any]]:
        """The filters of this file, by name."""
        return {"ip_link": ip_link}
