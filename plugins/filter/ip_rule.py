# Copyright (c) 2026 podnet.calico authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The policy rules of a node."""

from __future__ import annotations

DOCUMENTATION = r"""
name: ip_rule
short_description: Reads what C(ip rule) printed
version_added: "0.1.0"
author:
  - The podnet.calico authors (@podnet)
positional: _input
description:
  - The policy rules of a node, from what C(ip rule) printed. Text or JSON (C(ip -j)) is told by itself; of BusyBox's C(ip) it
    is text.
  - Nothing printed is an empty list; what cannot be the command's output is an error that quotes the place.
options:
  _input:
    description: What the command printed, as text.
    type: str
    required: true
seealso:
  - plugin: podnet.calico.longest_match
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Nothing but the kernel's own rules
  ansible.builtin.assert:
    that: printed | podnet.calico.ip_rule | map(attribute='action') | list == ['lookup local', 'lookup main', 'lookup default']
  vars:
    printed: |
      0:      from all lookup local
      32766:  from all lookup main
      32767:  from all lookup default
"""

RETURN = r"""
_value:
  description: The rules by priority, each with C(priority), C(selector) (what stands between priority and action), C(action).
  type: list
  elements: dict
"""

from typing import Any, Callable, Dict, List

from ansible_collections.podnet.calico.plugins.module_utils import _iproute
from ansible_collections.podnet.calico.plugins.plugin_utils._offline import listing


def ip_rule(output: Any) -> List[Dict[str, Any]]:
    """The policy rules of a node; see DOCUMENTATION."""
    return listing("ip_rule", "ip rule", _iproute.parse_rules, output)


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> Dict[str, Callable[..., Any]]:
        """The filters of this file, by name."""
        return {"ip_rule": ip_rule}
