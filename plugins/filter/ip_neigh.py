# Copyright (c) 2026 podnet.calico authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ARP and ND entries of a node or pod."""

from __future__ import annotations

DOCUMENTATION = r"""
name: ip_neigh
short_description: Reads what C(ip neigh) printed
version_added: "0.1.0"
author:
  - The podnet.calico authors (@podnet)
positional: _input, dev
description:
  - The ARP and ND entries of a node or pod, from what C(ip neigh) printed. Text or JSON (C(ip -j)) is told by itself; of
    BusyBox's C(ip) it is text.
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
  - plugin: podnet.calico.bridge_fdb
    plugin_type: filter
"""

EXAMPLES = r"""
- name: The gateway of a pod is answered by the host's side of its veth
  ansible.builtin.assert:
    that: (printed | podnet.calico.ip_neigh | selectattr('address', 'eq', '169.254.1.1') | first).mac == 'ee:ee:ee:ee:ee:ee'
  vars:
    printed: 169.254.1.1 dev eth0 lladdr ee:ee:ee:ee:ee:ee REACHABLE
"""

RETURN = r"""
_value:
  description: The entries by device and address, each with C(dev), C(address), C(mac) (V(null) where it is not resolved),
    C(states).
  type: list
  elements: dict
"""

from typing import Any, Callable, Dict, List, Optional

from ansible_collections.podnet.calico.plugins.module_utils import _iproute
from ansible_collections.podnet.calico.plugins.plugin_utils._offline import listing


def ip_neigh(output: Any, dev: Optional[str] = None) -> List[Dict[str, Any]]:
    """The ARP and ND entries of a node or pod; see DOCUMENTATION."""
    return listing("ip_neigh", "ip neigh", _iproute.parse_neighbours, output, dev)


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> Dict[str, Callable[..., Any]]:
        """The filters of this file, by name."""
        return {"ip_neigh": ip_neigh}
