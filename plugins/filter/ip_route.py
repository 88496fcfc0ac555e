# Copyright (c) 2026 podnet.calico authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The routes of a node or pod."""

from __future__ import annotations

DOCUMENTATION = r"""
name: ip_route
short_description: Reads what C(ip route) printed
version_added: "0.1.0"
author:
  - The podnet.calico authors (@podnet)
positional: _input
description:
  - The routes of a node or pod, from what C(ip route) printed. Text or JSON (C(ip -j)) is told by itself; of BusyBox's C(ip)
    it is text.
  - Nothing printed is an empty list; what cannot be the command's output is an error that quotes the place.
options:
  _input:
    description: What the command printed, as text.
    type: str
    required: true
seealso:
  - plugin: podnet.calico.longest_match
    plugin_type: filter
  - plugin: podnet.calico.ip_rule
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Which node owns the block, by the route of this one
  ansible.builtin.assert:
    that: (printed | podnet.calico.ip_route | selectattr('dst', 'eq', '192.168.112.192/26') | first).gateway == '172.18.0.4'
  vars:
    printed: |
      default via 172.18.0.1 dev eth0
      blackhole 192.168.93.192/26 proto 80
      192.168.112.192/26 via 172.18.0.4 dev eth0 proto 80 onlink
"""

RETURN = r"""
_value:
  description: The routes in their order, each with C(dst) (always with its length, V(0.0.0.0/0) for default), C(type),
    C(gateway), C(dev), C(protocol), C(scope), C(metric), C(table), C(prefsrc), C(mtu), C(flags), C(nexthops); as in
    M(podnet.calico.node_route_info).
  type: list
  elements: dict
"""

from typing import Any, Callable, Dict, List

from ansible_collections.podnet.calico.plugins.module_utils import _iproute
from ansible_collections.podnet.calico.plugins.plugin_utils._offline import listing


def ip_route(output: Any) -> List[Dict[str, Any]]:
    """The routes of a node or pod; see DOCUMENTATION."""
    return listing("ip_route", "ip route", _iproute.parse_routes, output)


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> Dict[str, Callable[..., Any]]:
        """The filters of this file, by name."""
        return {"ip_route": ip_route}
