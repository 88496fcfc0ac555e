# Copyright (c) 2026 podnet.calico authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The addresses of a node or pod."""

from __future__ import annotations

DOCUMENTATION = r"""
name: ip_addr
short_description: Reads what C(ip addr) printed
version_added: "0.1.0"
author:
  - The podnet.calico authors (@podnet)
positional: _input
description:
  - The addresses of a node or pod, from what C(ip addr) printed. Text or JSON (C(ip -j)) is told by itself; of BusyBox's
    C(ip) it is text.
  - Nothing printed is an empty list; what cannot be the command's output is an error that quotes the place.
options:
  _input:
    description: What the command printed, as text.
    type: str
    required: true
seealso:
  - plugin: podnet.calico.ip_link
    plugin_type: filter
"""

EXAMPLES = r"""
- name: A pod has one address, and it is a /32
  ansible.builtin.assert:
    that: printed | podnet.calico.ip_addr | map(attribute='prefixlen') | list == [32]
  vars:
    printed: |
      3: eth0@if8: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1450 qdisc noqueue state UP group default
          link/ether 5e:6a:3c:9f:6d:0a brd ff:ff:ff:ff:ff:ff link-netnsid 0
          inet 192.168.93.193/32 scope global eth0
"""

RETURN = r"""
_value:
  description: The addresses, device by device, each with C(dev), C(address), C(prefixlen), C(family) (V(inet) or V(inet6)),
    C(scope).
  type: list
  elements: dict
"""

from typing import Any, Callable, Dict, List

from ansible_collections.podnet.calico.plugins.module_utils import _iproute
from ansible_collections.podnet.calico.plugins.plugin_utils._offline import listing


def ip_addr(output: Any) -> List[Dict[str, Any]]:
    """The addresses of a node or pod; see DOCUMENTATION."""
    return listing("ip_addr", "ip addr", _iproute.parse_addresses, output)


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> Dict[str, Callable[..., Any]]:
        """The filters of this file, by name."""
        return {"ip_addr": ip_addr}
