# Copyright (c) 2026 podnet.calico authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The route that the kernel takes."""

from __future__ import annotations

DOCUMENTATION = r"""
name: longest_match
short_description: The route that a node takes for an address
version_added: "0.1.0"
author:
  - The podnet.calico authors (@podnet)
positional: _input, address, rules
description:
  - The route that the kernel takes for a packet to an address, out of all routes of a node or pod. That is the one with the
    longest prefix, of these the lowest metric; dead ones do not count.
  - Without O(rules) it looks into the table C(main); with them it goes from rule to rule, as the kernel does for a ping
    without a mark. Where a rule decides by something else, which cannot be told, it is an error that names the rule.
options:
  _input:
    description: Routes as P(podnet.calico.ip_route#filter) or M(podnet.calico.node_route_info) return them.
    type: list
    elements: dict
    required: true
  address:
    description: The address that a packet is for.
    type: str
    required: true
  rules:
    description: Rules as P(podnet.calico.ip_rule#filter) returns them.
    type: list
    elements: dict
seealso:
  - plugin: podnet.calico.ip_route
    plugin_type: filter
  - plugin: podnet.calico.ip_rule
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Where packets to a pod go
  ansible.builtin.assert:
    that:
      - (routes | podnet.calico.longest_match('192.168.112.200')).gateway == '172.18.0.4'
      - (routes | podnet.calico.longest_match('192.168.93.200')).type == 'blackhole'
      - (routes | podnet.calico.longest_match('192.168.93.193')).dev == 'cali6d09fa47963'
      - (routes | podnet.calico.longest_match('10.0.0.1')) is none
  vars:
    routes: "{{ printed | podnet.calico.ip_route }}"
    printed: |
      blackhole 192.168.93.192/26 proto 80
      192.168.93.193 dev cali6d09fa47963 scope link
      192.168.112.192/26 via 172.18.0.4 dev eth0 proto 80 onlink
"""

RETURN = r"""
_value:
  description: The route, in the shape it was given in, or V(null) where there is none.
  type: dict
"""

from typing import Any, Callable, Dict, Optional

from ansible_collections.podnet.calico.plugins.module_utils._fib import Fib
from ansible_collections.podnet.calico.plugins.module_utils._model import NodeFacts, Route, Rule
from ansible_collections.podnet.calico.plugins.module_utils._plain import plain
from ansible_collections.podnet.calico.plugins.module_utils._prefix import prefix
from ansible_collections.podnet.calico.plugins.plugin_utils._offline import calculated, entries, refuse, text


_MAIN = (Rule(0, "from all", "lookup main"),)


def longest_match(routes: Any, address: Any, rules: Optional[Any] = None) -> Optional[Dict[str, Any]]:
    """The route for ``address``; see DOCUMENTATION."""
    if calculated("longest_match", prefix, text("longest_match", "an address", address)).length < (128 if ":" in address else 32):
        refuse("longest_match", "wants one address, got %s" % address)
    chosen = _MAIN if rules is None else tuple(entries("longest_match", Rule, rules))
    fib = Fib(NodeFacts(routes=tuple(entries("longest_match", Route, routes)), rules=chosen))
    decision = calculated("longest_match", fib.decide, address)
    if decision.unknown:
        refuse("longest_match", "which route %s takes cannot be said: %s" % (address, decision.unknown))
    return None if decision.route is None else plain(decision.route)


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> Dict[str, Callable[..., Any]]:
        """The filters of this file, by name."""
        return {"longest_match": longest_match}
